#!/usr/bin/python3
"""mesh_bench.py BIN [--rounds N] [--large]: wgkit mesh against wg-meshconf and against bare writing.

All of it in one run and on tmpfs, in turns, so that noise of the machine hits all alike; what counts are
the ratios. Peers: PyPI's wg-meshconf (installed into build/bench-venv by pip), and a loop in Python that
writes the same bytes to the same files (`plain`). --large adds N=5000. Prints a table in Markdown.
"""

import argparse
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]


def inventory(count: int, psk: bool = False) -> str:
    lines = ["version: 1", "network: {name: bench, ipv4: 10.0.0.0/8, topology: full-mesh"
             + (", psk: per-pair" if psk else "") + "}", "nodes:"]
    lines += [f"  - {{name: n{i}, endpoint: n{i}.example.org:51820}}" for i in range(count)]
    return "\n".join(lines) + "\n"


def run(command: list[str], cwd: pathlib.Path) -> tuple[float, float]:
    """(seconds, seconds of processor time)"""
    start = time.perf_counter()
    child = subprocess.Popen(command, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - start
    if os.waitstatus_to_exitcode(status) not in (0, 2):
        sys.exit(f"{command} failed")
    return seconds, usage.ru_utime + usage.ru_stime


def peak_megabytes(command: list[str], cwd: pathlib.Path) -> float:
    """By time(1): a child of this program would count this program's memory as its own."""
    with tempfile.NamedTemporaryFile("r") as out:
        subprocess.run(["/usr/bin/time", "-f", "%M", "-o", out.name, *command], cwd=cwd, check=False,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return int(out.read().split()[-1]) / 1024


class Work:
    """A command in a folder, and what must be done before each run of it."""

    def __init__(self, cwd: pathlib.Path, command: list[str], prepare=lambda: None):
        self.cwd, self.command, self.prepare = cwd, command, prepare

    def sample(self) -> tuple[float, float]:
        self.prepare()
        return run(self.command, self.cwd)

    def peak(self) -> float:
        self.prepare()
        return peak_megabytes(self.command, self.cwd)


class Fleet:
    """A folder on tmpfs with an inventory of so many nodes."""

    def __init__(self, top: pathlib.Path, binary: pathlib.Path, count: int, psk: bool = False):
        self.folder, self.binary, self.count = top / f"f{count}{psk}", binary, count
        self.folder.mkdir()
        self.write(count, psk)

    def write(self, count: int, psk: bool = False) -> None:
        (self.folder / "nodes.yaml").write_text(inventory(count, psk))

    def fresh(self) -> None:
        for name in ("out", "keys"):
            shutil.rmtree(self.folder / name, ignore_errors=True)
        (self.folder / "nodes.lock.yaml").unlink(missing_ok=True)

    def mesh(self, *arguments: str, prepare=lambda: None) -> Work:
        return Work(self.folder, [str(self.binary / "wgkit-mesh"), *arguments], prepare)

    def plain(self) -> tuple[float, float]:
        """Writes what is in out/ to other files of the same names: open, write, close."""
        files = [(p.relative_to(self.folder / "out"), p.read_bytes())
                 for p in sorted((self.folder / "out").rglob("*.conf"))]
        target = self.folder / "plain"
        shutil.rmtree(target, ignore_errors=True)
        start, cpu = time.perf_counter(), time.process_time()
        for path, content in files:
            os.makedirs((target / path).parent)
            with open(target / path, "wb", buffering=0) as file:
                file.write(content)
        result = time.perf_counter() - start, time.process_time() - cpu
        shutil.rmtree(target)
        return result

    def size(self) -> int:
        return sum(p.stat().st_size for p in (self.folder / "out").rglob("*.conf"))


def meshconf_program() -> pathlib.Path:
    venv = ROOT / "build/bench-venv"
    program = venv / "bin/wg-meshconf"
    if not program.exists():
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
        subprocess.run([venv / "bin/pip", "install", "-q", "wg-meshconf"], check=True)
    return program


class Meshconf:
    """wg-meshconf with a database of the same nodes."""

    def __init__(self, top: pathlib.Path, count: int):
        self.folder = top / f"m{count}"
        self.folder.mkdir()
        self.program = meshconf_program()
        header = ("Name,Address,Endpoint,AllowedIPs,ListenPort,PersistentKeepalive,FwMark,PrivateKey,DNS,MTU,"
                  "Table,PreUp,PostUp,PreDown,PostDown,SaveConfig")
        keys = subprocess.run(["sh", "-c", f"for i in $(seq {count}); do wg genkey; done"], check=True,
                              capture_output=True, text=True).stdout.split()
        rows = [f"n{i},10.{i >> 16}.{i >> 8 & 255}.{i & 255}/32,n{i}.example.org,,51820,,,{key},,,,,,,,"
                for i, key in enumerate(keys)]
        (self.folder / "database.csv").write_text("\n".join([header, *rows]) + "\n")

    def render(self) -> Work:
        clear = lambda: shutil.rmtree(self.folder / "output", ignore_errors=True)
        return Work(self.folder, [str(self.program), "genconfig"], clear)


def rounds(count: int, works: dict) -> dict:
    """Runs the works in turns; {name: (seconds, processor seconds, peak MB)}, medians."""
    samples = {name: [] for name in works}
    for _ in range(count):
        for name, work in works.items():
            samples[name].append(work.sample() if isinstance(work, Work) else work())
    peaks = {name: work.peak() if isinstance(work, Work) else 0 for name, work in works.items()}
    return {name: (*(statistics.median(column) for column in zip(*values)), peaks[name])
            for name, values in samples.items()}


def row(*cells) -> None:
    print("| " + " | ".join(str(cell) for cell in cells) + " |")


def against_meshconf(top: pathlib.Path, binary: pathlib.Path, count: int, repeat: int) -> None:
    fleet, rival = Fleet(top, binary, count), Meshconf(top, count)
    works = {"wgkit": fleet.mesh("render", "-q", prepare=fleet.fresh), "wg-meshconf": rival.render()}
    results = rounds(1 if count >= 1000 else repeat, works)
    mine = rounds(repeat, {"wgkit": works["wgkit"]})["wgkit"]
    theirs = results["wg-meshconf"]
    row(f"render, N={count}, wg-meshconf", f"{theirs[0]:.3f} s", f"{theirs[2]:.0f} MB",
        f"{theirs[0] / mine[0]:.0f} times wgkit's {mine[0]:.3f} s")
    shutil.rmtree(rival.folder)
    shutil.rmtree(fleet.folder)


def parts(top: pathlib.Path, binary: pathlib.Path, count: int, repeat: int) -> None:
    fleet, with_psk = Fleet(top, binary, count), Fleet(top, binary, count, psk=True)
    fleet.mesh("render", "-q").sample()
    no_output = lambda: shutil.rmtree(fleet.folder / "out", ignore_errors=True)
    results = rounds(repeat, {
        "plain writing of the same bytes": fleet.plain,
        "render, keys and lock to be made": fleet.mesh("render", "-q", prepare=fleet.fresh),
        "render, keys known": fleet.mesh("render", "-q", prepare=no_output),
        "render, keys known, one thread": fleet.mesh("render", "-q", "--threads", "1", prepare=no_output),
        "render, nothing changed": fleet.mesh("render", "-q"),
        "check": fleet.mesh("check"),
        "plan, nothing changed": fleet.mesh("plan"),
        "render with PSK per pair": with_psk.mesh("render", "-q", prepare=with_psk.fresh),
    })
    fleet.write(count + 1)
    results |= rounds(repeat, {"plan, one node added": fleet.mesh("plan")})
    base = results["plain writing of the same bytes"]
    for name, (seconds, cpu, megabytes) in results.items():
        memory = f"{megabytes:.0f} MB" if megabytes else ""
        row(f"{name}, N={count}", f"{seconds:.3f} s", memory,
            f"{seconds / base[0]:.2f} times plain ({cpu / base[1]:.2f} in processor time)")
    print(f"\nN={count}: {fleet.size() / 1e6:.0f} MB of configuration.\n")
    shutil.rmtree(fleet.folder)
    shutil.rmtree(with_psk.folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bin", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--large", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="wgkit-bench-", dir="/dev/shm") as name:
        top = pathlib.Path(name)
        binary = options.bin.resolve()
        row("work", "time", "peak memory", "ratio")
        row("---", "---", "---", "---")
        for count in (100, 1000):
            against_meshconf(top, binary, count, options.rounds)
        for count in (1000, 5000) if options.large else (1000,):
            parts(top, binary, count, options.rounds if count <= 1000 else 2)


if __name__ == "__main__":
    main()

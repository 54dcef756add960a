#!/usr/bin/python3
"""monitor_bench.py [--bin FOLDER]: who is right about recorded tunnels, and what ten thousand peers cost.

Every trace of tests/vectors/monitor is replayed through wgkit-monitor at several spacings, and through the rule of
the well-known shell loop (a handshake older than 180 s is an alarm). A look counts where the scene says what is true:
false alarms in times without trouble, missed where trouble must be known by then.
"""
import argparse
import base64
import collections
import json
import os
import pathlib
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
# `never` is trouble only for the side that keeps alive; the scenes' words for the rest speak for themselves.
TROUBLE = {"unreachable", "lost", "mute", "stale", "no-data"}
SECRET = "(none)"


def key(number):
    return base64.b64encode(number.to_bytes(32, "big")).decode()


class Trace:
    def __init__(self, path):
        self.name, self.truth, self.rows = path.stem, [], []
        for line in path.read_text().splitlines():
            word, *rest = line.split("#")[0].split()
            if word == "keepalive":
                self.keepalive = int(rest[0])
            elif word == "endpoint":
                self.endpoint = rest[0] == "yes"
            elif word == "start":
                self.start = float(rest[0])
            elif word == "end":
                self.end = float(rest[0])
            elif word == "expect":
                self.truth.append((float(rest[0]), float(rest[1]), set(rest[2:])))
            elif word[0].isdigit():
                self.rows.append((float(word), None if rest[0] == "gone" else tuple(map(int, rest))))

    def at(self, second):
        return [row for when, row in self.rows if when <= second + 1e-9][-1]

    def expected(self, second, spacing):
        """True: trouble must be known. False: there is none. None: may go either way."""
        for start, end, verdicts in self.truth:
            if start <= second <= end:
                bad = verdicts & TROUBLE or ({"never"} & verdicts if self.keepalive and self.endpoint else set())
                if bad and verdicts - bad:
                    return None
                return None if bad and second < start + 2 * spacing else bool(bad)
        return None


def replay(traces, monitor, spacing, folder):
    """All traces side by side as peers of one device: one run a look. Counts by (rule, outcome)."""
    state = os.path.join(folder, f"state-{spacing}")
    counts = collections.Counter()
    second = 5.0
    while second <= 600:
        now, lines, looked = 1_800_000_000 + int(second), [f"wg0\t{SECRET}\t{key(1)}\t1\toff"], {}
        for number, trace in enumerate(traces):
            row = trace.at(second)
            if row is None:
                continue
            handshake, rx, tx = row
            at = now - int(trace.start + second - handshake) if handshake else 0
            endpoint = "10.0.0.2:51820" if trace.endpoint or rx else "(none)"
            lines.append("\t".join(map(str, ("wg0", key(number + 2), SECRET, endpoint, "10.0.0.2/32", at, rx, tx,
                                              trace.keepalive or "off"))))
            looked[key(number + 2)] = (trace, handshake, now - at)
        ran = subprocess.run([monitor, "--dump", "-", "--state", state, "--now", str(now), "--max-stale", "180",
                              "--format", "json"], input="\n".join(lines) + "\n", text=True, capture_output=True,
                             check=False)
        for peer in json.loads(ran.stdout)["peers"]:
            trace, handshake, age = looked[peer["publicKey"]]
            truth = trace.expected(second, spacing)
            if truth is None:
                continue
            for rule, alarm in (("wgkit", peer["level"] != "ok"), ("loop", not handshake or age > 180)):
                outcome = {(True, True): "found", (True, False): "missed", (False, True): "false alarm",
                           (False, False): "quiet"}[truth, alarm]
                counts[rule, outcome] += 1
        second += spacing
    return counts


def confusion(monitor):
    traces = [Trace(path) for path in sorted((ROOT / "tests/vectors/monitor").glob("*.trace"))]
    print(f"{len(traces)} traces; looks by what was said\n")
    print(f"{'spacing':>8}  {'rule':<6} {'found':>6} {'missed':>7} {'false alarms':>13} {'quiet':>6}")
    with tempfile.TemporaryDirectory() as folder:
        for spacing in (15, 30, 60, 120):
            counts = replay(traces, monitor, spacing, folder)
            for rule in ("wgkit", "loop"):
                print(f"{spacing:>6} s  {rule:<6} {counts[rule, 'found']:>6} {counts[rule, 'missed']:>7} "
                      f"{counts[rule, 'false alarm']:>13} {counts[rule, 'quiet']:>6}")


def ten_thousand(monitor, runs=28):
    """One device with 10,000 peers, from a dump: read, judge, write the state and the textfile."""
    with tempfile.TemporaryDirectory() as folder:
        path, state = (os.path.join(folder, name) for name in ("dump", "state"))
        times, processor, memory = [], [], 0
        for run in range(runs):
            now = 1_800_000_000 + 30 * run
            with open(path, "w", encoding="ascii") as file:
                file.write(f"wg0\t{SECRET}\t{key(1)}\t1\toff\n")
                for number in range(10_000):
                    file.write(f"wg0\t{key(number + 2)}\t{SECRET}\t192.0.2.1:51820\t10.{number >> 8}.{number & 255}.0/24"
                               f"\t{now - 30}\t{1000 + 92 * run}\t{1000 + 148 * run}\t25\n")
            begin = time.perf_counter()
            process = subprocess.Popen([monitor, "--dump", path, "--state", state, "--now", str(now), "--format",
                                        "prometheus", "-o", os.path.join(folder, "wgkit.prom")])
            _, status, used = os.wait4(process.pid, 0)
            assert status == 0, status
            times.append(time.perf_counter() - begin)
            processor.append(used.ru_utime + used.ru_stime)
            memory = max(memory, used.ru_maxrss / 1024)
        steady, used = sorted(times[8:]), sorted(processor[8:])  # the state is full by then
        print(f"\n10,000 peers: {1000 * used[0]:.0f} ms of processor time at best, {1000 * used[len(used) // 2]:.0f} ms in the "
              f"middle; {1000 * steady[0]:.0f} ms and {1000 * steady[len(steady) // 2]:.0f} ms by the clock; {memory:.0f} MiB "
              f"resident at most; state {os.path.getsize(state) >> 10} KiB, textfile "
              f"{os.path.getsize(os.path.join(folder, 'wgkit.prom')) >> 10} KiB")


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--bin", default=str(ROOT / "build/dev/bin"))
    monitor = os.path.join(arguments.parse_args().bin, "wgkit-monitor")
    ten_thousand(monitor)
    confusion(monitor)


if __name__ == "__main__":
    main()

#!/usr/bin/python3 -I
"""Runs one CLI case, a folder tests/cli/TOOL/CASE/, and compares what came out with what is kept.

  cmd             sh script, run in a temporary copy of in/ with the built programs first in PATH
  in/             files the script starts with (optional)
  stdout, stderr  expected output; no file means none
  status          expected exit status; no file means 0
  out/            files expected in the folder afterwards (optional; others may be there, too)
  out.modes       lines `MODE PATH`, e.g. `0600 keys/a.key` (optional); `- PATH`: must not be there
  prints-secrets  empty file: this case may print fixture secrets (tests/vectors/secrets.txt)
  needs           lines `TOOL PACKAGE`: programs beyond sh that the script runs (optional)

In stdout, stderr and out/ a line `re: PATTERN` matches a whole line by regular expression.
With --update the expectations are rewritten from what came out; lines that a pattern in the old
expectation matches at the same place keep the pattern. Read the difference before you commit it.
"""

import argparse
import difflib
import os
import pathlib
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
from support.tools import need  # noqa: E402 (python3 -I leaves this folder out of the path)

TIMEOUT = 30  # seconds


def text_of(path: pathlib.Path) -> str:
    return path.read_bytes().decode("utf-8", "backslashreplace") if path.exists() else ""


def matches(expected: str, actual: str) -> bool:
    if expected.startswith("re: "):
        return re.fullmatch(expected[4:].rstrip("\n"), actual.rstrip("\n")) is not None
    return expected == actual


def same(expected: str, actual: str) -> bool:
    want, got = expected.splitlines(keepends=True), actual.splitlines(keepends=True)
    return len(want) == len(got) and all(map(matches, want, got))


def difference(name: str, expected: str, actual: str) -> str:
    want, got = expected.splitlines(keepends=True), actual.splitlines(keepends=True)
    # A line that its pattern matches is no difference: show it as equal.
    got = [want[i] if i < len(want) and matches(want[i], line) else line
           for i, line in enumerate(got)]
    lines = difflib.unified_diff(want, got, f"expected {name}", f"actual {name}")
    return "".join(line if line.endswith("\n") else line + "\n\\ no newline at the end\n"
                   for line in lines)


def updated(expected: str, actual: str) -> str:
    want, got = expected.splitlines(keepends=True), actual.splitlines(keepends=True)
    return "".join(want[i] if i < len(want) and matches(want[i], line) else line
                   for i, line in enumerate(got))


def fixture_secrets() -> list[str]:
    lines = (ROOT / "tests/vectors/secrets.txt").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


class Case:
    def __init__(self, folder: pathlib.Path, bin_folder: pathlib.Path, update: bool):
        self.folder = folder
        self.bin = bin_folder
        self.update = update
        self.failures: list[str] = []

    def expect(self, name: str, actual: str) -> None:
        path = self.folder / name
        expected = text_of(path)
        if same(expected, actual):
            return
        if not self.update:
            self.failures.append(difference(name, expected, actual))
        elif actual:
            path.write_text(updated(expected, actual))
        else:
            path.unlink()

    def expect_status(self, actual: int) -> None:
        path = self.folder / "status"
        expected = int(text_of(path) or 0)
        if actual == expected:
            return
        if not self.update:
            self.failures.append(f"exit status {actual}, expected {expected}\n")
        elif actual:
            path.write_text(f"{actual}\n")
        else:
            path.unlink()

    def expect_files(self, work: pathlib.Path) -> None:
        out = self.folder / "out"
        for expected in sorted(p for p in out.rglob("*") if not p.is_dir()):
            name = expected.relative_to(self.folder)
            actual = work / expected.relative_to(out)
            if actual.is_file():
                self.expect(str(name), text_of(actual))
            elif self.update:
                expected.unlink()
            else:
                self.failures.append(f"{name.relative_to('out')} was not written\n")

    def expect_modes(self, work: pathlib.Path) -> None:
        lines = []
        for line in text_of(self.folder / "out.modes").splitlines():
            expected, name = line.split(maxsplit=1)
            path = work / name
            actual = f"{stat.S_IMODE(path.lstat().st_mode):04o}" if path.exists() else "-"
            lines.append(f"{actual} {name}\n")
            if actual != expected and not self.update:
                self.failures.append(f"mode of {name} is {actual}, expected {expected}\n")
        if self.update and lines:
            (self.folder / "out.modes").write_text("".join(lines))

    def expect_no_secret(self, output: bytes) -> None:
        if (self.folder / "prints-secrets").exists():
            return
        text = output.decode("utf-8", "backslashreplace")
        # Never shown by this script either: only the line number in the list.
        found = [i for i, secret in enumerate(fixture_secrets(), 1) if secret.rstrip("=") in text]
        if found:
            self.failures.append(f"the output holds fixture secrets number {found}\n")

    def run(self) -> None:
        with tempfile.TemporaryDirectory(prefix="wgkit-cli-") as top:
            work = pathlib.Path(top) / "work"
            home = pathlib.Path(top) / "home"
            home.mkdir()
            if (self.folder / "in").is_dir():
                shutil.copytree(self.folder / "in", work, symlinks=True)
            else:
                work.mkdir()
            environment = {
                "PATH": f"{self.bin}:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(home),
                "CASE": str(self.folder), "NO_COLOR": "1", "LC_ALL": "C", "TZ": "UTC",
                "TERM": "dumb",
            }
            # Sanitizers are told by the environment where to write and when to stop.
            environment.update({k: v for k, v in os.environ.items()
                                if k.endswith("SAN_OPTIONS") or k == "WGKIT_REQUIRE_TOOLS"})
            process = subprocess.Popen(
                ["sh", str(self.folder / "cmd")], cwd=work, env=environment, umask=0o022,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                start_new_session=True)
            try:
                stdout, stderr = process.communicate(timeout=TIMEOUT)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                stdout, stderr = process.communicate()
                self.failures.append(f"still running after {TIMEOUT} s\n")
            self.expect_no_secret(stdout + stderr)
            if self.failures:
                return  # nothing of this is worth keeping, and a secret not worth showing
            self.expect_status(process.returncode)
            self.expect("stdout", stdout.decode("utf-8", "backslashreplace"))
            self.expect("stderr", stderr.decode("utf-8", "backslashreplace"))
            self.expect_files(work)
            self.expect_modes(work)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", type=pathlib.Path, default=ROOT / "build/dev/bin",
                        help="folder of the built programs (default: build/dev/bin)")
    parser.add_argument("--update", action="store_true", help="rewrite the expectations")
    parser.add_argument("case", nargs="+", type=pathlib.Path, help="case folders")
    arguments = parser.parse_args()
    failed = False
    for folder in arguments.case:
        for line in text_of(folder / "needs").splitlines():
            need(*line.split())
        case = Case(folder.resolve(), arguments.bin.resolve(), arguments.update)
        case.run()
        if case.failures:
            failed = True
            print(f"FAIL {folder}", *case.failures, sep="\n", end="")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

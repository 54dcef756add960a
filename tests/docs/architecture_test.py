#!/usr/bin/python3 -I
"""architecture_test.py: ARCHITECTURE.md has one line for every source file, and no other.

Under a heading `### FOLDER` a line "- `name`: ..." stands for FOLDER/name.hpp and FOLDER/name.cpp.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCES = {".cpp", ".hpp", ".in"}


def described() -> set[str]:
    folder, names = "", set()
    for line in (ROOT / "ARCHITECTURE.md").read_text().splitlines():
        if heading := re.match(r"### `?([a-z][\w/]*)`?", line):
            folder = heading[1]
        elif line.startswith("#"):
            folder = ""
        elif folder and (item := re.match(r"- ((?:`[\w-]+`(?:, )?)+):", line)):
            names |= {f"{folder}/{name}" for name in re.findall(r"`([\w-]+)`", item[1])}
    return names


def present() -> set[str]:
    return {str(path.relative_to(ROOT).parent / path.name.split(".")[0])
            for top in ("lib", "tools") for path in (ROOT / top).rglob("*") if path.suffix in SOURCES}


def main() -> int:
    missing, stale = present() - described(), described() - present()
    for name in sorted(missing):
        print(f"ARCHITECTURE.md has no line for {name}")
    for name in sorted(stale):
        print(f"ARCHITECTURE.md describes {name}, which is not there")
    return 1 if missing or stale else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/python3 -I
"""wgkit-config(1) names every diagnostic of the code, and every difference to wg that is tested."""

import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
CODE = re.compile(r'(?:error|warning)\([^;]*?"([a-z0-9]+(?:-[a-z0-9]+)+|encoding)"', re.DOTALL)
BAD_VALUE = re.compile(r'"(bad-[a-z-]+)"')


def codes() -> set[str]:
    found = set()
    for folder in ("lib/config", "tools/config"):
        for path in (ROOT / folder).glob("*.cpp"):
            text = path.read_text()
            found.update(CODE.findall(text) + BAD_VALUE.findall(text))
    return found


def differences() -> set[str]:
    table = json.loads((ROOT / "tests/vectors/config/differences.json").read_text())
    return {entry["name"] for kind in ("rejected", "accepted", "wg-quick")
            for entry in table[kind]}


page = (ROOT / "man/wgkit-config.1").read_text()
documented = {name for line in page.splitlines() if line.startswith(".It Li")
              for name in re.findall(r"Li ([a-z0-9-]+)", line)}
wanted = codes() | differences()
assert len(codes()) > 30 and "host-bits" in codes(), codes()
missing = sorted(wanted - documented)
for name in missing:
    print(f"FAIL: man/wgkit-config.1 does not name {name}")
sections = page[page.index(".Sh DIAGNOSTICS"):page.index(".Sh SEE ALSO")]
stale = sorted({name for line in sections.splitlines() if line.startswith(".It Li")
                for name in re.findall(r"Li ([a-z0-9-]+)", line)} - wanted)
for name in stale:
    print(f"FAIL: man/wgkit-config.1 names {name}, which does not exist")
sys.exit(1 if missing or stale else 0)

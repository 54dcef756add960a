#!/usr/bin/python3 -I
"""codes_test.py: wgkit-nodes(5) lists every finding of `wgkit mesh check`, with its severity."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def main() -> int:
    source = (ROOT / "lib/mesh/check/codes.cpp").read_text()
    codes = set(re.findall(r'\{"([\w-]+)",\s*(error|warning),', source))
    page = (ROOT / "man/wgkit-nodes.5").read_text().split(".Sh DIAGNOSTICS")[1]
    listed = set(re.findall(r"^\.It Cm ([\w-]+)\n\((error|warning)\)", page, re.M))
    for code, severity in sorted(codes ^ listed):
        print(f"codes.cpp and wgkit-nodes(5) differ in {code} ({severity})")
    return 0 if codes and codes == listed else 1


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/python3 -I
"""readme_test.py BIN README: every ```sh run block works as printed.

The blocks under one heading share an empty folder, in which `examples` is a copy of the project's;
each block runs with `sh -eu` and must exit 0.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
TIMEOUT = 60  # seconds a block


def blocks(text: str):
    """(heading, first line number, script) of each block."""
    heading, script, fence = "", None, ""
    for number, line in enumerate(text.splitlines(), 1):
        start = re.match(r"(```+)\s*(.*?)\s*$", line)
        if script is not None:
            if line.strip() == fence:
                yield heading, first, "\n".join(script) + "\n"
                script, fence = None, ""
            else:
                script.append(line)
        elif fence:  # a block that is not run
            fence = "" if line.strip() == fence else fence
        elif start:
            fence = start[1]
            if start[2].split() == ["sh", "run"]:
                script, first = [], number + 1
        elif re.match(r"#+ ", line):
            heading = line.lstrip("# ")


def main() -> int:
    bin_folder, readme = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2])
    failed, count = False, 0
    with tempfile.TemporaryDirectory(prefix="wgkit-readme-") as top:
        folders: dict[str, pathlib.Path] = {}
        environment = {"PATH": f"{bin_folder}:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": top,
                       "LC_ALL": "C.UTF-8", "NO_COLOR": "1", "TERM": "dumb"}
        environment.update({k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")})
        for heading, line, script in blocks(readme.read_text()):
            if heading not in folders:
                folders[heading] = pathlib.Path(top) / f"{len(folders)}"
                folders[heading].mkdir()
                shutil.copytree(ROOT / "examples", folders[heading] / "examples")
            done = subprocess.run(["sh", "-eu", "-c", script], cwd=folders[heading], timeout=TIMEOUT,
                                  env=environment, stdin=subprocess.DEVNULL, text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
            count += 1
            if done.returncode:
                failed = True
                print(f"FAIL {readme.name}:{line} ({heading}): exit status {done.returncode}\n"
                      f"{script}--- output:\n{done.stdout}")
    print(f"{count} blocks run")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

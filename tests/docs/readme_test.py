#!/usr/bin/python3 -I
"""readme_test.py BIN README: every ```sh run block works as printed.

The blocks under one heading share an empty folder, in which `examples` is a copy of the project's;
each block runs with `sh -eu` and must exit 0. Blocks ```sh run-as-root run in network and mount
namespaces of their own, so that they touch no interface of this machine and need no care for names;
where that is not allowed they are left out, or fail in CI.
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
# Own interfaces, an own /run with its namespaces and sockets, an own /var/lib, and their end with the block.
APART = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-eu", "-c",
         "mount -t tmpfs run /run && mount -t tmpfs lib /var/lib && mount -t sysfs sys /sys && exec \"$@\"", "sh"]


def is_allowed(environment) -> bool:
    """Whether this machine lets us make namespaces and TUN devices."""
    probe = "ip netns add probe && ip -n probe tuntap add probe mode tun && command -v wg wg-quick ping"
    return subprocess.run([*APART, "sh", "-eu", "-c", probe], env=environment, stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode == 0


def blocks(text: str):
    """(heading, first line number, script, whether it needs root) of each block."""
    heading, script, fence, is_root = "", None, "", False
    for number, line in enumerate(text.splitlines(), 1):
        start = re.match(r"(```+)\s*(.*?)\s*$", line)
        if script is not None:
            if line.strip() == fence:
                yield heading, first, "\n".join(script) + "\n", is_root
                script, fence = None, ""
            else:
                script.append(line)
        elif fence:  # a block that is not run
            fence = "" if line.strip() == fence else fence
        elif start:
            fence = start[1]
            if start[2] in ("sh run", "sh run-as-root"):
                script, first, is_root = [], number + 1, start[2].endswith("root")
        elif re.match(r"#+ ", line):
            heading = line.lstrip("# ")


def main() -> int:
    bin_folder, readme = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2])
    failed, count, left_out = False, 0, 0
    with tempfile.TemporaryDirectory(prefix="wgkit-readme-") as top:
        folders: dict[str, pathlib.Path] = {}
        environment = {"PATH": f"{bin_folder}:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": top,
                       "LC_ALL": "C.UTF-8", "NO_COLOR": "1", "TERM": "dumb"}
        environment.update({k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")})
        may_be_root = is_allowed(environment)
        for heading, line, script, is_root in blocks(readme.read_text()):
            if heading not in folders:
                folders[heading] = pathlib.Path(top) / f"{len(folders)}"
                folders[heading].mkdir()
                shutil.copytree(ROOT / "examples", folders[heading] / "examples")
            if is_root and not may_be_root:
                left_out += 1
                continue
            argv = ["sh", "-eu", "-c", script]
            done = subprocess.run([*APART, *argv] if is_root else argv, cwd=folders[heading], timeout=TIMEOUT,
                                  env=environment, stdin=subprocess.DEVNULL, text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
            count += 1
            if done.returncode:
                failed = True
                print(f"FAIL {readme.name}:{line} ({heading}): exit status {done.returncode}\n"
                      f"{script}--- output:\n{done.stdout}")
    print(f"{count} blocks run, {left_out} left out that need root, namespaces and /dev/net/tun")
    if left_out and os.environ.get("WGKIT_REQUIRE_TOOLS") == "1":
        failed = True
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

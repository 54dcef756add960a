#!/usr/bin/python3
"""The systemd units of interfaces: systemd understands them, their commands exist, and resolve works in its sandbox."""
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "tunnel"))
import sandbox  # noqa: E402
from bed import Bed, end_on_signals, run  # noqa: E402
from host import NAME, NET, Host, make_keys  # noqa: E402
from tools import ROOT, need  # noqa: E402

SYSTEMD = os.path.join(ROOT, "packaging", "systemd")


def units(folder):
    """Of the instance NAME, with the programs under test."""
    for name in ("wgkit@.service", "wgkit-resolve@.service", "wgkit-resolve@.timer"):
        source = os.path.join(SYSTEMD, name)
        with open(source if os.path.exists(source) else source + ".in", encoding="utf-8") as file:
            text = file.read().replace("@CMAKE_INSTALL_FULL_BINDIR@", os.path.dirname(NET))
        assert "@CMAKE" not in text
        path = os.path.join(folder, name.replace("@", f"@{NAME}"))
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        yield path


def commands_exist(path):
    with open(path, encoding="utf-8") as file:
        for program, command in re.findall(r"^Exec\w+=(\S+) (\w+)", file.read(), re.M):
            ran = subprocess.run([program, command, "--help"], capture_output=True, check=False)
            assert ran.returncode == 0, f"{path}: {program} {command} is unknown"


def resolve_in_its_sandbox(bed, unit):
    host = Host(bed)
    path = host.write(f"[Interface]\nPrivateKey = {make_keys()[0]}\nAddress = 10.66.0.1/24\n"
                      f"[Peer]\nPublicKey = {make_keys()[1]}\nEndpoint = localhost:7\nAllowedIPs = 10.67.0.0/16\n")
    host.net("up", path)
    peer = run("wg", "show", NAME, "peers").stdout.strip()
    run("wg", "set", NAME, "peer", peer, "endpoint", "192.0.2.99:9")
    with open(unit, encoding="utf-8") as file:
        text = file.read()
    with open(unit, "w", encoding="utf-8") as file:
        file.write(text.replace(f"resolve %i", f"resolve {path}"))
    said = host.call("/usr/bin/python3", sandbox.__file__, unit, NAME)
    assert "localhost: 192.0.2.99:9 -> " in said, said
    host.net("down", path)


def main():
    end_on_signals()
    analyze = need("systemd-analyze", "systemd")
    with Bed() as bed:
        paths = list(units(bed.folder))
        said = run(analyze, "verify", "--man=no", *paths)
        assert not (said.stdout + said.stderr).strip(), said
        for path in paths:
            commands_exist(path)
        run(analyze, "security", "--offline=yes", "--threshold=25", paths[1])
        resolve_in_its_sandbox(bed, paths[1])
    print("ok")


if __name__ == "__main__":
    main()

#!/usr/bin/python3
"""The agent's systemd unit: systemd understands it, and it leaves little open."""
import os
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tunnel"))
from bed import run  # noqa: E402
from tools import ROOT, need, wgkit  # noqa: E402


def main():
    analyze = need("systemd-analyze", "systemd")
    agent = os.path.abspath(wgkit("agent"))
    with open(os.path.join(ROOT, "packaging", "systemd", "wgkit-agent.service.in"), encoding="utf-8") as file:
        text = file.read().replace("@CMAKE_INSTALL_FULL_BINDIR@/wgkit-agent", agent)
    assert "@CMAKE" not in text
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "wgkit-agent.service")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        said = run(analyze, "verify", "--man=no", path)
        assert not (said.stdout + said.stderr).strip(), said
        run(analyze, "security", "--offline=yes", "--threshold=30", path)
    assert run(agent, "run", "--help").returncode == 0
    print("ok")


if __name__ == "__main__":
    main()

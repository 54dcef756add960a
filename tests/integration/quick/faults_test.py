#!/usr/bin/python3
"""wgkit net up and down when a step fails, and when they are killed: at every message to the kernel or the engine,
every program that is started, every change of a file.

After a failure the host is what it was before. After a kill the next up or down completes the work.
"""
import glob
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tunnel"))
from bed import Bed, end_on_signals  # noqa: E402
from host import NAME, NET, Host, differences, make_keys  # noqa: E402
from tools import need  # noqa: E402

STRACE = need("strace", "strace")
PRIVATE, PUBLIC = make_keys()[0], make_keys()[1]
FULL = f"""[Interface]
PrivateKey = {PRIVATE}
Address = 10.66.0.1/24, fd66::1/64
PostUp = :
[Peer]
PublicKey = {PUBLIC}
AllowedIPs = 0.0.0.0/0, ::/0, 10.67.0.0/16
Endpoint = 192.0.2.9:51820
"""
CALLS = ("sendto", "rename", "clone", "clone3", "vfork", "unlink")


def traced(host, verb, path, inject, status=None):
    """Whether the fault happened, and what was said."""
    log = os.path.join(host.folder, "trace")
    said = host.call(STRACE, "-qq", "-o", log, "-e", f"trace={inject.split(':')[0]}", "-e", f"inject={inject}",
                     NET, verb, path, status=status)
    with open(log, encoding="utf-8", errors="replace") as file:
        text = file.read()
    return "INJECTED" in text or "+++ killed" in text, said


def steps(host, verb, path, fault, before):
    """Runs with a fault at each call in turn; stops for each kind of call when it came no more."""
    for call in CALLS:
        for number in range(1, 500):
            before()
            happened, said = traced(host, verb, path, f"{call}:{fault}:when={number}")
            if not happened:
                break
            yield f"{verb}, {call} number {number}", said
        else:
            raise AssertionError(f"{verb}: {call} is never over")


def failing(host, path, clean):
    """Every call fails once. If up fails, all is as before; where it could do without the call, it is up."""
    count = 0
    for what, said in steps(host, "up", path, "error=EIO", lambda: None):
        state = host.state()
        if NAME in state["links"]:
            assert "error" not in said, f"{what}: {said}"
            host.net("down", path)
            state = host.state()
            state["ipv4.conf.all.src_valid_mark"] = clean["ipv4.conf.all.src_valid_mark"]
        else:
            assert re.search("wgkit-net: error: .*", said), f"{what} is silent"
        left = differences(clean, state)
        assert not left, f"{what}: left behind {left}\n{said}"
        reset(host)
        count += 1
    host.net("down", path)
    reset(host)
    return count


def reset(host):
    host.space.sysctl("net.ipv4.conf.all.src_valid_mark", 0)


def killed_up(host, path, clean, up):
    count = 0
    for what, _ in steps(host, "up", path, "signal=KILL", lambda: None):
        if count % 4 == 0:
            host.net("up", path) if NAME not in host.space.run("ip", "-br", "link").stdout or halfway() else None
            compare_up(host, up, what)
        if count % 4 == 0 or NAME in host.space.run("ip", "-br", "link").stdout or halfway():
            host.net("down", path)
        reset(host)
        left = differences(clean, host.state())
        assert not left, f"{what}: down left {left}"
        count += 1
    host.net("down", path)
    reset(host)
    return count


def halfway():
    for path in glob.glob(f"/run/wgkit/{NAME}*.state"):
        with open(path, encoding="ascii") as file:
            return "phase=up" not in file.read()
    return False


def compare_up(host, up, what):
    left = differences(up, host.state())
    assert not left, f"{what}: after the next up: {left}"


def killed_down(host, path, clean):
    count = 0

    def bring_up():
        if NAME not in host.space.run("ip", "-br", "link").stdout:
            host.net("up", path)
    for what, _ in steps(host, "down", path, "signal=KILL", bring_up):
        if NAME in host.space.run("ip", "-br", "link").stdout or halfway():
            host.net("down", path)
        reset(host)
        left = differences(clean, host.state())
        assert not left, f"{what}: the next down left {left}"
        count += 1
    reset(host)
    return count


def main():
    end_on_signals()
    with Bed() as bed:
        host = Host(bed)
        path, clean = host.write(FULL), host.state()
        host.net("up", path)
        up = host.state()
        host.net("down", path)
        reset(host)
        assert not differences(clean, host.state()), differences(clean, host.state())
        print("failures:", failing(host, path, clean))
        print("kills of up:", killed_up(host, path, clean, up))
        print("kills of down:", killed_down(host, path, clean))
    print("ok")


if __name__ == "__main__":
    main()

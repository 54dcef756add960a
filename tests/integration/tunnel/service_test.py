#!/usr/bin/python3
"""The systemd unit: systemd understands it, and the engine lives within the limits that it sets."""
import os
import resource
import shlex
import socket
import subprocess

import sandbox
import uapi
from bed import run
from pairs import LEFT4, RIGHT4, RIGHT6, veth_pair
from scenario import main, scenario
from tools import ROOT, need

SOURCE = os.path.join(ROOT, "packaging", "systemd", "wgkit-tunnel@.service.in")
NO_NOTICE = {"wireguard-go": "does not tell systemd that it is ready"}


def unit(bed, engines):
    """The unit as it is installed, but with the engine under test."""
    words = shlex.split(engines.engine)
    words[0] = need(words[0], words[0])
    with open(SOURCE, encoding="utf-8") as file:
        text = file.read().replace("@CMAKE_INSTALL_FULL_BINDIR@/wgkit-tunnel -f", shlex.join(words))
    assert "@CMAKE" not in text
    path = os.path.join(bed.folder, "wgkit-tunnel@wg0.service")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


@scenario
def systemd_understands_it(bed, engines):
    """systemd-analyze: no complaint, and an exposure of 2.5 or less of 10."""
    analyze, path = need("systemd-analyze", "systemd"), unit(bed, engines)
    said = run(analyze, "verify", "--man=no", path)
    assert not (said.stdout + said.stderr).strip(), said
    run(analyze, "security", "--offline=yes", "--threshold=25", path)


@scenario(known=NO_NOTICE)
def it_works_within_its_limits(bed, engines):
    """Capabilities, system calls, memory and files as the unit allows: ready, traffic, an orderly end."""
    notices = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    bed.stack.callback(notices.close)
    notices.bind(os.path.join(bed.folder, "notify"))
    notices.settimeout(10)
    path = unit(bed, engines)
    limited = shlex.join(["/usr/bin/python3", sandbox.__file__, path])
    pair = veth_pair(bed, limited, engines.peer, psk=True, NOTIFY_SOCKET=notices.getsockname())
    assert notices.recv(100).startswith(b"READY=1")
    device = pair.left.device
    with open(f"/proc/{device.process.pid}/status", encoding="ascii") as file:
        status = dict(line.split(":\t", 1) for line in file.read().splitlines() if ":\t" in line)
    kept = sandbox.settings(path)["CapabilityBoundingSet"][0].split()
    assert int(status["CapBnd"], 16) == sum(1 << sandbox.CAPABILITIES[name] for name in kept), status["CapBnd"]
    assert status["Seccomp"] == "2" and status["NoNewPrivs"] == "1", status
    may_lock = resource.getrlimit(resource.RLIMIT_MEMLOCK)[1] == resource.RLIM_INFINITY
    assert int(status["VmLck"].split()[0]) > 0 or not may_lock, "its memory is not locked"
    space = pair.left.namespace
    space.reach(RIGHT4)
    space.ping(RIGHT6, count=5)
    pair.right.namespace.ping(LEFT4, count=5)
    device.wg("fwmark", "7")
    device.wg("listen-port", "443")
    space.ping(RIGHT4, count=3)
    space.ip(f"link set {device.name} down", f"link set {device.name} up")
    space.reach(RIGHT4)
    device.may_end = True
    assert device.stop() == 0, device.log_tail()
    notices.setblocking(False)
    assert notices.recv(100) == b"STOPPING=1"
    assert not os.path.exists(device.path)
    assert uapi.get(pair.right.device.name)[-1] == ("errno", "0"), "the other device's socket went, too"


@scenario
def its_limits_hold(bed, engines):
    """What the unit forbids fails in the same sandbox: other files, sockets, namespaces, users, modules."""
    path = unit(bed, engines)
    attempts = os.path.join(bed.folder, "attempts.py")
    with open(attempts, "w", encoding="utf-8") as file:
        file.write("""import ctypes, mmap, os, socket
def refused(what, *arguments):
    try:
        what(*arguments)
    except OSError:
        return
    raise SystemExit(f"not refused: {what} {arguments}")
refused(open, "/etc/wgkit-test", "w")
refused(socket.socket, socket.AF_PACKET, socket.SOCK_RAW)
refused(os.setuid, 1)
refused(os.chown, "/run/wireguard", 1, 1)
refused(mmap.mmap, -1, 4096, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, 7)
if ctypes.CDLL(None).unshare(0x40000000) == 0 or ctypes.CDLL(None).ptrace(0, 0, 0, 0) == 0:
    raise SystemExit("not refused: unshare or ptrace")
""")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    start = next(line for line in text.splitlines() if line.startswith("ExecStart="))
    with open(path, "w", encoding="utf-8") as file:
        file.write(text.replace(start, f"ExecStart=/usr/bin/python3 -I {attempts}"))
    run("/usr/bin/python3", sandbox.__file__, path, "wg0", stdin=subprocess.DEVNULL)


if __name__ == "__main__":
    main(__doc__)

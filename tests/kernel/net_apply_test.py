#!/usr/bin/python3
"""wgkit net apply on devices of the kernel, in a virtual machine: its outcome is what wg makes of the same
file, allowed IPs go although this kernel cannot take one away, many peers.

  net_apply_test.py [PEERS]     default: 2000
"""
import base64
import os
import random
import sys

from guest import Guest, sections

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
from tools import wgkit  # noqa: E402

PROGRAMS = ("wg", "cmp", "grep", "sed", "wc", "sort", "tr", "setpriv", "cp")
PEERS = int(sys.argv[1]) if len(sys.argv) > 1 else 2000


def peers(allowed_ips):
    generator = random.Random(7)
    for number in range(PEERS):
        yield f"[Peer]\nPublicKey = {base64.b64encode(generator.randbytes(32)).decode()}\n"
        if allowed_ips:
            yield f"AllowedIPs = 10.{number >> 8}.{number & 255}.0/24, fd00:{number:x}::/64\n"


def main():
    program = os.path.abspath(wgkit("net"))
    guest = Guest([*PROGRAMS, program])
    guest.initramfs.link("net", program)
    guest.initramfs.file("peers", "".join(peers(True)).encode())
    guest.initramfs.file("bare", "".join(peers(False)).encode())
    guest.initramfs.file("open.conf", b"[Interface]\nListenPort = 1\n", 0o600)
    with open(os.path.join(HERE, "net_apply_job"), encoding="ascii") as job:
        parts = sections(guest.run(job.read(), seconds=240))
    print("\n".join(f"{name}: {text.strip()}" for name, text in parts.items()))
    assert "- peer" in parts["second"] and "which peer" in parts["second"] and "- allowed ip" in parts["second"]
    assert "k0 is as" in parts["noop"]
    assert "port 5999 is taken" in parts["port"] and "status 1" in parts["port"]
    assert "status 1" in parts["user"] and "ermission" in parts["user"]
    assert int(parts["peers"].split()[0]) == PEERS
    assert int(parts["left"]) == PEERS
    print("ok")


if __name__ == "__main__":
    main()

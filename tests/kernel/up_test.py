#!/usr/bin/python3
"""wgkit net up and down beside the real wg-quick on kernel WireGuard, in a virtual machine; what a start of
systemd-networkd leaves of both; two ends with traffic; 500 peers."""
import base64
import os
import random
import sys

from guest import Guest, sections

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
from tools import wgkit  # noqa: E402

PROGRAMS = ("wg", "wg-quick", "bash", "nft", "sysctl", "unshare", "nsenter", "sed", "grep", "diff", "cut", "wc", "rm",
            "stat", "readlink", "sort", "tr", "sync", "mv", "test", "kill", "/lib/systemd/systemd-networkd")
MODULES = ("wireguard", "veth", "dummy", "nf_tables", "nft_ct", "nft_fib", "nft_fib_ipv4", "nft_fib_ipv6", "nft_compat")
PEERS = 500


def peers(generator):
    for number in range(PEERS):
        key = base64.b64encode(generator.randbytes(32)).decode()
        yield f"[Peer]\nPublicKey = {key}\nAllowedIPs = 10.{1 + (number >> 8)}.{number & 255}.0/24\n"


def main():
    programs = {name: os.path.abspath(wgkit(name)) for name in ("net", "rollback", "ping", "status")}
    guest = Guest([*PROGRAMS, *programs.values()], MODULES)
    for name, path in programs.items():
        guest.initramfs.link(name, path)
    guest.initramfs.file("etc/passwd", b"root:x:0:0::/:/bin/sh\nsystemd-network:x:101:101::/:/bin/sh\n")
    guest.initramfs.file("etc/group", b"root:x:0:\nsystemd-network:x:101:\n")
    guest.initramfs.file("etc/nsswitch.conf", b"passwd: files\ngroup: files\nhosts: files\n")
    guest.initramfs.file("peers", "".join(peers(random.Random(8))).encode())
    with open(os.path.join(HERE, "up_job"), encoding="utf-8") as job:
        output = guest.run(job.read(), seconds=280)
    parts = sections(output)
    print("\n".join(f"{name}: {text.strip()}" for name, text in parts.items()))
    # Whether networkd takes those of wg-quick depends on its version and settings; ours stay whatever it does.
    assert "+ address 10.0.0.7/24" in parts["applied"] and "k0: back to what it was" in parts["undone"]
    assert int(parts["rules of ours"]) == 2
    assert parts["ping"].startswith("bob is 10.0.0.2 on k0, at 192.0.2.2:51820\n") and parts["ping"].count(" ms\n") == 3
    assert " bob " in parts["status"] and " alive " in parts["status"] and " ms" in parts["status"]
    assert int(parts["routes"]) == PEERS + 1
    begin, middle, end = map(float, parts["times"].split())
    print(f"{PEERS} peers: up {middle - begin:.2f} s, down {end - middle:.2f} s")
    print("ok")


if __name__ == "__main__":
    main()

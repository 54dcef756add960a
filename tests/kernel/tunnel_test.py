#!/usr/bin/python3
"""The engine under test and the kernel's WireGuard, in a virtual machine: handshakes begun by each,
IPv4 and IPv6 outside and inside, preshared keys, changes of keys, TCP, roaming.

  tunnel_test.py [--all] [--engine COMMAND]

The engine is wgkit-tunnel -f of WGKIT_BIN by default, else wireguard-go -f; --all runs every
combination instead of every pair of them.
"""
import argparse
import os
import shlex
import sys

from guest import Guest, find_program, sections

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
from tools import need, wgkit  # noqa: E402

PROGRAMS = ("wg", "ping", "iperf3", "grep", "cut")


def default_engine():
    ours = wgkit("tunnel")
    if os.access(ours, os.X_OK):
        return f"{os.path.abspath(ours)} -f"
    return need("wireguard-go", "wireguard-go") + " -f"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", metavar="COMMAND", default="")
    parser.add_argument("--all", action="store_true")
    options = parser.parse_args()
    command = shlex.split(options.engine or default_engine())
    command[0] = os.path.abspath(find_program(command[0], "wireguard-go"))
    guest = Guest([*PROGRAMS, command[0]], modules=("wireguard", "veth", "tun"))
    guest.initramfs.file("engine", shlex.join(command).encode())
    if options.all:
        guest.initramfs.file("all", b"")
    with open(os.path.join(HERE, "tunnel_job"), encoding="ascii") as job:
        output = guest.run(job.read(), seconds=240)
    print(output)
    parts = sections(output)
    engine, kernel = (parts[name].split()[1:] for name in ("engine", "kernel"))
    # A queue may overflow on a slow machine; more than was sent can never arrive.
    for one, two in ((engine, kernel), (kernel, engine)):
        sent, received = int(one[1]), int(two[0])
        assert 0.9 * sent <= received <= sent, f"sent {sent}, received {received} on the other side"
    print("ok")


if __name__ == "__main__":
    main()

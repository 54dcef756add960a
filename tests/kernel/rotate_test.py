#!/usr/bin/python3
"""wgkit net rotate on devices of the kernel, in a virtual machine: both ends get new keys 200 ms apart, under
numbered datagrams both ways, and none is lost."""
import os
import sys

from guest import Guest, sections

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
from tools import wgkit  # noqa: E402

PROGRAMS = ("wg", "ping", "unshare", "nsenter", "diff", "grep")


def main():
    net = os.path.abspath(wgkit("net"))
    numbers = os.path.join(os.path.dirname(net), "wgkit_udp_numbers")
    guest = Guest([*PROGRAMS, net, numbers], modules=("wireguard", "veth"))
    guest.initramfs.link("net", net)
    guest.initramfs.link("numbers", numbers)
    with open(os.path.join(HERE, "rotate_job"), encoding="ascii") as job:
        parts = sections(guest.run(job.read(), seconds=240))
    for one, two in (("left4", "right4"), ("right4", "left4"), ("left6", "right6"), ("right6", "left6")):
        sent, received, again = int(parts[one].split()[1]), *(int(parts[two].split()[n]) for n in (3, 5))
        print(f"{one}: {sent} sent, {sent - received} lost, {again} twice")
        assert sent > 100 and sent == received and again == 0
    print("ok")


if __name__ == "__main__":
    main()

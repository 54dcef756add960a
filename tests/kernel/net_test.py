#!/usr/bin/python3
"""wgkit net show and wg show on devices of the kernel, in a virtual machine: 3,000 peers, more allowed IPs on
one peer than a message holds, a handshake, peers that change under a dump."""
import base64
import os
import random
import sys

from guest import Guest, sections

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
from tools import wgkit  # noqa: E402

PROGRAMS = ("wg", "cmp", "cut", "grep", "head", "wc", "sort", "setpriv", "nice")
PEERS, WIDE = 3000, 700


def peers(generator):
    """Of every shape; a public key needs no private one."""
    for number in range(PEERS):
        yield "[Peer]"
        yield f"PublicKey = {base64.b64encode(generator.randbytes(32)).decode()}"
        if number % 2:
            yield f"PresharedKey = {base64.b64encode(generator.randbytes(32)).decode()}"
        if number % 3:
            host = f"[2001:db8::{number:x}]" if number % 3 == 1 else f"192.0.2.{number % 250}"
            yield f"Endpoint = {host}:{number + 1}"
        if number % 5:
            yield f"PersistentKeepalive = {number % 5}"
        if number % 7:
            yield f"AllowedIPs = 10.{number >> 8}.{number & 255}.0/24, fd00:{number:x}::/64"


def wide(generator):
    addresses = [f"10.{i >> 8}.{i & 255}.0/24" if i % 2 else f"fd01:{i:x}::/64" for i in range(WIDE)]
    for number, allowed in enumerate((["10.254.0.0/16"], addresses, ["10.253.0.0/16"])):
        yield "[Peer]"
        yield f"PublicKey = {base64.b64encode(generator.randbytes(32)).decode()}"
        yield f"AllowedIPs = {', '.join(allowed)}"
        yield f"PersistentKeepalive = {number}"


def main():
    program = os.path.abspath(wgkit("net"))
    guest = Guest([*PROGRAMS, program], modules=("wireguard", "dummy"))
    guest.initramfs.link("net", program)
    generator = random.Random(3)
    for name, lines in (("peers", peers(generator)), ("wide", wide(generator))):
        guest.initramfs.file(name, ("\n".join(lines) + "\n").encode())
    with open(os.path.join(HERE, "net_job"), encoding="ascii") as job:
        output = guest.run(job.read(), seconds=240)
    parts = sections(output)
    counts = sorted(len(line.split()) for line in parts.pop("wide").splitlines())
    print("\n".join(f"{name}: {text.strip()}" for name, text in parts.items()))
    assert parts["interfaces"] == "k0 k1 k2\n"
    assert int(parts["peers"].split()[0]) == PEERS
    assert counts == [1, 1, WIDE], counts
    assert "no interface k9" in parts["missing"] and "status 1" in parts["missing"]
    assert "d0 is not a WireGuard interface" in parts["dummy"] and "status 1" in parts["dummy"]
    assert "no permission to read k0" in parts["user"] and "status 1" in parts["user"]
    assert "1 alive" in parts["handshake"] and "(hidden)" in parts["handshake"]
    print("ok")


if __name__ == "__main__":
    main()

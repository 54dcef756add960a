#!/usr/bin/python3
"""The interface in other network namespaces than the engine: its state and MTU are followed there."""
import contextlib
import re
import socket
import struct
import time

from bed import wait_for
from pairs import LEFT4, RIGHT4
from scenario import main, scenario


def context_switches(device):
    """How often the engine has gone to sleep."""
    with open(f"/proc/{device.process.pid}/status", encoding="ascii") as file:
        return int(re.search(r"^voluntary_ctxt_switches:\s*(\d+)", file.read(), re.M)[1])


def outer_sizes(bed, space, port, send):
    """Lengths of the UDP datagrams to a port of lo while `send` runs."""
    with space.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800)) as tap:
        tap.settimeout(0.2)
        send()
        sizes = set()
        with contextlib.suppress(TimeoutError):
            while True:
                packet = tap.recv(2000)
                if packet[9] == 17 and struct.unpack("!H", packet[22:24])[0] == port:
                    sizes.add(len(packet) - 28)
        return sizes


def sleeps(device):
    """Whether it does not wake in 1.5 s; the kernel's last news of a move may come a moment later."""
    before = context_switches(device)
    time.sleep(1.5)
    return context_switches(device) == before


@scenario(known={"wireguard-go": "asks every second, and does not learn the MTU"})
def state_and_mtu_in_another_namespace(bed, engines):
    """Moved to other namespaces and back: up, down and the MTU are followed, and waiting costs nothing."""
    middle, one, other, far = bed.namespaces(4)
    left, right = bed.device(middle, engines.engine), bed.device(middle, engines.engine)
    for device, port in ((left, 10001), (right, 10002)):
        device.set_key()
        device.wg("listen-port", str(port))
    left.peer(right.public, "endpoint", "127.0.0.1:10002", "allowed-ips", f"{RIGHT4}/32")
    right.peer(left.public, "endpoint", "127.0.0.1:10001", "allowed-ips", f"{LEFT4}/32")
    middle.ip(f"link set {right.name} netns {far.name}")
    right.up(f"{RIGHT4}/24", namespace=far)
    # The last move changes the name, too, and the index if it is taken.
    at, name = middle, left.name
    for target, new in ((one, name), (other, name), (one, "moved0"), (middle, name)):
        at.ip(f"link set {name} netns {target.name} name {new}")
        at, name = target, new
        time.sleep(0.1)
        assert any(sleeps(left) for _ in range(4)), "it wakes although nothing happens"
        at.ip(f"addr replace {LEFT4}/24 dev {name}", f"link set {name} mtu 1420 up")
        at.reach(RIGHT4, 5)
        for mtu in (1300, 1250):
            at.ip(f"link set {name} mtu {mtu}")
            # Padded to the MTU and no further: 16 bytes do not divide it.
            sizes = outer_sizes(bed, middle, 10002, lambda size=mtu - 29: at.ping(
                RIGHT4, extra=("-s", str(size)), count=1))
            assert mtu + 32 in sizes and max(sizes) == mtu + 32, (mtu, sizes)
        at.ip(f"link set {name} down")
        wait_for("its port is free", lambda: 10001 not in middle.bound_ports(), 5)
        at.ip(f"link set {name} up")
        at.reach(RIGHT4, 5)
        at.ip(f"link set {name} down")
        wait_for("its port is free", lambda: 10001 not in middle.bound_ports(), 5)


if __name__ == "__main__":
    main(__doc__)

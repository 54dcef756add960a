#!/usr/bin/python3
"""Traffic through a tunnel whose interfaces were moved away from its sockets: every combination of
IPv4 and IPv6 outside, usual and jumbo MTU, with every kind of traffic, each way; exact counters."""
from pairs import INSIDE, LEFT4, LEFT6, RIGHT4, RIGHT6, moved_pair, veth_pair
from bed import wait_for
from scenario import main, scenario
from traffic import tcp, udp

JUMBO = 34816 - 1500 + 1420


def ping_v4(pair, _):
    pair.left.namespace.ping(RIGHT4, 10)
    pair.right.namespace.ping(LEFT4, 10)


def ping_v6(pair, _):
    pair.left.namespace.ping(RIGHT6, 10)
    pair.right.namespace.ping(LEFT6, 10)


def each_way(pair, addresses, work):
    work(pair.left.namespace, pair.right.namespace, addresses[1])
    work(pair.right.namespace, pair.left.namespace, addresses[0])


def tcp_v4(pair, _):
    each_way(pair, INSIDE[0], tcp)


def tcp_v6(pair, _):
    each_way(pair, INSIDE[1], tcp)


def flood(source, target, address):
    udp(source, target, address, 4000, 1300, window=0, may_lose=True)
    udp(source, target, address, 200, 1300)
    udp(source, target, address, 24, 30000, window=2)  # fragments inside, or one jumbo packet


def udp_v4(pair, _):
    each_way(pair, INSIDE[0], flood)


def udp_v6(pair, _):
    each_way(pair, INSIDE[1], flood)


def tcp_parallel(pair, _):
    for streams, size in ((4, 1 << 20), (5, 1 << 20), (50, 1 << 17)):
        tcp(pair.left.namespace, pair.right.namespace, RIGHT4, size, streams)


WORKS = ((ping_v4, "ten pings each way over IPv4"), (ping_v6, "ten pings each way over IPv6"),
         (tcp_v4, "TCP each way over IPv4 arrives whole"), (tcp_v6, "TCP each way over IPv6 arrives whole"),
         (udp_v4, "UDP over IPv4: bursts may lose, nothing comes changed or twice; windows lose nothing"),
         (udp_v6, "the same over IPv6"), (tcp_parallel, "4, 5 and 50 TCP streams at once"))


def moved(outer, mtu):
    def make(bed, engines):
        return moved_pair(bed, engines.engine, engines.engine, outer, mtu)
    return make


for OUTER in (4, 6):
    for MTU, SIZE in ((1420, "usual"), (JUMBO, "jumbo")):
        ON = moved(OUTER, MTU)
        for WORK, TEXT in WORKS:
            scenario(WORK, name=f"{WORK.__name__}_outside_v{OUTER}_{SIZE}", on=ON,
                     text=f"IPv{OUTER} outside, MTU {MTU}: {TEXT}")


@scenario
def counters_are_exact_v4(bed, engines):
    """Ten pings: 1372 bytes received, 1428 or 1460 sent (a keepalive may confirm the handshake)."""
    exact(bed, engines, 4)


@scenario
def counters_are_exact_v6(bed, engines):
    """The same with IPv6 outside: only messages count, not the headers around them."""
    exact(bed, engines, 6)


def exact(bed, engines, outer):
    pair = veth_pair(bed, engines.engine, engines.engine, outer)
    for side in (pair.left, pair.right):
        wait_for("the port is bound", lambda s=side: s.device.port in s.namespace.bound_ports())
    pair.left.namespace.ping(RIGHT4, 10)
    received, sent = pair.left.device.transfer()
    assert received == 1372 and sent in (1428, 1460), f"left: received {received}, sent {sent}"
    assert pair.right.device.transfer() == (sent, received), f"right: {pair.right.device.transfer()}"
    for side in (pair.left, pair.right):
        assert side.device.handshake() > 1600000000, "the last handshake is no time of day"


@scenario
def counters_do_not_count_what_is_not_sent(bed, engines):
    """A peer without an endpoint: nothing is sent, nothing counted, no handshake is claimed."""
    pair = veth_pair(bed, engines.engine, engines.engine, aim=False)
    pair.left.namespace.ping(RIGHT4, 2, wait=0.2, check=False)
    assert pair.left.device.transfer() == (0, 0), pair.left.device.transfer()
    assert pair.left.device.handshake() == 0 and pair.left.device.endpoint() == "(none)"


if __name__ == "__main__":
    main(__doc__)

#!/usr/bin/python3
"""Routes around and into the tunnel: marks, policy routing, tunnels in tunnels, loops, no peer."""
import re
import time

from bed import wait_for
from pairs import INSIDE, LEFT4, LEFT6, PORT, RIGHT4, RIGHT6, Pair, Side, configure, veth_pair
from device import make_keys
from scenario import main, scenario
from traffic import tcp, udp, works


def joined(bed, engines):
    pair = veth_pair(bed, engines.engine, engines.engine)
    pair.left.namespace.reach(RIGHT4)
    return pair


@scenario(on=joined)
def bound_to_the_interface(pair, _):
    """Sockets bound to the interface reach the peer."""
    for address in (RIGHT4, RIGHT6):
        pair.left.namespace.ping(address, extra=("-I", pair.left.device.name))


@scenario(on=joined)
def bound_and_marked_on_the_way_out(pair, _):
    """A firewall that marks what leaves makes the kernel route again: nothing is lost."""
    pair.left.namespace.nft("table inet mangle { chain output { type route hook output priority mangle; "
                            "meta mark set 1; }; }")
    for address in (RIGHT4, RIGHT6):
        pair.left.namespace.ping(address, 3, extra=("-I", pair.left.device.name))
    pair.left.namespace.nft("delete table inet mangle")


def with_third(pair, bed, engines):
    """A device behind the right side that the left one reaches only through the tunnel."""
    third = bed.device(pair.right.namespace, engines.engine)
    third.set_key()
    third.wg("listen-port", "5")
    third.peer(pair.left.public, "allowed-ips", "192.168.242.1/32")
    third.up("192.168.242.2/24")
    return third


@scenario
def onion_through_another_peer(bed, engines):
    """A peer's endpoint lies behind another peer of the same device; then behind itself: no crash."""
    pair = veth_pair(bed, engines.engine, engines.engine)
    pair.left.namespace.reach(RIGHT4)
    third = with_third(pair, bed, engines)
    pair.left.device.peer(third.public, "allowed-ips", "192.168.242.2/32", "endpoint", f"{RIGHT4}:5")
    pair.left.namespace.ip(f"addr add 192.168.242.1/24 dev {pair.left.device.name}")
    pair.left.namespace.ping("192.168.242.2", wait=2)
    third.may_end = True
    third.stop()
    pair.left.device.peer(third.public, "endpoint", "192.168.242.2:5")
    assert not pair.left.namespace.ping("192.168.242.2", 5, wait=0.3, check=False)
    pair.left.device.peer(third.public, "remove")
    pair.left.namespace.ping(RIGHT4, 5)


def into_itself(bed, engines):
    """The peer's endpoint becomes its own inside address, behind the tunnel."""
    pair = veth_pair(bed, engines.engine, engines.engine)
    pair.left.namespace.reach(RIGHT4)
    pair.left.device.peer(pair.right.public, "endpoint", f"{RIGHT4}:{PORT}")
    pair.left.namespace.ping(RIGHT4, 3, wait=0.3, check=False)
    return pair


LOOP = {"wireguard-go": "goes round at full speed: what is longer than the MTU is sent as two fragments"}


@scenario(known=LOOP)
def onion_into_itself(bed, engines):
    """An endpoint behind its own tunnel: no crash, still configurable, and well once corrected."""
    pair = into_itself(bed, engines)
    pair.left.device.peer(pair.right.public, "endpoint", f"10.0.0.2:{PORT}")
    pair.left.namespace.reach(RIGHT4)
    tcp(pair.left.namespace, pair.right.namespace, RIGHT4, 1 << 19)


@scenario(known=LOOP)
def a_loop_dies_down(bed, engines):
    """The same: a packet that is the tunnel's own, to the same peer, must not go round for ever."""
    pair = into_itself(bed, engines)
    before = pair.left.device.transfer()[1]
    time.sleep(1)
    grown = pair.left.device.transfer()[1] - before
    assert grown < 70000, f"{grown} bytes in a second after the last ping"


@scenario
def tunnel_in_tunnel(bed, engines):
    """A second pair of devices whose packets go through the first, MTU 1340: all kinds of traffic."""
    outside = veth_pair(bed, engines.engine, engines.peer)
    outside.left.namespace.reach(RIGHT4)
    sides = []
    for side, command, inside in ((outside.left, engines.peer, ("192.168.99.1", "fd99::1")),
                                  (outside.right, engines.engine, ("192.168.99.2", "fd99::2"))):
        sides.append(Side(bed.device(side.namespace, command), side.namespace, inside))
        sides[-1].device.port = 4444
    inner = configure(Pair(*sides, {4: (LEFT4, RIGHT4), 6: (LEFT6, RIGHT6)}), mtu=1340)
    for family in (4, 6):
        inner.aim(family)
        inner.left.namespace.reach("192.168.99.2")
        works(inner.left.namespace, inner.right.namespace,
              (("192.168.99.1", "192.168.99.2"), ("fd99::1", "fd99::2")))


@scenario
def policy_routing_by_mark(bed, engines):
    """All traffic goes into the tunnel but the engine's own, which carries the mark, as wg-quick does."""
    pair = veth_pair(bed, engines.engine, engines.engine)
    left, right = pair.left, pair.right
    left.device.wg("fwmark", "51820")
    assert left.device.show("fwmark") == [["0xca6c"]], left.device.show("fwmark")
    left.device.peer(right.public, "allowed-ips", "0.0.0.0/0,::/0")
    right.namespace.ip("addr add 10.77.0.1/32 dev lo", "addr add fd77::1/128 dev lo")
    for family in ("-4", "-6"):
        left.namespace.ip(f"{family} route add default dev {left.device.name} table 51820",
                          f"{family} rule add not fwmark 51820 table 51820",
                          f"{family} rule add table main suppress_prefixlength 0")
    left.namespace.sysctl("net.ipv4.conf.all.src_valid_mark", 1)
    left.namespace.reach("10.77.0.1")
    left.namespace.ping("10.77.0.1", 100)
    left.namespace.ping("fd77::1", 100)
    left.device.wg("fwmark", "0")
    assert left.device.show("fwmark") == [["off"]], left.device.show("fwmark")


@scenario
def mark_is_on_every_packet(bed, engines):
    """A filter that lets only marked packets out: handshakes and data of both families pass."""
    pair = veth_pair(bed, engines.engine, engines.engine, aim=False)
    pair.left.device.wg("fwmark", "0x1234")
    pair.left.namespace.nft(
        f'table inet f {{ chain out {{ type filter hook output priority 0; oifname "{pair.links[0]}" '
        f"udp dport {PORT} meta mark != 0x1234 counter drop; }}; }}")
    for family in (4, 6):
        pair.aim(family)
        pair.left.namespace.reach(RIGHT4)
        works(pair.left.namespace, pair.right.namespace, INSIDE[:1])
    rules = pair.left.namespace.run("nft", "list", "table", "inet", "f").stdout
    assert re.search(r"counter packets 0 ", rules), rules


@scenario(known={"wireguard-go": "drops silently"})
def unreachable_without_a_peer(bed, engines):
    """An inner address that no peer owns, and a peer without an endpoint: the sender hears it by ICMP."""
    pair = veth_pair(bed, engines.engine, engines.engine)
    pair.left.namespace.reach(RIGHT4)
    for address in ("192.168.241.77", "fd00::77"):
        text = pair.left.namespace.run("ping", "-n", "-c", "2", "-i", "0.3", "-W", "1", address, check=False).stdout
        assert re.search("[Uu]nreachable", text), f"no ICMP for {address}: {text}"
    pair.left.device.peer(make_keys()[1], "allowed-ips", "192.168.241.88/32")
    text = pair.left.namespace.run("ping", "-n", "-c", "2", "-i", "0.3", "-W", "1", "192.168.241.88", check=False).stdout
    assert re.search("[Uu]nreachable", text), f"no ICMP for a peer without endpoint: {text}"


@scenario
def moved_back_and_forth(bed, engines):
    """The interface moves between namespaces, down and up again; sockets stay, traffic goes on."""
    pair = veth_pair(bed, engines.engine, engines.engine)
    pair.left.namespace.reach(RIGHT4)
    elsewhere = bed.namespace()
    device, here = pair.left.device, pair.left.namespace
    for origin, target in ((here, elsewhere), (elsewhere, here)):
        origin.ip(f"link set {device.name} down", f"link set {device.name} netns {target.name}")
        device.up(f"{LEFT4}/24", f"{LEFT6}/64", namespace=target)
        target.reach(RIGHT4, 15)
        tcp(target, pair.right.namespace, RIGHT4, 1 << 19)


@scenario
def down_stops_and_up_goes_on(bed, engines):
    """Nothing passes while the interface is down; up again it needs no new configuration."""
    pair = veth_pair(bed, engines.engine, engines.engine)
    pair.left.namespace.reach(RIGHT4)
    device = pair.left.device
    pair.left.namespace.ip(f"link set {device.name} down")
    time.sleep(0.3)
    assert not pair.right.namespace.ping(LEFT4, wait=0.5, check=False), "an answer from a device that is down"
    device.up()
    pair.left.namespace.reach(RIGHT4)
    for _ in range(20):
        pair.left.namespace.ip(f"link set {device.name} down", f"link set {device.name} up")
    pair.left.namespace.reach(RIGHT4, 15)


@scenario
def mtu_changes_under_traffic(bed, engines):
    """MTU from 576 to 9000 and to both extremes while packets flow: whole again afterwards."""
    pair = veth_pair(bed, engines.engine, engines.engine)
    pair.left.namespace.reach(RIGHT4)
    for mtu in (1280, 9000, 576, 1420, 68, 65535, 1420):
        for side in (pair.left, pair.right):
            side.namespace.run("ip", "link", "set", side.device.name, "mtu", str(mtu), check=mtu not in (68, 65535))
        if mtu >= 576:
            wait_for(f"all comes through with MTU {mtu}", lambda: _whole(pair), 5)


def _whole(pair):
    try:
        udp(pair.left.namespace, pair.right.namespace, RIGHT4, 20, 1500, window=4)
        udp(pair.right.namespace, pair.left.namespace, LEFT4, 20, 300, window=4)
        return True
    except AssertionError:
        return False


if __name__ == "__main__":
    main(__doc__)

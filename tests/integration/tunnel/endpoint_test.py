#!/usr/bin/python3
"""Where packets come from and go to: roaming, translated addresses, and source addresses that stick
or give way."""
import time

from bed import wait_for
from pairs import INSIDE, LEFT4, LEFT6, PORT, RIGHT4, RIGHT6, Pair, Side, configure, moved_pair, veth_pair
from scenario import main, scenario
from traffic import udp, works


def on_lo(bed, engines):
    return moved_pair(bed, engines.engine, engines.engine)


@scenario(on=on_lo)
def roams_to_a_new_v4_address_and_port(pair, _):
    """The left one's address and port change: the right one learns both from the next packet."""
    pair.middle.ip("addr del 127.0.0.1/8 dev lo", "addr add 127.212.121.99/8 dev lo")
    pair.left.device.wg("listen-port", "9999")
    pair.left.device.peer(pair.right.public, "endpoint", "127.0.0.1:10002")
    pair.left.namespace.ping(RIGHT6)
    assert pair.right.device.endpoint() == "127.212.121.99:9999", pair.right.device.endpoint()


@scenario(on=on_lo)
def roams_to_v6(pair, _):
    """The same from IPv4 to IPv6."""
    pair.left.device.wg("listen-port", "9998")
    pair.left.device.peer(pair.right.public, "endpoint", "[::1]:10002")
    pair.left.namespace.ping(RIGHT4)
    assert pair.right.device.endpoint() == "[::1]:9998", pair.right.device.endpoint()


@scenario
def a_dropped_packet_still_moves_the_endpoint(bed, engines):
    """A source address that another peer's more specific prefix owns: dropped, but the sender is known."""
    pair = veth_pair(bed, engines.engine, engines.engine)
    left, right = pair.left, pair.right
    left.device.peer(right.public, "allowed-ips", "192.168.241.0/24")
    udp(right.namespace, left.namespace, LEFT4, 2, 100)
    other = "n2Uyuz1gvGCKF0OLpQpA5gbFLmyQlq7vMdnYyBs1QiE="
    left.device.peer(other, "allowed-ips", f"{RIGHT4}/32")
    right.device.wg("listen-port", "9997")
    with left.namespace.socket() as listener:
        listener.bind((LEFT4, 1111))
        listener.settimeout(0.7)
        with right.namespace.socket() as sender:
            sender.sendto(b"X", (LEFT4, 1111))
        try:
            listener.recv(10)
            raise AssertionError("a packet came from an address that another peer owns")
        except TimeoutError:
            pass
    assert left.device.endpoint(right.public) == "10.0.0.2:9997", left.device.endpoint(right.public)
    left.device.peer(other, "remove")
    left.device.peer(right.public, "allowed-ips", "192.168.241.0/24")
    udp(right.namespace, left.namespace, LEFT4, 2, 100)


@scenario
def port_and_address_change_under_traffic(bed, engines):
    """Five changes of port while pings run: at most one is lost for each."""
    pair = veth_pair(bed, engines.engine, engines.peer)
    pair.left.namespace.reach(RIGHT4)
    ping = bed.process(pair.right.namespace.start(
        "ping", "-n", "-q", "-c", "60", "-i", "0.02", "-W", "1", LEFT4, stdout=-1))
    for port in range(9000, 9005):
        time.sleep(0.2)
        pair.left.device.wg("listen-port", str(port))
        pair.left.namespace.ping(RIGHT4)
    text = ping.communicate(timeout=20)[0].decode()
    count = int(text.split(" received")[0].split()[-1])
    assert count >= 45, text
    assert pair.right.device.endpoint() == "10.0.0.1:9004", pair.right.device.endpoint()


@scenario
def keepalive_holds_a_nat_mapping(bed, engines):
    """A router forgets in two seconds: a keepalive every second keeps the way back open."""
    client, router, server = bed.namespaces(3)
    bed.link(client, router, ["192.168.1.100/24"], ["192.168.1.1/24"])
    _, outside = bed.link(server, router, ["10.0.0.100/24"], ["10.0.0.1/24"])
    client.ip("route add default via 192.168.1.1")
    router.sysctl("net.ipv4.ip_forward", 1)
    router.nft(f"table ip nat {{ chain post {{ type nat hook postrouting priority 100; "
               f'oifname "{outside}" masquerade; }}; }}')
    for name in ("net.netfilter.nf_conntrack_udp_timeout", "net.netfilter.nf_conntrack_udp_timeout_stream"):
        router.sysctl(name, 2)
    sides = []
    for namespace, command, inside in ((client, engines.engine, (LEFT4, LEFT6)),
                                       (server, engines.peer, (RIGHT4, RIGHT6))):
        sides.append(Side(bed.device(namespace, command), namespace, inside))
        sides[-1].device.port = PORT
    pair = configure(Pair(*sides, {}))
    pair.left.device.peer(pair.right.public, "endpoint", f"10.0.0.100:{PORT}", "persistent-keepalive", "1")
    client.ping(RIGHT4, wait=3)
    assert pair.right.device.endpoint().startswith("10.0.0.1:"), pair.right.device.endpoint()
    time.sleep(3.2)
    server.ping(LEFT4)
    sent = pair.left.device.transfer()[1]
    pair.left.device.peer(pair.right.public, "persistent-keepalive", "0")
    time.sleep(1.3)
    assert pair.left.device.transfer()[1] - sent <= 128, "keepalives do not stop when switched off"


def source_pair(bed, engines):
    pair = veth_pair(bed, engines.engine, engines.engine)
    pair.left.namespace.reach(RIGHT4)
    return pair


@scenario(on=source_pair, known={"wireguard-go": "gives up at ENETUNREACH, as new kernels say for such a source"})
def source_gives_way_v4(pair, _):
    """The address that packets came from goes away: the next one leaves from another at once."""
    gives_way(pair, 4, "10.0.0.1/24", "10.0.0.10/24", "10.0.0.2", "10.0.0.10")


@scenario(on=source_pair)
def source_gives_way_v6(pair, _):
    """The same for IPv6."""
    gives_way(pair, 6, "fd00:aa::1/96", "fd00:aa::10/96", "[fd00:aa::2]", "[fd00:aa::10]")


def gives_way(pair, family, old, new, target, expected):
    pair.left.device.peer(pair.right.public, "endpoint", f"{target}:{PORT}")
    pair.left.namespace.ping(RIGHT4, 2)  # its answers make the source stick
    link = pair.links[0]
    pair.left.namespace.ip(f"addr add {new} dev {link}" + (" nodad" if family == 6 else ""),
                           f"addr del {old} dev {link}",
                           f"addr replace {new} dev {link}")
    pair.left.namespace.ping(target.strip("[]"))
    pair.left.namespace.ping(RIGHT4)
    assert pair.right.device.endpoint() == f"{expected}:{PORT}", pair.right.device.endpoint()
    pair.left.namespace.ip(f"addr add {old} dev {link}", f"addr del {new} dev {link}")


def two_addresses(bed, engines):
    """The left side has two addresses of each family, and more on interfaces behind."""
    pair = veth_pair(bed, engines.engine, engines.engine)
    space, link = pair.left.namespace, pair.links[0]
    space.ip(f"addr add 10.0.0.3/24 dev {link}", f"addr add fd00:aa::3/96 dev {link} nodad")
    space.ip("link add behind type bridge", "link set behind up", "addr add 10.50.0.1/24 dev behind",
             "addr add fd00:50::1/96 dev behind nodad", "addr add 10.60.0.1/32 dev lo")
    pair.right.namespace.ip("route add 10.50.0.0/24 via 10.0.0.1", "route add 10.60.0.0/24 via 10.0.0.1")
    pair.right.namespace.ip("-6 route add fd00:50::/96 via fd00:aa::1")
    return pair


def replies_from(pair, address):
    pair.right.device.peer(pair.left.public, "endpoint", f"{address}:{PORT}")
    for _ in range(2):
        pair.right.namespace.ping(LEFT4, 3)
        assert pair.right.device.endpoint() == f"{address}:{PORT}", pair.right.device.endpoint()


@scenario(on=two_addresses)
def replies_from_where_it_was_asked(pair, _):
    """Answers come from the address that was asked, each of two per family."""
    for address in ("10.0.0.1", "[fd00:aa::1]", "10.0.0.3", "[fd00:aa::3]"):
        replies_from(pair, address)


@scenario(on=two_addresses)
def replies_from_another_interface_s_address(pair, _):
    """The address that was asked belongs to an interface that packets do not come through."""
    for address in ("10.50.0.1", "10.60.0.1", "[fd00:50::1]", "10.50.0.1"):
        replies_from(pair, address)


@scenario(on=two_addresses)
def replies_from_where_it_was_asked_under_load(pair, _):
    """The same while full-size packets arrive in batches (merged by the kernel)."""
    pair.right.device.peer(pair.left.public, "endpoint", f"10.0.0.3:{PORT}")
    pair.right.namespace.ping(LEFT4)
    works(pair.left.namespace, pair.right.namespace, INSIDE[:1])
    assert pair.right.device.endpoint() == f"10.0.0.3:{PORT}", pair.right.device.endpoint()


@scenario(known={"wireguard-go": "waits for the retry, up to five seconds"})
def a_new_endpoint_is_tried_at_once(bed, engines):
    """The endpoint was wrong and is corrected: no waiting for the next retry."""
    pair = veth_pair(bed, engines.engine, engines.engine)
    pair.left.device.peer(pair.right.public, "endpoint", "10.0.0.77:1")
    pair.left.namespace.ping(RIGHT4, wait=0.3, check=False)
    pair.left.device.peer(pair.right.public, "endpoint", f"10.0.0.2:{PORT}")
    wait_for("a handshake with the corrected endpoint",
             lambda: pair.left.namespace.ping(RIGHT4, wait=0.3, check=False), 2)


@scenario
def only_ipv4(bed, engines):
    """IPv6 is switched off in the namespace: the engine works with IPv4 alone."""
    one, two = bed.namespaces(2)
    for space in (one, two):
        space.sysctl("net.ipv6.conf.all.disable_ipv6", 1)
        space.sysctl("net.ipv6.conf.default.disable_ipv6", 1)
    bed.link(one, two, ["10.0.0.1/24"], ["10.0.0.2/24"])
    sides = []
    for space, command, inside in ((one, engines.engine, LEFT4), (two, engines.engine, RIGHT4)):
        device = bed.device(space, command)
        device.port = PORT
        device.set_key()
        device.wg("listen-port", str(PORT))
        device.up(f"{inside}/24")
        sides.append(device)
    sides[0].peer(sides[1].public, "allowed-ips", f"{RIGHT4}/32", "endpoint", f"10.0.0.2:{PORT}")
    sides[1].peer(sides[0].public, "allowed-ips", f"{LEFT4}/32")
    one.reach(RIGHT4)


@scenario
def only_ipv6(bed, engines):
    """No IPv4 address but lo's: the engine works with IPv6 alone."""
    pair = veth_pair(bed, engines.engine, engines.engine, outer=6)
    for side, link in zip((pair.left, pair.right), pair.links):
        side.namespace.ip(f"-4 addr flush dev {link}", "-4 addr flush dev lo")
    pair.left.namespace.reach(RIGHT4)
    works(pair.left.namespace, pair.right.namespace, INSIDE[1:])


@scenario
def link_local_endpoint(bed, engines):
    """An endpoint with a scope: fe80::...%link, in both directions."""
    pair = veth_pair(bed, engines.engine, engines.engine, aim=False)
    link = pair.links[1]
    address = wait_for("a link-local address", lambda: [
        word.split("/")[0] for word in pair.right.namespace.run("ip", "-6", "addr", "show", "dev", link).stdout.split()
        if word.startswith("fe80")])
    # In the namespace, because wg resolves the name of the scope.
    pair.left.namespace.run("wg", "set", pair.left.device.name, "peer", pair.right.public,
                            "endpoint", f"[{address[0]}%{pair.links[0]}]:{PORT}")
    pair.left.namespace.reach(RIGHT4)
    assert pair.right.device.endpoint().startswith("[fe80:"), pair.right.device.endpoint()
    pair.right.namespace.ping(LEFT4, 5)


@scenario
def answers_follow_the_route(bed, engines):
    """What comes in by one interface is answered by the one that the route names, from the same address."""
    one, two = bed.namespaces(2)
    for namespace in (one, two):
        for name in ("all", "default"):
            namespace.sysctl(f"net.ipv4.conf.{name}.rp_filter", 0)
            namespace.sysctl(f"net.ipv4.conf.{name}.arp_ignore", 1)  # the wrong link leads nowhere
    for i in (1, 2):
        bed.link(one, two, [f"10.0.{i}.1/24"], [f"10.0.{i}.2/24"])
    left, right = bed.device(one, engines.peer), bed.device(two, engines.engine)
    left.set_key()
    right.set_key()
    one.ip("link set lo up", "addr add 10.77.0.1/32 dev lo", "route add 10.88.0.1 via 10.0.1.2 src 10.77.0.1")
    two.ip("link set lo up", "addr add 10.88.0.1/32 dev lo", "route add 10.77.0.1 via 10.0.2.1")
    right.wg("listen-port", "5182")
    left.peer(right.public, "endpoint", "10.88.0.1:5182", "allowed-ips", "192.168.9.2/32")
    right.peer(left.public, "allowed-ips", "192.168.9.1/32")
    left.up("192.168.9.1/24")
    right.up("192.168.9.2/24")
    one.reach("192.168.9.2")
    assert left.endpoint() == "10.88.0.1:5182", left.endpoint()


if __name__ == "__main__":
    main(__doc__)

"""Random policies of a node, and packets just inside and just outside every field of every rule."""
import ipaddress
import random

from probe import GRE, ICMP, ICMPV6, TCP, UDP, Packet

# The node under test is gw: a hub that also has a subnet behind it, in namespaces as probe.py makes them.
LOCAL = [("wg0", "10.8.0.1/32"), ("wg0", "fd08::1/128"), ("eth0", "192.0.2.1/32"), ("eth0", "2001:db8:2::1/128"),
         ("eth0", "192.168.10.1/32"), ("eth0", "fdaa:10::1/128")]
TUNNEL = ["10.8.0.0/24", "fd08::/64", "192.168.20.0/24", "fdaa:20::/64"]
SECOND = ["192.168.21.0/25", "10.8.0.200/32", "fd08:0:0:0:1::/128"]  # as if far's and carol's keys changed
LOCAL_ADDRESSES = {ipaddress.ip_interface(a).ip for _, a in LOCAL}
TUNNEL_PREFIXES = [ipaddress.ip_network(p) for p in TUNNEL + SECOND]
HEAD = """version: 1
network:
  name: net
  ipv4: 10.8.0.0/24
  ipv6: fd08::/64
  topology: [{{hub: [gw], spokes: all}}]
nodes:
  - {{name: gw, ipv4: 10.8.0.1, ipv6: "fd08::1", endpoint: "192.0.2.1:51820", exit: {exit},
     routes: [192.168.10.0/24, "fdaa:10::/64"]}}
  - {{name: far, ipv4: 10.8.0.2, ipv6: "fd08::2", routes: [192.168.20.0/24, "fdaa:20::/64", 192.168.21.0/25]}}
  - {{name: alice, ipv4: 10.8.0.8, ipv6: "fd08::8", tags: [admin]}}
  - {{name: bob, ipv4: 10.8.0.9, ipv6: "fd08::9", tags: [admin, user]}}
  - {{name: carol, ipv4: 10.8.0.200, ipv6: "fd08:0:0:0:1::", tags: [user]}}
policy:
  ping: {ping}
  outside: {outside}
  mss: {mss}
  log: {log}
  hosts:
    db: 192.168.10.5
    servers: [192.168.10.64/26, "fdaa:10::40/122"]
    printer: ["fdaa:20::9", 192.168.20.9]
    office: [203.0.113.0/28, "2001:db8:9::/48"]
  groups:
    staff: [tag:user, printer]
    both: [alice, staff]
  services:
    web: [80,443/tcp, 443/udp]
  allow:{rules}
"""
FROM = ["all", "gw", "far", "alice", "bob", "carol", "tag:admin", "tag:user", "staff", "both", "db", "servers",
        "printer", "site:gw", "site:far", "office", "internet", "10.8.0.8/30", "192.168.20.128/25", "fd08::8/125"]
TO = FROM + ["gw", "gw", "192.168.10.1", "192.168.10.0/25", "fdaa:10::/65"]
PORTS = ["22/tcp", "53", "web", "1000-2000/udp", "8000-8001/tcp", "icmp", "any", "gre", "tcp", "udp",
         "1,3,5,7,9,11,13,15,17,19,21,23,25,27,29,31-33,35/tcp", "65535/tcp", "1/udp"]


def make(seed):
    """The text of a nodes.yaml."""
    r = random.Random(seed)

    def rule():
        sides = [", ".join(r.sample(names, r.choice((1, 1, 1, 2)))) for names in (FROM, TO)]
        ports = ", ".join(f'"{p}"' for p in r.sample(PORTS, r.choice((1, 1, 2))))
        text = f'\n    - "{sides[0]} -> {sides[1]}": [{ports}]'
        if r.random() < 0.1:
            text += "\n      limit: 10000/second"
        if r.random() < 0.1:
            text += "\n      log: yes"
        return text
    return HEAD.format(exit=r.choice(("yes", "no")), ping=r.choice(("yes", "yes", "no")), log=r.choice(("yes", "no")),
                       mss=r.choice(("clamp", "keep")), outside=r.choice(("open", "open", "closed")),
                       rules="".join(rule() for _ in range(r.choice((1, 2, 4, 8, 16)))) or " []")


def edges(prefix):
    """First and last address, and those before and after."""
    network = ipaddress.ip_network(prefix)
    first, last = int(network[0]), int(network[-1])
    most = 2 ** network.max_prefixlen - 1
    inside = {first, last, (first + last) // 2}
    outside = {first - 1, last + 1}
    kind = type(network[0])
    return [kind(a) for a in sorted(inside) if 0 < a < most], [kind(a) for a in sorted(outside) if 0 < a < most]


ANY = {4: ["10.8.0.8", "10.8.0.77", "192.168.20.9", "192.168.10.5", "203.0.113.3", "198.51.100.9"],
       6: ["fd08::8", "fd08::4d", "fdaa:20::9", "fdaa:10::5", "2001:db8:9::3", "2600::9"]}


def route_of(destination):
    """in, wg0 (or wg0-2, which is the same) or eth0: where the node sends it."""
    address = ipaddress.ip_address(destination)
    if address in LOCAL_ADDRESSES:
        return "in"
    return "wg0" if any(address in p for p in TUNNEL_PREFIXES) else "eth0"


def is_masqueraded(packet):
    """Leaves an exit under its address, so that replies come to that."""
    destination = ipaddress.ip_address(packet.destination)
    behind = any(destination in ipaddress.ip_network(p) for p in ("192.168.10.0/24", "fdaa:10::/64"))
    return packet.side != "eth0" and route_of(packet.destination) == "eth0" and not behind


def packets(ruleset, seed, most=300):
    """Packets for this ruleset, each once."""
    r = random.Random(seed)
    made = {}
    flows_without_ports = set()

    def add(side, source, destination, protocol, port):
        source, destination = ipaddress.ip_address(source), ipaddress.ip_address(destination)
        if source.version != destination.version or (protocol == ICMP) != (source.version == 4) and protocol in (
                ICMP, ICMPV6):
            return
        key = (side, str(source), str(destination), protocol, port)
        packet = Packet(side, str(source), str(destination), protocol, port, sport=20000 + len(made))
        if protocol == GRE:
            # It has no ports: the way back is the same flow, and so are two under one address of an exit.
            flow = (GRE, str(destination)) if is_masqueraded(packet) else (
                GRE, frozenset((str(source), str(destination))))
            if flow in flows_without_ports:
                return
            flows_without_ports.add(flow)
        made.setdefault(key, packet)

    def flows(rule):
        sides = []
        for field, fallback in (("from", ANY), ("to", None)):
            inside, outside = [], []
            for prefix in rule[field]:
                i, o = edges(prefix)
                inside += i
                outside += o
            if not rule[field]:
                inside = [ipaddress.ip_address(a) for v in (4, 6) for a in (fallback or LOCAL_BY)[v]]
            sides.append((inside, outside))
        ports_in, ports_out = [], []
        for protocol, first, last in rule["traffic"]:
            several = [TCP, UDP, GRE, ICMP, ICMPV6] if protocol < 0 else [protocol]
            for one in several:
                if one in (TCP, UDP):
                    ports_in += [(one, p) for p in {first, last, (first + last) // 2} if p > 0]
                    ports_out += [(one, p) for p in (first - 1, last + 1) if 0 < p < 65536]
                    ports_out += [(TCP + UDP - one, p) for p in {first, last} if p > 0]
                else:
                    ports_in.append((one, {ICMP: 8, ICMPV6: 128}.get(one, 0)))
                    ports_out += [(TCP, 22), (UDP, 22)]
        return sides[0], sides[1], (ports_in, ports_out)

    rules = list(ruleset["rules"])
    r.shuffle(rules)
    for rule in rules:
        source, destination, ports = flows(rule)
        for _ in range(40):
            tunnel = r.choice(("wg0", "wg0", "wg0-2"))
            side, other = (tunnel, "eth0") if rule["in_tunnel"] else ("eth0", tunnel)
            # All fields inside, or just one of them outside.
            wrong = r.choice((None, None, None, "from", "to", "port", "side"))
            a = r.choice(source[1] if wrong == "from" and source[1] else source[0] or [None])
            same = [d for d in (destination[1] if wrong == "to" and destination[1] else destination[0])
                    if a is not None and d.version == a.version]
            choices = ports[1] if wrong == "port" and ports[1] else ports[0]
            if a is None or not same or not choices:
                continue
            add(other if wrong == "side" else side, a, r.choice(same), *r.choice(choices))
        if len(made) > most:
            break
    # What no rule speaks of.
    for version in (4, 6):
        for side in ("wg0", "wg0-2", "eth0"):
            for source in ANY[version]:
                for destination in [*LOCAL_BY[version], *ANY[version][:4]]:
                    if r.random() < 0.25:
                        protocol, port = r.choice(((TCP, 22), (UDP, 51820), (UDP, 51920), (UDP, 51921), (UDP, 53), (GRE, 0), (ICMP, 8), (ICMP, 13),
                                                   (ICMPV6, 128), (ICMP, 3), (ICMPV6, 1), (TCP, 51820)))
                        add(side, source, destination, protocol, port)
    return list(made.values())


LOCAL_BY = {v: [str(a) for a in sorted(LOCAL_ADDRESSES, key=str) if a.version == v] for v in (4, 6)}

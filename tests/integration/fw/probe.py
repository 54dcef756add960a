"""Real packets through one machine's firewall, and which of them arrived.

A node has wg0, whose other end plays the tunnel, wg0-2, which is the tunnel as well while keys change, and
eth0, whose other end plays everything else. Packets are written on the other ends as they are, so that any source address and any state can be
tried. What the node takes itself shows in raw sockets, which get a packet after the input hook; what it
forwards shows on the other ends.
"""
import dataclasses
import itertools
import os
import select
import socket
import struct
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "tunnel"), os.path.join(HERE, "..", "..", "support")]
from bed import Namespace, run, wait_for  # noqa: E402

ICMP, TCP, UDP, GRE, ICMPV6 = 1, 6, 17, 47, 58
SYN, ACK = 2, 16
MAGIC = b"wgkit-fw"
NODE_MAC, PEER_MAC = "02:00:00:00:00:01", "02:00:00:00:00:02"
ETH_P = {4: 0x0800, 6: 0x86DD}
RAW = [(socket.AF_INET, p) for p in (ICMP, TCP, UDP, GRE)] + [(socket.AF_INET6, p) for p in (ICMPV6, TCP, UDP, GRE)]


@dataclasses.dataclass(frozen=True)
class Packet:
    """One packet; of ICMP `dport` is the type. It arrives on `side`: wg0, wg0-2 or eth0."""
    side: str
    source: str
    destination: str
    protocol: int = TCP
    dport: int = 0
    sport: int = 40000
    flags: int = SYN
    mss: int = 0  # of TCP: the option, if not 0

    @property
    def version(self):
        return 6 if ":" in self.source else 4

    def bytes(self, number):
        """The frame, whose payload ends with the number."""
        data = MAGIC + struct.pack("!I", number)
        source, destination = (socket.inet_pton(socket.AF_INET6 if self.version == 6 else socket.AF_INET, a)
                               for a in (self.source, self.destination))
        inner = self._inner(data, source, destination)
        if self.version == 6:
            ip = struct.pack("!IHBB", 6 << 28, len(inner), self.protocol, 64) + source + destination
        else:
            ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(inner), number & 0xFFFF, 0, 64, self.protocol, 0)
            ip += source + destination
            ip = ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:]
        ethernet = bytes.fromhex((NODE_MAC + PEER_MAC).replace(":", "")) + struct.pack("!H", ETH_P[self.version])
        return ethernet + ip + inner

    def _inner(self, data, source, destination):
        if self.protocol in (ICMP, ICMPV6):
            # An error holds the packet that caused it; here one of no flow that is known.
            inner = struct.pack("!BBHHH", self.dport, 0, 0, self.sport, 1) + data
            at = 2
        elif self.protocol == TCP:
            option = struct.pack("!BBH", 2, 4, self.mss) if self.mss else b""
            inner = struct.pack("!HHIIBBHHH", self.sport, self.dport, 1000, 0, 0x50 + 4 * len(option), self.flags, 65535,
                                0, 0) + option + data
            at = 16
        elif self.protocol == UDP:
            inner = struct.pack("!HHHH", self.sport, self.dport, 8 + len(data), 0) + data
            at = 6
        else:
            return struct.pack("!HH", 0, 0x0800) + data  # GRE
        pseudo = b""
        if self.protocol != ICMP:
            pseudo = source + destination + struct.pack("!II", len(inner), self.protocol)
        return inner[:at] + struct.pack("!H", checksum(pseudo + inner) or 0xFFFF) + inner[at + 2:]

    def reply(self):
        """What the other side would answer, as it comes back."""
        side = "wg0" if self.side == "eth0" else "eth0"
        return dataclasses.replace(self, side=side, source=self.destination, destination=self.source,
                                   sport=self.dport, dport=self.sport, flags=SYN | ACK)


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


class Probe:
    """The node is the network namespace of this process; the ends are namespaces of their own."""

    def __init__(self, node_addresses, tunnel_routes, second_routes=()):
        # One processor, so that packets stay in order.
        os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])
        self.numbers = itertools.count(1)
        self.ends = {}
        run("ip", "link", "set", "lo", "up")
        sysctl("net/ipv4/ip_forward", 1)
        for family in ("ipv4", "ipv6"):
            for which in ("all", "default"):
                sysctl(f"net/{family}/conf/{which}/forwarding", 1)
        for which in ("all", "default"):
            sysctl(f"net/ipv4/conf/{which}/rp_filter", 0)
            sysctl(f"net/ipv4/conf/{which}/send_redirects", 0)
            sysctl(f"net/ipv6/conf/{which}/accept_dad", 0)
        for number, (side, routes) in enumerate((("wg0", tunnel_routes), ("eth0", ("0.0.0.0/0", "::/0")),
                                                 ("wg0-2", second_routes))):
            self._make_end(side, (f"10.255.{number}.1", f"fdff:{number}::1"), routes)
        for side, address in node_addresses:
            run("ip", "addr", "add", address, "dev", side, *(["nodad"] if ":" in address else []))
        self.raw = [socket.socket(family, socket.SOCK_RAW, protocol) for family, protocol in RAW]
        for one in [*self.raw, *self.ends.values()]:
            one.setsockopt(socket.SOL_SOCKET, 33, 32 << 20)  # SO_RCVBUFFORCE
            one.setblocking(False)

    def _make_end(self, side, gateways, routes):
        name = f"fw{side}"
        run("ip", "netns", "add", name)
        run("ip", "link", "add", side, "address", NODE_MAC, "type", "veth",
            "peer", "name", "end", "address", PEER_MAC, "netns", name)
        end = Namespace(name)
        # It answers nothing by itself.
        end.ip("link set end up", "link set end arp off")
        run("ip", "link", "set", side, "up")
        # The kernel hears of a carrier later, and drops what is sent until then.
        wait_for(f"both ends of {side} are up", lambda: all(
            "state UP" in run("ip", *where, "link", "show", link).stdout for where, link in (((), side), (("-n", name), "end"))))
        for gateway in gateways:
            run("ip", "neigh", "add", gateway, "lladdr", PEER_MAC, "dev", side, "nud", "permanent")
        for route in routes:
            gateway = gateways[1 if ":" in route else 0]
            run("ip", "route", "add", route, "via", gateway, "dev", side, "onlink")
        one = end.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        one.bind(("end", 3))
        self.ends[side] = one

    def arrived(self, packets, expected=None, seconds=10.0):
        """Sends all, in order; which of them (by index) arrived where they were going. Packets that are to
        arrive are waited for; those that are not have been overtaken by them."""
        self.sent, self.found = {}, set()
        self._drain()
        for index, packet in enumerate(packets):
            number = next(self.numbers)
            self.sent[number] = (index, packet)
            self.ends[packet.side].send(packet.bytes(number))
            if index % 128 == 127:
                self._drain()
        wanted = set(range(len(packets))) if expected is None else set(expected)

        def all_there():
            self._drain()
            return wanted <= self.found
        try:
            wait_for("the packets", all_there, seconds)
        except AssertionError:
            pass  # the caller compares
        self._drain()
        return self.found

    def frame(self, packet, seconds=10.0):
        """The IP packet as it left the node on its other side, or None."""
        number = next(self.numbers)
        self._drain()
        self.ends[packet.side].send(packet.bytes(number))
        other = self.ends["wg0" if packet.side == "eth0" else "eth0"]
        found = []

        def is_there():
            while select.select([other], [], [], 0)[0]:
                data, address = other.recvfrom(4096)
                if address[2] != socket.PACKET_OUTGOING and data.endswith(MAGIC + struct.pack("!I", number)):
                    found.append(data[14:])
            return found
        try:
            return wait_for("the packet", is_there, seconds)[0]
        except AssertionError:
            return None

    def _drain(self):
        sockets = [*self.raw, *self.ends.values()]
        while ready := select.select(sockets, [], [], 0)[0]:
            for one in ready:
                self._read(one)

    def _read(self, one):
        is_end = one in self.ends.values()
        while True:
            try:
                data, address = one.recvfrom(4096)
            except BlockingIOError:
                return
            if is_end and address[2] == socket.PACKET_OUTGOING:
                continue
            at = data.rfind(MAGIC)
            if at < 0 or len(data) != at + len(MAGIC) + 4:
                continue
            index, packet = self.sent.get(struct.unpack("!I", data[at + len(MAGIC):])[0], (None, None))
            # Answers and errors of the node repeat the packet that they are about.
            if packet is not None and (not is_end or goes_on(data[14:], packet)):
                self.found.add(index)


def goes_on(ip, packet):
    """Whether it is the packet itself on its way, and not an answer that quotes it."""
    version = ip[0] >> 4
    if version != packet.version:
        return False
    protocol, destination = (ip[9], ip[16:20]) if version == 4 else (ip[6], ip[24:40])
    family = socket.AF_INET if version == 4 else socket.AF_INET6
    return protocol == packet.protocol and destination == socket.inet_pton(family, packet.destination)


def sysctl(name, value):
    with open(f"/proc/sys/{name}", "w", encoding="ascii") as file:
        file.write(str(value))

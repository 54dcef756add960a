"""Two devices that know each other, in the arrangements that the scenarios need."""
import dataclasses

from bed import Namespace
from device import Device, make_psk

PORT = 51820
LEFT4, RIGHT4 = "192.168.241.1", "192.168.241.2"  # inside
LEFT6, RIGHT6 = "fd00::1", "fd00::2"
INSIDE = ((LEFT4, RIGHT4), (LEFT6, RIGHT6))


@dataclasses.dataclass
class Side:
    """A device, and the namespace where its interface is (its sockets may be elsewhere)."""
    device: Device
    namespace: Namespace
    inside: tuple

    @property
    def public(self):
        return self.device.public


@dataclasses.dataclass
class Pair:
    left: Side
    right: Side
    outer: dict  # family: (left's address, right's address)
    links: tuple = ()
    psk: str = ""

    def endpoints(self, family):
        """(the left side's address as the right one should know it, and the other way round)"""
        return tuple(f"[{one}]:{side.device.port}" if family == 6 else f"{one}:{side.device.port}"
                     for one, side in zip(self.outer[family], (self.left, self.right)))

    def aim(self, family=4):
        """Both sides' endpoints to the other's address of this family."""
        left, right = self.endpoints(family)
        self.left.device.peer(self.right.public, "endpoint", right)
        self.right.device.peer(self.left.public, "endpoint", left)


def configure(pair, psk="", mtu=None, up=True, aim=0):
    """Everything about a peer in one request: some engines cannot change one later."""
    pair.psk = psk
    known = pair.endpoints(aim) if aim else ()
    for number, (me, other) in enumerate(((pair.left, pair.right), (pair.right, pair.left))):
        me.device.set_key()
        me.device.wg("listen-port", str(me.device.port))
        words = ["allowed-ips", ",".join(f"{a}/{128 if ':' in a else 32}" for a in other.inside)]
        words += ["endpoint", known[1 - number]] if aim else []
        me.device.peer(other.public, *words, psk=psk)
        if up:
            me.device.up(f"{me.inside[0]}/24", f"{me.inside[1]}/64", mtu=mtu, namespace=me.namespace)
    return pair


def veth_pair(bed, left, right, outer=4, psk=False, mtu=None, up=True, aim=True, **options):
    """Each in a namespace of its own, joined by a link."""
    one, two = bed.namespaces(2)
    addresses = {4: ("10.0.0.1", "10.0.0.2"), 6: ("fd00:aa::1", "fd00:aa::2")}
    links = bed.link(one, two, ["10.0.0.1/24", "fd00:aa::1/96"], ["10.0.0.2/24", "fd00:aa::2/96"])
    sides = []
    for namespace, command, inside in ((one, left, (LEFT4, LEFT6)), (two, right, (RIGHT4, RIGHT6))):
        device = bed.device(namespace, command, **options)
        device.port = PORT
        sides.append(Side(device, namespace, inside))
    return configure(Pair(*sides, addresses, links), make_psk() if psk else "", mtu, up, outer if aim else 0)


def moved_pair(bed, left, right, outer=4, mtu=None):
    """Both sockets stay on lo of one namespace, the interfaces move to two others."""
    middle, one, two = bed.namespaces(3)
    sides = []
    for port, target, command, inside in ((10001, one, left, (LEFT4, LEFT6)),
                                          (10002, two, right, (RIGHT4, RIGHT6))):
        device = bed.device(middle, command)
        device.port = port
        middle.ip(f"link set {device.name} netns {target.name}")
        sides.append(Side(device, target, inside))
    pair = configure(Pair(*sides, {4: ("127.0.0.1", "127.0.0.1"), 6: ("::1", "::1")}), mtu=mtu)
    pair.middle = middle
    pair.aim(outer)
    # An interface in another namespace is seen as up only after a while.
    one.reach(RIGHT4)
    two.reach(LEFT4)
    return pair

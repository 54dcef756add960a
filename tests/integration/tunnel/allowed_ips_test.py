#!/usr/bin/python3
"""Allowed IPs: many of them, their order, moves between peers, removal, and what they decide."""
import ipaddress
import random

import uapi
from bed import run
from device import make_keys
from pairs import LEFT4, RIGHT4, veth_pair
from scenario import main, scenario


def fresh(bed, engines):
    return bed.device(bed.namespace(), engines.engine)


def allowed(device):
    """{peer: [prefixes]} in wg's order."""
    return {row[0]: [] if row[1] == "(none)" else row[1].split() for row in device.show("allowed-ips")}


@scenario(on=fresh)
def one_peer_with_130560(device, _):
    """130,560 prefixes of one peer by setconf: all are there when read back."""
    key, peer = make_keys()[0], make_keys()[1]
    prefixes = [f"{a}.{b}.0.0/16" for a in range(1, 256) for b in range(256)]
    prefixes += [f"{a:02x}{b:02x}::/32" for a in range(1, 256) for b in range(256)]
    device.setconf(f"[Interface]\nPrivateKey = {key}\n[Peer]\nPublicKey = {peer}\n"
                   f"AllowedIPs = {', '.join(prefixes)}\n", timeout=60)
    there = allowed(device)[peer]
    wanted = {str(ipaddress.ip_network(prefix)) for prefix in prefixes}
    assert len(there) == 130560 and set(there) == wanted, f"{len(there)} of 130560"


@scenario(on=fresh)
def forty_peers_with_52(device, _):
    """Forty peers with 52 prefixes each."""
    text, wanted = "", {}
    for number in range(40):
        peer = make_keys()[1]
        wanted[peer] = [f"{number}.{n}.{n}.{n}/32" for n in range(26)] + [f"{number}:{n}::/64" for n in range(26)]
        text += f"[Peer]\nPublicKey = {peer}\nAllowedIPs = {', '.join(wanted[peer])}\n"
    device.setconf(text)
    there = allowed(device)
    assert {k: {str(ipaddress.ip_network(p)) for p in v} for k, v in wanted.items()} == {
        k: set(v) for k, v in there.items()}


@scenario(on=fresh)
def thirty_peers_without_a_device_key(device, _):
    """Peers with preshared keys before there is a private key; showconf gives them all."""
    device.wg("private-key", "/dev/null")
    text = "".join(f"[Peer]\nPublicKey = {make_keys()[1]}\nPresharedKey = {run('wg', 'genpsk').stdout}"
                   for _ in range(30))
    device.setconf(text)
    shown = run("wg", "showconf", device.name).stdout
    assert shown.count("[Peer]") == 30 and shown.count("PresharedKey") == 30, shown[:300]


@scenario(on=fresh, known={"wireguard-go": "lists peers in random order"})
def peers_keep_their_order(device, _):
    """Two peers, the second with 197 prefixes: listed as they were added, '(none)' for the first."""
    for _ in range(8):
        first, second = make_keys()[1], make_keys()[1]
        device.setconf(f"[Peer]\nPublicKey = {first}\n[Peer]\nPublicKey = {second}\nAllowedIPs = "
                       + ", ".join(f"abcd:0:0:{n:x}::/64" for n in range(1, 198)) + "\n")
        rows = device.show("allowed-ips")
        assert [row[0] for row in rows] == [first, second], "the order of the peers changed"
        assert rows[0][1] == "(none)" and len(rows[1][1].split()) == 197


@scenario(on=fresh, known={"wireguard-go": "Debian's does not know it"})
def minus_removes_one(device, _):
    """allowed_ip=-PREFIX removes it from that peer alone; of another's or unknown, nothing happens."""
    (_, one), (_, two) = make_keys(), make_keys()
    device.setconf(f"[Peer]\nPublicKey = {one}\nAllowedIPs = 10.0.0.0/8, 10.1.0.0/16, fd00::/64\n"
                   f"[Peer]\nPublicKey = {two}\nAllowedIPs = 10.2.0.0/16\n")
    for prefixes, left in ((("10.1.0.0/16",), ["10.0.0.0/8", "fd00::/64"]),
                           (("10.2.0.0/16", "10.9.0.0/16"), ["10.0.0.0/8", "fd00::/64"]),
                           (("10.0.0.0/8", "fd00::/64"), [])):
        text = f"public_key={uapi.hex_key(one)}\n" + "".join(f"allowed_ip=-{p}\n" for p in prefixes)
        assert uapi.put(device.name, text) == 0
        assert sorted(allowed(device)[one]) == sorted(left), allowed(device)[one]
        assert allowed(device)[two] == ["10.2.0.0/16"]


@scenario(on=fresh)
def missing_device_is_an_error(device, _):
    """wg show of an interface that is not there fails."""
    assert run("wg", "show", device.name + "z", check=False).returncode != 0


@scenario(on=fresh)
def shrink_and_grow(device, _):
    """Lists replaced by shorter and longer ones, nested and default: always exactly the last."""
    peer = make_keys()[1]
    chance = random.Random(7)
    lists = ["0.0.0.0/0,10.0.0.0/8,100.0.0.0/10,172.16.0.0/12,192.168.0.0/16", "0.0.0.0/0",
             "::/0,1700::/111,5000::/4,e000::/37,9000::/75", "::/0"]
    for _ in range(12):
        lists.append(",".join(str(ipaddress.ip_network((chance.getrandbits(32), chance.randint(0, 32)), False))
                              for _ in range(chance.randint(1, 60))))
    for text in lists:
        device.peer(peer, "allowed-ips", text)
        assert set(allowed(device)[peer]) == {str(ipaddress.ip_network(p)) for p in text.split(",")}, text


@scenario(on=fresh)
def a_prefix_moves_to_who_gets_it_last(device, _):
    """The same prefix given to a second peer leaves the first; host bits do not matter."""
    device.setconf("")
    (_, one), (_, two) = make_keys(), make_keys()
    device.peer(one, "allowed-ips", "10.1.2.3/24,fd00::5/64")
    assert allowed(device) == {one: ["10.1.2.0/24", "fd00::/64"]} or allowed(device) == {
        one: ["fd00::/64", "10.1.2.0/24"]}, allowed(device)
    device.peer(two, "allowed-ips", "10.1.2.77/24")
    assert allowed(device) == {one: ["fd00::/64"], two: ["10.1.2.0/24"]}, allowed(device)
    device.peer(two, "remove")
    assert allowed(device) == {one: ["fd00::/64"]}
    assert uapi.put(device.name, f"public_key={uapi.hex_key(one)}\nreplace_allowed_ips=true") == 0
    assert allowed(device) == {one: []}


@scenario
def the_longest_prefix_decides(bed, engines):
    """Random nested prefixes on two peers: what is sent goes to the owner of the longest match."""
    pair = veth_pair(bed, engines.engine, engines.engine)
    space, chance = pair.left.namespace, random.Random(11)
    pair.left.namespace.reach(RIGHT4)
    networks = {ipaddress.ip_network((0x0A000000 | chance.getrandbits(24), chance.randint(9, 32)), False)
                for _ in range(120)}
    mine = {network for network in networks if chance.random() < 0.5}
    other = make_keys()[1]
    pair.left.device.peer(pair.right.public, "allowed-ips", f"{RIGHT4}/32," + ",".join(map(str, mine)))
    pair.left.device.peer(other, "allowed-ips", ",".join(map(str, networks - mine)))
    space.ip(f"route add 10.0.0.0/8 dev {pair.left.device.name}")
    wanted = {}
    for network in networks:
        address = network[chance.randrange(network.num_addresses)]
        if address in ipaddress.ip_network("10.0.0.0/24"):
            continue
        owner = max((n for n in networks if address in n), key=lambda n: n.prefixlen)
        wanted[address] = owner in mine
    with space.socket() as sender, pair.right.namespace.socket() as receiver:
        # The receiving side sees every destination as its own.
        pair.right.namespace.ip("route add local 10.0.0.0/8 dev lo")
        receiver.bind(("0.0.0.0", 7100))
        receiver.settimeout(0.5)
        sender.bind((LEFT4, 0))
        for address in wanted:
            sender.sendto(address.packed, (str(address), 7100))
        got = set()
        try:
            while True:
                got.add(ipaddress.ip_address(receiver.recv(100)))
        except TimeoutError:
            pass
    assert got == {address for address, is_mine in wanted.items() if is_mine}, (
        f"{len(got)} came of {sum(wanted.values())}")


if __name__ == "__main__":
    main(__doc__)

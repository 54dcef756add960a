#!/usr/bin/python3
"""Keys and what they set going: change, reading back, the own key as peer, low order, keepalives."""
import base64
import socket
import time

import uapi
from bed import run, wait_for
from device import make_keys, make_psk, public_key
from pairs import LEFT4, RIGHT4, veth_pair
from scenario import main, scenario

# Points of small order (RFC 7748's u coordinates, little-endian): zero, one, two of order eight,
# and p-1, p, p+1, which are other forms of them.
P = 2**255 - 19
LOW_ORDER = [base64.b64encode(n.to_bytes(32, "little")).decode() for n in (
    0, 1, P - 1, P, P + 1,
    325606250916557431795983626356110631294008115727848805560023387167927233504,
    39382357235489614581723060781553021112529911719440698176882885853963445705823)]


def fresh(bed, engines):
    return bed.device(bed.namespace(), engines.engine)


@scenario(on=fresh)
def secrets_read_back_and_cleared(device, _):
    """Private and preshared keys are what was set; /dev/null clears both."""
    _, peer = make_keys()
    psk = make_psk()
    device.set_key()
    device.peer(peer, psk=psk)
    assert device.show("private-key") == [[device.private]]
    assert device.show("preshared-keys") == [[peer, psk]]
    device.wg("private-key", "/dev/null")
    device.peer(peer, "preshared-key", "/dev/null")
    assert device.show("private-key") == [["(none)"]], "the private key is not cleared"
    assert device.show("preshared-keys") == [[peer, "(none)"]], "the preshared key is not cleared"
    device.peer(peer, "remove")


@scenario(on=fresh)
def own_key_is_no_peer(device, _):
    """The device's own public key as a peer: removed when the key is set, ignored when added."""
    (private1, public1), (private2, public2) = make_keys(), make_keys()
    device.set_key(private1)
    device.peer(public2, "allowed-ips", "10.9.9.9/32")
    assert device.show("peers") == [[public2]]
    device.set_key(private2)
    assert device.show("peers") == [], "the device's own key stays a peer"
    device.peer(public2, "allowed-ips", "10.9.9.9/32")
    assert device.show("peers") == [], "the device's own key becomes a peer"
    device.set_key(private1)
    device.peer(public2)
    assert device.show("peers") == [[public2]]
    device.peer(public2, "remove")
    assert public_key(private1) == public1


@scenario(on=fresh)
def key_is_clamped_on_read_back(device, _):
    """A private key with forbidden bits set comes back with them as RFC 7748 wants."""
    private = make_keys()[0]
    device.wg("private-key", "/dev/stdin", secret="/" + private[1:])
    assert device.show("private-key") == [["+" + private[1:]]], device.show("private-key")[0][0][0]


@scenario
def low_order_keys_get_no_word(bed, engines):
    """Seven public keys of small order are taken as peers, and nothing is ever sent to them."""
    device = fresh(bed, engines)
    device.set_key()
    with device.namespace.socket(socket.AF_INET) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.settimeout(1.5)
        port = listener.getsockname()[1]
        device.up("10.1.1.1/24")
        for key in LOW_ORDER:
            device.peer(key, "persistent-keepalive", "1", "endpoint", f"127.0.0.1:{port}")
        # Zero is no key at all in the configuration protocol of some engines.
        assert len(device.show("peers")) >= len(LOW_ORDER) - 1, device.show("peers")
        try:
            raise AssertionError(f"{len(listener.recv(2000))} bytes were sent to a key of small order")
        except TimeoutError:
            pass
    assert all(row[1:] == ["0", "0"] for row in device.show("transfer")), device.show("transfer")


def waiting(bed, engines):
    """A device whose peer is a plain socket: (device, socket, peer's key)."""
    device = fresh(bed, engines)
    listener = device.namespace.socket()
    bed.stack.callback(listener.close)
    listener.bind(("127.0.0.1", 0))
    listener.settimeout(4)
    return device, listener, make_keys()[1]


def first_word(listener):
    try:
        return listener.recv(2000)
    except TimeoutError:
        raise AssertionError("nothing was sent") from None


def is_initiation(data):
    return len(data) == 148 and data[:4] == b"\1\0\0\0"


@scenario
def keepalive_begins_when_the_device_comes_up(bed, engines):
    """A peer with persistent keepalive gets a handshake as soon as the interface is up."""
    device, listener, peer = waiting(bed, engines)
    device.set_key()
    device.peer(peer, "persistent-keepalive", "1", "endpoint", "127.0.0.1:%d" % listener.getsockname()[1])
    device.up("10.1.1.1/24")
    assert is_initiation(first_word(listener))
    wait_for("sent bytes are counted", lambda: device.transfer()[1] > 0, 1)


@scenario(known={"wireguard-go": "sends handshakes before it has a private key"})
def keepalive_begins_when_the_key_is_set(bed, engines):
    """The same when the interface is up and the private key comes last."""
    device, listener, peer = waiting(bed, engines)
    device.peer(peer, "persistent-keepalive", "1", "endpoint", "127.0.0.1:%d" % listener.getsockname()[1])
    device.up("10.1.1.1/24")
    time.sleep(0.3)
    assert device.transfer()[1] == 0, "something was sent without a private key"
    device.set_key()
    assert is_initiation(first_word(listener))


@scenario
def keepalive_begins_when_it_is_set(bed, engines):
    """The same when the interface is up and the keepalive comes last."""
    device, listener, peer = waiting(bed, engines)
    device.set_key()
    device.peer(peer, "endpoint", "127.0.0.1:%d" % listener.getsockname()[1])
    device.up("10.1.1.1/24")
    wait_for("the port is bound", lambda: len(device.namespace.bound_ports()) > 1)
    time.sleep(0.3)
    device.peer(peer, "persistent-keepalive", "5")
    assert is_initiation(first_word(listener))


@scenario
def unanswered_handshakes_are_not_hurried(bed, engines):
    """Many packets to a silent peer: one initiation, the next after five seconds, not 50."""
    device, listener, peer = waiting(bed, engines)
    device.set_key()
    device.peer(peer, "endpoint", "127.0.0.1:%d" % listener.getsockname()[1], "allowed-ips", "10.1.1.0/24")
    device.up("10.1.1.1/24")
    with device.namespace.socket() as sender:
        for _ in range(100):
            sender.sendto(b"hello", ("10.1.1.2", 9))
            time.sleep(0.01)
    assert is_initiation(first_word(listener))
    listener.settimeout(0.8)
    try:
        listener.recv(2000)
        raise AssertionError("a second initiation within two seconds")
    except TimeoutError:
        pass


@scenario
def staged_packets_wait_for_the_session(bed, engines):
    """What is sent before the peer exists on the other side arrives once it does: the newest of it."""
    pair = veth_pair(bed, engines.engine, engines.peer)
    pair.right.device.peer(pair.left.public, "remove")
    with pair.right.namespace.socket() as receiver, pair.left.namespace.socket() as sender:
        receiver.bind((RIGHT4, 7000))
        receiver.settimeout(8)
        wait_for("the interface takes packets", lambda: pair.left.device.transfer()[1] > 0
                 or not sender.sendto(b"first", (RIGHT4, 7000)) == 5)
        for number in range(300):
            sender.sendto(b"%d" % number, (RIGHT4, 7000))
        pair.right.device.peer(pair.left.public, "allowed-ips", f"{LEFT4}/32", psk=pair.psk)
        got = [receiver.recv(100)]
        receiver.settimeout(0.5)
        try:
            while True:
                got.append(receiver.recv(100))
        except TimeoutError:
            pass
    assert got[-1] == b"299", f"the newest is lost: {len(got)} came, the last is {got[-1]}"
    assert len(got) >= 64, f"only {len(got)} of 300 waited"
    assert got == sorted(got, key=lambda text: int(text) if text != b"first" else -1), "not in order"


@scenario
def a_removed_peer_is_forgotten_under_load(bed, engines):
    """Peers are removed and added while their traffic flows: no crash, well afterwards."""
    pair = veth_pair(bed, engines.engine, engines.peer)
    pair.left.namespace.reach(RIGHT4)
    ping = bed.process(pair.right.namespace.start("ping", "-n", "-q", "-f", "-c", "3000", "-W", "0.1", LEFT4,
                                                  stdout=-3))
    for _ in range(15):
        pair.left.device.peer(pair.right.public, "remove")
        pair.left.device.peer(pair.right.public, "allowed-ips", f"{RIGHT4}/32", "endpoint", "10.0.0.2:51820")
    ping.terminate()
    ping.wait(10)
    pair.left.namespace.reach(RIGHT4, 12)
    assert run("wg", "show", pair.left.device.name, "peers").stdout.split() == [pair.right.public]
    assert uapi.hex_key(pair.right.public) in uapi.peers(pair.left.device.name)


if __name__ == "__main__":
    main(__doc__)

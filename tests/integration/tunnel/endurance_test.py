#!/usr/bin/python3
"""What only time shows: the real timers, and fifteen minutes of rekeys, link flaps and churn. All slow."""
import random
import time

import packets
from bed import wait_for
from device import make_keys
from hostile import Middle
from pairs import LEFT4, LEFT6, RIGHT4, RIGHT6, veth_pair
from scenario import main, scenario
from traffic import tcp, udp


class Watched:
    """A pair with a relay between that notes when which message passed."""

    def __init__(self, bed, engines):
        self.pair = veth_pair(bed, engines.engine, engines.peer)
        self.log, self.blocked, self.begin = [], set(), time.monotonic()
        self.middle = Middle(bed, self.pair, self._on)

    def _on(self, direction, data):
        self.log.append((time.monotonic() - self.begin, direction, data[0], len(data)))
        return [] if (direction, data[0]) in self.blocked else [data]

    def connect(self):
        """The left side begins; the clock starts with the handshake."""
        self.pair.left.namespace.reach(RIGHT4, 12)
        first = next(entry[0] for entry in self.log if entry[2] == packets.RESPONSE)
        self.begin += first
        self.log[:] = [(at - first, *rest) for at, *rest in self.log]

    def times(self, kind, direction=None, size=None, after=0.5):
        return [at for at, way, which, length in self.log if which == kind and at > after
                and direction in (None, way) and size in (None, length)]

    def now(self):
        return time.monotonic() - self.begin

    def pings_until(self, end, source="left", pause=1.0):
        """[(when, answered)]"""
        space, target = ((self.pair.left.namespace, RIGHT4) if source == "left"
                         else (self.pair.right.namespace, LEFT4))
        out = []
        while self.now() < end:
            at = self.now()
            out.append((at, space.ping(target, wait=0.5, check=False)))
            time.sleep(max(0.0, at + pause - self.now()))
        return out


@scenario(slow=True)
def rekey_after_120_seconds(bed, engines):
    """Under traffic the initiator makes a new session after 120 s, none before; not a ping is lost."""
    watched = Watched(bed, engines)
    watched.connect()
    pings = watched.pings_until(128, pause=0.25)
    made = watched.times(packets.INITIATION)
    assert made and 119.5 <= made[0] <= 122, f"initiations at {made}"
    assert len(made) == 1, f"initiations at {made}"
    assert all(good for _, good in pings), [at for at, good in pings if not good]


@scenario(slow=True)
def sessions_end_after_180_seconds(bed, engines):
    """No new handshake gets through: the session serves 180 s and not longer; then all heals at once."""
    watched = Watched(bed, engines)
    watched.connect()
    watched.blocked = {(0, packets.INITIATION), (1, packets.INITIATION)}
    pings = watched.pings_until(190)
    assert all(good for at, good in pings if at < 178), [at for at, good in pings if not good and at < 178]
    assert not any(good for at, good in pings if at > 181), [at for at, good in pings if good and at > 181]
    late = [at for at in watched.times(packets.DATA) if at > 181]
    assert not late, f"data with keys older than 180 s at {late}"
    watched.blocked = set()
    wait_for("a new session", lambda: watched.pair.left.namespace.ping(RIGHT4, check=False), 8)


@scenario(slow=True)
def retries_for_90_seconds(bed, engines):
    """Unanswered: an initiation every 5 s and up to a third more, 18 to 20 of them, then silence."""
    watched = Watched(bed, engines)
    watched.blocked = {(0, packets.INITIATION)}
    # IPv6 on the interface sends nothing that a peer is for: one packet is all.
    wait_for("the first initiation", lambda: watched.pair.left.namespace.ping(RIGHT4, wait=0.2, check=False)
             or watched.log, 5)
    time.sleep(115)
    at = watched.times(packets.INITIATION, after=-1)
    gaps = [b - a for a, b in zip(at, at[1:])]
    assert all(4.9 < gap < 6 for gap in gaps), gaps
    assert 17 <= len(at) <= 20, f"{len(at)} initiations"
    assert max(gaps) - min(gaps) > 0.02, "no jitter"


@scenario(slow=True)
def keepalive_after_10_and_handshake_after_15_seconds(bed, engines):
    """Received without an answer to give: a keepalive 10 s later. Sent without a word back: a handshake after 15 s."""
    watched = Watched(bed, engines)
    watched.connect()
    time.sleep(12)
    watched.log.clear()
    with watched.pair.right.namespace.socket() as sender, watched.pair.left.namespace.socket() as sink:
        sink.bind((LEFT4, 7400))  # else ICMP would answer
        at = watched.now()
        sender.sendto(b"no answer", (LEFT4, 7400))
        time.sleep(13)
    quiet = [when - at for when in watched.times(packets.DATA, 0, 32)]
    assert len(quiet) == 1 and 9.5 < quiet[0] < 11, f"keepalives after {quiet}"
    watched.log.clear()
    watched.blocked = {(1, packets.DATA)}
    with watched.pair.left.namespace.socket() as sender, watched.pair.right.namespace.socket() as sink:
        sink.bind((RIGHT4, 7400))
        at = watched.now()
        sender.sendto(b"no answer", (RIGHT4, 7400))
        time.sleep(17)
    made = [when - at for when in watched.times(packets.INITIATION, 0)]
    assert made and 14.5 < made[0] < 16, f"initiations after {made}"


@scenario(slow=True)
def idle_peers_are_silent(bed, engines):
    """After the last packet: two keepalives at most, then nothing for a minute."""
    watched = Watched(bed, engines)
    watched.connect()
    time.sleep(35)
    watched.log.clear()
    time.sleep(60)
    assert not watched.log, watched.log


@scenario(slow=True)
def after_600_seconds_of_silence(bed, engines):
    """Keys are gone after 540 s; the next packet makes a session and is not lost, old data is dropped."""
    watched = Watched(bed, engines)
    watched.connect()
    old = [data for direction, data in watched.middle.kept if data[0] == packets.DATA and direction == 1]
    time.sleep(engines.seconds or 600)
    before = watched.pair.left.device.transfer()
    for data in old:
        watched.middle.send(1, data)
    time.sleep(0.3)
    assert watched.pair.left.device.transfer() == before, "data of a dead session had an effect"
    watched.pair.left.namespace.ping(RIGHT4, wait=2)


@scenario(slow=True, known={"wireguard-go": "its collector gives memory back late"})
def fifteen_minutes_of_change(bed, engines):
    """Rekeys by key change, link flaps, ports, peers that come and go: always back soon, and memory is flat."""
    pair = veth_pair(bed, engines.engine, engines.peer)
    left, right = pair.left, pair.right
    left.namespace.reach(RIGHT4)
    chance, end, first, rounds = random.Random(9), time.monotonic() + (engines.seconds or 900), 0, 0

    def flap():
        side, link = chance.choice(((left, pair.links[0]), (right, pair.links[1]), (left, left.device.name)))
        side.namespace.ip(f"link set {link} down")
        time.sleep(chance.random() / 2)
        side.namespace.ip(f"link set {link} up")
        if link == pair.links[0]:
            side.namespace.ip(f"addr replace fd00:aa::1/96 dev {link} nodad")
        elif link == pair.links[1]:
            side.namespace.ip(f"addr replace fd00:aa::2/96 dev {link} nodad")
        else:
            side.namespace.ip(f"addr replace {LEFT6}/64 dev {link} nodad")

    def new_key():
        old = left.public
        left.device.set_key(make_keys()[0])
        right.device.peer(old, "remove")
        right.device.peer(left.public, "allowed-ips", f"{LEFT4}/32,{LEFT6}/128")
        pair.aim(chance.choice((4, 6)))

    def churn():
        keys = [make_keys()[1] for _ in range(20)]
        for number, key in enumerate(keys):
            left.device.peer(key, "allowed-ips", f"10.5.{number}.0/24", "endpoint", f"10.0.0.{100 + number}:9",
                             "persistent-keepalive", "1")
        time.sleep(0.3)
        for key in keys:
            left.device.peer(key, "remove")

    def port():
        left.device.port = chance.randint(20000, 30000)
        left.device.wg("listen-port", str(left.device.port))
        left.namespace.ping(RIGHT4, check=False)

    def peer_again():
        left.device.peer(right.public, "remove")
        left.device.peer(right.public, "allowed-ips", f"{RIGHT4}/32,{RIGHT6}/128")
        pair.aim(chance.choice((4, 6)))

    while time.monotonic() < end:
        change = chance.choice((flap, new_key, churn, port, peer_again))
        change()
        try:
            left.namespace.reach(RIGHT4, 16)
            right.namespace.reach(LEFT4, 8)
        except AssertionError as error:
            raise AssertionError(f"after {change.__name__} in round {rounds}: {error}") from error
        tcp(left.namespace, right.namespace, RIGHT4, 1 << 20)
        udp(right.namespace, left.namespace, LEFT4, 50, 700)
        rounds += 1
        if rounds == 20:
            first = left.device.rss()
    grown = left.device.rss() - (first or left.device.rss())
    print(f"  {rounds} rounds, memory {grown:+} KiB")
    assert grown < 10000, f"memory grew by {grown} KiB in {rounds} rounds"


if __name__ == "__main__":
    main(__doc__)

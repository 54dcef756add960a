#!/usr/bin/python3
"""The engine under test with itself and with --peer, each as the one that begins: IPv4 and IPv6
outside, both inside, with and without a preshared key. --slow: the latest of the other engines."""
import os
import subprocess
import sys
import time

from bed import Bed
from device import make_keys, make_psk
from pairs import INSIDE, LEFT4, LEFT6, RIGHT4, RIGHT6, veth_pair
from scenario import flavour, main, scenario
from traffic import tcp, udp, works

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "support"))
import peers  # noqa: E402


def meet(bed, left, right, outer, psk):
    """The left one begins; then everything, both ways. boringtun counts in its own way."""
    pair = veth_pair(bed, left, right, outer, psk=psk)
    pair.left.namespace.reach(RIGHT4)
    assert pair.right.device.transfer()[0] > 0, "nothing is counted as received"
    works(pair.left.namespace, pair.right.namespace, INSIDE, sizes=(100, 1372, 4000))
    for side, other in ((pair.left, pair.right), (pair.right, pair.left)):
        mine, theirs = side.device.transfer(), other.device.transfer()
        assert mine[0] <= theirs[1] or "boringtun" in left + right, f"received {mine[0]} of {theirs[1]} bytes sent"
    return pair


def which(engines, number):
    return engines.sides()[number]


for NUMBER, ROLES in enumerate(("itself", "peer_answers", "peer_begins")):
    for OUTER in (4, 6):
        for PSK in (False, True):
            def run(bed, engines, number=NUMBER, outer=OUTER, psk=PSK):
                meet(bed, *which(engines, number), outer, psk)
            scenario(run, name=f"{ROLES}_v{OUTER}{'_psk' if PSK else ''}",
                     text=f"{ROLES.replace('_', ' ')}: IPv{OUTER} outside, both inside"
                          + (", preshared key" if PSK else ""))


@scenario
def wrong_psk_never_connects(bed, engines):
    """One side's preshared key differs: no session, no traffic; the right key connects at once."""
    pairs = [veth_pair(bed, *sides, psk=True) for sides in engines.sides()[1:]]
    for pair in pairs:
        pair.right.device.peer(pair.left.public, psk=make_psk())
        assert not pair.left.namespace.ping(RIGHT4, check=False), "traffic with the wrong key"
        assert pair.left.device.handshake() == 0, "a handshake with the wrong key"
        pair.right.device.peer(pair.left.public, psk=pair.psk)
    for pair in pairs:  # the next attempt comes after five seconds and a little
        pair.left.namespace.reach(RIGHT4, 8)


@scenario
def both_begin_at_once(bed, engines):
    """Simultaneous initiations: connected at once or after one retry, and then nothing is lost."""
    for left, right in engines.sides()[:2]:
        pair = veth_pair(bed, left, right)
        pings = [bed.process(side.namespace.start("ping", "-n", "-q", "-c", "2", "-i", "0.2", target,
                                                  stdout=subprocess.DEVNULL))
                 for side, target in ((pair.left, RIGHT4), (pair.right, LEFT4))]
        for ping in pings:
            ping.wait(20)
        pair.left.namespace.reach(RIGHT4, 12)
        udp(pair.left.namespace, pair.right.namespace, RIGHT4, 200)
        udp(pair.right.namespace, pair.left.namespace, LEFT4, 200)


@scenario
def new_keys_connect_at_once(bed, engines):
    """Both get new keys and know each other by them: reachable within a second."""
    for left, right in engines.sides()[1:]:
        pair = veth_pair(bed, left, right)
        pair.left.namespace.reach(RIGHT4)
        exchange_keys(pair)
        pair.left.namespace.ping(RIGHT4)
        tcp(pair.right.namespace, pair.left.namespace, LEFT6, 1 << 20)


def exchange_keys(pair):
    """New keys on both sides, the old peers removed."""
    for side in (pair.left, pair.right):
        other = pair.right if side is pair.left else pair.left
        side.device.peer(other.public, "remove")
    for side in (pair.left, pair.right):
        side.device.set_key(make_keys()[0])
    for side, other in ((pair.left, pair.right), (pair.right, pair.left)):
        side.device.peer(other.public, "allowed-ips", ",".join(
            f"{a}/{128 if ':' in a else 32}" for a in other.inside))
    pair.aim()


@scenario
def peer_goes_and_comes_back(bed, engines):
    """The other engine ends and starts anew with the same keys: traffic goes on after its first word."""
    for left, right in engines.sides()[1:]:
        pair = veth_pair(bed, left, right)
        pair.left.namespace.reach(RIGHT4)
        pair.right.device.stop()
        pair.right.device.start()
        pair.right.device.set_key()
        pair.right.device.wg("listen-port", str(pair.right.device.port))
        pair.right.device.peer(pair.left.public, "allowed-ips", f"{LEFT4}/32,{LEFT6}/128",
                               "endpoint", f"10.0.0.1:{pair.left.device.port}")
        pair.right.device.up(f"{RIGHT4}/24", f"{RIGHT6}/64")
        pair.right.namespace.reach(LEFT4, 8)
        tcp(pair.left.namespace, pair.right.namespace, RIGHT4, 1 << 20)


@scenario
def many_sizes_arrive_unchanged(bed, engines):
    """Every packet length around the paddings and the MTU, over both families, nothing lost or changed."""
    for left, right in engines.sides()[1:]:
        pair = veth_pair(bed, left, right)
        pair.left.namespace.reach(RIGHT4)
        for size in [*range(8, 42), *range(1372, 1392), 2000, 2791, 2792, 2793, 8000]:
            udp(pair.left.namespace, pair.right.namespace, RIGHT4 if size % 2 else RIGHT6, 2, size, 2)


class PeerEnded(Exception):
    """An engine that is not under test gave up by itself."""


def meet_alone(left, right, outer, psk):
    with Bed() as bed:
        try:
            meet(bed, left, right, outer, psk)
        except AssertionError as error:
            time.sleep(0.3)
            gave_up = [device for device in bed.devices if device.program == "gotatun"
                       and "hutting down" in device.log_tail(40)]
            text = f"{flavour(left)} begins with {flavour(right)}, v{outer}, psk {psk}: {error}\n{bed.logs()}"
            if gave_up:
                raise PeerEnded(text) from error
            raise AssertionError(text) from error


def latest(name):
    def run(bed, engines):
        """A latest release in both roles, everything."""
        command = peers.command_of(name)
        if not command:
            error = peers.build(name, peers.FOLDER)
            assert not error, error
            command = peers.command_of(name)
        for left, right in ((engines.engine, command), (command, engines.engine)):
            for outer in (4, 6):
                for psk in (False, True):
                    try:
                        meet_alone(left, right, outer, psk)
                    except PeerEnded as error:  # gotatun sometimes does, at its start
                        print(f"  once more: {error}")
                        meet_alone(left, right, outer, psk)
    return run


for NAME in peers.PEERS:
    scenario(latest(NAME), name="latest_" + NAME.replace("-", "_"), slow=True,
             text=f"{NAME}, newest release, in both roles, both families, with and without key")

if __name__ == "__main__":
    main(__doc__)

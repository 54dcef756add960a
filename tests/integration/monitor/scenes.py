"""What happens to pairs of real tunnels while they are recorded, and what a monitor must say of each side.

A scene is a function with @scene. It gets a `Scene`, arranges the pair, and says with `at` what happens when
and with `left` and `right` what is true from when to when. The truth is written here, by who did the
damage; no program's opinion goes into it. Between two spans anything may be said: it takes a while until
anybody can know.
"""
import dataclasses
import signal
from subprocess import DEVNULL
from typing import Callable

from pairs import LEFT4, PORT, RIGHT4

SECONDS = 600  # of a recording
SCENES = []

# How long it takes until it can be known. Measured from the damage.
TRAFFIC = 50   # packets are unanswered, 15 s later the engine asks for a handshake, then every 5 s; samples
REKEY = 175    # only keepalives are sent: nothing is asked until the session is 120 s old
SESSION = 240  # only what comes in shows it: when no session can be left


@dataclasses.dataclass
class Span:
    side: str
    start: float
    end: float
    verdicts: tuple


class Scene:
    """One pair. Only the left side knows where the other is, as clients of a server do."""

    def __init__(self, name, text):
        self.name, self.text = name, text
        self.keepalive = {"left": 0, "right": 0}
        self.psk = {"left": "", "right": ""}
        self.wrong_key = False
        self.actions, self.truth, self.events = [], [], []
        self.pair = None  # while it is recorded

    def at(self, second, what, action: Callable, tell=True):
        self.actions.append((second, what if tell else "", action))

    def left(self, start, end, *verdicts):
        self.truth.append(Span("left", start, end, verdicts))

    def right(self, start, end, *verdicts):
        self.truth.append(Span("right", start, end, verdicts))

    def both(self, start, end, *verdicts):
        self.left(start, end, *verdicts)
        self.right(start, end, *verdicts)

    # What can be done to a pair

    def ping(self, every, start=2, loss_is_fine=True):
        self.at(start, f"the left side pings every {every:g} s", lambda: self._ping(every))

    def _ping(self, every):
        self.pair.bed.process(self.pair.left.namespace.start("ping", "-n", "-q", "-i", str(every), RIGHT4,
                                                             stdout=DEVNULL, stderr=DEVNULL))

    def one_ping(self, second):
        self.at(second, "one ping", lambda: self.pair.bed.process(self.pair.left.namespace.start(
            "ping", "-n", "-q", "-c", "1", RIGHT4, stdout=DEVNULL, stderr=DEVNULL)))

    def drop(self, second, side, share=""):
        """Packets to this side are lost on their way."""
        self.at(second, f"{share or 'all'} packets to the {side} side are lost", lambda: self._nft(
            side, f"add table inet cut; add chain inet cut in {{ type filter hook input priority 0; }}; "
                  f"add rule inet cut in udp dport {PORT} {share} drop"))

    def cut(self, second):
        self.drop(second, "left")
        self.drop(second, "right")

    def mend(self, second, *sides):
        for side in sides or ("left", "right"):
            self.at(second, f"packets to the {side} side arrive again",
                    lambda side=side: self._nft(side, "delete table inet cut"))

    def no_route(self, second):
        """The left host has no way to the other any more: its packets are not even sent."""
        self.at(second, "the left host has no address any more, and so no route", lambda: (
            self.pair.left.namespace.ip(f"addr flush dev {self.pair.links[0]}")))

    def _nft(self, side, rules):
        getattr(self.pair, side).namespace.nft(rules.replace("; add", "\nadd"))

    def restart(self, second, side):
        """Killed and started again with the same configuration."""
        def action():
            it = getattr(self.pair, side)
            it.device.stop(signal.SIGKILL)
            it.device.start()
            self.pair.configure(side)
        self.at(second, f"the {side} side's engine is killed and started again", action)


def scene(function):
    SCENES.append((function.__name__, function.__doc__, function))
    return function


def make(name, text, function):
    made = Scene(name, text)
    function(made)
    made.actions.sort(key=lambda action: action[0])
    return made


@scene
def keepalive_one(s):
    "healthy, idle, keepalive on the left side"
    s.keepalive["left"] = 25
    s.both(5, SECONDS, "up")


@scene
def keepalive_both(s):
    "healthy, idle, keepalive on both sides, so that handshakes are rare"
    s.keepalive.update(left=25, right=20)
    s.both(5, SECONDS, "up")


@scene
def keepalive_slow(s):
    "healthy, idle, a keepalive so slow that sessions end between handshakes"
    s.keepalive["left"] = 100
    s.left(5, SECONDS, "up")
    s.right(5, SECONDS, "up", "idle")


@scene
def idle(s):
    "healthy, idle, no keepalive: one ping, then nothing"
    s.one_ping(3)
    s.both(8, 180, "up")
    s.both(240, SECONDS, "idle")


@scene
def traffic(s):
    "healthy, a ping every five seconds"
    s.ping(5)
    s.both(8, SECONDS, "up")


@scene
def traffic_rare(s):
    "healthy, a ping every 70 seconds"
    s.ping(70)
    s.both(8, SECONDS, "up", "idle")


@scene
def oneway_udp(s):
    "healthy, datagrams from left to right that nobody answers, every two seconds"
    _stream(s, "left", 2)
    s.both(8, SECONDS, "up")


@scene
def oneway_udp_back(s):
    "healthy, datagrams from right to left that nobody answers, every seven seconds"
    s.keepalive["left"] = 25
    _stream(s, "right", 7)
    s.both(8, SECONDS, "up")


@scene
def cut_traffic(s):
    "the path is cut both ways while the left side pings"
    s.ping(5)
    s.cut(120)
    s.both(8, 119, "up")
    s.left(120 + TRAFFIC, SECONDS, "unreachable")
    # Its last answers went into the void, so its engine asks, too, for 90 s. Then nobody asks.
    s.right(121, 480, "up", "idle", "unreachable")
    s.right(481, SECONDS, "idle")


@scene
def cut_traffic_keepalive(s):
    "the path is cut both ways while the left side pings, which also keeps alive"
    s.keepalive["left"] = 25
    s.ping(5)
    s.cut(200)
    s.left(8, 199, "up")
    s.left(200 + TRAFFIC, SECONDS, "unreachable")
    s.right(8, 199, "up")


@scene
def cut_keepalive(s):
    "the path is cut both ways; only keepalives are sent"
    s.keepalive["left"] = 25
    s.cut(180)
    s.both(5, 179, "up")
    s.left(180 + REKEY, SECONDS, "unreachable")
    s.right(180 + 150, SECONDS, "lost")  # its keepalives do not come


@scene
def cut_idle(s):
    "the path is cut both ways; nobody sends anything"
    s.one_ping(3)
    s.cut(60)
    s.both(8, 60, "up")
    s.both(61, 240, "up", "idle")
    s.both(270, SECONDS, "idle")  # nobody can know, nobody is harmed


@scene
def cut_mended(s):
    "the path is cut under traffic, and mended"
    s.ping(5)
    s.cut(120)
    s.mend(300)
    s.left(8, 119, "up")
    s.left(120 + TRAFFIC, 299, "unreachable")
    s.left(340, SECONDS, "up")
    s.right(340, SECONDS, "up")


@scene
def wrong_key(s):
    "the left side has a wrong public key for the other"
    s.keepalive["left"] = 25
    s.wrong_key = True
    s.both(2, SECONDS, "never")


@scene
def wrong_psk(s):
    "the preshared keys differ from the beginning"
    s.keepalive["left"] = 25
    s.psk.update(left="one", right="other")
    s.both(2, SECONDS, "never")


@scene
def psk_changed(s):
    "the right side gets another preshared key while the tunnel is up"
    s.keepalive["left"] = 25
    s.at(60, "the right side gets another preshared key", lambda: s.pair.set_psk("right", "other"))
    s.both(5, 59, "up")
    s.left(60 + SESSION + 30, SECONDS, "unreachable")
    s.right(60 + SESSION + 60, SECONDS, "unreachable")


@scene
def loss_to_right(s):
    "packets to the right side are lost, the other way is open; the left side pings"
    s.ping(5)
    s.drop(120, "right")
    s.both(8, 119, "up")
    s.left(120 + TRAFFIC, SECONDS, "unreachable")
    s.right(121, 480, "up", "idle", "unreachable")  # as in cut_traffic
    s.right(481, SECONDS, "idle")


@scene
def loss_to_left(s):
    "packets to the left side are lost, the other way is open; the left side pings"
    s.ping(5)
    s.drop(120, "left")
    s.both(8, 119, "up")
    s.left(120 + TRAFFIC, SECONDS, "unreachable")
    s.right(120 + SESSION + 60, SECONDS, "unreachable")


@scene
def loss_half(s):
    "healthy on a bad path: three of ten packets are lost each way, a ping every two seconds"
    s.ping(2)
    for side in ("left", "right"):
        s.drop(20, side, "numgen random mod 10 < 3")
    s.both(8, SECONDS, "up")


@scene
def no_route(s):
    "the left host loses its route to the other: nothing is sent at all"
    s.keepalive["left"] = 25
    s.no_route(200)
    s.left(5, 199, "up")
    s.left(540, SECONDS, "mute", "unreachable")  # engines differ: some count what could not be sent
    s.right(5, 199, "up")
    s.right(200 + 150, SECONDS, "lost")


@scene
def restart_right(s):
    "the right side is killed and started again under traffic"
    s.ping(5)
    s.restart(200, "right")
    s.left(8, SECONDS, "up")
    s.right(8, 199, "up")
    s.right(240, SECONDS, "up", "reset")


@scene
def restart_left(s):
    "the left side, which keeps alive, is killed and started again"
    s.keepalive["left"] = 25
    s.restart(200, "left")
    s.left(5, 199, "up")
    s.left(240, SECONDS, "up", "reset")
    s.right(5, SECONDS, "up")


@scene
def gone(s):
    "the right side's engine ends; the left side keeps alive"
    s.keepalive["left"] = 25
    s.at(150, "the right side's engine is killed", lambda: s.pair.right.device.stop(signal.SIGKILL))
    s.both(5, 149, "up")
    s.left(150 + REKEY, SECONDS, "unreachable")


def _stream(s, side, every):
    other = "right" if side == "left" else "left"
    target = RIGHT4 if side == "left" else LEFT4

    def begin():
        s.pair.open_sink(other, target)
        s.pair.stream(side, target, every)
    s.at(2, f"the {side} side sends a datagram every {every} s", begin)

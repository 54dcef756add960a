"""Ends of tunnels that are rotated: hosts in namespaces, brought up by wgkit net up, and numbered datagrams between
them."""
import json
import os
import select
import socket
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "tunnel"))
from bed import Bed, run, wait_for  # noqa: E402, F401
from device import make_keys, make_psk  # noqa: E402, F401
from tools import wgkit  # noqa: E402

NET = os.path.abspath(wgkit("net"))
TUNNEL = os.path.abspath(wgkit("tunnel"))
PORT = 51820
SKEW = 0.2  # between the same step of two ends


class End:
    """A host at 192.0.2.N with the tunnel addresses 10.0.0.N and fd00::N, and behind it 10.N.0.0/16."""

    def __init__(self, bed, space, number, engine=TUNNEL):
        self.bed, self.space, self.number, self.engine = bed, space, number, engine
        self.name = bed.unique("r")
        self.second = self.name + "-2"
        self.folder = os.path.join(bed.folder, self.name)
        self.state = os.path.join(self.folder, "state")
        os.mkdir(self.folder)
        self.path = os.path.join(self.folder, self.name + ".conf")
        self.private, self.public = make_keys()
        self.outside, self.inside, self.inside6 = f"192.0.2.{number}", f"10.0.0.{number}", f"fd00::{number}"
        self.behind = f"10.{number}.0.1"

    def write(self, *peers, psk=None, extra="", endpoints=True, full=False):
        lines = ["# kept as it is", "[Interface]", f"PrivateKey={self.private} # mine", f"ListenPort = {PORT}",
                 f"Address = {self.inside}/24, {self.inside6}/64"] + extra.splitlines()
        for peer in peers:
            lines += ["", f"[Peer] # end {peer.number}", f"PublicKey = {peer.public}",
                      "AllowedIPs = 0.0.0.0/0, ::/0" if full else
                      f"AllowedIPs = {peer.inside}/32, {peer.inside6}/128, 10.{peer.number}.0.0/16"]
            lines += [f"Endpoint = {peer.outside}:{PORT}"] * endpoints
            lines += [f"PresharedKey = {psk}"] * bool(psk)
        with open(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as file:
            file.write("\n".join(lines) + "\n")

    def text(self):
        with open(self.path, encoding="ascii") as file:
            return file.read()

    def start(self, *argv):
        """Output goes to files: an engine in the background would keep a pipe open."""
        stem = os.path.join(self.folder, self.bed.unique("out"))
        with open(stem, "w", encoding="utf-8") as out, open(stem + ".err", "w", encoding="utf-8") as err:
            process = self.space.start(*argv, stdout=out, stderr=err,
                                       env={**os.environ, "WG_QUICK_USERSPACE_IMPLEMENTATION": self.engine})
        process.stem = stem
        return process

    @staticmethod
    def end(process, status=0, timeout=120):
        process.wait(timeout)
        said = []
        for suffix in ("", ".err"):
            with open(process.stem + suffix, encoding="utf-8", errors="replace") as file:
                said.append(file.read())
        assert status is None or process.returncode == status, \
            f"{process.args[3:]}: status {process.returncode}: {said[1]}{said[0]}"
        return said

    def net(self, *argv, status=0):
        """(standard output, standard error)"""
        return self.end(self.start(NET, *argv), status)

    def up(self):
        self.net("up", self.path)
        self.queue(self.name)

    def queue(self, name):
        """Room for what a busy machine leaves lying: it is not the rotation that would lose it."""
        self.space.ip(f"link set {name} txqueuelen 10000")

    def step(self, step, *argv):
        return self.start(NET, "rotate", step, self.path, *argv, "--state", self.state)

    def rotate(self, step, *argv, status=0):
        return self.end(self.step(step, *argv), status)

    def prepare(self, *argv):
        """The path of the offer."""
        path = os.path.join(self.folder, "offer.json")
        with open(path, "w", encoding="ascii") as file:
            file.write(self.rotate("prepare", *argv)[0])
        self.queue(self.second)
        return path

    def status(self):
        ended = self.step("status", "--json")
        return json.loads(self.end(ended, None)[0])

    def dump(self, name=None):
        """Peers of the device: {public key: (preshared key, allowed IPs, keepalive)}; and its own keys."""
        rows = [line.split("\t") for line in run("wg", "show", name or self.name, "dump").stdout.splitlines()]
        return rows[0][:2], {row[0]: (row[1], sorted(row[3].split(",")), row[7]) for row in rows[1:]}

    def routes(self):
        """What routing looks like, without the numbers that differ each time."""
        return [json.loads(self.space.run("ip", "-j", family, "route", "show", "table", "all").stdout or "[]")
                for family in ("-4", "-6")]


def two_ends(bed, psk=None, extra="", one_knows=True, full=False):
    """`one_knows`: where the other end is."""
    spaces = bed.namespaces(2)
    bed.link(*spaces, ["192.0.2.1/24"], ["192.0.2.2/24"])
    one, two = (End(bed, space, number) for number, space in enumerate(spaces, 1))
    one.write(two, psk=psk, extra=extra, endpoints=one_knows, full=full)
    two.write(one, psk=psk, extra=extra)
    for end in (one, two):
        end.up()
        end.space.ip(f"addr add {end.behind}/32 dev lo")
    two.space.reach(one.inside)
    return one, two


class Stream(threading.Thread):
    """Numbered datagrams both ways between pairs of ((namespace, address), (namespace, address))."""

    def __init__(self, pairs, rate=100, port=7000):
        super().__init__(daemon=True)
        self.rate, self.ways, self.stopped = rate, [], threading.Event()
        for number, ends in enumerate(pairs):
            sockets = []
            for (space, own), (_, other) in (ends, ends[::-1]):
                family = socket.AF_INET6 if ":" in own else socket.AF_INET
                one = space.socket(family)
                one.bind((own, port + number))
                one.connect((other, port + number))
                one.setblocking(False)
                one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
                sockets.append(one)
            for here, there in (sockets, sockets[::-1]):
                self.ways.append({"from": here, "to": there, "name": f"{ends[0][1]}, {ends[1][1]}", "sent": 0, "got": {}})
        self.by_socket = {way["to"]: way for way in self.ways}

    def run(self):
        begin = time.monotonic()
        rounds = 0
        while not self.stopped.is_set():
            for way in self.ways:
                try:
                    way["from"].send(b"%d" % way["sent"])
                except (BlockingIOError, ConnectionRefusedError):
                    way.setdefault("failed", []).append(way["sent"])
                way["sent"] += 1
            rounds += 1
            self.receive(begin + rounds / self.rate)
        end = time.monotonic() + 5
        while time.monotonic() < end and any(len(way["got"]) < way["sent"] for way in self.ways):
            self.receive(time.monotonic() + 0.05)

    def receive(self, until):
        while (left := until - time.monotonic()) > 0:
            for one in select.select(list(self.by_socket), [], [], left)[0]:
                way = self.by_socket[one]
                try:
                    while True:
                        number = int(one.recv(100))
                        way["got"][number] = way["got"].get(number, 0) + 1
                except (BlockingIOError, ConnectionRefusedError):
                    pass

    def finish(self):
        """(sent, lost, doubled) over all ways."""
        self.stopped.set()
        self.join()
        sent = sum(way["sent"] for way in self.ways)
        lost = [n for way in self.ways for n in range(way["sent"]) if n not in way["got"]]
        doubled = sum(1 for way in self.ways for count in way["got"].values() if count > 1)
        for way in self.ways:
            gone = [n for n in range(way["sent"]) if n not in way["got"]]
            if gone:
                print(f"{way['name']} from {way['from'].getsockname()}: lost {len(gone)} of {way['sent']}, "
                      f"{gone[0]} to {gone[-1]}; failed to send {way.get('failed')}")
        for way in self.ways:
            way["from"].close()
        return sent, lost, doubled

    def check(self, what, least=100):
        sent, lost, doubled = self.finish()
        print(f"{what}: {sent} sent, {len(lost)} lost, {doubled} twice")
        assert sent >= least and not lost and not doubled, f"{what}: lost {lost[:20]} of {sent}, {doubled} twice"


def stream_between(one, two, rate=100, port=7000):
    """IPv4, IPv6, and a network behind each end."""
    stream = Stream([((one.space, one.inside), (two.space, two.inside)),
                     ((one.space, one.inside6), (two.space, two.inside6)),
                     ((one.space, one.behind), (two.space, two.behind))], rate, port)
    stream.start()
    return stream


def exchange(one, two, *options):
    offers = one.prepare(), two.prepare()
    one.rotate("accept", offers[1], *options)
    two.rotate("accept", offers[0], *options)


def skewed(ends, step, *options):
    """Each end a moment after the one before; all at once if they wait for each other."""
    steps = []
    for end in ends:
        steps.append((end, end.step(step, *options)))
        time.sleep(SKEW)
    return [end.end(process) for end, process in steps]


def check_new(end, other, text, psk=None):
    """All of the new keys, nothing left of the old ones, nothing else changed."""
    own, peers = end.dump()
    assert own[1] != end.public and list(peers) != [other.public], "the old keys"
    (peer, (shared, allowed, keepalive)), = peers.items()
    assert keepalive == "off" and (psk is None or shared == psk)
    expected = text.replace(end.private, own[0]).replace(other.public, peer)
    if psk and "PresharedKey" not in text:
        expected = expected.replace(f"PublicKey = {peer}\n", f"PublicKey = {peer}\nPresharedKey = {psk}\n")
    elif psk:
        old = text.split("PresharedKey = ")[1][:44]
        expected = expected.replace(old, psk)
    assert end.text() == expected, end.text()
    assert not os.listdir(end.state)
    assert end.second not in end.space.run("ip", "-br", "link").stdout
    assert "is as" in end.net("plan", end.path)[0]
    return own[1]


def settled(one, two):
    """All that a rotation may change."""
    return [(end.dump(), end.text(), end.routes(), end.space.run("ip", "-br", "link").stdout.split("@")[0],
             [name for name in (os.listdir(end.state) if os.path.exists(end.state) else []) if name[0] != "."])
            for end in (one, two)]


def differ(before, after, what):
    """Fails with what differs between two of `settled`."""
    for old, new in zip(before, after):
        for part, other in zip(old, new):
            assert part == other, f"{what}: {part} is now {other}"


def goes_back(bed, one, two, steps):
    """Aborted after some of the steps of each end: the old keys, the old files."""
    before = settled(one, two)
    stream = stream_between(one, two)
    exchange(one, two)
    for step, ends in steps:
        skewed([(one, two)[end - 1] for end in ends], step, "--quiet", "1")
    one.rotate("abort")
    two.rotate("abort")
    skewed((one, two), "run", "--quiet", "0")
    stream.check(f"abort after {steps}")
    after = settled(one, two)
    differ(before, after, f"abort after {steps}")

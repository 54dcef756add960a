#!/usr/bin/python3
"""net_bench.py [--bin FOLDER] [--applies N] [--rate R] [--peers P] [--engine COMMAND]: what wgkit net apply costs those
who are connected, beside `wg syncconf`.

Two devices in network namespaces send numbered UDP datagrams through their tunnel, both ways, while one of them is
changed: N times nothing, and N times one of its P other peers. Counted is what did not arrive. The rate is halved until
a run without changes loses nothing. Then: the time of a plan for 20,000 peers, and the bytes that an apply with nothing
to do sends.
"""
import argparse
import os
import pathlib
import random
import re
import socket
import struct
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "integration" / "tunnel"))
from bed import Bed, end_on_signals, run  # noqa: E402
from device import make_keys  # noqa: E402

SIZE = 200
QUIET = 1.0  # seconds without a datagram, after which none is expected any more


class Stream:
    """Numbered datagrams from one namespace to an address in another, at a rate, until stopped."""

    def __init__(self, source, target, address, rate):
        self.receiver = target.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.receiver.setsockopt(socket.SOL_SOCKET, 33, 32 << 20)  # SO_RCVBUFFORCE: the bench may be late
        self.receiver.bind((address, 0))
        self.receiver.settimeout(QUIET)
        self.sender = source.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sender.setsockopt(socket.SOL_SOCKET, 32, 8 << 20)  # SO_SNDBUFFORCE
        self.sender.connect(self.receiver.getsockname())
        self.rate, self.sent, self.seen, self.stopped = rate, 0, set(), threading.Event()
        self.threads = [threading.Thread(target=one, daemon=True) for one in (self.receive, self.send)]
        for thread in self.threads:
            thread.start()

    def send(self):
        begin, filler = time.monotonic(), b"." * (SIZE - 8)
        while not self.stopped.is_set():
            due = int((time.monotonic() - begin) * self.rate)
            while self.sent < due:
                self.sender.send(struct.pack("!Q", self.sent) + filler)
                self.sent += 1
            time.sleep(0.001)

    def receive(self):
        while True:
            try:
                self.seen.add(struct.unpack_from("!Q", self.receiver.recv(2048))[0])
            except TimeoutError:
                if self.stopped.is_set():
                    return

    def lost(self):
        self.stopped.set()
        for thread in self.threads:
            thread.join()
        return self.sent - len(self.seen)

    def gaps(self):
        """[(first lost, how many in a row)], once it has ended."""
        found = []
        for number in range(self.sent):
            if number not in self.seen:
                if found and sum(found[-1]) == number:
                    found[-1] = (found[-1][0], found[-1][1] + 1)
                else:
                    found.append((number, 1))
        return found


class Pair:
    def __init__(self, bed, engine, net, others):
        self.net = net
        self.left, self.right = bed.namespaces(2)
        bed.link(self.left, self.right, ["192.0.2.1/24"], ["192.0.2.2/24"])
        self.a, self.b = (bed.device(space, engine, log="") for space in (self.left, self.right))
        for device, port in ((self.a, 51820), (self.b, 51821)):
            device.set_key()
            device.wg("listen-port", str(port))
        self.b.peer(self.a.public, "allowed-ips", "10.0.0.1/32", "endpoint", "192.0.2.1:51820")
        self.others = [make_keys()[1] for _ in range(others)]
        self.path = os.path.join(bed.folder, self.a.name + ".conf")
        self.write(0)
        run("wg", "setconf", self.a.name, self.path)
        self.a.up("10.0.0.1/24")
        self.b.up("10.0.0.2/24")
        self.left.reach("10.0.0.2")

    def write(self, turn):
        """One of the other peers has other allowed IPs in each turn."""
        parts = [f"[Interface]\nPrivateKey = {self.a.private}\nListenPort = 51820\n[Peer]\nPublicKey = {self.b.public}\n"
                 "AllowedIPs = 10.0.0.2/32\nEndpoint = 192.0.2.2:51821\n"]
        for number, public in enumerate(self.others):
            extra = f", 10.2.{number % 250}.0/24" if turn and number == turn % len(self.others) else ""
            parts.append(f"[Peer]\nPublicKey = {public}\nAllowedIPs = 10.1.{number // 250}.{number % 250}/32{extra}\n")
        with open(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as file:
            file.write("".join(parts))

    def measure(self, rate, work):
        """(lost, sent, seconds) while `work` is done."""
        streams = [Stream(self.left, self.right, "10.0.0.2", rate), Stream(self.right, self.left, "10.0.0.1", rate)]
        begin = time.monotonic()
        work()
        seconds = time.monotonic() - begin
        lost = sum(stream.lost() for stream in streams)
        for stream, way in zip(streams, "there back".split()):
            if gaps := stream.gaps():
                print(f"    {way}: lost of {stream.sent}: {', '.join(f'{n} from {f} on' for f, n in gaps[:5])}"
                      f"{f' and {len(gaps) - 5} more times' if len(gaps) > 5 else ''}")
        return lost, sum(stream.sent for stream in streams), seconds


def loss(bed, options, net):
    pair = Pair(bed, options.engine, net, options.peers)
    commands = {"wgkit net apply": [net, "apply", pair.path, "--allow-removals", "0"],
                "wg syncconf": ["wg", "syncconf", pair.a.name, pair.path]}
    rate = options.rate
    while pair.measure(rate, lambda: time.sleep(5))[0] and rate > 100:
        rate //= 2
    print(f"{options.engine}: {options.peers + 1} peers, {rate} datagrams/s each way, at which nothing is lost without")

    def repeat(words, changes):
        for turn in range(1, options.applies + 1):
            if changes:
                pair.write(turn)
            subprocess.run(words(turn) if callable(words) else words, stdout=subprocess.DEVNULL, check=True)

    def wg_set(turn):
        """One message that names one other peer: what an engine loses over this is its own."""
        number = turn % len(pair.others)
        extra = f",10.2.{number % 250}.0/24" if turn % 2 else ""
        return ["wg", "set", pair.a.name, "peer", pair.others[number], "allowed-ips",
                f"10.1.{number // 250}.{number % 250}/32{extra}"]
    for name, words in (("wg show dump", ["wg", "show", pair.a.name, "dump"]), ("wg set of one other peer", wg_set)):
        lost, sent, seconds = pair.measure(rate, lambda: repeat(words, False))
        print(f"  {options.applies} x {name}: {lost} lost of {sent}, {1000 * seconds / options.applies:.1f} ms each",
              flush=True)
    for changes, what in ((False, "that change nothing"), (True, "that change one peer")):
        for name, words in commands.items():
            pair.write(0)
            run(*words)
            lost, sent, seconds = pair.measure(rate, lambda: repeat(words, changes))
            print(f"  {options.applies} x {name} {what}: {lost} lost of {sent}, "
                  f"{1000 * seconds / options.applies:.1f} ms each", flush=True)


def many_peers(bed, options, net):
    device = bed.device(bed.namespace(), options.engine, log="")
    device.set_key()
    generator = random.Random(1)
    peers = [make_keys()[1]]
    import base64
    while len(peers) < 20000:
        peers.append(base64.b64encode(generator.randbytes(32)).decode())
    path = os.path.join(bed.folder, device.name + ".conf")
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as file:
        file.write(f"[Interface]\nPrivateKey = {device.private}\n"
                   + "".join(f"[Peer]\nPublicKey = {key}\nAllowedIPs = 10.{n >> 16}.{n >> 8 & 255}.{n & 255}/32\n"
                             for n, key in enumerate(peers)))
    run("wg", "setconf", device.name, path, timeout=120)
    best = {}
    for name, words in (("plan of 20,000 peers", [net, "plan", path]), ("the dump alone", [net, "show", device.name, "dump"])):
        for _ in range(5):
            begin = time.monotonic()
            subprocess.run(words, stdout=subprocess.DEVNULL, check=True)
            best[name] = min(best.get(name, 99), time.monotonic() - begin)
        print(f"{name}: {best[name]:.2f} s")
    trace = os.path.join(bed.folder, "trace")
    run("strace", "-f", "-qq", "-o", trace, "-e", "trace=sendto,sendmsg,write,send", net, "apply", path, timeout=120)
    with open(trace, encoding="utf-8", errors="replace") as file:
        sent = [line for line in file if re.search(r"(sendto|sendmsg|send)\(|write\(\d+, \"(get|set)=1", line)]
    print(f"messages of an apply with nothing to do: {len(sent)}")
    for line in sent:
        print("  " + line.strip()[:110])


def main():
    end_on_signals()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", default=str(ROOT / "build" / "dev" / "bin"))
    parser.add_argument("--applies", type=int, default=1000)
    parser.add_argument("--rate", type=int, default=20000)
    parser.add_argument("--peers", type=int, default=300)
    parser.add_argument("--engine")
    parser.add_argument("--only-loss", action="store_true", help="nothing of 20,000 peers")
    options = parser.parse_args()
    options.engine = options.engine or os.path.join(options.bin, "wgkit-tunnel") + " -f"
    net = os.path.abspath(os.path.join(options.bin, "wgkit-net"))
    for part in (loss,) if options.only_loss else (loss, many_peers):
        with Bed() as bed:
            part(bed, options, net)


if __name__ == "__main__":
    main()

#!/usr/bin/python3
"""What tunnel engines do where a loop of veth and one kind of engine does not tell, side by side in one run.

  tunnel_bench.py [--rounds N] [--secs S] [--work LIST] NAME=COMMAND...

COMMAND starts an engine in the foreground; an interface's name is added. `COMMAND` may begin with settings:
env WGKIT_NO_AVX512=1 wgkit-tunnel -f. The first engine is what the ratios refer to. Works:
  nic       TCP with every offload off on the link (ethtool -K): Mbit/s, and CPU seconds per GB of both ends
  mixed     TCP for each ordered pair of different engines, sender first: the same figures
  pps       64-byte datagrams a second at less than 0.1 % loss, by bisection
  loaded    99th percentile and median of the round trip, ms, beside one TCP stream
  idle      wake-ups a second of an idle engine with a session, over --idle seconds
  shakes    handshakes a second that a responder with 1,000 peers answers (32 at a time)
  peers     packets a second from 1,000 active peers, ratio to the same from one
Needs root and `scripts/bootstrap test`. Prints a table in Markdown.
"""
import argparse
import json
import os
import re
import shlex
import socket
import statistics
import struct
import subprocess
import sys
import time

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
sys.path.insert(0, os.path.join(ROOT, "tests", "integration", "tunnel"))
import packets  # noqa: E402
from bed import Bed, end_on_signals, wait_for  # noqa: E402
from pairs import LEFT4, PORT, RIGHT4, veth_pair  # noqa: E402
from tools import need  # noqa: E402
from uapi import hex_key, put  # noqa: E402
from noise import Initiator, PrivateKey  # noqa: E402

OFFLOADS = "tso gso gro tx-udp-segmentation sg tx-checksumming rx-checksumming rx-gro-list rx-udp-gro-forwarding"
PEERS = 1000


def cpu_seconds(device):
    with open(f"/proc/{device.process.pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def make_pair(bed, left, right):
    pair = veth_pair(bed, left, right, log="silent")
    pair.left.namespace.reach(RIGHT4)
    return pair


def iperf(pair, seconds, *arguments):
    """Mbit/s received by the right side."""
    program = need("iperf3", "iperf3")
    server = pair.right.namespace.start(program, "-s", "-1", "-B", RIGHT4, stdout=-3, stderr=-3)
    try:
        time.sleep(0.3)
        ran = pair.left.namespace.run(program, "-c", RIGHT4, "-J", "-t", str(seconds), *arguments, timeout=seconds + 20)
        return json.loads(ran.stdout)["end"]["sum_received"]["bits_per_second"] / 1e6
    finally:
        server.terminate()
        server.wait(5)


def tcp_with_cost(pair, seconds):
    """{Mbit/s, CPU seconds per GB of the sender's and of the receiver's engine}"""
    before = [cpu_seconds(side.device) for side in (pair.left, pair.right)]
    rate = iperf(pair, seconds)
    gigabytes = rate * seconds / 8000
    spent = [cpu_seconds(side.device) - was for side, was in zip((pair.left, pair.right), before)]
    return {"Mbit/s": rate, "CPU s/GB sender": spent[0] / gigabytes, "CPU s/GB receiver": spent[1] / gigabytes}


def nic(bed, command, options):
    pair = make_pair(bed, command, command)
    for side, link in zip((pair.left, pair.right), pair.links):
        for feature in OFFLOADS.split():
            side.namespace.run(need("ethtool", "ethtool"), "-K", link, feature, "off", check=False)
    return tcp_with_cost(pair, options.secs)


def received(device):
    """Packets that its interface gave to the system; the engine's process is in the same namespace."""
    with open(f"/proc/{device.process.pid}/net/dev", encoding="ascii") as file:
        return int(re.search(rf"{device.name}:\s*\d+\s+(\d+)", file.read())[1])


def pps(bed, command, options):
    """Raw packets into the left interface; counted as they leave the right one."""
    pair = make_pair(bed, command, command)
    pair.right.namespace.nft("table ip n { chain in { type filter hook prerouting priority raw; udp dport 9 drop; }; }")
    pool = packets.Pool([packets.with_headers(bytes(64), LEFT4, RIGHT4, 9, 1024 + n) for n in range(2000)], RIGHT4)
    low, high = 2000, 600000
    with pair.left.namespace.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as raw:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 22)
        for _ in range(11):
            rate = int((low * high) ** 0.5) if high > 2 * low else (low + high) // 2
            before, begin = received(pair.right.device), time.monotonic()
            sent = pool.send(raw, rate, 0.7, batch=32)
            seconds = time.monotonic() - begin
            time.sleep(0.15)
            came = received(pair.right.device) - before
            if came >= 0.999 * sent and sent / seconds > 0.9 * rate:
                low = rate
            else:
                high = rate
    return {"packets/s": low}


def loaded(bed, command, options):
    pair = make_pair(bed, command, command)
    count = int(options.secs * 150)
    ping = bed.process(pair.left.namespace.start("ping", "-n", "-i", "0.005", "-c", str(count), "-W", "1", RIGHT4,
                                                 stdout=subprocess.PIPE, stderr=subprocess.DEVNULL))
    iperf(pair, options.secs + 1)
    text = ping.communicate(timeout=30)[0].decode()
    times = sorted(float(x) for x in re.findall(r"time=([\d.]+) ms", text))
    return {"p99 ms": times[int(len(times) * 0.99)], "median ms": statistics.median(times),
            "lost %": 100 * (1 - len(times) / count)}


def switches(device):
    """Voluntary context switches: each is a wake-up."""
    total = 0
    for task in os.listdir(f"/proc/{device.process.pid}/task"):
        with open(f"/proc/{device.process.pid}/task/{task}/status", encoding="ascii") as file:
            total += int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", file.read(), re.M)[1])
    return total


def idle(bed, command, options):
    pair = make_pair(bed, command, command)
    time.sleep(1)
    before, begin = switches(pair.left.device), cpu_seconds(pair.left.device)
    time.sleep(options.idle)
    return {"wake-ups/s": (switches(pair.left.device) - before) / options.idle,
            "CPU ms/s": 1000 * (cpu_seconds(pair.left.device) - begin) / options.idle}


class Crowd:
    """A responder and so many peers of it, all in this program, at one address."""

    def __init__(self, bed, command, count):
        self.inside, self.outside = bed.namespaces(2)
        bed.link(self.inside, self.outside, ["10.0.0.1/24"], ["10.0.0.2/24"])
        self.device = bed.device(self.inside, command, log="silent")
        self.device.set_key()
        self.device.wg("listen-port", str(PORT))
        responder = bytes.fromhex(hex_key(self.device.public))
        self.peers = [Initiator(PrivateKey(), responder, n + 1) for n in range(count)]
        text = "".join(f"public_key={peer.private.public.hex()}\nallowed_ip=10.{100 + (n >> 8)}.{n & 255}.1/32\n"
                       for n, peer in enumerate(self.peers))
        assert put(self.device.name, text) == 0
        self.device.up("10.99.0.1/24")
        wait_for("the port is bound", lambda: PORT in self.inside.bound_ports())
        time.sleep(0.3)
        self.socket = self.outside.socket()
        bed.stack.callback(self.socket.close)
        self.socket.setsockopt(socket.SOL_SOCKET, 33, 1 << 23)
        self.socket.connect(("10.0.0.1", PORT))

    def connect(self, window=32):
        """All handshakes; how many a second were answered, and how many at all."""
        messages = [peer.initiation() for peer in self.peers]
        answers, at, begin = [], 0, time.monotonic()
        self.socket.settimeout(0.3)
        while len(answers) < len(messages):
            while at < len(messages) and at - len(answers) < window:
                self.socket.send(messages[at])
                at += 1
            try:
                data = self.socket.recv(2000)
                if data[0] == 2:
                    answers.append(data)
            except TimeoutError:
                break
        seconds = time.monotonic() - begin
        for data in answers:
            peer = self.peers[struct.unpack_from("<I", data, 8)[0] - 1]
            assert peer.accept(data), "a response with a wrong tag"
        return len(answers) / seconds, len(answers)


def shakes(bed, command, options):
    rate, count = Crowd(bed, command, PEERS).connect()
    return {"handshakes/s": rate, "of 1000": count}


def delivered(bed, command, count):
    """Packets a second that `count` active peers get through, of 20,000 prepared ones of 1,392 bytes."""
    crowd = Crowd(bed, command, count)
    assert crowd.connect()[1] >= 0.99 * count, "not all connected"
    ready = [(n, peer) for n, peer in enumerate(crowd.peers) if hasattr(peer, "sending")]
    messages = []
    for number in range(20000):
        n, peer = ready[number % len(ready)]
        inner = packets.with_headers(bytes(1364), f"10.{100 + (n >> 8)}.{n & 255}.1", "10.99.0.1", 9, 9)
        messages.append(peer.data(bytes(inner[:2]) + struct.pack("!H", len(inner)) + inner[4:]))
    before, cpu, begin = received(crowd.device), cpu_seconds(crowd.device), time.monotonic()
    for number, message in enumerate(messages):
        crowd.socket.send(message)
        if number % 64 == 63:  # not faster than they are taken
            end = time.monotonic() + 0.02
            while received(crowd.device) < before + number - 400 and time.monotonic() < end:
                pass
    wait = time.monotonic() + 0.5
    while received(crowd.device) - before < len(messages) and time.monotonic() < wait:
        pass
    seconds = time.monotonic() - begin
    came = received(crowd.device) - before
    return came / seconds, came / len(messages), 1e6 * (cpu_seconds(crowd.device) - cpu) / max(came, 1)


def peers(bed, command, options):
    many, share, cost = delivered(bed, command, PEERS)
    with Bed() as other:
        _, _, cost_of_one = delivered(other, command, 1)
    return {"packets/s": many, "delivered %": 100 * share, "CPU us/packet": cost, "the same with one peer": cost_of_one}


def mixed(bed, command, options, other):
    return tcp_with_cost(make_pair(bed, command, other), options.secs)


WORKS = {"nic": nic, "mixed": mixed, "pps": pps, "loaded": loaded, "idle": idle, "shakes": shakes, "peers": peers}


def measure(options, engines):
    """{(work, who): {figure: [values]}}"""
    got = {}
    for _ in range(options.rounds):
        for work in options.work:
            for name, command in engines.items():
                others = [n for n in engines if n != name] if work == "mixed" else [None]
                for other in others:
                    who = f"{name} to {other}" if other else name
                    try:
                        with Bed() as bed:
                            extra = (engines[other],) if other else ()
                            figures = WORKS[work](bed, command, options, *extra)
                    except (AssertionError, OSError, subprocess.SubprocessError, IndexError, KeyError) as error:
                        print(f"{work}, {who}: failed: {error}", file=sys.stderr)
                        continue
                    for figure, value in figures.items():
                        got.setdefault((work, who), {}).setdefault(figure, []).append(value)
    return got


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("engines", nargs="+", metavar="NAME=COMMAND")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--secs", type=int, default=4)
    parser.add_argument("--idle", type=int, default=10)
    parser.add_argument("--work", type=lambda text: text.split(","), default=list(WORKS))
    options = parser.parse_args()
    if unknown := set(options.work) - set(WORKS):
        parser.error(f"no such work: {', '.join(unknown)}")
    engines = dict(text.split("=", 1) for text in options.engines)
    for command in engines.values():
        shlex.split(command)
    end_on_signals()
    got = measure(options, engines)
    first = next(iter(engines))
    print(f"| work | engine | figures, medians of {options.rounds} (ratio to {first}) |\n|---|---|---|")
    for (work, who), figures in sorted(got.items(), key=lambda item: options.work.index(item[0][0])):
        texts = []
        for figure, values in figures.items():
            value, base = statistics.median(values), got.get((work, first), {}).get(figure)
            base = statistics.median(base) if base and who != first else 0
            ratio = f" ({value / base:.2f})" if base else ""
            texts.append(f"{figure} {value:.4g}{ratio}")
        print(f"| {work} | {who} | {'; '.join(texts)} |")


if __name__ == "__main__":
    main()

#!/usr/bin/python3
"""rotate_bench.py [--bin FOLDER] [--rounds N]: datagrams lost while both ends of a tunnel get new keys, 200 ms apart:
by wgkit net rotate, and as people do it, by wg set or wg syncconf. Numbered datagrams go both ways, at the highest of
some rates at which nothing is lost without a change."""
import argparse
import os
import signal
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--bin", default=os.path.join(ROOT, "build", "dev", "bin"))
parser.add_argument("--only", choices=("rotate", "set", "syncconf"))
parser.add_argument("--rounds", type=int, default=5)
parser.add_argument("--rates", type=int, nargs="+", default=[20000, 10000, 5000, 2000, 1000])
ARGUMENTS = parser.parse_args()
os.environ["WGKIT_BIN"] = os.path.abspath(ARGUMENTS.bin)
sys.path[:0] = [os.path.join(ROOT, "tests", "integration", "rotate")]
from ends import SKEW, Bed, exchange, make_keys, run, skewed, two_ends  # noqa: E402

STEPS = []  # when each began
NUMBERS = os.path.join(os.environ["WGKIT_BIN"], "wgkit_udp_numbers")
RATES = ARGUMENTS.rates


class Count:
    """Both ends send `rate` datagrams a second from here to `end`."""

    def __init__(self, one, two, rate):
        self.processes = [
            end.space.start(NUMBERS, end.inside, other.inside, "7000", str(rate), stdout=subprocess.PIPE, text=True)
            for end, other in ((one, two), (two, one))]
        time.sleep(1)

    def end(self):
        """(sent, lost, twice), both ways."""
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
        words = [process.communicate()[0].split() for process in self.processes]
        self.gaps = [line[7:] for line in words]
        sent = [int(line[1]) for line in words]
        received = [int(line[3]) for line in words]
        return sum(sent), sum(sent) - sum(received), sum(int(line[5]) for line in words)


def highest_rate(one, two):
    for rate in RATES:
        count = Count(one, two, rate)
        time.sleep(6 * ARGUMENTS.rounds)  # as long as the rotations take
        sent, lost, _ = count.end()
        print(f"control, {rate}/s each way: {lost} of {sent} lost", flush=True)
        if lost == 0:
            return rate
    return RATES[-1]


def by_rotate(one, two):
    STEPS.clear()
    exchange(one, two)
    for step in ("switch", "rekey", "return", "finish"):
        STEPS.append((step, time.monotonic()))
        skewed((one, two), step, "--quiet", "1")


def new_keys(one, two):
    return {end: make_keys() for end in (one, two)}


def by_set(one, two):
    keys = new_keys(one, two)
    for end, other in ((one, two), (two, one)):
        old = run("wg", "show", end.name, "peers").stdout.strip()
        run("wg", "set", end.name, "private-key", "/dev/stdin", "peer", old, "remove", "peer", keys[other][1],
            "endpoint", f"{other.outside}:51820", "allowed-ips", f"{other.inside}/32", input=keys[end][0] + "\n")
        time.sleep(SKEW)
    time.sleep(1)


def by_syncconf(one, two):
    keys = new_keys(one, two)
    for end, other in ((one, two), (two, one)):
        text = (f"[Interface]\nPrivateKey = {keys[end][0]}\nListenPort = 51820\n[Peer]\nPublicKey = {keys[other][1]}\n"
                f"AllowedIPs = {other.inside}/32\nEndpoint = {other.outside}:51820\n")
        run("wg", "syncconf", end.name, "/dev/stdin", input=text)
        time.sleep(SKEW)
    time.sleep(1)


def main():
    with Bed() as bed:
        one, two = two_ends(bed)
        rate = highest_rate(one, two)
        for name, change in (("wgkit net rotate", by_rotate), ("wg set", by_set), ("wg syncconf", by_syncconf)):
            if ARGUMENTS.only and not name.endswith(ARGUMENTS.only):
                continue
            total = [0, 0, 0]
            for _ in range(ARGUMENTS.rounds):
                count = Count(one, two, rate)
                begin = time.monotonic()
                change(one, two)
                took = time.monotonic() - begin
                counted = count.end()
                if counted[1]:
                    print("  lost", counted[1], "at", count.gaps, [(step, round((when - begin + 1) * rate)) for step, when in STEPS],
                          flush=True)
                total = [a + b for a, b in zip(total, counted)]
            print(f"{name}, {rate}/s each way, {ARGUMENTS.rounds} changes of {took:.1f} s: "
                  f"{total[1]} of {total[0]} lost, {total[2]} twice", flush=True)


if __name__ == "__main__":
    main()

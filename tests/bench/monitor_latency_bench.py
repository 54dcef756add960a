#!/usr/bin/python3
"""monitor_latency_bench.py [--bin FOLDER] [--rounds N] [--replay-only]: from a cut to its message.

First with recordings of cut tunnels: at which look, of every phase that a schedule can have to the cut, is the peer in
trouble? Then with real tunnels in namespaces, cut at random moments, looked at every 15 s as the timer does, until a
webhook has arrived. Beside each the rule of the well-known shell loop, a handshake older than 180 s, at the same looks.
Real time: seven minutes a round.
"""
import argparse
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import threading
import time

from monitor_bench import ROOT, SECRET, Trace, key

sys.path[:0] = [str(ROOT / "tests/integration/tunnel"), str(ROOT / "tests/support")]
LOOP_AGE = 180
PAIRS_OF_A_KIND = 4
# What the left side does while it is cut: (name, seconds between pings, more options)
KINDS = (("a ping every 5 s", 5, ()), ("20 packets a second", 0.05, ()), ("20 packets a second, --probe", 0.05, ("--probe",)))


def p95(values):
    return sorted(values)[max(0, -(-95 * len(values) // 100) - 1)]


def tell(name, values, total):
    known = f"{p95(values):.0f} s at the 95th percentile, {max(values):.0f} s at most" if len(values) == total else \
        f"only {len(values)} of {total}"
    print(f"  {name:<44} {known}")


def looked_at(traces, monitor, spacing, phase, folder):
    """When each trace was first called trouble after its cut, by (trace, rule)."""
    state, found = os.path.join(folder, f"{spacing}-{phase}"), {}
    second = float(phase)
    while second <= 600:
        now, lines = 1_800_000_000 + int(second), [f"wg0\t{SECRET}\t{key(1)}\t1\toff"]
        for number, trace in enumerate(traces):
            handshake, rx, tx = trace.at(second)
            age = trace.start + second - handshake
            at = now - int(age) if handshake else 0
            lines.append("\t".join(map(str, ("wg0", key(number + 2), SECRET, "10.0.0.2:51820", "10.0.0.2/32", at, rx, tx,
                                              trace.keepalive or "off"))))
            if second >= trace.cut and (not handshake or age > LOOP_AGE):
                found.setdefault((number, "loop"), second - trace.cut)
        ran = subprocess.run([monitor, "--dump", "-", "--state", state, "--now", str(now), "--max-stale", "180",
                              "--format", "json"], input="\n".join(lines) + "\n", text=True, capture_output=True, check=False)
        for number, peer in enumerate(json.loads(ran.stdout)["peers"]):
            if second >= traces[number].cut and peer["level"] != "ok":
                found.setdefault((number, "wgkit"), second - traces[number].cut)
        second += spacing
    return found


def replay(monitor):
    traces = []
    for path in sorted((ROOT / "tests/vectors/monitor").glob("cut_traffic*.left.trace")):
        traces.append(trace := Trace(path))
        trace.cut = next(float(line.split()[1]) for line in path.read_text().splitlines()
                         if line.startswith("event") and "are lost" in line)
    print(f"{len(traces)} recordings of a path that is cut under traffic (a ping every 5 s), every phase of the schedule")
    with tempfile.TemporaryDirectory() as folder:
        for spacing, step in ((15, 1), (120, 5)):
            phases = range(0, spacing, step)
            found = [looked_at(traces, monitor, spacing, phase, folder) for phase in phases]
            for rule in ("wgkit", "loop"):
                tell(f"a look every {spacing} s, {rule}", [at for one in found for (_, who), at in one.items() if who == rule],
                     len(traces) * len(phases))


class Watcher(threading.Thread):
    """The timer of one pair, and the loop beside it."""

    def __init__(self, pair, receiver, folder, monitor, more):
        super().__init__(daemon=True)
        self.pair, self.receiver, self.monitor, self.more = pair, receiver, monitor, more
        self.name = pair.left.device.name
        self.state = os.path.join(folder, f"{self.name}.state")
        self.config = os.path.join(folder, f"{self.name}.yaml")
        self.end, self.cut, self.loop = threading.Event(), None, None
        with open(self.config, "w", encoding="utf-8") as file:
            json.dump({"version": 1, "spool": os.path.join(folder, f"{self.name}.spool"),
                       "targets": {"t": {"type": "webhook", "url": receiver.url}}}, file)

    def look(self):
        subprocess.run([self.monitor, "--netns", self.pair.left.namespace.name, "--interface", self.name, "--state", self.state,
                        "--max-stale", "180", "--alert", self.config, *self.more], capture_output=True, check=False)
        told = subprocess.run(["wg", "show", self.name, "latest-handshakes"], capture_output=True, text=True,
                              check=True).stdout
        at = int(told.split()[-1])
        if self.cut and not self.loop and time.time() - at > LOOP_AGE:
            self.loop = time.monotonic() - self.cut

    def run(self):
        due = time.monotonic() + random.uniform(0, 15)
        while not self.end.wait(max(0.0, due - time.monotonic())):
            due = time.monotonic() + 15  # as OnUnitActiveSec= counts
            self.look()


def real(monitor, rounds):
    from bed import Bed  # noqa: E402
    from pairs import PORT, RIGHT4, veth_pair  # noqa: E402
    from receiver import Receiver  # noqa: E402
    from tools import wgkit  # noqa: E402
    engine = wgkit("tunnel") + " -f"
    took = {name: {"wgkit": [], "loop": []} for name, _, _ in KINDS}
    for _ in range(rounds):
        with Bed() as bed:
            watchers = []
            for name, every, more in KINDS:
                for _ in range(PAIRS_OF_A_KIND):
                    pair = veth_pair(bed, engine, engine)
                    pair.left.device.peer(pair.right.public, "persistent-keepalive", "25")
                    pair.left.namespace.reach(RIGHT4)
                    bed.process(pair.left.namespace.start("ping", "-n", "-q", "-i", str(every), RIGHT4,
                                                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
                    receiver = Receiver()
                    receiver.__enter__()
                    watchers.append((name, Watcher(pair, receiver, bed.folder, monitor, more)))
            for _, one in watchers:
                one.start()
            time.sleep(65)  # looks enough, and for the handshake to be of some age
            for _, one in watchers:
                time.sleep(random.uniform(0, 3))
                for side in (one.pair.left, one.pair.right):
                    side.namespace.nft("add table inet cut\nadd chain inet cut in { type filter hook input priority 0; }\n"
                                       f"add rule inet cut in udp dport {PORT} drop")
                one.cut = time.monotonic()
            end = time.monotonic() + 240
            while time.monotonic() < end and not all(one.loop and one.receiver.requests for _, one in watchers):
                time.sleep(1)
            for name, one in watchers:
                one.end.set()
                one.join(timeout=60)
                early = [request for request in one.receiver.requests if request.at < one.cut]
                if early:
                    print(f"  FALSE ALARM: {early[0].body[:200]}")
                took[name]["wgkit"] += [request.at - one.cut for request in one.receiver.requests[:1]]
                took[name]["loop"] += [one.loop] if one.loop else []
                one.receiver.__exit__()
    print(f"{rounds * PAIRS_OF_A_KIND} real tunnels each, a look every 15 s, from the cut to a webhook received")
    for name, rules in took.items():
        for rule, values in rules.items():
            tell(f"{name}, {rule}", values, rounds * PAIRS_OF_A_KIND)


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--bin", default=str(ROOT / "build/dev/bin"))
    arguments.add_argument("--rounds", type=int, default=2)
    arguments.add_argument("--replay-only", action="store_true")
    options = arguments.parse_args()
    monitor = str(pathlib.Path(options.bin).resolve() / "wgkit-monitor")
    replay(monitor)
    if not options.replay_only:
        real(monitor, options.rounds)


if __name__ == "__main__":
    main()

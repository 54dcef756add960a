#!/usr/bin/env python3
"""A fleet on agents: how soon a change is everywhere, what a revocation takes, what an idle agent costs.

    tests/bench/agents_bench.py [--nodes 20] [--changes 20]
    tests/bench/agents_bench.py --simulated 1000 [--changes 0]

With --simulated: the agent's own HTTP, verify and apply code on devices in memory, all in one process
(agents_sim_bench.cpp), against three real members; one is killed during the changes. Else three etcd members with TLS and users, real agents with wgkit-tunnel in network namespaces, all on this
machine; times are taken at the device (`wg show`), so they hold what asking takes."""
import argparse
import os
import re
import statistics
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "integration", "agents"))
from nodes import Bed, Fleet, end_on_signals, wait_for, wgkit  # noqa: E402


def until(condition, seconds=120.0):
    """How long a condition takes to hold."""
    begin = time.monotonic()
    wait_for("the change", condition, seconds, 0.005)
    return time.monotonic() - begin


def cost(agent, seconds):
    """Share of a processor in percent, and resident memory in MB."""
    def ticks():
        with open(f"/proc/{agent.pid}/stat", encoding="ascii") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return int(fields[11]) + int(fields[12])
    before = ticks()
    time.sleep(seconds)
    used = (ticks() - before) / os.sysconf("SC_CLK_TCK") / seconds * 100
    with open(f"/proc/{agent.pid}/smaps_rollup", encoding="ascii") as file:
        text = file.read()
    field = {name: int(size) / 1024 for name, size in re.findall(r"^(\w+): +(\d+) kB", text, re.M)}
    return used, field["Rss"], field["Pss"]


class Pings:
    """Packets through a tunnel all the time; how many had no answer, and when the last one had."""

    def __init__(self, node, address):
        self.process = node.namespace.start("ping", "-n", "-D", "-i", "0.05", "-W", "1", address, stdout=-1, text=True)
        node.fleet.bed.process(self.process)
        self.answered, self.last = set(), 0.0
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        for line in self.process.stdout:
            found = re.match(r"\[([\d.]+)\].* icmp_seq=(\d+) ", line)
            if found and "bytes from" in line:
                self.last = float(found[1])
                self.answered.add(int(found[2]))

    def lost(self):
        """Up to the last one that was answered."""
        return max(self.answered) - len(self.answered) if self.answered else 0

    def end(self):
        self.process.terminate()
        self.process.wait()
        self.thread.join()


def bench(bed, options):
    fleet = Fleet(bed, members=3, tls=True, password="correct horse")
    fleet.publish()
    token = fleet.token("--count", str(options.nodes + 1))
    begin = time.monotonic()
    nodes = fleet.joined([f"n{i}" for i in range(options.nodes)], token)
    fleet.wait_for_peers(nodes, options.nodes, 300)
    print(f"{options.nodes} nodes from nothing: {time.monotonic() - begin:.1f} s")
    begin = time.monotonic()
    fleet.operate("approve")
    print(f"approved: {time.monotonic() - begin:.1f} s")
    revision = fleet.status()["revision"]
    for node in nodes:
        wait_for(f"revision {revision} at {node.name}", lambda n=node: n.revision() >= revision, 120, 0.1)
    addresses = {one["name"]: one["addresses"][0] for one in fleet.status()["nodes"]}

    late = fleet.node("late")
    begin = time.monotonic()
    late.join(token)
    late.start()
    fleet.wait_for_peers([*nodes, late], options.nodes + 1, 120)
    print(f"one more, from `join` to all devices: {time.monotonic() - begin:.2f} s")
    fleet.operate("approve")

    pings = Pings(nodes[0], addresses[nodes[1].name])
    wait_for("packets", lambda: pings.answered, 60)
    times = []
    for change in range(options.changes):
        if change == options.changes // 3:
            fleet.store.members[0].kill()
        if change == 2 * options.changes // 3:
            fleet.store.members[0].start()
        fleet.write(Fleet.YAML % fleet.phone + f"defaults: {{keepalive: {20 + change}}}\n")
        begin = time.monotonic()
        target = int(re.match(r"revision (\d+)", fleet.publish().stdout)[1])
        until(lambda t=target: all(node.revision() == t for node in nodes))
        times.append(time.monotonic() - begin)
    print(f"{options.changes} changes, a member killed on the way: each at all agents {statistics.median(times):.2f} s "
          f"after `publish` began (median; at most {max(times):.2f} s)")
    orders = [[int(n) for n in re.findall(r"revision (\d+) applied", node.text())] for node in nodes]
    print(f"out of order: {sum(order != sorted(order) for order in orders)}, "
          f"without the last: {sum(order[-1] != target for order in orders)}")
    print(f"packets lost on a tunnel meanwhile: {pings.lost()} of {max(pings.answered)}")
    pings.end()

    used, rss, pss = cost(nodes[2].agent, options.idle)
    print(f"idle agent: {used:.2f} % of a processor, {rss:.1f} MB resident, {pss:.1f} MB of its own share")

    victim = nodes[-1]
    pings = Pings(nodes[0], addresses[victim.name])
    wait_for("packets", lambda: pings.answered, 60)
    begin = time.time()
    thread = threading.Thread(target=fleet.operate, args=("revoke", victim.name))
    thread.start()
    key = victim.run("wg", "show", "wg0", "public-key").stdout.strip()
    rest = [*nodes[:-1], late]
    until(lambda: all(key not in node.peers() for node in rest))
    everywhere = time.time() - begin
    thread.join()
    pings.end()
    print(f"revoked: at all devices {everywhere:.2f} s after `revoke` began; last packet answered at "
          f"{max(0.0, pings.last - begin):.2f} s")


def simulate(bed, options):
    fleet = Fleet(bed, members=3, yaml="version: 1\nnetwork: {name: corp, ipv4: 10.77.0.0/16}\nnodes: []\n")
    fleet.publish()
    program = os.path.join(os.path.dirname(wgkit("agent")), "wgkit_agents_sim_bench")
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        process = fleet.hub.start(program, fleet.home, folder, str(options.simulated),
                                  str(options.running or options.simulated), str(options.changes),
                                  stdout=-1, text=True)
        bed.process(process)
        for line in process.stdout:
            print(line, end="", flush=True)
            if line.startswith("one more") and options.changes:
                victim = fleet.store.members[0]
                threading.Timer(2, victim.kill).start()
                threading.Timer(6, victim.start).start()
        if process.wait() != 0:
            sys.exit("the simulation failed")


def main():
    end_on_signals()
    parser = argparse.ArgumentParser()
    parser.add_argument("--nodes", type=int, default=20)
    parser.add_argument("--simulated", type=int, default=0)
    parser.add_argument("--running", type=int, default=0, help="how many of the simulated nodes do run; 0: all")
    parser.add_argument("--changes", type=int, default=20)
    parser.add_argument("--idle", type=float, default=30.0)
    options = parser.parse_args()
    with Bed() as bed:
        (simulate if options.simulated else bench)(bed, options)


if __name__ == "__main__":
    main()

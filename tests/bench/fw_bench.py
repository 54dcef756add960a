#!/usr/bin/python3 -I
"""fw_bench.py: what `wgkit fw` costs, and what its rules cost.

  - a policy of 10,000 rules for 1,000 nodes: read, compiled and written for every node
  - 10,000 entries loaded by nft, beside calls of `ufw allow` (some are timed; their number grows the time of each)
  - packets of new flows per second through 10 and through 10,000 entries, in turn
  - with --policies N: so many random policies mean the same to the evaluator and to every firewall

Everything in namespaces of its own. Run it on an idle machine.
"""
import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "integration", "fw")]
import inside  # noqa: E402
from probe import Probe, run  # noqa: E402
from tools import wgkit  # noqa: E402

BIN = os.environ.setdefault("WGKIT_BIN", "build/release/bin")


def fleet(nodes, rules):
    """A hub and its clients; every rule lets one client reach another."""
    lines = ["version: 1", "network: {name: net, ipv4: 10.0.0.0/8, topology: [{hub: [hub], spokes: all}]}", "nodes:",
             "  - {name: hub, ipv4: 10.0.0.1, endpoint: 192.0.2.1:51820}"]
    lines += [f"  - {{name: n{i}, ipv4: 10.1.{i // 250}.{i % 250 + 1}}}" for i in range(1, nodes)]
    lines += ["policy:", "  allow:"]
    lines += [f"    - n{1 + i % (nodes - 1)} -> n{1 + (i * 7 + i // (nodes - 1)) % (nodes - 1)}: {1000 + i % 5000}/udp"
              for i in range(rules)]
    return "\n".join(lines) + "\n"


def bench_compile(folder):
    path = os.path.join(folder, "nodes.yaml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(fleet(1000, 10000))
    numbers = run(f"{BIN}/wgkit_fw_bench", path, timeout=120).stdout.split()
    print(f"10,000 rules, 1,000 nodes: inventory {numbers[0]} ms; policy {numbers[1]} ms, compile {numbers[2]} ms, "
          f"nftables text {numbers[3]} ms ({numbers[4]} rules, {int(numbers[5]) >> 20} MiB)")
    return path


def bench_load(path, folder):
    text = run(wgkit("fw"), "--nftables", "--node", "hub", "--nodes", path, timeout=120).stdout
    file = os.path.join(folder, "hub.nft")
    with open(file, "w", encoding="utf-8") as out:
        out.write(text)
    times = []
    for _ in range(5):
        start = time.monotonic()
        run("nft", "-f", file, timeout=120)
        times.append(time.monotonic() - start)
    print(f"nft loads the hub's 10,000 entries in {statistics.median(times):.2f} s")
    run("nft", "flush", "ruleset")
    inside.add_ufw()
    run("ufw", "--force", "enable")
    start = time.monotonic()
    for i in range(20):
        run("ufw", "allow", "in", "on", "wg0", "from", f"10.1.0.{i}", "to", "any", "port", "53")
    each = (time.monotonic() - start) / 20
    print(f"ufw allow: {each:.3f} s each for the first 20, so at least {each * 10000:.0f} s for 10,000")
    run("ufw", "disable")
    run("nft", "flush", "ruleset")


def bench_packets(folder):
    """The node forwards; each packet begins a flow, so that connection tracking never answers for the rules."""
    probe = Probe([("wg0", "10.0.0.1/32"), ("eth0", "192.0.2.1/32")], ["10.0.0.0/8"])
    sender, rates = probe.ends["wg0"], {10: [], 10000: []}
    texts = {}
    for entries in rates:
        path = os.path.join(folder, f"nodes-{entries}.yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(fleet(max(12, entries // 10), entries))
        texts[entries] = run(wgkit("fw"), "--nftables", "--node", "hub", "--nodes", path, timeout=120).stdout
    program = f"{BIN}/wgkit_fw_packets_bench"
    mark = sender.fileno()
    for _ in range(5):
        for entries, text in texts.items():
            run("nft", "-f", "-", input=text, timeout=60)
            run("conntrack", "-F")
            os.set_inheritable(mark, True)
            ran = subprocess.run([program, str(mark), "10.1.0.2", "10.1.0.9", "200000"], capture_output=True, text=True,
                                 check=True, pass_fds=[mark], timeout=120)
            rates[entries].append(float(ran.stdout))
    medians = {e: statistics.median(r) for e, r in rates.items()}
    print(f"packets of new flows through 10 entries: {medians[10] / 1000:.0f}k/s, through 10,000: "
          f"{medians[10000] / 1000:.0f}k/s ({100 * medians[10000] / medians[10]:.0f} %)")


def bench_equivalence(count):
    for backend in ("nftables", "iptables", "ufw", "firewalld"):
        test = os.path.join(HERE, "..", "integration", "fw", "equivalence_test.py")
        subprocess.run([test, backend, str(count if backend != "firewalld" else min(count, 100))], check=True)


def policies():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--policies", type=int, default=0)
    return parser.parse_args().policies


def main():
    with tempfile.TemporaryDirectory(prefix="wgkit-fw-bench-") as folder:
        path = bench_compile(folder)
        bench_packets(folder)
        bench_load(path, folder)
    return 0


if __name__ == "__main__":
    if not os.environ.get(inside.MARK) and policies():
        bench_equivalence(policies())  # each in namespaces of its own
    inside.run(main)

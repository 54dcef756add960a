"""The evaluator and a real firewall agree about every packet."""
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import inside  # noqa: E402
import random_policy  # noqa: E402
from probe import ICMP, ICMPV6, TCP, UDP, Probe, run  # noqa: E402
from tools import wgkit  # noqa: E402

REQUESTS = {ICMP: (8, 13), ICMPV6: (128,)}  # what connection tracking takes for the start of a flow


class Oracle:
    """The evaluator, for one ruleset after the other."""

    def __init__(self):
        program = os.path.join(os.environ.get("WGKIT_BIN", "build/dev/bin"), "wgkit_fw_verdicts")
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def load(self, path, node):
        import json
        self._say(f"load {path} {node}")
        line = self.process.stdout.readline()
        assert line, "the evaluator has ended"
        return json.loads(line)

    def _say(self, text):
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()

    def verdicts(self, packets, states):
        lines = []
        for packet, state in zip(packets, states):
            where = random_policy.route_of(packet.destination)
            lines.append(f"{'input' if where == 'in' else 'forward'} {int(packet.side != 'eth0')} {int(where == 'wg0')} "
                         f"{packet.source} {packet.destination} {packet.protocol} {packet.dport} {state}")
        self._say("\n".join([*lines, "flush"]))
        return [self.process.stdout.readline().strip() for _ in packets]


def fresh_state(packet):
    if packet.protocol in REQUESTS and packet.dport not in REQUESTS[packet.protocol]:
        return "invalid"  # an answer or error of no flow that is known
    return "fresh"


class Case:
    """One policy on the node, its packets, and what the evaluator says of them."""

    def __init__(self, oracle, probe, seed, folder, backend):
        self.backend = backend
        self.others = backend in ("ufw", "firewalld")  # the firewall has rules of its own
        self.bursts = backend != "firewalld"  # there, five packets of a limited rule may come at once
        self.seed, self.path = seed, os.path.join(folder, "nodes.yaml")
        with open(self.path, "w", encoding="utf-8") as file:
            file.write(random_policy.make(seed))
        self.oracle, self.probe = oracle, probe
        ruleset = oracle.load(self.path, "gw")
        packets = random_policy.packets(ruleset, seed)
        # The control: without rules, the same packet arrives.
        found = probe.arrived(packets, seconds=0.5)
        self.lost = len(packets) - len(found)
        self.packets = [p for i, p in enumerate(packets) if i in found]
        self.states = [fresh_state(p) for p in self.packets]
        self.verdicts = oracle.verdicts(self.packets, self.states)
        self.replies = [(p.reply(), v) for p, v in zip(self.packets, self.verdicts)
                        if p.protocol in (TCP, UDP) and random_policy.route_of(p.destination) in ("wg0", "eth0")
                        and (random_policy.route_of(p.destination) == "eth0") != (p.side == "eth0")
                        and not random_policy.is_masqueraded(p)][:40]
        if self.others:  # they drop what belongs to no flow, too
            kept = [i for i, v in enumerate(self.verdicts) if v != "pass" or self.states[i] != "invalid"]
            self.packets, self.states, self.verdicts = ([one[i] for i in kept] for one in (
                self.packets, self.states, self.verdicts))
        self.allowed = sum(v != "drop" for v in self.verdicts)

    def text(self):
        return run(wgkit("fw"), f"--{self.backend}", "--node", "gw", "--nodes", self.path).stdout

    def mismatches(self, seconds=20.0, one_is_enough=False):
        """With the rules loaded: packets of which the firewall thinks otherwise."""
        run("conntrack", "-F")
        wrong = self._compare("new", self.packets, self.verdicts, seconds)
        if wrong and one_is_enough:
            return wrong
        packets = [p for p, _ in self.replies]
        states = ["established" if v != "drop" else "invalid" if p.protocol == TCP else "fresh"
                  for p, v in self.replies]
        verdicts = self.oracle.verdicts(packets, states)
        if self.others:
            kept = [i for i, v in enumerate(verdicts) if v != "pass" or states[i] != "invalid"]
            packets, verdicts = ([one[i] for i in kept] for one in (packets, verdicts))
        return wrong + self._compare("reply", packets, verdicts, seconds)

    def _compare(self, what, packets, verdicts, seconds):
        expected = {i for i, v in enumerate(verdicts) if v != "drop"}
        found = self.probe.arrived(packets, expected, seconds if self.bursts else 0.5)
        if not self.bursts:
            found |= self._one_by_one(packets, sorted(expected - found), seconds)
        return [(what, packets[i], verdicts[i], "arrived" if i in found else "did not arrive")
                for i in sorted(found ^ expected)]


    def _one_by_one(self, packets, late, seconds):
        """Those of them that arrive if they need not come at once: a rate is no part of the meaning."""
        found = set()
        for index in late[:20]:  # more are no matter of rates
            if self.probe.arrived([packets[index]], {0}, min(seconds, 2)):
                found.add(index)
        return found


def load_nft(text):
    run("nft", "-f", "-", input=text)


def unload_nft(_):
    run("nft", "flush", "ruleset")


def load_script(text):
    run("sh", "-s", input=text, timeout=300)  # firewalld takes its time on a busy machine


UFW = {}  # ufw's own rules, by family


def prepare_ufw():
    """Its own rules let everything through, so that ours are seen."""
    inside.add_ufw()
    for hook in ("incoming", "outgoing", "routed"):
        run("ufw", "default", "allow", hook)
    run("ufw", "--force", "enable")
    for program in ("iptables", "ip6tables"):
        UFW[program] = run(f"{program}-save").stdout
    unload_nft("")


def load_ufw(text):
    """Into a ufw that is active; enabling it for every policy would take seconds."""
    for program, rules in UFW.items():
        run(f"{program}-restore", input=rules)
    load_script(text)


def prepare_firewalld():
    """Its own rules let everything through, too."""
    inside.add_firewalld(IPv6_rpfilter="no")  # it drops more than anybody's rules say
    run("firewall-cmd", "--set-default-zone=trusted")
    unload_nft("")


def load_firewalld(text):
    """A reload deletes its table, which must be there."""
    run("nft", "add", "table", "inet", "firewalld")
    load_script(text)


BACKENDS = {"nftables": (load_nft, unload_nft, lambda: None),
            "iptables": (load_script, unload_nft, lambda: None),
            "ufw": (load_ufw, unload_nft, prepare_ufw),
            "firewalld": (load_firewalld, unload_nft, prepare_firewalld)}


def compare(backend, seeds):
    """Exit status; prints what it did."""
    load, unload, prepare = BACKENDS[backend]
    prepare()
    probe, oracle = Probe(random_policy.LOCAL, random_policy.TUNNEL, random_policy.SECOND), Oracle()
    folder = tempfile.mkdtemp(prefix="wgkit-fw-")
    packets = allowed = lost = failures = 0
    try:
        for seed in seeds:
            case = Case(oracle, probe, seed, folder, backend)
            text = case.text()
            load(text)
            wrong = case.mismatches()
            unload(text)
            packets += len(case.packets) + len(case.replies)
            allowed += case.allowed
            lost += case.lost
            for one in wrong[:5]:
                print(f"seed {seed}: {one}")
            failures += len(wrong)
    finally:
        shutil.rmtree(folder)
    new = packets or 1
    print(f"{backend}: {len(seeds)} policies, {packets} packets, {100 * allowed // new} % of them allowed, "
          f"{lost} without a control, {failures} mismatches")
    assert packets > 100 * len(seeds), "too few packets"
    return 1 if failures else 0

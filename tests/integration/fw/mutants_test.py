#!/usr/bin/python3 -I
"""Seeded mistakes of the emitter for nftables are caught by the comparison with the evaluator.

Each mutant changes the emitted text as a bug of the emitter would. It counts for a policy only if it changes the
text and nft takes it; one that nft refuses is caught, too.
"""
import os
import re
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import equivalence  # noqa: E402
import inside  # noqa: E402
import random_policy  # noqa: E402
from probe import Probe, run  # noqa: E402

POLICIES = 20
WANTED = 0.95


def each(pattern, change):
    """Every place that matches, changed."""
    return lambda text: re.sub(pattern, change, text, flags=re.M)


def shift(group, by):
    """A number that matched, off by one."""
    return lambda m: m[0][:m.start(group) - m.start()] + str(max(0, int(m[group]) + by)) + m[0][m.end(group) - m.start():]


def without_chain_end(chain):
    return each(rf"(  chain {chain} {{\n(?:    .*\n)*?)    counter drop\n", r"\1")


MUTANTS = {
    "no anti-spoofing for IPv4": each(r"^    iifname != \"wg0\" ip saddr .* drop\n", ""),
    "no anti-spoofing for IPv6": each(r"^    iifname != \"wg0\" ip6 saddr .* drop\n", ""),
    "anti-spoofing on the tunnel": each(r"iifname != (\"wg0\" ip6? saddr .* drop)", r"iifname \1"),
    "anti-spoofing by destination": each(r"(iifname != \"wg0\" ip6? )saddr", r"\1daddr"),
    "input accepts at its end": without_chain_end("tunnel_in"),
    "forward out of the tunnel accepts at its end": without_chain_end("leaves"),
    "forward into the tunnel accepts at its end": without_chain_end("enters"),
    "forward within the tunnel accepts at its end": without_chain_end("stays"),
    "outside rules are left out": each(r"goto outside_in", "accept"),
    "outside is dropped": each(r"goto outside_in", "drop"),
    "outside goes to the tunnel's chain": each(r"goto outside_in", "goto tunnel_in"),
    "tunnel goes to the outside's chain": each(r"goto tunnel_in", "goto outside_in"),
    "no known flows": each(r"established : accept, ", ""),
    "established is dropped": each(r"established : accept", "established : drop"),
    "invalid is accepted": each(r"invalid : drop", "invalid : accept"),
    "replies only": each(r"^    (ip.* @\w+) accept", r"    ct direction reply \1 accept"),
    "no ping for IPv4": each(r"icmp type \{ 3, 11, 12, 8 \}", "icmp type { 3, 11, 12 }"),
    "no ping for IPv6": each(r"icmpv6 type \{ 1, 2, 3, 4, 128 \}", "icmpv6 type { 1, 2, 3, 4 }"),
    "any ICMP is let through": each(r"icmp type \{ 3, 11, 12, 8 \}", "meta l4proto 1"),
    "ping into the tunnel": each(r"iifname \"wg0\" (icmp type 8)", r"\1"),
    "no ping is forwarded": each(r"^    iifname \"wg0\" icmp(v6)? type .*\n", ""),
    "no IPv4 sets": each(r"^    ip saddr . ip daddr.* accept\n", ""),
    "no IPv6 sets": each(r"^    ip6 saddr . ip6 daddr.* accept\n", ""),
    "source and destination are exchanged": each(r"(ip6?) saddr \. ip6? daddr", r"\1 daddr . \1 saddr"),
    "source port instead of destination port": each(r"th dport", "th sport"),
    "exact elements lose their first": each(r"(elements = \{\n)      [^\n/-]*\n(?=      )", r"\1"),
    "elements lose their last": each(r"\n      [^\n]*,\n    \}\n", "\n    }\n"),
    "ranges begin one later": each(r" (\d+)-\d+,", shift(1, 1)),
    "ranges end one earlier": each(r" \d+-(\d+),", shift(1, -1)),
    "ranges end one later": each(r" \d+-(\d+),", lambda m: shift(1, 1)(m) if int(m[1]) < 65535 else m[0]),
    "prefixes one bit longer": each(r"(?<=[\d:])/(\d+) \.", lambda m: f"/{int(m[1]) + 1} ." if int(m[1]) < 32 else m[0]),
    "TCP becomes UDP": each(r" \. 6 \. ", " . 17 . "),
    "UDP becomes TCP": each(r" \. 17 \. ", " . 6 . "),
    "rules of their own are left out": each(r"^    ip6? .*limit rate.*\n", ""),
    "the listen port is closed": each(r"^    udp dport 51820 accept.*\n", "    udp dport 51820 drop\n"),
    "the listen port is TCP": each(r"udp dport 51820", "tcp dport 51820"),
    "forwarding is not filtered": each(r"^    [io]ifname \"wg0\" goto tunnel_forward\n", ""),
    "only what comes out of the tunnel is forwarded by rules": each(r"^    oifname \"wg0\" goto tunnel_forward\n", ""),
    "directions are exchanged": each(r"(iifname != \"wg0\" goto )enters", r"\1leaves"),
    "hub rules for what leaves": each(r"oifname \"wg0\" goto stays", "oifname != \"wg0\" goto stays"),
    "accept becomes drop": each(r"(@\w+) accept", r"\1 drop"),
    "closed outside stays open": without_chain_end("outside_in"),
}


def main():
    probe, oracle = Probe(random_policy.LOCAL, random_policy.TUNNEL), equivalence.Oracle()
    left, applied = dict(MUTANTS), set()
    with tempfile.TemporaryDirectory(prefix="wgkit-fw-") as folder:
        for seed in range(1, POLICIES + 1):
            if not left:
                break
            case = equivalence.Case(oracle, probe, seed, folder)
            text = case.text("nftables")
            equivalence.load_nft(text)
            assert not case.mismatches(), f"seed {seed} differs without a mutant"
            equivalence.unload_nft(text)
            for name, mutate in list(left.items()):
                changed = mutate(text)
                if changed == text:
                    continue
                applied.add(name)
                if run("nft", "-f", "-", input=changed, check=False).returncode != 0 or case.mismatches(0.3, one_is_enough=True):
                    del left[name]
                run("nft", "flush", "ruleset")
    caught = len(MUTANTS) - len(left)
    print(f"{caught} of {len(MUTANTS)} mutants caught")
    for name in left:
        print(f"not caught: {name}{'' if name in applied else ' (never applied)'}")
    assert len(MUTANTS) >= 30
    return 0 if caught >= WANTED * len(MUTANTS) else 1


if __name__ == "__main__":
    inside.run(main)

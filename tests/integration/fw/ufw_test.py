#!/usr/bin/python3 -I
"""The lock-down for ufw: run twice, and again after one more allow, it lets exactly the listed ports through."""
import glob
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import inside  # noqa: E402
from probe import ICMP, ICMPV6, TCP, UDP, Packet, Probe, run  # noqa: E402
from tools import wgkit  # noqa: E402

NODE = {4: "10.8.0.1", 6: "fd08::1"}
PEER = {4: "10.8.0.2", 6: "fd08::2"}
OUT_NODE = {4: "192.0.2.1", 6: "2001:db8:2::1"}
OUT = {4: "198.51.100.7", 6: "2001:db8:7::7"}
PORTS = (22, 52, 53, 54, 79, 80, 81, 442, 443, 444, 8080, 51819, 51820, 51920, 51921)


def script(*options):
    return run(wgkit("fw"), *options).stdout


def apply(text, env=None):
    return subprocess.run(["sh", "-s"], input=text, capture_output=True, text=True, check=False,
                          env=os.environ | (env or {}), timeout=60)


def packets():
    """Every port over both protocols and families, in on the tunnel and from outside, and ping."""
    for version in (4, 6):
        for protocol in (TCP, UDP):
            for port in PORTS:
                yield Packet("wg0", PEER[version], NODE[version], protocol, port)
                yield Packet("wg0-2", PEER[version], NODE[version], protocol, port)
                yield Packet("eth0", OUT[version], OUT_NODE[version], protocol, port)
        yield Packet("wg0", PEER[version], NODE[version], ICMP if version == 4 else ICMPV6, 8 if version == 4 else 128)


def allowed(packet, ports, ping=True):
    """What the options say; ufw's own default lets nothing else in from outside."""
    if packet.protocol in (ICMP, ICMPV6):
        return ping
    if packet.side == "eth0":
        return packet.protocol == UDP and packet.dport in (51820, 51920)  # one more while keys change
    return (packet.protocol, packet.dport) in ports


def check(probe, what, ports, ping=True):
    tried = list(packets())
    run("conntrack", "-F")
    expected = {i for i, p in enumerate(tried) if allowed(p, ports, ping)}
    found = probe.arrived(tried, expected)
    wrong = [(tried[i], "arrived" if i in found else "did not arrive") for i in sorted(found ^ expected)]
    assert not wrong, f"{what}: {len(wrong)} packets: {wrong[:5]}"
    assert expected and len(expected) < len(tried)


def must(ran, status=0, said=""):
    assert ran.returncode == status and said in ran.stderr, f"status {ran.returncode}: {ran.stderr}{ran.stdout}"


def reset():
    """ufw keeps the old rules under a name that holds the second, and refuses to do it twice in one."""
    for kept in glob.glob("/etc/ufw/*.rules.[0-9]*"):
        os.unlink(kept)
    run("ufw", "--force", "reset")


def main():
    inside.add_ufw()
    probe = Probe([("wg0", "10.8.0.1/32"), ("wg0", "fd08::1/128"), ("eth0", "192.0.2.1/24"),
                   ("eth0", "2001:db8:2::1/64")], ["10.8.0.0/16", "fd08::/64"])
    everything = list(packets())
    assert probe.arrived(everything) == set(range(len(everything))), "without rules, packets are lost"

    both = {(TCP, 53), (UDP, 53), (TCP, 80), (TCP, 443)}
    options = ("--ufw", "--interface", "wg0", "--port", "51820", "--allow", "53", "--allow", "80,443/tcp")
    first = script(*options)
    must(apply(first, {"SSH_CONNECTION": "198.51.100.9 50000 192.0.2.1 22"}), 1, "it would cut the SSH session")
    assert "inactive" in run("ufw", "status").stdout, "ufw was enabled over an SSH session"
    must(apply(first), 0, "")
    assert "Status: active" in run("ufw", "status").stdout
    check(probe, "first run", both)
    files = [open(f"/etc/ufw/before{s}.rules", encoding="utf-8").read() for s in ("", "6")]
    rules = plain(run("iptables-save").stdout)
    must(apply(first))
    check(probe, "second run", both)
    assert rules == plain(run("iptables-save").stdout), "the second run changed rules"
    assert files == [open(f"/etc/ufw/before{s}.rules", encoding="utf-8").read() for s in ("", "6")]
    must(apply(script(*options, "--allow", "8080/tcp")))
    more = both | {(TCP, 8080)}
    check(probe, "one more allow", more)
    run("ufw", "reload")
    check(probe, "reloaded by ufw", more)
    run("ufw", "disable")
    run("ufw", "--force", "enable")
    check(probe, "disabled and enabled", more)
    run("ufw", "allow", "in", "on", "wg0", "to", "any", "port", "444", "proto", "tcp")
    check(probe, "a rule of ufw's own does not open the tunnel", more)
    run("ufw", "delete", "allow", "in", "on", "wg0", "to", "any", "port", "444", "proto", "tcp")
    must(apply(script(*options, "--no-ping")))
    check(probe, "an allow taken away, and no ping", both, ping=False)
    must(apply(first))

    # The full-tunnel recipe on a server with this lock-down: ufw drops what an exit forwards, until told.
    through = [Packet("wg0", PEER[v], OUT[v], TCP, 80, sport=41000 + v) for v in (4, 6)]
    for extra, arrives in (((), False), (("--exit",), True), ((), False), (("--exit",), True)):
        must(apply(script(*options, *extra)))
        run("conntrack", "-F")
        expected = set(range(len(through))) if arrives else set()
        assert probe.arrived(through, expected, seconds=3) == expected, f"forwarding with {extra}"
        replies = [packet.reply() for packet in through]
        assert probe.arrived(replies, expected, seconds=3) == expected, f"replies with {extra}"
        strangers = [Packet("eth0", OUT[v], PEER[v], TCP, 80, sport=42000) for v in (4, 6)]
        assert not probe.arrived(strangers, set()), f"new flows into the tunnel with {extra}"
    must(apply(first))

    # What ufw itself would be asked to do by the guide fails: a list of ports needs a protocol.
    ran = run("ufw", "allow", "in", "on", "wg0", "to", "any", "port", "80,443", check=False)
    assert ran.returncode != 0 and "tcp" in ran.stderr + ran.stdout, ran

    # The SSH session in use is known to ufw, or comes through the tunnel.
    for rule, connection, status in (
            ("allow 22/tcp", "198.51.100.9 50000 192.0.2.1 22", 0),
            ("limit 22", "198.51.100.9 50000 192.0.2.1 22", 0),
            ("allow from 198.51.100.9 to any port 22 proto tcp", "198.51.100.9 50000 192.0.2.1 22", 0),
            ("allow from 198.51.100.8 to any port 22 proto tcp", "198.51.100.9 50000 192.0.2.1 22", 1),
            ("allow 22/udp", "198.51.100.9 50000 192.0.2.1 22", 1),
            ("allow 2222/tcp", "198.51.100.9 50000 192.0.2.1 2222", 0),
            ("allow 22/tcp", "10.8.0.2 50000 10.8.0.1 22", 1),
            ("allow 22/tcp", "10.8.0.2 50000 10.8.0.1 443", 0)):
        reset()
        run("ufw", *rule.split(), check=False)
        must(apply(first, {"SSH_CONNECTION": connection}), status)
    run("ufw", "--force", "enable")
    check_removal(probe, first)
    return 0


def plain(saved):
    """Rules without counters and times."""
    return [line.split(" [")[0] for line in saved.splitlines() if line[0] in ":-*"]


def check_removal(probe, first):
    reset()
    run("ufw", "--force", "enable")
    must(apply(script("--ufw", "--remove")))
    before = run("iptables-save").stdout
    must(apply(first))
    check(probe, "on a ufw that is active", {(TCP, 53), (UDP, 53), (TCP, 80), (TCP, 443)})
    must(apply(script("--ufw", "--remove")))
    assert plain(run("iptables-save").stdout) == plain(before)
    assert "wgkit" not in open("/etc/ufw/before.rules", encoding="utf-8").read()
    # A broken block is not guessed at.
    with open("/etc/ufw/before.rules", "a", encoding="utf-8") as file:
        file.write("# wgkit fw wg0: begin\n")
    must(apply(first), 1, "has no")


if __name__ == "__main__":
    inside.run(main)

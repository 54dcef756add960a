#!/usr/bin/python3 -I
"""apply_test.py BACKEND [CHECK...]: plan, apply, status, flush and restore against a real firewall.

What is loaded is seen by packets; what fails leaves the old rules; what would lock somebody out is refused.
"""
import glob
import json
import os
import shutil
import socket
import struct
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import inside  # noqa: E402
from bed import wait_for  # noqa: E402
from probe import TCP, UDP, Packet, Probe, run  # noqa: E402
from receiver import Receiver  # noqa: E402
from tools import wgkit  # noqa: E402

NODE, PEER, OUT_NODE, OUT = "10.8.0.1", "10.8.0.2", "192.0.2.1", "198.51.100.7"
NODE6, PEER6 = "fd08::1", "fd08::2"
WEB = ("--allow", "80,443/tcp")
POLICY = """version: 1
network: {name: net, ipv4: 10.8.0.0/24, ipv6: "fd08::/64", topology: [{hub: [gw], spokes: all}]}
nodes:
  - {name: gw, ipv4: 10.8.0.1, ipv6: "fd08::1", endpoint: "192.0.2.1:51820", routes: [192.168.10.0/24]}
  - {name: alice, ipv4: 10.8.0.2, ipv6: "fd08::2"}
  - {name: bob, ipv4: 10.8.0.3, ipv6: "fd08::3"}
policy:
  allow:
    - alice -> gw: 22/tcp
    - alice -> 192.168.10.0/24: 80/tcp
"""


def fw(*arguments, status=0, said="", env=None):
    environment = os.environ | {"SSH_CONNECTION": ""} | (env or {})
    ran = subprocess.run([wgkit("fw"), *arguments], capture_output=True, text=True, check=False, env=environment,
                         timeout=300)
    assert ran.returncode == status and said in ran.stderr + ran.stdout, \
        f"fw {' '.join(arguments)}: status {ran.returncode}, wanted {status} and '{said}':\n{ran.stdout}{ran.stderr}"
    return ran


class Bed:
    def __init__(self, backend):
        self.backend, self.option = backend, f"--{backend}"
        if backend == "ufw":
            inside.add_ufw()
        if backend == "firewalld":
            inside.add_firewalld()
        self.probe = Probe([("wg0", f"{NODE}/32"), ("wg0", f"{NODE6}/128"), ("eth0", f"{OUT_NODE}/24"),
                            ("eth0", "192.168.10.1/32")], ["10.8.0.0/24", "fd08::/64"])
        if backend == "ufw":
            # As enabled over SSH by somebody else; what ufw forwards is up to us alone.
            for words in ("default allow routed", "allow 22/tcp", "--force enable"):
                run("ufw", *words.split())

    def apply(self, *arguments, **options):
        return fw("apply", self.option, *arguments, **options)

    def status(self, drift, said="", *arguments):
        ran = fw("status", self.option, *arguments, "--json", status=2 if drift else 0)
        report = json.loads(ran.stdout)
        assert report["drift"] == drift and said in ran.stdout, f"no '{said}' in {ran.stdout}"
        return report["interfaces"][0]["differences"]

    def arrives(self, what, packets, wanted):
        run("conntrack", "-F")
        found = self.probe.arrived(packets, {i for i, w in enumerate(wanted) if w}, 3)
        got = [i in found for i in range(len(packets))]
        assert got == list(wanted), f"{what}: {[p for p, g, w in zip(packets, got, wanted) if g != w]}"

    def ports(self, what, allowed):
        """TCP ports through the tunnel."""
        tried = (22, 80, 443, 8080)
        packets = [Packet("wg0", peer, node, TCP, port) for peer, node in ((PEER, NODE), (PEER6, NODE6))
                   for port in tried]
        self.arrives(what, packets, [p.dport in allowed for p in packets])

    def rules(self):
        """Everything that is loaded, but for counters."""
        text = run("nft", "-s", "list", "ruleset").stdout
        files = [open(f"/etc/ufw/before{s}.rules", encoding="utf-8").read() for s in ("", "6")] \
            if self.backend == "ufw" else []
        files += [open(f, encoding="utf-8").read() for f in sorted(glob.glob("/etc/firewalld/*/wgkit-*"))]
        return [text, *files]


def check_apply(bed):
    fw("apply", bed.option, status=1, said="no rules are asked for")
    clean = bed.rules()
    plan = fw("plan", bed.option, *WEB, status=2, said="all rules")
    assert bed.rules() == clean, f"a plan changed something: {plan.stdout}"
    bed.apply(*WEB)
    fw("plan", bed.option, *WEB, "--json")
    fw("diff", bed.option, *WEB)
    bed.ports("applied", (80, 443))
    before = bed.rules()
    bed.apply(*WEB, said="nothing to change")
    assert bed.rules() == before
    more = fw("plan", bed.option, *WEB, "--allow", "8080/tcp", status=2, said="lets more through").stdout
    assert "8080" in more, more
    bed.apply(*WEB, "--allow", "8080/tcp")
    bed.ports("one more", (80, 443, 8080))
    assert "lets less through" in fw("plan", bed.option, *WEB, status=2).stdout
    bed.apply("--allow-nothing")
    bed.ports("nothing", ())
    bed.apply(*WEB)
    # Rules that the firewall refuses change nothing: nobody has an interface of such a name.
    before = bed.rules()
    bed.apply("--interface", "wg0;reboot", *WEB, status=1, said="no name of an interface")
    assert bed.rules() == before


def check_drift(bed):
    bed.status(False)
    bed.status(False, "", *WEB)
    metrics = fw("status", "--format", "prometheus").stdout
    assert f'wgkit_firewall_drift{{interface="wg0",backend="{bed.backend}"}} 0' in metrics, metrics
    changes = {
        "nftables": (("nft add rule inet wgkit_fw_wg0 tunnel_in tcp dport 22 accept", "dead", "none"),
                     ("nft insert rule inet wgkit_fw_wg0 tunnel_in tcp dport 22 accept", "extra", "wider"),
                     ("nft insert rule inet wgkit_fw_wg0 tunnel_in tcp dport 80 drop", "extra", "narrower"),
                     ("nft insert rule inet wgkit_fw_wg0 tunnel_in accept", "dead", "narrower"),
                     ("nft flush chain inet wgkit_fw_wg0 tunnel_in", "missing", "wider"),
                     ("nft delete table inet wgkit_fw_wg0", "missing", "wider")),
        "iptables": (("iptables -A wgkit-tun-wg0 -p tcp --dport 22 -j ACCEPT", "dead", "none"),
                     ("ip6tables -I wgkit-tun-wg0 3 -p tcp --dport 22 -j ACCEPT", "extra", "wider"),
                     ("iptables -I wgkit-tun-wg0 -p tcp --dport 80 -j DROP", "extra", "narrower"),
                     ("iptables -D INPUT -j wgkit-in-wg0", "missing", "wider"),
                     ("iptables -I INPUT -i wg0 -p tcp --dport 22 -j ACCEPT", "extra", "wider"),
                     ("ip6tables -F wgkit-tun-wg0", "missing", "wider")),
        "ufw": (("iptables -A wgkit-tun-wg0 -p tcp --dport 22 -j ACCEPT", "dead", "none"),
                ("iptables -D ufw-before-input -j wgkit-in-wg0", "missing", "wider"),
                ("sed -i '/^-A.wgkit-tun-wg0.*DROP/d' /etc/ufw/before.rules", "missing", "wider"),
                ("ip6tables -F wgkit-tun-wg0", "missing", "wider")),
        "firewalld": (("firewall-cmd -q --policy=wgkit-wg0-i --add-rich-rule='rule priority=\"1\" accept'", "extra", "wider"),
                      ("sed -i 's/DROP/CONTINUE/' /etc/firewalld/policies/wgkit-wg0-i.xml",
                       "missing", "wider")),
    }[bed.backend]
    before = bed.rules()
    for command, kind, effect in changes:
        run("sh", "-c", command)
        found = bed.status(True)
        assert (kind, effect) in [(d["kind"], d["effect"]) for d in found], f"{command}: {found}"
        bed.status(True, "", *WEB)
        assert 'wgkit_firewall_drift{interface="wg0",backend="%s"} 1' % bed.backend in fw(
            "status", "--format", "prometheus", status=2).stdout
        bed.apply(*WEB)
        bed.status(False)
    if bed.backend == "iptables":  # others' rules stay
        run("iptables", "-D", "INPUT", "-i", "wg0", "-p", "tcp", "--dport", "22", "-j", "ACCEPT")
    assert sorted("\n".join(bed.rules()).split("\n")) == sorted("\n".join(before).split("\n"))
    bed.ports("after drift", (80, 443))


def check_alert(bed):
    """Drift is told to a receiver, once, and that it is over."""
    if bed.backend != "nftables":
        return
    with Receiver() as receiver:
        folder = os.environ[inside.MARK]
        with open(os.open(f"{folder}/url", os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="ascii") as file:
            file.write(receiver.url)
        config = f"{folder}/alert.yaml"
        with open(config, "w", encoding="utf-8") as file:
            file.write(f"version: 1\nspool: {folder}/spool\ntargets:\n"
                       f"  t: {{type: webhook, url_file: {folder}/url}}\n")

        def told(status, *arguments):
            fw("status", bed.option, *arguments, "--alert", config, status=status)
            return [request.body.decode() for request in receiver.requests]
        assert not told(0, *WEB), "what was well from the start is told"
        run("nft", "insert", "rule", "inet", "wgkit_fw_wg0", "tunnel_in", "accept")
        messages = told(2, *WEB)
        assert len(messages) == 1 and "firewall.drift" in messages[0] and "what they should be" in messages[0], messages
        assert len(told(2, *WEB)) == 1, "told twice"
        bed.apply(*WEB)
        messages = told(0, *WEB)
        assert len(messages) == 2 and "as they should be" in messages[1], messages
        assert "firewall.blind" in told(1, "--interface", "wg9")[-1]


def check_shadowed(bed):
    """Rules that never decide are named, and are no drift."""
    path = "/etc/nodes.yaml"
    with open(path, "w", encoding="utf-8") as file:
        file.write(POLICY + "    - gw, alice -> gw: any\n    - alice -> gw: 53\n")
    node = ("--node", "gw", "--nodes", path)
    bed.apply(*node)
    report = json.loads(fw("status", bed.option, *node, "--json").stdout)
    assert [(s["rule"], s["by"]) for s in report["interfaces"][0]["shadowed"]] == [
        (f"{path}:12: alice -> gw: 53", f"{path}:11: gw, alice -> gw: any")], report
    fw("status", bed.option, *node, said="never decides")
    bed.apply(*WEB)


def check_session(bed):
    """The connection in use, by what the rules would do to it."""
    through = {"SSH_CONNECTION": f"{PEER} 50000 {NODE} 22"}
    outside = {"SSH_CONNECTION": f"{OUT} 50000 {OUT_NODE} 22"}
    before = bed.rules()
    bed.apply("--allow", "443/tcp", status=1, said="would cut the SSH connection", env=through)
    fw("plan", bed.option, "--allow", "443/tcp", status=2, said="apply would refuse it", env=through)
    assert bed.rules() == before, "a refused apply changed something"
    bed.apply("--allow", "22/tcp", env=through)
    bed.apply(*WEB, env=through, status=1, said="comes through the tunnel")
    bed.apply(*WEB, "--force", env=through)
    bed.apply("--allow", "22/tcp", env=outside)
    # sudo takes the variable away; the shell that sudo was run from still has it.
    shell = f'env -u SSH_CONNECTION {wgkit("fw")} apply {bed.option} --allow 443/tcp; exit $?'
    ran = subprocess.run(["sh", "-c", shell], capture_output=True, text=True, check=False, env=os.environ | through)
    assert ran.returncode == 1 and "would cut" in ran.stderr, ran
    bed.apply(*WEB)


def check_flows(bed):
    """Flows live on while they are allowed, and end when they are not."""
    bed.apply("--allow", "53,80/udp")
    run("conntrack", "-F")
    flows = [Packet("wg0", PEER, NODE, UDP, port, sport=5000) for port in (53, 80)]
    assert bed.probe.arrived(flows, seconds=5) == {0, 1}
    ran = bed.apply("--allow", "53/udp")
    assert "1 flows" in ran.stderr, ran.stderr
    assert bed.probe.arrived(flows, {0}, seconds=5) == {0}, "a flow that is no longer allowed goes on"
    bed.apply(*WEB)


def check_failure(bed):
    """The second half fails: the first is undone."""
    folder = os.environ[inside.MARK]
    if bed.backend == "firewalld":
        return
    program = "nft" if bed.backend == "nftables" else "ip6tables-restore"
    real = run("sh", "-c", f"command -v {program}").stdout.strip()
    # Only loading fails, not testing and not loading elsewhere.
    test = 'case "$*" in "-f -"|*--noflush) [ "$(readlink /proc/self/ns/net)" != "$NETNS" ] || exit 1;; esac'
    if bed.backend == "nftables":  # it loads, but something else
        test = ('[ "$*" != "-f -" ] || [ "$(readlink /proc/self/ns/net)" != "$NETNS" ] || [ -e "$0.done" ] || '
                '{ touch "$0.done"; sed s/443/444/ | exec ' + real + ' -f -; exit; }')
    with open(f"{folder}/{program}", "w", encoding="utf-8") as file:
        file.write(f'#!/bin/sh\n{test}\nexec {real} "$@"\n')
    os.chmod(f"{folder}/{program}", 0o755)
    env = {"PATH": f"{folder}:{os.environ['PATH']}", "NETNS": os.readlink("/proc/self/ns/net")}
    before = bed.rules()
    ran = bed.apply("--allow", "443/tcp", status=1, env=env)
    assert bed.rules() == before, f"the old rules are not back: {ran.stderr}"
    bed.status(False)
    os.unlink(f"{folder}/{program}")


def check_confirm(bed):
    """Unless somebody who came later confirms it, a change goes back by itself."""
    folder = os.environ[inside.MARK]
    shell = f"{folder}/sshd"  # as the server's process of a new connection is called
    shutil.copy("/bin/sh", shell)
    before, record = bed.rules(), open("/var/lib/wgkit/fw/wg0.json", encoding="utf-8").read()
    fw("confirm", status=1, said="no change of rules waits")
    bed.apply("--allow", "443/tcp", "--confirm", "5", said="the old ones come back in 5 seconds")
    bed.ports("to be confirmed", (443,))
    # A reload of firewalld may list its own rules in another order.
    first = 1 if bed.backend == "firewalld" else 0
    wait_for("the old rules", lambda: bed.rules()[first:] == before[first:], 60)
    assert record == open("/var/lib/wgkit/fw/wg0.json", encoding="utf-8").read()
    bed.apply("--allow", "443/tcp", "--confirm", "600")
    assert bed.backend == "firewalld" or bed.rules()[1:] == before[1:], "files were changed that the next boot depends on"
    fw("confirm", status=1, said="ssh")
    bed.apply("--allow", "22/tcp", "--confirm", "600", status=1, said="an earlier change is pending")
    run(shell, "-c", f"{wgkit('fw')} confirm; exit $?")
    bed.status(False)
    bed.status(False, "", "--allow", "443/tcp")
    bed.ports("confirmed", (443,))
    bed.apply(*WEB)


def check_exit(bed):
    """What leaves an exit has its address and an MSS that fits; what goes to a subnet behind it keeps its own."""
    path = "/etc/exit.yaml"
    with open(path, "w", encoding="utf-8") as file:
        file.write(POLICY.replace("routes:", "exit: yes, routes:") + "    - alice -> internet: any\n")
    bed.apply("--node", "gw", "--nodes", path)
    run("ip", "link", "set", "eth0", "mtu", "1400")
    run("conntrack", "-F")
    left = bed.probe.frame(Packet("wg0", PEER, OUT, TCP, 443, mss=1460))
    assert left, "an exit does not forward"
    source, option = socket.inet_ntoa(left[12:16]), left[40:44]
    # ufw has no place for NAT that it would not add to with each reload; the interface's PostUp has it there.
    assert source == (PEER if bed.backend == "ufw" else OUT_NODE), source
    assert option == struct.pack("!BBH", 2, 4, 1360), option
    behind = bed.probe.frame(Packet("wg0", PEER, "192.168.10.9", TCP, 80))
    assert behind and socket.inet_ntoa(behind[12:16]) == PEER, behind
    run("ip", "link", "set", "eth0", "mtu", "1500")
    bed.apply(*WEB)


def check_docker(bed):
    """Docker sends flows to its containers on before others are asked, but for what DOCKER-USER says."""
    if bed.backend in ("nftables", "firewalld"):
        return
    path = "/etc/nodes.yaml"
    with open(path, "w", encoding="utf-8") as file:
        file.write(POLICY)
    node = ("--node", "gw", "--nodes", path)
    packets = [Packet("wg0", PEER, "192.168.10.9", TCP, 80), Packet("wg0", PEER, "192.168.10.9", TCP, 81),
               Packet("wg0", "10.8.0.3", "192.168.10.9", TCP, 80)]
    allowed = [True, False, False]
    bed.apply(*node)
    bed.arrives("a policy", packets, allowed)
    for words in ("-N DOCKER-USER", "-N DOCKER-FORWARD", "-A DOCKER-FORWARD -d 192.168.10.9 -j ACCEPT",
                  "-I FORWARD -j DOCKER-FORWARD", "-I FORWARD -j DOCKER-USER"):
        run("iptables", *words.split())
    bed.arrives("Docker was started", packets, [True, True, True])
    bed.status(True, "DOCKER-USER", *node)
    ran = bed.apply(*node)
    assert "Docker" in ran.stderr, ran.stderr
    bed.arrives("beside Docker", packets, allowed)
    bed.status(False, "", *node)
    fw("flush", "wg0", bed.option)
    assert "wgkit" not in "".join(bed.rules()), "flush left something"
    for words in ("-D FORWARD -j DOCKER-USER", "-D FORWARD -j DOCKER-FORWARD", "-F DOCKER-FORWARD",
                  "-X DOCKER-FORWARD", "-X DOCKER-USER"):
        run("iptables", *words.split())
    bed.apply(*WEB)


def check_analysis(bed):
    """The accident of guides: an allow that was added behind the deny."""
    if bed.backend != "ufw":
        return
    fw("analyze")
    for rule in ("allow in on wg0 to any port 53", "deny in on wg0",
                 "allow in on wg0 from 10.8.0.4 to any port 8080 proto tcp", "route allow in on wg0 out on eth0"):
        run("ufw", *rule.split())
    numbered = run("ufw", "status", "numbered").stdout
    found = json.loads(fw("analyze", "--json", status=2).stdout)["findings"]
    assert [f["kind"] for f in found] == ["dead"], found
    line = next(t for t in numbered.splitlines() if "8080" in t)
    assert line.startswith(f"[{found[0]['number']:2}]"), f"{found} {numbered}"
    fw("analyze", status=2, said="allow in on wg0 from 10.8.0.4 to any port 8080 proto tcp never matches")


def check_others(bed):
    """Firewalls whose rules make ours not the last word are named."""
    run("nft", "add table inet strict; add chain inet strict in { type filter hook input priority 5; policy drop; }")
    assert "table inet strict" in bed.apply(*WEB).stderr
    assert "table inet strict" in fw("status", bed.option).stderr
    run("nft", "delete", "table", "inet", "strict")


def check_flush(bed):
    fw("flush", "wg0")
    assert "wgkit" not in "".join(bed.rules()), "flush left something"
    fw("flush", "wg0", bed.option, said="has no rules")
    fw("restore", "wg0", status=1, said="there is no")
    fw("restore", "--if-any", "wg0")
    fw("status", status=1, said="no rules were applied")
    bed.apply(*WEB)
    # After a reboot the rules come with the interface.
    if bed.backend != "firewalld":
        run("nft", "flush", "ruleset")
    if bed.backend == "ufw":
        run("ufw", "reload")
    fw("restore", "wg0")
    bed.ports("restored", (80, 443))
    bed.status(False)


CHECKS = {"apply": check_apply, "drift": check_drift, "alert": check_alert, "shadowed": check_shadowed, "session": check_session, "flows": check_flows,
          "failure": check_failure, "confirm": check_confirm, "exit": check_exit, "docker": check_docker, "others": check_others,
          "analysis": check_analysis, "flush": check_flush}


def main():
    bed = Bed(sys.argv[1])
    chosen = sys.argv[2:] or list(CHECKS)
    if chosen[0] != "apply":
        bed.apply(*WEB)
    for name in chosen:
        CHECKS[name](bed)
    return 0


if __name__ == "__main__":
    inside.run(main)

#!/usr/bin/python3
"""A change of the inventory reaches all nodes, in waves, without a packet lost; a bad one reaches one and is undone."""
import json
import re
import signal
import socket
import sys
import time

from hosts import Bed, Site, end_on_signals, run, wait_for  # noqa: F401
from counted import Traffic


def edit(operator, *changes):
    path = operator.file("nodes.yaml")
    text = open(path, encoding="utf-8").read()
    for before, after in changes:
        assert before in text, f"{before!r} is not in\n{text}"
        text = text.replace(before, after, 1)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def move_phone(site, operator):
    """A change for every node: the peer without a machine gets its next address."""
    text = open(operator.file("nodes.yaml"), encoding="utf-8").read()
    prefix = site.hosts[0].inner.rsplit(".", 1)[0]
    now = re.search(rf"ipv4: {re.escape(prefix)}\.(2\d\d)\n", text)
    edit(operator, (now[0], f"ipv4: {prefix}.{int(now[1]) + 1}\n"))


def a_new_peer_reaches_all(site, operator):
    """A phone that is only in the file: one peer more on each."""
    key = run("wg", "pubkey", input=run("wg", "genkey").stdout).stdout.strip()
    with open(operator.file("nodes.yaml"), "a", encoding="utf-8") as file:
        file.write(f"  - name: phone\n    ipv4: {site.hosts[0].inner.rsplit('.', 1)[0]}.200\n    managed: false\n"
                   f"    public_key: {key}\n")
    said = operator.fleet("plan", "-o", "change.plan", status=2)
    assert said.stdout.count("+ peer phone") == len(site.hosts), said.stdout
    saved = open(operator.file("change.plan"), encoding="utf-8").read()
    assert "configHash" in saved and key not in saved
    with Traffic(site.hosts) as traffic:
        ended = json.loads(operator.fleet("apply", "change.plan", "--json").stdout)
        report = traffic.stop()
    assert sorted(ended["done"]) == site.names(), ended
    assert report["lost"] == 0, report
    for host in site.hosts:
        assert key in host.device()["peers"], host.name
        assert key in host.read("/etc/wireguard/wg0.conf")
    assert "0 of" in operator.fleet("apply").stdout
    # The same plan again: all is done. After another change it is refused.
    operator.fleet("apply", "change.plan")
    edit(operator, ("name: phone", "name: mobile"))
    assert "changed since" in operator.fleet("apply", "change.plan", status=1).stderr


def two_operators_cannot_race(site, operator):
    move_phone(site, operator)
    operator.fleet("plan", "-o", "race.plan", status=2)
    host = site.hosts[-1]
    host.run("wg", "set", "wg0", "peer", host.run("wg", "show", "wg0", "peers").stdout.split()[0],
             "persistent-keepalive", "17")
    said = operator.fleet("apply", "race.plan", "--canary", "0", status=1)
    assert "no longer as it was" in said.stderr, said.stderr
    operator.fleet("apply")


def a_bad_change_reaches_one(site, operator):
    """The first node gets the wrong preshared keys: its peers do not answer any more."""
    first, *others = site.hosts
    before = {host.name: (host.read("/etc/wireguard/wg0.conf"), sorted(host.device()["peers"])) for host in site.hosts}
    edit(operator, (f"ipv4: {others[-1].inner}\n", f"ipv4: {first.inner[:-1]}77\n"))
    lock = open(operator.file("nodes.lock.yaml"), encoding="utf-8").read()
    began = time.monotonic()
    said = operator.fleet("apply", "--patience", "3", status=1)
    print(f"a bad change: undone after {time.monotonic() - began:.1f} s")
    assert "no answer any more" in said.stderr, said.stderr
    assert "taken back: n1\n" in said.stdout and "not begun" in said.stdout, said.stdout
    for host in site.hosts:
        assert before[host.name] == (host.read("/etc/wireguard/wg0.conf"), sorted(host.device()["peers"])), host.name
        assert host.plan() == [], host.name
    edit(operator, (f"ipv4: {first.inner[:-1]}77\n", f"ipv4: {others[-1].inner}\n"))
    with open(operator.file("nodes.lock.yaml"), "w", encoding="utf-8") as file:
        file.write(lock)


# Only what begins counts: to conntrack the last packets of an earlier command's connection are a new one, too.
ONE_CONNECTION = """
table inet one { chain in { type filter hook input priority 0;
  tcp dport 22 tcp flags & (syn | ack) == syn ct state new add @seen { ip saddr ct count over 1 } counter reject with tcp reset; };
  set seen { type ipv4_addr; flags dynamic; }; }
"""


def a_wave_is_confirmed_whole(site, operator):
    """One node takes no second connection, so that it cannot be confirmed: those that were go back, too."""
    before = {host.name: (host.read("/etc/wireguard/wg0.conf"), host.run("wg", "showconf", "wg0").stdout)
              for host in site.hosts}
    move_phone(site, operator)
    odd = site.hosts[2]
    earlier = operator.namespace.socket(kind=socket.SOCK_STREAM)
    earlier.connect((odd.address, 22))
    assert earlier.recv(100).startswith(b"SSH-")
    odd.run("nft", "-f", "-", input=ONE_CONNECTION)
    earlier.close()
    said = operator.fleet("apply", "--canary", "0", "--wave", "4", "--connect-timeout", "3", status=1)
    odd.run("nft", "delete", "table", "inet", "one")
    assert "n3: " in said.stderr and "taken back: n1, n2, n3, n4\n" in said.stdout, said
    for host in site.hosts:
        assert before[host.name] == (host.read("/etc/wireguard/wg0.conf"), host.run("wg", "showconf", "wg0").stdout), \
            host.name
        assert host.wgkit("net", "confirm", "--list").stdout == ""
    rows = operator.json("status", status=2)["nodes"]
    assert all(row["state"] == "changes" and not row["pending"] for row in rows), rows
    operator.fleet("apply")
    assert all(row["state"] == "ok" for row in operator.json("status")["nodes"])
    assert not any(host.run("ls", "/var/lib/wgkit/fleet/back").stdout for host in site.hosts)


def an_accident_is_no_wish(site, operator):
    """Most of a node's peers are gone from the file: nothing begins until somebody says that they are to go."""
    path = operator.file("nodes.yaml")
    text = open(path, encoding="utf-8").read()
    cut = text.index("  - name: mobile\n")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text[:cut])
    assert "apply needs --allow-removals 1" in operator.fleet("plan", status=2).stderr
    before = open(operator.file("fleet/log"), encoding="utf-8").read()
    said = operator.fleet("apply", status=1).stderr
    assert "wg0 would lose 1 of its 4 peers, and as much goes for 3 others" in said, said
    assert before == open(operator.file("fleet/log"), encoding="utf-8").read()
    operator.fleet("apply", "--allow-removals", "1")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    operator.fleet("apply")


def who_is_not_reached_is_pending(site, operator):
    host = site.hosts[1]
    host.stop_sshd()
    move_phone(site, operator)
    said = operator.fleet("apply", "--connect-timeout", "2", status=1)
    assert f"pending, not reached: {host.name}" in said.stdout, said.stdout
    assert host.plan() == []
    host.start_sshd()
    host.wait_for_sshd()
    operator.fleet("apply")
    assert all(row["state"] == "ok" for row in operator.json("status")["nodes"])


def a_killed_run_goes_on(site, operator, at):
    """Killed at some point, the next run ends where the first would have."""
    move_phone(site, operator)
    running = operator.start_fleet("apply", "--wave", "1", "--confirm", "20")
    time.sleep(at)
    running.send_signal(signal.SIGKILL)
    running.wait(10)
    # What the killed run had under way may still be at work on a node: then the next one says so.
    wait_for("the next run's success", lambda: operator.fleet("apply", status=None).returncode == 0, 60, 0.5)
    assert all(row["state"] == "ok" and not row["pending"] for row in operator.json("status")["nodes"])


def main():
    end_on_signals()
    with Bed() as bed:
        site = Site(bed, 4)
        site.make_mesh()
        operator = site.operator
        operator.fleet("import", *site.names())
        for host in site.hosts:
            for other in site.hosts:
                if other is not host:
                    host.ping(other.inner)
        a_new_peer_reaches_all(site, operator)
        two_operators_cannot_race(site, operator)
        a_bad_change_reaches_one(site, operator)
        a_wave_is_confirmed_whole(site, operator)
        an_accident_is_no_wish(site, operator)
        who_is_not_reached_is_pending(site, operator)
        for at in (0.1, 0.5, 0.9):
            a_killed_run_goes_on(site, operator, at)


if __name__ == "__main__":
    sys.exit(main())

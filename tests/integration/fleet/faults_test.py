#!/usr/bin/python3
"""Whatever breaks in the middle, a node is all old or all new, and the next run ends where this one should have."""
import os
import signal
import sys
import time

from apply_test import move_phone
from hosts import Bed, Site, end_on_signals, run, wait_for

FULL = """
mkdir -p /run/small && mount -t tmpfs -o size=64k tmpfs /run/small && cp -a /etc/wireguard/. /run/small &&
mount --bind /run/small /etc/wireguard && { dd if=/dev/zero of=/etc/wireguard/fill bs=1k 2>/dev/null || true; }
"""


def state(host):
    return host.read("/etc/wireguard/wg0.conf"), host.run("wg", "showconf", "wg0").stdout


def all_is_well(site):
    rows = site.operator.json("status", status=None)["nodes"]
    assert all(row["state"] == "ok" and not row["pending"] for row in rows), rows
    for host in site.hosts:
        assert host.plan() == [], host.name


def settle(site):
    """The next run succeeds, at the latest once what was under way has gone back by itself."""
    wait_for("the next run's success",
             lambda: site.operator.fleet("apply", "--confirm", "15", status=None).returncode == 0, 90, 0.5)
    all_is_well(site)


def a_full_disk(site):
    first = site.hosts[0]
    before = state(first)
    move_phone(site, site.operator)
    first.run("sh", "-c", FULL)
    said = site.operator.fleet("apply", status=1)
    assert "No space left" in said.stderr, said.stderr
    assert "changed:" not in said.stdout, said.stdout
    first.run("umount", "/etc/wireguard")
    assert state(first) == before, "half of it was done"
    settle(site)


def sshd_dies(site, after):
    move_phone(site, site.operator)
    second = site.hosts[1]
    running = site.operator.start_fleet("apply", "--canary", "0", "--confirm", "15", "--connect-timeout", "2")
    time.sleep(after)
    second.stop_sshd()
    running.wait(90)
    second.start_sshd()
    second.wait_for_sshd()
    settle(site)


def a_node_reboots(site, after):
    """Its processes and all in /run are gone; it comes up from its file."""
    move_phone(site, site.operator)
    third = site.hosts[2]
    running = site.operator.start_fleet("apply", "--canary", "0", "--confirm", "15", "--connect-timeout", "2")
    time.sleep(after)
    third.reboot(after=["wg0"])
    running.wait(120)
    settle(site)


def the_operator_stops(site):
    """Ctrl-C: the wave at hand goes back, and the status says that it failed."""
    move_phone(site, site.operator)
    before = [state(host) for host in site.hosts]
    running = site.operator.start_fleet("apply", "--canary", "0")
    time.sleep(0.4)
    for pid in site.operator.pids("wgkit-fleet"):
        os.kill(pid, signal.SIGINT)
    status = running.wait(60)
    if status != 0:  # it came in time
        assert [state(host) for host in site.hosts] == before
    settle(site)


def main():
    end_on_signals()
    with Bed() as bed:
        site = Site(bed, 3)
        site.make_mesh()
        operator = site.operator
        operator.fleet("import", *site.names())
        key = run("wg", "pubkey", input=run("wg", "genkey").stdout).stdout.strip()
        with open(operator.file("nodes.yaml"), "a", encoding="utf-8") as file:
            file.write(f"  - name: phone\n    ipv4: {site.hosts[0].inner.rsplit('.', 1)[0]}.200\n    managed: false\n"
                       f"    public_key: {key}\n")
        operator.fleet("apply")
        a_full_disk(site)
        for after in (0.3, 0.7, 1.2):
            sshd_dies(site, after)
        for after in (0.4, 1.0):
            a_node_reboots(site, after)
        the_operator_stops(site)
    print("all faults were survived")


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/python3
"""Nodes whose clocks are an hour behind and a day ahead, and that are set meanwhile: nothing of the fleet is mistaken."""
import json
import sys
import time

from apply_test import edit, move_phone
from counted import Traffic
from hosts import Bed, Site, end_on_signals, reach_all, run, wait_for

BEHIND, AHEAD = -3600, 86400


def age(host, key):
    """Seconds since the host's last handshake with a peer, by its own clock."""
    now = int(host.run(*host.clock, "date", "+%s").stdout)
    shown = dict(line.split("\t") for line in host.run("wg", "show", "wg0", "latest-handshakes").stdout.splitlines())
    return now - int(shown[key])


def status_is_right(site, keys):
    one, two, three = site.hosts
    ran = site.operator.fleet("status")
    for name, words in (("n2", "3600 seconds behind"), ("n3", "86400 seconds ahead")):
        assert f"{name}: its clock is {words}" in near(ran.stderr), ran.stderr
    assert "n1: its clock" not in ran.stderr, ran.stderr
    rows = site.operator.json("status")["nodes"]
    assert all(row["alive"] == 2 and 0 <= row["seen"] < 180 for row in rows), rows
    assert [round(row["clockSkew"] / 60) for row in rows] == [0, BEHIND // 60, AHEAD // 60], rows

    # Heard by the one behind just now, and a while ago by the one ahead, whose time of that is the greater number.
    wait_for("an older handshake", lambda: age(three, keys["n1"][1]) >= 6, 30, 0.5)
    two.wgkit("net", "down", "wg0")
    two.up()
    two.namespace.reach(one.inner)
    seen = site.operator.json("status", status=None)["nodes"][0]["seen"]
    assert seen <= age(three, keys["n1"][1]) - 3, (seen, age(three, keys["n1"][1]))


def near(text):
    """Figures of seconds to the next hour: the machine may be slow."""
    return " ".join(str(round(int(word) / 60) * 60) if word.isdigit() else word for word in text.split())


def who_is_slow_has_no_clock_to_blame(site):
    """One node that answers nothing for seconds: the clocks of the others are not off by that."""
    two = site.hosts[1]
    two.run("nft", "add", "table", "inet", "deaf")
    two.run("nft", "-f", "-", input="table inet deaf { chain in { type filter hook input priority 0; "
                                    "tcp dport 22 drop; }; }")
    said = site.operator.fleet("status", "--connect-timeout", "8", status=1).stderr
    assert "n2: " in said and "n1: its clock" not in said, said
    two.run("nft", "delete", "table", "inet", "deaf")


def it_goes_back_in_time(site):
    """A change that waits counts the seconds since boot, whatever is done to the clock meanwhile."""
    two = site.hosts[1]
    before = two.run("wg", "showconf", "wg0").stdout
    two.write("/root/next.conf", two.read("/etc/wireguard/wg0.conf").replace("PersistentKeepalive = 25",
                                                                           "PersistentKeepalive = 21"))
    for seconds, clock in ((5, AHEAD), (60, BEHIND)):
        two.wgkit("net", "apply", "/root/next.conf", "-i", "wg0", "--confirm", str(seconds))
        assert two.run("wg", "showconf", "wg0").stdout != before
        two.set_clock(clock)
        if seconds == 60:
            left = site.operator.json("status", "n2", status=2)["nodes"][0]["pending"]
            assert left == ["confirm wg0"], left
            two.wgkit("net", "confirm", "--undo")
        wait_for("the old state", lambda: two.run("wg", "showconf", "wg0").stdout == before, 30, 0.2)


def main():
    end_on_signals()
    with Bed() as bed:
        site = Site(bed, 3)
        operator = site.operator
        one, two, three = site.hosts
        two.set_clock(BEHIND)
        three.set_clock(AHEAD)
        keys, _ = site.make_mesh()
        reach_all(site.hosts)
        with Traffic(site.hosts) as traffic:
            assert "\n0 changes planned" in operator.fleet("import", *site.names()).stdout
            key = run("wg", "pubkey", input=run("wg", "genkey").stdout).stdout.strip()
            phone = f"  - name: phone\n    ipv4: 10.44.0.200\n    managed: false\n    public_key: {key}\n"
            with open(operator.file("nodes.yaml"), "a", encoding="utf-8") as file:
                file.write(phone)
            operator.fleet("apply")
            move_phone(site, operator)
            operator.fleet("apply", "--canary", "0")
            report = traffic.stop()
        assert report["lost"] == 0, report
        who_is_slow_has_no_clock_to_blame(site)
        status_is_right(site, keys)
        it_goes_back_in_time(site)
        edit(operator, (phone.replace(".200", ".201"), ""))
        operator.fleet("apply", "--allow-removals", "1")

        # New keys between clocks a day apart, and one that jumps by a day just then.
        before = {host.name: host.device()["publicKey"] for host in site.hosts}
        with Traffic(site.hosts) as traffic:
            two.set_clock(AHEAD)
            operator.fleet("rotate", "--all", "--at-once", "3", "--quiet", "1", timeout=200)
            two.set_clock(BEHIND)
            report = traffic.stop()
        assert report["lost"] == 0, report
        assert all(before[host.name] != host.device()["publicKey"] for host in site.hosts)
        assert all(row["state"] == "ok" for row in operator.json("status")["nodes"])

        gone = three.device()["publicKey"]
        began = time.monotonic()
        operator.fleet("revoke", "n3")
        print(f"revoked after {time.monotonic() - began:.1f} s")
        for host in (one, two):
            assert gone not in host.read("/etc/wireguard/wg0.conf") and gone not in host.device()["peers"]

        # The log tells the operator's time, also where that is set back.
        operator.set_clock(BEHIND)
        with open(operator.file("nodes.yaml"), "a", encoding="utf-8") as file:
            file.write(phone)
        operator.fleet("apply")
        entries = json.loads(operator.fleet("log", "--json").stdout)["entries"]
        assert entries[-1]["time"] < entries[0]["time"], entries
        assert "unbroken" in operator.fleet("log", "verify").stdout


if __name__ == "__main__":
    sys.exit(main())

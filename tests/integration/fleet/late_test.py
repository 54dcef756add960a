#!/usr/bin/python3
"""Two ends of a change, 200 ms apart: every second node hears of each step so much later. Whatever changes, pairs that
have a session lose no packet."""
import sys
import time

from apply_test import edit
from counted import Traffic
from hosts import Bed, Site, end_on_signals, reach_all, run
from rotate_test import hears_late


def add_to(name, line):
    def change(operator):
        edit(operator, (f"  - name: {name}\n", f"  - name: {name}\n    {line}\n"))
    return change


def new_preshared_keys(operator):
    operator.run("sh", "-c", "cd /root/fleet && wgkit mesh rekey --psk")


def another_keepalive(operator):
    path = operator.file("nodes.yaml")
    text = open(path, encoding="utf-8").read()
    assert "keepalive: 25" in text, text
    with open(path, "w", encoding="utf-8") as file:
        file.write(text.replace("keepalive: 25", "keepalive: 7"))


def add_a_phone(operator):
    key = run("wg", "pubkey", input=run("wg", "genkey").stdout).stdout.strip()
    with open(operator.file("nodes.yaml"), "a", encoding="utf-8") as file:
        file.write(f"  - name: phone\n    ipv4: 10.44.0.200\n    managed: false\n    public_key: {key}\n")


CHANGES = (
    ("a peer more on each", add_a_phone),
    ("another keepalive on each", another_keepalive),
    ("a route behind a node", add_to("n2", "routes: [198.51.100.0/24]")),
    ("preshared keys of all pairs", new_preshared_keys),
)


def main():
    end_on_signals()
    with Bed() as bed:
        site = Site(bed, 4)
        site.make_mesh()
        operator = site.operator
        operator.fleet("import", *site.names())
        reach_all(site.hosts)
        for host in site.hosts[1::2]:
            hears_late(host)
        for what, change in CHANGES:
            change(operator)
            with Traffic(site.hosts) as traffic:
                said = operator.fleet("apply", "--canary", "0").stdout
                time.sleep(0.5)
                report = traffic.stop()
            assert "changed: n1, n2, n3, n4\n" in said, said
            assert report["lost"] == 0, (what, report)
            print(f"{what}: lost 0 of {report['sent']}", flush=True)

        # The late ones still take what the revoked node sends; that is all that differs.
        gone = site.hosts[2]
        with Traffic(site.hosts) as traffic:
            traffic.watch(gone)
            operator.fleet("revoke", gone.name)
            time.sleep(0.5)
            report = traffic.stop()
        assert report["lost"] == 0, report
        print(f"revoked: last packet taken after {report['last_taken'][gone.name]:.2f} s; lost 0 of {report['sent']}")
        assert all(row["state"] == "ok" for row in operator.json("status")["nodes"])


if __name__ == "__main__":
    sys.exit(main())

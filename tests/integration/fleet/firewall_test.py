#!/usr/bin/python3
"""The policy's rules go to all nodes with the same plan, the same waves and the same way back as their peers."""
import re
import socket
import sys

from apply_test import ONE_CONNECTION, edit
from hosts import Bed, Site, end_on_signals, need, reach_all

TABLE = "wgkit_fw_wg0"


def rules(host):
    return re.sub(r"packets \d+ bytes \d+", "", host.run("nft", "list", "ruleset").stdout)


def reaches(host, other, port):
    with host.namespace.socket(kind=socket.SOCK_STREAM) as one:
        one.settimeout(1)
        return one.connect_ex((other.inner, port)) == 0


def listen(host, port):
    """The kernel takes the connections; nobody has to."""
    one = host.namespace.socket(kind=socket.SOCK_STREAM)
    one.bind(("0.0.0.0", port))
    one.listen(100)
    return one


def set_policy(operator, text):
    path = operator.file("nodes.yaml")
    nodes = open(path, encoding="utf-8").read().split("policy:\n")[0]
    with open(path, "w", encoding="utf-8") as file:
        file.write(nodes + "policy:\n" + text)


def main():
    end_on_signals()
    need("nft", "nftables")
    with Bed() as bed:
        site = Site(bed, 3)
        site.make_mesh()
        operator = site.operator
        one, two, three = site.hosts
        operator.fleet("import", *site.names())
        reach_all(site.hosts)
        listening = [listen(two, port) for port in (80, 81)]

        set_policy(operator, "  allow:\n    - n1 -> n2: 80/tcp\n")
        said = operator.fleet("plan", "-o", "rules.plan", status=2)
        assert "n2 firewall (nftables)\n" in said.stdout and "wg0" in said.stdout, said.stdout
        assert all(TABLE not in rules(host) for host in site.hosts)
        operator.fleet("apply", "rules.plan")
        assert all(TABLE in rules(host) for host in site.hosts)
        assert reaches(one, two, 80) and not reaches(one, two, 81) and not reaches(three, two, 80)
        assert one.ping(two.inner) and three.ping(two.inner)
        assert "0 of 3 nodes change" in operator.fleet("plan").stdout
        operator.fleet("apply", "rules.plan")  # all done: nothing to do

        # Changed by hand: it is seen, a plan from before is refused, and apply puts it right.
        edit(operator, ("80/tcp", "81/tcp"))
        operator.fleet("plan", "-o", "rules.plan", status=2)
        two.run("nft", "delete", "table", "inet", TABLE)
        said = operator.fleet("apply", "rules.plan", "--wave", "3", "--canary", "0", status=1)
        assert "no longer as it was" in said.stderr, said.stderr
        assert reaches(one, two, 80) and TABLE not in rules(two)
        operator.fleet("apply")
        assert reaches(one, two, 81) and not reaches(one, two, 80)

        # One node cannot be confirmed: the rules of all are what they were, also for the next boot.
        def applied():
            return {host.name: (rules(host), host.read("/var/lib/wgkit/fw/wg0.json")) for host in site.hosts}
        before = applied()
        edit(operator, ("    - n1 -> n2: 81/tcp\n", "    - n1 -> n2: 80/tcp\n    - n1 -> n3: 80/tcp\n"))
        three.run("nft", "-f", "-", input=ONE_CONNECTION)
        said = operator.fleet("apply", "--wave", "3", "--canary", "0", "--connect-timeout", "3", status=1)
        three.run("nft", "delete", "table", "inet", "one")
        assert "taken back: n2, n3\n" in said.stdout, said
        assert applied() == before
        assert reaches(one, two, 81) and not reaches(one, two, 80)
        operator.fleet("apply")

        # Rules that would cut the operator's own way in are refused by each node.
        before = applied()
        set_policy(operator, "  outside: closed\n  allow:\n    - n1 -> n2: 80/tcp\n")
        assert "apply would refuse" in operator.fleet("plan", status=2).stderr
        assert "n1: " in operator.fleet("apply", status=1).stderr
        assert applied() == before

        # Nobody answers echo requests any more: peers are judged by what is heard of them.
        set_policy(operator, "  ping: no\n  allow:\n    - n1 -> n2: 80/tcp\n")
        operator.fleet("apply", "--canary", "0")
        assert not one.ping(two.inner, check=False) and reaches(one, two, 80)
        assert all(row["state"] == "ok" for row in operator.json("status")["nodes"])
        for one in listening:
            one.close()


if __name__ == "__main__":
    sys.exit(main())

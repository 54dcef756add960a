#!/usr/bin/python3
"""Ten machines with plain wg-quick files become a fleet, and nothing changes on them."""
import sys

from hosts import Bed, Site, end_on_signals, run


def states(site):
    """All that adoption must leave alone."""
    return {host.name: (host.read("/etc/wireguard/wg0.conf"),
                        host.run("wg", "show", "wg0", "dump").stdout.split("\n")[0],
                        host.run("ip", "-j", "addr", "show", "wg0").stdout) for host in site.hosts}


def main():
    end_on_signals()
    with Bed() as bed:
        site = Site(bed, 10)
        keys, pairs = site.make_mesh()
        before = states(site)
        said = site.operator.fleet("import", *site.names())
        assert "10 nodes" in said.stdout, said.stdout
        nodes = open(site.operator.file("nodes.yaml"), encoding="utf-8").read()
        everything = run("grep", "-r", "", site.operator.file("")).stdout
        for name, (private, public) in keys.items():
            assert private not in everything, f"the private key of {name} has left it"
            assert public in everything
        assert all(psk in everything for psk in pairs.values()), "a preshared key is lost"
        assert nodes.count("keys: node") == 10, nodes

        # Rendered again, nothing differs: by the operator's word and by each node's own plan of the same file.
        status = site.operator.json("status")
        for row in status["nodes"]:
            assert row["state"] == "ok" and row["changes"] == 0, row
            assert row["peers"] == 9, row
        assert len(status["nodes"]) == 10
        assert before == states(site), "adoption has changed something"
        print("ten nodes adopted: 0 changes")


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/python3
"""fleet_bench.py [--nodes N] [--revoke N] [--rotate N]: how long `wgkit fleet` takes over ssh, on hosts in namespaces with an sshd
each (tests/integration/fleet/hosts.py). Needs root. Prints seconds; RESULTS.md keeps some."""
import argparse
import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "integration", "fleet"))
from hosts import PORT, Bed, Site, end_on_signals, make_keys  # noqa: E402
from counted import Traffic  # noqa: E402


def timed(what, action):
    began = time.monotonic()
    action()
    print(f"{what}: {time.monotonic() - began:.1f} s", flush=True)


def hub_and_spokes(site):
    """Each node has the first as its peer, and the first has all: a mesh of so many would measure the engines."""
    keys = {host.name: make_keys() for host in site.hosts}
    hub = site.hosts[0]
    for host in site.hosts:
        text = f"[Interface]\nPrivateKey = {keys[host.name][0]}\nAddress = {host.inner}/24\nListenPort = {PORT}\n"
        for other in site.hosts[1:] if host is hub else [hub]:
            text += (f"\n[Peer]\n# {other.name}\nPublicKey = {keys[other.name][1]}\nAllowedIPs = {other.inner}/32\n"
                     f"Endpoint = {other.address}:{PORT}\n")
        host.write("/etc/wireguard/wg0.conf", text)
    for host in site.hosts:
        host.up()


def change_one_peer_on_each(count):
    with Bed() as bed:
        site = Site(bed, count)
        hub_and_spokes(site)
        operator = site.operator
        timed(f"import, {count} nodes", lambda: operator.fleet("import", *site.names(), timeout=300))
        timed(f"status, {count} nodes", lambda: operator.fleet("status", timeout=300))
        path = operator.file("nodes.yaml")
        text = open(path, encoding="utf-8").read()
        with open(path, "w", encoding="utf-8") as file:  # the hub's endpoint for all, a keepalive for the hub
            file.write(text.replace("nodes:\n", "defaults: {keepalive: 20}\nnodes:\n"))
        timed(f"apply, a peer changed on each of {count} nodes, canary 1 and one wave",
              lambda: operator.fleet("apply", "--wave", "1000", timeout=300))


def revoke(count):
    with Bed() as bed:
        site = Site(bed, count)
        site.make_mesh()
        operator = site.operator
        operator.fleet("import", *site.names(), timeout=300)
        with Traffic(site.hosts, per_second=5) as traffic:
            time.sleep(5)  # until all have sessions
            traffic.watch(site.hosts[1])
            timed(f"revoke, {count} nodes", lambda: operator.fleet("revoke", site.hosts[1].name, timeout=300))
            report = traffic.stop()
        print(f"its last packet was taken after {report['last_taken'][site.hosts[1].name]:.2f} s; "
              f"lost between the others: {report['lost']} of {report['sent']}")


def adopt_and_rotate(count):
    """Numbered packets at 50/s between all pairs, while a plain mesh is taken over, and all keys change."""
    with Bed() as bed:
        site = Site(bed, count)
        site.make_mesh()
        operator = site.operator
        for host in site.hosts:
            for other in site.hosts:
                if other is not host:
                    host.namespace.reach(other.inner)
        with Traffic(site.hosts) as traffic:
            timed(f"import, {count} nodes", lambda: operator.fleet("import", *site.names(), timeout=300))
            report = traffic.stop()
        planned = operator.fleet("plan").stdout.strip()
        print(f"lost while adopting: {report['lost']} of {report['sent']}; {planned}")
        with Traffic(site.hosts) as traffic:
            timed(f"rotate --all, {count} nodes in one round", lambda: operator.fleet(
                "rotate", "--all", "--at-once", str(count), "--quiet", "3", timeout=600))
            report = traffic.stop()
        print(f"lost while rotating: {report['lost']} of {report['sent']} between {report['pairs']} pairs")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--nodes", type=int, default=50)
    parser.add_argument("--revoke", type=int, default=20)
    parser.add_argument("--rotate", type=int, default=10)
    options = parser.parse_args()
    end_on_signals()
    if options.nodes:
        change_one_peer_on_each(options.nodes)
    if options.revoke:
        revoke(options.revoke)
    if options.rotate:
        adopt_and_rotate(options.rotate)


if __name__ == "__main__":
    sys.exit(main())

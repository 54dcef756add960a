"""The real wg-quick, systemd-networkd and netplan configure kernel WireGuard in a virtual machine;
what the kernel has then is the same for all, and what the wg-quick file says."""
import json
import os
import re
import sys

from fleet import NODES, Fleet, KEY_FILE, compare, files_below, find_program, read_wg
import netplan
from guest import Guest, sections

PROGRAMS = ("wg", "wg-quick", "bash", "nft", "sysctl", "unshare", "cp", "rm", "ls", "sed", "grep",
            "stat", "readlink", "sort", "/lib/systemd/systemd-networkd")
MODULES = ("wireguard", "nf_tables", "nft_chain_nat", "nft_masq", "nft_ct", "nft_fib_inet",
           "nft_compat", "nft_nat")
NETWORK_GROUP = 101  # of systemd-network in the guest
# Takes the DNS servers that wg-quick hands over; wg_quick_test looks at them.
RESOLVCONF = b"#!/bin/sh\n[ $1 != -a ] || cat >/dev/null\n"


def add_tree(initramfs, folder, place):
    for path in files_below(folder):
        source = os.path.join(folder, path)
        mode = os.stat(source).st_mode & 0o777
        with open(source, "rb") as file:
            # As the header of these files asks for.
            initramfs.file(f"{place}/{path}", file.read(), mode, NETWORK_GROUP if mode == 0o640 else 0)


def make_guest(fleet, methods):
    guest = Guest(PROGRAMS, MODULES)
    image = guest.initramfs
    image.file("etc/passwd", b"root:x:0:0::/:/bin/sh\nsystemd-network:x:101:101::/:/bin/sh\n")
    image.file("etc/group", b"root:x:0:\nsystemd-network:x:101:\n")
    image.file("etc/nsswitch.conf", b"passwd: files\ngroup: files\n")
    image.file("bin/resolvconf", RESOLVCONF, 0o755)
    for method in methods:
        out = fleet.render(method)
        for node in NODES:
            add_tree(image, f"{out}/{node}", f"fleet/{method}/{node}")
            if method == "netplan":
                with netplan.generated(f"{out}/{node}") as root:
                    add_tree(image, f"{root}/run/systemd/network",
                             f"fleet/{method}/{node}/run/systemd/network")
        image.file(f"fleet/{method}/db/{KEY_FILE}", fleet.db_key.encode() + b"\n", 0o640, NETWORK_GROUP)
    return guest


def observed(parts, name):
    """The facts of one interface as the kernel tells them."""
    facts = read_wg(parts[f"{name} wg"])
    link = json.loads(parts[f"{name} addr"])[0]
    facts["addresses"] = sorted(f"{a['local']}/{a['prefixlen']}" for a in link["addr_info"])
    facts["mtu"] = link["mtu"]
    facts["routes"], facts["rules"] = set(), set()
    for family, default in ("4", "0.0.0.0/0"), ("6", "::/0"):
        for route in json.loads(parts[f"{name} route{family}"]):
            if route.get("protocol") == "kernel" or route.get("table") == "local":
                continue
            destination = default if route["dst"] == "default" else route["dst"]
            if "/" not in destination:
                destination += "/32" if family == "4" else "/128"
            facts["routes"].add((destination, str(route.get("table", "main"))))
        for rule in json.loads(parts[f"{name} rule{family}"]):
            facts["rules"].add((family, rule["priority"], "not" in rule,
                                int(rule.get("fwmark", "0"), 0), rule["table"],
                                rule.get("suppress_prefixlen")))
    facts["forwards"] = parts[f"{name} forward"].split() == ["1", "1"]
    links = dict(re.findall("^([A-Z_]+)=(.+)", parts[f"{name} links"], re.M))
    facts["dns"] = sorted(links.get("DNS", "").split())
    facts["search"] = links.get("DOMAINS", "").split()
    facts["routed_domains"] = links.get("ROUTE_DOMAINS", "").split()
    facts["masquerades"] = "masquerade" in parts[f"{name} nft"]
    return facts


def test_methods(methods):
    fleet = Fleet()
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "kernel_job"),
              encoding="utf-8") as file:
        output = make_guest(fleet, methods).run(file.read(), seconds=150)
    if os.environ.get("WGKIT_TEST_VERBOSE"):
        print(output)
    parts = sections(output)
    for node in NODES:
        expected = fleet.expected(node)
        reference = observed(parts, f"{methods[0]} {node}")
        for method in methods:
            facts = observed(parts, f"{method} {node}")
            name = f"{node} by {method}"
            keys = ["private_key", "port", "fwmark", "addresses", "mtu", "peers", "routes"]
            if method != "wg-quick":
                keys += ["dns", "search"]
                assert facts["routed_domains"] == (["."] if expected["dns"] else [])
            compare(name, {**expected, "mtu": expected["mtu"] or 1420}, facts, keys)
            # netplan has no field for forwarding and masquerading.
            compare(name, reference, facts,
                    ("rules",) if method == "netplan" else ("rules", "forwards", "masquerades"))


if __name__ == "__main__":
    test_methods(sys.argv[1:] or ["wg-quick", "networkd", "netplan"])
    print("ok")

#!/usr/bin/python3
"""Nodes behind a jump host, nodes whose wgkit speaks another protocol, and a folder that brings all it needs."""
import os
import subprocess
import sys

from hosts import BIN, Bed, Site, end_on_signals

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
BUILD = os.path.dirname(BIN)
ONLY_BY_JUMP = """
table inet gate {
  chain in {
    type filter hook input priority 0;
    tcp dport 22 ip saddr != %s reject with tcp reset
  }
}
"""
# The real program, one version of the protocol on: what it is asked and what it says has another number.
OTHER_PROTOCOL = """#!/bin/sh
[ "$2" = node ] || exec %(bin)s/wgkit "$@"
sed 's/"protocol":99/"protocol":1/' | %(bin)s/wgkit "$@" | sed 's/"protocol":1/"protocol":99/'
"""


def replace_wgkit(host, script):
    path = os.path.join(host.folder, "bin/wgkit")
    os.remove(path)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o755), "w", encoding="utf-8") as file:
        file.write(script)


def by_jump(site, operator):
    one, _, three = site.hosts
    three.run("nft", "-f", "-", input=ONLY_BY_JUMP % one.address)
    ran = operator.fleet("status", "n3", status=1)
    assert "unreachable" in ran.stdout, ran
    path = operator.file("nodes.yaml")
    text = open(path, encoding="utf-8").read()
    at = text.index("name: n3")
    assert "ssh:" not in text[at:], text
    with open(path, "w", encoding="utf-8") as file:
        file.write(text[:at] + f"name: n3\n    ssh: {{host: {three.address}, user: root, jump: root@{one.address}}}"
                   + text[at + len("name: n3"):])
    assert operator.json("status", "n3")["nodes"][0]["state"] == "ok"


def by_folder(site, operator):
    """The installed tree: programs, and libraries beside them, that find each other wherever they lie."""
    two = site.hosts[1]
    replace_wgkit(two, OTHER_PROTOCOL % {"bin": BIN})
    ran = operator.fleet("status", "n2", status=1)
    assert "protocol 99" in ran.stderr and "no-wgkit" in ran.stdout, ran
    tree = os.path.join(operator.folder, "root/tree")
    subprocess.run([os.path.join(ROOT, "packaging/folder"), BUILD, tree], check=True)
    said = operator.fleet("bootstrap", "--from", "/root/tree", "n2").stdout
    assert "got" in said, said
    assert operator.json("status", "n2")["nodes"][0]["state"] == "ok"
    loaded = two.run("ldd", "/usr/local/lib/wgkit/bin/wgkit-fleet").stdout
    ours = [line for line in loaded.splitlines() if "libwgkit" in line]
    assert ours and all("/usr/local/lib/wgkit/" in line for line in ours), loaded


def main():
    end_on_signals()
    with Bed() as bed:
        site = Site(bed, 3)
        site.make_mesh()
        site.operator.fleet("import", *site.names())
        by_jump(site, site.operator)
        by_folder(site, site.operator)


if __name__ == "__main__":
    sys.exit(main())

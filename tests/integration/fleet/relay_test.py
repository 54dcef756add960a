#!/usr/bin/python3
"""A node becomes an exit and the relay of a hub over ssh: kernel settings and rules come with its file, and go with it."""
import json
import sys

from apply_test import ONE_CONNECTION
from hosts import Bed, Site, end_on_signals, need

SETTINGS = "/etc/sysctl.d/90-wgkit-wg0.conf"
FORWARDING = "/proc/sys/net/ipv4/ip_forward"


def state(host):
    return (host.read("/etc/wireguard/wg0.conf"), host.run("cat", FORWARDING).stdout,
            host.run("nft", "list", "ruleset").stdout, host.run("ls", "/etc/sysctl.d").stdout)


def edit_hub(operator, text):
    path = operator.file("nodes.yaml")
    nodes = open(path, encoding="utf-8").read()
    start = nodes.index("  - name: n1\n")
    end = nodes.index("  - name: n2\n")
    part = "".join(line + "\n" for line in nodes[start:end].splitlines() if not line.startswith("    exit:"))
    with open(path, "w", encoding="utf-8") as file:
        file.write(nodes[:start] + part + text + nodes[end:])


def run_lines_that_differ(operator, host):
    """People's own PostUp and PostDown: what was new is undone with the change, what is gone is undone, what stays
    is left alone."""
    def marks():
        return host.run("sh", "-c", "cat /run/marks 2>/dev/null || :").stdout.split()
    path = operator.file("nodes.yaml")
    plain = open(path, encoding="utf-8").read()

    def set_hooks(*names):
        lines = [f"echo up-{name} >>/run/marks" for name in names], [f"echo down-{name} >>/run/marks" for name in names]
        hooks = "".join(f"      {where}: {json.dumps(those)}\n" for where, those in zip(("post_up", "post_down"), lines))
        with open(path, "w", encoding="utf-8") as file:
            file.write(plain.replace("  - name: n2\n", "  - name: n2\n    hooks:\n" + hooks))
    set_hooks("a")
    assert "PostUp = echo up-a" in operator.fleet("plan", status=2).stdout
    host.run("nft", "-f", "-", input=ONE_CONNECTION)
    operator.fleet("apply", "--connect-timeout", "3", status=1)
    host.run("nft", "delete", "table", "inet", "one")
    assert marks() == ["up-a", "down-a"], marks()
    operator.fleet("apply")
    set_hooks("a", "b")
    operator.fleet("apply")
    assert marks()[2:] == ["up-a", "up-b"], marks()
    set_hooks("b")
    operator.fleet("apply")
    assert marks()[4:] == ["down-a"], marks()
    # A line that fails takes the change back.
    with open(path, encoding="utf-8") as file:
        text = file.read()
    with open(path, "w", encoding="utf-8") as file:
        file.write(text.replace('post_up: [', 'post_up: ["echo up-c >>/run/marks; exit 3", '))
    assert "n2: a setting or command failed" in operator.fleet("apply", status=1).stderr
    assert "up-c" not in host.read("/etc/wireguard/wg0.conf")
    with open(path, "w", encoding="utf-8") as file:
        file.write(plain)
    operator.fleet("apply")
    assert marks()[-1] == "down-b" and "0 of 3 nodes change" in operator.fleet("plan").stdout, marks()


def main():
    end_on_signals()
    need("nft", "nftables")
    with Bed() as bed:
        site = Site(bed, 3)
        site.make_mesh()
        operator = site.operator
        hub, two, three = site.hosts
        operator.fleet("import", *site.names())
        for host in (two, three):
            host.namespace.reach(hub.inner)
        hub.run("mkdir", "-p", "/etc/sysctl.d")
        hub.run("sh", "-c", f"echo 0 >{FORWARDING}")
        plain = state(hub)

        edit_hub(operator, "    exit: true\n")
        said = operator.fleet("plan", status=2).stdout
        assert "~ net.ipv4.ip_forward: 0 -> 1" in said and f"+ {SETTINGS}" in said, said
        # Not confirmed on one node: all of it goes back, on the running host and for the next boot.
        hub.run("nft", "-f", "-", input=ONE_CONNECTION)
        operator.fleet("apply", "--connect-timeout", "3", status=1)
        hub.run("nft", "delete", "table", "inet", "one")
        assert state(hub) == plain, state(hub)
        operator.fleet("apply")
        text, forwarding, rules, files = state(hub)
        assert forwarding == "1\n" and "wgkit-wg0" in rules and "90-wgkit-wg0.conf" in files
        assert "net.ipv4.ip_forward = 1" in hub.read(SETTINGS) and "masquerade" in text
        assert "0 of 3 nodes change" in operator.fleet("plan").stdout

        # Changed by hand: seen, and put right.
        hub.run("sh", "-c", f"echo 0 >{FORWARDING}")
        assert "~ net.ipv4.ip_forward: 0 -> 1" in operator.fleet("plan", status=2).stdout
        operator.fleet("apply")
        assert state(hub)[1] == "1\n"
        # As at boot.
        hub.reboot(after=["wg0"])
        assert state(hub)[1] == "1\n" and "wgkit-wg0" in state(hub)[2]

        edit_hub(operator, "")
        operator.fleet("apply")
        text, _, rules, files = state(hub)
        assert "PostUp" not in text and "wgkit-wg0" not in rules and "90-wgkit" not in files, state(hub)
        assert "0 of 3 nodes change" in operator.fleet("plan").stdout
        for host in (two, three):
            host.namespace.reach(hub.inner)
        run_lines_that_differ(operator, two)


if __name__ == "__main__":
    sys.exit(main())

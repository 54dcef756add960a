#!/usr/bin/python3
"""wgkit net apply on what net up has made: the host's state is then what net up would have made of the new file, and
is back to what it was when the change is undone."""
import glob
import json
import os
import re
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tunnel"))
from bed import Bed, end_on_signals, run  # noqa: E402
from host import NAME, NET, Host, differences, make_keys  # noqa: E402
from tools import wgkit  # noqa: E402

KEYS = [make_keys() for _ in range(4)]


def config(*interface, peers=("10.67.0.0/16",)):
    lines = ["[Interface]", f"PrivateKey = {KEYS[0][0]}", "ListenPort = 51900", *interface]
    for (_, public), allowed in zip(KEYS[1:], peers):
        lines += ["[Peer]", f"PublicKey = {public}", f"AllowedIPs = {allowed}", "Endpoint = 192.0.2.9:51820"]
    return "\n".join(lines) + "\n"


ADDRESS, MTU = "Address = 10.66.0.1/24, fd66::1/64", "MTU = 1320"
CONFIGS = {
    "plain": config(ADDRESS, MTU),
    "other addresses": config("Address = 10.66.0.7/24, 10.65.0.1/32, fd66::7/64", "MTU = 1300"),
    "subnet becomes route": config("Address = 10.66.0.1/32", MTU, peers=["10.66.0.0/24, fd67::/48"]),
    "more peers": config(ADDRESS, MTU, peers=["10.67.0.0/16", "10.68.0.0/16, fd68::/48", "10.66.0.3/32"]),
    "full tunnel": config(ADDRESS, MTU, peers=["0.0.0.0/0, ::/0, 10.67.0.0/16"]),
    "full tunnel with a mark": config(ADDRESS, MTU, "FwMark = 77", peers=["0.0.0.0/0"]),
    "a table": config(ADDRESS, MTU, "Table = 123", peers=["10.67.0.0/16, 10.69.0.0/16"]),
}
PAIRS = [("plain", "other addresses"), ("other addresses", "more peers"), ("more peers", "plain"),
         ("plain", "subnet becomes route"), ("subnet becomes route", "plain"), ("plain", "full tunnel"),
         ("full tunnel", "other addresses"), ("full tunnel", "full tunnel with a mark"), ("plain", "a table")]


def settled(host):
    """Without what a full tunnel leaves: a setting that others may have come to need, and a mark. Of rules, the order."""
    state = host.state(fixed_port=True)
    for family in ("rules -4", "rules -6"):
        state[family] = [{key: value for key, value in rule.items() if key != "priority"} for rule in state[family]]
    state["ipv4.conf.all.src_valid_mark"] = ""
    state[f"link {NAME}"]["addresses"].sort()  # those that stay are the first
    state["wg"] = [line for line in state["wg"] if not line.startswith("FwMark")]
    return state


def becomes_what_up_makes(host):
    expected = {}
    for name, text in CONFIGS.items():
        path = host.write(text)
        host.net("up", path)
        expected[name] = settled(host)
        assert "is as" in host.net("plan", path), f"{name}: up and plan disagree"
        host.net("down", path)
    for before, after in PAIRS:
        path = host.write(CONFIGS[before])
        host.net("up", path)
        new = host.write(CONFIGS[after], "new")
        host.net("plan", new, "-i", NAME, "--allow-removals", "9", status=2)
        # To the new file, back, and there to stay.
        said = host.net("apply", new, "-i", NAME, "--allow-removals", "9", "--confirm", "600")
        left = differences(expected[after], settled(host))
        assert not left, f"{before} -> {after}: {left}\n{said}"
        assert "is as" in host.net("plan", new, "-i", NAME)
        host.call(*host.confirm("--undo"))
        left = differences(expected[before], settled(host))
        assert not left, f"{before} -> {after}, undone: {left}"
        host.net("apply", new, "-i", NAME, "--allow-removals", "9")
        left = differences(expected[after], settled(host))
        assert not left, f"{before} -> {after}, again: {left}"
        host.net("down", new.replace("new.conf", f"{NAME}.conf"))


def says_what_it_does(host):
    host.net("up", host.write(CONFIGS["plain"]))
    new = host.write(CONFIGS["full tunnel"].replace("10.66.0.1/24", "10.66.0.2/24"), "new")
    plan = json.loads(host.net("plan", new, "-i", NAME, "--json", status=2))
    changes = {json.dumps(change, sort_keys=True) for change in plan["changes"]}
    for one in ({"change": "add-address", "address": "10.66.0.2/24"},
                {"change": "remove-address", "address": "10.66.0.1/24"},
                {"change": "add-route", "destination": "0.0.0.0/0", "table": 51820},
                {"change": "add-filter", "family": "IPv6"}):
        assert json.dumps(one, sort_keys=True) in changes, f"{one} is not in {plan['changes']}"
    said = host.net("plan", new, "-i", NAME, status=2)
    for words in ("+ address 10.66.0.2/24", "- address 10.66.0.1/24", "+ route 0.0.0.0/0, table 51820",
                  "+ IPv4 rule: all but mark 0xca6c look up table 51820",
                  "+ IPv4 rule: all look up table main, but its default route"):
        assert words in said, f"{words!r} is not in {said}"
    said = host.net("plan", new, "-i", NAME, "--device-only", status=2)
    assert "address" not in said and "rule" not in said, said
    # A file of wg(8) says nothing of the host.
    bare = "\n".join(line for line in CONFIGS["plain"].splitlines() if not line.startswith(("Address", "MTU"))) + "\n"
    assert "is as" in host.net("plan", host.write(bare, "new"), "-i", NAME)
    host.net("down", host.write(CONFIGS["plain"]))


def excludes_up_and_down(host):
    """One lock for all that changes an interface."""
    path = host.write(CONFIGS["plain"] + "", NAME)
    host.net("up", path)
    locks = [name for name in os.listdir("/run/wgkit") if re.fullmatch(f"{NAME}(@\\d+)?\\.lock", name)]
    assert len(locks) == 1, locks
    for verb in ("apply", "down"):
        said = host.call("flock", "-n", f"/run/wgkit/{locks[0]}", *host.command(verb, path), status=1)
        assert f"another process is changing {NAME}" in said, said
    host.net("down", path)


def saved_plans_are_carried_out_or_refused(host):
    host.net("up", host.write(CONFIGS["plain"]))
    new, plan = host.write(CONFIGS["more peers"], "new"), os.path.join(host.folder, "plan")
    command = ("plan", new, "-i", NAME, "-o", plan)

    def make():
        host.net(*command, status=2)
        with open(plan, encoding="utf-8") as file:
            text = file.read()
        assert os.stat(plan).st_mode & 0o777 == 0o600
        assert not any(private in text for private, _ in KEYS), "a key in a plan"

    def refused(why):
        before = settled(host)
        said = host.net("apply", plan, status=1)
        assert "does not hold any more" in said and why in said, said
        assert settled(host) == before
    # The device, the host, the file, the change: each is another than then.
    make()
    run("wg", "set", NAME, "fwmark", "7")
    refused(f"the device {NAME} has changed")
    run("wg", "set", NAME, "fwmark", "off")
    host.space.ip(f"addr add 10.64.0.1/24 dev {NAME}")
    refused(f"addresses, routes or rules of {NAME} have changed")
    host.space.ip(f"addr del 10.64.0.1/24 dev {NAME}")
    host.write(CONFIGS["more peers"] + "# later\n", "new")
    refused(f"{new} has changed")
    make()
    assert "--device-only is part of a plan" in host.net("apply", plan, "--device-only", status=64)
    host.net("apply", plan)
    assert "is as" in host.net("plan", new, "-i", NAME)
    refused(f"the device {NAME} has changed")
    with open(plan, "w", encoding="utf-8") as file:
        file.write("{}")
    assert "is no plan" in host.net("apply", plan, status=1)
    host.net("down", host.write(CONFIGS["plain"]))


def all_interfaces_of_a_rendered_node(host):
    """By the manifest of the real render: nothing is applied from half a copy."""
    mesh = wgkit("mesh")
    with open(os.path.join(host.folder, "nodes.yaml"), "w", encoding="utf-8") as file:
        file.write("version: 1\nnetworks:\n"  # each with a port of its own
                   + "".join(f"  - {{name: net{n}, interface: {NAME}{n}, ipv4: 10.{n}.0.0/24, port: 5190{n}, topology: full-mesh}}\n"
                             for n in (1, 2))
                   + "nodes:\n"
                   + "".join(f"  - {{name: {name}, endpoint: 192.0.2.{n}, networks: [net1, net2]}}\n"
                             for n, name in ((7, "one"), (8, "two"))))
    run(os.path.abspath(mesh), "render", cwd=host.folder)
    node = os.path.join(host.folder, "out", "one")
    files = sorted(glob.glob(f"{node}/etc/wireguard/*.conf"))
    assert len(files) == 2, files
    for path in files:
        host.net("up", "--no-hooks", path)
        run("wg", "set", os.path.basename(path)[:-5], "listen-port", "0")
    plan = json.loads(host.call(NET, "plan", "--all", node, "--json", status=2))
    assert [one["interface"] for one in plan["interfaces"]] == [f"{NAME}1", f"{NAME}2"], plan
    host.call(NET, "apply", "--all", node)
    assert "is as" in host.call(NET, "plan", "--all", node)
    with open(files[1], "a", encoding="ascii") as file:
        file.write("# an edit\n")
    assert f"{files[1]} is not what was rendered" in host.call(NET, "apply", "--all", node, status=1)
    os.unlink(files[1])
    host.call(NET, "apply", "--all", node, status=1)
    run(os.path.abspath(mesh), "render", cwd=host.folder)
    stray = f"{node}/etc/wireguard/stray.conf"
    shutil.copy(files[0], stray)
    assert "stray.conf was not rendered" in host.call(NET, "apply", "--all", node, status=1)
    os.unlink(stray)
    os.rename(os.path.join(host.folder, "out", ".wgkit"), os.path.join(host.folder, "out", "away"))
    assert "manifest" in host.call(NET, "apply", "--all", node, status=1)
    assert "a file is required" in host.call(NET, "apply", status=64)
    for path in files:
        host.net("down", "--no-hooks", path)


def main():
    end_on_signals()
    for scenario in (becomes_what_up_makes, says_what_it_does, excludes_up_and_down,
                     saved_plans_are_carried_out_or_refused, all_interfaces_of_a_rendered_node):
        if len(sys.argv) > 1 and scenario.__name__ not in sys.argv[1:]:
            continue
        with Bed() as bed:
            scenario(Host(bed))
        print(scenario.__name__, "ok", flush=True)


if __name__ == "__main__":
    main()

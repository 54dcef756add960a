"""The real wg-quick brings every node up on wireguard-go and down again."""
import json
import os
import shutil
import subprocess

import namespaces
from fleet import KEY_FILE, NODES, Fleet, compare, find_program, parse_ini, read_wg, run


def prepare():
    find_program("wg-quick", "wireguard-tools")
    find_program("wireguard-go", "wireguard-go")
    find_program("sysctl", "procps")
    namespaces.private("/run", "/etc/sysctl.d", "/etc/wireguard")
    run("ip", "link", "set", "lo", "up")
    os.makedirs("/run/bin")
    with open("/run/bin/resolvconf", "w", encoding="utf-8") as file:
        file.write("#!/bin/sh\n[ $1 != -a ] || cat >/run/resolvconf\n")
    os.chmod("/run/bin/resolvconf", 0o755)
    os.environ["PATH"] = "/run/bin:" + os.environ["PATH"]
    os.environ["WG_QUICK_USERSPACE_IMPLEMENTATION"] = "wireguard-go"


def deploy(folder, node, fleet):
    """What rsync of the node's folder does."""
    for place in ("/etc/wireguard", "/etc/sysctl.d"):
        for name in os.listdir(place):
            os.remove(f"{place}/{name}")
        if os.path.isdir(f"{folder}/{node}{place}"):
            shutil.copytree(f"{folder}/{node}{place}", place, dirs_exist_ok=True)
    if node == "db":
        with open(os.open("/" + KEY_FILE, os.O_WRONLY | os.O_CREAT, 0o600), "w",
                  encoding="utf-8") as file:
            file.write(fleet.db_key + "\n")


def wg_quick(action):
    done = subprocess.run(["wg-quick", action, "wg0"], stdout=subprocess.PIPE, text=True,
                          stderr=subprocess.STDOUT, check=False)
    assert done.returncode == 0, f"wg-quick {action} failed:\n{done.stdout}"


def routes():
    found = set()
    for family, default, length in ("-4", "0.0.0.0/0", "/32"), ("-6", "::/0", "/128"):
        for one in json.loads(run("ip", family, "-j", "route", "show", "table", "all")):
            if one.get("protocol") == "kernel" or one["dev"] != "wg0":
                continue
            destination = default if one["dst"] == "default" else one["dst"]
            found.add((destination + ("" if "/" in destination else length),
                       str(one.get("table", "main"))))
    return found


def observed():
    facts = read_wg(run("wg", "showconf", "wg0"))
    link = json.loads(run("ip", "-j", "addr", "show", "dev", "wg0"))[0]
    facts["addresses"] = sorted(f"{a['local']}/{a['prefixlen']}" for a in link["addr_info"]
                                if a["scope"] == "global")
    facts["mtu"] = link["mtu"]
    facts["routes"] = routes()
    facts["dns"], facts["search"] = [], []
    if os.path.exists("/run/resolvconf"):
        with open("/run/resolvconf", encoding="utf-8") as file:
            for word, value in (line.split(None, 1) for line in file.read().splitlines()):
                facts["dns" if word == "nameserver" else "search"] += value.split()
        os.remove("/run/resolvconf")
    facts["dns"].sort()
    return facts


def test_every_node_comes_up_and_goes_down(fleet, folder):
    for node in NODES:
        deploy(folder, node, fleet)
        before = run("ip", "rule"), run("nft", "list", "ruleset")
        wg_quick("up")
        expected, facts = fleet.expected(node), observed()
        compare(node, {**expected, "mtu": expected["mtu"] or 1420}, facts,
                ("private_key", "port", "fwmark", "addresses", "mtu", "dns", "search", "routes",
                 "peers"))
        if node == "gw":
            with open("/proc/sys/net/ipv4/ip_forward", encoding="utf-8") as file:
                assert file.read() == "1\n"
        wg_quick("down")
        assert before == (run("ip", "rule"), run("nft", "list", "ruleset")), f"{node} left something"


def test_exit_commands_can_run_twice(fleet, folder):
    """Nothing doubles, and nothing stays: for nftables and for iptables."""
    deploy(folder, "gw", fleet)
    with open("/etc/wireguard/wg0.conf", encoding="utf-8") as file:
        pairs = parse_ini(file.read())[0][1]

    def execute(key):
        commands = [value.replace("%i", "wg0") for name, value in pairs if name == key]
        assert commands
        for command in commands:
            run("bash", "-c", command)
        return [line for tool in (["nft", "list", "ruleset"], ["iptables-save"], ["ip6tables-save"])
                for line in run(*tool).splitlines() if not line.startswith(("#", ":"))]

    once = execute("PostUp")
    assert "masquerade" in " ".join(once).lower()
    assert execute("PostUp") == once
    gone = execute("PostDown")
    assert "wg0" not in " ".join(gone) and "masquerade" not in " ".join(gone).lower()
    assert execute("PostDown") == gone


if __name__ == "__main__":
    namespaces.enter()
    prepare()
    the_fleet = Fleet()
    test_every_node_comes_up_and_goes_down(the_fleet, the_fleet.render("wg-quick"))
    for firewall in ("nftables", "iptables"):
        one = Fleet(firewall)
        test_exit_commands_can_run_twice(one, one.render("wg-quick"))
    print("ok")

#!/usr/bin/python3
"""The real wg-quick with WG_QUICK_USERSPACE_IMPLEMENTATION: up, traffic, save, down."""
import os
import re
import shlex
import stat
import subprocess

import uapi
from bed import run, wait_for
from device import make_keys, make_psk
from pairs import LEFT4, LEFT6, RIGHT4, RIGHT6
from scenario import main, scenario
from tools import need
from traffic import works


def implementation(bed, command):
    """A program by one path, as wg-quick calls it: with the interface's name alone."""
    path = os.path.join(bed.folder, "engine")
    words = [word for word in shlex.split(command) if word not in ("-f", "--foreground")]
    with open(path, "w", encoding="ascii") as file:
        file.write(f'#!/bin/sh\nexec {shlex.join(words)} "$1"\n')
    os.chmod(path, 0o755)
    return path


def wg_quick(bed, namespace, command, verb, path, check=True):
    """What it said, and its status. Into a file: an engine in the background keeps a pipe open."""
    environment = dict(os.environ, WG_QUICK_USERSPACE_IMPLEMENTATION=implementation(bed, command))
    with open(os.path.join(bed.folder, "said"), "w+", encoding="utf-8") as said:
        process = bed.process(namespace.start(need("wg-quick", "wireguard-tools"), verb, path, env=environment,
                                              stdout=said, stderr=subprocess.STDOUT))
        process.wait(20)
        said.seek(0)
        process.said = said.read()
    assert process.returncode == 0 or not check, f"wg-quick {verb}: {process.said}"
    return process


def write_config(bed, name, text):
    path = os.path.join(bed.folder, name + ".conf")
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as file:
        file.write(text)
    return path


def two_ends(bed, left, right, allowed_left):
    """(namespace, command, name, configuration) of both."""
    keys, psk, spaces = (make_keys(), make_keys()), make_psk(), bed.namespaces(2)
    bed.link(*spaces, ["10.0.0.1/24"], ["10.0.0.2/24"])
    out = []
    for me, command, addresses, allowed in ((0, left, (LEFT4, LEFT6), allowed_left),
                                            (1, right, (RIGHT4, RIGHT6), f"{LEFT4}/32, {LEFT6}/128")):
        name = bed.unique("wk")
        out.append((spaces[me], command, name, write_config(
            bed, name, f"[Interface]\nPrivateKey = {keys[me][0]}\nListenPort = 51820\nMTU = 1400\n"
            f"Address = {addresses[0]}/24, {addresses[1]}/64\n[Peer]\nPublicKey = {keys[1 - me][1]}\n"
            f"PresharedKey = {psk}\nEndpoint = 10.0.0.{2 - me}:51820\nAllowedIPs = {allowed}\n")))
    return out


def stopped(bed, name):
    """Whatever happens, no engine stays: it ends with its socket."""
    path = uapi.socket_path(name)
    bed.stack.callback(lambda: os.path.exists(path) and os.unlink(path))


@scenario
def up_traffic_down(bed, engines):
    """Both ends by wg-quick, IPv4 and IPv6 inside; down leaves neither interface nor socket nor process."""
    ends = two_ends(bed, engines.engine, engines.peer, f"{RIGHT4}/32, {RIGHT6}/128")
    for namespace, command, name, path in ends:
        stopped(bed, name)
        said = wg_quick(bed, namespace, command, "up", path).said
        assert name in said
        assert stat.S_ISSOCK(os.stat(uapi.socket_path(name)).st_mode)
    left, right = ends[0][0], ends[1][0]
    left.reach(RIGHT4)
    works(left, right, ((LEFT4, RIGHT4), (LEFT6, RIGHT6)))
    assert re.search(r"latest handshake: \d+ seconds? ago", run("wg", "show", ends[0][2]).stdout) or \
        "Now" in run("wg", "show", ends[0][2]).stdout, run("wg", "show", ends[0][2]).stdout
    for namespace, command, name, path in ends:
        wg_quick(bed, namespace, command, "down", path)
        wait_for(f"the socket of {command} is gone", lambda n=name: not os.path.exists(uapi.socket_path(n)), 5)
        assert name not in namespace.run("ip", "-o", "link").stdout


@scenario
def default_route(bed, engines):
    """AllowedIPs = 0.0.0.0/0, ::/0: marks, policy routing and firewall rules of wg-quick; and away again."""
    ends = two_ends(bed, engines.engine, engines.peer, "0.0.0.0/0, ::/0")
    for namespace, command, name, path in ends:
        stopped(bed, name)
        wg_quick(bed, namespace, command, "up", path)
    left, right = ends[0][0], ends[1][0]
    right.ip("addr add 10.77.0.1/32 dev lo")
    left.reach("10.77.0.1")
    left.ping("10.77.0.1", 50)
    before = left.run("ip", "rule").stdout
    assert "fwmark" in before, before
    wg_quick(bed, *ends[0][:2], "down", ends[0][3])
    assert "fwmark" not in left.run("ip", "rule").stdout
    assert not left.run("nft", "list", "ruleset").stdout.strip(), left.run("nft", "list", "ruleset").stdout
    wg_quick(bed, *ends[1][:2], "down", ends[1][3])


@scenario
def up_twice_and_down_twice(bed, engines):
    """The second up and the second down fail and say so; the first stays in order. Three rounds."""
    namespace, command, name, path = two_ends(bed, engines.engine, engines.peer, f"{RIGHT4}/32")[0]
    stopped(bed, name)
    for _ in range(3):
        wg_quick(bed, namespace, command, "up", path)
        again = wg_quick(bed, namespace, command, "up", path, check=False)
        assert again.returncode != 0 and "already exists" in again.said, again.said
        assert uapi.get(name)[-1] == ("errno", "0")
        wg_quick(bed, namespace, command, "down", path)
        again = wg_quick(bed, namespace, command, "down", path, check=False)
        assert again.returncode != 0, again.said
        wait_for("the socket is gone", lambda: not os.path.exists(uapi.socket_path(name)), 5)


@scenario
def save_reads_all_back(bed, engines):
    """wg-quick save writes what the device has, peers added later as well."""
    namespace, command, name, path = two_ends(bed, engines.engine, engines.peer, f"{RIGHT4}/32")[0]
    stopped(bed, name)
    wg_quick(bed, namespace, command, "up", path)
    more = make_keys()[1]
    run("wg", "set", name, "peer", more, "allowed-ips", "10.99.0.0/16", "persistent-keepalive", "21")
    wg_quick(bed, namespace, command, "save", path)
    with open(path, encoding="ascii") as file:
        text = file.read()
    assert more in text and "10.99.0.0/16" in text and "PersistentKeepalive = 21" in text, "the new peer is missing"
    assert text.count("PresharedKey") == 1 and "MTU = 1400" in text
    wg_quick(bed, namespace, command, "down", path)


@scenario
def syncconf_keeps_the_session(bed, engines):
    """wg syncconf with the same file: no new handshake, not a byte lost; a removed peer is removed."""
    ends = two_ends(bed, engines.engine, engines.peer, f"{RIGHT4}/32, {RIGHT6}/128")
    for namespace, command, name, path in ends:
        stopped(bed, name)
        wg_quick(bed, namespace, command, "up", path)
    ends[0][0].reach(RIGHT4)
    name = ends[0][2]
    plain = write_config(bed, name + "s", run("wg-quick", "strip", ends[0][3]).stdout)
    before = run("wg", "show", name, "latest-handshakes").stdout
    for _ in range(5):
        run("wg", "syncconf", name, plain)
        ends[0][0].ping(RIGHT4, 3)
    assert run("wg", "show", name, "latest-handshakes").stdout == before, "a new handshake"
    run("wg", "syncconf", name, write_config(bed, name + "e", "[Interface]\n"))
    assert run("wg", "show", name, "peers").stdout == ""
    for namespace, command, _, path in ends:
        wg_quick(bed, namespace, command, "down", path)


if __name__ == "__main__":
    main(__doc__)

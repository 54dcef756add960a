#!/usr/bin/python3
"""The real wg-quick and wgkit net up and down, on a table of files: the host is the same after both.

What differs on purpose is listed in DELIBERATE, each with its reason; a difference that is not there fails, and
so does an entry that no file shows.
"""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tunnel"))
from bed import Bed, end_on_signals, run  # noqa: E402
from host import NAME, Host, differences, make_keys  # noqa: E402

KEYS = [make_keys() for _ in range(41)]

# {name: (keys of [Interface], [keys of each [Peer]])}
V4, V6 = "Address = 10.66.0.1/24", "Address = fd66::1/64"
NEAR, FAR = "Endpoint = 192.0.2.9:51820", "Endpoint = 203.0.113.9:51820"
CONFIGS = {
    "v4": ([V4], [["AllowedIPs = 10.66.0.2/32, 10.67.0.0/16", NEAR]]),
    "v6": ([V6], [["AllowedIPs = fd66::2/128, fd67::/48", "Endpoint = [2001:db8::9]:51820"]]),
    "dual": ([V4, V6], [["AllowedIPs = 10.66.0.2/32, fd66::2/128, 10.67.0.0/16, fd67::/48", NEAR]]),
    "no peers": ([V4], []),
    "no address": ([], [["AllowedIPs = 10.67.0.0/16", NEAR]]),
    "host addresses": (["Address = 10.66.0.1, fd66::1"], [["AllowedIPs = 10.66.0.2/32, fd66::2/128", NEAR]]),
    "several addresses": (["Address = 10.66.0.1/24, 10.66.0.7/24, 10.68.0.1/16", V6, "Address = fd68::1/128"],
                          [["AllowedIPs = 10.68.3.0/24, 10.69.0.0/24, fd68::/64", NEAR]]),
    "default v4": ([V4, V6], [["AllowedIPs = 0.0.0.0/0", NEAR]]),
    "default v6": ([V4, V6], [["AllowedIPs = ::/0", NEAR]]),
    "default both": ([V4, V6], [["AllowedIPs = 0.0.0.0/0, ::/0, 10.67.0.0/16", NEAR]]),
    "default of two peers": ([V4], [["AllowedIPs = 0.0.0.0/0", NEAR], ["AllowedIPs = ::/0, 10.67.0.0/16", NEAR]]),
    "default halves": ([V4], [["AllowedIPs = 0.0.0.0/1, 128.0.0.0/1", NEAR]]),
    "default with FwMark": ([V4, V6, "FwMark = 0x4d2"], [["AllowedIPs = 0.0.0.0/0, ::/0", NEAR]]),
    "FwMark": ([V4, "FwMark = 77"], [["AllowedIPs = 10.67.0.0/16", NEAR]]),
    "table off": ([V4, "Table = off"], [["AllowedIPs = 0.0.0.0/0, 10.67.0.0/16", NEAR]]),
    "table number": ([V4, V6, "Table = 1234"], [["AllowedIPs = 0.0.0.0/0, ::/0, 10.66.0.2/32, 10.67.0.0/16", NEAR]]),
    "table auto": ([V4, "Table = auto"], [["AllowedIPs = 0.0.0.0/0, 10.67.0.0/16", NEAR]]),
    "table main": ([V4, "Table = main"], [["AllowedIPs = 10.67.0.0/16, 10.66.0.2/32", NEAR]]),
    "table default": ([V4, "Table = default"], [["AllowedIPs = 10.67.0.0/16", NEAR]]),
    "MTU": ([V4, "MTU = 1280"], [["AllowedIPs = 10.67.0.0/16", NEAR]]),
    "MTU of a narrow way": ([V4], [["AllowedIPs = 10.67.0.0/16", FAR]]),
    "MTU of two ways": ([V4], [["AllowedIPs = 10.67.0.0/16", FAR], ["AllowedIPs = 10.68.0.0/16", NEAR]]),
    "MTU without endpoints": ([V4], [["AllowedIPs = 10.67.0.0/16"]]),
    "overlapping": ([V4], [["AllowedIPs = 10.0.0.0/8, 10.67.0.0/16, 10.67.1.0/24", NEAR],
                           ["AllowedIPs = 10.67.1.128/25", NEAR]]),
    "twice the same": ([V4], [["AllowedIPs = 10.67.0.0/16, 10.67.0.0/16", NEAR], ["AllowedIPs = 10.67.0.0/16", NEAR]]),
    "host bits": ([V4], [["AllowedIPs = 10.67.3.4/16, fd67::7/48", NEAR]]),
    "many peers": ([V4, V6], [[f"AllowedIPs = 10.70.{i}.0/24, fd70:{i}::/64", NEAR, "PersistentKeepalive = 25"]
                              for i in range(40)]),
    "port and keepalive": ([V4, "ListenPort = 5555"], [["AllowedIPs = 10.67.0.0/16", "PersistentKeepalive = 20"]]),
}

# (place, file, what differs and why)
DELIBERATE = {
    "filter of fe80 addresses": "packets to the link-local address that engines' devices get come from no other link",
    "protocol of rules": "systemd-networkd removes rules of all protocols but kernel when it starts (systemd #19106)",
    "MTU of two ways": "wg-quick 1.0.20210914 takes the largest; since 1.0.20260223 it takes the smallest, too",
}


def file_of(interface, peers):
    lines = ["[Interface]", f"PrivateKey = {KEYS[-1][0]}", *interface]
    for (_, public), peer in zip(KEYS, peers):
        lines += ["[Peer]", f"PublicKey = {public}", *peer]
    return "\n".join(lines) + "\n"


def without_protocol(state):
    """And whether there was one of the kernel's."""
    seen = False
    for family in ("-4", "-6"):
        for rule in state[f"rules {family}"]:
            own = rule["priority"] not in (0, 32766, 32767)  # which the kernel makes itself
            seen |= rule.pop("protocol") == "kernel" and own
    return seen


def compare(bed, name, interface, peers, shown):
    text = file_of(interface, peers)
    states, host = [], Host(bed)
    for program in ("quick", "net"):
        host.space.sysctl("net.ipv4.conf.all.src_valid_mark", 0)
        path, before = host.write(text), host.state()
        getattr(host, program)("up", path)
        up = host.state(fixed_port="ListenPort" in text)
        getattr(host, program)("down", path)
        down = host.state()
        lines = up["nft"].splitlines()
        up["nft"] = [line for line in lines if " daddr fe80" not in line]
        if up["nft"] != lines:
            assert program == "quick"
            shown.add("filter of fe80 addresses")
        if without_protocol(up):
            assert program == "net"
            shown.add("protocol of rules")
        for state in (before, down):
            without_protocol(state)
        left = differences(before, down)
        left.pop("ipv4.conf.all.src_valid_mark", None)  # which wg-quick never resets
        assert not left, f"{name}: {program} down leaves {left}"
        states.append(up)
    found = differences(*states)
    if found and name in DELIBERATE:
        shown.add(name)
        mtus = [state.pop(f"link {NAME}")["mtu"] for state in states]
        assert mtus == [1320, 1300] and not differences(*states), found
        found = {}
    assert not found, f"{name}: wg-quick and wgkit net differ:\n{json.dumps(found, indent=1)}"


def strips(bed):
    """Byte for byte, whatever the file."""
    host = Host(bed)
    texts = ["", "\n", "[Interface]", "[Interface]\nAddress=1\n\tPrivateKey = x \t\r\n# note\n  \n[Peer]\nAddress = kept\n",
             "[interface]#x\naddress = 1\n#Address = 2\nListenPort=3 # Address = 4\n MTU=5\nPostUp = a # b\n",
             "[Interface ]\nAddress = 1\n[ Interface]\nDNS = 2\n", "[Interface]\n=\nDNS\nTable\nSaveConfig = TRUE\n",
             "Address = 1\n[Peer]\n[Interface]\r\nAddress = 1\r\nPrivateKey = 2\r\n", "-n\n", "\\n\\t\n", "[Interface]\nDNS=a\0b\nX\0Y\n",
             "[Interface] = 1\nAddress = 2\n", " \v[Interface]\n\fAddress = 2\n"]
    for text in texts:
        path = host.write(text)
        theirs = run("wg-quick", "strip", path).stdout
        ours = host.net("strip", path)
        assert theirs == ours, f"strip of {text!r}: wg-quick {theirs!r}, ours {ours!r}"


def main():
    end_on_signals()
    chosen = sys.argv[1:]
    shown = set()
    with Bed() as bed:
        strips(bed)
        for name, (interface, peers) in CONFIGS.items():
            if not chosen or name in chosen:
                compare(bed, name, interface, peers, shown)
    assert chosen or shown == set(DELIBERATE), f"never seen: {set(DELIBERATE) - shown}"
    for name, reason in DELIBERATE.items():
        print(f"differs on purpose: {name}: {reason}")
    print(f"ok: {len(CONFIGS)} files")


if __name__ == "__main__":
    main()

"""The real NetworkManager starts a connection whose private key is only on its node (`keys: node`), on kernel
WireGuard in a virtual machine, after the commands that the keyfile names; the kernel then has what the
wg-quick file says."""
import glob
import json
import os
import re

from fleet import KEY_FILE, TOOLS, Fleet, compare, find_program, missing, read_wg
from guest import Guest, sections
from networkmanager_test import BUS, keyfile

JOB = """
mount -o remount,ro /sys  # as in a container: there is no udev to wait for
mkdir -p /run/dbus /var/lib/NetworkManager
export DBUS_SYSTEM_BUS_ADDRESS=unix:path=/run/dbus/system_bus_socket
dbus-daemon --config-file=/bus.conf --fork --nopidfile
NetworkManager --no-daemon --config /nm.conf --config-dir /run/none --intern-config /run/internal \\
  --state-file /run/state >/run/log 2>&1 &
is_known() { nmcli -g NAME connection show 2>/run/nmcli | grep -q wg0; }
wait_for 20 is_known || cat /run/nmcli /run/log
section autoconnects wg show interfaces
section without nmcli --wait 20 connection up wg0 </dev/null || :
ln -s /proc/self/fd/0 /dev/stdin  # what udev would do
section start sh -e /start
section log cat /run/log
section wg wg showconf wg0
section addr ip -j addr show dev wg0
section modes ls -l /etc/NetworkManager/system-connections
"""
CONFIG = b"[main]\nplugins=keyfile\nauth-polkit=false\ndns=none\nno-auto-default=*\n"


def commands_of(text):
    """What the comments of the keyfile tell to type."""
    commands = re.findall(r"^# ((?:cd|sed|nmcli) .*)$", text, re.M)
    assert len(commands) == 3, text
    return "\n".join(commands) + "\nnmcli connection up wg0\n"


def test_the_documented_commands_start_it(fleet):
    daemon = next(iter(glob.glob(f"{TOOLS}/network-manager/usr/sbin/NetworkManager")
                       + glob.glob("/usr/sbin/NetworkManager")), None) or missing("NetworkManager", "network-manager")
    guest = Guest(("wg", "sed", "grep", "ls"), ("wireguard",))
    image = guest.initramfs
    image.program(daemon, "/bin/NetworkManager")
    image.program(find_program("nmcli", "network-manager"), "/bin/nmcli")
    image.program(find_program("dbus-daemon", "dbus-daemon"), "/bin/dbus-daemon")
    image.file("etc/passwd", b"root:x:0:0::/:/bin/sh\n")
    image.file("etc/group", b"root:x:0:\n")
    image.file("etc/nsswitch.conf", b"passwd: files\ngroup: files\n")
    image.file("bus.conf", BUS.encode())
    image.file("nm.conf", CONFIG)
    text = keyfile(fleet.render("networkmanager"), "db")
    image.file("etc/NetworkManager/system-connections/wg0.nmconnection", text.encode(), 0o600)
    image.file(KEY_FILE, fleet.db_key.encode() + b"\n", 0o600)
    image.file("start", commands_of(text).encode())
    output = guest.run(JOB, seconds=150)
    if os.environ.get("WGKIT_TEST_VERBOSE"):
        print(output)
    parts = sections(output)
    assert parts["autoconnects"].strip() == "", "it started without its key"
    assert "successfully activated" in parts["start"], parts["start"] + parts["log"]
    facts = read_wg(parts["wg"])
    link = json.loads(parts["addr"])[0]
    facts["addresses"] = sorted(f"{a['local']}/{a['prefixlen']}" for a in link["addr_info"] if a["scope"] != "link")
    facts["mtu"] = link["mtu"]
    compare("db", fleet.expected("db"), facts, ("port", "fwmark", "mtu", "addresses", "peers"))
    assert facts["private_key"] == fleet.db_key, "another private key"
    assert "successfully" not in parts["without"], "it started without its key"
    assert parts["modes"].split("\n")[1].startswith("-rw------- "), parts["modes"]


if __name__ == "__main__":
    test_the_documented_commands_start_it(Fleet())
    print("ok")

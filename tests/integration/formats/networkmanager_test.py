"""The real NetworkManager loads the keyfiles, on a bus and in namespaces of its own, and tells what it
understood: it drops what it does not like without a word, so only that counts."""
import glob
import json
import os
import subprocess
import time

import namespaces
from fleet import NODES, TOOLS, Fleet, compare, find_program, missing, peer

BUS = """<busconfig><type>system</type><listen>unix:path=/run/dbus/system_bus_socket</listen>
<auth>EXTERNAL</auth><policy context="default"><allow send_destination="*" eavesdrop="true"/>
<allow eavesdrop="true"/><allow own="*"/></policy></busconfig>"""
CONFIG = """[main]
plugins=keyfile
auth-polkit=false
dns=none
[keyfile]
path=/run/keyfiles
"""
NAME = "org.freedesktop.NetworkManager"


def plain(value):
    """D-Bus values as busctl prints them, without their types."""
    if isinstance(value, dict):
        if set(value) == {"type", "data"}:
            return plain(value["data"])
        return {key: plain(one) for key, one in value.items()}
    return [plain(one) for one in value] if isinstance(value, list) else value


class NetworkManager:
    def __init__(self):
        self.busctl = find_program("busctl", "systemd")
        daemons = glob.glob(f"{TOOLS}/network-manager/usr/sbin/NetworkManager")
        daemons += glob.glob("/usr/sbin/NetworkManager")
        if not daemons:
            missing("NetworkManager", "network-manager")
        namespaces.private("/run", "/var/lib")
        for folder in ("/run/dbus", "/run/keyfiles", "/var/lib/NetworkManager"):
            os.makedirs(folder)
        for name, text in ("bus", BUS), ("config", CONFIG):
            with open(f"/run/{name}.conf", "w", encoding="utf-8") as file:
                file.write(text)
        subprocess.run([find_program("dbus-daemon", "dbus-daemon"), "--config-file=/run/bus.conf",
                        "--fork", "--nopidfile"], check=True)
        self.libraries = ":".join(
            {os.path.dirname(f) for f in glob.glob(f"{TOOLS}/network-manager/**/libnm.so*",
                                                   recursive=True)})
        self.log = open("/run/log", "w", encoding="utf-8")
        self.daemon = subprocess.Popen(
            [daemons[0], "--no-daemon", "--config", "/run/config.conf", "--config-dir", "/run/none",
             "--intern-config", "/run/internal", "--state-file", "/run/state"],
            env={**os.environ, "LD_LIBRARY_PATH": self.libraries}, stdout=self.log, stderr=self.log)
        for _ in range(100):
            if self.call("", "", "GetDevices", check=False) is not None:
                return
            time.sleep(0.1)
        raise AssertionError("NetworkManager does not answer:\n" + self.messages())

    def messages(self):
        with open("/run/log", encoding="utf-8") as file:
            return file.read()

    def call(self, path, interface, method, *arguments, check=True):
        done = subprocess.run(
            [self.busctl, "--json=short", "call", NAME, "/org/freedesktop/NetworkManager" + path,
             NAME + interface, method, *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
        if done.returncode != 0:
            assert not check, f"{method}: {done.stderr}\n{self.messages()}"
            return None
        return plain(json.loads(done.stdout)["data"])

    def load(self, content):
        """What NetworkManager makes of a keyfile; nothing if it refuses it."""
        for path in glob.glob("/run/keyfiles/*"):
            os.remove(path)
        with open(os.open("/run/keyfiles/wg0.nmconnection", os.O_WRONLY | os.O_CREAT, 0o600),
                  "w", encoding="utf-8") as file:
            file.write(content)
        self.call("/Settings", ".Settings", "ReloadConnections")
        connections = self.call("/Settings", ".Settings", "ListConnections")[0]
        if not connections:
            return None
        path = connections[0].removeprefix("/org/freedesktop/NetworkManager")
        settings = self.call(path, ".Settings.Connection", "GetSettings")[0]
        secrets = self.call(path, ".Settings.Connection", "GetSecrets", "s", "wireguard")[0]
        return settings, secrets


def facts_of(settings, secrets):
    device = settings["wireguard"]
    psks = {p["public-key"]: p.get("preshared-key") for p in secrets["wireguard"].get("peers", [])}
    facts = {"private_key": secrets["wireguard"].get("private-key"), "peers": {}, "dns": [],
             "key_flags": device.get("private-key-flags", 0),
             "port": device.get("listen-port"), "fwmark": device.get("fwmark", 0),
             "mtu": device.get("mtu"), "addresses": [], "search": set(),
             "routes_of_peers": device.get("peer-routes", True),
             "full_tunnel": device.get("ip4-auto-default-route", -1) == 1
                            and device.get("ip6-auto-default-route", -1) == 1}
    for one in device.get("peers", []):
        facts["peers"][one["public-key"]] = peer(
            psks.get(one["public-key"]), one.get("allowed-ips", []), one.get("endpoint"),
            one.get("persistent-keepalive", 0))
    for family in ("ipv4", "ipv6"):
        ip = settings[family]
        facts["addresses"] += [f"{a['address']}/{a['prefix']}" for a in ip["address-data"]]
        facts["dns"] += ip.get("dns-data", [])
        facts["search"] |= set(ip["dns-search"])
        facts["table"] = ip.get("route-table", 0)
    facts["addresses"].sort()
    facts["dns"].sort()
    return facts


def keyfile(folder, node):
    path = f"{folder}/{node}/etc/NetworkManager/system-connections/wg0.nmconnection"
    with open(path, encoding="utf-8") as file:
        return file.read()


def test_every_node_is_understood(manager, fleet, folder):
    for node in NODES:
        loaded = manager.load(keyfile(folder, node))
        assert loaded, f"{node}: refused\n{manager.messages()}"
        expected, facts = fleet.expected(node), facts_of(*loaded)
        compare(node, expected, facts,
                ("port", "fwmark", "mtu", "addresses", "peers", "dns", "full_tunnel"))
        # A key that is only on its node is asked for when the connection is started.
        assert facts["private_key"] == (None if node == "db" else expected["private_key"])
        assert facts["key_flags"] == (1 if node == "db" else 0)
        assert facts["search"] == set(expected["search"]) | ({"~"} if expected["dns"] else set())
        assert facts["routes_of_peers"] and facts["table"] == (1234 if node == "web" else 0)


def test_identity_is_stable(manager, fleet, folder):
    first = manager.load(keyfile(folder, "gw"))[0]["connection"]["uuid"]
    again = manager.load(keyfile(fleet.render("networkmanager"), "gw"))[0]["connection"]["uuid"]
    other = manager.load(keyfile(folder, "web"))[0]["connection"]["uuid"]
    assert first == again != other


def test_a_dropped_peer_would_be_noticed(manager, fleet, folder):
    """The comparison above is worth something only if a peer that is not understood goes missing."""
    expected = fleet.expected("gw")
    good = keyfile(folder, "gw")
    victim = list(expected["peers"])[1]
    for bad in (good.replace(f"[wireguard-peer.{victim}]", f"[wireguard-peer.{victim[:-2]}]"),
                good.replace("10.10.0.3/32", "10.10.0.333/32")):
        assert bad != good
        loaded = manager.load(bad)
        assert not loaded or facts_of(*loaded)["peers"] != expected["peers"]



if __name__ == "__main__":
    namespaces.enter()
    the_fleet = Fleet()
    the_folder = the_fleet.render("networkmanager")
    the_manager = NetworkManager()
    for test in (test_every_node_is_understood, test_identity_is_stable,
                 test_a_dropped_peer_would_be_noticed):
        test(the_manager, the_fleet, the_folder)
        print("ok:", test.__name__)
    the_manager.daemon.terminate()
    the_manager.daemon.wait()

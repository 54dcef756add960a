#!/usr/bin/python3
"""wgkit net plan and apply on running devices of our engine: what changes, what is left alone, what is
refused, and that sessions of other peers go on."""
import fcntl
import glob
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "tunnel"))
from bed import Bed, end_on_signals, run  # noqa: E402
from tools import wgkit  # noqa: E402
from device import make_keys, make_psk  # noqa: E402

NET = os.path.abspath(wgkit("net"))
ENGINE = os.path.abspath(wgkit("tunnel")) + " -f"


class File:
    """A configuration file for a device."""

    def __init__(self, device):
        self.device = device
        self.path = os.path.join(device.bed.folder, device.name + ".conf")

    def write(self, text):
        with open(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w",
                  encoding="ascii") as file:
            file.write(text)

    def config(self, *peers, **interface):
        """Peers are dictionaries; so is the interface."""
        fields = {"PrivateKey": self.device.private, **interface}
        parts = ["[Interface]"] + [f"{key} = {value}" for key, value in fields.items() if value is not None]
        for peer in peers:
            parts += ["[Peer]"] + [f"{key} = {value}" for key, value in peer.items()]
        self.write("\n".join(parts) + "\n")

    def ask(self, command, *options, status):
        ran = subprocess.run([NET, command, self.path, *options], capture_output=True, text=True,
                             timeout=60, check=False)
        assert ran.returncode == status, f"{command} {options}: status {ran.returncode}: {ran.stderr}{ran.stdout}"
        assert self.device.private not in ran.stdout + ran.stderr
        return ran.stdout + ran.stderr

    def settle(self, *options):
        """Applies; then there is nothing left to do."""
        self.ask("plan", *options, status=2)
        said = self.ask("apply", *options, status=0)
        assert "is as" in self.ask("plan", *options, status=0)
        return said


def connected(bed):
    left, right = bed.namespaces(2)
    bed.link(left, right, ["192.0.2.1/24"], ["192.0.2.2/24"])
    a, b = (bed.device(space, ENGINE) for space in (left, right))
    for device, port in ((a, 51820), (b, 51821)):
        device.set_key()
        device.wg("listen-port", str(port))
    b.peer(a.public, "allowed-ips", "10.0.0.1/32,fd00::1/128")
    a.peer(b.public, "endpoint", "192.0.2.2:51821", "allowed-ips", "10.0.0.2/32")
    a.up("10.0.0.1/24")
    b.up("10.0.0.2/24")
    left.reach("10.0.0.2")
    return a, b, left


def converges(bed):
    a, b, left = connected(bed)
    file = File(a)
    peer = {"PublicKey": b.public, "AllowedIPs": "10.0.0.2/32"}
    new, gone = make_keys()[1], make_keys()[1]
    # What the file does not say is left alone, even what it could.
    a.wg("fwmark", "0xca6c")
    a.peer(b.public, "persistent-keepalive", "7", psk=(psk := make_psk()))
    b.peer(a.public, psk=psk)
    file.config(peer)
    before = a.show("dump")
    assert "is as" in file.ask("plan", status=0)
    file.ask("apply", status=0)
    assert [row[:4] for row in a.show("dump")] == [row[:4] for row in before]
    # A new peer with all its fields; more allowed IPs, one less; another port and mark.
    file.config({**peer, "AllowedIPs": "10.0.0.2/32, 10.1.0.0/24"},
                {"PublicKey": new, "AllowedIPs": "10.3.0.0/24, fd03::/64", "Endpoint": "[2001:db8::3]:3",
                 "PersistentKeepalive": 25, "PresharedKey": make_psk()})
    plan = json.loads(file.ask("plan", "--json", status=2))
    assert plan["schema"] == 1 and plan["interface"] == a.name and plan["file"] == file.path
    more, added = plan["changes"]
    assert (more["change"], more["publicKey"]) == ("change-peer", b.public)
    assert more["allowedIps"] == {"added": ["10.1.0.0/24"], "moved": [], "removed": []}
    assert (added["change"], added["publicKey"], added["presharedKey"]) == ("add-peer", new, "set")
    assert added["endpoint"] == {"from": None, "to": "[2001:db8::3]:3"}
    said = file.settle()
    assert f"+ peer {new}" in said and f"~ peer {b.public}" in said and "allowed ip 10.1.0.0/24" in said
    assert dict((row[0], row[1]) for row in a.show("allowed-ips"))[new].split() == ["10.3.0.0/24", "fd03::/64"]
    assert a.value("persistent-keepalive", new) == ["25"] and a.endpoint(new) == "[2001:db8::3]:3"
    assert a.value("preshared-keys", b.public) == [psk]
    # An allowed IP moves; off and zeros clear.
    file.config({**peer, "AllowedIPs": "10.0.0.2/32, 10.3.0.0/24", "PersistentKeepalive": "off"},
                {"PublicKey": new, "AllowedIPs": "10.1.0.0/24", "PresharedKey": "A" * 43 + "="},
                ListenPort=51825, FwMark="off")
    said = file.settle()
    assert f"10.3.0.0/24, which peer {new} has" in said and "- preshared key" in said, said
    assert "listening port 51820 -> 51825" in said and "mark 0xca6c -> off" in said
    assert a.value("preshared-keys", new) == ["(none)"]
    left.reach("10.0.0.2")
    # Peers that the file does not list go, or not.
    a.peer(gone, "allowed-ips", "10.9.0.0/24")
    file.config(peer)
    assert "is as" in file.ask("plan", "--keep-unmanaged", status=2).replace("~ peer", "is as")
    said = file.ask("apply", status=1)
    assert "it lacks 2 of the 3 peers" in said and "--allow-removals 2" in said, said
    assert len(a.show("peers")) == 3
    file.settle("--allow-removals", "2")
    assert a.show("peers") == [[b.public]]
    left.reach("10.0.0.2")


def endpoints(bed):
    """The endpoint of a connected peer is where it is; the file's is for those that are silent."""
    a, b, left = connected(bed)
    file = File(a)
    silent = make_keys()[1]
    a.peer(silent, "endpoint", "192.0.2.77:7")
    file.config({"PublicKey": b.public, "AllowedIPs": "10.0.0.2/32", "Endpoint": "192.0.2.66:66"},
                {"PublicKey": silent, "Endpoint": "192.0.2.88:8"})
    said = file.settle()
    assert "endpoint 192.0.2.77:7 -> 192.0.2.88:8" in said and "192.0.2.66" not in said
    assert a.endpoint(b.public) == "192.0.2.2:51821"
    assert "192.0.2.2:51821 -> 192.0.2.66:66" in file.ask("plan", "--set-endpoints", status=2)
    # A name that nobody knows: the others stand.
    file.config({"PublicKey": b.public, "AllowedIPs": "10.0.0.2/32, 10.4.0.0/24"},
                {"PublicKey": silent, "Endpoint": "no-such-host.invalid:1", "PersistentKeepalive": 3})
    a.wg("peer", silent, "remove")
    said = file.ask("apply", status=1)
    assert "no-such-host.invalid" in said and silent in said, said
    assert a.value("persistent-keepalive", silent) == ["3"]
    assert "10.4.0.0/24" in a.value("allowed-ips", b.public)[0]


def refusals(bed):
    a, b, _ = connected(bed)
    file = File(a)
    before = a.show("dump")
    for text, expected in (("", "says nothing"), ("# only this\n", "says nothing"),
                           ("[Interface]\nListenPort = 70000\nMTU = x\n", ":2:14: "),
                           (f"[Interface]\nPrivateKey = {a.private}\n[Peer]\nPublicKey = {b.public}",
                            "last line does not end"),
                           (f"[Interface]\nPrivateKey = {a.private}\n", "it lacks 1 of the 1 peers")):
        file.write(text)
        for command in ("plan", "apply"):
            said = file.ask(command, status=1)
            assert expected in said, f"{text!r}: {said}"
    file.write("[Interface]\nListenPort = 70000\nMTU = x\n")
    assert ":3:7: " in file.ask("apply", status=1)
    file.config({"PublicKey": b.public, "AllowedIPs": "10.0.0.2/32"})
    os.chmod(file.path, 0o644)
    assert "others" in file.ask("apply", status=1)
    file.ask("apply", "--insecure-permissions", status=0)
    os.chmod(file.path, 0o600)
    assert "no interface nobody" in file.ask("apply", "--interface", "nobody", status=1)
    assert "lo is not a WireGuard interface" in file.ask("apply", "--interface", "lo", status=1)
    assert [row[:4] for row in a.show("dump")] == [row[:4] for row in before]
    # Without a key on either side.
    fresh = bed.device(bed.namespace(), ENGINE)
    file = File(fresh)
    file.config({"PublicKey": b.public}, PrivateKey=None, ListenPort=1234)
    assert "no PrivateKey, and none is loaded" in file.ask("apply", status=1)


def one_at_a_time(bed):
    """A second apply is refused while somebody holds the lock, and a stale lock file holds nobody."""
    a, b, _ = connected(bed)
    file = File(a)
    file.config({"PublicKey": b.public, "AllowedIPs": "10.0.0.2/32"}, ListenPort=51830)
    file.ask("apply", status=0)
    (place,) = glob.glob(f"/run/wgkit/{a.name}*.lock")
    file.config({"PublicKey": b.public, "AllowedIPs": "10.0.0.2/32"}, ListenPort=51831)
    with open(place, "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert "another process is changing" in file.ask("apply", status=1)
        file.ask("plan", status=2)
    file.settle()


def main():
    end_on_signals()
    for scenario in (converges, endpoints, refusals, one_at_a_time):
        with Bed() as bed:
            scenario(bed)
        print(scenario.__name__, "ok")


if __name__ == "__main__":
    main()

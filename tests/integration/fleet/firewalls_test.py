#!/usr/bin/python3
"""One policy over ssh for four kinds of firewalls: each node loads its rules into the one that it uses, in the same
waves and with the same way back. What is configured by other programs than wg-quick is told before anything happens."""
import os
import shutil
import subprocess
import sys

from apply_test import ONE_CONNECTION
from firewall_test import listen, reaches, set_policy
from hosts import PORT, Bed, Site, end_on_signals, need, reach_all, wait_for

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fw"))
from inside import BUS  # noqa: E402
from tools import UNPACKED, missing  # noqa: E402

BACKENDS = ("nftables", "ufw", "iptables", "firewalld")
POLICY = "  allow:\n" + "".join(f"    - n1 -> n{i}: 80/tcp\n" for i in (2, 3, 4))


def unpacked(name):
    folder = os.path.join(UNPACKED, name)
    if not os.path.isdir(folder):
        missing(name, name)
    return folder


def set_up_ufw(host):
    shutil.copytree(os.path.join(unpacked("ufw"), "etc"), os.path.join(host.folder, "etc"), dirs_exist_ok=True)
    host.run("sh", "-c", "cp /usr/share/ufw/iptables/*.rules /usr/share/ufw/*.conf /usr/share/ufw/*.init /etc/ufw/; "
                         "chmod 640 /etc/ufw/*.rules; mkdir -p /var/lib/ufw")
    for words in ("allow 22/tcp", f"allow {PORT}/udp", "--force enable"):
        host.run("ufw", *words.split())


def set_up_firewalld(host, bed):
    need("dbus-daemon", "dbus-daemon")
    shutil.copytree(os.path.join(unpacked("firewalld"), "etc"), os.path.join(host.folder, "etc"), dirs_exist_ok=True)
    host.run("sh", "-c", "mkdir -p /run/dbus && cat >/run/dbus/bus.conf", input=BUS)
    bed.process(host.start("dbus-daemon", "--config-file=/run/dbus/bus.conf", "--nofork", "--nopidfile",
                           stderr=subprocess.DEVNULL))
    wait_for("the bus", lambda: host.run("test", "-S", "/run/dbus/system_bus_socket", check=False).returncode == 0, 30)
    with open(os.path.join(host.folder, "firewalld.log"), "wb") as log:
        bed.process(host.start("/usr/sbin/firewalld", "--nofork", "--nopid", stdout=log, stderr=log))
    wait_for("firewalld", lambda: host.run("firewall-cmd", "--state", check=False).returncode == 0, 60, 0.2)
    for words in (("--permanent",), ()):
        host.run("firewall-cmd", *words, "--add-port", f"{PORT}/udp")


def loaded(host):
    """The rules of the tunnel as wgkit finds them, and what it remembers for the next boot."""
    saved = host.path("/var/lib/wgkit/fw/wg0.json")
    text = host.wgkit("fw", "status", "--interface", "wg0", "--json", status=None).stdout
    return text, open(saved, encoding="utf-8").read() if os.path.exists(saved) else None


def other_formats_are_told(site, operator):
    """Nothing changes on any node, and status goes on about the others."""
    path = operator.file("nodes.yaml")
    text = open(path, encoding="utf-8").read()
    at = text.index("name: n4") + len("name: n4")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text[:at] + "\n    format: networkd" + text[at:].replace("80/tcp", "82/tcp"))
    line = text[:at].count("\n") + 2
    before = [loaded(host) for host in site.hosts]
    where = f"nodes.yaml:{line}:13: n4 is configured by networkd"
    for words, status in ((["plan"], 1), (["apply"], 1), (["status"], 1), (["rotate", "--all"], 1)):
        said = operator.fleet(*words, status=status)
        assert where in said.stderr and "--only" in said.stderr, said
    assert "n2 firewall (ufw)" in operator.fleet("plan", status=1).stdout
    rows = {row["node"]: row["state"] for row in operator.json("status", status=1)["nodes"]}
    assert rows == {"n1": "ok", "n2": "changes", "n3": "changes", "n4": "failed"}, rows
    assert before == [loaded(host) for host in site.hosts]
    operator.fleet("apply", "--only", "n2", "--only", "n3", "--only", "n1")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    operator.fleet("apply")


def keys_in_other_files_are_told(site, operator):
    """A revoked key that another program would bring back at boot keeps the revocation pending."""
    key = site.hosts[1].device()["publicKey"]
    three = site.hosts[2]
    three.write("/etc/systemd/network/wg9.netdev", f"[NetDev]\nKind=wireguard\n\n[WireGuardPeer]\nPublicKey={key}\n")
    said = operator.fleet("revoke", "n2", "--wait", "0", status=1)
    assert f"n3: /etc/systemd/network/wg9.netdev:5: the key {key}" in said.stderr, said.stderr
    assert "not yet on n3\n" in said.stdout, said.stdout
    os.remove(three.path("/etc/systemd/network/wg9.netdev"))
    operator.fleet("revoke")


def main():
    end_on_signals()
    need("iptables-restore", "iptables")
    ufw, firewalld = unpacked("ufw"), unpacked("firewalld")
    with Bed() as bed:
        site = Site(bed, 4, own={"n2": [f"usr={ufw}/usr", f"usr/lib={ufw}/lib", "var"], "n3": ["usr"],
                                 "n4": [f"usr={firewalld}/usr", "var"]})
        operator = site.operator
        one, two, three, four = site.hosts
        site.make_mesh()
        three.run("rm", "/usr/sbin/nft")
        set_up_ufw(two)
        set_up_firewalld(four, bed)
        reach_all(site.hosts)
        operator.fleet("import", *site.names())
        listening = [listen(host, port) for host in (two, three, four) for port in (80, 81)]

        set_policy(operator, POLICY)
        said = operator.fleet("plan", status=2).stdout
        for host, backend in zip(site.hosts, BACKENDS):
            assert f"{host.name} firewall ({backend})\n" in said, said

        # One node cannot be confirmed: all of them have their old rules.
        before = [loaded(host) for host in site.hosts]
        four.run("/usr/sbin/nft", "-f", "-", input=ONE_CONNECTION)
        said = operator.fleet("apply", "--canary", "0", "--connect-timeout", "3", status=1)
        four.run("/usr/sbin/nft", "delete", "table", "inet", "one")
        assert "taken back: n1, n2, n3, n4\n" in said.stdout, said
        assert before == [loaded(host) for host in site.hosts]

        operator.fleet("apply", "--canary", "0")
        assert "0 of 4 nodes change" in operator.fleet("plan").stdout
        for host in (two, three, four):
            assert reaches(one, host, 80) and not reaches(one, host, 81), host.name
        reach_all(site.hosts)

        other_formats_are_told(site, operator)
        keys_in_other_files_are_told(site, operator)
        for one in listening:
            one.close()


if __name__ == "__main__":
    sys.exit(main())

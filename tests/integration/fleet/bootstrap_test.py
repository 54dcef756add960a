#!/usr/bin/python3
"""wgkit comes to a machine that has only sshd, also by sudo; what sudo and ssh refuse is told for what it is."""
import os
import shutil
import sys

from hosts import BIN, PORT, Bed, Site, end_on_signals, need
from tools import ROOT, UNPACKED

PROGRAMS = ("wgkit", "wgkit-fleet", "wgkit-net", "wgkit-tunnel", "wgkit-rollback")


def add_node(operator, host, ssh):
    with open(operator.file("nodes.yaml"), "a", encoding="utf-8") as file:
        file.write(f"  - name: {host.name}\n    ipv4: {host.inner}\n    endpoint: {host.address}:{PORT}\n"
                   f"    keepalive: 25\n    keys: node\n    ssh: {ssh}\n")


def add_systemctl(host):
    """The real one, on the host's own units: for the next boot no manager has to run. Without one nothing is active,
    but asked offline, systemctl says yes to that."""
    systemctl = need("systemctl", "systemd")
    shared = os.path.join(UNPACKED, "systemd/usr/lib/x86_64-linux-gnu/systemd") if UNPACKED in systemctl else ""
    with open(os.open(os.path.join(host.folder, "bin/systemctl"), os.O_WRONLY | os.O_CREAT, 0o755), "w",
              encoding="utf-8") as file:
        file.write(f"#!/bin/sh\n[ $1 != is-active ] || exit 3\nexport SYSTEMD_OFFLINE=1 LD_LIBRARY_PATH={shared}\n"
                   f"exec {systemctl} \"$@\"\n")
    host.run("mkdir", "-p", "/run/systemd/system", "/etc/systemd/system")
    with open(os.path.join(ROOT, "packaging/systemd/wgkit@.service.in"), encoding="utf-8") as file:
        host.write("/etc/systemd/system/wgkit@.service", file.read(), 0o644)
    host.write("/etc/systemd/system/wg-quick@.service",
               "[Service]\nExecStart=wg-quick up %i\n[Install]\nWantedBy=multi-user.target\n", 0o644)


def at_boot(host):
    return [host.run("systemctl", "is-enabled", f"{unit}@wg0", check=False).stdout.strip()
            for unit in ("wgkit", "wg-quick")]


def main():
    end_on_signals()
    with Bed() as bed:
        site = Site(bed, 3, bare={"n1", "n2", "n3"})
        operator = site.operator
        one, two, bare = site.hosts
        site.make_mesh(hosts=[one, two])

        # Plain machines, and no inventory yet: they get wgkit, then they are taken over.
        assert "`wgkit fleet import HOST...`" in operator.fleet("status", status=1).stderr
        said = operator.fleet("import", "n1", f"root@{two.address}", status=1).stderr
        assert "bootstrap --from PATH n1`" in said and f"bootstrap --from PATH root@{two.address}`" in said, said
        folder = os.path.join(operator.folder, "root/folder")
        os.makedirs(folder)
        for program in PROGRAMS:
            shutil.copy2(os.path.join(BIN, program), folder)
        said = operator.fleet("bootstrap", "--from", "/root/folder", "n1", f"root@{two.address}").stdout
        assert "n1: got" in said and f"{two.address}: got" in said, said
        operator.fleet("import", "n1", "n2")
        assert "import n1,n2: done" in operator.fleet("log").stdout

        said = operator.fleet("import", "--force", "n1", "n2", "n3", status=1).stderr
        assert "fleet bootstrap" in said, said
        add_node(operator, bare, f"{{host: {bare.address}, user: op}}")
        said = operator.fleet("plan", status=1).stderr
        assert "missing-public-key" in said and "`wgkit fleet bootstrap NODE`" in said, said
        said = operator.fleet("bootstrap", "n3", status=1).stderr
        assert "--from" in said, said

        said = operator.fleet("bootstrap", "--from", "/root/folder", "n3").stdout
        assert "got" in said and "has its key" in said, said
        assert os.path.islink(os.path.join(bare.folder, "bin/wgkit"))
        private = bare.read("/etc/wireguard/wg0.key").strip()
        assert private not in open(operator.file("nodes.lock.yaml"), encoding="utf-8").read()
        assert os.stat(bare.path("/etc/wireguard/wg0.key")).st_mode & 0o777 == 0o600
        assert "has it already" in operator.fleet("bootstrap", "n3").stdout

        add_systemctl(bare)
        operator.fleet("apply")
        assert at_boot(bare) == ["enabled", "disabled"], at_boot(bare)
        for host in (one, two):
            host.namespace.reach(bare.inner)
        assert f"PrivateKey = {private}" in bare.read("/etc/wireguard/wg0.conf")
        assert all(row["state"] == "ok" for row in operator.json("status")["nodes"])
        # As at boot.
        bare.reboot(after=["wg0"])
        one.namespace.reach(bare.inner)

        # An interface that was down, and that wg-quick brings up at boot, keeps to that: the units exclude each other.
        for words in (("disable", "wgkit@wg0"), ("enable", "wg-quick@wg0")):
            bare.run("systemctl", *words)
        bare.run("mkdir", "-p", "/run/systemd/system")  # not there any more after the reboot
        bare.wgkit("net", "down", "wg0")
        operator.fleet("apply")
        assert at_boot(bare) == ["disabled", "enabled"], at_boot(bare)
        one.namespace.reach(bare.inner)

        # sudo refused; then the login.
        bare.write("/etc/sudoers", "root ALL=(ALL:ALL) ALL\n", 0o440)
        ran = operator.fleet("status", status=1)
        assert "sudo" in ran.stderr and "refused" in ran.stdout, ran
        bare.write("/etc/ssh/authorized_keys", "", 0o644)
        ran = operator.fleet("status", "n3", status=1)
        assert "Permission denied" in ran.stderr and "refused" in ran.stdout, ran


if __name__ == "__main__":
    sys.exit(main())

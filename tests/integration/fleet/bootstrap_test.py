#!/usr/bin/python3
"""wgkit comes to a machine that has only sshd, also by sudo; what sudo and ssh refuse is told for what it is."""
import os
import shutil
import sys

from hosts import BIN, PORT, Bed, Site, end_on_signals

PROGRAMS = ("wgkit", "wgkit-fleet", "wgkit-net", "wgkit-tunnel", "wgkit-rollback")


def add_node(operator, host, ssh):
    with open(operator.file("nodes.yaml"), "a", encoding="utf-8") as file:
        file.write(f"  - name: {host.name}\n    ipv4: {host.inner}\n    endpoint: {host.address}:{PORT}\n"
                   f"    keepalive: 25\n    keys: node\n    ssh: {ssh}\n")


def main():
    end_on_signals()
    with Bed() as bed:
        site = Site(bed, 3, bare={"n3"})
        operator = site.operator
        one, two, bare = site.hosts
        site.make_mesh(hosts=[one, two])
        operator.fleet("import", "n1", "n2")

        said = operator.fleet("import", "--force", "n1", "n2", "n3", status=1).stderr
        assert "fleet bootstrap" in said, said
        add_node(operator, bare, f"{{host: {bare.address}, user: op}}")
        assert "missing-public-key" in operator.fleet("plan", status=1).stderr
        said = operator.fleet("bootstrap", "n3", status=1).stderr
        assert "--from" in said, said

        folder = os.path.join(operator.folder, "root/folder")
        os.makedirs(folder)
        for program in PROGRAMS:
            shutil.copy2(os.path.join(BIN, program), folder)
        said = operator.fleet("bootstrap", "--from", "/root/folder", "n3").stdout
        assert "got" in said and "has its key" in said, said
        assert os.path.islink(os.path.join(bare.folder, "bin/wgkit"))
        private = bare.read("/etc/wireguard/wg0.key").strip()
        assert private not in open(operator.file("nodes.lock.yaml"), encoding="utf-8").read()
        assert os.stat(bare.path("/etc/wireguard/wg0.key")).st_mode & 0o777 == 0o600
        assert "has it already" in operator.fleet("bootstrap", "n3").stdout

        operator.fleet("apply")
        for host in (one, two):
            host.namespace.reach(bare.inner)
        assert f"PrivateKey = {private}" in bare.read("/etc/wireguard/wg0.conf")
        assert all(row["state"] == "ok" for row in operator.json("status")["nodes"])
        # As at boot.
        bare.reboot(after=["wg0"])
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

#!/usr/bin/python3
"""The .deb comes to a node by ssh and sudo, is replaced by a newer one, and what dpkg refuses changes nothing."""
import hashlib
import os
import shutil
import signal
import subprocess
import sys

from bootstrap_test import PROGRAMS, add_node
from hosts import BIN, Bed, Site, end_on_signals, need, run, wait_for

BUILD = os.path.dirname(BIN)
VERSION = run(os.path.join(BIN, "wgkit"), "--version").stdout.split()[1]
OLDER = "0.0.9"
assert len(OLDER) == len(VERSION)  # it is changed within the programs


class Packages:
    """Made from this build, in the operator's /root."""

    def __init__(self, operator):
        self.folder = os.path.join(operator.folder, "root/deb")
        cpack = os.path.join(os.path.dirname(os.environ.get("CMAKE") or shutil.which("cmake")), "cpack")
        run(cpack, "--config", os.path.join(BUILD, "CPackConfig.cmake"), "-G", "DEB", "-B", self.folder, timeout=300)
        self.deb = next(os.path.join(self.folder, name) for name in os.listdir(self.folder) if name.endswith(".deb"))
        self.tree = os.path.join(self.folder, "tree")
        run("dpkg-deb", "-R", self.deb, self.tree, timeout=60)

    def again(self, name, change):
        """The package, with something else in its tree: the operator's path of it."""
        tree = os.path.join(self.folder, "changed")
        shutil.copytree(self.tree, tree, symlinks=True)
        change(tree)
        run("dpkg-deb", "--root-owner-group", "-Znone", "-b", tree, os.path.join(self.folder, name), timeout=60)
        shutil.rmtree(tree)
        return "/root/deb/" + name

    def path(self):
        return "/root/deb/" + os.path.basename(self.deb)


def control(tree, before, after):
    path = os.path.join(tree, "DEBIAN/control")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    assert before in text, text
    with open(path, "w", encoding="utf-8") as file:
        file.write(text.replace(before, after))


def make_older(tree):
    """An older wgkit, to itself as to dpkg."""
    control(tree, f"Version: {VERSION}", f"Version: {OLDER}")
    for folder, _, names in os.walk(os.path.join(tree, "usr")):
        for name in names:
            path = os.path.join(folder, name)
            if os.path.islink(path):
                continue
            with open(path, "r+b") as file:
                content = file.read()
                if content.startswith(b"\x7fELF") and VERSION.encode() + b"\0" in content:
                    file.seek(0)
                    file.write(content.replace(VERSION.encode() + b"\0", OLDER.encode() + b"\0"))


def preinst(script):
    def change(tree):
        path = os.path.join(tree, "DEBIAN/preinst")
        with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o755), "w", encoding="utf-8") as file:
            file.write(f"#!/bin/sh\n{script}\n")
    return change


def installed(node):
    ran = node.run("dpkg-query", "-W", "-f", "${db:Status-Status} ${Version}", "wgkit", check=False)
    return ran.stdout if ran.stdout.startswith("installed ") else ""


def state_here():
    with open("/var/lib/dpkg/status", "rb") as file:
        return hashlib.sha256(file.read()).hexdigest(), os.path.lexists("/usr/bin/wgkit")


def is_killed_in_the_middle(packages, operator, node):
    """dpkg leaves a state that apt-get refuses to go on from; the next run brings it in order."""
    waiting = packages.again("waits.deb", preinst("exec sleep 1000"))
    running = operator.start_fleet("bootstrap", "--force", "--from", waiting, "n3",
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for("the package's script", lambda: node.pids("sleep")[1:], 60)  # one is the keeper's
    for name in ("apt-get", "dpkg", "sleep"):
        for pid in node.pids(name):
            if pid != node.keeper.pid:
                os.kill(pid, signal.SIGKILL)
    assert running.wait(60) == 1
    assert "dpkg was interrupted" in node.run("apt-get", "install", "-f", check=False).stderr
    assert "got" in operator.fleet("bootstrap", "--force", "--from", packages.path(), "n3").stdout
    assert installed(node) == f"installed {VERSION}"


def what_is_refused_changes_nothing(packages, operator, node):
    def fails(path, *words):
        before = installed(node)
        said = operator.fleet("bootstrap", "--force", "--from", path, "n3", status=1).stderr
        assert all(word in said for word in words), said
        assert len([line for line in said.splitlines() if "error:" in line]) == 1, said
        assert installed(node) == before
    native = run("dpkg", "--print-architecture").stdout.strip()
    other = "s390x" if native != "s390x" else "arm64"
    fails(packages.again("other.deb", lambda tree: control(tree, f"Architecture: {native}", f"Architecture: {other}")),
          f"the package is for {other}, but the machine is {native}")
    fails(packages.again("refuses.deb", preinst("exit 3")), "pre-installation script", "status 3")
    fails(packages.again("needs.deb", lambda tree: control(tree, "Depends: ", "Depends: no-such-package, ")),
          "Depends: no-such-package")
    operator.write("/root/deb/text.deb", "no package\n")
    fails("/root/deb/text.deb", "is no Debian package")
    operator.write("/root/deb/broken.deb", "!<arch>\nbroken\n")
    fails("/root/deb/broken.deb", "dpkg-deb: error")


def main():
    end_on_signals()
    here = state_here()
    for tool in ("apt-get", "dpkg-deb", "dpkg-shlibdeps"):
        need(tool, "dpkg-dev")
    with Bed() as bed:
        site = Site(bed, 3, bare={"n3"}, own={"n3": ["usr", "var"]})
        operator = site.operator
        one, two, node = site.hosts
        site.make_mesh(hosts=[one, two])
        operator.fleet("import", "n1", "n2")
        add_node(operator, node, f"{{host: {node.address}, user: op}}")
        packages = Packages(operator)

        what_is_refused_changes_nothing(packages, operator, node)
        assert installed(node) == ""

        # Without a package, and with an older one: what is there is told.
        assert "--from" in operator.fleet("bootstrap", "n3", status=1).stderr
        old = packages.again("older.deb", make_older)
        said = operator.fleet("bootstrap", "--from", old, "n3").stdout
        assert f"n3: got {OLDER}; this machine has {VERSION}, has its key" in said, said
        assert installed(node) == f"installed {OLDER}" and installed(one) == ""
        assert f"has {OLDER}; this machine has {VERSION}" in operator.fleet("bootstrap", "n3").stdout
        operator.fleet("apply")
        for host in (one, two):
            host.namespace.reach(node.inner)

        # The newer one, while the tunnel of the older runs on; then nothing is left to do.
        assert f"got {VERSION}" in operator.fleet("bootstrap", "--from", packages.path(), "n3").stdout
        assert installed(node) == f"installed {VERSION}"
        assert node.run("/usr/bin/wgkit", "--version").stdout == f"wgkit {VERSION}\n"
        assert one.ping(node.inner)
        assert "has it already" in operator.fleet("bootstrap", "--from", packages.path(), "n3").stdout
        what_is_refused_changes_nothing(packages, operator, node)
        assert "0 of 3 nodes change" in operator.fleet("plan").stdout
        assert all(row["state"] == "ok" and row["version"] == VERSION for row in operator.json("status")["nodes"])

        # A folder that came earlier would be found first: it goes. What is not ours there stays, and is told.
        folder = os.path.join(operator.folder, "root/folder")
        os.makedirs(folder)
        for program in PROGRAMS:
            shutil.copy2(os.path.join(BIN, program), folder)
        operator.fleet("bootstrap", "--force", "--from", "/root/folder", "n3")
        assert os.path.lexists(os.path.join(node.folder, "bin/wgkit"))
        operator.fleet("bootstrap", "--force", "--from", packages.path(), "n3")
        assert not os.path.lexists(os.path.join(node.folder, "bin/wgkit"))
        assert not os.listdir(os.path.join(node.folder, "lib"))
        assert node.run("sh", "-c", "command -v wgkit").stdout == "/usr/bin/wgkit\n"
        os.symlink(os.path.join(BIN, "wgkit"), os.path.join(node.folder, "bin/wgkit"))
        said = operator.fleet("bootstrap", "--force", "--from", old, "n3", status=1).stderr
        assert f"it got {OLDER}, but {VERSION} answers" in said and "command -v wgkit" in said, said
        os.remove(os.path.join(node.folder, "bin/wgkit"))
        is_killed_in_the_middle(packages, operator, node)
        operator.fleet("plan")
        assert state_here() == here, "this was the node's alone"


if __name__ == "__main__":
    sys.exit(main())

"""Runs a test in namespaces of its own: network, mounts, an own /run and copies of what firewalls write.

    if __name__ == "__main__":
        inside.run(main)

Nothing of the host's firewall is seen or changed.
"""
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "tunnel"), os.path.join(HERE, "..", "..", "support")]
from bed import die_with_parent, wait_for  # noqa: E402
from tools import UNPACKED, missing, need  # noqa: E402

MARK = "WGKIT_FW_INSIDE"


def run(main):
    """Calls main() in new namespaces; exits with its status."""
    if os.environ.get(MARK):
        prepare(os.environ[MARK])
        sys.exit(main() or 0)
    if os.geteuid() != 0:
        missing("root, for namespaces")
    for tool, package in (("unshare", "util-linux"), ("ip", "iproute2"), ("nft", "nftables"),
                          ("iptables-restore", "iptables"), ("conntrack", "conntrack")):
        need(tool, package)
    probe = ["unshare", "--net", "--mount", "true"]
    if subprocess.run(probe, check=False, stderr=subprocess.DEVNULL).returncode != 0:
        missing("network and mount namespaces")
    with tempfile.TemporaryDirectory(prefix="wgkit-fw-") as folder:
        command = ["unshare", "--net", "--mount", "--propagation", "private", sys.executable, *sys.argv]
        environment = os.environ | {MARK: folder}
        environment.pop("SSH_CONNECTION", None)
        sys.exit(subprocess.run(command, check=False, env=environment).returncode)


def mount(*arguments):
    subprocess.run(["mount", *arguments], check=True)


def prepare(folder):
    """Own /run, own /sys, and /etc as a copy that may be written."""
    mount("-t", "tmpfs", "run", "/run")
    for name in ("lock", "netns"):
        os.makedirs(f"/run/{name}")
    mount("-t", "sysfs", "sys", "/sys")
    mount("-t", "tmpfs", "fw", folder)
    overlay(folder, "/etc", [])
    mount("-t", "tmpfs", "lib", "/var/lib")


def overlay(folder, place, above):
    """`above` are folders whose content is seen in `place`, too; what is written is kept in memory."""
    name = place.strip("/").replace("/", "-") + str(len(os.listdir(folder)))
    upper, work = f"{folder}/{name}-upper", f"{folder}/{name}-work"
    os.makedirs(upper)
    os.makedirs(work)
    lower = ":".join([*above, place])
    mount("-t", "overlay", "overlay", "-o", f"lowerdir={lower},upperdir={upper},workdir={work}", place)


def add_ufw():
    """The unpacked ufw in its places, with the files that its installation would make."""
    unpacked = os.path.join(UNPACKED, "ufw")
    if not os.path.exists(f"{unpacked}/usr/sbin/ufw"):
        missing("ufw", "ufw")
    folder = os.environ[MARK]
    overlay(folder, "/etc", [f"{unpacked}/etc"])
    overlay(folder, "/usr", [f"{unpacked}/usr"])
    overlay(folder, "/usr/lib", [f"{unpacked}/lib"])
    for name in ("before", "before6", "after", "after6", "user", "user6"):
        shutil.copy(f"/usr/share/ufw/iptables/{name}.rules", f"/etc/ufw/{name}.rules")
        os.chmod(f"/etc/ufw/{name}.rules", 0o640)
    for name in ("ufw.conf", "before.init", "after.init"):
        shutil.copy(f"/usr/share/ufw/{name}", f"/etc/ufw/{name}")


BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>system</type><listen>unix:path=/run/dbus/system_bus_socket</listen>
<policy context="default"><allow send_destination="*"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>
"""


def add_firewalld(**options):
    """The unpacked firewalld in its places, running, on a bus of its own."""
    unpacked = os.path.join(UNPACKED, "firewalld")
    if not os.path.exists(f"{unpacked}/usr/sbin/firewalld"):
        missing("firewalld", "firewalld")
    need("dbus-daemon", "dbus-daemon")
    if subprocess.run(["/usr/bin/python3", "-c", "import dbus, gi"], check=False).returncode != 0:
        missing("the modules dbus and gi of Debian's python3", "python3-dbus python3-gi")
    folder = os.environ[MARK]
    overlay(folder, "/etc", [f"{unpacked}/etc"])
    overlay(folder, "/usr", [f"{unpacked}/usr"])
    for name, value in options.items():
        subprocess.run(["sed", "-i", f"s/^{name}=.*/{name}={value}/", "/etc/firewalld/firewalld.conf"], check=True)
    os.makedirs("/run/dbus", exist_ok=True)
    with open("/run/dbus/bus.conf", "w", encoding="utf-8") as file:
        file.write(BUS)
    start("dbus-daemon", "--config-file=/run/dbus/bus.conf", "--nofork", "--nopidfile")
    wait_for("the bus", lambda: os.path.exists("/run/dbus/system_bus_socket"), 30)
    start("firewalld", "--nofork", "--nopid")
    wait_for("firewalld", lambda: subprocess.run(["firewall-cmd", "--state"], capture_output=True,
                                                 check=False).returncode == 0, 60, 0.2)


def start(*command):
    return subprocess.Popen(command, preexec_fn=die_with_parent, stdin=subprocess.DEVNULL,
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

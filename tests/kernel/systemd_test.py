#!/usr/bin/python3
"""wgkit under systemd: its units, changes that wait for a confirmation, and what a boot brings, in a virtual machine."""
import os
import re
import subprocess
import sys

from guest import find_program, sections
from systemd_guest import SystemdGuest
from tools import ROOT

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAMS = ("nft", "unshare", "nsenter", "diff", "cmp", "stat", "id", "bash", "ping", "ssh", "sync")
MODULES = ("wireguard", "veth", "dummy", "tun", "nf_tables", "nft_ct", "nft_fib", "nft_fib_ipv4", "nft_fib_ipv6",
           "nft_compat", "nft_limit", "nft_log", "nft_reject_inet")
# A session is a unit: what it leaves behind ends with it, as with KillUserProcesses= of logind.conf(5).
SSH = {
    "etc/systemd/system/sshd.socket": "[Socket]\nListenStream=127.0.0.1:22\nAccept=yes\n",
    "etc/systemd/system/sshd@.service": "[Service]\nExecStart=-/usr/sbin/sshd -i\nStandardInput=socket\n"
                                        "StandardError=journal\nRuntimeDirectory=sshd\nRuntimeDirectoryPreserve=yes\n",
    "etc/ssh/sshd_config": "UsePAM no\nStrictModes no\nPermitRootLogin prohibit-password\nPidFile none\n"
                           "HostKey /etc/ssh/host_key\nAuthorizedKeysFile /etc/ssh/authorized_keys\n",
    "root/.ssh/config": "Host *\n  StrictHostKeyChecking accept-new\n  LogLevel ERROR\n"}


def add_ssh(machine):
    machine.install("/usr/sbin/sshd")
    for path, text in SSH.items():
        machine.disk.file(path, text)
    for path in ("etc/ssh/host_key", "root/.ssh/id_ed25519"):
        subprocess.run([find_program("ssh-keygen", "openssh-client"), "-q", "-t", "ed25519", "-N", "", "-f",
                        machine.disk.path(path)], check=True)
    os.rename(machine.disk.path("root/.ssh/id_ed25519.pub"), machine.disk.path("etc/ssh/authorized_keys"))
    with open(machine.disk.path("etc/passwd"), "a", encoding="ascii") as file:
        file.write("sshd:x:105:65534::/run/sshd:/usr/sbin/nologin\n")


def run(machine, job):
    with open(os.path.join(HERE, job), encoding="utf-8") as file:
        parts = sections(machine.boot(file.read(), seconds=600))
    print("\n".join(f"{name}: {text.strip()[:600]}" for name, text in parts.items()), flush=True)
    return parts


def main():
    machine = SystemdGuest(PROGRAMS, MODULES)
    add_ssh(machine)
    machine.install("etcd", "/usr/bin/etcd")
    machine.disk.copy(os.path.join(ROOT, "packaging", "debian", "postinst"), "postinst")
    parts = run(machine, "systemd_job")
    journal = parts["its journal"]
    mistake = "/etc/wireguard/wg0.conf:7:14: error: '10.0.0.2/99' has no prefix length"
    assert journal.count(mistake) == 2, "reload and start"
    assert "Reload failed for wgkit@wg0.service" in journal and "Failed to start wgkit@wg0.service" in journal
    assert re.match(r"wg0: .*, (2\d\d|300) seconds left\n", parts["pending"]), parts["pending"]
    undone = parts["undone"]
    assert "wgkit-rollback-net\\x2dwg0.service: Scheduled restart job" in undone, undone
    assert undone.count("net-wg0 is undone") == 1, undone
    assert parts["state"] == "640 wgkit\n", parts["state"]
    assert " 200 OK" in parts["metrics"] and 'wgkit_peer_receive_bytes_total{interface="wg0"' in parts["metrics"]
    assert " 200 OK" in parts["page"] and "<!doctype html>" in parts["page"]
    server = parts["who serves it"]  # a user that is only there meanwhile
    assert 61184 <= int(re.search(r"Uid:\s+(\d+)", server)[1]) <= 65519 and re.search(r"CapEff:\s+0+\n", server), server
    assert not parts["failed"], parts["failed"]
    parts = run(machine, "systemd_boot_job")
    assert parts["enabled by fleet"].startswith("enabled\n"), parts["enabled by fleet"]
    assert re.search(r"NoNewPrivs:\s+1\nSeccomp:\s+2\n", parts["agent's sandbox"]), parts["agent's sandbox"]
    assert not parts["failed"], parts["failed"]
    parts = run(machine, "systemd_last_job")
    assert not parts["failed"], parts["failed"]
    print("ok")


if __name__ == "__main__":
    main()

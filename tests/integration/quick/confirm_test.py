#!/usr/bin/python3
"""wgkit net apply --confirm and confirm: who may confirm, over a real sshd and login, and what happens if nobody does."""
import contextlib
import json
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "tunnel"))
from bed import Bed, end_on_signals, run, wait_for  # noqa: E402
from host import NAME, NET, Host, differences, make_keys  # noqa: E402
from tools import need  # noqa: E402

SSHD, SSH, LOGIN = need("sshd", "openssh-server"), need("ssh", "openssh-client"), need("login", "login")
KEYS = [make_keys() for _ in range(4)]
BOOT = f"/etc/wireguard/{NAME}.conf"
REVOKED = "/etc/wgkit/revoked"


def config(*peers, address="10.66.0.1/24"):
    lines = ["[Interface]", f"PrivateKey = {KEYS[0][0]}", "ListenPort = 51900", f"Address = {address}", "MTU = 1320"]
    for number in peers:
        lines += ["[Peer]", f"PublicKey = {KEYS[number][1]}", f"AllowedIPs = 10.67.{number}.0/24"]
    return "\n".join(lines) + "\n"


OLD, NEW = config(1, 2), config(1, 3, address="10.66.0.2/24")


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as file:
        file.write(text)


def read(path):
    with open(path, encoding="ascii") as file:
        return file.read()


class Machine(Host):
    """With sshd on 127.0.0.1, and the interface up from OLD."""

    def __init__(self, bed):
        super().__init__(bed)
        folder = self.folder
        for name in ("host", "user"):
            run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", f"{folder}/{name}")
        write(f"{folder}/sshd_config", f"""ListenAddress 127.0.0.1:2222
HostKey {folder}/host
AuthorizedKeysFile {folder}/user.pub
StrictModes no
UsePAM no
PidFile none
PermitRootLogin yes
""")
        os.makedirs("/run/sshd", exist_ok=True)
        with open(f"{folder}/sshd.log", "w", encoding="ascii") as log:
            bed.process(self.space.start(SSHD, "-D", "-e", "-f", f"{folder}/sshd_config", stderr=log))
        wait_for("sshd", lambda: self.ssh("true", check=False).returncode == 0)
        write(BOOT, OLD)
        self.net("up", NAME)
        self.old = self.state(fixed_port=True)
        self.new_file = self.write(NEW, "new")

    def ssh(self, *command, options=(), **others):
        return self.space.run(SSH, "-p", "2222", "-i", f"{self.folder}/user", "-o", "StrictHostKeyChecking=no",
                              "-o", f"UserKnownHostsFile={self.folder}/known", "-o", "BatchMode=yes", *options,
                              "root@127.0.0.1", *command, stdin=subprocess.DEVNULL, **others)

    def apply(self, *options, seconds=600, **others):
        return self.net("apply", self.new_file, "-i", NAME, "--allow-removals", "1", "--confirm", str(seconds), *options,
                        **others)

    def waiting(self):
        return json.loads(self.call(NET, "confirm", "--list", "--json"))["changes"]

    def is_old(self):
        return not differences(self.old, self.state(fixed_port=True))

    def peers(self):
        return set(run("wg", "show", NAME, "peers").stdout.split())


@contextlib.contextmanager
def machine():
    with Bed() as bed:
        host = Machine(bed)
        yield host
        host.net("down", NAME)


def a_new_connection_confirms():
    with machine() as host:
        shared = ("-o", f"ControlPath={host.folder}/control", "-o", "ControlMaster=auto", "-o", "ControlPersist=60")
        host.ssh("true", options=shared)
        said = host.apply("--save")
        assert f"wgkit net confirm {NAME}" in said and "in a new connection" in said, said
        (change,) = host.waiting()
        assert change["interface"] == NAME and change["watched"] and change["bootFiles"] == [BOOT], change
        assert 500 < change["secondsLeft"] <= 600
        # Not from here, and not by a second session in a connection of before.
        assert "cannot tell whether this session began" in host.call(*host.confirm(), status=1)
        ran = host.ssh(NET, "confirm", NAME, options=shared, check=False)
        assert ran.returncode == 1 and "this ssh connection" in ran.stderr and "ControlPath=none" in ran.stderr, ran
        # Not by a job that a connection of after has left behind either.
        host.ssh("sh", "-c", f"'(sleep 0.3; {NET} confirm {NAME}) >{host.folder}/job 2>&1 </dev/null &'")
        wait_for("the job's end", lambda: "cannot tell" in read(f"{host.folder}/job"))
        # Nothing else changes it meanwhile, and boot files are the old ones.
        for options in (["--confirm", "5"], []):
            said = host.net("apply", host.new_file, "-i", NAME, *options, status=1)
            assert "waits for its confirmation" in said, said
        assert read(BOOT) == OLD
        ran = host.ssh(NET, "confirm")
        assert f"{NAME}: confirmed" in ran.stdout and BOOT in ran.stdout, ran
        assert read(BOOT) == NEW and not host.waiting()
        assert host.peers() == {KEYS[1][1], KEYS[3][1]}
        assert os.stat(BOOT).st_mode & 0o777 == 0o600
        assert "no change" in host.call(*host.confirm(), status=1)
        host.ssh("true", options=[*shared, "-O", "exit"], check=False)


def a_login_at_a_console_confirms():
    with machine() as host:
        host.apply()
        child, terminal = pty.fork()
        if child == 0:
            os.execv("/usr/bin/nsenter", ["nsenter", f"--net=/run/netns/{host.space.name}", LOGIN, "-f", "root"])
        os.write(terminal, f"{NET} confirm {NAME}; exit\n".encode())
        said = b""
        with contextlib.suppress(OSError):  # the terminal's end
            while part := os.read(terminal, 4096):
                said += part
        os.waitpid(child, 0)
        assert f"{NAME}: confirmed".encode() in said, said
        assert read(BOOT) == OLD, "nobody has asked to --save"


def nobody_confirms():
    """The connection over which the change was made is gone: the watcher is not."""
    with machine() as host:
        began = time.monotonic()
        ran = host.ssh(NET, "apply", host.new_file, "-i", NAME, "--allow-removals", "1", "--confirm", "2", "--save")
        assert "+ peer" in ran.stdout
        assert host.peers() == {KEYS[1][1], KEYS[3][1]} or time.monotonic() - began > 2
        wait_for("the way back", lambda: not host.waiting(), 30)
        assert host.is_old(), differences(host.old, host.state(fixed_port=True))
        assert read(BOOT) == OLD


def a_revoked_key_does_not_come_back():
    with machine() as host:
        host.apply()
        write(REVOKED, f"# stolen\n{KEYS[2][1]}\n")
        host.call(*host.confirm("--undo"))
        assert host.peers() == {KEYS[1][1]} and "10.66.0.1/24" in host.space.run("ip", "-br", "addr").stdout
        # A list that cannot be read: nothing is armed, and nobody comes back.
        host.net("apply", host.write(OLD, "old"), "-i", NAME)
        write(REVOKED, "nonsense\n")
        assert f"{REVOKED}:1: not a public key" in host.apply(status=1)
        os.unlink(REVOKED)
        host.apply()
        write(REVOKED, "nonsense\n")
        assert f"{REVOKED}:1" in host.call(*host.confirm("--undo"), status=1)
        assert host.peers() == {KEYS[1][1]} and host.waiting()[0]["state"] == "undo-failed"
        os.unlink(REVOKED)
        wait_for("another try", lambda: not host.waiting(), 30)
        assert host.peers() == {KEYS[1][1], KEYS[2][1]}


def watcher():
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            words = open(f"/proc/{pid}/cmdline", "rb").read().split(b"\0")
            if words[0].endswith(b"wgkit-rollback") and NAME.encode() in words[1]:
                return int(pid)
    raise AssertionError("no watcher")


def kills():
    with machine() as host:
        # Its own session, nothing of ours open.
        host.apply()
        pid = watcher()
        assert os.getsid(pid) == pid
        assert {os.readlink(f"/proc/{pid}/fd/{fd}") for fd in "012"} == {"/dev/null"}
        os.kill(pid, signal.SIGHUP)
        os.kill(pid, signal.SIGKILL)
        wait_for("news of its death", lambda: not host.waiting()[0]["watched"])
        assert "nobody watches it" in host.call(NET, "confirm", "--list")
        host.call(*host.confirm("--undo"))
        assert host.is_old() and not host.waiting()
        # A reboot: what waits is gone, the files at boot are the old ones.
        host.apply("--save")
        os.kill(watcher(), signal.SIGKILL)
        shutil.rmtree("/run/wgkit/confirm")
        host.net("down", NAME)
        host.net("up", NAME)
        assert host.is_old() and read(BOOT) == OLD
        # The boot file was changed by somebody else: theirs is not lost.
        host.apply("--save")
        write(BOOT, OLD + "# mine\n")
        ran = host.ssh(NET, "confirm", check=False)
        assert ran.returncode == 1 and "was changed since by somebody else" in ran.stderr, ran
        host.call(*host.confirm("--undo"))
        assert read(BOOT).endswith("# mine\n") and host.is_old()


def boot_file_is_refused():
    with machine() as host:
        for word in (NAME, BOOT):
            said = host.net("apply", word, "--confirm", "9", status=1)
            assert "takes effect at boot, confirmed or not" in said, said
        assert not host.waiting()
        # Without --confirm, --save is done at once.
        host.net("apply", host.new_file, "-i", NAME, "--allow-removals", "1", "--save")
        assert read(BOOT) == NEW
        # Nothing to do, nothing to confirm.
        said = host.net("apply", host.new_file, "-i", NAME, "--confirm", "9")
        assert "is as" in said and not host.waiting()


SCENARIOS = (a_new_connection_confirms, a_login_at_a_console_confirms, nobody_confirms,
             a_revoked_key_does_not_come_back, kills, boot_file_is_refused)


def main():
    end_on_signals()
    if "WGKIT_OWN_ETC" not in os.environ:
        # An /etc of our own: files at boot, the account that sshd wants.
        os.environ["WGKIT_OWN_ETC"] = "1"
        os.execvp("unshare", ["unshare", "--mount", "--propagation", "slave", sys.executable, *sys.argv])
    with Bed() as bed:
        etc = os.path.join(bed.folder, "etc")
        run("cp", "-a", "/etc", etc)
        run("mount", "--bind", etc, "/etc")
        if not re.search("^sshd:", read("/etc/passwd"), re.M):
            with open("/etc/passwd", "a", encoding="ascii") as file:
                file.write("sshd:x:998:65534::/run/sshd:/usr/sbin/nologin\n")
        shutil.rmtree("/etc/wireguard", ignore_errors=True)
        shutil.rmtree("/etc/wgkit", ignore_errors=True)
        for scenario in SCENARIOS:
            if len(sys.argv) > 1 and scenario.__name__ not in sys.argv[1:]:
                continue
            scenario()
            print(scenario.__name__, "ok", flush=True)
        run("umount", "/etc")


if __name__ == "__main__":
    main()

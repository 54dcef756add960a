"""Hosts to operate on: each a network namespace on one bridge, with a mount namespace of its own (/etc, /run,
/var/lib/wgkit, /root, /usr/local/bin and lib) and a real sshd. The operator is such a host, too, with ssh's own files.

    with Bed() as bed:
        site = Site(bed, 10)
        site.make_mesh()
        site.operator.fleet("import", *site.names())

Nothing leaves the bridge. Everything ends with the bed.
"""
import contextlib
import glob
import json
import os
import shutil
import signal
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "tunnel"))
from bed import Bed, die_with_parent, end_on_signals, reach_all, run, wait_for  # noqa: E402, F401
from device import make_keys, make_psk  # noqa: E402
from tools import missing, need, wgkit  # noqa: E402

SSHD = need("sshd", "openssh-server")
BIN = os.path.dirname(os.path.abspath(wgkit("net")))
PORT = 51820
SUBNET = "192.0.2"
INNER = "10.44.0"

# Runs in the host's new mount namespace, then only keeps it.
SETUP = r"""
set -e
folder=$1
mount --make-rprivate /
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/wireguard /run/sshd /run/lock /var/lib/wgkit
shift
for one in "$@"; do
  part=${one%%=*} above=
  case $one in *=*) above=${one#*=}: ;; esac
  mkdir -p "$folder/over/$part" "$folder/work/$part"
  mount -t overlay overlay -o "lowerdir=$above/$part,upperdir=$folder/over/$part,workdir=$folder/work/$part" "/$part"
done
mkdir -p /var/lib/wgkit
for part in etc root; do mount --bind "$folder/$part" "/$part"; done
mount --bind "$folder/var" /var/lib/wgkit
mount --bind "$folder/bin" /usr/local/bin
mount --bind "$folder/lib" /usr/local/lib
echo ready
exec sleep 100000
"""

SSHD_CONFIG = """Port 22
HostKey /etc/ssh/host_key
AuthorizedKeysFile /etc/ssh/authorized_keys
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
UseDNS no
StrictModes no
PidFile none
MaxStartups 200
MaxSessions 100
LogLevel ERROR
"""


def write(path, text, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w", encoding="utf-8") as file:
        os.fchmod(file.fileno(), mode)
        file.write(text)


class Host:
    """A machine: `namespace` is its network, `folder` what it keeps on disk."""

    def __init__(self, site, name, number):
        self.site, self.name, self.number = site, name, number
        self.address = f"{SUBNET}.{number}"
        self.inner = f"{INNER}.{number}"
        self.namespace = site.bed.namespace()
        self.folder = os.path.join(site.bed.folder, name)
        self.own = site.own.get(name, ())  # folders of / whose changes it keeps to itself
        self.clock = []  # stands before commands: see `set_clock`
        self.sshd = None
        self.keeper = None
        self._make_disk()
        self._connect()
        self._boot()

    def _make_disk(self):
        os.makedirs(os.path.join(self.folder, "var"))
        os.makedirs(os.path.join(self.folder, "root"), 0o700)
        for part in ("bin", "lib"):
            os.makedirs(os.path.join(self.folder, part))
        if self.name not in self.site.bare:
            os.symlink(os.path.join(BIN, "wgkit"), os.path.join(self.folder, "bin", "wgkit"))
        etc = os.path.join(self.folder, "etc")
        # What ssh, sudo and the tools read; not the certificates and the like of this machine.
        os.makedirs(etc)
        for name in ("passwd", "group", "nsswitch.conf", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "localtime",
                     "sudoers", "sudo.conf", "pam.d", "security", "login.defs", "environment", "host.conf", "iproute2",
                     "protocols", "services", "alternatives", "ssl/openssl.cnf", "xattr.conf", "shells", "profile"):
            there = os.path.join("/etc", name)
            if not os.path.lexists(there):
                continue
            os.makedirs(os.path.dirname(os.path.join(etc, name)), exist_ok=True)
            if os.path.isdir(there):
                shutil.copytree(there, os.path.join(etc, name), symlinks=True)
            else:
                shutil.copy2(there, os.path.join(etc, name), follow_symlinks=True)
        passwd = [line for line in open("/etc/passwd", encoding="utf-8").read().splitlines()
                  if line.split(":")[0] not in ("sshd", "op")]
        passwd += ["sshd:x:65533:65534::/run/sshd:/usr/sbin/nologin", "op:x:3000:3000::/tmp:/bin/sh"]
        write(os.path.join(etc, "passwd"), "\n".join(passwd) + "\n")
        write(os.path.join(etc, "shadow"), "root:*:19000:0:99999:7:::\nop:*:19000:0:99999:7:::\n", 0o600)
        write(os.path.join(etc, "hostname"), self.name + "\n")
        write(os.path.join(etc, "sudoers"), 'Defaults secure_path="/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"\n'
              "root ALL=(ALL:ALL) ALL\nop ALL=(ALL) NOPASSWD: ALL\n", 0o440)
        write(os.path.join(etc, "ssh/sshd_config"), SSHD_CONFIG)
        write(os.path.join(etc, "ssh/authorized_keys"), self.site.login_key)
        os.makedirs(os.path.join(etc, "wireguard"), 0o700)
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", self.name, "-f", os.path.join(etc, "ssh/host_key"))

    def _connect(self):
        ends = self.site.bed.unique("wl"), f"h{self.number}"
        run("ip", "link", "add", "eth0", "netns", self.namespace.name, "type", "veth",
            "peer", "name", ends[1], "netns", self.site.bridge.name)
        self.site.bridge.ip(f"link set {ends[1]} master br0", f"link set {ends[1]} up")
        self.namespace.ip("link set eth0 up", f"addr add {self.address}/24 dev eth0",
                          f"route add default via {SUBNET}.254")

    def _boot(self):
        """Its mount namespace, then sshd in it."""
        with open(os.path.join(self.folder, "keeper.log"), "w", encoding="utf-8") as log:
            self.keeper = self.site.bed.process(subprocess.Popen(
                ["nsenter", f"--net=/run/netns/{self.namespace.name}", "--", "unshare", "-m", "--", "/bin/sh", "-c",
                 SETUP, "setup", self.folder, *self.own],
                preexec_fn=die_with_parent, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True))
        if self.keeper.stdout.readline().strip() != "ready":
            raise AssertionError(open(os.path.join(self.folder, "keeper.log"), encoding="utf-8").read())
        self.start_sshd()

    def inside(self):
        """What stands before a command that runs on the host."""
        return ["nsenter", "-t", str(self.keeper.pid), "-m", "-n", "--"]

    def set_clock(self, seconds):
        """The wall's clock is so far ahead, and no other: for all programs of wgkit that began since the first
        call, within a second for those that run."""
        write(os.path.join(self.folder, "etc/clock"), f"{seconds:+d}\n")
        if self.clock:
            return
        library = next(iter(glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")), None) \
            or missing("libfaketime", "faketime")
        self.clock = ["env", f"LD_PRELOAD={library}", "FAKETIME_TIMESTAMP_FILE=/etc/clock", "NO_FAKE_STAT=1",
                      "FAKETIME_CACHE_DURATION=1", "FAKETIME_DONT_FAKE_MONOTONIC=1"]
        path = os.path.join(self.folder, "bin/wgkit")
        os.remove(path)
        write(path, f"#!/bin/sh\nexec {' '.join(self.clock)} {BIN}/wgkit \"$@\"\n", 0o755)

    def run(self, *argv, **options):
        return run(*self.inside(), *argv, **{"cwd": "/", **options})

    def start(self, *argv, **options):
        return subprocess.Popen([*self.inside(), *argv], preexec_fn=die_with_parent,
                                **{"stdin": subprocess.DEVNULL, "cwd": "/", **options})

    def start_sshd(self):
        with open(os.path.join(self.folder, "sshd.log"), "ab") as log:
            self.sshd = self.site.bed.process(self.start(
                SSHD, "-D", "-e", "-f", "/etc/ssh/sshd_config", stdout=log, stderr=log))

    def stop_sshd(self, sessions=True):
        """With its sessions, as a crash would."""
        for pid in self.pids("sshd") if sessions else [self.sshd.pid]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.sshd.wait(10)

    def pids(self, name=None):
        """Of the host's processes; `name` is what /proc calls them."""
        out = []
        for pid in run("ip", "netns", "pids", self.namespace.name).stdout.split():
            with contextlib.suppress(OSError):
                if name is None or open(f"/proc/{pid}/comm", encoding="utf-8").read().strip() == name:
                    out.append(int(pid))
        return out

    def wait_for_sshd(self):
        wait_for(f"sshd of {self.name}", lambda: ":0016 " in self.run("cat", "/proc/net/tcp").stdout, 20)

    def reboot(self, after=()):
        """Processes and all that is not on disk are gone; then the interfaces of `after` come up as at boot."""
        for pid in self.pids():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.keeper.wait(10)
        wait_for("the end of the host's processes", lambda: not self.pids(), 20)
        self._boot()
        self.wait_for_sshd()
        for interface in after:
            self.up(interface)

    def path(self, path):
        """A file of /etc, /root or /var/lib/wgkit as it is on this machine."""
        for there, here in (("/etc/", "etc/"), ("/root/", "root/"), ("/var/lib/wgkit/", "var/")):
            if path.startswith(there):
                return os.path.join(self.folder, here + path[len(there):])
        raise ValueError(path)

    def read(self, path):
        with open(self.path(path), encoding="utf-8") as file:
            return file.read()

    def write(self, path, text, mode=0o600):
        write(self.path(path), text, mode)

    def up(self, interface="wg0"):
        log = os.path.join(self.folder, "up.log")
        with open(log, "w+b") as said:  # into a file: the engine stays, and would keep a pipe open
            process = self.start(*self.clock, os.path.join(BIN, "wgkit-net"), "up", interface, stdout=said, stderr=said)
            assert process.wait(30) == 0, open(log, encoding="utf-8").read()

    def wgkit(self, *argv, status=0):
        ran = self.run(*self.clock, os.path.join(BIN, "wgkit"), *argv, check=False)
        assert status is None or ran.returncode == status, f"{argv} on {self.name}: {ran.returncode}: {ran.stderr}"
        return ran

    def device(self, interface="wg0"):
        return json.loads(self.wgkit("net", "show", interface, "--json").stdout)["interfaces"][interface]

    def plan(self, interface="wg0"):
        return json.loads(self.wgkit("net", "plan", interface, "--json", status=None).stdout)["changes"]

    def ping(self, address, **options):
        return self.namespace.ping(address, **options)


class Operator(Host):
    """Where `wgkit fleet` runs: /root has ssh's files, and /root/fleet is the fleet's folder."""

    def _make_disk(self):
        super()._make_disk()
        ssh = os.path.join(self.folder, "root/.ssh")
        os.makedirs(ssh, 0o700)
        shutil.copy2(self.site.login_key_file, os.path.join(ssh, "id_ed25519"))
        os.makedirs(os.path.join(self.folder, "root/fleet"))

    def trust(self, hosts):
        """ssh knows these hosts, and their names."""
        known, config = "", "Host *\n  UserKnownHostsFile /root/.ssh/known_hosts\n  StrictHostKeyChecking yes\n"
        for host in hosts:
            with open(os.path.join(host.folder, "etc/ssh/host_key.pub"), encoding="utf-8") as file:
                known += f"{host.address} {' '.join(file.read().split()[:2])}\n"
            config += f"Host {host.name}\n  HostName {host.address}\n  User root\n"
        write(os.path.join(self.folder, "root/.ssh/known_hosts"), known)
        write(os.path.join(self.folder, "root/.ssh/config"), config, 0o600)

    def _fleet(self, argv):
        return ["/bin/sh", "-c", 'cd /root/fleet && exec "$@"', "sh", *self.clock, os.path.join(BIN, "wgkit"), "fleet",
                *argv]

    def start_fleet(self, *argv, **options):
        return self.start(*self._fleet(argv), **{"env": {**os.environ, "HOME": "/root"}, **options})

    def fleet(self, *argv, status=0, timeout=120, text=None):
        ran = self.run(*self._fleet(argv), check=False, timeout=timeout, input=text,
                       env={**os.environ, "HOME": "/root"})
        assert status is None or ran.returncode == status, \
            f"wgkit fleet {' '.join(argv)}: status {ran.returncode}: {ran.stderr}\n{ran.stdout}"
        return ran

    def json(self, *argv, **options):
        return json.loads(self.fleet(*argv, "--json", **options).stdout)

    def file(self, name):
        return os.path.join(self.folder, "root/fleet", name)


class Site:
    """A bridge, hosts n1, n2, ... with addresses 192.0.2.1, ..., and the operator at .250. `bare`: names of
    hosts without wgkit; `own`: of folders that a host may change, as {"n3": ["usr", "var"]};
    "usr=/some/usr" has what is in the other there, too."""

    def __init__(self, bed, count, bare=(), own=None):
        need("ssh", "openssh-client")
        self.bed, self.bare, self.own = bed, set(bare), own or {}
        self.bridge = bed.namespace()
        self.bridge.ip("link add br0 type bridge", "link set br0 up", f"addr add {SUBNET}.254/24 dev br0")
        self.login_key_file = os.path.join(bed.folder, "login")
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "operator", "-f", self.login_key_file)
        with open(self.login_key_file + ".pub", encoding="utf-8") as file:
            self.login_key = file.read()
        self.hosts = [Host(self, f"n{i}", i) for i in range(1, count + 1)]
        self.operator = Operator(self, "operator", 250)
        self.operator.trust(self.hosts)
        for host in self.hosts:
            host.wait_for_sshd()

    def add_host(self, bare=False):
        number = len(self.hosts) + 1
        if bare:
            self.bare.add(f"n{number}")
        self.hosts.append(Host(self, f"n{number}", number))
        self.operator.trust(self.hosts)
        self.hosts[-1].wait_for_sshd()
        return self.hosts[-1]

    def names(self):
        return [host.name for host in self.hosts]

    def make_mesh(self, hosts=None, psks=True, up=True):
        """Every host gets a wg-quick file with all others as peers, as people write them."""
        hosts = hosts or self.hosts
        keys = {host.name: make_keys() for host in hosts}
        pairs = {}
        for host in hosts:
            text = (f"[Interface]\n# {host.name}\nPrivateKey = {keys[host.name][0]}\nAddress = {host.inner}/24\n"
                    f"ListenPort = {PORT}\n")
            for other in hosts:
                if other is host:
                    continue
                text += f"\n[Peer]\n# {other.name}\nPublicKey = {keys[other.name][1]}\n"
                if psks:
                    pair = tuple(sorted((host.name, other.name)))
                    pairs[pair] = pairs.get(pair) or make_psk()
                    text += f"PresharedKey = {pairs[pair]}\n"
                text += (f"AllowedIPs = {other.inner}/32\nEndpoint = {other.address}:{PORT}\n"
                         "PersistentKeepalive = 25\n")
            host.write("/etc/wireguard/wg0.conf", text)
        if up:
            for host in hosts:
                host.up()
        return keys, pairs

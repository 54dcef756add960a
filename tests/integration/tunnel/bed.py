"""A bed for tests of the tunnel: network namespaces, links between them, and their end.

    with Bed() as bed:
        left, right = bed.namespace(), bed.namespace()
        bed.link(left, right, ["192.0.2.1/24"], ["192.0.2.2/24"])
        device = bed.device(left, "wireguard-go -f")

Names of namespaces and interfaces carry this process's id, so that several tests can run at once on
one machine: configuration sockets share one folder. Everything ends with the `with`, also on SIGTERM.
What a killed test left is removed by the next one.
"""
import contextlib
import ctypes
import itertools
import os
import re
import shlex
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "support"))
from tools import missing, need  # noqa: E402

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000
PR_SET_PDEATHSIG = 1
ECHO_IDS = itertools.count(os.getpid())


def wait_for(what, condition, seconds=10.0, pause=0.02):
    """The condition's first true value, or an AssertionError that says what did not happen."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds:g} s: {what}")
        time.sleep(pause)


def die_with_parent():
    """For the children: nothing stays even if the test is killed without a chance to clean up."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def run(*argv, check=True, timeout=20, **options):
    ran = subprocess.run(argv, capture_output=True, text=True, timeout=timeout, check=False, **options)
    if check and ran.returncode != 0:
        raise AssertionError(f"{shlex.join(argv)}: status {ran.returncode}: "
                             f"{(ran.stderr or ran.stdout).strip()}")
    return ran


def icmp_checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF


def echo(namespace, address, count, wait):
    """How many of so many pings are answered. ping(8) gives the last one too little time if all are quick."""
    version6, answered, number = ":" in address, 0, next(ECHO_IDS) & 0xFFFF
    family, protocol, request = ((socket.AF_INET6, socket.IPPROTO_ICMPV6, 128) if version6
                                 else (socket.AF_INET, socket.IPPROTO_ICMP, 8))
    with namespace.socket(family, socket.SOCK_RAW, protocol) as raw:
        raw.connect((address, 0))
        for sequence in range(count):
            body = struct.pack("!HH", number, sequence) + b"wgkit-tunnel-test." * 3
            head = struct.pack("!BBH", request, 0, 0)
            if not version6:  # the kernel fills it in for IPv6
                head = struct.pack("!BBH", request, 0, icmp_checksum(head + body))
            end = time.monotonic() + wait
            try:
                raw.send(head + body)
                while (left := end - time.monotonic()) > 0:
                    raw.settimeout(left)
                    data = raw.recv(2000)
                    data = data if version6 else data[(data[0] & 15) * 4:]
                    if data[0] == (129 if version6 else 0) and data[4:] == body:
                        answered += 1
                        break
            except OSError:  # nothing came, or the address is unreachable
                time.sleep(max(0.0, min(0.05, end - time.monotonic())))
    return answered


class Namespace:
    """A network namespace by name; its lo is up."""

    def __init__(self, name):
        self.name = name

    def run(self, *argv, **options):
        return run("nsenter", f"--net=/run/netns/{self.name}", "--", *argv, **options)

    def start(self, *argv, **options):
        return subprocess.Popen(["nsenter", f"--net=/run/netns/{self.name}", "--", *argv],
                                preexec_fn=die_with_parent, stdin=subprocess.DEVNULL, **options)

    def ip(self, *commands):
        """Several commands of ip(8), each one text; -4 or -6 in front of any stands for all."""
        family = next((c[:2] for c in commands if c[0] == "-"), "")
        batch = "\n".join(c.removeprefix(f"{family} ") for c in commands) + "\n"
        return run("ip", *[family] * bool(family), "-n", self.name, "-batch", "-", input=batch).stdout

    def sysctl(self, name, value):
        self.run("sh", "-c", f'echo "$1" >"/proc/sys/{name.replace(".", "/")}"', "sh", str(value))

    def nft(self, rules):
        return self.run("nft", "-f", "-", input=rules + "\n")

    @contextlib.contextmanager
    def entered(self):
        """This thread is in the namespace; sockets made here stay in it."""
        with open("/proc/thread-self/ns/net", "rb") as before, \
                open(f"/run/netns/{self.name}", "rb") as there:
            if LIBC.setns(there.fileno(), CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), "setns")
            try:
                yield
            finally:
                LIBC.setns(before.fileno(), CLONE_NEWNET)

    def socket(self, family=socket.AF_INET, kind=socket.SOCK_DGRAM, protocol=0):
        with self.entered():
            return socket.socket(family, kind, protocol)

    def ping(self, address, count=1, wait=None, check=True, extra=()):
        """True if all came back. Quick: the next is sent when one is answered. What must come back may
        take a while on a busy machine; what is only tried may not."""
        wait = wait or (3.0 if check else 1.0)
        if count > 1 and not extra:
            got, text = echo(self, address, count, wait), ""
        else:
            text = self.run("ping", "-n", "-q", "-c", str(count), "-W", str(wait), *extra, address,
                            check=False, timeout=wait * count + 10).stdout
            got = int((re.search(r"(\d+) received", text) or [0, 0])[1])
        assert got == count or not check, f"ping {address}: {got} of {count} came back {text.strip()}"
        return got == count

    def reach(self, address, seconds=10.0):
        """Waits for the first answer: interfaces take a moment to be seen as up."""
        wait_for(f"an answer from {address} in {self.name}",
                 lambda: self.ping(address, wait=1, check=False), seconds)

    def bound_ports(self):
        """Local UDP ports in use."""
        text = self.run("cat", "/proc/net/udp", "/proc/net/udp6").stdout
        return {int(port, 16) for port in re.findall(r"^\s*\d+: [0-9A-F]+:([0-9A-F]{4}) ", text, re.M)}


def reach_all(ends, seconds=10.0):
    """Waits until each of them hears all others: `namespace` is where it is, `inner` its tunnel address."""
    for one in ends:
        for other in ends:
            if one is not other:
                one.namespace.reach(other.inner, seconds)


class Bed:
    _count = 0

    def __init__(self):
        self.stack = contextlib.ExitStack()
        self.devices = []

    def __enter__(self):
        if os.geteuid() != 0:
            missing("root, for network namespaces")
        for tool, package in (("ip", "iproute2"), ("wg", "wireguard-tools"), ("ping", "iputils-ping"),
                              ("nft", "nftables"), ("nsenter", "util-linux")):
            need(tool, package)
        if not os.path.exists("/dev/net/tun"):
            missing("/dev/net/tun")
        sweep()
        self.folder = tempfile.mkdtemp(prefix="wgkit-tunnel-")
        self.stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
        return self

    def __exit__(self, *_):
        with signals_wait():
            self.stack.close()

    @classmethod
    def unique(cls, prefix):
        """At most 15 characters."""
        cls._count += 1
        return f"{prefix}{os.getpid()}x{cls._count}"

    def namespace(self):
        name = self.unique("wkt")
        ran = run("ip", "netns", "add", name, check=False)
        if ran.returncode != 0:
            missing("network namespaces: " + ran.stderr.strip())
        self.stack.callback(run, "ip", "netns", "del", name, check=False)
        self.stack.callback(end_inside, name)
        namespace = Namespace(name)
        namespace.ip("link set lo up")
        # Otherwise IPv6 addresses are unusable for the first second or two.
        for which in ("all", "default"):
            namespace.sysctl(f"net.ipv6.conf.{which}.accept_dad", 0)
        return namespace

    def namespaces(self, count):
        return [self.namespace() for _ in range(count)]

    def link(self, left, right, left_addresses=(), right_addresses=()):
        """A veth pair; the names of its ends."""
        ends = self.unique("wl"), self.unique("wl")
        run("ip", "link", "add", ends[0], "netns", left.name, "type", "veth",
            "peer", "name", ends[1], "netns", right.name)
        right.ip(f"link set {ends[1]} up")
        left.ip(f"link set {ends[0]} up")
        # An end that came up before the other is ready for IPv6 only a second later, or at once if set anew.
        right.ip(f"link set {ends[1]} down", f"link set {ends[1]} up")
        for namespace, end, addresses in ((left, ends[0], left_addresses),
                                          (right, ends[1], right_addresses)):
            if addresses:
                namespace.ip(*(f"addr add {address} dev {end}" for address in addresses))
        return ends

    def device(self, namespace, command, **options):
        from device import Device
        return Device(self, namespace, command, **options)

    def process(self, process):
        """Ended with the bed, by its id."""
        self.stack.callback(end_process, process)
        return process

    def logs(self):
        """The last lines of every engine, for the report of a failure."""
        return "\n".join(f"--- {device.name} ({device.program})\n{device.log_tail()}"
                         for device in self.devices)


def end_inside(namespace):
    """What still runs in there: an engine that a failed test left keeps its namespace and its socket."""
    for pid in run("ip", "netns", "pids", namespace, check=False).stdout.split():
        with contextlib.suppress(ProcessLookupError):
            if int(pid) != os.getpid():
                os.kill(int(pid), signal.SIGKILL)


def end_process(process, seconds=5.0):
    """Asks, then kills. The exit status."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(seconds)
    return process.returncode


def sweep():
    """Removes namespaces of tests whose process is gone."""
    with contextlib.suppress(FileNotFoundError):
        for name in os.listdir("/run/netns"):
            owner = re.fullmatch(r"wkt(\d+)x\d+", name)
            if owner and not os.path.exists(f"/proc/{owner[1]}"):
                run("ip", "netns", "del", name, check=False)


@contextlib.contextmanager
def signals_wait():
    """Cleaning up is not interrupted by a second Ctrl-C."""
    kinds = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(kind, signal.SIG_IGN) for kind in kinds]
    try:
        yield
    finally:
        for kind, handler in zip(kinds, before):
            signal.signal(kind, handler)


def end_on_signals():
    """Signals become SystemExit, so that every `with` is left in order."""
    for kind in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(kind, lambda number, _: sys.exit(128 + number))

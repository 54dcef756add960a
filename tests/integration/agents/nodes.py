"""A fleet on agents in network namespaces: a store, an operator, and machines that join."""
import glob
import json
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", folder) for folder in ("tunnel", "fleet")]
from bed import Bed, end_inside, end_on_signals, end_process, reach_all, run, wait_for  # noqa: E402, F401
from etcd import Store  # noqa: E402
from tools import wgkit  # noqa: E402

AGENT, STORE = os.path.abspath(wgkit("agent")), os.path.abspath(wgkit("store"))


class Node:
    """A machine with a network and a /run of its own, so that many have an interface of one name."""

    def __init__(self, fleet, name, address):
        self.fleet, self.name, self.address = fleet, name, address
        self.folder = os.path.join(fleet.bed.folder, name)
        self.namespace = fleet.bed.namespace()
        fleet.plug(self.namespace, f"{address}/24")
        self.agent = None
        self.inner = None  # its address in the tunnel, for those who ask for it once
        self.boot()

    def boot(self):
        """A shell that keeps the mounts; what it was told to run ends with it."""
        self.holder = self.namespace.start(
            "unshare", "--mount", "--propagation", "private", "sh", "-c",
            "mkdir -p /run/wireguard /run/wgkit && mount -t tmpfs tmpfs /run/wireguard && "
            "mount -t tmpfs tmpfs /run/wgkit && echo && exec sleep infinity", stdout=-1)
        self.holder.stdout.readline()
        self.fleet.bed.process(self.holder)

    def inside(self, *argv):
        return ["nsenter", "--mount", "--target", str(self.holder.pid), "--", *argv]

    def run(self, *argv, **options):
        return self.namespace.run(*self.inside(*argv), **options)

    def join(self, token, name=None, check=True):
        return self.run(AGENT, "join", token, "--dir", self.folder, "--name", name or self.name,
                        "--endpoint", f"{self.address}:51820", check=check, timeout=60)

    def start(self, *before):
        """The agent; `before` it words that start it."""
        self.log = os.path.join(self.fleet.bed.folder, f"{self.name}.log")
        file = open(self.log, "ab")  # noqa: SIM115
        self.agent = self.namespace.start(*self.inside(*before, AGENT, "run", "--dir", self.folder),
                                          stdout=file, stderr=file)
        self.fleet.bed.process(self.agent)

    def stop(self):
        """Ends the agent; the tunnel goes on."""
        return end_process(self.agent)

    def kill(self):
        """Ends the agent as a crash does; the tunnel goes on."""
        self.agent.kill()
        self.agent.wait()

    def reboot(self):
        """All processes gone at once, and with them the interface; the disk stays."""
        self.kill()
        end_inside(self.namespace.name)
        self.holder.wait()
        wait_for("the interface's end", lambda: not self.has_interface())
        self.boot()

    def has_interface(self):
        return "wg0" in self.namespace.run("ip", "-o", "link").stdout

    def text(self):
        with open(self.log, encoding="utf-8") as file:
            return file.read()

    def revision(self):
        """The last one that the agent says it has applied."""
        found = re.findall(r"revision (\d+) applied", self.text())
        return int(found[-1]) if found else 0

    def has_own_user(self):
        return bool(glob.glob(os.path.join(self.folder, "*node*.password")))

    def peers(self):
        ran = self.run("wg", "show", "wg0", "peers", check=False)
        return set(ran.stdout.split()) if ran.returncode == 0 else set()


class Fleet:
    YAML = """version: 1
network: {name: corp, ipv4: 10.77.0.0/16}
nodes:
  - {name: phone, managed: false, public_key: "%s", ipv4: 10.77.0.200}
"""

    def __init__(self, bed_, members=1, tls=False, password=None, yaml=None):
        self.bed = bed_
        self.hub = bed_.namespace()
        self.hub.ip("link add br0 type bridge", "link set br0 up")
        addresses = [f"192.0.2.{i + 1}" for i in range(members)]
        self.hub.ip(*(f"addr add {address}/24 dev br0" for address in addresses))
        self.store = Store(bed_, self.hub, addresses, tls)
        self.home = os.path.join(bed_.folder, "home")
        self.nodes_yaml = os.path.join(bed_.folder, "nodes.yaml")
        self.phone = run("sh", "-c", "wg genkey | wg pubkey").stdout.strip()
        self.write(yaml or self.YAML % self.phone)
        options = []
        if tls:
            options += ["--ca", self.store.certificates.ca]
        if password:
            file = os.path.join(bed_.folder, "root.password")
            with open(os.open(file, os.O_CREAT | os.O_WRONLY, 0o600), "w", encoding="ascii") as out:
                out.write(password + "\n")
            options += ["--password-file", file]
        self.operate("init", "--store", self.store.url, "--network", "corp", *options)
        self.nodes = []

    def write(self, text):
        with open(self.nodes_yaml, "w", encoding="utf-8") as file:
            file.write(text)

    def plug(self, namespace, address):
        ends = self.bed.link(self.hub, namespace, (), (address,))
        self.hub.ip(f"link set {ends[0]} master br0")

    def operate(self, command, *options, check=True, home=None, timeout=60):
        return self.hub.run(STORE, command, "--home", home or self.home, *options, check=check, timeout=timeout)

    def start(self, command, *options):
        """A command that goes on while the test does; its end is the test's business."""
        process = self.hub.start(STORE, command, "--home", self.home, *options)
        self.bed.process(process)
        return process

    def publish(self, *options, **more):
        return self.operate("publish", self.nodes_yaml, *options, **more)

    def token(self, *options):
        path = os.path.join(self.bed.folder, f"token{len(os.listdir(self.bed.folder))}")
        self.operate("joinkey", "--pool", "10.77.9.0/24", "--output", path, *options)
        return path

    def status(self):
        return json.loads(self.operate("status", "--json").stdout)

    def node(self, name):
        node = Node(self, name, f"192.0.2.{20 + len(self.nodes)}")
        self.nodes.append(node)
        return node

    def joined(self, names, token):
        nodes = [self.node(name) for name in names]
        for node in nodes:
            node.join(token)
            node.start()
        return nodes

    def approved(self, names):
        """Nodes that joined, were approved and have each other and the phone as peers, with addresses in `inner`."""
        nodes = self.joined(names, self.token("--count", str(len(names))))
        self.operate("approve")
        self.wait_for_peers(nodes, len(names))
        for node in nodes:
            node.inner = self.overlay(node)
        return nodes

    def overlay(self, node):
        return next(one["addresses"][0] for one in self.status()["nodes"] if one["name"] == node.name)

    def wait_for_peers(self, nodes, count, seconds=60):
        for node in nodes:
            wait_for(f"{count} peers at {node.name}, not {len(node.peers())}; its log:\n{node.text()[-1500:]}",
                     lambda n=node: len(n.peers()) == count, seconds, 0.1)


def run_named(tests):
    """All of them, or those named on the command line, each in a bed of its own. Returns the exit status."""
    end_on_signals()
    failed = 0
    for test in tests:
        if sys.argv[1:] and test.__name__ not in sys.argv[1:]:
            continue
        with Bed() as bed_:
            try:
                test(bed_)
                print(f"ok {test.__name__}", flush=True)
            except AssertionError as error:
                failed += 1
                print(f"FAILED {test.__name__}: {error}", flush=True)
    return min(failed, 1)

"""The fleet that every format's test renders, and what must come out of each consumer.

Five nodes hold everything that a format has to carry: a full mesh with preshared keys over both
families, subnets behind a node, an exit node with a firewall mark, a private key that only its node has,
a routing table of its own, a roaming laptop, a client with a full tunnel.

What is expected comes from the wg-quick files of the same fleet, read here by a parser that shares
nothing with the code under test.
"""
import ipaddress
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "kernel"))
from guest import TOOLS, find_program, missing  # noqa: E402, F401 (for the tests)

BIN = os.environ.get("WGKIT_BIN", "build/dev/bin")
NODES = ("gw", "db", "web", "laptop", "phone")
KEY_FILE = "etc/wireguard/wg0.key"  # of `db`, whose key wgkit does not have

INVENTORY = """\
version: 1
network:
  {{name: formats, ipv4: 10.10.0.0/24, ipv6: fd00:10::/64, topology: full-mesh, psk: per-pair}}
nodes:
  - {{name: gw, endpoint: 192.0.2.1:51820, routes: [192.168.10.0/24, fd00:20::/64], exit: {exit},
     fwmark: 0x77, relay: true}}
  - {{name: db, endpoint: "[2001:db8::2]:51821", keys: node, public_key: "{public_key}", mtu: 1380,
     dns: [10.10.0.53, "fd00:10::53", corp.example]}}
  - {{name: web, endpoint: 192.0.2.3:51820, table: 1234,
     peers: {{laptop: {{allowed_ips: [10.10.0.4/32, 10.77.0.0/16]}}}}}}
  - {{name: laptop, dns: [10.10.0.1], mtu: 1400, keepalive: 30}}
  - {{name: phone, exit_via: gw, dns: [10.10.0.1, "fd00:10::1"]}}
"""


def run(*command, **options):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          check=False, **options)
    assert done.returncode == 0, f"{command} failed:\n{done.stdout}{done.stderr}"
    return done.stdout


class Fleet:
    def __init__(self, firewall="nftables"):
        self.folder = tempfile.TemporaryDirectory()
        wg = find_program("wg", "wireguard-tools")
        self.db_key = run(wg, "genkey").strip()
        self.nodes = os.path.join(self.folder.name, "nodes.yaml")
        with open(self.nodes, "w", encoding="utf-8") as file:
            file.write(INVENTORY.format(exit=f"{{firewall: {firewall}}}",
                                        public_key=run(wg, "pubkey", input=self.db_key).strip()))

    def render(self, name):
        """Renders in a format and returns the output folder."""
        out = os.path.join(self.folder.name, name)
        run(os.path.join(BIN, "wgkit-mesh"), "render", self.nodes, "-o", out, "--format", name)
        return out

    def expected(self, node):
        with open(f"{self.render('wg-quick')}/{node}/etc/wireguard/wg0.conf", encoding="utf-8") as f:
            facts = read_wg_quick(f.read())
        if node == "db":
            facts["private_key"] = self.db_key
        return facts


def files_below(folder):
    for place, _, names in os.walk(folder):
        for name in names:
            yield os.path.relpath(os.path.join(place, name), folder)


def parse_ini(text):
    """[(section, [(key, value)])], for all dialects of it at once."""
    parts = []
    for line in text.splitlines():
        line = line.strip()
        if line.startswith("["):
            parts.append((line[1:-1], []))
        elif line and line[0] not in "#;":
            key, value = line.split("=", 1)
            parts[-1][1].append((key.strip(), value.strip()))
    return parts


def peer(psk=None, allowed=(), endpoint=None, keepalive=0):
    return {"psk": psk, "allowed": sorted(a for a in allowed if a), "endpoint": endpoint,
            "keepalive": int(keepalive)}


def read_wg(text):
    """What `wg` itself knows: of a wg-quick file or of the output of `wg showconf`."""
    facts = {"peers": {}, "port": None, "fwmark": 0}
    for section, pairs in parse_ini(text):
        values = dict(pairs)
        if section == "Interface":
            facts["private_key"] = values.get("PrivateKey")
            facts["port"] = int(values["ListenPort"]) if "ListenPort" in values else None
            facts["fwmark"] = int(values.get("FwMark", "0"), 0)
        else:
            facts["peers"][values["PublicKey"]] = peer(
                values.get("PresharedKey"), re.split(", *", values.get("AllowedIPs", "")),
                values.get("Endpoint"), values.get("PersistentKeepalive", 0))
    return facts


def read_wg_quick(text):
    """Also what wg-quick makes of it, as wg-quick(8) and its source say."""
    facts = read_wg(text)
    pairs = dict(parse_ini(text)[0][1])
    facts["addresses"] = sorted(re.split(", *", pairs["Address"]))
    facts["mtu"] = int(pairs["MTU"]) if "MTU" in pairs else None
    entries = re.split(", *", pairs["DNS"]) if "DNS" in pairs else []
    facts["dns"] = sorted(e for e in entries if re.fullmatch("[0-9.]+|.*:.*", e))
    facts["search"] = sorted(set(entries) - set(facts["dns"]))
    table = pairs.get("Table", "auto")
    own = [ipaddress.ip_interface(a).network for a in facts["addresses"]]
    claimed = {ipaddress.ip_network(a) for p in facts["peers"].values() for a in p["allowed"]}
    facts["full_tunnel"] = table == "auto" and any(c.prefixlen == 0 for c in claimed)
    if facts["full_tunnel"] and not facts["fwmark"]:
        facts["fwmark"] = 51820
    routes = set()
    for prefix in claimed:
        if table != "auto":
            routes.add((str(prefix), table))
        elif prefix.prefixlen == 0:
            routes.add((str(prefix), str(facts["fwmark"])))
        elif not any(o.version == prefix.version and prefix.subnet_of(o) for o in own):
            routes.add((str(prefix), "main"))
    facts["routes"] = routes
    return facts


def compare(what, expected, actual, keys):
    """Names what differs, not only that something does."""
    for key in keys:
        wanted, got = expected[key], actual[key]
        if key == "port" and wanted is None:
            continue  # then the kernel chooses one
        assert wanted == got, f"{what}: {key} differs\nexpected {wanted}\n     got {got}"

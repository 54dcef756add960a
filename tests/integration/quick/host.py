"""A network namespace with an uplink, the two programs that bring interfaces up in it, and what the host is then."""
import json
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "tunnel"))
from bed import run, wait_for  # noqa: E402
from device import make_keys  # noqa: E402, F401
from tools import need, wgkit  # noqa: E402

NET = os.path.abspath(wgkit("net"))
TUNNEL = os.path.abspath(wgkit("tunnel"))
QUICK = need("wg-quick", "wireguard-tools")
NAME = "wgq0"


class Host:
    """Its uplink has the MTU 1400, IPv4 and IPv6, and default routes; a second one of 1380 leads to 203.0.113.0/24."""

    def __init__(self, bed):
        self.space = bed.namespace()
        self.folder = bed.folder
        names = ("up0", "up1", "narrow0", "narrow1")
        self.space.ip("link add up0 mtu 1400 type veth peer name up1",
                      "link add narrow0 mtu 1380 type veth peer name narrow1",
                      *(f"link set {name} addrgenmode none" for name in names), *(f"link set {name} up" for name in names),
                      "addr add 192.0.2.2/24 dev up0", "addr add 2001:db8::2/64 dev up0 nodad",
                      "addr add 203.0.113.2/24 dev narrow0",
                      "route add default via 192.0.2.1", "route add default via 2001:db8::1")

    def write(self, text, name=NAME):
        path = os.path.join(self.folder, name + ".conf")
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(text)
        return path

    def call(self, *argv, status=0, environment=()):
        """Into a file: an engine in the background may keep a pipe open. What was said on standard error."""
        with open(os.path.join(self.folder, "said"), "w+", encoding="utf-8") as said:
            process = self.space.start(*argv, env={**os.environ, "WG_QUICK_USERSPACE_IMPLEMENTATION": TUNNEL,
                                                   **dict(environment)}, stdout=said, stderr=subprocess.STDOUT)
            process.wait(60)
            said.seek(0)
            text = said.read()
        assert status is None or process.returncode == status, f"{argv}: status {process.returncode}: {text}"
        return text

    def quick(self, verb, path, **options):
        text = self.call(QUICK, verb, path, **options)
        if verb == "down":
            socket = f"/var/run/wireguard/{os.path.basename(path)[:-5]}.sock"
            wait_for("the engine's end", lambda: not os.path.exists(socket))
        return text

    def net(self, verb, path, *options, status=0, **others):
        return self.call(NET, verb, path, *options, status=status, **others)

    @staticmethod
    def command(verb, *words):
        return (NET, verb, *words)

    @staticmethod
    def confirm(*options):
        return (NET, "confirm", NAME, *options)

    def json(self, *argv):
        text = self.space.run(*argv, check=False).stdout
        return json.loads(text) if text.strip() else []

    def state(self, name=NAME, fixed_port=False):
        """All that up and down may change. Numbers that differ each time are left out."""
        out = {"links": sorted(link["ifname"] for link in self.json("ip", "-j", "link"))}
        for link in self.json("ip", "-j", "addr"):
            addresses = [one for one in link["addr_info"]
                         if not (one["local"].startswith("fe80") and link["ifname"] == name)]
            out[f"link {link['ifname']}"] = {
                "mtu": link["mtu"], "flags": sorted(set(link["flags"]) - {"LOWER_UP", "NO-CARRIER"}),
                "addresses": [(a["local"], a["prefixlen"], a["scope"], a.get("label")) for a in addresses]}
        for family in ("-4", "-6"):
            routes = self.json("ip", "-j", family, "route", "show", "table", "all")
            out[f"routes {family}"] = sorted(
                json.dumps({k: v for k, v in route.items() if k not in ("expires", "pref")}, sort_keys=True)
                for route in routes if not (route["dst"].startswith("fe80") and route.get("dev") == name))
            out[f"rules {family}"] = self.json("ip", "-j", "-d", family, "rule")
        tables = re.split(r"^(?=table )", self.space.run("nft", "list", "ruleset").stdout, flags=re.M)
        out["nft"] = "".join(sorted(tables))
        for setting in ("ipv4.conf.all.src_valid_mark", "ipv4.conf.all.rp_filter", "ipv4.ip_forward"):
            path = "/proc/sys/net/" + setting.replace(".", "/")
            out[setting] = self.space.run("cat", path).stdout.strip()
        shown = run("wg", "showconf", name, check=False).stdout
        # The order of allowed IPs means nothing.
        out["wg"] = [f"AllowedIPs = {sorted(line[13:].split(', '))}" if line.startswith("AllowedIPs") else line
                     for line in shown.splitlines() if fixed_port or not line.startswith("ListenPort")]
        return out


def differences(one, two):
    """{place: (one, two)} where both are not the same."""
    return {key: (one.get(key), two.get(key)) for key in {**one, **two} if one.get(key) != two.get(key)}

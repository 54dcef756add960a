#!/usr/bin/python3
"""The real wg-meshconf makes a fleet; imported and rendered by wgkit it is the same fleet.

wg-meshconf is installed from PyPI into the temporary folder. What wgkit corrects is asked for, too: AllowedIPs
that hold an address with the mesh's netmask, and keepalives that the wrong side sends.
"""
import ipaddress
import os
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from tools import missing, need, wgkit  # noqa: E402

need("wg", "wireguard-tools")  # wg-meshconf asks it for keys
MESH = os.path.abspath(wgkit("mesh"))
PEERS = {
    "gw": ["--address", "10.3.0.1/24", "--endpoint", "gw.example.org", "--listenport", "51821"],
    "db": ["--address", "10.3.0.2/24", "--endpoint", "192.0.2.7", "--allowedips", "192.168.7.0/24"],
    "laptop": ["--address", "10.3.0.3/24", "--persistentkeepalive", "25"],
    "office": ["--address", "10.3.0.4/24", "--endpoint", "office.example.org", "--dns", "10.3.0.1", "--mtu", "1380"],
}


def install(folder: pathlib.Path) -> pathlib.Path:
    try:
        subprocess.run([sys.executable, "-m", "venv", folder], check=True, capture_output=True, text=True)
    except subprocess.CalledProcessError as failure:
        missing(f"python3 -m venv ({failure.stdout.strip() or failure.stderr.strip()})", "python3-venv")
    ran = subprocess.run([folder / "bin/pip", "install", "-q", "wg-meshconf"], capture_output=True, text=True,
                         timeout=120)
    if ran.returncode != 0:
        missing(f"wg-meshconf from PyPI, which pip could not install (no network?): {ran.stderr.strip()[-300:]}")
    return folder / "bin/wg-meshconf"


def parse(path: pathlib.Path) -> dict:
    """{"interface": {key: value}, "peers": {public key: {key: value}}}"""
    sections: list[tuple[str, dict]] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        line = line.split("#")[0].strip()
        if line.startswith("["):
            sections.append((line, {}))
        elif "=" in line:
            key, value = line.split("=", 1)
            sections[-1][1][key.strip()] = value.strip()
    assert sections[0][0] == "[Interface]", path
    return {"interface": sections[0][1], "peers": {peer["PublicKey"]: peer for _, peer in sections[1:]}}


def corrected(allowed_ips: str) -> set:
    """The address alone where wg-meshconf gives the mesh's whole network with it."""
    result = set()
    for text in allowed_ips.split(","):
        interface = ipaddress.ip_interface(text.strip())
        has_host_bits = interface.ip != interface.network.network_address
        result.add(ipaddress.ip_network(interface.ip) if has_host_bits else interface.network)
    return result


def main() -> int:
    failures = []

    def check(name, what, found, wanted):
        if found != wanted:
            failures.append(what)
            print(f"FAILED: {name}: {what}: {found} instead of {wanted}", file=sys.stderr)

    with tempfile.TemporaryDirectory() as top:
        meshconf = install(pathlib.Path(top, "venv"))
        os.chdir(top)
        for name, options in PEERS.items():
            subprocess.run([meshconf, "addpeer", name, *options], check=True, capture_output=True)
        subprocess.run([meshconf, "genconfig", "-o", "theirs"], check=True, capture_output=True)
        subprocess.run([MESH, "import", "database.csv", "-o", "nodes.yaml"], check=True, capture_output=True)
        subprocess.run([MESH, "render", "-q"], check=True)
        for name in PEERS:
            theirs = parse(pathlib.Path("theirs", name + ".conf"))
            ours = parse(pathlib.Path("out", name, "etc/wireguard/wg0.conf"))
            for key in ("PrivateKey", "Address", "DNS", "MTU", "ListenPort"):
                same = ours["interface"].get(key) == theirs["interface"].get(key)
                check(name, key, same, True)  # the values may be secret
            check(name, "peers", set(ours["peers"]), set(theirs["peers"]))
            for public, peer in theirs["peers"].items():
                mine = ours["peers"].get(public, {})
                check(name, "Endpoint", mine.get("Endpoint"), peer.get("Endpoint"))
                check(name, "AllowedIPs", corrected(mine.get("AllowedIPs", "0.0.0.0/0")),
                      corrected(peer["AllowedIPs"]))
        keepalives = {peer.get("PersistentKeepalive")
                      for peer in parse(pathlib.Path("out/laptop/etc/wireguard/wg0.conf"))["peers"].values()}
        check("laptop", "keepalives of the side that asked for them", keepalives, {"25"})
        os.chdir("/")
    print(f"{len(PEERS)} nodes, {len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())

"""The real `netplan generate` reads the YAML; what it hands on to networkd is what was meant."""
import os

from fleet import KEY_FILE, NODES, Fleet, compare, parse_ini, peer
from netplan import generated


def read(path):
    with open(path, encoding="utf-8") as file:
        return parse_ini(file.read())


def facts_of(root):
    """Of the .netdev and .network files that netplan generated."""
    folder = f"{root}/run/systemd/network/10-netplan-wg0"
    facts = {"peers": {}, "port": None, "fwmark": 0, "mtu": None, "routes": set()}
    for section, pairs in read(folder + ".netdev") + read(folder + ".network"):
        values = dict(pairs)
        every = lambda key: [value for name, value in pairs if name == key]  # noqa: E731
        if section == "WireGuard":
            facts["key"] = (values.get("PrivateKey"), values.get("PrivateKeyFile"))
            facts["port"] = int(values["ListenPort"]) if "ListenPort" in values else None
            facts["fwmark"] = int(values.get("FwMark") or values.get("FirewallMark") or 0)
        elif section == "WireGuardPeer":
            facts["peers"][values["PublicKey"]] = peer(
                values.get("PresharedKey"), values["AllowedIPs"].split(","),
                values.get("Endpoint"), values.get("PersistentKeepalive", 0))
        elif section == "Link":
            facts["mtu"] = int(values["MTUBytes"])
        elif section == "Network":
            facts["addresses"] = sorted(every("Address"))
            facts["dns"] = sorted(every("DNS"))
            facts["domains"] = " ".join(every("Domains")).split()
            assert values.get("LinkLocalAddressing") == "no"
        elif section == "Route":
            facts["routes"].add((values["Destination"], values.get("Table", "main")))
    return facts


def test_every_node_is_generated(fleet, folder):
    for node in NODES:
        expected = fleet.expected(node)
        with generated(f"{folder}/{node}") as root:
            facts = facts_of(root)
            dropin = f"{root}/etc/systemd/network/10-netplan-wg0.network.d/50-wgkit.conf"
            assert os.path.exists(dropin) == expected["full_tunnel"]
        compare(node, expected, facts,
                ("port", "fwmark", "mtu", "addresses", "dns", "peers", "routes"))
        assert facts["domains"] == expected["search"] + (["~."] if expected["dns"] else [])
        assert facts["key"] == ((None, "/" + KEY_FILE) if node == "db" else
                                (expected["private_key"], None))


if __name__ == "__main__":
    the_fleet = Fleet()
    test_every_node_is_generated(the_fleet, the_fleet.render("netplan"))
    print("ok")

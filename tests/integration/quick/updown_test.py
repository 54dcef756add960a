#!/usr/bin/python3
"""What wgkit net up, down, save, resolve and doctor do beside what parity_test.py compares: hooks, keys on the node,
name servers, several tunnels, other managers, and refusals that change nothing."""
import json
import os
import stat
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tunnel"))
from bed import Bed, end_on_signals, run  # noqa: E402
from host import NAME, NET, Host, differences, make_keys  # noqa: E402

KEYS = [make_keys() for _ in range(4)]


def file_of(*interface, peers=("AllowedIPs = 10.67.0.0/16",), key=True):
    lines = ["[Interface]", *([f"PrivateKey = {KEYS[0][0]}"] * key), "Address = 10.66.0.1/24", *interface]
    for (_, public), peer in zip(KEYS[1:], peers):
        lines += ["[Peer]", f"PublicKey = {public}", peer]
    return "\n".join(lines) + "\n"


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def tool(host, name, script):
    """A program of that name, in front of all others in PATH."""
    folder = os.path.join(host.folder, "bin")
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, name)
    with open(path, "w", encoding="ascii") as file:
        file.write("#!/bin/sh\n" + script)
    os.chmod(path, 0o755)
    return {"PATH": f"{folder}:{os.environ['PATH']}"}


def hooks_run_in_their_order(host):
    log = os.path.join(host.folder, "hooks")
    lines = [f"{key} = echo {key} %i $(ip -br link show %i 2>/dev/null | cut -c 1-{len(NAME)}) $INTERFACE >>{log}"
             for key in ("PreUp", "PostUp", "PreDown", "PostDown")]
    path = host.write(file_of(*lines, f"PostUp = shopt -q extglob && echo 'extglob # 100%' | cat >>{log}"))
    host.net("up", path)
    host.net("down", path)
    gone = f"PostDown {NAME} {NAME}"
    assert read(log).splitlines() == [f"PreUp {NAME} {NAME} {NAME}", f"PostUp {NAME} {NAME} {NAME}", "extglob # 100%",
                                      f"PreDown {NAME} {NAME} {NAME}", gone], read(log)
    os.unlink(log)
    host.net("up", path, "--no-hooks")
    host.net("down", path, "--no-hooks")
    assert not os.path.exists(log)


def a_failing_hook_undoes_all(host):
    clean = host.state()
    for key in ("PreUp", "PostUp"):
        for command in ("exit 3", "false | true", "kill $$"):
            path = host.write(file_of(f"{key} = {command}", peers=["AllowedIPs = 0.0.0.0/0"]))
            said = host.net("up", path, status=1)
            assert f"the hook '{command}' failed" in said, said
            assert not differences(clean, host.state()), differences(clean, host.state())
    path = host.write(file_of("PreDown = false"))
    host.net("up", path)
    before = host.state()
    assert "failed with status 1" in host.net("down", path, status=1)
    assert not differences(before, host.state())
    host.net("down", path, "--no-hooks")


def hooks_with_keys_are_hidden(host):
    path = host.write(file_of(f"PostUp = wg set %i peer {KEYS[3][1]} preshared-key <(echo {KEYS[2][0]}); false"))
    said = host.net("up", path, "-v", status=1)
    assert KEYS[2][0] not in said and "(hidden)" in said, said


def a_key_on_the_node_is_loaded(host):
    key = os.path.join(host.folder, f"{NAME}.key")
    with open(os.open(key, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="ascii") as file:
        file.write(KEYS[0][0] + "\n")
    path = host.write(file_of(f"PostUp = wg set %i private-key {host.folder}/%i.key", key=False))
    said = host.net("up", path, "--no-hooks", "-v")
    assert "private-key" not in said, said
    assert run("wg", "show", NAME, "private-key").stdout.strip() == KEYS[0][0]
    host.net("save", path)
    assert "PrivateKey" not in read(path) and "PostUp = wg set %i private-key" in read(path)
    host.net("down", path)
    os.chmod(key, 0o644)
    assert "others" in host.net("up", path, status=1)
    os.unlink(key)
    clean = host.state()
    assert f"{key}: No such file" in host.net("up", path, status=1)
    assert not differences(clean, host.state())


def name_servers(host):
    log = os.path.join(host.folder, "dns")
    path = host.write(file_of("DNS = 10.66.0.2, fd66::2, example.org", "DNS = corp.example"))
    path_of_resolvconf = tool(host, "resolvconf", f'echo "$@" >>{log}; case $1 in -a) cat >>{log};; esac\n')
    host.net("up", path, environment=path_of_resolvconf)
    host.net("down", path, environment=path_of_resolvconf)
    assert read(log) == (f"-a {NAME} -m 0 -x\nnameserver 10.66.0.2\nnameserver fd66::2\n"
                         f"search example.org corp.example\n-d {NAME} -f\n"), read(log)
    os.unlink(log)
    clean = host.state()
    tool(host, "resolvconf", "exit 7\n")
    assert "resolvconf failed with status 7" in host.net("up", path, status=1, environment=path_of_resolvconf)
    assert not differences(clean, host.state())
    os.unlink(os.path.join(host.folder, "bin", "resolvconf"))
    tool(host, "resolvectl", f'echo "$@" >>{log}\n')
    host.net("up", path, environment=path_of_resolvconf)
    host.net("down", path, environment=path_of_resolvconf)
    assert read(log) == (f"dns {NAME} 10.66.0.2 fd66::2\ndomain {NAME} ~. example.org corp.example\n"
                         f"revert {NAME}\n"), read(log)
    os.unlink(os.path.join(host.folder, "bin", "resolvectl"))
    path = host.write(file_of("DNS = example.org"))
    assert "search domains but no server" in host.net("up", path)
    host.net("down", path)


def two_full_tunnels(host):
    """The end of one leaves the rules of the other, in whatever order."""
    first = host.write(file_of(peers=["AllowedIPs = 0.0.0.0/0, ::/0"]))
    second = host.write(file_of(peers=["AllowedIPs = 0.0.0.0/0, ::/0"]).replace("10.66", "10.88"), "wgq1")
    host.net("up", first)
    alone = host.state()
    for ends in (second, first):
        host.net("up", second)
        assert "51821" in host.space.run("ip", "rule").stdout
        host.net("down", ends)
        if ends == second:
            assert not differences(alone, host.state()), differences(alone, host.state())
    rules = host.json("ip", "-j", "-4", "rule")
    assert [rule["priority"] for rule in rules if rule["priority"] not in (0, 32766, 32767)] == [32762, 32763], rules
    host.net("down", second)
    assert len(host.json("ip", "-j", "rule")) == 3


def either_program_takes_down_the_other_ones(host):
    clean = host.state()
    path = host.write(file_of(peers=["AllowedIPs = 0.0.0.0/0, ::/0"]))
    for up, down in ((host.quick, host.net), (host.net, host.quick)):
        up("up", path)
        down("down", path)
        host.space.sysctl("net.ipv4.conf.all.src_valid_mark", 0)
        assert not differences(clean, host.state()), differences(clean, host.state())


def an_engine_that_died_leaves_nothing(host):
    clean = host.state()
    path = host.write(file_of(peers=["AllowedIPs = 0.0.0.0/0"]))
    for verb in ("up", "down"):
        host.net("up", path)
        host.space.ip(f"link del {NAME}")
        host.net(verb, path)
        if verb == "up":
            host.net("down", path)
        host.space.sysctl("net.ipv4.conf.all.src_valid_mark", 0)
        assert not differences(clean, host.state()), differences(clean, host.state())


def other_managers_are_respected(host):
    path, clean = host.write(file_of()), host.state()
    cases = (("/run/systemd/netif", "/run/systemd/network/x.netdev", f"[NetDev]\nName = {NAME}\nKind=wireguard\n",
              "systemd-networkd"),
             ("/run/NetworkManager", "/run/NetworkManager/system-connections/x.nmconnection",
              f"[connection]\ntype=wireguard\ninterface-name={NAME}\n", "NetworkManager"))
    for folder, file, text, manager in cases:
        if not os.path.ismount("/run"):
            print("not tried: other managers, whose files are in the machine's own /run")
            return
        os.makedirs(folder, exist_ok=True)
        os.makedirs(os.path.dirname(file), exist_ok=True)
        with open(file, "w", encoding="ascii") as out:
            out.write(text)
        said = host.net("up", path, status=1)
        assert f"{manager} manages {NAME} ({file})" in said and "--take-over" in said, said
        assert not differences(clean, host.state())
        host.net("up", path, "--take-over")
        assert manager in host.net("down", path, status=1)
        host.net("down", path, "--take-over")
        os.unlink(file)
        os.rmdir(folder) if not os.listdir(folder) else None
    run("rm", "-rf", "/run/systemd/netif", "/run/NetworkManager")


def refusals(host):
    clean = host.state()
    path = host.write(file_of())
    assert f"{NAME} is not up" in host.net("down", path, status=1)
    host.net("up", path)
    before = host.state()
    said = host.net("up", path, status=1)
    assert f"{NAME} already exists" in said and "net apply" in said
    assert not differences(before, host.state())
    os.chmod(host.folder, 0o755)
    os.chmod(path, 0o644)
    assert "is open to everybody" in host.net("down", path)
    os.chmod(host.folder, 0o700)
    said = host.net("up", host.write(file_of("Adress = 1", "MTU = x")), status=1)
    assert f"{NAME}.conf:4:1: error" in said and f"{NAME}.conf:5:7: error" in said, said
    assert "no routing table 'nowhere'" in host.net("up", host.write(file_of("Table = nowhere")), status=1)
    host.space.ip("link add dummy9 type veth peer name dummy8")
    said = host.net("down", host.write(file_of(), "dummy9"), status=1)
    assert "dummy9 is not a WireGuard interface" in said, said
    host.space.ip("link del dummy9")
    # A name that nobody answers for, at once: nothing is left.
    text = file_of().replace("AllowedIPs", "Endpoint = nowhere.invalid:1\nAllowedIPs")
    host.net("up", host.write(text), status=1, environment={"WG_ENDPOINT_RESOLUTION_RETRIES": "0"})
    user = os.open(NET, os.O_RDONLY)
    os.close(user)
    assert not differences(clean, host.state()), differences(clean, host.state())


def save_keeps_what_people_wrote(host):
    text = "# top\n\n" + file_of("MTU = 1400", "SaveConfig = true", "PostUp = : # why").replace(
        "AllowedIPs", "# bob\nEndpoint = localhost:7\nAllowedIPs")
    path = host.write(text)
    host.net("up", path)
    run("wg", "set", NAME, "peer", KEYS[2][1], "allowed-ips", "10.99.0.0/16", "persistent-keepalive", "21")
    host.space.ip(f"link set {NAME} mtu 1390", f"addr add 10.66.0.9/24 dev {NAME}")
    host.net("down", path)
    after = read(path)
    for part in ("# top", "# bob", "Endpoint = localhost:7", "PostUp = : # why", "MTU = 1390", "10.66.0.9/24",
                 KEYS[2][1], "AllowedIPs = 10.99.0.0/16", "PersistentKeepalive = 21", "ListenPort"):
        assert part in after, f"{part} is missing:\n{after.replace(KEYS[0][0], '(hidden)')}"
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    host.net("up", path)
    host.net("save", path)
    assert read(path) == after, "a second save changes something"
    host.net("down", path, "--no-hooks")


def resolve_sets_stale_names_only(host):
    path = host.write(file_of(peers=["Endpoint = localhost:7\nAllowedIPs = 10.67.0.0/16",
                                     "Endpoint = 192.0.2.7:7\nAllowedIPs = 10.68.0.0/16"]))
    host.net("up", path)
    assert host.net("resolve", path) == ""
    for _, key in KEYS[1:3]:
        run("wg", "set", NAME, "peer", key, "endpoint", "192.0.2.99:9")
    said = host.net("resolve", path)
    assert said.startswith(f"{NAME} {KEYS[1][1]} localhost: 192.0.2.99:9 -> ") and said.count("\n") == 1, said
    endpoints = run("wg", "show", NAME, "endpoints").stdout
    assert f"{KEYS[2][1]}\t192.0.2.99:9" in endpoints and f"{KEYS[1][1]}\t192.0.2.99:9" not in endpoints
    moved = json.loads(host.net("resolve", path, "--json"))
    assert moved == {"schema": 1, "moved": []}
    host.net("down", path)


def doctor_finds(host):
    path = host.write(file_of("MTU = 1390", peers=["AllowedIPs = 10.67.0.0/16, 0.0.0.0/0\nEndpoint = 192.0.2.9:7"]))
    host.net("up", path)

    def codes(status):
        found = json.loads(host.net("doctor", NAME, "--json", status=status))["findings"]
        assert all(one["fix"] and one["evidence"] for one in found)
        return {one["code"] for one in found if one["interface"] == NAME}
    assert codes(2) == {"mtu-too-large"}, codes(2)
    host.space.ip(f"link set {NAME} mtu 1300", "route add 10.67.0.0/16 dev up0 metric 7", f"link set {NAME} up")
    host.space.sysctl("net.ipv4.conf.all.src_valid_mark", 0)
    host.space.sysctl("net.ipv4.conf.all.rp_filter", 1)
    assert codes(2) == {"duplicate-route", "rp-filter"}, codes(2)
    assert "problem: 10.67.0.0/16 is reached by up0, too [duplicate-route]" in host.call(NET, "doctor", status=2)
    host.space.ip("route del 10.67.0.0/16 dev up0 metric 7")
    host.space.sysctl("net.ipv4.conf.all.rp_filter", 0)
    assert codes(None) == set(), codes(None)
    host.net("down", path)
    assert "no interface" in host.net("doctor", "nobody", status=1)


def main():
    end_on_signals()
    if not os.path.ismount("/run") and os.environ.get("WGKIT_INSIDE") is None:
        pass
    checks = (hooks_run_in_their_order, a_failing_hook_undoes_all, hooks_with_keys_are_hidden,
              a_key_on_the_node_is_loaded, name_servers, two_full_tunnels, either_program_takes_down_the_other_ones,
              an_engine_that_died_leaves_nothing, other_managers_are_respected, refusals,
              save_keeps_what_people_wrote, resolve_sets_stale_names_only, doctor_finds)
    with Bed() as bed:
        for check in checks:
            if len(sys.argv) == 1 or check.__name__ in sys.argv[1:]:
                host = Host(bed)
                clean = host.state()
                check(host)
                host.space.sysctl("net.ipv4.conf.all.src_valid_mark", 0)
                assert not differences(clean, host.state()), f"{check.__name__}: {differences(clean, host.state())}"
    print("ok")


if __name__ == "__main__":
    main()

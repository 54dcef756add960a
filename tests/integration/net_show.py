#!/usr/bin/python3
"""wgkit net show beside the real wg: every field of every device, byte for byte, and what wg has not.

The devices are those of our engine in network namespaces. Their sockets lie in a folder that only this
test sees, so that what else runs on the machine is in nobody's list.
"""
import contextlib
import ctypes
import json
import os
import random
import re
import socket
import subprocess
import sys
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "tunnel"))
from bed import LIBC, Bed, end_on_signals, run  # noqa: E402
from tools import missing, wgkit  # noqa: E402
from device import make_keys, make_psk  # noqa: E402
from uapi import SOCKETS, Uapi, socket_path  # noqa: E402

NET = os.path.abspath(wgkit("net"))
ENGINE = os.path.abspath(wgkit("tunnel")) + " -f"
CLONE_NEWNS = 0x00020000
FIELDS = ("public-key", "private-key", "listen-port", "fwmark", "peers", "preshared-keys", "endpoints",
          "allowed-ips", "latest-handshakes", "transfer", "persistent-keepalive", "dump")


def own_socket_folder():
    os.makedirs(SOCKETS, 0o755, exist_ok=True)
    if LIBC.unshare(CLONE_NEWNS) != 0:
        missing("a mount namespace: " + os.strerror(ctypes.get_errno()))
    run("mount", "--make-rprivate", "/")
    run("mount", "-t", "tmpfs", "-o", "mode=755", "wgkit-test", os.path.realpath(SOCKETS))


def ours(*words, status=0, **options):
    ran = subprocess.run([NET, "show", *words], capture_output=True, text=True, timeout=60, check=False,
                         **options)
    assert ran.returncode == status, f"show {words}: status {ran.returncode}: {ran.stderr}"
    assert bool(ran.stderr) == (status != 0), f"show {words}: {ran.stderr}"
    return ran.stderr if status else ran.stdout


def same(*words):
    """What both say. Counters may move: only what wg says before and after is held against us."""
    for _ in range(20):
        before = run("wg", "show", *words, timeout=60).stdout
        answer = ours(*words)
        if before == run("wg", "show", *words, timeout=60).stdout:
            break
    else:
        raise AssertionError(f"wg show {words} never says the same twice")
    if answer != before:
        for number, (one, two) in enumerate(zip(before.splitlines(), answer.splitlines()), 1):
            assert one == two, f"show {words}, line {number}:\nwg:   {one[:300]}\nours: {two[:300]}"
        raise AssertionError(f"show {words}: {len(before)} characters of wg, {len(answer)} of ours")
    return answer


def two_devices(bed):
    """Connected, each with peers of every shape."""
    left, right = bed.namespaces(2)
    bed.link(left, right, ["192.0.2.1/24"], ["192.0.2.2/24"])
    a, b = (bed.device(space, ENGINE) for space in (left, right))
    psk = make_psk()
    for device, fwmark in ((a, "0xca6c"), (b, "0")):
        device.set_key()
        device.wg("listen-port", "51820", "fwmark", fwmark)
    a.peer(b.public, "endpoint", "192.0.2.2:51820", "allowed-ips", "10.0.0.2/32,fd00::2/128", psk=psk)
    b.peer(a.public, "allowed-ips", "10.0.0.1/32,fd00::1/128", psk=psk)
    shapes = (("endpoint", "198.51.100.7:1", "persistent-keepalive", "25"),
              ("endpoint", "[2001:db8::7]:65535", "allowed-ips", "10.7.0.0/16"),
              ("endpoint", "[fe80::7%lo]:51820", "allowed-ips", "0.0.0.0/0,::/0"),
              ("endpoint", "[::ffff:192.0.2.9]:9"), ("allowed-ips", ""))
    for words in shapes:
        a.peer(make_keys()[1], *words)
    a.peer(make_keys()[1], "allowed-ips", "10.8.0.0/24", psk=make_psk())
    many = ",".join(f"10.{100 + i // 250}.{i % 250}.0/24" for i in range(700))
    many += "," + ",".join(f"fd00:{i:x}::/64" for i in range(300))
    b.peer(make_keys()[1], "allowed-ips", many)
    a.up("10.0.0.1/24")
    b.up("10.0.0.2/24")
    left.reach("10.0.0.2")
    return a, b


def compare_fields(devices):
    for name in (*(device.name for device in devices), "all"):
        for field in FIELDS:
            same(name, field)
    rows = same(devices[1].name, "allowed-ips").splitlines()
    assert max(len(row.split("\t")[1].split()) for row in rows) == 1000
    assert same("interfaces").split()
    assert json.loads(ours("interfaces", "--json"))["names"] == same("interfaces").split()


def compare_json(device):
    rows = [line.split("\t") for line in same(device.name, "dump").splitlines()]
    for secrets in (False, True):
        data = json.loads(ours(device.name, "--json", *["--show-secrets"] * secrets))
        assert list(data) == ["schema", "interfaces"] and data["schema"] == 1, data
        (name, one), = data["interfaces"].items()
        assert name == device.name

        def key(text, shown=secrets):
            return None if text == "(none)" else text if shown else "(hidden)"
        assert one["privateKey"] == key(rows[0][0]) and one["publicKey"] == rows[0][1]
        assert one["listenPort"] == int(rows[0][2])
        assert one["fwmark"] == (0 if rows[0][3] == "off" else int(rows[0][3], 16))
        assert list(one["peers"]) == [row[0] for row in rows[1:]]
        for row in rows[1:]:
            peer = one["peers"][row[0]]
            assert peer["presharedKey"] == key(row[1])
            assert peer["endpoint"] == (None if row[2] == "(none)" else row[2])
            assert peer["allowedIps"] == ([] if row[3] == "(none)" else row[3].split(","))
            assert peer["latestHandshake"] == int(row[4])
            assert peer["persistentKeepalive"] == (0 if row[7] == "off" else int(row[7]))


def compare_text(device):
    rows = [line.split("\t") for line in same(device.name, "dump").splitlines()]
    secrets = {rows[0][0], *(row[1] for row in rows[1:])} - {"(none)"}
    assert len(secrets) > 2
    text = ours(device.name)
    assert not any(secret in text for secret in secrets)
    assert text.count("(hidden)") == sum(row[1] != "(none)" for row in rows[1:]) + 1
    for row in rows[1:]:
        part = re.search(rf"peer {re.escape(row[0])}  (.*)\n((?:    .*\n)*)", text)
        assert part, row[0]
        assert row[2] == "(none)" or row[2] in part[2]
        assert row[3].replace(",", ", ") in part[2]
        assert part[1] == ("alive" if row[4] != "0" else "never connected")
        assert (f"every {row[7]} seconds" in part[2]) == (row[7] != "off")
    # Who was heard comes first.
    heard = [row[0] for row in rows[1:] if row[4] != "0"]
    assert text.index(heard[0]) == min(text.index(row[0]) for row in rows[1:])
    text = ours(device.name, "--show-secrets")
    assert all(secret in text for secret in secrets) and "(hidden)" not in text
    assert ours().count("interface ") == 2 and "\n\ninterface " in ours()


def many_peers(bed):
    """20,000 of them, made over the socket."""
    device = bed.device(bed.namespace(), ENGINE, log="silent")
    generator = random.Random(5)
    with Uapi(device.name, timeout=60) as connection:
        request = ["set=1", f"private_key={generator.randbytes(32).hex()}"]
        for number in range(20_000):
            request.append(f"public_key={generator.randbytes(32).hex()}")
            if number % 2:
                request.append(f"preshared_key={generator.randbytes(32).hex()}")
            if number % 3:
                request.append(f"endpoint=192.0.2.{number % 250}:{number + 1}")
            request.append(f"allowed_ip=10.{number >> 16}.{number >> 8 & 255}.{number & 255}/32")
        assert "errno=0" in connection.ask("\n".join(request))
    assert same(device.name, "dump").count("\n") == 20_001
    same("all", "allowed-ips")
    assert len(json.loads(ours(device.name, "--json"))["interfaces"][device.name]["peers"]) == 20_000
    device.stop()
    bed.devices.remove(device)


@contextlib.contextmanager
def fake_engine(name, answer):
    """Somebody who answers every request so."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(socket_path(name))
        listener.listen()

        def serve():
            with contextlib.suppress(OSError):
                while True:
                    client, _ = listener.accept()
                    with client, contextlib.suppress(OSError):
                        if client.recv(100):
                            client.sendall(answer)
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(10)
            os.unlink(socket_path(name))


def failures(device):
    assert "no interface nobody" in ours("nobody", status=1)
    assert "no interface nobody" in ours("nobody", "dump", status=1)
    assert "lo is not a WireGuard interface" in ours("lo", status=1)
    assert "no name for an interface" in ours("../x", status=1)
    assert "no name for an interface" in ours("sixteen-letters-", status=1)
    # Nobody listens: not listed, and left where it is.
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as stale:
        stale.bind(socket_path("stale"))
    assert "stale" not in ours("interfaces")
    assert "no interface stale" in ours("stale", status=1)
    assert os.path.exists(socket_path("stale"))
    os.unlink(socket_path("stale"))
    secret = "5e" * 32
    for answer, message in ((f"private_key={secret}x\nerrno=0\n\n", "line 1: bad private_key"),
                            (f"private_key={secret}\nlisten_port=1\n", "breaks off"),
                            (f"private_key={secret}\nerrno=13\n\n", "Permission denied"),
                            (f"{secret}={secret}\nrx_bytes=1\nerrno=0\n\n", "line 2: bad rx_bytes"),
                            ("", "breaks off")):
        with fake_engine("fake0", answer.encode()):
            said = ours("fake0", status=1)
            assert message in said and secret not in said, said
            # The others can be shown all the same.
            ran = subprocess.run([NET, "show", "all", "peers"], capture_output=True, text=True,
                                 timeout=20, check=False)
            assert ran.returncode == 1 and device.name in ran.stdout and message in ran.stderr
    with fake_engine("fake0", b"errno=0\n\n"):
        for field in FIELDS:  # no keys, no peers
            same("fake0", field)
            same("all", field)
    # As somebody else. The program may lie where only root can run it from, so it is open already.
    program = os.open(NET, os.O_RDONLY)
    libraries = os.path.join(os.path.dirname(os.path.dirname(NET)), "lib")
    ran = subprocess.run([f"/proc/self/fd/{program}", "show", device.name, "dump"], pass_fds=(program,),
                         user=65534, group=65534, extra_groups=[], capture_output=True, text=True,
                         timeout=20, check=False, env={"LD_LIBRARY_PATH": libraries})
    os.close(program)
    if "shared libraries" in ran.stderr or "cannot execute" in ran.stderr:
        print("not tried: another user, who cannot run the program here")
        return
    assert ran.returncode == 1 and "ermission" in ran.stderr and not ran.stdout, ran


def main():
    end_on_signals()
    if os.geteuid() != 0:
        missing("root, for network namespaces")
    own_socket_folder()
    assert ours("interfaces") == "" and ours() == "" and ours("all", "dump") == ""
    with Bed() as bed:
        devices = two_devices(bed)
        compare_fields(devices)
        compare_json(devices[0])
        compare_text(devices[0])
        failures(devices[0])
        many_peers(bed)
    print("ok")


if __name__ == "__main__":
    main()

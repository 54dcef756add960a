#!/usr/bin/python3 -I
"""The full-tunnel recipe and the lock-down on one server, with real ufw: HTTP through the exit is 200 and stays 200.

The server is the network namespace of this process; a laptop whose whole traffic goes through the tunnel, and the
internet, are namespaces of their own.
"""
import http.server
import os
import shutil
import socket
import subprocess
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import inside  # noqa: E402
from bed import Namespace, run, wait_for  # noqa: E402
from probe import sysctl  # noqa: E402
from tools import wgkit  # noqa: E402

EXAMPLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "examples", "full-tunnel", "nodes.yaml")
HOME, FAR = "198.51.100.2", "203.0.113.80"
SEEN = []  # clients of the web server


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        SEEN.append(self.client_address[0])
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def link(space, here, there):
    """A wire from this namespace to another one."""
    name = "to-" + space.name
    run("ip", "link", "add", name, "type", "veth", "peer", "name", "wire", "netns", space.name)
    run("ip", "addr", "add", here, "dev", name)
    run("ip", "link", "set", name, "up")
    space.ip(f"addr add {there} dev wire", "link set wire up")


def render():
    """The recipe's configuration, with addresses that there are here."""
    folder = os.path.join(os.environ[inside.MARK], "fleet")
    os.mkdir(folder)
    with open(EXAMPLE, encoding="utf-8") as file:
        text = file.read().replace("vpn.example.org", "198.51.100.1")
    with open(f"{folder}/nodes.yaml", "w", encoding="utf-8") as file:
        file.write("\n".join(line for line in text.splitlines() if "dns:" not in line) + "\n")
    run(wgkit("mesh"), "render", "--out", f"{folder}/out", f"{folder}/nodes.yaml")
    shutil.copytree(f"{folder}/out/server/etc", "/etc", dirs_exist_ok=True)
    shutil.copy(f"{folder}/out/laptop/etc/wireguard/wg0.conf", f"{folder}/laptop0.conf")
    return f"{folder}/laptop0.conf"


def up(space, path):
    """Output goes to a file: an engine in the background would keep a pipe open."""
    environment = os.environ | {"WG_QUICK_USERSPACE_IMPLEMENTATION": os.path.abspath(wgkit("tunnel"))}
    with open(os.path.join(os.environ[inside.MARK], "said"), "w+", encoding="utf-8") as said:
        enter = ["nsenter", f"--net=/run/netns/{space.name}", "--"] if space else []
        ran = subprocess.run([*enter, wgkit("net"), "up", path], env=environment, stdout=said, stderr=said, check=False,
                             timeout=60)
        said.seek(0)
        assert ran.returncode == 0, said.read()


def fetch(laptop, limit=10, address=FAR):
    """The status of an HTTP request through the tunnel, on a new connection; 0: no answer at all."""
    with laptop.socket(socket.AF_INET, socket.SOCK_STREAM) as one:
        one.settimeout(limit)
        try:
            one.connect((address, 80))
            one.sendall(b"GET / HTTP/1.0\r\n\r\n")
            return int(one.recv(100).split()[1])
        except TimeoutError:
            return 0


def main():
    inside.add_ufw()
    for name in ("laptop", "internet"):
        run("ip", "netns", "add", name)
    laptop, internet = Namespace("laptop"), Namespace("internet")
    run("ip", "link", "set", "lo", "up")
    for space in (laptop, internet):
        space.ip("link set lo up")
    link(laptop, "198.51.100.1/24", f"{HOME}/24")
    link(internet, "192.0.2.1/24", "192.0.2.2/24")
    internet.ip(f"addr add {FAR}/32 dev lo")
    run("ip", "route", "add", "default", "via", "192.0.2.2")
    laptop.ip("route add default via 198.51.100.1")
    sysctl("net/ipv4/ip_forward", 0)  # the recipe turns it on
    with internet.entered():
        server = http.server.ThreadingHTTPServer((FAR, 80), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    path = render()
    up(None, "wg0")
    up(laptop, path)
    wait_for("HTTP through the exit", lambda: fetch(laptop, 2) == 200, 30)
    assert set(SEEN) == {"192.0.2.1"}, f"not through the exit: {SEEN}"

    # As a guide has it: ufw is turned on for the server, and drops what it forwards.
    for words in ("default deny incoming", "allow 51820/udp", "--force enable"):
        run("ufw", *words.split())
    assert fetch(laptop, 1) == 0, "ufw lets an exit forward by itself; this test shows nothing"
    # The lock-down with the exit opens the way in ufw; run again, and after a reload by ufw, it stays.
    lock_down = [wgkit("fw"), "--ufw", "--allow", "53", "--exit"]
    script = run(*lock_down).stdout
    environment = os.environ | {"SSH_CONNECTION": ""}
    for what in ("sh -s", "sh -s", "ufw reload"):
        run(*what.split(), input=script if what == "sh -s" else None, env=environment, timeout=60)
        assert fetch(laptop) == 200, f"after {what}"
    assert fetch(laptop, 1, "10.10.0.1") == 0, "a port of the server that is not allowed answers"
    # By fw apply, and as the policy of the fleet says: no rule, then one for the internet.
    run(wgkit("fw"), "apply", "--ufw", "--allow", "53", env=environment)
    assert fetch(laptop, 1) == 0, "an exit that is not asked for"
    run(wgkit("fw"), "apply", "--ufw", "--allow", "53", "--exit", env=environment)
    assert fetch(laptop) == 200, "after apply --exit"
    policy = os.path.join(os.environ[inside.MARK], "fleet", "nodes.yaml")
    for rules, status in ((" []", 0), ('\n    - "laptop -> internet": [any]', 200)):
        with open(policy, encoding="utf-8") as file:
            text = file.read().split("policy:")[0]
        with open(policy, "w", encoding="utf-8") as file:
            file.write(f"{text}policy:\n  allow:{rules}\n")
        run(wgkit("fw"), "apply", "--ufw", "--node", "server", "--nodes", policy, env=environment)
        assert fetch(laptop, 10 if status else 1) == status, f"with the policy{rules}"
    return 0


if __name__ == "__main__":
    inside.run(main)

#!/usr/bin/python3
"""wgkit monitor --headscale against a real Headscale and real clients, built by Go: nodes join, one leaves, the server
is killed and comes back, keys expire. Takes minutes to build the first time."""
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "support"))
from checks import check, failures, free_port  # noqa: E402
from tools import ROOT, need, wgkit  # noqa: E402

MODULE = os.path.join(HERE, "..", "headscale")
BUILT = os.path.join(ROOT, "build", "peers")
MONITOR = os.path.abspath(wgkit("monitor"))
running = []


def build():
    go = need("/usr/local/go/bin/go", "golang-go")
    subprocess.run(["nice", go, "build", "-o", BUILT + "/", "./client", "github.com/juanfont/headscale/cmd/headscale"],
                   cwd=MODULE, check=True)


class Server:
    def __init__(self, folder):
        self.folder, self.port = folder, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.config = f"{folder}/config.yaml"
        with open(self.config, "w", encoding="utf-8") as file:
            json.dump({
                "server_url": self.url, "listen_addr": f"127.0.0.1:{self.port}", "metrics_listen_addr": "",
                "grpc_listen_addr": f"127.0.0.1:{free_port()}", "noise": {"private_key_path": f"{folder}/noise.key"},
                "prefixes": {"v4": "100.64.0.0/10", "v6": "fd7a:115c:a1e0::/48", "allocation": "sequential"},
                "derp": {"server": {"enabled": True, "region_id": 999, "region_code": "here", "region_name": "here",
                                    "stun_listen_addr": f"127.0.0.1:{free_port(socket.SOCK_DGRAM)}",
                                    "private_key_path": f"{folder}/derp.key",
                                    "automatically_add_embedded_derp_region": True},
                         "urls": [], "paths": [], "auto_update_enabled": False},
                "disable_check_updates": True, "database": {"type": "sqlite", "sqlite": {"path": f"{folder}/db"}},
                "log": {"level": "warn"}, "policy": {"mode": "database"}, "unix_socket": f"{folder}/socket",
                "unix_socket_permission": "0700",
                "dns": {"magic_dns": False, "override_local_dns": False, "base_domain": "example.com"}}, file)

    def start(self):
        self.process = subprocess.Popen([f"{BUILT}/headscale", "serve", "--config", self.config],
                                        stdout=open(f"{self.folder}/log", "ab"), stderr=subprocess.STDOUT)
        running.append(self.process)
        wait("the server", lambda: reachable(self.url + "/health"))

    def kill(self):
        self.process.kill()
        self.process.wait()

    def tell(self, *arguments):
        ran = subprocess.run([f"{BUILT}/headscale", "--config", self.config, *arguments], capture_output=True,
                             text=True, check=True, timeout=60)
        return ran.stdout.strip()


def reachable(url):
    try:
        return urllib.request.urlopen(url, timeout=5).status == 200
    except (urllib.error.URLError, OSError):
        return False


def wait(what, condition, limit=90):
    end = time.monotonic() + limit
    while not condition():
        if time.monotonic() > end:
            raise SystemExit(f"FAILED: {what} within {limit} s")
        time.sleep(0.2)


def client(server, name, auth_key, *arguments):
    process = subprocess.Popen([f"{BUILT}/client", "-url", server.url, "-name", name, "-folder",
                                f"{server.folder}/{name}", *arguments], stdout=subprocess.PIPE, text=True,
                               env={**os.environ, "TS_AUTHKEY": auth_key, "TS_NO_LOGS_NO_SUPPORT": "true"})
    running.append(process)
    check(process.stdout.readline() == "up\n", f"{name} has joined")
    return process


def scenario(folder):
    server = Server(folder)
    server.start()
    server.tell("users", "create", "ops")
    auth_key = json.loads(server.tell("preauthkeys", "create", "--user", "1", "--reusable", "--output", "json"))["key"]
    with open(os.open(f"{folder}/key", os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as file:
        file.write(server.tell("apikeys", "create", "--expiration", "30d"))

    def monitor(*arguments, key="key"):
        ran = subprocess.run([MONITOR, "--headscale", server.url, "--headscale-key-file", f"{folder}/{key}", "--state",
                              f"{folder}/state", "--grace", "5", *arguments], capture_output=True, text=True,
                             timeout=60, check=False)
        check(auth_key not in ran.stdout + ran.stderr, f"the pre-auth key is printed: {ran}")
        return ran

    def states():
        return {node["name"]: node["state"] for node in json.loads(monitor("--format", "json").stdout)["nodes"]}

    check(monitor().returncode == 0, "no nodes yet")
    gateway = client(server, "gw", auth_key, "-routes", "10.7.0.0/24")
    laptop = client(server, "laptop", auth_key)
    wait("both online", lambda: states() == {"gw": "online", "laptop": "online"})
    ran = monitor()
    check((ran.returncode, ran.stdout, ran.stderr) == (0, "", ""), f"all is well: {ran}")

    server.tell("nodes", "approve-routes", "--identifier", "1", "--routes", "10.7.0.0/24")
    wait("the route is served", lambda: states()["gw"] == "online")
    server.tell("nodes", "approve-routes", "--identifier", "1", "--routes", "10.7.0.0/24,10.8.0.0/24")
    ran = monitor()
    check(ran.returncode == 1 and "route 10.8.0.0/24 is approved and nobody serves it; the node does not advertise it"
          in ran.stdout, f"a route that is not advertised: {ran}")
    server.tell("nodes", "approve-routes", "--identifier", "1", "--routes", "10.7.0.0/24")

    laptop.send_signal(signal.SIGTERM)
    wait("the laptop is offline", lambda: states()["laptop"] == "offline")
    wait("that is trouble after the grace", lambda: monitor().returncode == 2)
    check("node laptop of ops is offline: offline for" in monitor().stdout, f"what is said: {monitor()}")
    laptop = client(server, "laptop", auth_key)
    wait("the laptop is back", lambda: states()["laptop"] == "online")

    gateway.send_signal(signal.SIGSTOP)  # else they come back before anybody looks
    laptop.send_signal(signal.SIGSTOP)
    server.kill()
    ran = monitor()
    check(ran.returncode == 3 and "/api/v1/node" in ran.stderr, f"the server is dead: {ran}")
    server.start()
    told = [monitor() for _ in range(2)]
    check(told[0].returncode == 1 and "the control plane has restarted" in told[0].stdout, f"a restart: {told[0]}")
    check(told[1].returncode == 0 and told[1].stdout == "", f"said twice: {told[1]}")
    gateway.send_signal(signal.SIGCONT)
    laptop.send_signal(signal.SIGCONT)
    wait("both are back", lambda: states() == {"gw": "online", "laptop": "online"}, 180)

    server.tell("nodes", "expire", "--identifier", "2")
    ran = monitor()
    check(ran.returncode == 2 and "node laptop of ops is expired" in ran.stdout, f"an expired key: {ran}")
    with open(os.open(f"{folder}/wrong", os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as file:
        file.write("not-a-key")
    ran = monitor(key="wrong")
    check(ran.returncode == 3 and "the API key is not accepted" in ran.stderr, f"a wrong key: {ran}")
    with open(os.open(f"{folder}/short", os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as file:
        file.write(server.tell("apikeys", "create", "--expiration", "2d"))
    check("the API key of this monitor expires in" in monitor(key="short").stdout, "a key that expires soon")


def apart():
    """Goes on in a network namespace of its own, for the clients look for the Internet. They do nothing at all where no
    interface but loopback has an address."""
    if len(sys.argv) > 1:
        for words in ("link set lo up", "link add outside type veth peer name nobody", "address add 192.0.2.1/24 dev outside",
                      "link set outside up", "link set nobody up", "route add default via 192.0.2.2"):
            subprocess.run(["ip", *words.split()], check=True)
        return
    build()
    os.execvp("unshare", ["unshare", "--net", sys.executable, os.path.abspath(__file__), "apart"])


def main():
    apart()
    with tempfile.TemporaryDirectory() as folder:
        try:
            scenario(folder)
        finally:
            for process in running:
                if process.poll() is None:
                    process.kill()
                process.wait()
            if failures:
                print(open(f"{folder}/log", encoding="utf-8").read()[-3000:], file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())

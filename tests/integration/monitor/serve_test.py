#!/usr/bin/python3
"""wgkit monitor serve: what it answers, to whom, and what a real browser makes of its page.

serve_test.py [--screenshots FOLDER]    keeps pictures of the page, wide and narrow, light and dark
"""
import base64
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "support"))
from checks import check, failures, free_port  # noqa: E402
from tools import need, wgkit  # noqa: E402

MONITOR = os.path.abspath(wgkit("monitor"))
HOSTILE = "<img src=x onerror=alert(1)>"


def key(number):
    return base64.b64encode(bytes([number] * 31 + [64])).decode()


def dump(step, began, count=9):
    """`wg show all dump` at a step of 30 s: some peers are well, one is cut, one was never seen, one is idle."""
    lines = [f"wg0\t(none)\t{key(200)}\t51820\toff"]
    for number in range(1, count + 1):
        handshake, rx, tx, keepalive = began + step * 30 - 20 * (number % 4), step * 30 * 1000 * number, step * 9000, 25
        if number == 2:  # cut: handshakes are asked for in vain
            handshake, rx, tx = began - 100, 4096, 8192 + 148 * 6 * step
        if number == 3:
            handshake, rx, tx, keepalive = 0, 0, 148 * 6 * step, "off"
        if number == 4:
            handshake, rx, tx, keepalive = began - 90000, 92, 148, "off"
        lines.append(f"wg0\t{key(number)}\t(none)\t203.0.113.{number}:51820\t10.8.0.{number}/32\t{handshake}\t{rx}\t{tx}\t"
                     f"{keepalive}")
    return "\n".join(lines) + "\n"


NAMES = {1: "gateway", 2: "database", 3: "new-laptop", 4: "anna-phone", 5: HOSTILE, 6: "berlin-office-router",
         7: "backup", 8: "mail"}


def make_state(count=9, ends=None):
    with open("names.conf", "w", encoding="utf-8") as file:
        for number, name in NAMES.items():
            file.write(f"[Peer]\n# friendly_name = {name}\nPublicKey = {key(number)}\n")
    now = ends or int(time.time())
    for step in range(9):
        ran = subprocess.run([MONITOR, "--dump", "-", "--state", "state", "--names", "names.conf", "--now",
                              str(now - (8 - step) * 30)], input=dump(step, now - 270, count), text=True,
                             capture_output=True, check=False, timeout=60)
        check(ran.returncode in (0, 1, 2) and not ran.stderr, f"a state: {ran}")


def make_fleet():
    """A star of ten hosts and a phone; `office` cannot be reached, and `old` has told nothing for an hour."""
    spokes = ["db", "mail", "backup", "office", "web-1", "web-2", "web-3", "ci", "old"]
    numbers = {name: 20 + number for number, name in enumerate(["gw", *spokes, "phone"])}
    now = int(time.time())
    os.makedirs("fleet", exist_ok=True)
    for name in ["gw", *spokes]:
        others = [*spokes, "phone"] if name == "gw" else ["gw"]
        ends = now - 3600 if name == "old" else now
        for step in range(4):
            lines = [f"wg0\t(none)\t{key(numbers[name])}\t51820\toff"]
            for number, other in enumerate(others):
                handshake, rx, tx, keepalive = ends - 90 - 5 * number, 900 * step * (number + 1), 700 * step, 25
                if "office" in (name, other) or (name, other) == ("gw", "old"):
                    rx, tx = 4096, 4096 + 148 * 6 * step
                if other == "phone":
                    handshake, rx, tx, keepalive = ends - 90000, 92, 148, "off"
                lines.append(f"wg0\t{key(numbers[other])}\t(none)\t203.0.113.{number + 1}:51820\t10.8.0.{numbers[other]}/32\t"
                             f"{handshake}\t{rx}\t{tx}\t{keepalive}")
            subprocess.run([MONITOR, "--dump", "-", "--state", f"fleet/{name}.state", "--now", str(ends - (3 - step) * 30)],
                           input="\n".join(lines) + "\n", text=True, capture_output=True, check=False, timeout=60)
    with open("fleet/broken.json", "w", encoding="utf-8") as file:
        file.write("{}")


class Serving:
    """`with Serving(options) as one: one.get(path)`"""

    def __init__(self, *arguments, host="127.0.0.1"):
        self.arguments, self.host, self.port = arguments, host, free_port()

    def __enter__(self):
        shown = () if "--samples" in self.arguments else ("--state", "state")
        self.process = subprocess.Popen([MONITOR, "serve", "--listen", f"{self.host}:{self.port}", *shown,
                                         *self.arguments], stderr=subprocess.PIPE, text=True)
        line = self.process.stderr.readline()
        if "listening on" not in line:
            raise SystemExit(f"FAILED: {line}{self.process.stderr.read()}")
        self.url = f"http://{self.host}:{self.port}"
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        check(self.process.wait(timeout=20) == 0, f"its end: {self.process.returncode}")
        self.process.stderr.close()

    def get(self, path, method="GET", **headers):
        connection = http.client.HTTPConnection(self.host, self.port, timeout=20)
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        body = answer.read().decode()
        connection.close()
        return answer.status, dict(answer.getheaders()), body


def answers():
    with Serving() as one:
        status, headers, page = one.get("/")
        check(status == 200 and "<title>WireGuard peers</title>" in page, f"/: {status}")
        policy = headers["Content-Security-Policy"]
        check("default-src 'none'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy, policy)
        for path in ("/", "/style.css", "/app.js"):
            body = one.get(path)[2]
            outside = [url for url in re.findall(r"https?://[^\s\"']+", body) if url != "http://www.w3.org/2000/svg"]
            check(not outside, f"{path} names {outside}")
        check(not re.search(r"\son\w+=|style=|javascript:", page), "something that the policy forbids")
        status, headers, body = one.get("/api/v1/peers")
        told = json.loads(body)
        states = {peer["name"]: peer["state"] for peer in told["peers"]}
        check(states["database"] == "unreachable" and states["gateway"] == "up" and states["anna-phone"] == "idle"
              and states["new-laptop"] == "never", f"states: {states}")
        history = json.loads(one.get("/api/v1/history")[2])
        check(len(history[f"wg0 {key(1)}"]) == 8, f"history: {history}")
        status, headers, body = one.get("/metrics")
        check(headers["Content-Type"].startswith("text/plain; version=0.0.4") and "# EOF" not in body, "plain metrics")
        status, headers, body = one.get("/metrics", Accept="application/openmetrics-text;version=1.0.0")
        check(headers["Content-Type"].startswith("application/openmetrics-text") and body.endswith("# EOF\n"), "OpenMetrics")
        status, _, body = one.get("/healthz")
        check(status == 200 and json.loads(body)["status"] == "pass", f"/healthz: {status} {body}")
        check(one.get("/etc/passwd")[0] == 404 and one.get("/../state")[0] == 404, "what is not there")
        check(one.get("/", "POST")[0] == 405 and one.get("/", "HEAD")[2] == "", "methods")
        check(one.get("/", Host="evil.example")[0] == 421, "a name that somebody pointed here")
        check(one.get("/", Host="localhost:1")[0] == 200, "localhost")
        os.rename("state", "away")
        check(one.get("/healthz")[0] == 503 and one.get("/api/v1/peers")[0] == 503, "no state")
        with open("state", "w", encoding="utf-8") as file:
            file.write("wgkit-monitor-state 2\nbroken\n")
        status, _, body = one.get("/metrics")
        check(status == 503 and "checksum" in body, f"a broken state: {status} {body}")
        os.rename("away", "state")
        check(one.get("/metrics")[0] == 200, "a state again")
    with Serving("--max-age", "1") as one:
        end = time.monotonic() + 10
        while one.get("/healthz")[0] != 503 and time.monotonic() < end:
            time.sleep(0.2)
        check(one.get("/healthz")[0] == 503, "a monitor that stopped")


def doors():
    ran = subprocess.run([MONITOR, "serve", "--listen", "0.0.0.0:21589", "--state", "state"], capture_output=True, text=True,
                         check=False, timeout=20)
    check(ran.returncode == 1 and "--auth-file" in ran.stderr, f"open to all: {ran}")
    with open(os.open("users", os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as file:
        file.write("anna:one\nprometheus:a pass:word\n")
    with Serving("--auth-file", "users", "--host", "status.example.com", host="0.0.0.0") as one:
        def basic(text):
            return {"Authorization": "Basic " + base64.b64encode(text.encode()).decode()}
        one.host = "127.0.0.1"
        status, headers, _ = one.get("/metrics")
        check(status == 401 and headers["WWW-Authenticate"].startswith("Basic"), "nobody")
        for wrong in ("anna:two", "anna:", "anna", ":", "", "prometheus:one"):
            check(one.get("/metrics", **basic(wrong))[0] == 401, f"let in: {wrong}")
        check(one.get("/metrics", Authorization="Bearer ")[0] == 401, "an empty bearer")
        check(one.get("/", **basic("anna:one"))[0] == 200, "anna")
        check(one.get("/metrics", Authorization="Bearer a pass:word")[0] == 200, "prometheus")
        check(one.get("/", Host="status.example.com", **basic("anna:one"))[0] == 200, "--host")
    os.chmod("users", 0o644)
    ran = subprocess.run([MONITOR, "serve", "--state", "state", "--auth-file", "users"], capture_output=True, text=True,
                         check=False, timeout=20)
    check(ran.returncode == 1 and "users" in ran.stderr, f"a file that all may read: {ran}")


def browser(*arguments):
    """Headless Chromium, without a sandbox of its own where we are root."""
    return subprocess.run([need("chromium", "chromium"), "--headless=new", "--no-sandbox", "--disable-gpu",
                           "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking",
                           "--disable-component-update", "--disable-sync", "--user-data-dir=profile",
                           "--virtual-time-budget=4000", *arguments],
                          capture_output=True, text=True, check=False, timeout=110)


def page():
    """Rows, states and the graph are there, and hostile names are text."""
    with Serving() as one:
        dom = browser("--dump-dom", one.url + "/").stdout
    check('data-ready="yes"' in dom, f"the page is not ready: {dom[:2000]}")
    check(dom.count('<tr class="') == 9, f"{dom.count('<tr class=')} rows")
    check(dom.count('class="critical"') >= 2, "the dead peer is critical in table and graph")
    check(">unreachable<" in dom and ">2 in trouble" in dom or ">1 in trouble" in dom, "words, not only colours")
    check("&lt;img src=x" in dom and "<img" not in dom, "a hostile name became markup")
    check(dom.count("<circle") == 10 and 'class="spark"' in dom, "graph and sparklines")
    check(dom.index(">unreachable<") < dom.index(">up<"), "trouble comes first")


def fleet():
    """Hosts that told of themselves are drawn together; a file that cannot be read hides no other."""
    make_fleet()
    with Serving("--samples", "fleet") as one:
        told = json.loads(one.get("/api/v1/peers")[2])
        check([node["name"] for node in told["nodes"]].count("gw") == 1 and len(told["nodes"]) == 11, f"hosts: {told['nodes']}")
        ends = {(peer["node"], peer["peerNode"]): peer["state"] for peer in told["peers"]}
        check(ends["gw", "office"] == ends["office", "gw"] == "unreachable" and ends["db", "gw"] == "up"
              and ends["gw", None] == "idle", f"both ends: {ends}")
        check(one.get("/metrics")[0] == 404 and one.get("/healthz")[0] == 503, "metrics and health of a fleet")
        dom = browser("--dump-dom", one.url + "/").stdout
    check(dom.count("<circle") == 11 and dom.count("<line") == 10, f"{dom.count('<circle')} circles, {dom.count('<line')} lines")
    check("office (no tunnel is up)" in dom and "old (last told 60 min ago)" in dom and "gw → office" in dom, "words")


def screenshots(folder):
    os.makedirs(folder, exist_ok=True)
    make_fleet()
    for page_of, more_arguments in (("", ()), ("fleet-", ("--samples", "fleet"))):
        take_pictures(folder, page_of, more_arguments)


def take_pictures(folder, page_of, arguments):
    with Serving(*arguments) as one:
        for name, size in (("wide", "1280,1900"), ("narrow", "500,1500")):
            for theme in ("light", "dark"):
                more = ["--blink-settings=preferredColorScheme=0"] if theme == "dark" else []
                browser(f"--window-size={size}", f"--screenshot={folder}/{page_of}{name}-{theme}.png", *more, one.url + "/")


def main():
    pictures = os.path.abspath(sys.argv[2]) if sys.argv[1:2] == ["--screenshots"] else None
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        make_state()
        if pictures:
            screenshots(pictures)
        else:
            answers()
            doors()
            page()
            fleet()
        os.chdir("/")
    print(f"{len(failures)} failures in {time.monotonic() - began:.1f} s")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/python3
"""wgkit monitor --headscale against a server on loopback that answers as Headscale does, well and badly."""
import http.server
import json
import os
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "support"))
from checks import check, failures  # noqa: E402
from receiver import Receiver  # noqa: E402
from tools import ROOT, wgkit  # noqa: E402

MONITOR = os.path.abspath(wgkit("monitor"))
KEY = "abcdefg.api-key-secret"
PRE_AUTH_KEY = "dummy-pre-auth-key"
# Of the captures: when node2 was seen last.
SEEN = 1795390516


def capture(name):
    with open(os.path.join(ROOT, "tests", "vectors", "headscale", name), encoding="utf-8") as file:
        return file.read()


class Headscale:
    """`with Headscale({path: (status, body)}) as server`; a body is text, or bytes and how often they are sent."""

    def __init__(self, answers):
        self.answers, self.seen = answers, []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                outer.seen.append((self.path, self.headers.get("Authorization")))
                status, body = outer.answers.get(self.path, (404, '{"code":5,"message":"Not Found","details":[]}'))
                if self.path != "/version" and self.headers.get("Authorization") != f"Bearer {KEY}":
                    status, body = 401, "Unauthorized"
                self.send_response(status)
                self.end_headers()
                if isinstance(body, str):
                    self.wfile.write(body.encode())
                else:
                    for _ in range(body[1]):
                        self.wfile.write(body[0])

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, *_):
                pass  # a client that has had enough

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def secret(name, text):
    with open(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text + "\n")
    return name


def monitor(url, *arguments, key=KEY, **more):
    secret("key", key)
    ran = subprocess.run([MONITOR, "--headscale", url, "--headscale-key-file", "key", "--state", "state", *arguments],
                         capture_output=True, text=True, timeout=60, check=False, **more)
    for word in (PRE_AUTH_KEY, key):
        check(word not in ran.stdout + ran.stderr, f"{arguments}: a secret is printed: {ran}")
    return ran


def alerting(receiver):
    with open("alert.yaml", "w", encoding="utf-8") as file:
        file.write(f"version: 1\nspool: {os.getcwd()}/spool{receiver.server.server_address[1]}\nsource: here\n"
                   f"targets: {{t: {{type: slack, url_file: {secret('slack', receiver.url)}}}}}\n")
    return ["--alert", "alert.yaml"]


def goes_offline():
    """Nothing while it is young, one line once it is old, from the real answers; one message to Slack, one later."""
    answers = {"/api/v1/node": (200, capture("node_two_online.json")),
               "/api/v1/apikey": (200, json.dumps({"apiKeys": [{"id": "1", "prefix": "abcdefg", "expiration": None}]}))}
    with Headscale(answers) as server, Receiver() as slack:
        tell = alerting(slack)
        ran = monitor(server.url, "--now", str(SEEN - 60), *tell)
        check((ran.returncode, ran.stdout, ran.stderr) == (0, "", ""), f"all is well: {ran}")
        answers["/api/v1/node"] = (200, capture("node_one_offline.json"))
        ran = monitor(server.url, "--now", str(SEEN + 60), *tell)
        check((ran.returncode, ran.stdout) == (0, ""), f"within the grace: {ran}")
        check(not slack.requests, "told within the grace")
        for minutes in (6, 8):
            ran = monitor(server.url, "--now", str(SEEN + 60 * minutes), *tell)
            check(ran.returncode == 2 and ran.stdout == f"ALERT: node node2 of myorg is offline: offline for "
                  f"{'360 s' if minutes == 6 else '480 s'}\n", f"after the grace: {ran}")
            check(len(slack.requests) == 1, f"{len(slack.requests)} messages")
        ran = monitor(server.url, "--now", str(SEEN + 60), "--grace", "10", "--format", "nagios")
        check(ran.returncode == 2 and ran.stdout.startswith("HEADSCALE CRITICAL: 1 of 2 nodes online"), f"{ran}")
        ran = monitor(server.url, "--now", str(SEEN + 900), "--format", "json")
        told = json.loads(ran.stdout)
        check(told["nodes"][1]["state"] == "offline" and told["nodes"][0]["online"] is True, f"JSON: {told}")
        check(PRE_AUTH_KEY not in open("state", encoding="utf-8").read(), "the state holds a pre-auth key")
        with open("monitor.yaml", "w", encoding="utf-8") as file:
            file.write("version: 1\npeers: {node2: roaming}\n")
        ran = monitor(server.url, "--now", str(SEEN + 900), "--config", "monitor.yaml")
        check(ran.returncode == 0, f"a roaming node: {ran}")
        check(("/version", None) in server.seen, "the key went where none is needed")
        for word in (PRE_AUTH_KEY, KEY):
            check(all(word not in str(one.body) for one in slack.requests), "a secret was sent to Slack")


def cannot_tell():
    """Each way not to see is named, with status 3 and one alert; what was known is kept."""
    huge = b'{"nodes":[' + b" " * (1 << 20)
    cases = {"Unauthorized": (401, "Unauthorized"), "an old server's Unauthorized": (500, "Unauthorized"),
             "a wrong shape": (200, '{"nodes": 7}'), "no JSON": (200, "<html>"), "huge": (200, (huge, 80)),
             "a redirect": (301, "")}
    words = {"Unauthorized": "the API key is not accepted", "an old server's Unauthorized": "not accepted",
             "a wrong shape": "no list of nodes", "no JSON": "no list of nodes", "huge": "larger than 64 MiB",
             "a redirect": "sends to another address"}
    for name, answer in cases.items():
        with Headscale({"/api/v1/node": answer}) as server:
            before = open("state", "rb").read()
            ran = monitor(server.url)
            check(ran.returncode == 3 and words[name] in ran.stderr and ran.stdout == "", f"{name}: {ran}")
            check(open("state", "rb").read() == before, f"{name}: the state has changed")
    ran = monitor("http://127.0.0.1:9", "--format", "nagios")
    check(ran.returncode == 3 and ran.stdout.startswith("HEADSCALE UNKNOWN: http://127.0.0.1:9"), f"refused: {ran}")
    with Headscale({"/api/v1/node": (200, capture("node_two_online.json"))}) as server, Receiver() as slack:
        tell = alerting(slack)
        ran = monitor(server.url, *tell, key="other.wrong")
        check(ran.returncode == 3, f"a wrong key: {ran}")
        check(len(slack.requests) == 1 and b"not accepted" in slack.requests[0].body, "an alert that it is blind")
        check(monitor(server.url, *tell).returncode in (0, 1, 2), "it sees again")
        check(len(slack.requests) >= 2, "and says so")


def refused_beforehand():
    ran = monitor("https://user:password@control.example")
    check(ran.returncode == 3 and "password" in ran.stderr and "user:" not in ran.stderr, f"a password: {ran}")
    secret("open-key", KEY)
    os.chmod("open-key", 0o644)
    ran = subprocess.run([MONITOR, "--headscale", "http://127.0.0.1:9", "--headscale-key-file", "open-key"],
                         capture_output=True, text=True, timeout=60, check=False)
    check(ran.returncode == 3 and "open-key" in ran.stderr, f"a key that all may read: {ran}")
    bare = {name: value for name, value in os.environ.items() if name != "HEADSCALE_API_KEY"}
    ran = subprocess.run([MONITOR, "--headscale", "http://127.0.0.1:9"], capture_output=True, text=True, timeout=60,
                         check=False, env=bare)
    check(ran.returncode == 3 and "no API key" in ran.stderr, f"no key: {ran}")


def main():
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        goes_offline()
        cannot_tell()
        refused_beforehand()
        os.chdir("/")
    print(f"{len(failures)} failures in {time.monotonic() - began:.1f} s")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())

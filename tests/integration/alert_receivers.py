#!/usr/bin/python3
"""Real receivers: Alertmanager takes, resolves and sends on what we report; `webhook` verifies our signature."""
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from checks import check, failures, free_port  # noqa: E402
from receiver import Receiver  # noqa: E402
from tools import missing, need, wgkit  # noqa: E402

ALERTMANAGER = need("prometheus-alertmanager", "prometheus-alertmanager")
WEBHOOK = need("webhook", "webhook")
ALERT = os.path.abspath(wgkit("alert"))
# Unpacked, not installed, it does not find its templates: they are laid over /usr/share for it alone.
SHARE = pathlib.Path(ALERTMANAGER).parents[1] / "share"
LAID_OVER = ["unshare", "-m", "sh", "-c", f"mount -t overlay overlay -o lowerdir={SHARE}:/usr/share /usr/share && "
             "exec \"$@\"", "sh"] if str(SHARE) != "/usr/share" else []
if LAID_OVER and os.geteuid() != 0:
    missing("root, to lay files over /usr/share for one program")


def until(condition, what, limit=30):
    end = time.monotonic() + limit
    while time.monotonic() < end:
        try:
            if condition():
                return True
        except OSError:
            pass
        time.sleep(0.05)
    check(False, f"{what}: not within {limit} s")
    return False


def get(url):
    with urllib.request.urlopen(url, timeout=5) as answer:
        return json.load(answer)


def configure(name, targets):
    pathlib.Path(name).write_text(json.dumps({"version": 1, "spool": os.path.abspath(name + ".spool"), "source": "gw",
                                              "targets": targets}), encoding="utf-8")


def alert(config, *arguments):
    return subprocess.run([ALERT, "send", "--config", config, "--key", "k", "--type", "PeerUnreachable", "--severity",
                           "critical", "--label", "peer=d\u00e9 \"b\"", *arguments, "peer db is down"],
                          capture_output=True, text=True, timeout=60, check=False)


def alertmanager():
    with Receiver() as theirs, Receiver() as ours:
        pathlib.Path("am.yml").write_text(json.dumps({
            "route": {"receiver": "r", "group_by": ["alertname"], "group_wait": "0s", "group_interval": "1s"},
            "receivers": [{"name": "r", "webhook_configs": [{"url": theirs.url}]}]}), encoding="utf-8")
        port = free_port()
        base = f"http://127.0.0.1:{port}"
        with open("am.log", "w", encoding="utf-8") as log:
            server = subprocess.Popen([*LAID_OVER, ALERTMANAGER, "--config.file=am.yml", "--storage.path=am", "--cluster.listen-address=",
                                       f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=log)
        try:
            until(lambda: get(base + "/api/v2/status"), "Alertmanager starts")
            configure("both.yaml", {"am": {"type": "alertmanager", "url": base},
                                    "hook": {"type": "webhook", "format": "alertmanager", "url": ours.url}})
            ran = alert("both.yaml")
            check(ran.returncode == 0, f"Alertmanager does not take it: {ran}")
            held = get(base + "/api/v2/alerts")
            check(len(held) == 1 and held[0]["labels"]["peer"] == "d\u00e9 \"b\"", f"Alertmanager holds {held}")
            until(lambda: theirs.requests, "Alertmanager's own webhook")
            check(alert("both.yaml", "--resolved").returncode == 0, "resolving")
            until(lambda: any(one.json["status"] == "resolved" for one in theirs.requests), "Alertmanager resolves")
            check(get(base + "/api/v2/alerts?active=true") == [], "it is still active")
            for theirs_one, ours_one in zip((theirs.requests[0], theirs.requests[-1]), ours.requests):
                a, b = theirs_one.json, ours_one.json
                check(set(b) == set(a), f"members: {set(a) ^ set(b)}")
                x, y = a["alerts"][0], b["alerts"][0]
                check(set(x) == set(y), f"members of alerts: {set(x) ^ set(y)}")
                for name in ("labels", "annotations", "status", "fingerprint", "startsAt", "generatorURL"):
                    if name == "annotations" and a["status"] == "resolved":
                        continue
                    same = x[name].replace(".000Z", "Z") == y[name] if name == "startsAt" else x[name] == y[name]
                    check(same, f"{name}: Alertmanager's {x[name]}, ours {y[name]}")
                check(a["commonLabels"] == b["commonLabels"] and a["version"] == b["version"], "common labels, version")
        finally:
            server.terminate()
            server.wait()


def signature():
    key = "a secret of thirty-two characters"
    pathlib.Path("hooks.json").write_text(json.dumps([{
        "id": "wg", "execute-command": "/bin/true", "response-message": "taken",
        "trigger-rule-mismatch-http-response-code": 403,
        "trigger-rule": {"match": {"type": "payload-hmac-sha256", "secret": key,
                                   "parameter": {"source": "header", "name": "X-Hub-Signature-256"}}}}]), encoding="utf-8")
    port = free_port()
    with open("hook.log", "w", encoding="utf-8") as log:
        server = subprocess.Popen([WEBHOOK, "-hooks", "hooks.json", "-ip", "127.0.0.1", "-port", str(port)], stdout=log,
                                  stderr=log)
    try:
        until(lambda: socket.create_connection(("127.0.0.1", port), 1).close() is None, "webhook starts")
        for name, text, status in (("good", key, 0), ("bad", key + "!", 2)):
            with open(os.open(name + ".key", os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as file:
                file.write(text + "\n")
            configure(name + ".yaml", {"h": {"type": "webhook", "url": f"http://127.0.0.1:{port}/hooks/wg",
                                             "hub_key_file": os.path.abspath(name + ".key")}})
            ran = alert(name + ".yaml", "--timeout", "2")
            check(ran.returncode == status, f"webhook and the {name} key: {ran}")
    finally:
        server.terminate()
        server.wait()


with tempfile.TemporaryDirectory() as top:
    os.chdir(top)
    alertmanager()
    signature()
    os.chdir("/")
print(f"{len(failures)} failures")
sys.exit(1 if failures else 0)

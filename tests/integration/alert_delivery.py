#!/usr/bin/python3
"""wgkit alert against a receiver that fails in every way: nothing is lost, nothing is said twice without need, and
no output holds the URL."""
import email
import json
import os
import subprocess
import sys
import tempfile
import time
from email.policy import default as mail_policy

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from checks import check, failures  # noqa: E402
from receiver import OK, Receiver, certificate  # noqa: E402
from tools import need, wgkit  # noqa: E402

need("openssl", "openssl")
ALERT = os.path.abspath(wgkit("alert"))
SECRET = "very-secret-path"


def alert(*arguments, **more):
    ran = subprocess.run([ALERT, *arguments], capture_output=True, text=True, timeout=60, check=False, **more)
    check(SECRET not in ran.stdout + ran.stderr, f"{arguments}: the secret path is printed: {ran.stdout}{ran.stderr}")
    return ran


def secret(name, text):
    with open(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text + "\n")
    return os.path.abspath(name)


class Setting:
    """A folder with a configuration of one target."""
    count = 0

    def __init__(self, target, top=""):
        Setting.count += 1
        self.folder = os.path.abspath(f"case{Setting.count}")
        os.mkdir(self.folder)
        self.config = f"{self.folder}/alert.yaml"
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(f"version: 1\nspool: {self.folder}/spool\nsource: gw\nfirst_retry: 1s\nlast_retry: 2s\n{top}\n"
                       f"targets:\n  t: {json.dumps(target)}\n")

    def send(self, summary="peer db is down", *arguments):
        return alert("send", "--config", self.config, "--json", "--severity", "critical", "--label", "peer=db",
                     "--type", "peer.unreachable", "--key", "db", summary, *arguments)

    def flush(self, *arguments):
        return alert("flush", "--config", self.config, "--json", *arguments)

    def list(self):
        return json.loads(alert("list", "--config", self.config, "--json").stdout)


def hook(receiver, kind="slack", **more):
    return {"type": kind, "url_file": secret(f"url{Setting.count}", receiver.url), **more}


def failing_then_well():
    """Each failure is followed by a delivery; only where the outcome is unknown it may be a repetition."""
    late = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 3))
    cases = {
        "500": (("answer", 500, {}, "oops"), False, 0.4),
        "502": (("answer", 502, {}, ""), True, 0.4),
        "503": (("answer", 503, {}, ""), False, 0.4),
        "401": (("answer", 401, {}, "invalid_token"), False, 0.4),
        "redirect": (("answer", 302, {"Location": "http://127.0.0.1:9/"}, ""), False, 0.4),
        "reset": (("reset",), True, 0.4),
        "half an answer": (("half",), True, 0.4),
        "429, seconds": (("answer", 429, {"Retry-After": "3"}, ""), False, 2.9),
        "429, date": (("answer", 429, {"Retry-After": late}, ""), False, 0.9),
        "429, Discord": (("answer", 429, {}, '{"retry_after": 2.5}'), False, 2.4),
        "429, Telegram": (("answer", 429, {}, '{"ok":false,"parameters":{"retry_after":3}}'), False, 2.9),
        "429, Matrix": (("answer", 429, {}, '{"retry_after_ms": 2600}'), False, 2.5),
    }
    running = []
    for name, (answer, unknown, wait) in cases.items():
        receiver = Receiver([answer, OK]).__enter__()
        setting = Setting(hook(receiver))
        process = subprocess.Popen(
            [ALERT, "send", "--config", setting.config, "--json", "--timeout", "20", "--severity", "critical", "x"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        running.append((name, unknown, wait, receiver, setting, process))
    for name, unknown, wait, receiver, setting, process in running:
        out, errors = process.communicate(timeout=60)
        done = json.loads(out)
        check(SECRET not in out + errors, f"{name}: the secret is printed")
        check(process.returncode == 0 and done["delivered"] == 1 and done["waiting"] == 0, f"{name}: {out}")
        check(len(receiver.requests) == 2, f"{name}: {len(receiver.requests)} requests")
        if len(receiver.requests) == 2:
            gap = receiver.requests[1].at - receiver.requests[0].at
            check(gap >= wait, f"{name}: tried again after {gap:.2f} s")
            check(("possibly repeated" in receiver.requests[1].json["text"]) == unknown, f"{name}: how it is marked")
        check(done["repeated"] == int(unknown), f"{name}: repeated {done['repeated']}")
        receiver.__exit__()


def gone():
    with Receiver([("answer", 410, {}, "channel_is_archived"), OK]) as receiver:
        setting = Setting(hook(receiver))
        ran = setting.send()
        check(ran.returncode == 2 and "410" in ran.stderr, f"410: {ran}")
        check(setting.flush().returncode == 2 and len(receiver.requests) == 1, "410: a disabled target is tried")
        check(setting.list()["targets"][0]["disabled"], "410: not listed")
        check(setting.flush("--enable", "t").returncode == 0 and len(receiver.taken()) == 1, "410: --enable")


def refused():
    with Receiver([("answer", 400, {}, "invalid_payload")]) as receiver:
        setting = Setting(hook(receiver))
        ran = setting.send()
        check(ran.returncode == 1 and json.loads(ran.stdout)["refused"] == 1, f"400: {ran}")
        check(not setting.list()["waiting"], "400: it still waits")


def unknown_outcomes():
    with Receiver([("hang",)]) as receiver:
        once = Setting(hook(receiver, timeout="1s", delivery="at-most-once"))
        ran = once.send()
        check(json.loads(ran.stdout)["waiting"] == 0 and "t: " in ran.stderr, f"at most once: {ran}")
        again = Setting(hook(receiver, timeout="1s"))
        ran = again.send("peer db is down", "--timeout", "1")
        waiting = again.list()["waiting"]
        check(len(waiting) == 1 and waiting[0]["outcome_unknown"], f"at least once: {waiting}")


def states():
    """Repeats, recoveries, merging, silences, routes."""
    with Receiver() as receiver:
        setting = Setting(hook(receiver))
        for _ in range(3):
            setting.send()
        check(len(receiver.requests) == 1, "an event that is known is told again")
        setting.send("peer db is down", "--resolved")
        check("RESOLVED" in receiver.requests[-1].json["text"] and len(receiver.requests) == 2, "no recovery")
        setting.send("peer db is down", "--resolved")
        check(len(receiver.requests) == 2, "a recovery is told twice")
        setting.send("peer db is down", "--no-flush")
        setting.send("peer db is down", "--resolved", "--no-flush")
        waiting = setting.list()["waiting"]
        check([one["status"] for one in waiting] == ["blip"], f"down and up are not one message: {waiting}")
        setting.flush()
        check("is over" in receiver.requests[-1].json["text"] and len(receiver.requests) == 3, "the blip")
        alert("silence", "--config", setting.config, "--match", "peer=d*", "--for", "1h")
        ran = setting.send()
        check(len(receiver.requests) == 3 and json.loads(ran.stdout)["recorded"]["held_back"] == 1, "silenced")
        alert("silence", "--config", setting.config, "--remove", "1")
        setting.send()
        check(len(receiver.requests) == 4, "what lasts is not told after the silence")


def grouped():
    with Receiver() as receiver:
        setting = Setting(hook(receiver))
        events = "\n".join(json.dumps({"key": f"p{i}", "summary": f"peer <{i}> is down", "cause": "hub gw is down"})
                           for i in range(40))
        alert("send", "--config", setting.config, "--events", "-", input=events)
        check(len(receiver.requests) == 1, f"40 events of one cause: {len(receiver.requests)} messages")
        text = receiver.requests[0].json
        check("hub gw is down, 40 alerts" in text["text"] and "&lt;3&gt;" in text["attachments"][0]["text"], f"{text}")


def transport():
    cert = certificate(".")
    with Receiver(certificate=cert) as receiver:
        bad = Setting(hook(receiver))
        ran = bad.send("x", "--timeout", "1")
        check(ran.returncode == 2 and not receiver.requests and "certificate" in ran.stderr, f"a false certificate: {ran}")
        good = Setting(hook(receiver, ca_file=os.path.abspath(cert[0])))
        check(good.send().returncode == 0 and len(receiver.taken()) == 1, "a CA file of our own")
    os.chmod("url0", 0o644)
    ran = Setting({"type": "slack", "url_file": os.path.abspath("url0")}).send("x", "--timeout", "1")
    check("mode 0644" in ran.stderr and ran.returncode == 2, f"an open secret: {ran}")


def programs():
    with open("catch", "w", encoding="utf-8") as file:
        file.write("#!/bin/sh\ncat > \"$1\"\n")
    os.chmod("catch", 0o755)
    catch = os.path.abspath("catch")
    setting = Setting({"type": "exec", "command": [catch, os.path.abspath("got")]})
    check(setting.send().returncode == 0, "exec")
    with open("got", encoding="utf-8") as file:
        check(json.load(file)["events"][0]["status"] == "firing", "what exec got")
    setting = Setting({"type": "email", "to": ["ops@example.org"], "from": "wgkit@example.org",
                       "command": [catch, os.path.abspath("mail")]})
    check(setting.send("peer d\u00e9j\u00e0\r\nBcc: evil@example.org is down").returncode == 0, "mail")
    with open("mail", "rb") as file:
        mail = email.message_from_binary_file(file, policy=mail_policy)
    check(mail["Subject"] == "[CRITICAL] gw: peer d\u00e9j\u00e0  Bcc: evil@example.org is down" and not mail["Bcc"],
          f"the mail: {mail['Subject']!r}")
    check("peer: db" in mail.get_content(), "the mail's text")
    failing = Setting({"type": "exec", "command": ["/bin/sh", "-c", "echo no modem >&2; exit 75"]})
    ran = failing.send("x", "--timeout", "1")
    check(ran.returncode == 2 and "no modem" in ran.stderr, f"a program that fails: {ran}")


def damaged():
    with Receiver() as receiver:
        setting = Setting(hook(receiver))
        setting.send()
        with open(f"{setting.folder}/spool/alerts.db", "r+b") as file:
            file.write(b"no database at all" * 100)
        ran = setting.send()
        check(ran.returncode == 0 and "damaged" in ran.stderr and len(receiver.requests) == 2, f"a damaged spool: {ran}")


with tempfile.TemporaryDirectory() as top:
    os.chdir(top)
    for test in (failing_then_well, gone, refused, unknown_outcomes, states, grouped, transport, programs, damaged):
        started = time.monotonic()
        test()
        print(f"{test.__name__}: {time.monotonic() - started:.1f} s")
    os.chdir("/")
print(f"{len(failures)} failures")
sys.exit(1 if failures else 0)

#!/usr/bin/python3
"""The verifier of Standard Webhooks (PyPI standardwebhooks) accepts what wgkit alert sends, also while keys change, and
nothing that was altered."""
import base64
import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from receiver import Receiver  # noqa: E402
from tools import missing, wgkit  # noqa: E402

ALERT = os.path.abspath(wgkit("alert"))
VERIFY = """
import json, sys
from standardwebhooks.webhooks import Webhook, WebhookVerificationError
told = json.load(sys.stdin)
for name, secret in told["secrets"].items():
    for what, body in (("as sent", told["body"]), ("altered", told["body"].replace("db", "xx"))):
        try:
            Webhook(secret).verify(body, told["headers"])
            print(name, what, "accepted")
        except WebhookVerificationError:
            print(name, what, "refused")
"""


def venv(folder):
    ran = subprocess.run([sys.executable, "-m", "venv", folder], check=False, capture_output=True, text=True)
    if ran.returncode != 0:
        missing(f"python3 -m venv ({ran.stdout.strip()})", "python3-venv")
    ran = subprocess.run([f"{folder}/bin/pip", "install", "-q", "standardwebhooks"], capture_output=True, text=True,
                         check=False)
    if ran.returncode != 0:
        missing(f"standardwebhooks from PyPI, which pip could not install (no network?): {ran.stderr.strip()[-300:]}")
    return f"{folder}/bin/python3"


def main():
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        python = venv("venv")
        secrets = {name: "whsec_" + base64.b64encode(os.urandom(32)).decode() for name in ("new", "old", "wrong")}
        for name, secret in secrets.items():
            with open(os.open(name, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as file:
                file.write(secret)
        with Receiver() as receiver:
            with open(os.open("url", os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as file:
                file.write(receiver.url)
            with open("alert.yaml", "w", encoding="utf-8") as file:
                file.write(f"version: 1\nspool: {folder}/spool\ntargets: {{t: {{type: webhook, url_file: {folder}/url, "
                           f"signing_key_file: {folder}/new, old_signing_key_file: {folder}/old}}}}\n")
            ran = subprocess.run([ALERT, "send", "--config", "alert.yaml", "--label", "peer=db", "ünïcode: peer db is down"],
                                 capture_output=True, text=True, check=False, timeout=60)
            assert ran.returncode == 0, ran
            sent = receiver.requests[0]
        told = {"secrets": secrets, "body": sent.body.decode(), "headers": sent.headers}
        ran = subprocess.run([python, "-c", VERIFY], input=json.dumps(told), capture_output=True, text=True, check=True)
        os.chdir("/")
    want = "".join(f"{name} as sent {word}\n{name} altered refused\n"
                   for name, word in (("new", "accepted"), ("old", "accepted"), ("wrong", "refused")))
    if ran.stdout != want:
        print(f"FAILED: {ran.stdout}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

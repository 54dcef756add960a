#!/usr/bin/python3
"""wgkit alert killed at every system call that changes something, and its calls failing one by one.

What must hold: once `send` has ended with success its message arrives, whatever happens to later runs; after a kill
the same report and a flush bring exactly what an undisturbed run brings, once more only where nobody can know.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from receiver import Receiver  # noqa: E402
from tools import need, wgkit  # noqa: E402

STRACE = need("strace", "strace")
ALERT = os.path.abspath(wgkit("alert"))
CALLS = ("pwrite64", "fdatasync", "fsync", "ftruncate", "unlink", "mkdir", "flock", "sendto")
ERRORS = (("pwrite64", "ENOSPC"), ("fdatasync", "EIO"), ("fsync", "EIO"), ("ftruncate", "EIO"))
failures = []


def check(good, what):
    if not good:
        failures.append(what)
        print("FAILED:", what, file=sys.stderr)


def alert(*arguments):
    return subprocess.run([ALERT, *arguments, "--config", "alert.yaml"], capture_output=True, text=True, timeout=60,
                          check=False)


def traced(call, number, how, *arguments):
    """Runs a command with one fault; (was the fault reached, the finished process)."""
    ran = subprocess.run(
        [STRACE, "-f", "-o", "trace", "-e", f"trace={call}", "-e", f"inject={call}:{how}:when={number}", ALERT,
         *arguments, "--config", "alert.yaml"], capture_output=True, text=True, timeout=60, check=False)
    with open("trace", encoding="ascii", errors="replace") as trace:
        lines = trace.read()
    return "INJECTED" in lines or "killed by SIGKILL" in lines, ran


REPORT = ("send", "--key", "new", "--no-flush", "--json", "new is down")


def prepare(receiver):
    """A spool with an old message that nobody has tried to deliver."""
    shutil.rmtree("spool", ignore_errors=True)
    shutil.copytree("template", "spool")
    receiver.requests.clear()


def keys(receiver):
    return [request.json["data"]["key"] for request in receiver.requests]


def after(receiver, what, may_repeat):
    """The same report and a flush: all has arrived, what has been told stays told."""
    check(alert(*REPORT).returncode == 0, f"{what}: the report fails afterwards")
    done = alert("flush", "--json")
    check(done.returncode == 0, f"{what}: the flush fails: {done.stderr}")
    got = keys(receiver)
    for key in ("old", "new"):
        count = got.count(key)
        check(count == 1 or (may_repeat and count == 2), f"{what}: {key} came {count} times")
    ids = {request.headers["webhook-id"] for request in receiver.requests}
    check(len(ids) == 2, f"{what}: repetitions cannot be told: {ids}")
    alert("flush", "--json")
    check(keys(receiver) == got, f"{what}: something is sent again and again")


def sweep(receiver, faults, command, least):
    points = 0
    for call, how in faults:
        for number in range(1, 100):
            prepare(receiver)
            hit, ran = traced(call, number, how, *command)
            if not hit:
                break
            points += 1
            what = f"{command[0]} with {how} at {call} {number}"
            if how.startswith("error"):
                check(ran.returncode == 0 or ran.stderr, f"{what}: silent failure")
            if command[0] == "send" and ran.returncode == 0:
                check("new" in alert("list").stdout, f"{what}: reported success and lost the message")
            after(receiver, what, command[0] == "flush")
    check(points >= least, f"only {points} places in {command[0]}: does strace work?")
    return points


with tempfile.TemporaryDirectory() as top:
    os.chdir(top)
    with Receiver() as receiver:
        with open("alert.yaml", "w", encoding="utf-8") as file:
            json.dump({"version": 1, "spool": os.path.abspath("spool"), "first_retry": "1s", "last_retry": "1s",
                       "targets": {"t": {"type": "webhook", "url": receiver.url}}}, file)
        check(alert("send", "--key", "old", "--no-flush", "old is down").returncode == 0, "the first report")
        shutil.move("spool", "template")
        kills = [(call, "signal=KILL") for call in CALLS]
        errors = [(call, f"error={error}") for call, error in ERRORS]
        print(sweep(receiver, kills, REPORT, 5), "kills in send,",
              sweep(receiver, kills, ("flush", "--json"), 8), "in flush,",
              sweep(receiver, errors, REPORT, 4), "failing calls in send,",
              sweep(receiver, errors, ("flush", "--json"), 4), "in flush")
    os.chdir("/")
print(f"{len(failures)} failures")
sys.exit(1 if failures else 0)

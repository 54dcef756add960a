#!/usr/bin/python3
"""10,000 spooled messages against a receiver that fails half the time: how many are lost, how many come twice.

  alert_bench.py [--messages N]     prints figures; the receiver is a thread of this program and takes its share
"""
import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from receiver import OK, Receiver  # noqa: E402
from tools import wgkit  # noqa: E402

ALERT = os.path.abspath(wgkit("alert"))
CHANCE = random.Random(1)
FAILURES = (("answer", 500, {}, ""), ("answer", 500, {}, ""), ("answer", 500, {}, ""), ("reset",))


def choose(_):
    return OK if CHANCE.random() < 0.5 else CHANCE.choice(FAILURES)


def run(messages):
    with tempfile.TemporaryDirectory() as top, Receiver(choose=choose) as receiver:
        os.chdir(top)
        with open("alert.yaml", "w", encoding="utf-8") as file:
            json.dump({"version": 1, "spool": f"{top}/spool", "first_retry": "1s", "last_retry": "2s",
                       "targets": {"t": {"type": "webhook", "url": receiver.url}}}, file)
        events = "\n".join(json.dumps({"key": f"k{i}", "summary": f"peer {i} is down"}) for i in range(messages))
        started = time.monotonic()
        subprocess.run([ALERT, "send", "--config", "alert.yaml", "--no-flush", "--events", "-"], input=events,
                       text=True, check=True)
        spooled = time.monotonic() - started
        started, rounds = time.monotonic(), 0
        while rounds < 20:
            rounds += 1
            ran = subprocess.run([ALERT, "flush", "--config", "alert.yaml", "--json", "--timeout", "60"],
                                 stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
            if ran.returncode == 0:
                break
        took = time.monotonic() - started
        taken = Counter(one.json["data"]["key"] for one in receiver.taken())
        answers = Counter(one.answer[0] + (f" {one.answer[1]}" if one.answer[0] == "answer" else "")
                          for one in receiver.requests)
        print(f"spooled {messages} messages in {spooled:.2f} s")
        print(f"delivered in {took:.1f} s by {rounds} flushes, {len(receiver.requests)} requests: {dict(answers)}")
        print(f"lost {messages - len(taken)}, taken more than once {sum(n > 1 for n in taken.values())}")
        os.chdir("/")
        return len(taken) == messages


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--messages", type=int, default=10_000)
sys.exit(0 if run(parser.parse_args().messages) else 1)

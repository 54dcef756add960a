#!/usr/bin/python3
"""wgkit net apply when a call fails, and when it is killed: at every message to the kernel or the engine, every program
that is started, every change of a file.

The next apply completes the work. With --confirm, whatever was done is undone, and what takes effect at boot is the old
file.
"""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tunnel"))
from apply_test import CONFIGS, settled  # noqa: E402
from bed import Bed, end_on_signals  # noqa: E402
from host import NAME, NET, Host, differences  # noqa: E402
from tools import need  # noqa: E402

STRACE = need("strace", "strace")
CALLS = ("sendto", "rename", "renameat2", "clone", "clone3", "vfork", "unlink", "flock")
# From a full tunnel to none with more peers, and back: all kinds of steps, in both directions.
BEFORE, AFTER = CONFIGS["full tunnel"], CONFIGS["more peers"]


def hit(host, words, call, fault, number):
    """Whether the call came at all, and what was said."""
    log = os.path.join(host.folder, "trace")
    said = host.call(STRACE, "-qq", "-o", log, "-e", f"trace={call}", "-e", f"inject={call}:{fault}:when={number}",
                     NET, *words, status=None)
    with open(log, encoding="utf-8", errors="replace") as file:
        text = file.read()
    return "INJECTED" in text or "+++ killed" in text, said


def every(host, words, fault, prepare):
    for call in CALLS:
        for number in range(1, 500):
            prepare()
            happened, said = hit(host, words, call, fault, number)
            if not happened:
                break
            yield f"{fault} at {call} number {number}", said
        else:
            raise AssertionError(f"{call} is never over")


class Sweep:
    def __init__(self, host):
        self.host = host
        self.files = {"before": host.write(BEFORE, "before"), "after": host.write(AFTER, "after")}
        self.states = {}
        path = host.write(BEFORE)
        host.net("up", path)
        for name in ("after", "before"):
            self.apply(name)
            self.states[name] = settled(host)

    def words(self, name, *options):
        return ("apply", self.files[name], "-i", NAME, "--allow-removals", "9", *options)

    def apply(self, name):
        self.host.call(NET, *self.words(name))

    def check(self, name, what):
        left = differences(self.states[name], settled(self.host))
        assert not left, f"{what}: not as {name}: {left}"

    def completes(self, start, end, fault):
        count = 0
        for what, said in every(self.host, self.words(end), fault, lambda: self.apply(start)):
            if fault.startswith("error") and "error: " not in said:
                self.check(end, f"{what}, which did without: {said}")
            self.apply(end)
            self.check(end, f"{start} -> {end}, {what}, then once more")
            count += 1
        return count

    def undoes(self):
        """Armed before the first change: without a change that waits, nothing has changed."""
        count = 0

        def waiting():
            return json.loads(self.host.call(NET, "confirm", "--list", "--json"))["changes"]

        def prepare():
            # A run that nothing has hit.
            if waiting():
                self.host.call(*self.host.confirm("--undo"))
        for what, _ in every(self.host, self.words("after", "--confirm", "600"), "signal=KILL", prepare):
            prepare()
            self.check("before", f"{what}, undone")
            count += 1
        prepare()
        return count


def main():
    end_on_signals()
    with Bed() as bed:
        sweep = Sweep(Host(bed))
        print("kills:", sweep.completes("before", "after", "signal=KILL"), flush=True)
        print("kills of the way back:", sweep.completes("after", "before", "signal=KILL"), flush=True)
        print("failures:", sweep.completes("before", "after", "error=EIO"), flush=True)
        sweep.apply("before")
        print("kills with --confirm:", sweep.undoes(), flush=True)
        sweep.host.net("down", sweep.host.write(BEFORE))
    print("ok")


if __name__ == "__main__":
    main()

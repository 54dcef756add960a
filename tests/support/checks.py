"""For tests that go on after a failure and tell all of them at their end."""

import socket
import sys

failures = []


def check(good, what):
    if not good:
        failures.append(what)
        print("FAILED:", what, file=sys.stderr)


class Bars:
    """What must hold; each is printed with its figure."""

    def __init__(self):
        self.failed = []

    def hold(self, good, what, figure):
        print(f"{'ok  ' if good else 'FAIL'}  {what}: {figure}", flush=True)
        if not good:
            self.failed.append(what)


def free_port(kind=socket.SOCK_STREAM):
    """One of this machine's that nobody listens on."""
    with socket.socket(socket.AF_INET, kind) as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]

"""The table of scenarios of a test file, and what runs it.

    @scenario
    def a_ping_comes_back(bed, engines): "One line that says what must hold."

    if __name__ == "__main__": main(__doc__)

Every file takes --engine COMMAND (under test) and --peer COMMAND (the other side). A scenario that
another engine is known to fail says so with `known`; for that engine alone it is reported, not counted.
Scenarios that follow each other and name the same `on` share what that function made, until one fails.
"""
import argparse
import contextlib
import dataclasses
import fnmatch
import os
import shlex
import sys
import time
import traceback
from typing import Callable, Optional

from bed import Bed, end_on_signals
from tools import need, wgkit

SCENARIOS = []


@dataclasses.dataclass
class Scenario:
    name: str
    text: str
    function: Callable
    on: Optional[Callable] = None  # (bed, engines) -> what the scenarios share
    known: dict = dataclasses.field(default_factory=dict)  # engine: why it fails
    slow: bool = False


@dataclasses.dataclass
class Engines:
    engine: str
    peer: str
    seconds: float = 0  # how long slow scenarios take; 0: as they need
    flavour: str = ""

    def sides(self):
        """Who is left and right: with itself, then with the peer in both roles."""
        return [(self.engine, self.engine), (self.engine, self.peer), (self.peer, self.engine)]


def scenario(function=None, *, name="", text="", on=None, known=None, slow=False):
    def add(function):
        SCENARIOS.append(Scenario(name or function.__name__, text or (function.__doc__ or "").strip(),
                                  function, on, known or {}, slow))
        return function
    return add(function) if function else add


def flavour(command):
    """Which engine a command starts, by its program's name."""
    program = os.path.basename(shlex.split(command)[0])
    if program in ("wireguard", "wireguard-go"):
        return "wireguard-go"
    return {"boringtun-cli": "boringtun"}.get(program, program)


def default_engine():
    """Ours; Debian's wireguard-go as long as there is none to test."""
    ours = wgkit("tunnel")
    return f"{os.path.abspath(ours)} -f" if os.access(ours, os.X_OK) else default_peer()


def default_peer():
    return need("wireguard-go", "wireguard-go") + " -f"


class Runner:
    def __init__(self, engines):
        self.engines = engines
        self.failed, self.known, self.passed = [], [], 0
        self.on, self.stack, self.shared = None, contextlib.ExitStack(), None

    def _prepare(self, one):
        """(bed, argument) for a scenario."""
        if one.on is None or one.on is not self.on:
            self._clear()
        if one.on is None:
            bed = self.stack.enter_context(Bed())
            return bed, bed
        if self.on is None:
            bed = self.stack.enter_context(Bed())
            self.shared = bed, one.on(bed, self.engines)
            self.on = one.on
        return self.shared

    def _clear(self):
        self.on = None
        stack, self.stack = self.stack, contextlib.ExitStack()
        stack.close()

    def run(self, one):
        begin, bed = time.monotonic(), None
        try:
            bed, argument = self._prepare(one)
            one.function(argument, self.engines)
            dead = [device for device in bed.devices if device.process and not device.is_alive() and not device.may_end]
            assert not dead, "ended by itself: " + ", ".join(f"{d.command} {d.name}" for d in dead)
            result = "ok"
            self.passed += 1
        except Exception as error:  # pylint: disable=broad-except
            reason = one.known.get(self.engines.flavour)
            result = "known" if reason else "FAILED"
            (self.known if reason else self.failed).append(one.name)
            text = str(error) if isinstance(error, AssertionError) and str(error) else traceback.format_exc()
            print(f"  {text.strip()}")
            if reason:
                print(f"  known of {self.engines.flavour}: {reason}")
            elif bed:
                print(bed.logs())
            self._clear()
        if one.on is None:
            self._clear()
        print(f"{result:6} {one.name:52} {time.monotonic() - begin:5.1f} s  {one.text}", flush=True)

    def close(self):
        self._clear()


def main(description, arguments=None):
    parser = argparse.ArgumentParser(description=description,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", metavar="COMMAND", help="under test; {} or the end is the name")
    parser.add_argument("--peer", metavar="COMMAND", help="the other side, default wireguard-go -f")
    parser.add_argument("--only", metavar="PATTERN", default="*", help="scenarios, as in a shell")
    parser.add_argument("--slow", action="store_true", help="only those that take minutes")
    parser.add_argument("--seconds", type=float, default=0, help="length of those, if not their own")
    parser.add_argument("--list", action="store_true", help="print the table and end")
    options = parser.parse_args(arguments)
    table = [one for one in SCENARIOS if fnmatch.fnmatch(one.name, options.only)
             and one.slow == options.slow]
    if options.list:
        for one in table:
            print(f"{one.name:52} {one.text}")
        return
    if not table:
        parser.error("no scenario has such a name")
    end_on_signals()
    engine = options.engine or default_engine()
    engines = Engines(engine, options.peer or default_peer(), options.seconds, flavour(engine))
    print(f"engine: {engines.engine}, peer: {engines.peer}")
    runner = Runner(engines)
    try:
        for one in table:
            runner.run(one)
    finally:
        runner.close()
    print(f"{runner.passed} passed, {len(runner.failed)} failed"
          + (f"; {len(runner.known)} known of {engines.flavour}: {' '.join(runner.known)}"
             if runner.known else "") + (f"; FAILED: {' '.join(runner.failed)}" if runner.failed else ""))
    sys.exit(1 if runner.failed else 0)

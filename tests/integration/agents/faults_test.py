#!/usr/bin/env python3
"""Agents killed at every change of a file and every message: nothing is lost, nobody is let in twice.

By hand: faults_test.py [NAME...]"""
import os
import subprocess
import sys

from nodes import AGENT, Fleet, reach_all, run_named, wait_for
from agents_test import has_second, key_of
from counted import Traffic
from tools import need

STRACE = need("strace", "strace")
FILES = ("write", "fsync", "rename", "unlink")
MESSAGES = ("sendto", "sendmsg", "connect")


def killing(node, call, number):
    """What to put before a command, so that it is killed at its NUMBERth CALL."""
    return [STRACE, "-qq", "-o", os.path.join(node.fleet.bed.folder, "trace"), "-e", f"trace={call}",
            "-e", f"inject={call}:signal=KILL:when={number}"]


def three(bed):
    fleet = Fleet(bed)
    fleet.publish()
    nodes = fleet.approved(["a", "b", "c"])
    reach_all(nodes, 60)
    return fleet, nodes


def test_join_killed_at_every_call(bed):
    """A join key for one node is enough, however often its machine dies while it joins."""
    fleet = Fleet(bed)
    fleet.publish()
    for call in FILES + MESSAGES:
        token = fleet.token("--count", "1")
        node = fleet.node(f"n-{call}")
        number, status = 0, None
        while status != 0:
            number += 1
            assert number < 200, f"{call} is never over"
            ran = node.run(*killing(node, call, number), AGENT, "join", token, "--dir", node.folder, "--name", node.name,
                           "--endpoint", f"{node.address}:51820", check=False, timeout=60)
            status = ran.returncode
            assert status == 0 or "error" not in ran.stderr, f"{call} {number}: {ran.stderr}"
        mine = [one for one in fleet.status()["nodes"] if one["name"] == node.name]
        assert len(mine) == 1 and len(mine[0]["addresses"]) == 1, mine
        print(f"join: {number - 1} kills at {call}", flush=True)
    assert not fleet.status()["refused"]
    taken = [key for key in fleet.store.keys("wgkit/corp/address/")]
    assert len(taken) == len(FILES + MESSAGES), taken


def test_agent_killed_at_every_call(bed):
    """An agent that begins on a machine that has just booted, killed at each of its calls in turn."""
    fleet, (a, b, c) = three(bed)
    revision = fleet.status()["revision"]
    wait_for("the state on disk", lambda: a.revision() == revision, 60, 0.1)
    for call in FILES + MESSAGES:
        number = 1
        while True:
            a.reboot()
            before = len(a.text())
            a.start(*killing(a, call, number))

            def over():
                return a.agent.poll() is not None or f"revision {revision} applied" in a.text()[before:]
            wait_for(f"an end of {call} {number}:\n{a.text()[-1000:]}", over, 60, 0.02)
            if a.agent.poll() is None:
                try:
                    a.agent.wait(1)  # what it tells the store
                except subprocess.TimeoutExpired:
                    break
            number += 1
            assert number < 200, f"{call} is never over"
        a.stop()
        a.start()
        fleet.wait_for_peers([a], 3)
        a.namespace.reach(b.inner, 60)
        print(f"agent: {number - 1} kills at {call}", flush=True)


def test_rotation_killed_at_every_call(bed):
    """In a rotation of keys each life of an agent gets one call further than the one before."""
    fleet, nodes = three(bed)
    a = nodes[0]
    with Traffic(nodes) as traffic:
        for call in FILES + MESSAGES:
            before = [key_of(node) for node in nodes]
            rotation = fleet.start("rotate", "--all", "--leave-behind", "--patience", "300")
            number = 0
            while rotation.poll() is None:
                if a.agent.poll() is None:
                    a.stop()
                number += 1
                a.start(*killing(a, call, number))
                wait_for(f"an end of {call} {number}:\n{a.text()[-1000:]}",
                         lambda: a.agent.poll() is not None or rotation.poll() is not None, 300, 0.02)
            assert rotation.returncode == 0
            if a.agent.poll() is None:
                a.stop()  # a kill would only reach the one who traces it
            a.start()
            after = [key_of(node) for node in nodes]
            assert not set(before) & set(after), (before, after)
            wait_for("the second devices' end", lambda: not any(has_second(node) for node in nodes), 60, 0.1)
            revision = fleet.status()["revision"]
            for node in nodes:
                wait_for(f"revision {revision} at {node.name}", lambda n=node: n.revision() == revision, 60, 0.1)
            print(f"rotation: {number - 1} kills at {call}", flush=True)
        report = traffic.stop()
    assert report["lost"] == 0, report


TESTS = [test_join_killed_at_every_call, test_agent_killed_at_every_call, test_rotation_killed_at_every_call]


if __name__ == "__main__":
    sys.exit(run_named(TESTS))

#!/usr/bin/env python3
"""Agents killed at every change of a file and every message, and stores that fail: nothing is lost, nobody is let in.

By hand: faults_test.py [NAME...]"""
import os
import subprocess
import sys

from nodes import AGENT, Bed, Fleet, end_on_signals, wait_for
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
    nodes = fleet.joined(["a", "b", "c"], fleet.token("--count", "3"))
    fleet.operate("approve")
    fleet.wait_for_peers(nodes, 3)
    for node in nodes:
        node.inner = fleet.overlay(node)
    for one in nodes:
        for other in nodes:
            if one is not other:
                one.namespace.reach(other.inner, 60)
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


def test_a_store_that_fails(bed):
    """Without quorum, with a member that is cut off, with certificates of somebody else."""
    fleet = Fleet(bed, members=3, tls=True, password="correct horse")
    store = fleet.store
    fleet.publish()
    a, b = nodes = fleet.joined(["a", "b"], fleet.token("--count", "2"))
    fleet.operate("approve")
    fleet.wait_for_peers(nodes, 2)
    for node in nodes:
        node.inner = fleet.overlay(node)
        wait_for("a user of its own", node.has_own_user, 60, 0.1)
    a.namespace.reach(b.inner, 60)
    with Traffic(nodes) as traffic:
        # A rolling restart of all members.
        for member in store.members:
            member.stop()
            member.start()
            store.wait()
        fleet.publish()
        revision = fleet.status()["revision"]
        for node in nodes:
            wait_for(f"revision {revision} at {node.name}", lambda n=node: n.revision() >= revision, 90, 0.1)

        # Two of three are dead: no change can be made, none is half made.
        for member in store.members[:2]:
            member.kill()
        fleet.write(Fleet.YAML % fleet.phone + "defaults: {keepalive: 21}\n")
        ran = fleet.publish(check=False, timeout=120)
        assert ran.returncode == 1 and "store" in ran.stderr, ran.stderr
        ran = fleet.node("late").join(fleet_token(fleet), check=False)
        assert ran.returncode == 1, ran.stderr
        for member in store.members[:2]:
            member.start()
        store.wait()
        fleet.publish()
        revision = fleet.status()["revision"]
        for node in nodes:
            wait_for(f"revision {revision} at {node.name}:\n{node.text()[-800:]}",
                     lambda n=node: n.revision() == revision, 90, 0.1)

        # A member that is cut off from the others, and that an agent listens to: it goes to another.
        cut = "add table inet cut; add chain inet cut i { type filter hook input priority 0; policy accept; };"
        fleet.hub.run("nft", cut + f" add rule inet cut i ip saddr {store.addresses[0]} tcp dport 2380 drop;"
                      f" add rule inet cut i ip daddr {store.addresses[0]} tcp dport 2380 drop")
        fleet.write(Fleet.YAML % fleet.phone + "defaults: {keepalive: 22}\n")
        wait_for("a majority", lambda: fleet.publish(check=False, timeout=120).returncode == 0, 120, 1)
        revision = fleet.status()["revision"]
        for node in nodes:
            wait_for(f"revision {revision} at {node.name}:\n{node.text()[-800:]}",
                     lambda n=node: n.revision() == revision, 120, 0.1)
        fleet.hub.run("nft", "delete table inet cut")
        report = traffic.stop()
    assert report["lost"] == 0, report

    # Certificates of somebody else: the agent says so, and goes on as it was.
    a.stop()
    ca = os.path.join(a.folder, "ca.pem")
    with open(ca, "w", encoding="ascii") as file:
        file.write(run_openssl_ca(bed))
    a.start()
    wait_for(f"a complaint:\n{a.text()[-800:]}", lambda: "certificate" in a.text()[-800:], 60, 0.1)
    a.namespace.reach(b.inner, 60)


def fleet_token(fleet):
    """The last one that was made; the store cannot make another now."""
    names = [name for name in os.listdir(fleet.bed.folder) if name.startswith("token")]
    return os.path.join(fleet.bed.folder, names[0])


def run_openssl_ca(bed):
    from bed import run
    key, cert = (os.path.join(bed.folder, name) for name in ("other.key", "other.pem"))
    run("openssl", "req", "-x509", "-newkey", "ed25519", "-nodes", "-keyout", key, "-out", cert, "-subj", "/O=other",
        "-days", "2")
    with open(cert, encoding="ascii") as file:
        return file.read()


TESTS = [test_join_killed_at_every_call, test_agent_killed_at_every_call, test_rotation_killed_at_every_call,
         test_a_store_that_fails]


def main():
    end_on_signals()
    failed = 0
    for test in TESTS:
        if sys.argv[1:] and test.__name__ not in sys.argv[1:]:
            continue
        with Bed() as bed:
            try:
                test(bed)
                print(f"ok {test.__name__}", flush=True)
            except AssertionError as error:
                failed += 1
                print(f"FAILED {test.__name__}: {error}", flush=True)
    return min(failed, 1)


if __name__ == "__main__":
    sys.exit(main())

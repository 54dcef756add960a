#!/usr/bin/env python3
"""Three machines that are configured by agents alone: join, talk, approve, revoke, reboot.

By hand: agents_test.py [NAME...]"""
import base64
import glob
import json
import os
import re
import sys
import urllib.error

from nodes import Bed, Fleet, end_on_signals, wait_for
from etcd import b64


def test_from_nothing_to_revoked(bed):
    fleet = Fleet(bed)
    fleet.publish()
    token = fleet.token("--tag", "edge", "--count", "3")
    a, b, c = fleet.joined(["a", "b", "c"], token)
    everybody = [a, b, c]
    fleet.wait_for_peers(everybody, 3)  # the others, and the phone
    addresses = {node.name: fleet.overlay(node) for node in everybody}
    for one in everybody:
        for other in everybody:
            if one is not other:
                one.namespace.reach(addresses[other.name], 30)

    # The same nodes, approved: nothing changes for the tunnels.
    assert fleet.operate("approve").stdout.split() == ["a", "b", "c"]
    revision = fleet.status()["revision"]
    for node in everybody:
        wait_for(f"revision {revision} at {node.name}", lambda n=node: n.revision() == revision, 30, 0.1)
    wait_for("all to say so", lambda: all(one["revision"] == revision for one in fleet.status()["nodes"]
                                          if one["agent"]), 30, 0.2)

    # Without the store: an agent that restarts and a machine that reboots.
    fleet.store.members[0].kill()
    a.stop()
    a.start()
    b.reboot()
    b.start()
    fleet.wait_for_peers([a, b], 3)
    b.namespace.reach(addresses["a"], 30)

    # Revoked, while one of the others is down.
    fleet.store.members[0].start()
    fleet.store.wait()
    b.stop()
    fleet.operate("revoke", "c")
    fleet.wait_for_peers([a], 2)
    wait_for("the revoked node to have no peers", lambda: not c.peers(), 30, 0.1)
    assert not a.namespace.ping(addresses["c"], check=False)
    b.start()
    fleet.wait_for_peers([b], 2)
    # And still so after a reboot, with the store away.
    wait_for("the state on disk", lambda: b.revision() == fleet.status()["revision"], 30, 0.1)
    fleet.store.members[0].kill()
    b.reboot()
    b.start()
    fleet.wait_for_peers([b], 2)
    fleet.store.members[0].start()
    fleet.store.wait()
    log = [line.split()[2] for line in fleet.operate("log").stdout.splitlines()]
    assert log == ["publish", "joinkey", "approve", "revoke"], log
    # The name is free for another machine, the address is not, and the old keys are of no use.
    again = fleet.node("c2")
    assert again.join(fleet.token(), name="c").stdout.split()[-1] not in addresses.values()
    assert c.join(token, name="d", check=False).returncode == 1


def test_a_store_that_lies(bed):
    fleet = Fleet(bed)
    store = fleet.store
    fleet.publish()
    first = {key: store.get(key) for key in ("wgkit/corp/pub/snapshot",)}
    a, b = fleet.joined(["a", "b"], fleet.token("--count", "2"))
    fleet.operate("approve")
    good = store.get("wgkit/corp/pub/snapshot")
    revision = fleet.status()["revision"]
    for node in (a, b):
        wait_for("the approved state", lambda n=node: n.revision() == revision, 30, 0.1)
    peers = a.peers()
    assert len(peers) == 2, peers

    def refused(snapshot, words):
        before = len(a.text())
        store.put("wgkit/corp/pub/snapshot", snapshot)
        wait_for(f"'{words}' in the agent's log:\n{a.text()[-1500:]}", lambda: words in a.text()[before:], 30, 0.1)
        assert a.peers() == peers

    refused("rubbish", "not a signed document")
    refused(first["wgkit/corp/pub/snapshot"], "an older state")
    envelope = json.loads(good)
    forged = base64.b64decode(envelope["payload"]).replace(b'"revoked":[]', b'"revoked":["x"]')
    refused(json.dumps(envelope | {"payload": base64.b64encode(forged).decode()}), "0 of 1 signatures")
    # The operator is not led back, either.
    store.put("wgkit/corp/pub/snapshot", first["wgkit/corp/pub/snapshot"])
    ran = fleet.publish(check=False)
    assert ran.returncode == 1 and "an older state" in ran.stderr, ran.stderr
    # Everything gone, and an agent that starts then: the last state is on disk.
    for key in store.keys("wgkit/corp/pub/"):
        store.call("/v3/kv/deleterange", {"key": b64(key)})
    a.stop()
    a.start()
    wait_for("the state from disk", lambda: f"revision {revision} from disk" in a.text(), 30, 0.1)
    assert a.peers() == peers


def test_three_members(bed):
    fleet = Fleet(bed, members=3, tls=True, password="correct horse")
    store = fleet.store
    fleet.publish()
    token = fleet.token("--count", "2")
    a, b = fleet.joined(["a", "b"], token)
    fleet.operate("approve")
    own = [wait_for("a user of its own", lambda n=node: glob.glob(os.path.join(n.folder, "*node*.password")), 60, 0.2)[0]
           for node in (a, b)]

    # No node writes what is another's, or reads another's secret.
    with open(own[0], encoding="ascii") as file:
        session = store.login("wgkit-corp-node-a", file.read().strip())
    store.put("wgkit/corp/hint/node/a", "mine", session)
    for key in ("hint/node/b", "pub/snapshot", "admission/x/y", "audit/00000001", "secret/a"):
        refused(lambda k=key: store.put("wgkit/corp/" + k, "x", session))
    refused(lambda: store.get("wgkit/corp/secret/b", session))
    assert store.get("wgkit/corp/secret/a", session)

    # A member is killed during many changes.
    start = fleet.status()["revision"]
    for change in range(12):
        if change == 4:
            store.members[0].kill()
        if change == 8:
            store.members[0].start()
        fleet.write(Fleet.YAML % fleet.phone + f"defaults: {{keepalive: {20 + change}}}\n")
        fleet.publish()
    for node in (a, b):
        wait_for(f"the last state at {node.name}:\n{node.text()[-1500:]}",
                 lambda n=node: n.revision() == start + 12, 60, 0.1)
        applied = [int(number) for number in re.findall(r"revision (\d+) applied", node.text())]
        assert applied == sorted(applied), applied
    log = json.loads(fleet.operate("log", "--json").stdout)["entries"]
    assert [one["number"] for one in log] == list(range(1, len(log) + 1))
    assert [one["action"] for one in log].count("publish") == 13

    # Compaction of what an agent has not read yet.
    root = store.login("root", "correct horse")
    a.stop()
    fleet.write(Fleet.YAML % fleet.phone)
    fleet.publish()
    header = store.call("/v3/kv/range", {"key": b64("x")}, root)["header"]
    store.call("/v3/kv/compaction", {"revision": header["revision"], "physical": True}, root)
    a.start()
    wait_for("the state after compaction", lambda: a.revision() == start + 13, 60, 0.1)

    # A revoked node's user is gone.
    fleet.operate("revoke", "a")
    fleet.wait_for_peers([b], 1)
    with open(own[0], encoding="ascii") as file:
        password = file.read().strip()
    refused(lambda: store.login("wgkit-corp-node-a", password))


def refused(act):
    try:
        act()
    except urllib.error.HTTPError:
        return
    raise AssertionError("the store allowed it")


def test_joining_that_must_fail(bed):
    fleet = Fleet(bed)
    fleet.publish()
    token = fleet.token("--count", "1")
    a, = fleet.joined(["a"], token)
    other = fleet.node("b")

    def fails(words, with_token=token, node=other, name=None):
        ran = node.join(with_token, name, check=False)
        assert ran.returncode == 1 and words in ran.stderr, ran.stderr

    fails("its join key was used as often as it may be")
    fails("the network has a node 'phone' already", name="phone")
    assert a.join(token).returncode == 0  # again: nothing to do
    fails("already a in corp", name="c", node=a)
    broken = os.path.join(bed.folder, "broken")
    with open(os.open(broken, os.O_CREAT | os.O_WRONLY, 0o600), "w", encoding="ascii") as file:
        file.write("wgkit-join-1.AAAA\n")
    fails("join token", with_token=broken)
    os.chmod(broken, 0o644)
    fails("others", with_token=broken)
    key = fleet.status()["join_keys"][0]["id"]
    fleet.operate("revoke", "--join-key", key)
    fails("the join key is unknown or revoked")
    fleet.wait_for_peers([a], 0)  # it was never approved
    ran = fleet.operate("revoke", "nobody", check=False)
    assert ran.returncode == 1 and "no node 'nobody'" in ran.stderr, ran.stderr
    ran = fleet.operate("joinkey", "--pool", "10.99.0.0/24", check=False)
    assert ran.returncode == 1 and "is not inside of the network's" in ran.stderr, ran.stderr
    ran = fleet.operate("init", "--store", fleet.store.url, "--network", "corp", check=False,
                        home=os.path.join(bed.folder, "thief"))
    assert ran.returncode == 1 and "of other operators" in ran.stderr, ran.stderr
    fleet.store.members[0].kill()
    fails("store", name="late")


TESTS = [test_from_nothing_to_revoked, test_joining_that_must_fail, test_a_store_that_lies, test_three_members]


def main():
    end_on_signals()
    failed = 0
    for test in TESTS:
        if sys.argv[1:] and test.__name__ not in sys.argv[1:]:
            continue
        with Bed() as bed:
            try:
                test(bed)
                print(f"ok {test.__name__}")
            except AssertionError as error:
                failed += 1
                print(f"FAILED {test.__name__}: {error}")
    return min(failed, 1)


if __name__ == "__main__":
    sys.exit(main())

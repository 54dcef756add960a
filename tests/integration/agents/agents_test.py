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

from nodes import Fleet, reach_all, run_named, wait_for
from counted import Traffic
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


def key_of(node, device="wg0"):
    return node.run("wg", "show", device, "public-key").stdout.strip()


def has_second(node):
    return "wg0-2" in node.namespace.run("ip", "-o", "link").stdout


def test_new_keys(bed):
    """Rotations under numbered packets: one that nobody disturbs, one whose agents are killed and whose store
    goes away, one that is withdrawn, one in the middle of which a node is revoked."""
    fleet = Fleet(bed)
    fleet.publish()
    a, b, c = everybody = fleet.approved(["a", "b", "c"])
    reach_all(everybody, 60)
    ran = fleet.operate("rotate", "--all", check=False)
    assert ran.returncode == 1 and "phone would lose the tunnel" in ran.stderr, ran.stderr
    with Traffic(everybody) as traffic:
        before = [key_of(node) for node in everybody]
        fleet.operate("rotate", "--leave-behind", "a", timeout=300)
        after = [key_of(node) for node in everybody]
        assert after[0] != before[0] and after[1:] == before[1:], (before, after)

        # All of them; agents are killed at any moment, and the store is gone for a while.
        rotation = fleet.start("rotate", "--all", "--leave-behind")
        wait_for("the second devices", lambda: all(has_second(node) for node in everybody), 120, 0.05)
        a.kill()
        a.start()
        wait_for("peers on them", lambda: b.run("wg", "show", "wg0-2", "peers", check=False).stdout.strip(), 120, 0.02)
        fleet.store.members[0].kill()
        b.kill()
        b.start()
        fleet.store.members[0].start()
        fleet.store.wait()
        if rotation.wait(300) != 0:  # the store was away from the operator, too
            fleet.operate("rotate", "--all", "--leave-behind", timeout=300)
        last = [key_of(node) for node in everybody]
        assert not set(last) & set(after), (after, last)
        wait_for("the second devices' end", lambda: not any(has_second(node) for node in everybody), 120, 0.1)
        revision = fleet.status()["revision"]
        for node in everybody:
            wait_for(f"revision {revision} at {node.name}:\n{node.text()[-1500:]}",
                     lambda n=node: n.revision() == revision, 60, 0.1)
        report = traffic.stop()
    assert report["lost"] == 0, report

    # One agent is down: nobody changes anything.
    c.stop()
    ran = fleet.operate("rotate", "--all", "--leave-behind", "--patience", "3", check=False)
    assert ran.returncode == 1 and "c made no new keys" in ran.stderr, ran.stderr
    wait_for("the second devices' end", lambda: not has_second(a) and not has_second(b), 60, 0.1)
    assert [key_of(node) for node in everybody] == last
    c.start()

    # One vanishes when all have begun, and is revoked: the others end without it.
    rotation = fleet.start("rotate", "--all", "--leave-behind")
    wait_for("the second devices", lambda: all(has_second(node) for node in everybody), 120, 0.05)
    c.kill()
    wait_for("peers on them", lambda: a.run("wg", "show", "wg0-2", "peers", check=False).stdout.strip(), 120, 0.02)
    fleet.operate("revoke", "c")
    assert rotation.wait(300) == 0
    keys = [key_of(node) for node in (a, b)]
    assert not set(keys) & set(last), (last, keys)
    fleet.wait_for_peers([a, b], 2)
    a.namespace.reach(b.inner, 60)
    # And after a reboot without the store all is as it was.
    fleet.store.members[0].kill()
    a.reboot()
    a.start()
    a.namespace.reach(b.inner, 60)
    assert key_of(a) == keys[0]


def test_waves(bed):
    """A change through the fleet in waves: one that is well, one that the first node is not well with, one whose node
    does not answer, one whose operator is killed."""
    fleet = Fleet(bed)
    fleet.publish()
    a, b, c = everybody = fleet.approved(["a", "b", "c"])
    for node in (b, c):
        a.namespace.reach(node.inner, 60)
        node.namespace.reach(a.inner, 60)

    def keepalives(node):
        ran = node.run("wg", "show", "wg0", "persistent-keepalive")
        return {line.split()[1] for line in ran.stdout.splitlines()}

    def wanted(keepalive, more=""):
        fleet.write(Fleet.YAML % fleet.phone + f"defaults: {{keepalive: {keepalive}}}\n" + more)

    assert fleet.operate("plan", fleet.nodes_yaml).returncode == 0
    wanted(21)
    plan = fleet.operate("plan", fleet.nodes_yaml, check=False)
    assert plan.returncode == 2 and "3 agents have something to change" in plan.stdout, plan.stdout
    ran = fleet.operate("apply", fleet.nodes_yaml, "--wave", "1")
    assert [line.split(": ")[2] for line in ran.stderr.splitlines()] == ["a", "b", "c"], ran.stderr
    for node in everybody:
        wait_for("the change", lambda n=node: keepalives(n) == {"21"}, 30, 0.1)
    assert fleet.operate("plan", fleet.nodes_yaml).returncode == 0

    # The first node cannot make it: the others never hear of it.
    good = fleet.status()["revision"]
    wanted(22)
    fleet.write(open(fleet.nodes_yaml, encoding="utf-8").read().replace("keepalive: 22", "keepalive: 22, interface: wg1"))
    a.namespace.ip("tuntap add wg1 mode tun")
    ran = fleet.operate("apply", fleet.nodes_yaml, check=False)
    assert ran.returncode == 1 and "a: went back: wg1 exists and is not the agent's" in ran.stderr, ran.stderr
    assert keepalives(a) == keepalives(b) == keepalives(c) == {"21"}
    a.namespace.reach(b.inner, 60)
    assert fleet.status()["revision"] == good + 2
    wanted(22)

    # An agent that is down: its wave is not well, and all go back.
    b.stop()
    ran = fleet.operate("apply", fleet.nodes_yaml, "--patience", "3", "--wave", "1", check=False)
    assert ran.returncode == 1 and "b did not answer" in ran.stderr, ran.stderr
    wait_for("the old state", lambda: keepalives(a) == {"21"}, 30, 0.1)
    assert keepalives(c) == {"21"}

    # An operator who is killed after the first wave; meanwhile somebody else publishes and a node is revoked.
    process = fleet.start("apply", fleet.nodes_yaml, "--wave", "1", "--patience", "60")
    wait_for("the first wave", lambda: keepalives(a) == {"22"}, 60, 0.05)
    process.kill()
    process.wait()
    assert keepalives(c) == {"21"}
    ran = fleet.publish(check=False)
    assert ran.returncode == 1 and "from wave to wave" in ran.stderr, ran.stderr
    key = key_of(b)
    fleet.operate("revoke", "b")
    for node in (a, c):
        wait_for("the revoked node's end", lambda n=node: key not in n.peers(), 30, 0.05)
    assert keepalives(c) == {"21"}
    fleet.operate("apply", fleet.nodes_yaml)
    for node in (a, c):
        wait_for("the change", lambda n=node: keepalives(n) == {"22"}, 30, 0.1)
    log = [line.split()[2] for line in fleet.operate("log").stdout.splitlines()]
    assert log.count("apply-withdraw") == 2 and log[-1] == "apply", log


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


TESTS = [test_from_nothing_to_revoked, test_joining_that_must_fail, test_a_store_that_lies, test_new_keys,
         test_waves, test_three_members]


if __name__ == "__main__":
    sys.exit(run_named(TESTS))

#!/usr/bin/python3
"""A revoked node is out everywhere, also where nobody could be reached at first, and nothing brings it back."""
import json
import os
import signal
import sys
import time

from hosts import Bed, Site, end_on_signals


def has_peer(host, key):
    return key in host.run("wg", "show", "wg0", "peers").stdout, key in host.read("/etc/wireguard/wg0.conf")


def refuses_what_was_tampered_with(operator):
    assert "unbroken" in operator.fleet("log", "verify").stdout
    path = operator.file("fleet/log")
    whole = open(path, encoding="utf-8").read()
    lines = whole.splitlines(keepends=True)
    assert len(lines) >= 3, whole
    for broken in (whole.replace("n2", "n3", 1), "".join(lines[1:]), "".join([lines[0], *lines[2:]]),
                   "".join([lines[1], lines[0], *lines[2:]])):
        with open(path, "w", encoding="utf-8") as file:
            file.write(broken)
        said = operator.fleet("log", "verify", status=1).stderr
        assert "fleet/log:" in said, said
    # A line that a kill cut off was never told to anybody: it is replaced.
    with open(path, "w", encoding="utf-8") as file:
        file.write(whole + lines[0][:20])
    assert "unbroken" in operator.fleet("log", "verify").stdout
    with open(path, "w", encoding="utf-8") as file:
        file.write(whole)


def main():
    end_on_signals()
    with Bed() as bed:
        site = Site(bed, 4)
        keys, _ = site.make_mesh()
        one, two, three, four = site.hosts
        operator = site.operator
        operator.fleet("import", *site.names())
        gone = keys["n2"][1]
        one.ping(two.inner)
        four.stop_sshd()

        began = time.monotonic()
        said = operator.fleet("revoke", "n2", "--wait", "0", "--connect-timeout", "2", status=1)
        print(f"revoked on those that were reached after {time.monotonic() - began:.2f} s")
        assert "n4" in said.stdout + said.stderr, said
        for host in (one, three):
            assert has_peer(host, gone) == (False, False), host.name
            assert gone in host.read("/etc/wgkit/revoked")
        assert has_peer(four, gone) == (True, True)
        assert not one.ping(two.inner, check=False) and not two.ping(one.inner, check=False)
        assert one.ping(three.inner)
        nodes = open(operator.file("nodes.yaml"), encoding="utf-8").read()
        lock = open(operator.file("nodes.lock.yaml"), encoding="utf-8").read()
        assert "name: n2" not in nodes and "name: n3" in nodes, nodes
        assert two.inner in lock.split("tombstones")[1], lock

        # A reboot does not bring it back.
        one.reboot(after=["wg0"])
        assert has_peer(one, gone) == (False, False)
        # Killed while it goes on; then the next one completes it.
        again = operator.start_fleet("revoke", "--wait", "60")
        time.sleep(0.5)
        again.send_signal(signal.SIGKILL)
        again.wait(10)
        four.start_sshd()
        four.wait_for_sshd()
        operator.fleet("revoke", "--wait", "20")
        assert has_peer(four, gone) == (False, False)
        assert "no revocation is pending" in operator.fleet("revoke").stderr

        # Its own plan has no change left, and a file that has it is refused.
        assert all(row["state"] == "ok" for row in operator.json("status")["nodes"])
        with open(operator.file("nodes.yaml"), "a", encoding="utf-8") as file:
            file.write(f"  - name: back\n    ipv4: 10.44.0.99\n    managed: false\n    public_key: {gone}\n")
        said = operator.fleet("apply", status=1)
        assert "is revoked" in said.stderr, said.stderr
        for host in (one, three, four):
            assert has_peer(host, gone) == (False, False), host.name
        refuses_what_was_tampered_with(operator)
        entries = json.loads(operator.fleet("log", "--json").stdout)["entries"]
        assert [entry["action"] for entry in entries].count("revoke") >= 3, entries
        assert os.stat(operator.file("fleet/log")).st_mode & 0o777 == 0o644


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/python3
"""New keys over ssh, node by node, under counted traffic: one node hears of every step 200 ms late, and the operator
is killed again and again. The next run goes on, all keys are new in the end, and nothing is lost."""
import json
import os
import signal
import subprocess
import sys

from hosts import BIN, Bed, Site, end_on_signals, reach_all, wait_for
from counted import Traffic

LATE = f"#!/bin/sh\nsleep 0.2\nexec {BIN}/wgkit \"$@\"\n"
KILLED_AFTER = (0.3, 0.4, 0.5, 0.7, 1, 2)  # seconds; in all less than a rotation takes where nothing else runs


def hears_late(host):
    path = os.path.join(host.folder, "bin/wgkit")
    os.remove(path)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o755), "w", encoding="utf-8") as file:
        file.write(LATE)


def keys(site):
    return {host.name: host.device()["publicKey"] for host in site.hosts}


def begun(operator):
    path = operator.file("fleet/state.json")
    if not os.path.exists(path):
        return False
    with open(path, encoding="utf-8") as file:
        state = json.load(file)
    return bool(state["rotating"] or state["toRotate"])


def settled(site):
    """The next run ends well, at the latest once the nodes have ended what the killed one asked of them."""
    wait_for("the end of the rotation", lambda: site.operator.fleet("rotate", "--quiet", "1", status=None,
                                                                     timeout=300).returncode == 0, 300, 0.5)
    rows = site.operator.json("status")["nodes"]
    assert all(row["state"] == "ok" for row in rows), rows


def main():
    end_on_signals()
    with Bed() as bed:
        site = Site(bed, 3)
        site.make_mesh()
        operator = site.operator
        operator.fleet("import", *site.names())
        hears_late(site.hosts[1])
        reach_all(site.hosts)
        before = keys(site)
        killed = 0
        with Traffic(site.hosts) as traffic:
            for after in KILLED_AFTER:
                running = operator.start_fleet("rotate", *([] if killed else ["--all"]), "--quiet", "1",
                                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                if not killed:
                    wait_for("the first step", lambda: begun(operator), 60)
                try:
                    if running.wait(after) == 0:
                        break
                except subprocess.TimeoutExpired:
                    running.send_signal(signal.SIGKILL)
                    running.wait(10)
                    killed += 1
            if begun(operator):
                settled(site)
            report = traffic.stop()
        after = keys(site)
        assert killed >= 3, f"the operator was killed {killed} times only"
        assert not set(before.values()) & set(after.values()), (before, after)
        assert report["lost"] == 0, report
        print(f"the operator was killed {killed} times: lost 0 of {report['sent']}")
        # A change of preshared keys and all, from both ends 200 ms apart.
        with Traffic(site.hosts) as traffic:
            operator.fleet("rotate", "--all", "--at-once", "3", "--quiet", "1", timeout=300)
            report = traffic.stop()
        assert report["lost"] == 0, report
        assert not set(after.values()) & set(keys(site).values())


if __name__ == "__main__":
    sys.exit(main())

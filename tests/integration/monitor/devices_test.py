#!/usr/bin/python3
"""devices_test.py: wgkit-monitor on real devices: what it sees, whom it calls unreachable, what it never tells."""
import json
import os
import stat
import sys
import time
from subprocess import DEVNULL

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "tunnel")]
from bed import Bed, end_on_signals, run  # noqa: E402
from pairs import PORT, RIGHT4, veth_pair  # noqa: E402
from tools import need, wgkit  # noqa: E402

MONITOR = wgkit("monitor")


def monitor(*words, status=0, **options):
    """What it printed. `status` is one that is expected, or several."""
    ran = run(MONITOR, *words, check=False, timeout=60, **options)
    wanted = status if isinstance(status, tuple) else (status,)
    assert ran.returncode in wanted, f"status {ran.returncode}, not {status}: {ran.stdout}{ran.stderr}"
    return ran.stdout


def main():
    engine = wgkit("tunnel") + " -f"
    if not os.path.exists(wgkit("tunnel")):
        engine = need("wireguard-go", "wireguard-go") + " -f"
    with Bed() as bed:
        healthy, cut = (veth_pair(bed, engine, engine, psk=True) for _ in range(2))
        for pair in (healthy, cut):
            pair.left.device.peer(pair.right.public, "persistent-keepalive", "25")
            pair.left.namespace.reach(RIGHT4)
            bed.process(pair.left.namespace.start("ping", "-n", "-q", "-i", "5", RIGHT4, stdout=DEVNULL))
        names = [side.device.name for pair in (healthy, cut) for side in (pair.left, pair.right)]
        state = os.path.join(bed.folder, "state", "monitor.state")
        only = [word for name in names for word in ("--interface", name)]
        table = monitor("--all", "--state", state, *only)
        assert table.count("\nup ") == 4, table
        assert monitor("--state", state, *only) == "", "all is well, and yet something was printed"

        for side in (cut.left, cut.right):
            side.namespace.nft("add table inet cut\n"
                               "add chain inet cut in { type filter hook input priority 0; }\n"
                               f"add rule inet cut in udp dport {PORT} drop")
        time.sleep(10)  # not waiting for anything: the second look shall come 26 s after the cut
        lines = monitor("--no-state", "--interval", "16", *only, status=2).splitlines()
        assert any(cut.right.public in line and "is unreachable" in line for line in lines), lines
        assert not any(healthy.right.public in line or healthy.left.public in line for line in lines), lines
        # The same by the state file, whose last look was before the cut: at once or, where bytes can be read in two
        # ways, by a later look within the minute that the manual gives it. Never is the other peer suspected.
        end = time.monotonic() + 60
        while True:
            told = json.loads(monitor("--state", state, "--format", "json", *only, status=(0, 2)))
            states = {peer["publicKey"]: peer["state"] for peer in told["peers"]}
            assert states[healthy.right.public] == "up", states
            if states[cut.right.public] == "unreachable":
                break
            assert states[cut.right.public] == "up" and time.monotonic() < end, told
            time.sleep(5)
        assert told["level"] == "critical", told

        # A host whose firewall drops what comes out of the tunnel has a healthy session and no data: only a probe tells.
        host, other = healthy.left, healthy.right
        other.namespace.nft("add table inet deaf\n"
                            "add chain inet deaf in { type filter hook input priority 0; }\n"
                            f"add rule inet deaf in iifname {other.device.name} drop")
        inside = ("--netns", host.namespace.name, "--interface", host.device.name, "--no-state")
        assert monitor(*inside) == "", "without a probe nothing is known"
        told = json.loads(monitor(*inside, "--probe", "--format", "json", status=2))
        assert [(peer["state"], peer["probe"], peer["level"]) for peer in told["peers"]] \
            == [("no-data", "unanswered", "critical")], told
        other.namespace.nft("delete table inet deaf")
        config = os.path.join(bed.folder, "monitor.yaml")
        for wish, probe in (("true", "answered"), (RIGHT4, "answered"), ("fd00::2", "answered"), ("false", None)):
            with open(config, "w", encoding="utf-8") as file:
                file.write(f"version: 1\npeers:\n  {other.public}: {{probe: {wish}}}\n")
            told = json.loads(monitor(*inside, "--config", config, "--format", "json"))
            assert [(peer["state"], peer["probe"]) for peer in told["peers"]] == [("up", probe)], (wish, told)
        with open(config, "w", encoding="utf-8") as file:
            file.write("version: 1\ntags:\n  servers: {probe: 10.0.0.1}\n")
        refused = run(MONITOR, "--config", config, *inside, check=False)
        assert refused.returncode == 3 and f"{config}:3:20: error" in refused.stderr, refused

        # In namespaces of their own, where they are seen only if asked for.
        moved = healthy.left
        bed_name = moved.namespace.name
        inside = json.loads(monitor("--no-state", "--netns", bed_name, "--format", "json",
                                    "--interface", moved.device.name))
        assert [peer["netns"] for peer in inside["peers"]] == [bed_name], inside
        monitor("--no-state", "--netns", "no-such-namespace", status=3)

        # No secret anywhere, and the state is for the group only.
        with open(state, encoding="utf-8") as file:
            kept = file.read()
        assert stat.S_IMODE(os.stat(state).st_mode) == 0o640
        outputs = kept + table + "".join(lines) + json.dumps(told)
        for pair in (healthy, cut):
            for secret in (pair.left.device.private, pair.right.device.private, pair.psk):
                assert secret and secret not in outputs, "a secret was kept or told"


if __name__ == "__main__":
    end_on_signals()
    main()

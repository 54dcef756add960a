#!/usr/bin/python3
"""wgkit net rotate given up after each of its steps, at one end or both: the old keys and files are back, and no
datagram was lost. And after a reboot of one end it goes on."""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tunnel"))
from bed import Bed, end_on_signals  # noqa: E402
from ends import check_new, exchange, goes_back, skewed, stream_between, two_ends, wait_for  # noqa: E402

STEPS = ("switch", "rekey", "return")


def aborts(bed):
    one, two = two_ends(bed)
    for count in range(len(STEPS) + 1):
        done = [(step, (1, 2)) for step in STEPS[:count]]
        goes_back(bed, one, two, done)
        if count < len(STEPS):
            goes_back(bed, one, two, done + [(STEPS[count], (2,))])


def reboots(bed):
    """One end's devices and routes are gone, its files are as they were: it goes on from there."""
    one, two = two_ends(bed)
    for count in range(1, len(STEPS) + 1):
        texts = one.text(), two.text()
        exchange(one, two)
        for step in STEPS[:count]:
            skewed((one, two), step, "--quiet", "1")
        for name in (one.name, one.second):
            one.space.ip(f"link del {name}")
            wait_for("the engine's end", lambda: not os.path.exists(f"/var/run/wireguard/{name}.sock"))
        one.up()
        skewed((one, two), "run", "--quiet", "0")
        one.public, two.public = check_new(one, two, texts[0]), check_new(two, one, texts[1])
        one.private, two.private = one.dump()[0][0], two.dump()[0][0]
        one.space.reach(two.inside)  # the first packets find out that the sessions are gone, as ever
        two.space.reach(one.inside)
        stream = stream_between(one, two)
        time.sleep(0.5)
        stream.check(f"after a reboot after {STEPS[count - 1]}")


def main():
    end_on_signals()
    for scenario in (reboots, aborts):
        with Bed() as bed:
            scenario(bed)
        print(scenario.__name__, "ok", flush=True)


if __name__ == "__main__":
    main()

#!/usr/bin/python3
"""wgkit net rotate killed at every message to the kernel or an engine, every program that is started, every change
of a file. Going on ends with all of the new keys, giving up with all of the old ones; no datagram is lost. Where the
private key has a file of its own, a boot finds both files old or both new."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tunnel"))
from bed import Bed, end_on_signals  # noqa: E402
from ends import NET, check_new, differ, make_psk, settled, stream_between, two_ends, wait_for  # noqa: E402
from sandbox import CLONE_NEWNS, LIBC, MS_PRIVATE, MS_REC, must  # noqa: E402
from tools import need  # noqa: E402

STRACE = need("strace", "strace")
CALLS = ("sendto", "sendmsg", "connect", "write", "rename", "unlink", "fsync", "clone", "clone3", "vfork")
FINAL = ("--quiet", "0", "--timeout", "60")


def killed(end, step, call, number, *options):
    """Whether it was; else it has done its work."""
    log = os.path.join(end.folder, "trace")
    process = end.start(STRACE, "-qq", "-o", log, "-e", f"trace={call}", "-e",
                        f"inject={call}:signal=KILL:when={number}", NET, "rotate", step, end.path, *options,
                        "--state", end.state)
    said = end.end(process, None)
    with open(log, encoding="utf-8", errors="replace") as file:
        was = "+++ killed" in file.read()
    assert was or process.returncode == 0, f"{step} after a kill at {call} {number}: {said}"
    return was


def sweep(end, step, *options):
    """Killed at each call in turn, until it is through; how often."""
    count = 0
    for call in CALLS:
        number = 1
        while killed(end, step, call, number, *options):
            number += 1
            count += 1
            assert number < 1000, f"{step}: {call} is never over"
    return count


def rotate(one, two, psk, step_of_one):
    """Both ends through all steps; `step_of_one` does those of the first."""
    step_of_one("prepare")
    offers = one.prepare(), two.prepare()
    step_of_one("accept", offers[1], "--preshared-key", psk)
    two.rotate("accept", offers[0], "--preshared-key", psk)
    for step in ("switch", "rekey", "return", "finish"):
        if step == "finish":
            two.rotate(step, "--quiet", "1")
            step_of_one(step, *FINAL)
        else:
            step_of_one(step, *FINAL)
            two.rotate(step, "--quiet", "1") if step != "return" else two.rotate(step)


def psk_file(bed):
    path = os.path.join(bed.folder, "psk")
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as file:
        psk = make_psk()
        file.write(psk)
    return path, psk


def goes_on(bed):
    one, two = two_ends(bed, psk=make_psk())
    texts = one.text(), two.text()
    path, psk = psk_file(bed)
    stream = stream_between(one, two, 100)
    counts = {}

    def step_of_one(step, *options):
        # What waits for the other end lets it do its part first.
        if step in ("rekey",):
            two.rotate("switch")
        if step == "return":
            two.rotate("rekey", "--quiet", "1")
        counts[step] = sweep(one, step, *options)
    rotate(one, two, path, step_of_one)
    stream.check(f"killed {counts}")
    check_new(one, two, texts[0], psk)
    check_new(two, one, texts[1], psk)


def gives_up(bed):
    """Killed once in each step, at every so manieth call; then both ends abort."""
    one, two = two_ends(bed, psk=make_psk())
    before = settled(one, two)
    path, _ = psk_file(bed)
    count = 0
    for step in sys.argv[2:3] or ("prepare", "accept", "switch", "rekey", "return"):
        for call in sys.argv[3:4] or CALLS:
            for number in range(int((sys.argv[4:5] or [1])[0]), 1000, 4):
                stream = stream_between(one, two, 100)
                was = dies_in(one, two, path, step, call, number)
                for end in (one, two):
                    if end.status()["phase"]:
                        end.rotate("abort")
                both = [(end, end.step("run", "--quiet", "0")) for end in (one, two) if end.status()["phase"]]
                for end, process in both:
                    end.end(process)
                stream.check(f"{step} killed at {call} {number}", least=1)
                differ(before, settled(one, two), f"{step}, {call} {number}")
                count += was
                if not was:
                    break
    print("given up after kills:", count)


def dies_in(one, two, psk, last, call, number):
    """Both ends on their way, until the first dies in the step `last`."""
    if last == "prepare":
        return killed(one, "prepare", call, number)
    offers = one.prepare(), two.prepare()
    if last == "accept":
        return killed(one, "accept", call, number, offers[1], "--preshared-key", psk)
    one.rotate("accept", offers[1], "--preshared-key", psk)
    two.rotate("accept", offers[0], "--preshared-key", psk)
    for step in ("switch", "rekey", "return"):
        if step == last:
            if step == "return":
                two.rotate("rekey", "--quiet", "1")
            return killed(one, step, call, number, *FINAL)
        one.rotate(step, "--quiet", "1")
        if step == "switch":
            two.rotate(step)
    return None


class KeyFileEnd:
    """An end whose key is in a file of its own (`keys: node`); it finds records where they are by default."""

    FOLDER = "/var/lib/wgkit/rotate"

    def __init__(self, end):
        self.end, self.key = end, os.path.join(end.folder, "node.key")
        self.record = os.path.join(self.FOLDER, end.name + ".state")
        end.state = self.FOLDER
        text = end.text().replace(f"PrivateKey={end.private} # mine", f"PostUp = wg set %i private-key {self.key}")
        self.put({self.key: end.private + "\n", end.path: text})

    @staticmethod
    def put(files):
        for path, text in files.items():
            with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as file:
                file.write(text)

    def files(self):
        found = {}
        for path in filter(os.path.exists, (self.key, self.end.path, self.record)):
            with open(path, encoding="ascii") as file:
                found[path] = file.read()
        return found

    def keys(self):
        """(private key, preshared key) of the files."""
        found = self.files()
        return found[self.key].strip(), found[self.end.path].split("PresharedKey = ")[1][:44]

    def reboot(self):
        for name in (self.end.name, self.end.second):
            if name in self.end.space.run("ip", "-br", "link").stdout:
                self.end.space.ip(f"link del {name}")
                wait_for("the engine's end", lambda n=name: not os.path.exists(f"/var/run/wireguard/{n}.sock"))
        self.end.up()
        own, peers = self.end.dump()
        (shared, _, _), = peers.values()
        assert (own[0], shared) == self.keys(), "it has come up with other keys than its files have"


def boots_with_whole_files(bed):
    must(LIBC.unshare(CLONE_NEWNS))
    must(LIBC.mount(None, b"/", None, MS_REC | MS_PRIVATE, None))
    os.makedirs(KeyFileEnd.FOLDER, exist_ok=True)
    must(LIBC.mount(b"tmpfs", KeyFileEnd.FOLDER.encode(), b"tmpfs", 0, None))
    one, two = two_ends(bed, psk=make_psk())
    node = KeyFileEnd(one)
    node.reboot()
    old, text = node.keys(), two.text()
    path, psk = psk_file(bed)
    offers = one.prepare(), two.prepare()
    for end, offer in ((one, offers[1]), (two, offers[0])):
        end.rotate("accept", offer, "--preshared-key", path)
    for end in (one, two):
        end.rotate("switch")
    switched = node.files()
    seen = []
    for call in ("rename", "fsync", "openat"):
        number = 1
        while killed(one, "rekey", call, number, *FINAL):
            cut = node.files()
            seen.append(tuple(now != before for now, before in zip(node.keys(), old)))
            node.reboot()
            new = tuple(now != before for now, before in zip(node.keys(), old))
            assert new in ((False, False), (True, True)), f"killed at {call} {number}: new are {new}"
            if seen[-1] == (True, False):  # half of it; also if it is given up before the boot
                node.put(cut)
                one.rotate("abort")
                node.reboot()
                assert node.keys() == old, f"killed at {call} {number}, aborted: {node.keys()}, not {old}"
            node.put(switched)
            node.reboot()
            number += {"openat": 5}.get(call, 1)
    assert {(False, False), (True, False), (True, True)} == set(seen), set(seen)
    two.rotate("rekey", *FINAL)
    both = [end.step("run", "--quiet", "0", "--timeout", "60") for end in (one, two)]
    for end, process in zip((one, two), both):
        end.end(process)
    assert one.dump()[0][0] == node.keys()[0] != old[0] and node.keys()[1] == psk
    assert two.text() == text.replace(two.private, two.dump()[0][0]).replace(old[1], psk).replace(
        one.public, one.dump()[0][1])
    print("killed", len(seen), "times,", seen.count((True, False)), "between the two files")
    one.net("down", one.path)


def main():
    end_on_signals()
    for scenario in (goes_on, gives_up, boots_with_whole_files):
        if sys.argv[1:2] in ([], [scenario.__name__]):
            with Bed() as bed:
                scenario(bed)
            print(scenario.__name__, "ok", flush=True)


if __name__ == "__main__":
    main()

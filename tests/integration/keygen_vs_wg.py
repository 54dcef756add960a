#!/usr/bin/python3
"""genkey, pubkey and genpsk answer as the real wg does: same output, same success or failure.

Deliberate differences, each checked below: usage errors are status 64 instead of 1, --help works,
and output that cannot be written is a failure (wg reports success and the key is lost).
"""
import base64
import os
import random
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from checks import check, failures  # noqa: E402
from tools import need, wgkit  # noqa: E402

WG = need("wg", "wireguard-tools")
OURS = wgkit("keygen")
KEY = b"dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo="  # RFC 7748, section 6.1
ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def run(program, *arguments, stdin=b"", **options):
    options.setdefault("stdout", subprocess.PIPE)
    return subprocess.run([program, *arguments], input=stdin, stderr=subprocess.PIPE, timeout=20,
                          **options)


def pubkey_inputs():
    random.seed(7748)
    yield from (KEY, KEY + b"\n", KEY + b"\r\n", KEY + b" \t\v\f\r\n", KEY + b"\0", KEY + b"\0\n\0",
                KEY + b" " * 70_000)
    yield from (b"", b"\n", KEY[:43], KEY[1:], KEY + b"=", KEY + b"x", KEY + b"\n" + KEY, b" " + KEY,
                b"\n" + KEY, b"\xef\xbb\xbf" + KEY, KEY[:43] + b"A", KEY[:42] + b"==", b"=" * 44,
                b"\0" * 44, b"\xff" * 44, KEY[:20] + b"\n" + KEY[21:], KEY + b"\xa0", KEY + b"\x80",
                KEY.replace(b"0", b"-"), KEY[:42] + b"\0=", b"A" * 44, KEY[:43])
    for last in ALPHABET:  # all but every fourth are not canonical
        yield KEY[:42] + bytes([last]) + b"="
    for _ in range(60):
        yield base64.b64encode(random.randbytes(32)) + b"\n"
    for _ in range(60):
        position = random.randrange(44)
        yield KEY[:position] + random.randbytes(1) + KEY[position + 1:]
    for length in (1, 32, 43, 44, 45, 100):
        yield random.randbytes(length)
    for special in (bytes(32), b"\xff" * 32, b"\1" + bytes(31), bytes(31) + b"\x80"):
        yield base64.b64encode(special)


def compare_pubkey():
    for text in pubkey_inputs():
        theirs, ours = run(WG, "pubkey", stdin=text), run(OURS, "pubkey", stdin=text)
        check(theirs.stdout == ours.stdout, f"pubkey {text[:60]!r}: output differs")
        check((theirs.returncode == 0) == (ours.returncode == 0), f"pubkey {text[:60]!r}: status")
        check((b"railing" in theirs.stderr) == (b"railing" in ours.stderr),
              f"pubkey {text[:60]!r}: wg says {theirs.stderr!r}, we {ours.stderr!r}")
        check(bool(theirs.stderr) == bool(ours.stderr), f"pubkey {text[:60]!r}: one is silent")
        check(len(text) < 30 or text[:20] not in ours.stderr, f"pubkey {text[:60]!r}: quoted")


def compare_new_keys():
    for command, clamped in (("genkey", True), ("genpsk", False)):
        for program in (WG, OURS):
            keys = [run(program, command) for _ in range(40)]
            check(all(k.returncode == 0 and not k.stderr for k in keys), f"{program} {command}")
            check(all(len(k.stdout) == 45 and k.stdout.endswith(b"\n") for k in keys),
                  f"{program} {command}: shape")
            raw = [base64.b64decode(k.stdout, validate=False) for k in keys]
            check(all(r[0] & 7 == 0 and r[31] & 0xC0 == 0x40 for r in raw) == clamped,
                  f"{program} {command}: clamping")
            check(len(set(raw)) == len(raw), f"{program} {command}: repeats")
        key = run(OURS, command).stdout
        check(run(WG, "pubkey", stdin=key).stdout == run(OURS, "pubkey", stdin=key).stdout,
              f"the public key of our {command}")


def compare_warnings():
    """Regular files with any permission for others, and nothing else, cause the warning."""
    with tempfile.TemporaryDirectory() as folder:
        for command in ("genkey", "genpsk", "pubkey"):
            for mode in (0o600, 0o640, 0o660, 0o601, 0o602, 0o604, 0o644, 0o666):
                said = []
                for program in (WG, OURS):
                    path = os.path.join(folder, "out")
                    with open(path, "wb") as out:
                        os.fchmod(out.fileno(), mode)
                        said.append(bool(run(program, command, stdin=KEY, stdout=out).stderr))
                    check(os.path.getsize(path) == 45, f"{program} {command} to a file")
                check(said[0] == said[1], f"{command} to a file of mode {mode:o}: wg warns: {said}")
    with open("/dev/null", "wb") as null:
        check(not run(OURS, "genkey", stdout=null).stderr, "a warning for /dev/null")


def compare_usage():
    for command in ("genkey", "genpsk", "pubkey"):
        for extra in ("x", "-x", "--x", KEY.decode()):
            theirs, ours = (run(p, command, extra, stdin=KEY) for p in (WG, OURS))
            check(theirs.returncode == 1 and ours.returncode == 64, f"{command} {extra}: status")
            check(not theirs.stdout and not ours.stdout, f"{command} {extra}: output")
            check(KEY not in ours.stderr, f"{command} with a key as argument repeats it")
        check(run(OURS, command, "--help").returncode == 0, f"{command} --help")
        with open("/dev/full", "wb") as full:
            check(run(OURS, command, stdin=KEY, stdout=full).returncode == 1, f"{command}: lost")
        for closed in (0, 1):
            ours = subprocess.run(["/bin/sh", "-c", f'"$0" {command} {closed}>&-', OURS], timeout=20,
                                  stdin=subprocess.DEVNULL, capture_output=True)
            needs = closed == 1 or command == "pubkey"
            check((ours.returncode != 0) == needs, f"{command} with descriptor {closed} closed")


compare_pubkey()
compare_new_keys()
compare_warnings()
compare_usage()
print(f"{len(failures)} failures")
sys.exit(1 if failures else 0)

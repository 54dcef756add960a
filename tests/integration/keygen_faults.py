#!/usr/bin/python3
"""Key files when things go wrong at every point: kills, failing system calls, a full disk.

What must hold: where NAME.pub is there, NAME.key and NAME.psk belong to it, all old or all new; the
old private key is gone only when the new set is complete; no secret is ever readable to others; a
run that fails by itself (not killed) leaves exactly what was there before.
"""
import os
import resource
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from checks import check, failures  # noqa: E402
from tools import missing, need, wgkit  # noqa: E402

STRACE = need("strace", "strace")
WG = need("wg", "wireguard-tools")
OURS = wgkit("keygen")
# What changes files or comes right before or after such a call; the signal arrives on entry.
CALLS = ("openat", "mkdir", "flock", "write", "fchmod", "fsync", "renameat2", "unlink", "unlinkat",
         "getdents64", "rt_sigprocmask")
MAKE = [OURS, "-o", "keys", "--name", "gw", "--psk"]


def snapshot(folder):
    """{file name: content}, also of temporary files; secrets must be private at any time."""
    files = {}
    try:
        for name in os.listdir(folder):
            path = os.path.join(folder, name)
            with open(path, "rb") as file:
                files[name] = file.read()
            if ".pub" not in name:
                check(os.stat(path).st_mode & 0o077 == 0, f"{name} is open to others")
    except FileNotFoundError:
        pass
    return files


def public_key(private_key):
    return subprocess.run([WG, "pubkey"], input=private_key, capture_output=True).stdout


def finals(files):
    return {name: content for name, content in files.items() if not name.startswith(".")}


def check_state(old, now, what):
    """The promises about the set as a whole, whatever happened. True if it is the new one."""
    final = finals(now)
    for name, content in final.items():
        check(len(content) == 45, f"{what}: {name} is not whole")
    new = (len(final) == 3 and all(final[n] != old.get(n) for n in final)
           and public_key(final["gw.key"]) == final["gw.pub"])
    if "gw.pub" in final:
        check(new or final == old, f"{what}: the files do not belong together")
    if old and not new:
        for name in ("gw.key", "gw.psk"):
            check(name in final, f"{what}: {name} is gone")
            check(old[name] in now.values(), f"{what}: the old {name} is lost")
    return new


def prepare(force):
    if force:
        subprocess.run(MAKE, check=True, stdout=subprocess.DEVNULL)
    return snapshot("keys")


def inject(call, number, how, force):
    """Runs keygen once with a fault; returns (status, stderr, files before, files after)."""
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        old = prepare(force)
        ran = subprocess.run(
            [STRACE, "-f", "-o", "trace", "-e", f"trace={call}", "-e",
             f"inject={call}:{how}:when={number}", *MAKE, *(["--force"] if force else [])],
            capture_output=True, timeout=20)
        with open("trace", encoding="ascii", errors="replace") as trace:
            lines = trace.read()
        now = snapshot("keys")
        if how.startswith("signal"):
            again = subprocess.run([*MAKE, "--force"], capture_output=True)
            check(again.returncode == 0, f"after a kill: --force fails: {again.stderr!r}")
            after = snapshot("keys")
            check(sorted(after) == ["gw.key", "gw.psk", "gw.pub"], f"leftovers: {sorted(after)}")
        os.chdir("/")
        hit = "INJECTED" in lines or "killed by SIGKILL" in lines
        return hit, ran, old, now


def kill_everywhere():
    points = 0
    for force in (False, True):
        for call in CALLS:
            for number in range(1, 100):
                hit, _, old, now = inject(call, number, "signal=KILL", force)
                if not hit:
                    break
                points += 1
                check_state(old, now, f"killed at {call} {number}, force {force}")
    check(points > 60, f"only {points} places to kill at: does strace work?")
    return points


def fail_everywhere():
    points = 0
    for force in (False, True):
        for call, error in (("write", "ENOSPC"), ("fchmod", "EPERM"), ("fsync", "EIO"),
                            ("renameat2", "EROFS"), ("openat", "EMFILE"), ("mkdir", "ENOSPC"),
                            ("close", "EIO"), ("flock", "ENOLCK")):
            for number in range(1, 100):
                hit, ran, old, now = inject(call, number, f"error={error}", force)
                if not hit:
                    break
                points += 1
                what = f"{call} {number} fails with {error}, force {force}"
                new = check_state(old, now, what)
                printed = b"standard output" not in ran.stderr
                if ran.returncode == 0:
                    check(new, f"{what}: success without new keys")
                elif printed:
                    check(now == old, f"{what}: {sorted(now)} is not what was there before")
                check(ran.returncode == 0 or ran.stderr, f"{what}: silent failure")
    check(points > 40, f"only {points} places to fail at")
    return points


def full_disk():
    """A file system of so many pages, for each number until all fits."""
    script = ('mount -t tmpfs -o size=$1 tmpfs "$2" && cd "$2" && shift 2 && '
              '"$@" --name gw -o keys --psk >/dev/null 2>&1; cp -a keys ../old 2>/dev/null; '
              '"$@" --name gw -o keys --psk --count 2 >../said 2>&1; echo $? >../count; '
              '"$@" --name gw -o keys --psk --force >../said 2>&1; echo $? >../status; '
              'cp -a keys ../now 2>/dev/null; true')
    complete = 0
    for pages in range(1, 14):
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            os.mkdir("disk")
            ran = subprocess.run(["unshare", "-m", "sh", "-c", script, "sh", str(pages * 4096),
                                  folder + "/disk", OURS], capture_output=True, text=True)
            if ran.returncode != 0 or not os.path.exists("status"):
                return missing("a mount of its own needs root and util-linux: " + ran.stderr)
            old, now = snapshot("old"), snapshot("now")
            with open("status", encoding="ascii") as status:
                done = status.read() == "0\n"
            with open("count", encoding="ascii") as count:
                two_more = count.read() == "0\n"
            what = f"a disk of {pages} pages"
            sets = {"gw-1.", "gw-2."} if two_more else set()
            check({n[:5] for n in now if n.startswith("gw-")} == sets, f"{what}: half a count")
            now = {n: c for n, c in now.items() if not n.startswith("gw-")}
            check(not any(n.startswith(".") for n in now), f"{what}: left {sorted(now)}")
            check(len(old) in (0, 3), f"{what}: half a set: {sorted(old)}")
            check(check_state(old, now, what) if done else now == old, f"{what}: {sorted(now)}")
            if not done:
                with open("said", encoding="utf-8") as said:
                    check("No space left on device" in said.read(), f"{what}: no reason given")
            complete += done
            os.chdir("/")
    check(0 < complete < 13, f"{complete} of 13 disks were large enough: nothing was tested")


def file_size_limit():
    def tight():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20, 20))

    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        old = prepare(True)
        ran = subprocess.run([*MAKE, "--force"], capture_output=True, preexec_fn=tight)
        check(ran.returncode == 1 and b"File too large" in ran.stderr, f"limit: {ran.stderr!r}")
        check(snapshot("keys") == old, "a limit on file sizes loses keys")
        os.chdir("/")


OURS = os.path.abspath(OURS)
MAKE[0] = OURS
print(kill_everywhere(), "places to kill at,", fail_everywhere(), "calls to fail")
file_size_limit()
full_disk()
print(f"{len(failures)} failures")
sys.exit(1 if failures else 0)

#!/usr/bin/python3
"""wgkit mesh killed at every system call that changes something, and its calls failing one by one.

What must hold at any point: every key file is whole, private and the one the lock names (or will
name); every rendered file is all old or all new; an unfinished folder shows as such; the next run
completes it, loses no key, moves no address and leaves no temporary file.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from tools import need, wgkit  # noqa: E402

STRACE = need("strace", "strace")
WG = need("wg", "wireguard-tools")
MESH = os.path.abspath(wgkit("mesh"))
CALLS = ("openat", "mkdir", "flock", "write", "fchmod", "chmod", "fsync", "syncfs", "rename", "renameat2",
         "unlink", "rmdir")
BEFORE = """version: 1
network: {name: prod, ipv4: 10.10.0.0/24, psk: per-pair}
nodes:
  - {name: a, endpoint: a.example:1, exit: true}
  - {name: b, endpoint: b.example:1}
  - {name: gone, endpoint: gone.example:1}
"""
AFTER = BEFORE.replace("  - {name: gone, endpoint: gone.example:1}\n", "  - {name: new}\n").replace(
    "b.example:1", "b.example:2")
failures = []


def check(good, what):
    if not good:
        failures.append(what)
        print("FAILED:", what, file=sys.stderr)


def mesh(*arguments):
    return subprocess.run([MESH, *arguments], capture_output=True, text=True)


def tree(folder):
    """{path: content} of a folder, state files of the render left out."""
    files = {}
    for top, _, names in os.walk(folder):
        for name in names:
            path = os.path.relpath(os.path.join(top, name), folder)
            if not path.startswith(".wgkit"):
                with open(os.path.join(folder, path), encoding="utf-8") as file:
                    files[path] = file.read()
    return files


def temporary(files):
    return [path for path in files if "wgkit-tmp" in path]


def addresses():
    with open("nodes.lock.yaml", encoding="utf-8") as lock:
        return {line.split(":")[0].strip(): line.split("ipv4: ")[1].split(",")[0]
                for line in lock if "key:" in line}


def keys_are_whole(what):
    for top, _, names in os.walk("keys"):
        for name in names:
            path = os.path.join(top, name)
            if name == ".gitignore" or "gitignore" in name:
                continue
            check(os.stat(path).st_mode & 0o077 == 0, f"{what}: {path} is open to others")
            if name.endswith(".key"):
                check(os.path.getsize(path) == 45, f"{what}: {path} is not whole")


def traced(call, number, how, *arguments):
    """Runs a command with one fault; (was the fault reached, the finished process)."""
    ran = subprocess.run(
        [STRACE, "-f", "-o", "trace", "-e", f"trace={call}", "-e", f"inject={call}:{how}:when={number}",
         MESH, *arguments], capture_output=True, text=True, timeout=30)
    with open("trace", encoding="ascii", errors="replace") as trace:
        lines = trace.read()
    os.unlink("trace")
    return "INJECTED" in lines or "killed by SIGKILL" in lines, ran


class Template:
    """A rendered fleet whose inventory has changed since, to be copied for every fault."""

    def __init__(self, top):
        self.folder = os.path.join(top, "template")
        os.mkdir(self.folder)
        os.chdir(self.folder)
        self.write(BEFORE)
        check(mesh("render", "-q").returncode == 0, "the first render")
        self.out = tree("out")
        self.addresses = addresses()

    @staticmethod
    def write(text):
        with open("nodes.yaml", "w", encoding="utf-8") as file:
            file.write(text)

    def copy(self, top, text):
        work = os.path.join(top, "work")
        shutil.rmtree(work, ignore_errors=True)
        shutil.copytree(self.folder, work)
        # A copy has other times than the manifest says: settle that before the fault.
        os.chdir(work)
        check(mesh("render", "-q").returncode == 0, "the copy's render")
        self.write(text)


def after_render_fault(template, what, completed):
    """The state after a fault, and the run that completes it."""
    keys_are_whole(what)
    partial = tree("out")
    finals = {path: content for path, content in partial.items() if not temporary([path])}
    marked = os.path.exists("out/.wgkit/running")
    check(completed or finals == template.out or marked, f"{what}: half done and not marked")
    again = mesh("render", "-q")
    check(again.returncode == 0, f"{what}: the next run fails: {again.stderr}")
    done = tree("out")
    for path, content in finals.items():
        check(content in (template.out.get(path), done.get(path)), f"{what}: {path} is neither old nor new")
    check(not temporary(done), f"{what}: left {temporary(done)}")
    check(not os.path.exists("out/.wgkit/running"), f"{what}: still marked as unfinished")
    check("gone/etc/wireguard/wg0.conf" not in done, f"{what}: a removed node's file is left")
    now = addresses()
    check(all(now[n] == template.addresses[n] for n in ("a", "b")), f"{what}: an address moved")
    check(mesh("plan").returncode == 0, f"{what}: something is left to change")


def render_faults(top, template):
    points = 0
    for call in CALLS:
        for number in range(1, 200):
            template.copy(top, AFTER)
            hit, ran = traced(call, number, "signal=KILL", "render", "-q", "--threads", "1")
            if not hit:
                break
            points += 1
            after_render_fault(template, f"render killed at {call} {number}", ran.returncode == 0)
    for call, error in (("write", "ENOSPC"), ("fchmod", "EPERM"), ("fsync", "EIO"), ("syncfs", "EIO"),
                        ("rename", "EROFS"), ("renameat2", "EDQUOT"), ("mkdir", "ENOSPC"), ("unlink", "EIO")):
        for number in range(1, 200):
            template.copy(top, AFTER)
            hit, ran = traced(call, number, f"error={error}", "render", "-q", "--threads", "1")
            if not hit:
                break
            points += 1
            what = f"render with {call} {number} failing with {error}"
            check(ran.returncode == 0 or ran.stderr, f"{what}: silent failure")
            after_render_fault(template, what, ran.returncode == 0)
    check(points > 60, f"only {points} places in render: does strace work?")
    return points


def edit_faults(top, template):
    """rename, rekey and the PSK commands: the next render finds the old state or the new one."""
    points = 0
    commands = (("rename", "b", "bee"), ("rekey", "a", "b"), ("rekey", "--psk"), ("rekey", "--psk", "--reseed"),
                ("rekey", "--finish"))
    for command in commands:
        for call in CALLS:
            for number in range(1, 60):
                template.copy(top, BEFORE)
                if "--finish" in command:
                    mesh("rekey", "--psk")
                hit, _ = traced(call, number, "signal=KILL", *command)
                if not hit:
                    break
                points += 1
                what = f"{' '.join(command)} killed at {call} {number}"
                keys_are_whole(what)
                rendered = mesh("render", "-q")
                check(rendered.returncode == 0, f"{what}: render fails: {rendered.stderr}")
                now = addresses()
                name = "bee" if "bee" in now else "b"
                check(now[name] == template.addresses["b"], f"{what}: the address moved: {now}")
                audit = mesh("plan", "--json")
                check(audit.returncode == 0 and not json.loads(audit.stdout)["changes"], f"{what}: not settled")
    check(points > 40, f"only {points} places in the edits")
    return points


def import_faults(top, template):
    """import: the same command again gives what an undisturbed one gives, without --force."""
    source = os.path.join(template.folder, "out")
    command = ("import", source, "-o", "nodes.yaml")

    def start_anew():
        work = os.path.join(top, "imported")
        os.chdir("/")
        shutil.rmtree(work, ignore_errors=True)
        os.mkdir(work)
        os.chdir(work)

    start_anew()
    check(mesh(*command).returncode == 0, "the undisturbed import")
    wanted = tree(".")
    check("nodes.yaml" in wanted and "keys/prod/a.key" in wanted, f"the import wrote only {list(wanted)}")
    points = 0
    for call in CALLS:
        for number in range(1, 60):
            start_anew()
            hit, _ = traced(call, number, "signal=KILL", *command)
            if not hit:
                break
            points += 1
            what = f"import killed at {call} {number}"
            keys_are_whole(what)
            complete = os.path.exists("nodes.yaml")
            again = mesh(*command)
            check(complete or again.returncode == 0, f"{what}: the next run fails: {again.stderr}")
            now = {path: text for path, text in tree(".").items() if not temporary([path])}
            check(now == wanted, f"{what}: {sorted(now)} instead of {sorted(wanted)}, or other content")
    check(points > 15, f"only {points} places in import")
    return points


def races(top, template):
    """Two at once: one of them may refuse, none may break anything."""
    template.copy(top, AFTER)
    both = [subprocess.Popen([MESH, "render", "-q"], stderr=subprocess.PIPE) for _ in range(4)]
    statuses = [one.wait() for one in both]
    for one in both:
        one.stderr.close()
    check(0 in statuses, f"of several renders at once none succeeds: {statuses}")
    after_render_fault(template, "several renders at once", True)


with tempfile.TemporaryDirectory() as top:
    template = Template(top)
    print(render_faults(top, template), "places in render,", edit_faults(top, template), "in rename and rekey,",
          import_faults(top, template), "in import")
    races(top, template)
    os.chdir("/")
print(f"{len(failures)} failures")
sys.exit(1 if failures else 0)

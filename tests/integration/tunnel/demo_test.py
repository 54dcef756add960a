#!/usr/bin/python3
"""scripts/demo-mesh: ten nodes up, 90 pairs answered, nothing left, whatever happens to it."""
import os
import shutil
import signal
import subprocess

from bed import die_with_parent, run, wait_for
from scenario import main, scenario
from tools import ROOT, missing, need, wgkit

DEMO = os.path.join(ROOT, "scripts", "demo-mesh")


def rendered(bed):
    """The ten-node example, rendered anew."""
    program = wgkit("mesh")
    if not os.access(program, os.X_OK):
        missing("wgkit-mesh in WGKIT_BIN")
    source = os.path.join(bed.folder, "nodes.yaml")
    shutil.copy(os.path.join(ROOT, "examples", "ten-nodes", "nodes.yaml"), source)
    run(program, "render", source, "-o", os.path.join(bed.folder, "out"))
    return os.path.join(bed.folder, "out")


def left(prefix):
    """What is still there of a run with these names."""
    spaces = [n for n in os.listdir("/run/netns") if n.startswith(prefix)] if os.path.isdir("/run/netns") else []
    sockets = "/var/run/wireguard"
    spaces += [n for n in os.listdir(sockets) if n.startswith(prefix)] if os.path.isdir(sockets) else []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                words = file.read().split(b"\0")
        except OSError:
            continue
        spaces += [f"process {pid}" for word in words if word.startswith(prefix.encode() + b"-")]
    return spaces


@scenario
def all_pairs_answer(bed, engines):
    """Ten engines, 90 pings answered, every node has nine handshakes, nothing is left."""
    prefix = f"wd{os.getpid()}"
    ran = run(DEMO, rendered(bed), engines.engine, timeout=40, env=dict(os.environ, WGKIT_DEMO=prefix))
    assert "90 of 90 ordered pairs answered" in ran.stdout, ran.stdout
    assert ran.stdout.count("9/9") == 10, ran.stdout
    assert not left(prefix), left(prefix)


@scenario
def killed_it_leaves_nothing(bed, engines):
    """SIGINT, SIGTERM and SIGKILL in the middle: namespaces, engines and sockets go all the same."""
    out = rendered(bed)
    for number, kind in enumerate((signal.SIGTERM, signal.SIGKILL, signal.SIGINT)):
        prefix = f"we{os.getpid()}{number}"
        with subprocess.Popen([DEMO, out, engines.engine], env=dict(os.environ, WGKIT_DEMO=prefix),
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                              preexec_fn=die_with_parent) as child:
            wait_for("an engine is up", lambda p=prefix: any(x.endswith(".sock") for x in left(p)), 10)
            child.send_signal(kind)
            child.wait(20)
        wait_for(f"nothing is left after {kind.name}", lambda p=prefix: not left(p), 10)


@scenario
def what_is_missing_is_said(bed, engines):
    """No root, no /dev/net/tun, no namespaces, no folder, no engine: one error line and what to do;
    a status of its own if this machine does not allow it."""
    out = rendered(bed)
    os.chmod(bed.folder, 0o755)
    hide = ["unshare", "--mount", "sh", "-c"]
    cases = (
        (3, "needs root", ["setpriv", "--reuid=65534", "--clear-groups", DEMO, out, engines.engine]),
        (3, "/dev/net/tun", [*hide, 'mount -t tmpfs none /dev/net && exec "$@"', "sh", DEMO, out, engines.engine]),
        (3, "namespaces are not allowed", ["setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin", DEMO, out,
                                        engines.engine]),
        (1, "no */etc/wireguard", [DEMO, bed.folder + "/nowhere", engines.engine]),
        (1, "did not start", [DEMO, out, "false"]),
    )
    need("setpriv", "util-linux")
    for status, text, command in cases:
        prefix = f"wf{os.getpid()}"
        ran = run(*command, check=False, timeout=30, env=dict(os.environ, WGKIT_DEMO=prefix))
        assert ran.returncode == status, f"{text}: status {ran.returncode}: {ran.stderr}"
        assert ran.stderr.startswith("demo-mesh: error: ") and text in ran.stderr, ran.stderr
        assert "hint: " in ran.stderr, ran.stderr
        wait_for("nothing is left", lambda p=prefix: not left(p), 5)


if __name__ == "__main__":
    main(__doc__)

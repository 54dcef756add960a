"""Runs the real `netplan generate`."""
import contextlib
import glob
import os
import shutil
import tempfile

from fleet import TOOLS, missing, run


@contextlib.contextmanager
def generated(node_folder):
    """A root folder with a node's files and with what netplan generates from them."""
    generators = glob.glob(f"{TOOLS}/netplan.io/usr/libexec/netplan/generate")
    generators += glob.glob("/usr/libexec/netplan/generate")
    if not generators:
        missing("netplan's generator", "netplan.io")
    libraries = os.path.dirname(next(iter(
        glob.glob(f"{TOOLS}/netplan.io/**/libnetplan.so*", recursive=True)), ""))
    with tempfile.TemporaryDirectory() as root:
        shutil.copytree(node_folder, root, dirs_exist_ok=True)
        run(generators[0], "--root-dir", root, env={**os.environ, "LD_LIBRARY_PATH": libraries})
        yield root

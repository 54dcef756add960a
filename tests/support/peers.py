#!/usr/bin/python3
"""Builds other userspace engines, to test and to measure against. Run again it does nothing.

  peers.py [--into FOLDER] [NAME...]     default: all, into build/peers; prints NAME=COMMAND lines

Needs go and cargo, which CI machines may lack: what cannot be built is named on standard error and
left out; the status is 1 if nothing is there. Debian's wireguard-go needs no build and comes first.
"""
import argparse
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from tools import ROOT  # noqa: E402

FOLDER = os.path.join(ROOT, "build", "peers")
# name: (program as built, how, what to build, arguments before the interface's name)
PEERS = {
    "wireguard-go-latest": ("wireguard", "go", "golang.zx2c4.com/wireguard@latest", "-f"),
    "boringtun": ("boringtun-cli", "cargo", "boringtun-cli", "-f --disable-drop-privileges"),
    "gotatun": ("gotatun", "cargo", "gotatun-cli", "-f --disable-drop-privileges"),
}


def tool(name):
    """A compiler's driver, also where its own installer puts it outside PATH."""
    places = ["/usr/local/go/bin", os.path.expanduser("~/.cargo/bin")]
    return shutil.which(name, path=":".join([os.environ.get("PATH", ""), *places]))


def build(name, folder):
    """An error's text, or none."""
    program, how, what, _ = PEERS[name]
    driver = tool(how)
    if not driver:
        return f"{name} needs {how}, which is not here"
    os.makedirs(folder, exist_ok=True)
    environment = dict(os.environ)
    environment["PATH"] += ":" + os.path.dirname(driver)
    if how == "go":
        environment["GOBIN"] = folder
        command = [driver, "install", what]
    else:
        work = os.path.join(folder, "cargo")
        command = [driver, "install", "--locked", "--root", work, what]
    ran = subprocess.run(["nice", "-n", "19", *command], env=environment, capture_output=True,
                         text=True, check=False)
    if ran.returncode != 0:
        return f"{name}: {' '.join(command)}: {ran.stderr[-2000:]}"
    if how == "cargo":
        os.replace(os.path.join(folder, "cargo", "bin", program), os.path.join(folder, program))
    return ""


def command_of(name, folder=FOLDER):
    """Its command line without the interface's name, or none if it is not built."""
    program, _, _, arguments = PEERS[name]
    path = os.path.join(folder, program)
    return f"{path} {arguments}" if os.access(path, os.X_OK) else ""


def built(folder=FOLDER):
    """{name: command} of those that are there."""
    return {name: command_of(name, folder) for name in PEERS if command_of(name, folder)}


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--into", default=FOLDER)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(PEERS))
    options = parser.parse_args()
    for name in options.names or PEERS:
        if name not in PEERS:
            parser.error(f"no peer is called {name}: {', '.join(PEERS)}")
        if not command_of(name, options.into):
            error = build(name, os.path.abspath(options.into))
            if error:
                print(f"peers.py: {error}", file=sys.stderr)
    for name, command in built(options.into).items():
        print(f"{name}={command}")
    return 0 if built(options.into) else 1


if __name__ == "__main__":
    sys.exit(main())

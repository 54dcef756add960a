"""What the integration tests share: finding programs, and what to do when one is missing."""
import os
import shutil
import sys

BIN = os.environ.get("WGKIT_BIN", "build/dev/bin")
SKIPPED = 77


def need(program, package):
    """The path of a program; without it the test is skipped, or fails in CI."""
    path = shutil.which(program)
    if path:
        return path
    missing(f"{program} is missing: apt-get install {package}")


def missing(what):
    print(what, file=sys.stderr)
    sys.exit(1 if os.environ.get("WGKIT_REQUIRE_TOOLS") else SKIPPED)


def wgkit(tool):
    return os.path.join(BIN, "wgkit-" + tool)

"""Finding programs. A tool that is missing fails in CI and skips elsewhere, as tools.sh does."""

import glob
import os
import shutil
import sys

SKIP = 77  # ctest reads this status as "skipped"
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
UNPACKED = os.path.join(ROOT, "build", "tools")  # what scripts/bootstrap does not install


def missing(what: str, package: str = ""):
    """Ends the test."""
    required = os.environ.get("WGKIT_REQUIRE_TOOLS") == "1"
    advice = f": install the Debian package {package} (scripts/bootstrap test)" if package else ""
    print(f"{'FAIL' if required else 'SKIP'}: this test needs {what}{advice}")
    sys.exit(1 if required else SKIP)


def need(tool: str, package: str) -> str:
    """A tool's path: absolute as given, from PATH, or from what scripts/bootstrap unpacked."""
    places = [tool] if tool.startswith("/") else []
    places += [shutil.which(tool, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin") or ""]
    places += sorted(glob.glob(f"{UNPACKED}/*/{tool.lstrip('/')}"))
    places += sorted(glob.glob(f"{UNPACKED}/*/usr/*bin/{tool}"))
    for path in places:
        if path and os.access(path, os.X_OK):
            return path
    return missing(tool, package)


def wgkit(tool: str) -> str:
    """The path of one of our programs, as ctest names their folder."""
    return os.path.join(os.environ.get("WGKIT_BIN", "build/dev/bin"), "wgkit-" + tool)

"""A tool that is missing fails in CI and skips elsewhere, as tests/support/tools.sh does."""

import os
import shutil
import sys

SKIP = 77  # ctest reads this status as "skipped"


def need(tool: str, package: str) -> str:
    """Returns the tool's path or ends the test."""
    path = shutil.which(tool)
    if path:
        return path
    required = os.environ.get("WGKIT_REQUIRE_TOOLS") == "1"
    print(f"{'FAIL' if required else 'SKIP'}: this test needs {tool}: install the Debian package "
          f"{package} (scripts/bootstrap test)")
    sys.exit(1 if required else SKIP)

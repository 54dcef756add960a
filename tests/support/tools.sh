# shellcheck shell=sh
# Sourced by test scripts. A tool that is missing fails in CI and skips elsewhere (ctest reads
# status 77 as "skipped").

skip_status=77

# need TOOL PACKAGE: goes on only if the program is there.
need() {
  command -v "$1" >/dev/null 2>&1 || missing "$1" "$2"
}

# missing WHAT PACKAGE
missing() {
  if [ "${WGKIT_REQUIRE_TOOLS-}" = 1 ]; then
    echo "FAIL: this test needs $1: install the Debian package $2 (scripts/bootstrap test)" >&2
    exit 1
  fi
  echo "SKIP: this test needs $1: install the Debian package $2 (scripts/bootstrap test)"
  exit $skip_status
}

#!/bin/sh
# Secrets decide neither branches nor addresses. Usage: ctime.sh PROGRAM
set -eu
here=$(dirname "$0")
if ! command -v valgrind >/dev/null || [ ! -x "$1" ]; then
    echo "valgrind is missing: apt-get install valgrind, then configure again" >&2
    if [ -n "${WGKIT_REQUIRE_TOOLS:-}" ]; then exit 1; fi
    exit 77
fi
check() {
    valgrind --quiet --error-exitcode=99 --suppressions="$here/declassified.supp" "$@"
}
check "$1"
if check "$1" branch-on-secret 2>/dev/null; then
    echo "ctime: a branch on a secret was not noticed" >&2
    exit 1
fi

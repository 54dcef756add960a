#!/usr/bin/python3 -I
"""equivalence_test.py BACKEND [COUNT [FIRST]]: so many random policies mean the same to the evaluator and to BACKEND."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import equivalence  # noqa: E402
import inside  # noqa: E402


def main():
    backend, count, first = [*sys.argv[1:], *["", "20", "1"][len(sys.argv) - 1:]]
    first, count = int(first), int(count)
    return equivalence.compare(backend, range(first, first + count))


if __name__ == "__main__":
    inside.run(main)

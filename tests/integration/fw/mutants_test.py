#!/usr/bin/python3 -I
"""mutants_test.py [BACKEND]: seeded mistakes of its emitter are caught by the comparison with the evaluator.

Each mutant changes the emitted text as a bug of the emitter would. It counts for a policy only if it changes the
text; one that the firewall refuses is caught, too.
"""
import os
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import equivalence  # noqa: E402
import inside  # noqa: E402
import random_policy  # noqa: E402
from mutants import MUTANTS  # noqa: E402
from probe import Probe  # noqa: E402

POLICIES = 20
WANTED = 0.95


def is_caught(case, load, unload, text):
    try:
        load(text)
        return bool(case.mismatches(0.3, one_is_enough=True))
    except AssertionError:  # the firewall refuses it
        return True
    finally:
        unload(text)


def main():
    backend = sys.argv[1] if len(sys.argv) > 1 else "nftables"
    load, unload, prepare = equivalence.BACKENDS[backend]
    prepare()
    probe = Probe(random_policy.LOCAL, random_policy.TUNNEL, random_policy.SECOND)
    oracle = equivalence.Oracle()
    mutants = MUTANTS[backend]
    left, applied = dict(mutants), set()
    with tempfile.TemporaryDirectory(prefix="wgkit-fw-") as folder:
        for seed in range(1, POLICIES + 1):
            if not left:
                break
            case = equivalence.Case(oracle, probe, seed, folder, backend)
            text = case.text()
            load(text)
            assert not case.mismatches(), f"seed {seed} differs without a mutant"
            unload(text)
            for name, mutate in list(left.items()):
                changed = mutate(text)
                if changed == text:
                    continue
                applied.add(name)
                if is_caught(case, load, unload, changed):
                    del left[name]
    caught = len(mutants) - len(left)
    print(f"{backend}: {caught} of {len(mutants)} mutants caught")
    for name in left:
        print(f"not caught: {name}{'' if name in applied else ' (never applied)'}")
    assert len(mutants) >= 30
    return 0 if caught >= WANTED * len(mutants) else 1


if __name__ == "__main__":
    inside.run(main)

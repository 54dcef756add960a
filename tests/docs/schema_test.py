#!/usr/bin/python3 -I
"""schema_test.py BIN: the JSON Schema of nodes.yaml says what the parser says.

Every shipped example passes both; every field of the schema is in wgkit-nodes(5); mutations that the
parser refuses, the schema refuses.
"""

import copy
import json
import pathlib
import subprocess
import sys
import tempfile

import jsonschema
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(sys.argv[1])
SCHEMA = json.loads((ROOT / "examples/nodes.schema.json").read_text())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)

BASE = {"version": 1, "network": {"name": "n", "ipv4": "10.0.0.0/24"},
        "nodes": [{"name": "a", "endpoint": "a.example:1"}, {"name": "b"}]}


def parser_takes(document) -> bool:
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        json.dump(document, file)  # JSON is YAML
        file.flush()
        done = subprocess.run([BIN / "wgkit-mesh", "check", "--json", file.name],
                              stdout=subprocess.PIPE, check=False)
        found = json.loads(done.stdout)["diagnostics"]
        return not any(one["severity"] == "error" for one in found)


def mutated(*path_and_value):
    *path, last, value = path_and_value
    document = copy.deepcopy(BASE)
    target = document
    for step in path:
        target = target[step]
    target[last] = value
    return document


def main() -> int:
    failures = []
    for example in sorted(ROOT.glob("examples/*/nodes.yaml")):
        typed = yaml.safe_load(example.read_text())
        for node in typed["nodes"]:
            if "expires" in node:
                node["expires"] = str(node["expires"])
        errors = list(VALIDATOR.iter_errors(typed))
        if errors:
            failures.append(f"{example}: {errors[0].message}")
    cases = {
        "unknown node field": mutated("nodes", 0, "endpont", "x:1"),
        "unknown network field": mutated("network", "nme", "x"),
        "unknown top field": mutated("node", []),
        "port out of range": mutated("nodes", 0, "port", 70000),
        "bad name": mutated("nodes", 0, "name", "a_b"),
        "bad format": mutated("nodes", 0, "format", "wgquick"),
        "bad topology": mutated("network", "topology", "mesh"),
        "no pool": mutated("network", {"name": "n"}),
        "bad psk": mutated("network", "psk", "yes"),
        "routes not a list": mutated("nodes", 0, "routes", "10.0.0.0/8"),
        "identity in defaults": mutated("defaults", {"public_key": "x"}),
        "hub without spokes": mutated("network", "topology", [{"hub": ["a"]}]),
        "version": mutated("version", 2),
    }
    for name, document in cases.items():
        if VALIDATOR.is_valid(document):
            failures.append(f"the schema takes: {name}")
        if parser_takes(document):
            failures.append(f"the parser takes: {name}")
    if not VALIDATOR.is_valid(BASE) or not parser_takes(BASE):
        failures.append("the base document is refused")
    page = (ROOT / "man/wgkit-nodes.5").read_text().replace(" , Cm ", "\n.It Cm ")
    for part in ("network", "node", "shared"):
        for field in SCHEMA["$defs"][part]["properties"]:
            if f".It Cm {field}\n" not in page:
                failures.append(f"wgkit-nodes(5) does not list the field {field}")
    # What the parser knows: its answer to an unknown field lists all known ones.
    for scope, document in (("node", mutated("nodes", 0, "zzzzzzzzzzzz", 1)),
                            ("shared", mutated("defaults", {"zzzzzzzzzzzz": 1}))):
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            json.dump(document, file)
            file.flush()
            done = subprocess.run([BIN / "wgkit-mesh", "check", "--json", file.name],
                                  stdout=subprocess.PIPE, check=False)
        hint = json.loads(done.stdout)["diagnostics"][0]["hint"]
        known = set(hint.removeprefix("known here: ").split(", "))
        wanted = set(SCHEMA["$defs"][scope]["properties"])
        if known != wanted:
            failures.append(f"{scope}: parser and schema differ in {sorted(known ^ wanted)}")
    print("\n".join(failures) or f"{len(cases)} mutations, all examples: agree")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/python3 -I
"""program_test.py BIN PROGRAM: the program, its man page, completions and CLI cases belong together.

Every command (.Cm), option (.Fl) and argument (.Ar) that the program tells of with --describe is in
its man page, and every long option of the man page is in the program.
"""

import importlib.machinery
import importlib.util
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def load_completions():
    """scripts/completions has no .py in its name, so it takes a loader by hand."""
    sys.dont_write_bytecode = True
    loader = importlib.machinery.SourceFileLoader("completions", str(ROOT / "scripts/completions"))
    spec = importlib.util.spec_from_loader("completions", loader)
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


completions = load_completions()


def macro_arguments(page: str, macro: str) -> set[str]:
    """What stands behind a macro in an mdoc page: `.It Fl o , Fl -output Ar DIR` has o and -output behind Fl."""
    found = set()
    for line in page.splitlines():
        if not line.startswith("."):
            continue
        words = re.findall(r'"[^"]*"|\S+', line[1:])
        for i, word in enumerate(words):
            if word != macro:
                continue
            # `Fl Fl help` is the other way to write `Fl -help`.
            start = i + 2 if macro == "Fl" and words[i + 1:i + 2] == ["Fl"] else i + 1
            dash = "-" * (start - i - 1)
            for argument in words[start:]:
                if re.fullmatch(r"[A-Z][a-z]", argument) or re.fullmatch(r"[,.;:()\[\]|]", argument):
                    break
                found.add(dash + argument.strip('"').replace("\\", "").rstrip("="))
    return found


def description(program: str, bin_folder: pathlib.Path) -> dict:
    if program != "wgkit":
        return completions.describe(program.removeprefix("wgkit-"), bin_folder)
    commands = [{"name": tool, "aliases": [], "help": "", "options": [], "commands": []}
                for tool in completions.tools()]
    return completions.dispatcher() | {"aliases": [], "help": "", "commands": commands}


def problems_with_page(program: str, app: dict, page: str) -> list[str]:
    problems = []
    flags = {"-" + f for f in macro_arguments(page, "Fl")}
    commands = macro_arguments(page, "Cm")
    arguments = {a.lower() for a in macro_arguments(page, "Ar")}
    known = set()
    for path, node in completions.nodes(app):
        at = " ".join((program, *path))
        for command in node["commands"]:
            problems += [f"{at}: the man page lacks .Cm {name}"
                         for name in completions.names_of(command) if name not in commands]
        for option in node["options"]:
            known.update(option["names"])
            if option["positional"]:
                name = option["names"][0]
                if name.lower() not in arguments:
                    problems.append(f"{at}: the man page lacks the argument .Ar {name}")
            else:
                problems += [f"{at}: the man page lacks {name} (.Fl {name[1:]})"
                             for name in option["names"] if name not in flags]
    problems += [f"{program}: the man page has {flag}, the program has not"
                 for flag in sorted(flags) if flag.startswith("--") and flag not in known]
    return problems


def main() -> int:
    bin_folder, program = pathlib.Path(sys.argv[1]), sys.argv[2]
    tool = program.removeprefix("wgkit-")
    problems = [f"{program}: there is no {name}" for name in (
        f"completions/bash/{program}", f"completions/zsh/_{program}",
        f"completions/fish/{program}.fish", f"tests/cli/{tool}") if not (ROOT / name).exists()]
    help_text = subprocess.run([bin_folder / "wgkit", "--help"], check=True, capture_output=True,
                               text=True, timeout=10).stdout
    if tool != "wgkit" and not re.search(rf"^  {tool} ", help_text, re.MULTILINE):
        problems.append(f"wgkit --help does not list {tool} (tools/wgkit/wgkit_tools.hpp)")
    page = next(ROOT.glob(f"man/{program}.[18]"), None)
    if page is None:
        problems.append(f"{program}: there is no man page")
    else:
        problems += problems_with_page(program, description(program, bin_folder), page.read_text())
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())

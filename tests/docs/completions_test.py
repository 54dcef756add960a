#!/usr/bin/python3 -I
"""completions_test.py BIN bash|zsh|fish: the shell itself loads the completions and offers, for
every command of every program, its subcommands, options and choices.

What to expect comes from --describe, so the test grows with the programs.
"""

import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(HERE)]
sys.dont_write_bytecode = True
from program_test import completions, description  # noqa: E402
from support.tools import need  # noqa: E402


def questions(bin_folder: pathlib.Path):
    """(words typed, the last one perhaps begun; what must be offered; True if nothing else may)."""
    for program in ["wgkit", *(f"wgkit-{tool}" for tool in completions.tools())]:
        app = description(program, bin_folder)
        starts = [[program]]
        if program != "wgkit":
            starts.append(["wgkit", program.removeprefix("wgkit-")])
        for start in starts:
            for path, node in completions.nodes(app):
                if program == "wgkit" and path:
                    continue  # a tool, asked for on its own
                words = [*start, *path]
                for command in node["commands"]:
                    begun = command["name"][:-1]
                    yield [*words, begun], {command["name"]}, False
                longs = {n for o in completions.options_of(node) for n in o["names"]
                         if n.startswith("--")}
                yield [*words, "--"], longs, True
                for option in completions.options_of(node):
                    if option["choices"]:
                        name = option["names"][-1]
                        yield [*words, name, ""], set(option["choices"]), True


def answer(script: list[str], **kwargs) -> str:
    done = subprocess.run(script, capture_output=True, text=True, timeout=60, check=False,
                          stdin=subprocess.DEVNULL, **kwargs)
    if done.returncode or done.stderr:
        sys.exit(f"FAIL: {script[:2]}: exit status {done.returncode}\n{done.stderr}{done.stdout}")
    return done.stdout


def ask_bash(asked: list[list[str]]) -> list[set[str]]:
    need("bash", "bash")
    folder = ROOT / "completions/bash"
    # As bash does: the words in COMP_WORDS, the index of the current one in COMP_CWORD.
    ask = """
        set -u
        for file in "$1"/*; do source "$file"; done
        while IFS=$'\\t' read -r -a COMP_WORDS; do
          COMP_WORDS=("${COMP_WORDS[@]/#EMPTY/}")
          COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMPREPLY=()
          function=$(complete -p "${COMP_WORDS[0]}" | sed 's/.*-F \\([^ ]*\\) .*/\\1/')
          "$function"
          echo "${COMPREPLY[*]}"
        done <"$2"
    """
    with tempfile.NamedTemporaryFile("w") as file:
        file.writelines("\t".join(word or "EMPTY" for word in words) + "\n" for words in asked)
        file.flush()
        lines = answer(["bash", "--norc", "-c", ask, "bash", str(folder), file.name]).splitlines()
    return [set(line.split()) for line in lines]


def ask_fish(asked: list[list[str]]) -> list[set[str]]:
    need("fish", "fish")
    for file in sorted((ROOT / "completions/fish").glob("*.fish")):
        answer(["fish", "--no-execute", str(file)])
    with tempfile.TemporaryDirectory() as home:
        ask = "for f in $argv[1]/*.fish; source $f; end\n"
        for words in asked:
            ask += f"complete -C '{' '.join(words)}'; echo ==\n"
        text = answer(["fish", "--no-config", "-c", ask, str(ROOT / "completions/fish")],
                      env={"HOME": home, "PATH": "/usr/bin:/bin", "TERM": "dumb"})
    return [{line.split("\t")[0] for line in part.splitlines()}
            for part in text.split("==\n")[:-1]]


def ask_zsh(asked: list[list[str]]) -> list[set[str]]:
    need("zsh", "zsh")
    for file in sorted((ROOT / "completions/zsh").glob("_*")):
        answer(["zsh", "-n", str(file)])
    # A real interactive zsh in a pseudo-terminal; compadd is replaced by one that tells what it
    # was going to add. The words are typed, then Tab.
    with tempfile.TemporaryDirectory() as home:
        (pathlib.Path(home) / "asked").write_text(
            "".join(" ".join(words) + "\n" for words in asked))
        text = answer(["zsh", "-f", str(HERE / "zsh_ask.zsh"), str(ROOT / "completions/zsh")],
                      cwd=home, env={"HOME": home, "PATH": "/usr/bin:/bin", "TERM": "vt100",
                                     "LC_ALL": "C.UTF-8"})
    return [set(line.split()) for line in text.splitlines()]


def main() -> int:
    bin_folder, shell = pathlib.Path(sys.argv[1]), sys.argv[2]
    wanted = list(questions(bin_folder))
    answers = globals()[f"ask_{shell}"]([words for words, _, _ in wanted])
    failed = len(answers) != len(wanted)
    if failed:
        print(f"FAIL: {len(answers)} answers to {len(wanted)} questions")
    for (words, offered, exactly), got in zip(wanted, answers):
        if not (got == offered if exactly else got >= offered):
            failed = True
            print(f"FAIL: {' '.join(words)!r} offers {sorted(got)} instead of {sorted(offered)}")
    print(f"{len(wanted)} completions asked")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

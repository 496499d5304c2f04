"""The Coq files beside what they do not prove: names that last, and aliases that say what they stand for."""

import re
import subprocess
from pathlib import Path

from proof_of_absence.checker.independent.coq import ALIASES, command, names_of_mathcomp_2
from proof_of_absence.checker.kernel.discharge import coq_sources
from proof_of_absence.proofs.universal import CLASSICAL, FOLDER

DEPRECATED = "-all,+deprecated"


def compile_one(path: Path, **options) -> subprocess.CompletedProcess:
    return subprocess.run(command(path, path.parent, **options), capture_output=True, text=True, cwd=path.parent)


def test_no_name_is_deprecated(tmp_path):
    """With the flags that `_CoqProject` gives to editors: a deprecated name is an error."""
    assert f"-arg {DEPRECATED}" in (FOLDER / "_CoqProject").read_text()
    old = not names_of_mathcomp_2()
    for name, text in coq_sources(FOLDER):
        (tmp_path / name).write_text(text)
        if name != ALIASES or old:
            done = compile_one(tmp_path / name, renamed=old and name != ALIASES, warnings=DEPRECATED)
            assert done.returncode == 0, f"{name}: {done.stderr[-500:]}"


def test_every_file_belongs_to_the_project():
    for folder in (FOLDER, CLASSICAL):
        assert {path.name for path in folder.glob("*.v")} == {name for name, _ in coq_sources(folder)}


def test_every_alias_is_a_lemma_and_says_what_is_written_above_it(tmp_path):
    aliases = (FOLDER / ALIASES).read_text()
    told = re.findall(r"^\(\* (.+) \*\)\nNotation (\w+) := (\w+) \(only parsing\)\.$", aliases, re.M)
    assert len(told) == aliases.count("Notation ") > 50
    lines = [
        "From mathcomp Require Import all_ssreflect all_algebra.",
        "Import GRing.Theory Num.Theory Order.Theory.",
        "Local Open Scope ring_scope.",
    ]
    for says, new, _ in told:
        goal = f"Goal forall (R : realFieldType) (x y z t : R) (n : nat), {says}."
        lines.append(f"{goal} Proof. by move=> *; first [exact: {new} | apply: {new} | rewrite {new}]. Qed.")
    old = not names_of_mathcomp_2()
    (tmp_path / ALIASES).write_text(aliases)
    assert not old or compile_one(tmp_path / ALIASES).returncode == 0
    script = tmp_path / "said.v"
    script.write_text("\n".join(lines) + "\n")
    done = compile_one(script, renamed=old)
    assert done.returncode == 0, done.stderr[-500:]

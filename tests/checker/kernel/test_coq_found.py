"""Which versions of Coq and mathcomp set-up lets pass, which it names, and which it turns away."""

import subprocess
import sys

import pytest

from proof_of_absence.checker.kernel import coq_found
from proof_of_absence.checker.kernel.coq_found import TRIED, Found, verdict


@pytest.mark.parametrize("here", [None, *TRIED])
def test_what_was_tried_and_a_missing_coq_need_no_word(here):
    assert verdict(here) == ("", 0)


@pytest.mark.parametrize("here", [Found("8.15.2", "1.15.0"), Found("8.16.1", "1.14.0"), Found("8.9", None)])
def test_what_is_too_old_is_turned_away_in_one_line(here):
    line, code = verdict(here)
    assert code == 2 and f"Coq {here} is too old: Coq 8.16 with mathcomp 1.15 or later" in line and "\n" not in line


@pytest.mark.parametrize("here", [Found("8.16.1", "2.3.0"), Found("8.16.1", None), Found("9.1.0", "2.5.0+beta1")])
def test_what_is_untried_is_named_in_one_line(here):
    line, code = verdict(here)
    assert code == 0 and line.startswith(f"Coq {here} is untried") and "\n" not in line
    assert all(str(known) in line for known in TRIED)


@pytest.mark.parametrize("package", ["coq-mathcomp-ssreflect", "rocq-mathcomp-boot"])
def test_opam_tells_the_version_of_mathcomp(tmp_path, monkeypatch, package):
    (tmp_path / ".opam-switch/packages" / f"{package}.2.4.0").mkdir(parents=True)
    where = str(tmp_path / "lib/coq")
    monkeypatch.setattr(coq_found, "_said", lambda *command: where if command[0] == "coqc" else "no")
    assert coq_found._mathcomp() == "2.4.0"


def test_as_a_module_it_says_the_line_and_ends_with_the_code():
    line, code = verdict(coq_found.found())
    command = [sys.executable, "-m", "proof_of_absence.checker.kernel.coq_found"]
    run = subprocess.run(command, capture_output=True, text=True)
    assert (run.stdout, run.stderr.strip(), run.returncode) == ("", line, code)

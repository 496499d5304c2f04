"""Two checkers that disagree: the command says where, and has an exit code of its own for it."""

import os
import shlex
import time
from contextlib import nullcontext
from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

from proof_of_absence.checker import cli
from proof_of_absence.checker.audit.certify import certify
from proof_of_absence.checker.audit.idle import unit_findings
from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.checker.kernel.claims import load_claims
from proof_of_absence.checker.kernel.verify import verify
from proof_of_absence.checker.proved import opinion
from proof_of_absence.checker.proved.opinion import Answer, Opinion
from proof_of_absence.checker.proved.program import Missing, program
from proof_of_absence.checker.report import check_command
from proof_of_absence.models.floatnet import FloatNet


@pytest.fixture
def folder(tmp_path):
    """A few certificates that the independent checker accepts; all others are missing."""
    (claim,) = (claim for claim in load_claims() if claim.id == "C7")
    # A claim has a control.
    few = [obligation for obligation in claim.obligations if obligation.id == "C7.deployment" or obligation.is_control]
    verify([replace(claim, obligations=tuple(few))], tmp_path, jobs=1)
    return tmp_path


@pytest.mark.parametrize(
    ("opinion", "told"),
    [
        (Opinion((("idle", Answer.ACCEPTED), ("rent", Answer.REFUSED))), "the proved checker refuses rent"),
        (Opinion((), "no value at byte 0"), "the proved checker no value at byte 0"),
    ],
)
def test_a_disagreement_has_an_exit_code_of_its_own(folder, monkeypatch, opinion, told):
    monkeypatch.setattr(check_command, "asked", lambda paths: (dict.fromkeys(paths, opinion), ""))
    done = CliRunner().invoke(cli.app, ["check", str(folder)])
    assert done.exit_code == check_command.DISAGREE == 3
    assert "DISAGREE" in done.output and told in " ".join(done.output.split())


def test_where_it_cannot_be_asked_the_command_says_so(folder, monkeypatch):
    monkeypatch.setattr(check_command, "asked", lambda paths: ({}, "Coq or OCaml is missing; install coq"))
    done = CliRunner().invoke(cli.app, ["check", str(folder)])
    assert done.exit_code == 1 and "The proved checker was not asked: Coq or OCaml is missing" in done.output
    assert "the proved checker for" not in done.output


@pytest.fixture
def audited(tmp_path):
    """A certificate of an audit alone, that the independent checker accepts."""
    net = FloatNet([(np.array([[1.0], [-1.0]]), np.array([-5.0, 1.0])), (np.array([[1.0, 1.0]]), np.array([0.0]))])
    inputs = np.array([[0.0], [0.5]])
    certify(tmp_path, net, inputs, units=unit_findings(net, inputs))
    return tmp_path


@pytest.mark.parametrize("path", [".", "certificate.json"])
def test_of_an_audit_it_says_which_facts_the_proved_checker_accepts(audited, path):
    try:
        program()
    except Missing as reason:
        pytest.skip(str(reason))
    done = CliRunner().invoke(cli.app, ["check", str(audited / path)])
    told = " ".join(done.output.split())
    assert done.exit_code == 0 and "The proved checker accepts 2 of 2 facts (1 units, 1 full-rank)" in told


def test_a_disagreement_on_an_audit_has_the_same_exit_code(audited, monkeypatch):
    refused = Opinion((("units", Answer.REFUSED),))
    monkeypatch.setattr(check_command, "asking", lambda path: nullcontext(lambda: ({path: refused}, "")))
    done = CliRunner().invoke(cli.app, ["check", str(audited)])
    assert done.exit_code == check_command.DISAGREE
    assert "the proved checker refuses units" in " ".join(done.output.split())


def missing(*, make):
    raise Missing("Coq or OCaml is missing")


def test_an_audit_is_accepted_where_the_proved_checker_is_missing(audited, monkeypatch):
    monkeypatch.setattr(opinion, "program", missing)
    done = CliRunner().invoke(cli.app, ["check", str(audited)])
    told = " ".join(done.output.split())
    assert done.exit_code == 0 and "The proved checker was not asked: Coq or OCaml is missing" in told


@pytest.fixture
def pretends(tmp_path, monkeypatch):
    """Puts a script in the place of the proved checker."""

    def put(*lines):
        asks = tmp_path / "asks"
        asks.write_text("".join(f"{line}\n" for line in ("#!/bin/sh", *lines)), encoding="utf-8")
        asks.chmod(0o700)
        monkeypatch.setattr(opinion, "program", lambda make: asks)

    return put


def written(file):
    """The number in a file that another process writes."""
    for _ in range(1000):
        if file.is_file() and (text := file.read_text(encoding="utf-8")).endswith("\n"):
            return int(text)
        time.sleep(0.01)
    raise AssertionError("it did not begin")


def test_both_are_asked_at_once_and_what_one_refuses_the_other_need_not_decide(
    audited, tmp_path, pretends, monkeypatch
):
    began, seen = tmp_path / "began", []
    pretends(f"echo $$ > {shlex.quote(str(began))}", "exec sleep 600")
    monkeypatch.setattr(check_command, "check_whole", lambda path: seen.append(written(began)) or refuse(path))
    done = CliRunner().invoke(cli.app, ["check", str(audited / "certificate.json")])
    assert done.exit_code == 1 and "REFUSED" in done.output and "proved checker" not in done.output
    with pytest.raises(ProcessLookupError):
        os.kill(seen[0], 0)


def refuse(path):
    raise Refused("no such thing")


def test_a_proved_checker_that_ends_early_was_not_asked(audited, pretends):
    pretends("echo units accepted", "echo no memory >&2", "exit 2")
    done = CliRunner().invoke(cli.app, ["check", str(audited)])
    told = " ".join(done.output.split())
    assert done.exit_code == 0 and "was not asked: the proved checker ended early: no memory" in told


def test_a_proved_checker_with_much_to_say_need_not_wait_for_the_other(audited, tmp_path, pretends, monkeypatch):
    ended = tmp_path / "ended"
    pretends("yes units accepted | head -n 20000", "echo", f"echo 1 > {shlex.quote(str(ended))}")
    monkeypatch.setattr(check_command, "check_whole", lambda path: f"accepted {written(ended)}")
    done = CliRunner().invoke(cli.app, ["check", str(audited / "certificate.json")])
    assert done.exit_code == 0 and "accepts 20000 of 20000 facts" in " ".join(done.output.split())

"""Facts as theorems of Coq: the kernel decides what the program accepts, and refuses what is forged."""

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from proof_of_absence.checker import cli
from proof_of_absence.checker.proved import kernel_facts
from proof_of_absence.checker.proved.kernel_facts import Decided, decided, summary, told
from proof_of_absence.checker.proved.opinion import Answer
from proof_of_absence.checker.proved.program import Missing, program
from proof_of_absence.checker.report import check_command
from tests.checker.proved import test_circuits
from tests.checker.proved.test_program import SAME, TRUE, facts


@pytest.fixture(autouse=True)
def installed():
    try:
        program()
    except Missing as reason:
        pytest.skip(str(reason))


DEEP = [
    {"weights": [["1"], ["-1"]], "bias": ["0", "1/2"]},
    {"weights": [["1", "1"], ["0", "-2/3"]], "bias": ["0", "1"]},
    {"weights": [["1", "0"]], "bias": ["-3"]},
]
IDLE = {"kind": "idle", "net": DEEP, "circuit": [[1, 1], [2, 1]], "inputs": [["1"], ["2"]], "fires": ["-1"]}
LAST = {"kind": "idle", "net": DEEP, "circuit": [[2, 1]], "inputs": [["1"], ["2"]]}
COMPARED = {"kind": "all", "facts": [TRUE[2]], "compared": [[[["1", 0, "rent"]], "<", [["1/2"]]]]}


def of(folder, made):
    """What the program says of each of these facts, with its calls."""
    paths = [folder / f"{i}.json" for i in range(len(made))]
    for path, fact in zip(paths, made, strict=True):
        path.write_text(json.dumps({"fact": fact}))
    found = told(paths)
    return {path: found[path] for path in paths}


def test_what_the_program_accepts_is_a_theorem(tmp_path):
    found = of(tmp_path, [*TRUE, SAME, IDLE, LAST, COMPARED])
    every = [fact for part in found.values() for fact in part]
    answer = decided(every)
    assert all(map(answer.holds, every)) and not answer.refused and not answer.reasons
    said = summary(answer, found)
    assert f"decides {len(every)} of the {len(every)} facts" in said and said.endswith("theorems from no axiom")


def forged(call):
    """A call with the other answer, and one with other numbers, of which the answer is not so."""
    yield replace(call, value="false")
    *others, point = call.arguments
    yield replace(call, arguments=(*others, point.replace("(Qmake (1) 2)", "(Qmake (1) 3)")))


def test_a_forged_call_is_no_theorem_and_the_others_are(tmp_path):
    weights = [[0, "1/2"], [1, "1/2"]]
    inside = {"kind": "inside-hull", "inputs": [["0"], ["1"]], "point": ["1/2"], "combination": weights}
    ((fact,),) = of(tmp_path, [inside]).values()
    (call,) = (call for call in fact.calls if call.name == "check_inside")
    wrong = [replace(fact, calls=(bad,)) for bad in forged(call)]
    assert all(bad.calls != fact.calls for bad in wrong)
    answer = decided([fact, *wrong])
    assert answer.holds(fact) and not any(map(answer.holds, wrong))
    assert answer.disputes(wrong) == ["inside-hull"] * 2 and not answer.disputes([fact])


@settings(max_examples=1, derandomize=True)
@given(made=st.lists(st.one_of(facts(), test_circuits.facts()), min_size=30, max_size=40))
def test_on_random_nets_the_kernel_agrees(tmp_path_factory, made):
    every = [fact for part in of(tmp_path_factory.mktemp("facts"), made).values() for fact in part]
    answer = decided(every)
    assert [answer.holds(fact) for fact in every] == [fact.answer is Answer.ACCEPTED for fact in every]


def test_what_there_was_no_time_for_is_not_decided(tmp_path):
    found = of(tmp_path, [SAME])
    ((fact,),) = found.values()
    answer = decided([fact], seconds=0)
    assert not answer.holds(fact) and not answer.disputes([fact])
    assert "0 of the 1 facts" in summary(answer, found) and "not decided (there was no time)" in summary(answer, found)


def test_what_coq_cannot_read_is_not_decided_and_the_rest_is(tmp_path):
    (one,), (other,) = of(tmp_path, [SAME, LAST]).values()
    last = one.calls[-1]
    odd = replace(one, calls=(replace(last, arguments=(*last.arguments[:-1], "nothing")),))
    answer = decided([odd, other])
    assert answer.holds(other) and not answer.holds(odd) and not answer.disputes([odd])
    (reason,) = answer.reasons
    assert "nothing was not found" in reason


def test_a_fact_without_a_call_that_can_be_told_is_not_decided(tmp_path):
    ((fact,),) = of(tmp_path, [SAME]).values()
    assert not Decided(frozenset(fact.calls)).holds(replace(fact, calls=()))


def test_the_command_tells_what_the_kernel_decides(small):
    done = CliRunner().invoke(cli.app, ["check", str(small), "--kernel"], env={"COLUMNS": "300"})
    assert "Coq's kernel decides" in done.output and "the Coq kernel for" in done.output
    assert "the proved checker for" not in done.output and "DISAGREE" not in done.output
    (one,) = small.glob("C7.deployment.json")
    done = CliRunner().invoke(cli.app, ["check", str(one), "--kernel"], env={"COLUMNS": "300"})
    assert done.exit_code == 0 and "1 of 1 certificates as a whole" in done.output


def test_where_the_kernel_computes_something_else_the_exit_code_says_so(small, monkeypatch):
    def wrong(paths):
        def other(fact):
            return replace(fact, calls=tuple(replace(call, value="false") for call in fact.calls[-1:]))

        return {path: tuple(map(other, part)) for path, part in told(paths).items()}

    monkeypatch.setattr(kernel_facts, "told", wrong)
    done = CliRunner().invoke(cli.app, ["check", str(small), "--kernel"], env={"COLUMNS": "300"})
    assert done.exit_code == check_command.DISAGREE and "Coq's kernel refuses" in done.output


def test_of_an_audit_the_kernel_is_not_asked(tmp_path):
    (tmp_path / "report.json").write_text("{}")
    done = CliRunner().invoke(cli.app, ["check", str(tmp_path), "--kernel"])
    assert done.exit_code == 2 and "--kernel is for certificates of claims" in " ".join(done.output.split())

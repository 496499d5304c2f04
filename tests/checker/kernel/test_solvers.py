"""Solver runs: what a solver cannot say is unknown with a reason, whatever went wrong."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proof_of_absence.checker.kernel import solvers, worker
from proof_of_absence.checker.kernel.obligation import Scope
from proof_of_absence.checker.kernel.smt import Script, add, any_of, eq, le, lt, mul, no, square
from proof_of_absence.checker.kernel.solvers import LIMITS, Limits, ask, loadable, version
from proof_of_absence.checker.kernel.verify import verify
from proof_of_absence.checker.kernel.worker import GLANCE
from proof_of_absence.proofs.c4_separating_unit import CLAIM

BOTH = pytest.mark.parametrize("solver", ["z3", "cvc5"])


def query(*formulas, logic="QF_NRA"):
    """A script on x and y."""
    script = Script(logic)
    script.reals("x", 2)
    for formula in formulas:
        script.premise(formula)
    script.decide("claim_holds", "true")
    return script.text()


# No integers satisfy it, which real arithmetic cannot see; over the reals it is a hard system of many products.
HARD = "".join(
    [
        "(set-logic QF_NRA)",
        *(f"(declare-fun x{i} () Real)" for i in range(12)),
        *(
            f"(assert (= (+ (* x{i} x{(i + 1) % 12} x{(i + 5) % 12}) (* x{(i + 2) % 12} x{i})) {i + 1}))"
            for i in range(12)
        ),
        "(check-sat)",
    ]
)


@BOTH
def test_sat_with_exact_values(solver):
    answer = ask(solver, query(eq(mul(3, "x_0"), 1), lt("x_1", "x_0"), logic="QF_LRA"))
    assert (answer.answer, answer.solver, answer.reason) == ("sat", solver, "")
    assert Fraction(answer.values["x_0"]) == Fraction(1, 3) > Fraction(answer.values["x_1"])
    assert answer.version == version(solver) != "missing"
    assert "values" not in answer.summary() and answer.summary()["answer"] == "sat"


@BOTH
def test_unsat(solver):
    answer = ask(solver, query(lt(square("x_0"), 0)))
    assert (answer.answer, answer.values) == ("unsat", {})


COEFFICIENTS = st.tuples(*[st.integers(-2, 2)] * 6)


@settings(max_examples=25)
@given(st.lists(st.tuples(st.sampled_from([lt, le, eq]), COEFFICIENTS), min_size=1, max_size=4), st.booleans())
def test_what_cvc5_says_at_a_glance_z3_does_not_deny(conics, either):
    formulas = []
    for relation, (a, b, c, d, e, f) in conics:
        left = add(mul(a, square("x_0")), mul(b, "x_0", "x_1"), mul(c, square("x_1")), mul(d, "x_0"), mul(e, "x_1"))
        formulas.append(relation(left, f))
    text = query(any_of(formulas), no(formulas[0])) if either else query(*formulas)
    here = {worker.cvc5_answer(text, GLANCE)["answer"], worker.z3_answer(text, LIMITS.resource["z3"])["answer"]}
    assert here != {"sat", "unsat"}


@pytest.mark.parametrize(
    "rest", [{"answer": "unsat"}, {"answer": "sat", "values": {"x_0": "1"}}, {"answer": "unknown"}]
)
@pytest.mark.parametrize("glance", ["unsat", "sat", "unknown"])
def test_a_glance_of_cvc5_decides_only_what_it_shows_to_be_unsat(glance, rest, monkeypatch):
    asked = []

    def cvc5(script, limit, more):
        asked.append((limit, bool(more)))
        return {"answer": glance} if more else rest

    monkeypatch.setattr(worker, "_cvc5", cvc5)
    assert worker.cvc5_answer("", 10 * GLANCE) == ({"answer": "unsat"} if glance == "unsat" else rest)
    assert asked == [(GLANCE, True), (10 * GLANCE, False)][: 1 if glance == "unsat" else 2]


@BOTH
def test_irrational_values_are_said_to_be_so(solver):
    answer = ask(solver, query(eq(square("x_0"), 2)))
    assert answer.answer == "sat" and answer.values["x_0"].startswith("irrational")


@BOTH
def test_wall_clock_limit(solver):
    answer = ask(solver, HARD, Limits(LIMITS.resource, 0.01))
    assert (answer.answer, answer.reason) == ("unknown", "wall-clock limit of 0.01 s")


@BOTH
def test_resource_limit(solver):
    answer = ask(solver, HARD, Limits({"z3": 1000, "cvc5": 1000}, 60))
    assert answer.answer == "unknown" and answer.reason and "wall-clock" not in answer.reason


@BOTH
def test_memory_limit(solver):
    answer = ask(solver, query(), Limits(LIMITS.resource, 60, memory=32))
    assert answer.answer == "unknown" and answer.reason


@BOTH
@pytest.mark.parametrize(
    "script", ["", "(", "garbage", "(set-logic QF_LRA)(assert (< x 1))(check-sat)", "(set-logic QF_LRA)(assert 3)"]
)
def test_garbage_is_unknown_with_a_reason(solver, script):
    answer = ask(solver, script)
    if script:
        assert answer.answer == "unknown" and answer.reason
    else:
        assert answer.answer in ("unknown", "sat")


@BOTH
@pytest.mark.parametrize("error", ["ImportError('gone')", "RuntimeError('broken')"])
def test_a_missing_or_broken_module_is_unknown(solver, error, tmp_path, monkeypatch):
    (tmp_path / f"{solver}.py").write_text(f"raise {error}\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    answer = ask(solver, query())
    assert answer.answer == "unknown"
    assert answer.reason == (f"{solver} is missing: gone" if "Import" in error else "RuntimeError: broken")
    assert not loadable(solver) and loadable("cvc5" if solver == "z3" else "z3")


@BOTH
@pytest.mark.parametrize(
    "code", ["import os; os._exit(0)", "import os; os.kill(os.getpid(), 9)", "print('not json'); raise SystemExit(0)"]
)
def test_a_solver_that_dies_is_unknown(solver, code, tmp_path, monkeypatch):
    (tmp_path / f"{solver}.py").write_text(f"{code}\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    answer = ask(solver, query())
    assert answer.answer == "unknown" and answer.reason


@BOTH
def test_a_server_that_was_killed_is_started_again(solver):
    assert ask(solver, query(eq("x_0", 1))).answer == "sat"
    for process in servers(os.getpid()):
        os.kill(process, signal.SIGKILL)
    until(lambda: not servers(os.getpid()))
    assert ask(solver, query(eq("x_0", 1))).answer == "sat"


def processes():
    """Of every process that runs: its number, its parent's, and its group's."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            state, parent, group = (place / "stat").read_text().rpartition(")")[2].split()[:3]
            if state not in "ZX":
                found.append((int(place.name), int(parent), int(group)))
    return found


def servers(parent):
    """The processes that this one started and that lead a group."""
    return [number for number, above, group in processes() if above == parent and group == number]


@BOTH
def test_no_solver_outlives_a_process_that_is_killed(solver):
    code = f"from proof_of_absence.checker.kernel.solvers import ask; ask({solver!r}, {HARD!r})"
    parent = subprocess.Popen([sys.executable, "-c", code])
    try:
        group = until(lambda: next(iter(servers(parent.pid)), None))
        until(lambda: len(members(group)) == 2)
    finally:
        parent.kill()
        parent.wait()
    until(lambda: not members(group))


def members(group):
    """The processes of a group."""
    return [number for number, _, its in processes() if its == group]


def until(asked, seconds=60):
    """Wait for something that is true."""
    end = time.monotonic() + seconds
    while not (found := asked()):
        assert time.monotonic() < end, "it never came"
        time.sleep(0.02)
    return found


def test_an_uninstalled_distribution_is_missing(monkeypatch):
    monkeypatch.setitem(solvers.DISTRIBUTIONS, "z3", "no-such-distribution")
    assert version("z3") == "missing"


@BOTH
def test_after_a_stop_no_solver_is_started_until_it_may_be_again(solver):
    try:
        solvers.stop_all()
        assert ask(solver, query(eq("x_0", 1))).reason == "interrupted"
    finally:
        solvers.resume()
    assert ask(solver, query(eq("x_0", 1))).answer == "sat"


def test_a_run_that_was_ended_leaves_the_solvers_usable(tmp_path):
    def full(claim, result):
        raise OSError("the disk is full")

    chosen = tuple(o for o in CLAIM.obligations if o.scope is not Scope.UNIVERSAL)
    with pytest.raises(OSError, match="full"):
        verify([replace(CLAIM, obligations=chosen)], tmp_path, jobs=2, on_result=full)
    assert ask("z3", query(eq("x_0", 1))).answer == "sat"

"""Scripts with trees that refute them, or with values: the proved checker against the Python one, true or not."""

import copy
import hashlib
import json

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from proof_of_absence.checker.independent.facts import check_fact
from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.checker.independent.sexpr import Script
from proof_of_absence.checker.proved.opinion import Answer
from proof_of_absence.proofs.facts.refutation import refutation
from tests.checker.independent.kinds.test_refutation import (
    NO_SHRINKING,
    POINTS,
    SCRIPTS,
    accepted,
    has_no_solution,
    well_formed,
)
from tests.checker.proved.asking import told
from tests.proofs.test_refuted import OBLIGATIONS, TREES

SIGNS = "(declare-fun x () Real)(assert (<= 0 x))(assert (< x 0))"
SUM = {"sum": [{"times": "1", "of": [0]}, {"times": "1", "of": [1]}]}


def answers(tmp_path, pairs):
    """What the program says of trees for scripts."""
    facts = [{"kind": "refutation", "script": script, "tree": tree} for script, tree in pairs]
    found = told(tmp_path, [json.dumps({"fact": fact}) for fact in facts])
    return [opinion.facts[0][1] for opinion in found]


def agreed(pairs, found):
    for (script, tree), answer in zip(pairs, found, strict=True):
        if answer is not Answer.LEFT:
            assert (answer is Answer.ACCEPTED) == accepted(script, {"kind": "refutation", "tree": tree}), (script, tree)


def changes(tree):
    """Trees with one thing changed: a multiplier, what it multiplies, a product or a case missing, a place."""
    nodes = [[]]
    while nodes:
        way = nodes.pop()
        node = at(tree, way)
        nodes += [[*way, "cases", i] for i in range(len(node.get("cases", [])))]
        for i, term in enumerate(node.get("sum", [])[:2]):
            opposite = f"-{term['times']}".replace("--", "")
            for new in ({"times": opposite}, {"times": "0"}, {"of": term["of"][1:] or [0]}):
                yield put(tree, [*way, "sum", i], term | new)
            yield put(tree, [*way, "sum"], node["sum"][:i] + node["sum"][i + 1 :])
        if "cases" in node:
            yield put(tree, [*way, "cases"], node["cases"][1:])
        for key in {"choice", "condition"} & set(node):
            yield put(tree, way, node | {key: node[key] + 1})


def at(node, way):
    for key in way:
        node = node[key]
    return node


def put(tree, way, new):
    changed = copy.deepcopy({"tree": tree})
    *above, last = ["tree", *way]
    at(changed, above)[last] = new
    return changed["tree"]


def test_the_trees_of_the_project_are_accepted_by_both(tmp_path):
    pairs = [(OBLIGATIONS[name].build().script.text(), json.loads(TREES[name].read_text())) for name in sorted(TREES)]
    assert dict(zip(sorted(TREES), answers(tmp_path, pairs), strict=True)) == dict.fromkeys(TREES, Answer.ACCEPTED)


# Those that take a moment.
SMALL = sorted(name for name in TREES if TREES[name].stat().st_size < 400)


def test_trees_that_are_changed_are_accepted_where_python_accepts_them(tmp_path):
    pairs = []
    for name in SMALL:
        script, tree = OBLIGATIONS[name].build().script.text(), json.loads(TREES[name].read_text())
        pairs += [(script, changed) for changed in changes(tree)]
    found = answers(tmp_path, pairs)
    assert len(pairs) > 100 and Answer.REFUSED in found
    agreed(pairs, found)


def test_the_tree_of_another_script_is_refused(tmp_path):
    texts = {name: OBLIGATIONS[name].build().script.text() for name in SMALL}
    trees = {name: json.loads(TREES[name].read_text()) for name in SMALL}
    pairs = [(texts[a], trees[b]) for a in SMALL[::3] for b in SMALL if texts[a] != texts[b]]
    found = answers(tmp_path, pairs)
    assert Answer.REFUSED in found
    agreed(pairs, found)


@settings(max_examples=15, phases=NO_SHRINKING)
@given(st.lists(SCRIPTS, min_size=4, max_size=4), st.data())
def test_what_is_accepted_has_no_solution_and_python_says_the_same(tmp_path_factory, scripts, data):
    scripts = [script for script in scripts if well_formed(script)]
    assume(scripts)
    pairs = []
    for script in scripts:
        tree = (refutation(script, 0.3) or {"tree": {"sum": []}})["tree"]
        some = [tree, *changes(tree)]
        pairs += [(script, tree), (script, data.draw(st.sampled_from(some))), (scripts[0], tree)]
    found = answers(tmp_path_factory.mktemp("pairs"), pairs)
    agreed(pairs, found)
    for (script, _), answer in zip(pairs, found, strict=True):
        assert answer is not Answer.ACCEPTED or has_no_solution(script)


@pytest.mark.parametrize(
    ("form", "answer"),
    [
        ({"sum": []}, Answer.REFUSED),
        ({"sum": [{"times": "-1", "of": [0]}]}, Answer.REFUSED),
        ({"sum": [{"times": "1", "of": [1], "by": [["x", 1]]}]}, Answer.REFUSED),
        ({"sum": [{"times": "1", "of": [2]}]}, Answer.REFUSED),
        ({"sum": [{"times": "1", "of": [-1]}]}, Answer.REFUSED),
        ({"sum": [{"times": "1", "of": [10**9]}]}, Answer.LEFT),
        ({"sum": [{"times": "1", "of": [], "by": [["x", 10**9]]}]}, Answer.LEFT),
        ({"sign": "x", "cases": [SUM, SUM]}, Answer.REFUSED),
        ({"sign": "(+ x 1)", "cases": [SUM, SUM, SUM]}, Answer.ACCEPTED),
        ({"sign": "x x", "cases": [SUM, SUM, SUM]}, Answer.REFUSED),
        ({"whether": "(< x 5)", "cases": [SUM, SUM]}, Answer.ACCEPTED),
        ({"whether": "(< x y)", "cases": [SUM, SUM]}, Answer.LEFT),
        ({"values": "(+ x 1) (+ x 1)", "cases": [SUM, SUM, SUM]}, Answer.LEFT),
        ({"sum": [{"times": "1", "of": [0], "by": [["y", 1]]}]}, Answer.LEFT),
        ({"condition": 0, "cases": [SUM, SUM]}, Answer.REFUSED),
        ({"choice": 0, "cases": []}, Answer.REFUSED),
        (SUM, Answer.ACCEPTED),
    ],
)
def test_forms_of_trees(tmp_path, form, answer):
    assert answers(tmp_path, [(SIGNS, form)]) == [answer]


@pytest.mark.parametrize(
    ("script", "answer"),
    [
        ("(define-fun relu ((t Real)) Real (ite (<= t 0) 0 t))(declare-fun x () Real)(assert (< (relu x) 0))", "left"),
        ("(declare-fun x () Real)(assert (<= 0 x))(assert (< x 0)) ; and no more", "accepted"),
        (SIGNS + "(assert (let ((y x)) (< y 0)))", "left"),
        (SIGNS + "(declare-fun f (Real) Real)(assert (< (f x) 0))", "accepted"),
        (SIGNS + "(declare-fun f (Real) Bool)(assert (f x))", "left"),
        (SIGNS + "(declare-fun x () Real)", "refused"),
        (SIGNS + "(define-fun + () Real 0)", "refused"),
        (SIGNS + "(define-fun g () Real g)", "left"),
        (SIGNS + "(assert (< |x| 0))", "refused"),
        (SIGNS + ")", "refused"),
        ("(" + SIGNS, "refused"),
        (SIGNS + "(assert (< (/ x 0) 0))", "left"),
        (SIGNS + "(pop)", "refused"),
    ],
)
def test_forms_of_scripts(tmp_path, script, answer):
    tree = {"condition": 0, "cases": [SUM, SUM]} if answer == "left" and "relu" in script else SUM
    expected = Answer.REFUSED if "relu" in script else Answer(answer)
    assert answers(tmp_path, [(script, tree)]) == [expected]


def digest(script):
    return hashlib.sha256(script.encode()).hexdigest()


def test_two_values_of_a_function_are_equal_or_arguments_differ(tmp_path):
    script = "(declare-fun x () Real)(declare-fun y () Real)(declare-fun f (Real) Real)(assert (= x y))"
    script += "(assert (< (f x) (f y)))"
    cases = [{"sum": []}, {"sum": [{"times": "1", "of": [1]}, {"times": "-1", "of": [2]}]}]

    def said(values, cases=cases):
        return answers(tmp_path, [(script, {"values": values, "cases": cases})])[0]

    assert said("(f x) (f y)") is Answer.ACCEPTED
    for other in ("(f x) (f x)", "(f y) (f y)"):
        assert said(other) is Answer.REFUSED
    assert said("(f x) x") is said("(+ x 1) (+ y 1)") is Answer.LEFT
    assert said("(f x) (f y)", cases[:1]) is said("(f x)") is Answer.REFUSED


@st.composite
def queries(draw):
    """A script with values of its names, and the answer sat, or values of its premises and a tree."""
    script = draw(SCRIPTS.filter(lambda text: "(f " not in text and well_formed(text)))
    form = draw(st.sampled_from(["claim_fails", "claim_holds"]))
    last = draw(st.sampled_from(["(<= 0 (* x x))", "(< (* x x) 0)", "(< y (+ x 1))"]))
    script += f"(define-fun {form} () Bool {last})\n(assert {form})\n(check-sat)" + " " * draw(st.integers(0, 130))
    values = draw(POINTS).items()
    witness = {name: str(value) for name, value in values} | {"p": draw(st.booleans())}
    fact = {"kind": "smt", "file": "query.smt2", "sha256": digest(script), "deciding": form}
    if draw(st.booleans()):
        return script, fact | {"answer": "sat", "witness": witness}
    tree = refutation(script, 0.3) or {"kind": "refutation", "tree": {"sum": []}}
    return script, fact | {"answer": "unsat", "premises_witness": witness, "refutation": tree}


def of_certificate(folder, script, fact):
    (folder / "query.smt2").write_text(script)
    return told(folder, [json.dumps({"fact": fact})])[0]


def python_accepts(script, fact):
    try:
        check_fact(fact | {"script": script}, confirmed=True)
    except Refused:
        return False
    return fact["answer"] == "sat" or accepted(script, fact["refutation"])


@settings(max_examples=60, phases=NO_SHRINKING)
@given(queries())
def test_answers_to_scripts_are_accepted_as_python_accepts_them(tmp_path_factory, query):
    script, fact = query
    opinion = of_certificate(tmp_path_factory.mktemp("query"), script, fact)
    if opinion.facts[0][1] is not Answer.LEFT:
        assert opinion.facts == (("smt", Answer.ACCEPTED if python_accepts(script, fact) else Answer.REFUSED),)


def test_values_decide_what_is_said_of_a_script(tmp_path):
    script = SIGNS.replace("(< x 0)", "(< x 2)") + "(define-fun claim_holds () Bool (< 0 x))(assert claim_holds)"
    fact = {"kind": "smt", "file": "query.smt2", "sha256": digest(script), "deciding": "claim_holds", "answer": "sat"}

    def said(**changed):
        opinion = of_certificate(tmp_path, script, fact | {"witness": {"x": "1"}} | changed)
        return [answer for _, answer in opinion.facts]

    assert Script(script).holds(Script(script).assertions, {"x": 1})
    assert said() == [Answer.ACCEPTED]
    for wrong in ({"x": "0"}, {"x": "2"}, {}, {"x": "1", "y": "1"}, {"x": True}):
        assert said(witness=wrong) == [Answer.REFUSED]
    assert said(deciding="claim_fails") == [Answer.REFUSED]
    assert said(answer="unknown") == [Answer.REFUSED]
    assert said(answer="unsat") == [Answer.LEFT]
    assert said(refutation={"kind": "refutation", "tree": SUM}) == [Answer.REFUSED]
    for other in ({"sha256": "0" * 64}, {"file": "other.smt2"}, {"file": "../query.smt2"}):
        assert said(**other) == []
    outside = {"kind": "outside-hull", "inputs": [["0"]], "point": ["1"], "weights": ["1"], "bias": "0"}
    assert said(replay=outside) == [Answer.ACCEPTED]
    assert said(replay=outside | {"bias": "1"}) == [Answer.REFUSED]
    assert said(replay={"kind": "relu-like"}) == [Answer.LEFT]

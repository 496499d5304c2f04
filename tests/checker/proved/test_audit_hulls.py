"""Where deployment inputs lie, put to the proved checkers: they say what the independent checker says."""

import json
from fractions import Fraction
from functools import partial
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proof_of_absence.checker.audit.entry import audit
from proof_of_absence.checker.numbers.hexadecimal import hexadecimal
from proof_of_absence.checker.proved.opinion import Answer, opinions
from proof_of_absence.models.floatnet import FloatNet
from tests.checker.proved import audited
from tests.checker.proved.asking import agree, changed, oracle

pytestmark = pytest.mark.usefixtures("made")

NUMBERS = st.sampled_from([-2.0, -0.5, 0.0, 0.0, 0.1, 1.0, 1.0, 3.0, 2.0**-40])
SHARES = st.sampled_from([Fraction(1, 4), Fraction(1, 2), Fraction(1, 2), Fraction(3, 4), Fraction(1, 3)])
matrix = partial(audited.matrix, numbers=NUMBERS)
HULLS = ("inside", "outside", "train-input", "covered")


@st.composite
def audits(draw):
    """A small net, training inputs, deployment inputs some of which are averages of these, and facts, true or not."""
    widths = draw(st.lists(st.integers(1, 3), min_size=3, max_size=4))
    layers = [(matrix(draw, n, d), matrix(draw, 1, n)[0]) for d, n in pairwise(widths)]
    train = matrix(draw, draw(st.integers(2, 4)), widths[0])
    i, j = (draw(st.integers(0, len(train) - 1)) for _ in range(2))
    share = draw(SHARES)
    average = float(share) * train[i] + float(1 - share) * train[j]
    deploy = np.vstack([average, train[i], matrix(draw, 1, widths[0])])
    said = [[i, hexadecimal(share)], [j, hexadecimal(1 - share)]] if i != j else [[i, "1"]]
    weights = [hexadecimal(Fraction(w)) for w in matrix(draw, 1, widths[0])[0].tolist()]
    row = draw(st.integers(0, 2))
    facts = [
        {"kind": "inside", "row": row, "combination": said},
        {"kind": "covered", "row": row, "combination": said},
        {"kind": "train-input", "row": draw(st.integers(0, 2)), "train_row": i},
        {"kind": "outside", "row": row, "weights": weights, "bias": draw(st.sampled_from(["0", "-1", "1/3", "-1/2"]))},
        {"kind": "outside", "row": 1, "weights": weights, "bias": "-1"},
    ]
    if draw(st.booleans()):
        change(draw, draw(st.sampled_from(facts)))
    return layers, train, deploy, facts


def change(draw, fact):
    """Something else in one place of the fact, which may be so too."""
    key = draw(st.sampled_from(sorted(set(fact) - {"kind"})))
    if key in ("row", "train_row"):
        fact[key] = draw(st.integers(-1, 4))
    elif key == "combination":
        pair = draw(st.sampled_from(fact[key]))
        pair[:] = draw(st.sampled_from([[pair[0], "1/3"], [pair[0], "-1"], [0, pair[1]], [9, pair[1]], [1, "1"]]))
    elif key == "bias":
        fact[key] = draw(st.sampled_from(["-3", "1/7", "0"]))
    else:
        fact[key] = draw(st.sampled_from([[], ["0"] * len(fact[key]), ["1/3"] * len(fact[key])]))


@settings(deadline=None, max_examples=40)
@given(cases=st.lists(audits(), min_size=8, max_size=8))
def test_of_each_fact_it_says_what_the_independent_checker_says(cases, tmp_path_factory):
    audited.agree_on(tmp_path_factory.mktemp("hulls"), cases)


def test_what_an_audit_says_of_its_deployment_inputs_is_accepted_and_forged_facts_are_not(tmp_path):
    """A net of two hidden layers: an input in the middle is covered, one is a training input, one is far away."""
    source = np.random.default_rng(3)
    net = FloatNet([(source.normal(size=(n, d)), source.normal(size=n)) for d, n in pairwise([2, 4, 3, 1])])
    train = source.normal(size=(40, 2))
    deploy = np.vstack([train[:3].mean(axis=0), train[7], [9.0, 9.0], train[4:8].mean(axis=0)])
    audit(net, train, None, deploy, output=tmp_path / "it")
    path = tmp_path / "it" / "certificate.json"
    certificate = json.loads(path.read_text())
    own = [k for k, fact in enumerate(certificate["facts"]) if fact["kind"] in HULLS]
    assert {certificate["facts"][k]["kind"] for k in own} == set(HULLS)
    assert {opinions([path])[path].facts[k][1] for k in own} == {Answer.ACCEPTED}
    for k in own:
        forged = json.loads(json.dumps(certificate))
        fact = forged["facts"][k]
        # Another deployment input, which lies elsewhere.
        fact["row"] = {0: 2, 1: 2, 2: 0, 3: 2}[fact["row"]]
        path.write_text(json.dumps(forged))
        kind, answer = opinions([path])[path].facts[k]
        assert kind in HULLS and answer is Answer.REFUSED


# A unit that bends at 1: the average of 0 and 1 is covered, and that of 0 and 3 is not.
BENT = [{"weights": [["1"]], "bias": ["-1"]}, {"weights": [["3"]], "bias": ["0"]}]
DEEP = [{"weights": [["1"], ["-1"]], "bias": ["0", "4"]}, {"weights": [["1", "1/3"]], "bias": ["-1"]},
        {"weights": [["1/5"]], "bias": ["1"]}]  # fmt: skip
COVERED = [
    {"kind": "covered", "left": BENT, "right": DEEP, "inputs": [["1"], ["2"], ["3"], ["0"]],
     "points": [{"point": ["3/2"], "combination": [[0, "1/2"], [1, "1/2"]], "difference": ["7/30"]},
                {"point": ["2"], "combination": [[0, "1/2"], [2, "1/2"]], "difference": ["5/3"]}]},
    {"kind": "covered", "left": BENT, "right": DEEP, "inputs": [["0"], ["3"]],
     "points": [{"point": ["3/2"], "combination": [[0, "1/2"], [1, "1/2"]], "difference": ["7/30"]}]},
]  # fmt: skip


@settings(deadline=None, max_examples=25)
@given(made=st.lists(changed(COVERED), min_size=8, max_size=8))
def test_of_covered_points_of_the_claims_it_says_what_the_independent_checker_says(made, tmp_path_factory):
    agree(tmp_path_factory.mktemp("covered"), made)


def test_one_of_these_is_true_and_one_is_not():
    assert [oracle(fact) for fact in COVERED] == [Answer.ACCEPTED, Answer.REFUSED]

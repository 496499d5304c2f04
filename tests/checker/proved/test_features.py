"""The proved checkers of features and output layers against the independent one, on true facts and changed ones."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proof_of_absence.checker.proved.opinion import Answer
from tests.checker.proved.asking import agree, changed, oracle, told

LINE = {"inputs": [["0"], ["1"], ["2"], ["3"], ["4"]], "targets": [["0"], ["0"], ["1"], ["0"], ["1"]]}
ONE = [{"weights": [["3/4"]], "bias": ["-9/4"]}, {"weights": [["1"]], "bias": ["1/4"]}]
PLANE = {
    "inputs": [["0", "0"], ["1", "0"], ["0", "1"], ["1", "1"], ["1", "1"], ["2", "1"]],
    "targets": [["0", "1"], ["1", "0"], ["2", "0"], ["1", "1"], ["3", "1"], ["0", "2"]],
}
FOUR = {"weights": [["1", "1"], ["1", "0"], ["0", "0"], ["0", "-1"]], "bias": ["0", "-1", "1", "-2"]}


def two(weights, bias, sent, shift="0"):
    """A net with two units on one input."""
    return [{"weights": [[w] for w in weights], "bias": bias}, {"weights": [sent], "bias": [shift]}]


def best(weights, bias):
    """The output layer (weights, bias) on the features of FOUR."""
    return {"kind": "ridge", "net": [FOUR, {"weights": weights, "bias": bias}], "data": PLANE}


DEEP = [{"weights": [["1"], ["-1"]], "bias": ["0", "3"]}, {"weights": [["1", "0"], ["0", "1"]], "bias": ["-1", "-1"]}]
RANK = {"kind": "full-rank", "inputs": [["0"], ["1"], ["2"], ["3"]], "prime": 2147483647}
PRICE = {
    "kind": "readout-price", "net": ONE, "data": LINE, "penalty": "0", "at": ["5"], "solution": ["-1/4", "3"],
    "leverage": "17/4", "moved": [ONE[0], {"weights": [["29/17"]], "bias": ["13/68"]}], "square": "1", "bound": "1",
    "attained": True,
}  # fmt: skip
RIDGE = best([["21/41", "-68/41", "0", "0"], ["21/82", "55/82", "0", "0"]], ["83/123", "83/246"]) | {
    "penalty": "1/3", "intercept": True, "circuit": [[1, 2]],
}  # fmt: skip
BARE = best([["510/889", "-1521/889", "498/889", "0"], ["255/889", "573/889", "249/889", "0"]], ["0", "0"]) | {
    "penalty": "1/3", "intercept": False,
}  # fmt: skip
LEAST = best([["13/14", "-43/14", "2/7", "0"], ["1/7", "8/7", "3/7", "0"]], ["0", "0"]) | {
    "penalty": "0", "intercept": False, "circuit": [[1, 3]], "weightless": True, "fires": ["0", "-5"],
    "row_space": [["107/49", "-376/49", "-191/98", "0"], ["-85/98", "279/98", "44/49", "0"]],
}  # fmt: skip
CENTRED = best([["13/14", "-43/14", "0", "0"], ["1/7", "8/7", "0", "0"]], ["2/7", "3/7"]) | {
    "penalty": "0", "intercept": True, "circuit": [[1, 2]], "weightless": True,
    "row_space": [["113/49", "-384/49", "0", "0"], ["-67/98", "255/98", "0", "0"]],
}  # fmt: skip
TRUE = [
    RANK | {"net": two(["1", "-1"], ["0", "3/2"], ["1", "1"]), "layer": 1, "rows": [0, 2, 3]},
    RANK | {"net": [*DEEP, {"weights": [["1", "1"]], "bias": ["0"]}], "layer": 2, "rows": [0, 2, 3]},
    {"kind": "dependency", "net": two(["1", "2"], ["0", "0"], ["1", "1/2"]), "inputs": [["0"], ["1"]], "layer": 1,
     "coefficients": ["0", "-2", "1"]},
    {"kind": "free-readout", "net": two(["1", "1"], ["0", "-3"], ["1", "1/2"]), "inputs": [["0"], ["1"], ["2"]],
     "direction": ["0", "0", "-2"], "at": ["4"]},
    {"kind": "leverage", "net": two(["5/3", "11/3"], ["-10/3", "-11"], ["1", "-1"], "1/3"), "inputs": LINE["inputs"],
     "penalty": "0", "at": ["5/2"], "solution": ["1/6", "1/5", "-5/22"], "leverage": "1/3"},
    PRICE, RIDGE | {"weightless": True}, BARE | {"circuit": [[1, 2]], "weightless": False}, BARE, LEAST, CENTRED,
    {"kind": "separating-unit", "inputs": [["0"], ["1"], ["2"], ["3"]], "residuals": ["1", "-1", "-1", "1/2"],
     "weights": ["1"], "bias": "-5/2", "inner_product": "1/4"},
    {"kind": "nothing-separates", "inputs": [["0"], ["0"], ["1"]], "residuals": ["1", "-1", "0"]},
    {"kind": "zero-one-loss", "net": two(["1", "-1"], ["-2", "1"], ["1", "-1"]), "inputs": [["0"], ["1"], ["3"]],
     "sides": [True, False, True], "wrong": 1},
    {"kind": "path-norm-minimum", "net": two(["1", "1"], ["0", "-7"], ["2", "1"]), "most": "3",
     "data": {"inputs": [["0"], ["1"]], "targets": [["0"], ["2"]]}},
    {"kind": "path-norm-minimum", "net": two(["1", "-1"], ["0", "1"], ["1", "0"]), "most": "1",
     "data": {"inputs": [["0"], ["1"]], "targets": [["-1"], ["2"]]}},
]  # fmt: skip


@settings(max_examples=40)
@given(made=st.lists(changed(TRUE), min_size=20, max_size=40))
def test_it_agrees_with_the_independent_checker(tmp_path_factory, made):
    agree(tmp_path_factory.mktemp("facts"), made)


@pytest.mark.parametrize("fact", TRUE)
def test_true_facts_are_accepted(tmp_path, fact):
    (found,) = told(tmp_path, [json.dumps({"fact": fact})])
    assert oracle(fact) is Answer.ACCEPTED and found.whole


def test_what_the_price_bounds_is_compared(tmp_path):
    for key, accepted in (("square", True), ("leverage", False)):
        fact = {"kind": "all", "facts": [PRICE], "compared": [[[["1", 0, key]], "=", [["1"]]]]}
        (found,) = told(tmp_path, [json.dumps({"fact": fact})])
        assert found.whole is accepted and found.refused == ([] if accepted else ["compared"])


def test_weights_of_a_circuit_that_nothing_determines_are_not_accepted(tmp_path):
    fact = {**CENTRED}
    del fact["row_space"]
    (found,) = told(tmp_path, [json.dumps({"fact": fact})])
    assert found.refused == ["ridge"] and oracle(fact) is Answer.REFUSED


def test_a_prime_that_divides_the_minor_is_no_witness(tmp_path):
    fact = {**TRUE[0], "prime": 3}
    (found,) = told(tmp_path, [json.dumps({"fact": fact})])
    assert found.facts[0][1] is oracle(fact)

"""Certificates of irrelevance that were tampered with are refused, whatever the search that made them."""

import copy
import itertools
from fractions import Fraction

import numpy as np
import pytest

from proof_of_absence.checker.independent.facts import check_fact
from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.checker.region import search
from proof_of_absence.checker.region.decide import irrelevant
from proof_of_absence.models.floatnet import FloatNet

NET = FloatNet([
    ([[1.0, 0.5], [-1.0, 1.0], [0.5, -1.0]], [0.25, 0.0, -0.25]),
    ([[1.0, 1.0, -0.5], [0.5, -1.0, 1.0]], [-4.0, 0.25]),
    ([[1.0, 1.0]], [0.0]),
])  # fmt: skip
IDLE, BOX = [(2, 0)], ([-1, -1], [1, 1])


@pytest.fixture(params=["cuts", "signs"])
def fact(request, monkeypatch):
    """A certificate whose tree is divided, by cuts or by signs."""
    monkeypatch.setattr(search, "CUT_DIMENSIONS", 12 if request.param == "cuts" else 0)
    monkeypatch.setattr(search, "FEW_SIGNS", 0)
    layers = [*NET.layers[:1], (NET.layers[1].weights, [-2.25, 0.25]), *NET.layers[2:]]
    result = irrelevant(FloatNet(layers), IDLE, *BOX)
    assert result.verdict == "unsat"
    assert ("cut" if request.param == "cuts" else "split") in result.tree
    check_fact(result.fact)
    return result.fact


def nodes(tree):
    yield tree
    for side in ("low", "high", "on", "off"):
        if side in tree:
            yield from nodes(tree[side])


def refused(fact, match):
    with pytest.raises(Refused, match=match):
        check_fact(fact)


def test_a_bias_a_little_higher_is_refused(fact):
    fact = copy.deepcopy(fact)
    fact["net"][1]["bias"][0] = "-7/4"
    refused(fact, "not proved|no constant|unknown sign")


def test_a_wider_box_is_refused(fact):
    refused(fact | {"high": ["9", "9"]}, "not proved|no constant|outside|unknown sign")


def test_another_constant_is_refused(fact):
    refused(fact | {"value": [[3, 0, "1"]]}, r"reader \(3, 0\) receives no constant")


def test_another_circuit_is_refused(fact):
    refused(fact | {"circuit": [[2, 1]]}, "unknown sign|no constant")


def test_every_tighter_bound_that_matters_is_refused(fact):
    """Any stated bound moved inward by a little is refused:
    what is stated is what back-substitution gives, to rounding.
    """
    lines = [line for node in nodes(fact["tree"]) for line in node.get("bounds", [])]
    assert len(lines) > 3
    for line in lines:
        for place, step in ((2, 1), (3, -1)):
            if line[place] is not None:
                kept = line[place]
                line[place] = str(Fraction(kept) + step * Fraction(1, 10**6))
                refused(fact, r"a bound of unit \(\d, \d\) is not proved")
                line[place] = kept
    check_fact(fact)


def test_parts_and_bounds_that_are_missing_are_refused(fact):
    for node in list(nodes(fact["tree"])):
        for key in ("leaf", "on", "off", "low", "high"):
            if key in node:
                kept = node.pop(key)
                with pytest.raises(Refused):
                    check_fact(fact)
                node[key] = kept
    check_fact(fact)
    for node in nodes(fact["tree"]):
        node.pop("bounds", None)
    refused(fact, "unknown sign|malformed")


def test_open_leaves_are_refused(fact):
    leaf = next(node for node in nodes(fact["tree"]) if "leaf" in node)
    leaf["leaf"] = "open"
    refused(fact, "a leaf is not closed")


def test_leaves_of_another_kind_are_refused(fact):
    for node in nodes(fact["tree"]):
        if node.get("leaf") == "constant":
            for other in ({"leaf": "empty", "unit": [2, 0]}, {"leaf": "thin", "multipliers": []}):
                kept = dict(node)
                node.update(other)
                refused(fact, "does not show the part empty|leave an interior|malformed")
                node.clear()
                node.update(kept)


@pytest.mark.parametrize(
    "spoil", [[1, 0, "0", "1", "2"], [1, 0, "0", "1", "-1"], [9, 0, None, None, "0"], [1, 0, "0"], "x"]
)
def test_lines_that_make_no_sense_are_refused(fact, spoil):
    fact = copy.deepcopy(fact)
    fact["tree"].setdefault("bounds", []).insert(0, spoil)
    refused(fact, "slope|no unit|entries|not proved|malformed")


@pytest.mark.parametrize(
    "dual",
    [
        {"alpha": [[1, 0, "2"]], "beta": []},
        {"alpha": [], "beta": [[1, 0, "-1"]]},
        {"alpha": [], "beta": [[1, 0, "1"]]},
        {"alpha": [[2, 0, "1"]], "beta": []},
    ],
)
def test_multipliers_that_prove_nothing_are_refused(dual):
    tree = {"bounds": [[2, 0, None, "0", "0", dual]], "leaf": "constant"}
    result = irrelevant(NET, IDLE, *BOX)
    assert result.verdict == "unsat"
    refused(result.fact | {"tree": tree}, "lower slope|negative multiplier|sign that is not known|not below")


BENT = {
    "net": [{"weights": [["1"]], "bias": ["0"]}, {"weights": [["1"]], "bias": ["0"]}],
    "kind": "irrelevant-region", "circuit": [[1, 0]], "low": ["0"], "high": ["1"], "value": [[2, 0, "0"]],
}  # fmt: skip


@pytest.mark.parametrize(
    ("tree", "match"),
    [
        # relu(z) on [0, 1] is no constant: a half may not be called empty or thin, nor left out.
        (
            {"split": [1, 0], "on": {"leaf": "thin", "multipliers": [[1, 0, "1"]]}, "off": {"leaf": "constant"}},
            "an interior",
        ),
        ({"split": [1, 0], "on": {"leaf": "constant"}, "off": {"leaf": "constant"}}, "receives no constant"),
        ({"split": [1, 0], "off": {"leaf": "constant"}}, "malformed"),
        ({"cut": [0, "0"], "low": {"leaf": "constant"}, "high": {"leaf": "constant"}}, "a cut outside the part"),
        ({"cut": [0, "2"], "low": {"leaf": "constant"}, "high": {"leaf": "constant"}}, "a cut outside the part"),
        (
            {"split": [1, 0], "on": {"leaf": "thin", "multipliers": [[1, 0, "-1"]]}, "off": {"leaf": "constant"}},
            "not positive",
        ),
        ({"leaf": "thin", "multipliers": [[1, 0, "1"]]}, "of no sign condition"),
        ({"leaf": "thin", "multipliers": []}, "leave an interior"),
    ],
)
def test_false_trees_by_hand_are_refused(tree, match):
    refused(BENT | {"tree": tree}, match)


def test_splitting_twice_is_refused():
    inner = {"split": [1, 0], "on": {"leaf": "constant"}, "off": {"leaf": "constant"}}
    refused(BENT | {"tree": {"split": [1, 0], "on": inner, "off": inner}}, "split twice")


def test_a_thin_half_is_accepted():
    thin = {"split": [1, 0], "on": {"leaf": "thin", "multipliers": [[1, 0, "1"]]}, "off": {"leaf": "constant"}}
    check_fact(BENT | {"low": ["-1"], "high": ["0"], "tree": thin})
    refused(BENT | {"low": ["-1"], "high": ["1/1000000"], "tree": thin}, "leave an interior")


def test_witnesses_that_are_none_are_refused():
    result = irrelevant(NET, [(2, 1)], *BOX)
    assert result.verdict == "sat"
    check_fact(result.fact)
    refused(result.fact | {"input": result.fact["low"]}, "the circuit sends the constants there")
    refused(result.fact | {"input": ["5", "0"]}, "outside the box")
    refused(result.fact | {"input": ["0"]}, "wrong dimension")
    refused(result.fact | {"value": []}, "not those of the readers")


def test_many_inputs_are_divided_by_signs():
    rng = np.random.default_rng(0)
    widths = (16, 16, 16, 1)
    layers = [
        [rng.normal(size=(b, a)) * np.sqrt(2 / a), rng.normal(size=b) * 0.3] for a, b in itertools.pairwise(widths)
    ]
    values = np.maximum(rng.uniform(-1, 1, size=(2000, 16)) @ layers[0][0].T + layers[0][1], 0)
    pre = values @ layers[1][0][0] + layers[1][1][0]
    layers[1][1][0] -= pre.max() + 1.5 * pre.std()
    result = irrelevant(FloatNet(layers), [(2, 0)], [-1] * 16, [1] * 16)
    assert result.verdict == "unsat"
    assert "split" in result.tree
    check_fact(result.fact)


def planted(seed, widths, margin, samples=1000):
    """A random net whose first unit in the last hidden layer is near 0 at the highest of many samples."""
    rng = np.random.default_rng(seed)
    layers = [
        [rng.normal(size=(b, a)) * np.sqrt(2 / a), rng.normal(size=b) * 0.3] for a, b in itertools.pairwise(widths)
    ]
    values = rng.uniform(-1, 1, size=(samples, widths[0]))
    for weights, bias in layers[:-2]:
        values = np.maximum(values @ weights.T + bias, 0)
    pre = values @ layers[-2][0][0] + layers[-2][1][0]
    layers[-2][1][0] -= pre.max() + margin * pre.std()
    return FloatNet(layers)


@pytest.mark.parametrize("seed", range(40))
def test_whatever_the_order_of_the_search_its_certificate_is_accepted(seed, monkeypatch):
    rng = np.random.default_rng(seed)
    monkeypatch.setattr(search, "FEW_SIGNS", int(rng.integers(0, 8)))
    monkeypatch.setattr(search, "CUT_DIMENSIONS", int(rng.choice([0, 12])))
    monkeypatch.setattr(search, "BATCH", int(rng.choice([1, 3, 64])))
    widths = (int(rng.integers(1, 5)), *(int(n) for n in rng.integers(3, 8, size=rng.integers(2, 4))), 2)
    units = [(len(widths) - 2, j) for j in range(1 + int(rng.random() < 0.3))]
    net = planted(seed, widths, float(rng.choice([0.05, 0.3, 0.8, -0.02])))
    result = irrelevant(net, units, [-1] * widths[0], [1] * widths[0])
    assert result.verdict in ("sat", "unsat")
    check_fact(result.fact)


def test_a_part_found_empty_by_two_bounds_of_a_unit(monkeypatch):
    monkeypatch.setattr(search, "CUT_DIMENSIONS", 0)
    found = []
    for margin in (0.05, 0.3, 0.8):
        result = irrelevant(planted(850, (2, 5, 7, 6, 2), margin, 2000), [(3, 0)], [-1] * 2, [1] * 2)
        assert result.verdict in ("sat", "unsat")
        check_fact(result.fact)
        found += [node for node in nodes(result.tree) if node.get("leaf") == "empty"]
    assert found

"""Circuits on boxes put to the proved checkers: what they accept is so, and the independent checker says the same."""

import json
from fractions import Fraction
from functools import reduce
from itertools import pairwise
from operator import getitem

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from proof_of_absence.checker.audit.certify import certify
from proof_of_absence.checker.audit.idle import unit_findings
from proof_of_absence.checker.independent.facts import check_fact
from proof_of_absence.checker.proved.opinion import Answer, opinions
from proof_of_absence.checker.region import search
from proof_of_absence.checker.region.decide import irrelevant
from proof_of_absence.models.floatnet import FloatNet
from tests.checker.independent.kinds.region import SAYS
from tests.checker.proved.asking import agree, oracle, places_of, told

pytestmark = pytest.mark.usefixtures("made")

# Few values, so that units are often multiples of each other; 0.1 has a long denominator.
WEIGHTS = st.sampled_from([-2.0, -1.0, -0.5, 0.0, 0.1, 1.0, 1.0, 2.0])
SIDES = st.sampled_from([("-1", "1"), ("0", "1/3"), ("-1/7", "2"), ("1/2", "1/2")])


@st.composite
def decided(draw):
    """A fact about a circuit of a small net on a box: as the search finds it, by cuts or by signs."""
    widths = [draw(st.integers(1, 3)), *draw(st.lists(st.integers(1, 4), min_size=1, max_size=3)), 1]
    layers = [
        ([[draw(WEIGHTS) for _ in range(below)] for _ in range(above)], [draw(WEIGHTS) for _ in range(above)])
        for below, above in pairwise(widths)
    ]
    units = [(layer, j) for layer in range(1, len(widths) - 1) for j in range(widths[layer])]
    low, high = zip(*(draw(SIDES) for _ in range(widths[0])), strict=True)
    chosen = draw(st.sets(st.sampled_from(units), min_size=1, max_size=3))
    with pytest.MonkeyPatch.context() as patch:
        for name, value in draw(st.sampled_from([{}, {"CUT_DIMENSIONS": 0}, {"FEW_SIGNS": 1}])).items():
            patch.setattr(search, name, value)
        found = irrelevant(FloatNet(layers), sorted(chosen), list(low), list(high), seconds=None, nodes=60)
    assume(found.fact is not None)
    return json.loads(json.dumps(found.fact))


def nodes(tree):
    """A tree and all that is below it."""
    yield tree
    for side in ("low", "high", "on", "off"):
        if side in tree:
            yield from nodes(tree[side])


def swap(tree):
    for one, other in (("low", "high"), ("on", "off")):
        if one in tree:
            tree[one], tree[other] = tree[other], tree[one]


def change(draw, fact):
    """Something else in the fact or its tree, which may be so too."""
    tree = draw(st.sampled_from(list(nodes(fact["tree"])))) if "tree" in fact else {}
    match draw(st.sampled_from(["number", "number", "leaf", "bounds", "swap", "part"])):
        case "leaf" if "leaf" in tree:
            thin = {"leaf": "thin", "multipliers": [[1, 0, "1"]]}
            tree |= draw(st.sampled_from([{"leaf": "constant"}, {"leaf": "empty", "unit": [1, 0]}, thin]))
        case "bounds" if tree.get("bounds"):
            del tree["bounds"][draw(st.integers(0, len(tree["bounds"]) - 1))]
        case "swap" if tree:
            swap(tree)
        case "part" if {"on", "low"} & set(tree):
            tree[draw(st.sampled_from(sorted({"on", "low"} & set(tree))))] = {"leaf": "constant"}
        case _:
            *way, last = draw(st.sampled_from([p for p in places_of(fact) if p[-1] not in ("leaf",)]))
            node = fact
            for key in way:
                node = node[key]
            if isinstance(node[last], int):
                node[last] = draw(st.integers(0, 3))
            elif node[last] is not None:
                node[last] = str(Fraction(node[last]) + Fraction(draw(st.sampled_from(["-1/100", "1/100", "1", "-1"]))))


@settings(deadline=None, max_examples=20)
@given(data=st.data())
def test_what_it_accepts_is_so_and_it_says_what_the_independent_checker_says(data, tmp_path_factory):
    facts = [data.draw(decided()) for _ in range(8)]
    agree(tmp_path_factory.mktemp("regions"), facts, lambda fact: Answer.ACCEPTED)
    for fact in facts:
        for _ in range(data.draw(st.integers(1, 2))):
            change(data.draw, fact)
    answers = told(tmp_path_factory.mktemp("changed"), [json.dumps({"fact": fact}) for fact in facts])
    for fact, opinion in zip(facts, answers, strict=True):
        ((_, answer),) = opinion.facts
        assert answer is oracle(fact), fact
        assert answer is Answer.REFUSED or SAYS[fact["kind"]](fact), fact


# relu(2x + 2y - 2) - 2 relu(x + y - 1) is 0 everywhere; the second layer has a unit that stays off.
PLAIN = FloatNet([
    ([[1.0, 0.5], [-1.0, 1.0], [0.5, -1.0]], [0.25, 0.0, -0.25]),
    ([[1.0, 1.0, -0.5], [0.5, -1.0, 1.0]], [-2.25, 0.25]),
    ([[1.0, 1.0]], [0.0]),
])  # fmt: skip
PAIR = FloatNet([([[1.0, 1.0], [2.0, 2.0]], [-1.0, -2.0]), ([[-2.0, 1.0]], [0.0])])
BOX = ([-1, -1], [1, 1])


def tree_of(net, circuit, monkeypatch, **settings_of):
    for name, value in settings_of.items():
        monkeypatch.setattr(search, name, value)
    found = irrelevant(net, circuit, *BOX)
    assert found.verdict == "unsat"
    return json.loads(json.dumps(found.fact))


def refused(tmp_path, *facts):
    """Both checkers refuse each of them."""
    agree(tmp_path, facts, lambda fact: Answer.REFUSED)
    assert {oracle(fact) for fact in facts} == {Answer.REFUSED}


@pytest.mark.parametrize("few", [{"CUT_DIMENSIONS": 12, "FEW_SIGNS": 0}, {"CUT_DIMENSIONS": 0, "FEW_SIGNS": 0}])
def test_trees_of_which_something_is_missing_or_false_are_refused(few, tmp_path, monkeypatch):
    fact = tree_of(PLAIN, [(2, 0)], monkeypatch, **few)
    agree(tmp_path, [fact], lambda fact: Answer.ACCEPTED)
    forged = [fact | {"high": ["9", "9"]}, fact | {"value": [[3, 0, "1"]]}, fact | {"circuit": [[2, 1]]}]
    forged += [fact | {"value": []}, fact | {"low": ["-1"]}, fact | {"low": ["2", "-1"]}]
    for k, node in enumerate(nodes(fact["tree"])):
        for key in sorted({"leaf", "on", "off", "low", "high", "bounds"} & set(node)):
            other = json.loads(json.dumps(fact))
            del list(nodes(other["tree"]))[k][key]
            forged.append(other)
    refused(tmp_path, *(one for one in forged if oracle(one) is Answer.REFUSED))
    assert sum(oracle(one) is Answer.REFUSED for one in forged) > 8


def test_units_that_cancel_need_no_sign_and_a_wrong_factor_is_refused(tmp_path, monkeypatch):
    fact = tree_of(PAIR, [(1, 0), (1, 1)], monkeypatch)
    assert fact["tree"]["leaf"] == "constant"
    agree(tmp_path, [fact], lambda fact: Answer.ACCEPTED)
    other = json.loads(json.dumps(fact))
    other["net"][1]["weights"] = [["-2", "3/2"]]
    refused(tmp_path, other, fact | {"circuit": [[1, 0]]})


def split(multipliers):
    """The pair above by the signs of both units: where these differ there is only a line."""
    line = {"leaf": "thin", "multipliers": multipliers}
    flat = {"leaf": "constant"}
    tree = {"split": [1, 0], "on": {"split": [1, 1], "on": flat, "off": line}}
    tree["off"] = {"split": [1, 1], "on": line, "off": flat}
    layers = [{"weights": [["1", "1"], ["2", "2"]], "bias": ["-1", "-2"]}, {"weights": [["-2", "1"]], "bias": ["0"]}]
    return {
        "kind": "irrelevant-region", "net": layers, "circuit": [[1, 0], [1, 1]], "value": [[2, 0, "0"]],
        "low": ["-1", "-1"], "high": ["1", "1"], "tree": tree,
    }  # fmt: skip


def test_a_part_without_interior_is_closed_by_multipliers_and_only_by_right_ones(tmp_path):
    agree(tmp_path, [split([[1, 0, "2"], [1, 1, "1"]])], lambda fact: Answer.ACCEPTED)
    wrong = ([], [[1, 0, "1"], [1, 1, "1"]], [[1, 0, "-2"], [1, 1, "-1"]], [[1, 0, "2"]], [[1, 0, "2"], [1, 1, "0"]])
    refused(tmp_path, *map(split, wrong))
    check_fact(split([[1, 0, "2"], [1, 1, "1"]]))


def test_facts_of_a_folder_are_about_its_net_and_late_ones_are_left(tmp_path, monkeypatch):
    net = FloatNet([(np.array([[1.0], [1.0]]), np.array([-3.0, 0.1])), (np.array([[1.0, 0.5]]), np.array([0.0]))])
    inputs = np.array([[0.0], [1.0]])
    regions = [irrelevant(net, [(1, 0)], [-1], [high]).claim for high in (3, 4)]
    path = certify(tmp_path, net, inputs, units=unit_findings(net, inputs), regions=regions)
    facts = {"units": Answer.ACCEPTED, "irrelevant-region": Answer.ACCEPTED, "relevant-at": Answer.ACCEPTED}
    assert facts.items() <= dict(opinions([path])[path].facts).items()
    monkeypatch.setattr("proof_of_absence.checker.proved.opinion.SECONDS", 0)
    assert dict(opinions([path])[path].facts)["irrelevant-region"] is Answer.LEFT
    monkeypatch.undo()
    found = json.loads(path.read_text())
    for fact in found["facts"]:
        if fact["kind"] == "irrelevant-region":
            fact["high"] = ["4"]
    path.write_text(json.dumps(found))
    assert dict(opinions([path])[path].facts)["irrelevant-region"] is Answer.REFUSED


def whole_numbers(node, way=()):
    """Where whole numbers stand in a fact."""
    if isinstance(node, dict | list):
        for key, value in node.items() if isinstance(node, dict) else enumerate(node):
            yield from whole_numbers(value, (*way, key))
    elif type(node) is int:
        yield way


@pytest.mark.parametrize("few", [{"CUT_DIMENSIONS": 12, "FEW_SIGNS": 0}, {"CUT_DIMENSIONS": 0, "FEW_SIGNS": 0}])
def test_a_truth_value_or_a_float_is_no_number_of_a_unit_or_an_input(few, tmp_path, monkeypatch):
    """Python takes True and 1.0 for 1: in every place one checker would say something else than the other."""
    facts = [tree_of(PLAIN, [(2, 0)], monkeypatch, **few), split([[1, 0, "2"], [1, 1, "1"]])]
    forged = []
    for fact in facts:
        for *way, last in whole_numbers(fact):
            for kind in (bool, float):
                other = json.loads(json.dumps(fact))
                node = reduce(getitem, way, other)
                if kind(node[last]) == node[last]:
                    node[last] = kind(node[last])
                    forged.append(other)
    assert len(forged) > 20
    refused(tmp_path, *forged)


@pytest.mark.parametrize("coordinate", [-1, 2, 10**9, 10**15, 10**18])
def test_a_cut_of_an_input_that_is_not_there_is_refused_at_once(coordinate, tmp_path):
    """Such a number was once counted up to, until the memory ended."""
    leaf = {"leaf": "constant"}
    refused(tmp_path, split([]) | {"tree": {"cut": [coordinate, "0"], "low": leaf, "high": leaf}})

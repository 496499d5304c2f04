"""The features of hidden layers in an audit put to the proved checkers: they say what the independent checker says."""

import json
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proof_of_absence.checker.audit.certify import rank_fact
from proof_of_absence.checker.audit.entry import audit
from proof_of_absence.checker.audit.independence import rank_findings
from proof_of_absence.checker.proved.opinion import Answer, opinions
from proof_of_absence.models.floatnet import FloatNet
from tests.checker.proved.audited import agree_on, matrix, values

pytestmark = pytest.mark.usefixtures("made")

TABLES = ("full-rank", "dependency", "few-inputs")


@st.composite
def audits(draw):
    """A net, training inputs, and facts about its hidden layers: found, made up, and changed."""
    widths = draw(st.lists(st.integers(1, 3), min_size=3, max_size=4))
    layers = [(matrix(draw, n, d), matrix(draw, 1, n)[0]) for d, n in pairwise(widths)]
    train = matrix(draw, draw(st.integers(1, 6)), widths[0])
    found = [fact for finding in rank_findings(FloatNet(layers), train) if (fact := rank_fact(finding))]
    facts = json.loads(json.dumps(found))
    layer = draw(st.integers(1, len(widths) - 2))
    rows = draw(st.lists(st.integers(0, len(train) - 1), min_size=widths[layer] + 1, max_size=widths[layer] + 1))
    prime = draw(st.sampled_from([2147483647, 3, 7, 9]))
    facts.append({"kind": "full-rank", "layer": layer, "prime": prime, "rows": rows})
    facts.append({"kind": "full-rank", "layer": layer, "prime": prime, "rows": rows[:2], "units": [0]})
    facts.append({"kind": "few-inputs", "layer": layer, "distinct_inputs": len(np.unique(train + 0.0, axis=0))})
    terms = draw(st.lists(st.sampled_from(["0", "1", "-1", "1/3"]), min_size=widths[layer], max_size=widths[layer]))
    # The constant that makes it vanish at the first row.
    phi = values(layers, train[0])[layer - 1]
    constant = -sum((Fraction(term) * value for term, value in zip(terms, phi, strict=True)), Fraction(0))
    said = f"{constant.numerator:x}/{constant.denominator:x}"
    facts.append({"kind": "dependency", "layer": layer, "coefficients": [said, *terms]})
    if draw(st.booleans()):
        change(draw, draw(st.sampled_from(facts)))
    return layers, train, train, facts


def change(draw, fact):
    """Something else in one place of the fact, which may be so too."""
    key = draw(st.sampled_from(sorted(set(fact) - {"kind"})))
    if key in ("rows", "units", "coefficients"):
        other = st.sampled_from(["0", "1", "2/3"]) if key == "coefficients" else st.integers(-1, 5)
        fact[key][draw(st.integers(0, len(fact[key]) - 1))] = draw(other)
    else:
        fact[key] = draw(st.integers(0, 5))


@settings(deadline=None, max_examples=40)
@given(cases=st.lists(audits(), min_size=8, max_size=8))
def test_of_each_fact_it_says_what_the_independent_checker_says(cases, tmp_path_factory):
    agree_on(tmp_path_factory.mktemp("tables"), cases)


def test_a_layer_in_several_integers_has_the_rank_that_the_independent_checker_finds(tmp_path):
    """Wide enough that no one integer holds all slots, of features or of columns; and the same net with one unit
    twice, and with a row twice in the minor.
    """
    source = np.random.default_rng(3)
    layers = [(source.normal(size=(n, d)), source.normal(size=n)) for d, n in pairwise([20, 240, 130, 1])]
    train = source.normal(size=(300, 20))
    facts = [rank_fact(finding) for finding in rank_findings(FloatNet(layers), train)]
    assert [fact["kind"] for fact in facts] == ["full-rank", "full-rank"]
    twice = [{**fact, "rows": [*fact["rows"][:-1], fact["rows"][0]]} for fact in facts]
    # A copy in the first layer, for which the second one's features are others.
    first, second, out = [(weights.copy(), bias.copy()) for weights, bias in layers]
    first[0][239], first[1][239] = first[0][7], first[1][7]
    cases = [(layers, train, train, [*facts, *twice]), ([first, second, out], train, train, facts)]
    agree_on(tmp_path, cases)
    path = tmp_path / "0" / "certificate.json"
    said = [answer for _, answer in opinions([path])[path].facts]
    assert said == [Answer.ACCEPTED] * 2 + [Answer.REFUSED] * 2


def test_what_an_audit_says_of_its_layers_is_accepted_and_forged_facts_are_not(tmp_path):
    """A first layer of independent features, a second one with a unit twice, and a third with more units than rows."""
    source = np.random.default_rng(5)
    layers = [(source.normal(size=(n, d)), source.normal(size=n)) for d, n in pairwise([2, 3, 3, 40, 1])]
    layers[1][0][2], layers[1][1][2] = 2 * layers[1][0][1], 2 * layers[1][1][1]
    audit(FloatNet(layers), source.normal(size=(30, 2)), output=tmp_path / "it")
    path = tmp_path / "it" / "certificate.json"
    certificate = json.loads(path.read_text())
    own = [k for k, fact in enumerate(certificate["facts"]) if fact["kind"] in TABLES]
    assert {certificate["facts"][k]["kind"] for k in own} == set(TABLES)
    assert {opinions([path])[path].facts[k][1] for k in own} == {Answer.ACCEPTED}
    for k in own:
        forged = json.loads(json.dumps(certificate))
        fact = forged["facts"][k]
        match fact["kind"]:
            case "full-rank":
                fact["rows"][0] = fact["rows"][1]
            case "dependency":
                fact["coefficients"][0] = "1/3"
            case "few-inputs":
                fact["distinct_inputs"] -= 1
        path.write_text(json.dumps(forged))
        assert opinions([path])[path].facts[k][1] is Answer.REFUSED

"""Facts about scaling laws and results of experiments: what is so is accepted, each thing that can be wrong refused."""

import json
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proof_of_absence.checker.experiments.scale.tax import tax_fact, threshold_fact
from proof_of_absence.checker.independent.facts import check_fact
from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.checker.independent.results.experiment import check_experiment
from proof_of_absence.checker.kernel.certificate import seal
from proof_of_absence.models.scaling import BESIROGLU, HOFFMANN, ScalingLaw
from tests.checker.changed import changed
from tests.checker.independent.kinds import scaling as oracle

TAX = tax_fact(HOFFMANN, 10**9, 10**10, 10**5, below=Fraction(1, 1000))
OVER = tax_fact(HOFFMANN, 10**9, 10**10, 10**8, above=Fraction(1, 1000))
LEAST = threshold_fact(HOFFMANN, 10**9, Fraction(1, 1000))


@pytest.mark.parametrize(
    ("fact", "match", "path", "value"),
    [
        (TAX, "the tax: stated 1.20001e-05, recomputed between about 0.00001203", ["tax"], "1.20001e-05"),
        (TAX, "the loss: stated 3.00000e.0, recomputed between about 2.69487", ["loss"], "3.00000e+0"),
        (TAX, "not a number of stated digits", ["tax"], "1/1000"),
        (TAX, "not below", ["below"], "1/1000000"),
        (OVER, "not above", ["above"], "1"),
        (TAX, "leaves no parameter", ["detector"], 10**9),
        (TAX, "not a number of parameters", ["detector"], 0),
        (TAX, "not a number of parameters", ["detector"], True),
        (TAX, "not a number of parameters", ["parameters"], 10**16),
        (TAX, "below its lower bound", ["parameters"], 10**9 + 1),
        (TAX, "above its upper bound", ["parameters"], 10**9 - 1),
        (TAX, "below its lower bound", ["powers", "left", 0], TAX["powers"]["left"][1]),
        (TAX, "above its upper bound", ["powers", "left", 1], TAX["powers"]["left"][0]),
        (TAX, "a bound is out of range", ["powers", "left", 0], "1"),
        (TAX, "a bound is out of range", ["powers", "left", 0], "0"),
        (TAX, "a bound is out of range", ["powers", "left", 0], f"1/{2**300}"),
        (TAX, "two bounds", ["powers", "left"], ["1"]),
        (TAX, "an exponent is out of range", ["law", "alpha"], f"1/{10**9}"),
        (TAX, "an exponent is out of range", ["law", "alpha"], "2"),
        (TAX, "a coefficient is not positive", ["law", "data"], "-1"),
        (TAX, "five coefficients", ["law"], {"alpha": "1"}),
        (LEAST, "not worth more than the tolerance", ["tolerance"], "1/100"),
        (LEAST, "a smaller detector is worth more too", ["tolerance"], "1/10000"),
        (LEAST, "the tolerance is not positive", ["tolerance"], "0"),
        (LEAST, r"below its lower bound|above its upper bound", ["detector"], LEAST["detector"] + 1),
        (LEAST, "malformed", ["powers"], {}),
    ],
)
def test_what_is_not_so_is_refused(fact, match, path, value):
    check_fact(fact)
    with pytest.raises(Refused, match=match):
        check_fact(changed(fact, path, value))


LAW = st.builds(
    ScalingLaw,
    st.just(""), st.just(""),
    st.fractions(Fraction(1, 10), 3, max_denominator=50), st.fractions(1, 900, max_denominator=50),
    st.fractions(Fraction(1, 20), 1, max_denominator=60), st.fractions(1, 900, max_denominator=50),
    st.fractions(Fraction(1, 20), 1, max_denominator=60),
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(LAW, st.integers(2, 10**13), st.integers(1, 10**13), st.floats(0, 1, exclude_max=True), st.data())
def test_facts_of_any_law_are_accepted_and_judged_as_mpmath_does(law, whole, tokens, part, more):
    fact = tax_fact(law, whole, tokens, max(1, int(part * whole)), digits=more.draw(st.integers(1, 8)))
    check_fact(fact)
    assert oracle.scaling_tax(fact)
    paths = [["tax"], ["loss"], ["powers", "left", 0], ["powers", "whole", 1], ["law", "capacity"]]
    path = more.draw(st.sampled_from(paths))
    node = fact
    for key in path:
        node = node[key]
    digits, _, exponent = node.partition("e")
    moved = f"{digits[:-1]}{(int(digits[-1]) + 1) % 10}e{exponent}" if exponent else str(Fraction(node) * 3 / 2)
    other = changed(fact, path, moved)
    assert not oracle.scaling_tax(other)
    with pytest.raises(Refused):
        check_fact(other)


@settings(max_examples=30, deadline=None)
@given(st.sampled_from([HOFFMANN, BESIROGLU]), st.integers(10**6, 10**13), st.floats(-9, -1))
def test_thresholds_are_judged_as_mpmath_does(law, whole, exponent):
    fact = threshold_fact(law, whole, Fraction(10**exponent))
    assert oracle.scaling_threshold(fact)
    check_fact(fact)


RESULT = {"format": "absence-experiment/1", "facts": {"one": TAX}}


@pytest.mark.parametrize(
    ("result", "match"),
    [
        (seal(RESULT) | {"facts": {"one": OVER}}, "the digest does not fit"),
        (RESULT, "the digest does not fit"),
        (seal(RESULT | {"format": "x"}), "not in the format"),
        (seal(RESULT | {"facts": {}}), "no facts"),
        (seal(RESULT | {"facts": []}), "no facts"),
        (
            seal(RESULT | {"facts": {"two": changed(TAX, ["tax"], "1.0e-5")}}),
            "two: the tax: stated 1.0e-5, recomputed between",
        ),
        ([], "not in the format"),
    ],
)
def test_results_that_are_not_whole_or_not_so_are_refused(tmp_path, result, match):
    path = tmp_path / "result.json"
    path.write_text(json.dumps(seal(RESULT)))
    assert check_experiment(tmp_path / "result.json") == seal(RESULT)
    path.write_text(json.dumps(result))
    with pytest.raises(Refused, match=match):
        check_experiment(path)
    path.write_text("{")
    with pytest.raises(Refused, match="not readable as JSON"):
        check_experiment(path)

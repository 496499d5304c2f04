"""Facts about losses: what the audit finds is confirmed, exactly and by bounds; what is tampered with is refused."""

import copy
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings

from proof_of_absence.checker.audit import improve as improvement
from proof_of_absence.checker.audit import loss
from proof_of_absence.checker.audit import loss_facts as facts
from proof_of_absence.checker.audit.deviation import float32_deviation
from proof_of_absence.checker.audit.findings import Activity, CircuitFinding, UnitFinding
from proof_of_absence.checker.audit.gauge import prices
from proof_of_absence.checker.audit.improve import Unimproved, improve
from proof_of_absence.checker.audit.loss import losses
from proof_of_absence.checker.audit.rent import rents
from proof_of_absence.checker.independent.kinds import float_losses as independent
from proof_of_absence.checker.independent.kinds.float_losses import KINDS, decide
from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.checker.independent.values.floats import FloatData
from proof_of_absence.checker.independent.values.floats import FloatNet as Independent
from proof_of_absence.models.circuit import Unit
from proof_of_absence.models.floatnet import FloatNet
from tests.checker.audit.problems import problems


def check(fact, net, inputs, targets):
    """Decide a fact about this net and these data."""
    decide(fact, Independent(net.layers, net.dtype), FloatData(inputs, targets))


def everything(net, inputs, targets, circuits):
    """All facts that an audit of losses can state about the problem, by kind."""
    whole, floor = losses(net, inputs, targets)
    units = [UnitFinding(Unit(1, j), Activity.UNDECIDED, None) for j in range(net.widths[1])]
    found = [
        facts.loss_fact(whole, floor),
        facts.price_fact(prices(net, inputs, whole, floor, circuits), whole),
    ]
    if (units := rents(net, inputs, targets, units))[0].rent is not None:
        found.append(facts.rent_fact(units, whole))
    if not isinstance(better := improve(net, inputs, targets, circuits), Unimproved):
        found.append(facts.lower_loss_fact(better[0]))
    if (bound := float32_deviation(net, inputs)) is not None:
        found.append(facts.deviation_fact(bound))
    return {fact["kind"]: fact for fact in found}


@pytest.fixture(scope="module")
def case():
    """A float32 net with dead unit 0 on data with repeats, and its facts."""
    rng = np.random.default_rng(3)
    inputs = rng.integers(-4, 5, (60, 2)).astype(float) / 4
    targets = np.abs(inputs[:, :1]) + rng.integers(-4, 5, (60, 2)) / 8
    hidden = rng.standard_normal((5, 2)).astype(np.float32)
    bias = rng.standard_normal(5).astype(np.float32)
    bias[0] = -100
    output = rng.standard_normal((2, 5)).astype(np.float32)
    net = FloatNet([(hidden, bias), (output, [0.0, 0.5])], np.float32)
    circuit = CircuitFinding((Unit(1, 0),), {Unit(2, 0): Fraction(0), Unit(2, 1): Fraction(0)})
    problem = inputs, targets, [circuit]
    return SimpleNamespace(about=(net, inputs, targets), circuits=[circuit], facts=everything(net, *problem))


@pytest.mark.parametrize("limit", [independent.EXACT, 0])
@pytest.mark.parametrize("kind", sorted(KINDS))
def test_what_the_audit_finds_is_confirmed(case, monkeypatch, kind, limit):
    for bound in ("EXACT", "PATIENT"):
        monkeypatch.setattr(independent, bound, limit)
    fact = widened(case.facts[kind]) if limit == 0 else case.facts[kind]
    check(fact, *case.about)


def widened(fact):
    """The exact statements made wider, so that bounds can confirm them."""
    fact = copy.deepcopy(fact)

    def wider(pair):
        low, high = map(Fraction, pair)
        slack = max(abs(low), abs(high)) / 10**6
        pair[:] = [str(low - slack), str(high + slack)]

    for key in ("loss", "drop"):
        if key in fact:
            wider(fact[key])
    for pair in fact.get("steps", []):
        wider(pair)
    return fact


def test_enclosures_are_confirmed_by_other_bounds(case, monkeypatch):
    for module in (loss, improvement):
        monkeypatch.setattr(module, "SMALL", 0)
    for bound in ("EXACT", "PATIENT"):
        monkeypatch.setattr(independent, bound, 0)
    found = everything(*case.about, case.circuits)
    assert set(found) == set(KINDS)
    for fact in found.values():
        check(fact, *case.about)


@given(problems(extreme=True))
@settings(max_examples=30)
def test_extreme_nets_are_confirmed_or_honestly_not(problem):
    for kind, fact in everything(*problem).items():
        try:
            check(fact, *problem[:3])
        except Refused as refused:
            # Rents have float bounds only; where those overflow or are wide, nothing is confirmed or contradicted.
            assert kind == "unit-rents" and ("overflow" in str(refused) or "not confirmed" in str(refused)), refused


@given(problems(depth=2))
@settings(max_examples=20)
def test_drops_and_rents_of_deeper_nets_are_confirmed(problem):
    net, inputs, targets, circuits = problem
    if not isinstance(better := improve(net, inputs, targets, circuits), Unimproved):
        check(facts.lower_loss_fact(better[0]), net, inputs, targets)
    units = [UnitFinding(Unit(2, j), Activity.UNDECIDED, None) for j in range(net.widths[2])]
    units = rents(net, inputs, targets, units)
    check(facts.rent_fact(units, losses(net, inputs, targets)[0]), net, inputs, targets)


def changed(fact, path, change):
    fact = copy.deepcopy(fact)
    *outer, last = path
    place = fact
    for key in outer:
        place = place[key]
    place[last] = change(place[last])
    return fact


def more(text):
    return str(Fraction(text) + Fraction(1, 1000))


def less(text):
    return str(Fraction(text) - Fraction(1, 1000))


def both(pair):
    return [more(text) for text in pair]


TAMPERED = [
    ("training-loss", ["loss"], both, "the loss: stated .*, recomputed"),
    ("training-loss", ["loss"], lambda pair: [pair[0]], "two bounds"),
    ("training-loss", ["noise_floor"], both, "the noise floor: stated .*, recomputed"),
    ("lower-training-loss", ["drop"], both, "the drop: stated .*, recomputed"),
    ("lower-training-loss", ["drop"], lambda pair: ["-1", pair[1]], "a drop that may be 0"),
    ("lower-training-loss", ["outgoing", 0], lambda s: str(Fraction(s) * 2), "the drop: stated .*, recomputed"),
    ("lower-training-loss", ["bias"], lambda s: str(Fraction(s) + Fraction(1, 10**9)), "no float32"),
    ("lower-training-loss", ["bias"], lambda s: "1" + "0" * 400, "a parameter is no float"),
    ("lower-training-loss", ["circuit"], lambda units: [], "no circuit"),
    ("lower-training-loss", ["circuit"], lambda units: [5], "none of the net's"),
    ("lower-training-loss", ["circuit"], lambda units: [1], "the drop: stated .*, recomputed"),
    ("lower-training-loss", ["weights"], lambda w: w[:1], "do not fit the net"),
    ("unit-rents", ["units", 1, "rent"], both, "the rent of unit 1: stated .*, recomputed"),
    ("unit-rents", ["units", 1, "gain"], both, "the replacement gain of unit 1: stated .*, recomputed"),
    ("unit-rents", ["units", 1, "unit"], lambda j: 2, "the rent of unit 2: stated .*, recomputed"),
    ("unit-rents", ["units", 1, "unit"], lambda j: 9, "no hidden unit"),
    ("unit-rents", ["units", 1, "trial"], lambda t: 99, "a trial unit is not listed"),
    ("unit-rents", ["trials", 0, 1], lambda s: str(Fraction(s) + 1), ": stated .*, recomputed"),
    ("unit-rents", ["units"], lambda units: [], "no unit is listed"),
    ("uniform-gap", ["separation"], lambda s: str(2 * Fraction(s)), "two projections are closer than that"),
    ("uniform-gap", ["separation"], lambda s: "0", "not positive"),
    ("uniform-gap", ["spread"], lambda s: str(Fraction(s) / 2), "two projections are further apart than that"),
    ("uniform-gap", ["gap"], lambda s: str(2 * Fraction(s)), "the gap: stated .*, recomputed"),
    ("uniform-gap", ["steps", 1], both, "step 2: stated .*, recomputed"),
    ("uniform-gap", ["direction"], lambda w: [*w, "0"], "wrong dimension"),
    ("float32-deviation", ["bound"], lambda s: str(Fraction(s) / 1000), "may be off by"),
    ("float32-deviation", ["bound"], lambda s: 1, "not an exact number"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "path", "change", "reason"), TAMPERED)
def test_what_is_tampered_with_is_refused(case, kind, path, change, reason):
    with pytest.raises(Refused, match=reason):
        check(changed(case.facts[kind], path, change), *case.about)


def test_bounds_too_narrow_to_confirm_are_not_a_pass(case, monkeypatch):
    monkeypatch.setattr(independent, "EXACT", 0)
    # Exact arithmetic where it is affordable ..
    check(case.facts["training-loss"], *case.about)
    monkeypatch.setattr(independent, "PATIENT", 0)
    # .. and no answer where it is not.
    with pytest.raises(Refused, match=r"the loss is not confirmed: stated .*, own bounds"):
        check(case.facts["training-loss"], *case.about)

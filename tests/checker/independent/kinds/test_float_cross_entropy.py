"""Facts about the cross-entropy: what is found is confirmed, exactly and by bounds; what is tampered with is not.

The oracle is mpmath, which neither side uses.
"""

import copy
from fractions import Fraction
from types import SimpleNamespace

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proof_of_absence.checker.audit import cross_entropy
from proof_of_absence.checker.audit import cross_entropy_facts as facts
from proof_of_absence.checker.audit.class_improve import improve_class
from proof_of_absence.checker.audit.class_rent import class_rents
from proof_of_absence.checker.audit.cross_entropy import class_losses
from proof_of_absence.checker.audit.findings import Activity, CircuitFinding, Enclosure, UnitFinding
from proof_of_absence.checker.audit.reuse import Unimproved
from proof_of_absence.checker.independent.kinds import float_cross_entropy as independent
from proof_of_absence.checker.independent.kinds.float_cross_entropy import KINDS, decide, floor
from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.checker.independent.values.floats import FloatData
from proof_of_absence.checker.independent.values.floats import FloatNet as Independent
from proof_of_absence.checker.independent.values.series import ONE, down, exponential, logarithm, up
from proof_of_absence.models.circuit import Unit
from proof_of_absence.models.floatnet import FloatNet
from tests.checker.audit.class_problems import DIGITS, class_problems, logits, mp_loss, mp_of


def check(fact, net, inputs, targets):
    """Decide a fact about this net and these data."""
    decide(fact, Independent(net.layers, net.dtype), FloatData(inputs, targets))


def everything(net, inputs, targets, circuits):
    """All facts that an audit of the cross-entropy can state about the problem, by kind."""
    loss, least = class_losses(net, inputs, targets)
    last = len(net.layers) - 1
    units = [UnitFinding(Unit(last, j), Activity.UNDECIDED, None) for j in range(net.widths[last])]
    found = [facts.loss_fact(loss, least), facts.rent_fact(class_rents(net, inputs, targets, units), loss)]
    if not isinstance(better := improve_class(net, inputs, targets, circuits), Unimproved):
        found.append(facts.lower_loss_fact(better[0]))
    return {fact["kind"]: fact for fact in found}


@pytest.fixture(scope="module")
def case():
    """A float32 classifier with dead unit 0 on data with repeats, and its facts."""
    rng = np.random.default_rng(3)
    inputs = rng.integers(-4, 5, (60, 2)).astype(float) / 4
    targets = np.eye(3)[rng.integers(0, 3, 60)]
    hidden = rng.standard_normal((5, 2)).astype(np.float32)
    bias = rng.standard_normal(5).astype(np.float32)
    bias[0] = -100
    output = rng.standard_normal((3, 5)).astype(np.float32)
    net = FloatNet([(hidden, bias), (output, [0.0, 0.5, -0.25])], np.float32)
    circuit = CircuitFinding((Unit(1, 0),), {Unit(2, k): Fraction(0) for k in range(3)})
    about = net, inputs, targets
    return SimpleNamespace(about=about, circuits=[circuit], facts=everything(*about, [circuit]))


@pytest.mark.parametrize("limit", [independent.EXACT, 0])
@pytest.mark.parametrize("kind", sorted(KINDS))
def test_what_the_audit_finds_is_confirmed(case, monkeypatch, kind, limit):
    for bound in ("EXACT", "PATIENT"):
        monkeypatch.setattr(independent, bound, limit)
    check(case.facts[kind], *case.about)


def test_enclosures_of_floats_are_confirmed_by_other_bounds(case, monkeypatch):
    monkeypatch.setattr(cross_entropy, "AFFORDABLE", 0)
    for bound in ("EXACT", "PATIENT"):
        monkeypatch.setattr(independent, bound, 0)
    found = everything(*case.about, case.circuits)
    assert set(found) == set(KINDS)
    for fact in found.values():
        check(fact, *case.about)


@given(st.one_of(class_problems(), class_problems(soft=True), class_problems(depth=2)))
@settings(max_examples=40)
def test_facts_of_any_problem_are_confirmed(problem):
    found = everything(*problem)
    for fact in found.values():
        check(fact, *problem[:3])
    stated = found["training-cross-entropy"]
    assert all(Fraction(stated[name][0]) >= 0 for name in ("loss", "noise_floor"))


@given(class_problems(soft=True), st.booleans())
@settings(max_examples=40)
def test_own_bounds_hold_what_mpmath_finds(problem, exact):
    net, data = Independent(problem.net.layers, problem.net.dtype), FloatData(problem.inputs, problem.targets)
    low, high = independent.mean_cross_entropy(net, data, exact)
    with mpmath.workdps(DIGITS):
        value = mp_loss(logits(problem.net, problem.inputs), problem.targets)
        off = mpmath.mpf(10) ** -60 * (1 + value)
        assert mp_of(low) - off <= value <= mp_of(high) + off
    # As tight as what is stated is wide: 2^-24 of the loss, and more.
    assert high - low <= (high + 1) * Fraction(1, 2**30 if not exact else 2**95)


def test_the_floor_of_label_frequencies():
    inputs = np.array([[1.0], [1.0], [1.0], [-0.0], [0.0]])
    low, high = floor(FloatData(inputs, np.eye(2)[[0, 0, 1, 1, 1]]))
    with mpmath.workdps(DIGITS):
        value = (3 * mpmath.log(3) - 2 * mpmath.log(2)) / 5
        assert mp_of(low) <= value <= mp_of(high) and high - low < Fraction(1, 2**180)


def test_where_the_input_decides_the_class_the_floor_is_0_exactly(case):
    net, inputs, _ = case.about
    # Every input is there twice.
    inputs, targets = np.vstack([inputs, inputs]), np.eye(3)[np.tile((inputs[:, 0] > 0).astype(int), 2)]
    assert floor(FloatData(inputs, targets)) == (0, 0)
    loss, least = class_losses(net, inputs, targets)
    fact = facts.loss_fact(loss, least)
    assert fact["noise_floor"] == ["0", "0"]
    check(fact, net, inputs, targets)


def test_no_loss_is_stated_to_be_below_0():
    small = Enclosure(Fraction(0), Fraction(1, 2**90))
    fact = facts.loss_fact(small, small)
    assert all(fact[name][0] == "0" and Fraction(fact[name][1]) > small.high for name in ("loss", "noise_floor"))


def scaled(value, factor):
    return [str(Fraction(end) * factor) for end in value]


TAMPERED = [
    ("training-cross-entropy", lambda f: f.update(loss=scaled(f["loss"], 2)), "the loss: stated .*, recomputed"),
    ("training-cross-entropy", lambda f: f.update(loss=scaled(f["loss"], Fraction(9, 10))), "the loss: stated"),
    ("training-cross-entropy", lambda f: f.update(loss=f["loss"][:1] * 2), "the loss"),
    ("training-cross-entropy", lambda f: f.update(noise_floor=["0", "0"]), "the noise floor: stated"),
    ("lower-training-cross-entropy", lambda f: f.update(drop=scaled(f["drop"], Fraction(11, 10))), "the drop: stated"),
    ("lower-training-cross-entropy", lambda f: f.update(drop=["0", "1"]), "a drop that may be 0"),
    ("lower-training-cross-entropy", lambda f: f.update(drop=["1/100000000", "9"]), None),
    ("lower-training-cross-entropy", lambda f: f.update(circuit=[1]), "the drop: stated"),
    ("lower-training-cross-entropy", lambda f: f.update(outgoing=scaled(f["outgoing"], -1)), "the drop: stated"),
    ("lower-training-cross-entropy", lambda f: f.update(bias="1/3"), "a parameter is no float32"),
    (
        "cross-entropy-rents",
        lambda f: f["units"][1].update(rent=scaled(f["units"][1]["rent"], 2)),
        "the rent of unit 1",
    ),
    (
        "cross-entropy-rents",
        lambda f: f["units"][1]["classes"].__setitem__(2, scaled(f["units"][1]["classes"][2], 2)),
        "the rent of unit 1 in class 2: stated",
    ),
    ("cross-entropy-rents", lambda f: f["units"][1]["classes"].reverse(), "the rent of unit 1 in class 0: stated"),
    ("cross-entropy-rents", lambda f: f["units"][1]["classes"].pop(), "is not stated for each class"),
    ("cross-entropy-rents", lambda f: f["units"][1].update(unit=9), "9 is no hidden unit"),
    ("cross-entropy-rents", lambda f: f["units"][1].update(unit=2), "the rent of unit 2: stated"),
]


@pytest.mark.parametrize(("kind", "tamper", "reason"), TAMPERED)
def test_tampered_facts_are_refused(case, kind, tamper, reason):
    fact = copy.deepcopy(case.facts[kind])
    tamper(fact)
    if reason is None:
        # Wider bounds are as true.
        check(fact, *case.about)
        return
    with pytest.raises(Refused, match=reason):
        check(fact, *case.about)


def test_what_is_no_probabilities_has_no_cross_entropy(case):
    net, inputs, targets = case.about
    fact = case.facts["training-cross-entropy"]
    for wrong in (targets * 2, targets - [[0, 1, -1]], targets[:, :1]):
        with pytest.raises(Refused, match=r"probabilities|one target for each output"):
            check(fact, net, inputs, wrong)
    with pytest.raises(Refused, match="recomputed"):
        check(fact, net, inputs, np.roll(targets, 1, axis=1))


@given(st.fractions(0, 200), st.fractions(1, 10**6))
def test_series_hold_what_mpmath_finds(x, y):
    with mpmath.workdps(DIGITS):
        for (low, high), value in (
            (exponential(x), mpmath.exp(-mp_of(x))),
            (logarithm(down(y * ONE), up(y * ONE)), mpmath.log(mp_of(y))),
        ):
            off = mpmath.mpf(10) ** -70
            assert mpmath.mpf(low) / ONE - off <= value <= mpmath.mpf(high) / ONE + off
            assert high - low <= 2 ** (92 if x > 100 else 20)

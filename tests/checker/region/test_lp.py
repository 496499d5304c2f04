"""Interiors of polytopes against z3: a point is strict, multipliers prove that there is none, and z3 agrees."""

from fractions import Fraction

import pytest
import z3
from hypothesis import given, settings
from hypothesis import strategies as st

from proof_of_absence.checker.region import lp
from proof_of_absence.checker.region.lp import Affine, interior

ENTRIES = st.one_of(st.integers(-2, 2).map(Fraction), st.fractions(-2, 2, max_denominator=7))


@st.composite
def polytopes(draw):
    size = draw(st.integers(1, 3))
    low = [draw(ENTRIES) for _ in range(size)]
    high = [a + draw(st.sampled_from([Fraction(1), Fraction(1, 3), Fraction(2)])) for a in low]
    weights = st.lists(ENTRIES, min_size=size, max_size=size).filter(any).map(tuple)
    conditions = draw(st.lists(st.builds(Affine, weights, ENTRIES), min_size=1, max_size=5))
    if draw(st.booleans()):
        # A hyperplane's two sides: no interior, but often not empty.
        first = conditions[0]
        conditions.append(Affine(tuple(-2 * w for w in first.weights), -2 * first.bias))
    return conditions, tuple(low), tuple(high)


def z3_says(conditions, low, high):
    z = z3.Reals(" ".join(f"z{i}" for i in range(len(low))))
    z = z if isinstance(z, list) else [z]
    real = [z3.Q(c.bias.numerator, c.bias.denominator)
            + sum(z3.Q(w.numerator, w.denominator) * x for w, x in zip(c.weights, z, strict=True))
            for c in conditions]  # fmt: skip
    box = [z3.And(z3.Q(a.numerator, a.denominator) < x, x < z3.Q(b.numerator, b.denominator))
           for a, b, x in zip(low, high, z, strict=True)]  # fmt: skip
    solver = z3.Solver()
    solver.add(*box, *(g > 0 for g in real))
    return solver.check() == z3.sat


def confirm(found, conditions, low, high):
    if found.point is not None:
        assert all(a <= x <= b for a, x, b in zip(low, found.point, high, strict=True))
        assert all(c(found.point) > 0 for c in conditions)
        return
    assert all(y >= 0 for y in found.multipliers) and any(found.multipliers)
    total = sum((y * c.bias for c, y in zip(conditions, found.multipliers, strict=True)), Fraction(0))
    for i, (a, b) in enumerate(zip(low, high, strict=True)):
        weight = sum((y * c.weights[i] for c, y in zip(conditions, found.multipliers, strict=True)), Fraction(0))
        total += max(weight * a, weight * b)
    assert total <= 0


@given(polytopes())
@settings(max_examples=80)
def test_interior_against_z3(polytope):
    found = interior(*polytope)
    confirm(found, *polytope)
    assert (found.point is not None) == z3_says(*polytope)


@given(polytopes())
@settings(max_examples=40)
def test_the_exact_simplex_alone_agrees(polytope):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lp, "_proposed", lambda *_: None)
        found = interior(*polytope)
    confirm(found, *polytope)
    assert (found.point is not None) == z3_says(*polytope)


@pytest.mark.parametrize("gap", [Fraction(0), Fraction(1, 10**30)])
def test_a_sliver_that_floats_cannot_see(gap):
    one = Fraction(1)
    conditions = [Affine((one, one), -one), Affine((-one, -one), one + gap)]
    found = interior(conditions, (Fraction(0),) * 2, (one,) * 2)
    confirm(found, conditions, (Fraction(0),) * 2, (one,) * 2)
    assert (found.point is not None) == (gap > 0)


def test_running_out_of_steps_is_no_answer(monkeypatch):
    monkeypatch.setattr(lp, "STEPS", 0)
    monkeypatch.setattr(lp, "_proposed", lambda *_: None)
    assert interior([Affine((Fraction(1),), Fraction(0))], (Fraction(0),), (Fraction(1),)) is None

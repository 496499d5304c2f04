"""Operators of a file between two ReLUs: nothing is read from some inputs, and biases take on what they sent.

The oracle takes the operators one after the other, in fractions.
"""

from dataclasses import replace
from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from proof_of_absence.models.editing import edited
from proof_of_absence.models.layers import Affine, exact
from proof_of_absence.models.steps import Added, Dense, Op, Place, Scale, Shift, Steps

SINGLE = np.dtype(np.float32)
# Of few digits and of many, so that a float32 holds some sums and not others.
NUMBERS = st.one_of(st.integers(-8, 8).map(float), st.floats(-4, 4, width=32))
FACTORS = st.fractions(-3, 3, max_denominator=7)


@st.composite
def operators(draw: st.DrawFn) -> Steps:
    """A layer of two or three inputs; every array of weights and some of the others lie in a file."""
    width = draw(st.integers(2, 3))
    ops: list[Op] = []
    kinds = draw(st.lists(st.sampled_from(["dense", "shift", "bias", "scale"]), min_size=1, max_size=5))
    for kind in [*kinds, "dense", *draw(st.lists(st.sampled_from(["bias", "scale", "dense", "shift"]), max_size=3))]:
        name = f"v{len(ops)}"
        if kind == "dense":
            rows = draw(st.integers(1, 3))
            weights = draw(hnp.arrays(float, (rows, width), elements=NUMBERS))
            ops.append(Dense(weights, Place(name, 1, (rows, width))))
            width = rows
        elif kind == "scale":
            ops.append(Scale([draw(FACTORS) for _ in range(width)]))
        else:
            numbers = draw(hnp.arrays(float, width, elements=NUMBERS))
            factor = draw(st.sampled_from([Fraction(1), Fraction(-1), Fraction(1, 2)]))
            added = Added(Place(name, 2, (width,)), numbers, SINGLE, factor) if kind == "bias" else None
            ops.append(Shift([factor * Fraction(x) for x in numbers.tolist()], added))
    return Steps(tuple(ops), SINGLE)


def taken(steps: Steps, z: list[Fraction]) -> list[Fraction]:
    for op in steps.ops:
        match op:
            case Dense(weights):
                z = list(Affine(weights.tolist(), [0] * len(weights))(z))
            case Shift(numbers):
                z = [x + c for x, c in zip(z, numbers, strict=True)]
            case Scale(factors):
                z = [x * f for x, f in zip(z, factors, strict=True)]
    return z


def fan_in(steps: Steps) -> int:
    return steps.matrix().shape[1]


@given(operators(), st.data())
def test_the_layer_is_the_operators_one_after_the_other(steps, data):
    z = [data.draw(FACTORS) for _ in range(fan_in(steps))]
    assert list(exact(steps.layer())(z)) == taken(steps, z)


@given(operators(), st.data())
def test_a_constant_goes_into_the_biases_behind(steps, data):
    z = [data.draw(FACTORS) for _ in range(fan_in(steps))]
    unit, nearest = data.draw(st.integers(0, len(z) - 1)), data.draw(st.booleans())
    found = steps.without([unit], [z[unit]], nearest=nearest)
    biases = [op.added for op in steps.ops[steps.dense :] if isinstance(op, Shift) and op.added]
    if found is None:
        # Whatever no bias holds exactly is rounded into one, if there is any behind.
        assert not (nearest and biases)
        return
    new, whole = found
    assert nearest or whole
    far = max(abs(a - b) for a, b in zip(taken(new, z), taken(steps, z), strict=True))
    assert whole is (far == 0)
    # Whatever the unit is: nothing is read from it, and the others' inputs count as before.
    moved = [x + (j == unit) for j, x in enumerate(z)]
    assert taken(new, moved) == taken(new, z)
    # The file's arrays that differ, and nothing else, are edited.
    edits = edited([steps], [new])
    assert edits is not None
    for old, op in zip(steps.ops, new.ops, strict=True):
        match old, op:
            case Shift(_, Added() as before), Shift(numbers, Added() as after):
                here = edits[before.place](before.numbers) if before.place in edits else before.numbers
                assert (here == after.numbers).all() and (here.astype(SINGLE) == here).all()
                assert numbers == [after.factor * Fraction(x) for x in after.numbers.tolist()]
            case Dense(before, place), Dense(after, _):
                here = edits[place](before) if place in edits else before
                assert (here == after).all()


def test_what_one_bias_does_not_hold_two_do():
    """1 + 2^-30 is no float32; the first bias takes on 1, the second one the rest."""
    value = 1 + Fraction(1, 2**30)
    first, second = (Shift([Fraction(0)], Added(Place(n, 2, (1,)), np.zeros(1), SINGLE)) for n in "ab")
    steps = Steps((Dense(np.ones((1, 2)), Place("a", 1, (1, 2))), first, Scale([Fraction(1, 3)]), second), SINGLE)
    assert steps.without([0], [value], nearest=False) is None
    plain = replace(steps, ops=(*steps.ops[:2], Scale([Fraction(1)]), second))
    found = plain.without([0], [value], nearest=False)
    assert found is not None and found[1]
    assert [op.numbers for op in found[0].ops if isinstance(op, Shift)] == [[1], [Fraction(1, 2**30)]]

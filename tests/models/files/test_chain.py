"""Affine maps with no ReLU between them: exact products, in floats where they hold them, in rationals elsewhere."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from proof_of_absence.models.files import InputError
from proof_of_absence.models.files.chain import Chain
from proof_of_absence.models.layers import NORMAL, Affine, RationalAffine
from proof_of_absence.models.net import MLP

SMALL = st.integers(-64, 64).map(lambda n: n / 8)


@given(st.data(), st.integers(1, 3), st.integers(1, 20), st.integers(1, 18))
def test_a_product_is_the_composition(data, d, k, m):
    inner, outer = (
        (data.draw(hnp.arrays(float, (a, b), elements=SMALL)), data.draw(hnp.arrays(float, a, elements=SMALL)))
        for a, b in ((k, d), (m, k))
    )
    chain = Chain("net", np.dtype("float64"))
    chain.affine(*inner, "inner")
    chain.affine(*outer, "outer")
    z = data.draw(hnp.arrays(float, d, elements=SMALL)).tolist()
    below, above = (MLP((Affine(w.tolist(), b.tolist()),)) for w, b in (inner, outer))
    assert chain.net().exact()(z) == above(below(z))


@given(st.floats(-4, 4), st.floats(-4, 4), st.sampled_from(["float32", "float64"]))
def test_a_product_is_exact_in_floats_or_in_rationals(a, b, dtype):
    a, b = (float(np.array(x, dtype)) for x in (a, b))
    product = Fraction(a) * Fraction(b)
    chain = Chain("net", np.dtype(dtype))
    chain.affine(np.array([[a]]), np.zeros(1), "inner")
    chain.affine(np.array([[b]]), np.zeros(1), "outer")
    if Fraction(float(product)) == product:
        net = chain.net()
        assert net.exact().layers[0].weights == ((product,),)
        # A product of float32 numbers that float32 does not hold makes the net one of float64, and that is said.
        narrow = dtype == "float32" and Fraction(float(np.float32(product))) == product
        assert net.dtype == ("float32" if narrow else "float64")
        assert narrow or dtype == "float64" or any("needs float64 to be exact" in note for note in net.reading.notes)
    elif abs(float(product)) < NORMAL:
        with pytest.raises(InputError, match="of inner and outer an entry is smaller than every normal float64"):
            chain.net()
    else:
        net = chain.net()
        assert net.exact().layers[0].weights == ((product,),) and net.dtype == dtype
        assert isinstance(net.layers[0], RationalAffine) and net.layers[0].near.weights == [[float(product)]]
        assert net.reading.multiplied and any("has rational entries" in note for note in net.reading.notes)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("affine"), st.integers(1, 3)),
        st.sampled_from(["shift", "scale", "relu"]).map(lambda name: (name, 0)),
    ),
    min_size=1,
    max_size=7,
)


@given(STEPS, st.data())
def test_any_steps_are_the_composition(steps, data):
    """Against an evaluation step by step in fractions; the factors are no floats as a rule."""
    width, chain, functions = 2, Chain("net", np.dtype("float64")), []
    chain.affine(np.eye(2), np.zeros(2), "first")
    for name, new in steps:
        if name == "affine":
            weights, bias = (data.draw(hnp.arrays(float, shape, elements=SMALL)) for shape in ((new, width), (new,)))
            chain.affine(weights, bias, "map")
            functions.append(lambda z, w=weights, b=bias: Affine(w.tolist(), b.tolist())(z))
            width = new
        elif name == "shift":
            bias = data.draw(hnp.arrays(float, width, elements=SMALL))
            chain.shift(bias, "shift")
            functions.append(lambda z, b=bias: [x + Fraction(y) for x, y in zip(z, b.tolist(), strict=True)])
        elif name == "scale":
            factors = data.draw(st.lists(st.fractions(-4, 4, max_denominator=7), min_size=width, max_size=width))
            chain.scale(factors, "scale")
            functions.append(lambda z, f=factors: [x * y for x, y in zip(z, f, strict=True)])
        else:
            chain.relu("relu")
            functions.append(lambda z: [max(x, Fraction(0)) for x in z])
    inputs = [Fraction(x) for x in data.draw(hnp.arrays(float, 2, elements=SMALL)).tolist()]
    expected = inputs
    for function in functions:
        expected = function(expected)
    assert list(chain.net().exact()(inputs)) == list(expected)


def test_divisors_that_cancel_leave_no_trace():
    chain = Chain("net", np.dtype("float32"))
    chain.scale([Fraction(1, 3)] * 2, "thirds")
    chain.affine(np.array([[3.0, 6.0]]), np.array([0.5]), "map")
    (layer,) = chain.net().layers
    assert layer.weights.tolist() == [[1, 2]] and layer.bias.tolist() == [0.5]


def test_batch_normalisation_with_rational_roots():
    chain = Chain("net", np.dtype("float64"))
    ones = np.ones(2)
    chain.normalise(ones, np.array([3.5, 15.5]), 0.5, np.array([4.0, 2.0]), -ones, "norm")
    chain.affine(np.eye(2), np.zeros(2), "map")
    # 4 (z - 1) / 2 - 1 and 2 (z - 1) / 4 - 1.
    assert chain.net().exact()([3, 3]) == (3, 0)


def test_relu_at_the_end():
    chain = Chain("net", np.dtype("float32"))
    chain.affine(np.array([[1.0], [-1.0]]), np.zeros(2), "map")
    chain.relu("relu")
    net = chain.net()
    assert net.exact()([-2]) == (0, 2) and "ends with ReLU" in " ".join(net.reading.notes)


def test_constants_before_and_after():
    chain = Chain("net", np.dtype("float32"))
    chain.shift(np.array([1.0, -2.0]), "centre")
    chain.affine(np.array([[3.0, 4.0]]), np.array([0.5]), "map")
    chain.shift(np.array([0.25]), "bias")
    (layer,) = chain.net().layers
    assert layer.weights.tolist() == [[3, 4]] and layer.bias.tolist() == [3 - 8 + 0.75]


def test_relu_twice_is_relu():
    chain = Chain("net", np.dtype("float64"))
    chain.affine(np.eye(1), np.zeros(1), "a")
    chain.relu("r")
    chain.relu("s")
    chain.affine(np.eye(1), np.zeros(1), "b")
    assert chain.net().widths == (1, 1, 1)


ONE, TENTH = np.ones((1, 1)), np.full((1, 1), 0.1)


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        (
            [("affine", ONE * 2.0**600, np.zeros(1), "a"), ("affine", ONE * 2.0**600, np.zeros(1), "b")],
            "of the exact product of a and b an entry is larger than every float64; scale its layers",
        ),
        (
            [("affine", TENTH * 2.0**-600, np.zeros(1), "a"), ("affine", TENTH * 2.0**-600, np.zeros(1), "b")],
            "of the exact product of a and b an entry is smaller than every normal float64; scale its layers",
        ),
        (
            [("normalise", np.zeros(1), np.array([-1.0]), 0.5, np.ones(1), np.zeros(1), "norm")],
            "norm has a variance . epsilon that is not positive for feature 0",
        ),
        ([("relu", "r")], "net: r has no Gemm or MatMul between it and the input"),
        ([], "net: the net holds no Gemm or MatMul"),
        ([("affine", ONE * np.nan, np.zeros(1), "a")], "net: a holds NaN or infinity"),
        ([("affine", ONE, np.array([np.inf]), "a")], "a holds NaN or infinity"),
        ([("shift", np.array([np.nan]), "s")], "s holds NaN or infinity"),
        (
            [("affine", ONE, np.zeros(1), "a"), ("affine", np.ones((1, 2)), np.zeros(1), "b")],
            "b reads 2 values, a gives 1",
        ),
    ],
)
def test_refused(steps, message):
    chain = Chain("net", np.dtype("float64"))
    with pytest.raises(InputError, match=message):
        for method, *arguments in steps:
            getattr(chain, method)(*arguments)
        chain.net()


def test_maps_in_a_row_have_an_end():
    chain = Chain("net", np.dtype("float64"))
    with pytest.raises(InputError, match="net: many is one of more than 64 affine maps with no Relu between them"):
        for _ in range(65):
            chain.scale([Fraction(2)], "many")


POSITIVE = st.builds(lambda m, e: m * 2.0**e, st.floats(1, 2), st.integers(-60, 60))


@given(st.one_of(st.just(0.0), POSITIVE, POSITIVE.map(lambda x: -x)), POSITIVE, st.sampled_from([1e-5, 1e-3, 0.0]))
def test_the_scale_of_batch_normalisation_is_within_half_a_unit_in_the_last_of_53_digits(factor, variance, epsilon):
    """|s - f/sqrt(v)| <= 2^-53 |f/sqrt(v)|, by squares, in rationals."""
    chain = Chain("net", np.dtype("float64"))
    none = np.zeros(1)
    chain.normalise(none, np.array([variance]), epsilon, np.array([factor]), none, "norm")
    chain.affine(np.eye(1), none, "map")
    scale = chain.net().exact().layers[0].weights[0][0]
    square, off = Fraction(factor) ** 2 / (Fraction(variance) + Fraction(epsilon)), Fraction(1, 2**53)
    assert (1 - off) ** 2 * square <= scale**2 <= (1 + off) ** 2 * square
    assert (scale > 0) == (factor > 0) and (scale < 0) == (factor < 0)


def test_a_product_of_too_many_digits_is_refused_before_it_is_made(monkeypatch):
    monkeypatch.setattr("proof_of_absence.models.files.chain.LARGEST", 100)
    chain = Chain("net", np.dtype("float64"))
    chain.scale([Fraction(1, 2**k + 1) for k in range(20, 40)], "many")
    chain.affine(np.ones((2, 20)), np.zeros(2), "map")
    with pytest.raises(InputError, match="the exact product of many and map takes 0 MiB, and 0 are allowed; divide"):
        chain.net()


def test_what_the_source_computes_in_one_step_is_not_called_a_product():
    for steps, multiplied in ((["affine"], False), (["affine", "shift"], True), (["shift", "affine"], True)):
        chain = Chain("net", np.dtype("float64"))
        for step in steps:
            arguments = (np.eye(1), np.ones(1)) if step == "affine" else (np.ones(1),)
            getattr(chain, step)(*arguments, step)
        assert chain.net().reading.multiplied == multiplied

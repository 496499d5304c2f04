"""Affine maps with no ReLU between them: exact products, or refused."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from proof_of_absence.models.files import InputError
from proof_of_absence.models.files.chain import Chain
from proof_of_absence.models.layers import Affine
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
def test_a_product_is_exact_or_refused(a, b, dtype):
    a, b = (float(np.array(x, dtype)) for x in (a, b))
    product = Fraction(a) * Fraction(b)
    chain = Chain("net", np.dtype(dtype))
    chain.affine(np.array([[a]]), np.zeros(1), "inner")
    if Fraction(float(np.array(float(product), dtype))) == product:
        chain.affine(np.array([[b]]), np.zeros(1), "outer")
        assert chain.net().exact().layers[0].weights == ((product,),)
    else:
        with pytest.raises(InputError, match="inner and outer are affine"):
            chain.affine(np.array([[b]]), np.zeros(1), "outer")


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
        ([("affine", TENTH, np.zeros(1), "a"), ("affine", TENTH, np.zeros(1), "b")], "a and b are affine with no Relu"),
        (
            [("affine", ONE, np.array([1e-40]), "a"), ("shift", np.ones(1), "b")],
            "a and b have a sum that is no float64",
        ),
        (
            [("affine", ONE * 1e200, np.zeros(1), "a"), ("affine", ONE * 1e200, np.zeros(1), "b")],
            "product is not exact in float64",
        ),
        ([("relu", "r")], "net: r has no Gemm or MatMul between it and the input"),
        ([("shift", np.ones(1), "s"), ("relu", "r")], "r has no Gemm or MatMul between it and the input"),
        (
            [("affine", ONE, np.zeros(1), "a"), ("relu", "r"), ("shift", np.ones(1), "s"), ("relu", "t")],
            "t has no Gemm or MatMul between it and the last Relu",
        ),
        ([("affine", ONE, np.zeros(1), "a"), ("relu", "r")], "net: the net ends with Relu; append"),
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

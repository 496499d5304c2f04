"""FloatNet: the exact net it denotes, and what it refuses."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from proof_of_absence.models.floatnet import FloatNet

ENTRIES = st.floats(-8, 8, width=32)


@given(hnp.arrays(np.float32, (3, 2), elements=ENTRIES), hnp.arrays(np.float32, (1, 3), elements=ENTRIES))
def test_exact_net_has_the_very_weights(hidden, output):
    net = FloatNet([(hidden, [0.5, 1, 2]), (output, [0])], np.float32)
    exact = net.exact()
    assert exact.widths == net.widths == (2, 3, 1)
    assert [[Fraction(x) for x in row] for row in hidden.tolist()] == [list(row) for row in exact.layers[0].weights]


def test_forward_agrees_where_floats_are_exact():
    net = FloatNet([([[1, 2], [-1, 1]], [0, 1]), ([[1, -3]], [0.25])])
    inputs = np.array([[0, 0], [1, 2], [-3, 4]], dtype=float)
    assert net.forward(inputs).tolist() == [[float(v) for v in net.exact()(z)] for z in inputs]


@pytest.mark.parametrize(
    ("layers", "dtype", "message"),
    [
        ([], "float64", "at least one layer"),
        ([([[np.nan]], [0])], "float64", "layer 1: weights hold NaN or infinity"),
        ([([[1]], [np.inf])], "float64", "layer 1: bias hold NaN"),
        ([([[1, 2]], [0, 0])], "float64", "do not fit"),
        ([([[1]], [0]), ([[1, 1]], [0])], "float64", "layer 2 reads 2 values, layer 1 has 1"),
        ([(np.zeros((0, 3)), [])], "float64", "empty"),
        ([([[0.1]], [0])], "float32", "no float32"),
        ([([[1e300]], [0])], "float32", "no float32"),
        ([([[1]], [0])], "float16", "only float32 and float64"),
    ],
)
def test_refused(layers, dtype, message):
    with pytest.raises(ValueError, match=message):
        FloatNet(layers, np.dtype(dtype))

"""Layers: the float one is the exact one, and what does not make a net is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proof_of_absence.models.floatnet import FloatNet
from proof_of_absence.models.layers import Affine, FloatAffine, check_chain, exact
from proof_of_absence.models.rational import vector

FLOATS = st.floats(-1e6, 1e6)


@given(st.lists(st.tuples(FLOATS, FLOATS, FLOATS), min_size=1, max_size=3), st.tuples(FLOATS, FLOATS))
def test_the_exact_layer_computes_what_the_floats_mean(rows, z):
    layer = FloatAffine(np.array([row[:2] for row in rows]), np.array([row[2] for row in rows]))
    assert (exact(layer).fan_in, exact(layer).fan_out) == (layer.fan_in, layer.fan_out) == (2, len(rows))
    (a, b), units = vector(z), [vector(row) for row in rows]
    assert exact(layer)(vector(z)) == tuple(v * a + w * b + c for v, w, c in units)


@pytest.mark.parametrize(
    ("layers", "why"),
    [
        ([], "at least one layer"),
        ([Affine([[1]], [0]), Affine([[1, 2]], [0])], "layer 2 reads 2 values, layer 1 has 1 units"),
        (FloatNet([([[1.0]], [0.0])]).layers * 2 + FloatNet([([[1.0, 2.0]], [0.0])]).layers, "layer 3 reads 2"),
    ],
)
def test_what_does_not_make_a_net(layers, why):
    with pytest.raises(ValueError, match=why):
        check_chain(layers)

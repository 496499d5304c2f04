"""Exact nets: the integer fast path against the definition, and what is refused."""

from fractions import Fraction
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proof_of_absence.models.layers import Affine
from proof_of_absence.models.net import FEW, MLP, relu, shallow
from proof_of_absence.models.rational import matrix, rational
from tests.conftest import SMALL, WILD, nets, vectors

# With lists and with arrays.
LISTS_UP_TO = [0, FEW]


@given(data=st.data(), entries=st.sampled_from([SMALL, WILD]), few=st.sampled_from(LISTS_UP_TO))
def test_outputs_are_those_of_the_definition(data, entries, few):
    net = data.draw(nets(entries=entries))
    inputs = data.draw(st.lists(vectors(net.widths[0], entries), max_size=4))
    with patch("proof_of_absence.models.net.FEW", few):
        assert net.outputs(inputs) == tuple(net(z) for z in inputs)


@pytest.mark.parametrize("few", LISTS_UP_TO)
@pytest.mark.parametrize("scale", [2**52 - 1, 2**52, 2**53 - 1, 2**53, 2**53 + 1, 10**60, Fraction(1, 10**60)])
def test_outputs_at_the_edge_of_float64(scale, few, monkeypatch):
    monkeypatch.setattr("proof_of_absence.models.net.FEW", few)
    net = shallow([([1, 1], 1, [1]), ([scale, -1], 0, [-1]), ([1, -scale], scale, [3])], [Fraction(1, 3)])
    inputs = [[scale, 1], [scale, scale], [-scale, scale + 1], [scale + 1, -1], [0, 0]]
    assert net.outputs(inputs) == tuple(net(z) for z in inputs)


def test_float64_loses_what_outputs_keeps():
    net = MLP([Affine([[1, 1]], [0])])
    assert net.outputs([[2**53, 1]]) == ((2**53 + 1,),)
    assert float(2**53) + 1.0 == float(2**53)


@given(st.data())
def test_the_definition_layer_by_layer(data):
    net = data.draw(nets())
    z = h = data.draw(vectors(net.widths[0]))
    expected = [z]
    for layer in net.layers:
        rows = zip(layer.weights, layer.bias, strict=True)
        h = [sum(w * x for w, x in zip(row, h, strict=True)) + b for row, b in rows]
        if layer is not net.layers[-1]:
            h = [max(x, 0) for x in h]
        expected.append(tuple(h))
    assert net.activations(z) == tuple(expected)
    assert net(z) == expected[-1] and tuple(map(len, expected)) == net.widths


@given(SMALL)
def test_relu(x):
    assert relu(x) == max(x, 0) and relu(relu(x)) == relu(x)


def test_no_input_gives_no_output():
    assert shallow([([1], 0, [1])], [0]).outputs([]) == ()


def test_floats_are_the_dyadic_rationals_they_are():
    assert rational(0.1) == Fraction(3602879701896397, 2**55)
    assert rational(np.float32(0.1)) == Fraction(13421773, 2**27) == rational(np.array(0.1, np.float32))
    assert rational(np.int64(-7)) == -7 and rational("-3/4") == Fraction(-3, 4)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), "nan", "1/0", "x", None, [], 1j, np.nan])
def test_what_is_no_number_is_refused(value):
    with pytest.raises(ValueError, match="is not a finite number"):
        rational(value)


@pytest.mark.parametrize("value", [True, False, np.True_])
def test_truth_values_are_refused(value):
    with pytest.raises(ValueError, match="is a truth value, not a number"):
        rational(value)
    with pytest.raises(ValueError, match="is a truth value"):
        Affine([[value]], [0])


@pytest.mark.parametrize(
    ("weights", "bias", "message"),
    [
        ([], [], "at least one unit"),
        ([[1], [2]], [0], "2 rows of weights but 1 biases"),
        ([[]], [0], "at least one input"),
        ([[1], [1, 2]], [0, 0], "rows of different lengths"),
    ],
)
def test_layers_of_wrong_shape_are_refused(weights, bias, message):
    with pytest.raises(ValueError, match=message):
        Affine(weights, bias)


def test_nets_of_wrong_shape_are_refused():
    with pytest.raises(ValueError, match="at least one layer"):
        MLP(())
    with pytest.raises(ValueError, match="layer 2 reads 2 values, layer 1 has 1 units"):
        MLP([Affine([[1]], [0]), Affine([[1, 1]], [0])])
    with pytest.raises(ValueError, match="rows of different lengths"):
        matrix([[1], [1, 2]])


@pytest.mark.parametrize("inputs", [[[1]], [[1, 2, 3]], [[]], [[1, 2], [1]]])
def test_inputs_of_wrong_shape_are_refused(inputs):
    net = shallow([([1, 1], 0, [1])], [0])
    with pytest.raises(ValueError):
        net.outputs(inputs)
    if len(inputs) == 1:
        with pytest.raises(ValueError, match="zip"):
            net(inputs[0])

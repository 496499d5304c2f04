"""State dictionaries: the order of layers is in the numbers of their names, or the file is refused."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proof_of_absence.models.files import InputError
from proof_of_absence.models.files.state_dict import net_of
from proof_of_absence.models.floatnet import FloatNet
from tests.models.files.conftest import float_nets, same

NAMES = {
    "Sequential": "{}",
    "named Sequential": "net.{}",
    "fc": "fc{}",
    "zeros": "block0.layer{}.linear",
    "nested": "a.{}.0",
}


@given(float_nets(depth=12), st.sampled_from(sorted(NAMES)), st.randoms())
def test_any_order_in_the_file(net, pattern, random):
    keys = {}
    for index, layer in enumerate(net.layers):
        name = NAMES[pattern].format(index * 2)
        keys |= {f"{name}.weight": layer.weights.astype(net.dtype), f"{name}.bias": layer.bias.astype(net.dtype)}
    shuffled = sorted(keys.items())
    random.shuffle(shuffled)
    assert same(net_of("net", dict(shuffled)), net)


def test_one_layer_and_missing_biases():
    weights = np.array([[1.0, 2.0]])
    assert same(net_of("net", {"weight": weights}), FloatNet([(weights, [0])]))
    nested = {"net.0.0.weight": np.ones((3, 2)), "net.0.2.weight": np.ones((2, 3)), "net.10.weight": weights}
    assert net_of("net", nested).widths == (2, 3, 2, 1)


ONE = np.ones((1, 1))


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({}, "net: holds no layer; name the layers 0.weight, 0.bias, 2.weight, ... or fc1.weight"),
        (
            {"hidden.weight": ONE, "output.weight": ONE},
            "cannot tell the order of the layers 'hidden' and 'output'; name",
        ),
        ({"fc1.weight": ONE, "fc2.weight": ONE, "out.weight": ONE}, "order of the layers 'fc2' and 'out'"),
        ({"1.weight": ONE, "01.weight": ONE}, "cannot tell the order"),
        ({"net.weight": ONE, "net.0.weight": ONE}, "order of the layers 'net' and 'net.0'"),
        ({"weight": ONE, "0.weight": ONE}, "cannot tell the order of the layers '' and '0'"),
        ({"0.running_mean": ONE}, "0.running_mean is no weight or bias of a linear layer"),
        ({"0.bias": ONE[0]}, "0.bias has no 0.weight beside it"),
        ({"0.weight": np.ones((1, 1, 3, 3))}, "0.weight has 4 dimensions; only linear layers, with 2, are audited"),
        ({"0.weight": ONE[0]}, "0.weight has 1 dimensions"),
        ({"0.weight": ONE, "0.bias": np.ones(2)}, r"0.bias has shape \(2,\), its weights \(1, 1\)"),
        ({"0.weight": ONE, "1.weight": np.ones((1, 2))}, "layer '1' reads 2 values, the ReLU before it gives 1"),
        ({"0.weight": np.ones((0, 2))}, r"weights \(0, 2\) are empty"),
        ({"0.weight": ONE * np.nan}, "layer '0' holds NaN or infinity"),
        ({"0.weight": ONE, "0.bias": np.array([np.inf])}, "layer '0' holds NaN or infinity"),
        ({"0.weight": ONE.astype(np.float16)}, "holds float16; convert the weights to float32 or float64"),
        ({"0.weight": ONE.astype(int)}, "holds int64; convert"),
        ({"0.weight": ONE, "0.bias": np.ones(1, np.float32)}, "mixes float32 and float64"),
    ],
)
def test_refused(arrays, message):
    with pytest.raises(InputError, match=re.sub(r"(?<!\\)\.", r"\\.", message)):
        net_of("net", arrays)

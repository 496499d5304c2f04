"""State dictionaries: names and shapes settle the order of layers, or it is refused; what is assumed is said."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from proof_of_absence.models.files import InputError, state_dict
from proof_of_absence.models.floatnet import FloatNet
from tests.models.files.conftest import float_nets, same


def net_of(source, arrays, **options):
    return state_dict.net_of(source, arrays, activation="relu", **options)


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


def norm(name, width=1):
    """What a state dictionary holds of a BatchNorm1d."""
    values = {"weight": 1.0, "bias": 0.0, "running_mean": 0.0, "running_var": 1.0}
    arrays = {f"{name}.{key}": np.full(width, value) for key, value in values.items()}
    return arrays | {f"{name}.num_batches_tracked": np.array(3)}


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({}, "net: holds no layer; name the layers 0.weight, 0.bias, 2.weight, ... or fc1.weight"),
        (
            {"a.weight": ONE, "b.weight": ONE},
            "layers 'a' and 'b': their shapes fit in several orders; name",
        ),
        ({"a.weight": ONE, "b.weight": np.ones((3, 2))}, "layers 'a' and 'b': their shapes fit in no order"),
        (
            {"mu.weight": ONE, "body.weight": ONE, "logvar.weight": ONE},
            "order of the layers 'body' and 'logvar': their shapes fit in several orders",
        ),
        ({"1.weight": ONE, "01.weight": ONE}, "cannot tell the order"),
        ({"net.weight": ONE, "net.0.weight": ONE}, "order of the layers 'net' and 'net.0'"),
        ({"weight": ONE, "0.weight": ONE}, "cannot tell the order of the layers '' and '0'"),
        ({"0.weight": ONE, "1.running_mean": ONE[0]}, "the BatchNorm '1' has no 1.running_var; save"),
        ({"0.weight": ONE, "2.weight": ONE} | norm("bn"), "cannot tell where ReLU stands between '2' and 'bn'"),
        (
            {"0.weight": ONE, "2.weight": ONE} | norm("1"),
            "cannot tell where ReLU stands between '1' and '2'; with",
        ),
        ({"0.weight": ONE, "4.weight": ONE} | norm("2"), "cannot tell where ReLU stands between '2' and '4'"),
        ({"0.weight": ONE} | norm("2"), "cannot tell what stands before '2'"),
        (norm("0") | {"2.weight": ONE}, "cannot tell where ReLU stands between '0' and '2'"),
        ({"0.weight": ONE} | norm("1", 2), r"layer '1' \(BatchNorm\) has 2 numbers, layer '0' gives 1"),
        ({"0.weight": ONE} | norm("1") | {"1.bias": ONE}, "the BatchNorm '1' has a value that is no vector"),
        ({"0.weight": ONE} | norm("1") | {"1.running_var": -ONE[0]}, "has a variance + epsilon that is not positive"),
        (
            {"0.weight_orig": ONE},
            "0.weight_orig is of a pruned layer; call torch.nn.utils.prune.remove(",
        ),
        ({"0.gamma": ONE}, "0.gamma is no weight or bias of a linear layer; name"),
        ({"0.bias": ONE[0]}, "0.bias has no 0.weight beside it"),
        ({"0.weight": np.ones((1, 1, 3, 3))}, "0.weight has 4 dimensions; only linear layers, with 2, are audited"),
        ({"0.weight": ONE[0]}, "0.weight has 1 dimensions"),
        ({"0.weight": ONE, "0.bias": np.ones(2)}, r"0.bias has shape \(2,\), its weights \(1, 1\)"),
        ({"0.weight": ONE, "1.weight": np.ones((1, 2))}, "layer '1' reads 2 values, ReLU (assumed) gives 1"),
        ({"0.weight": np.ones((0, 2))}, r"weights \(0, 2\) are empty"),
        ({"0.weight": ONE * np.nan}, "layer '0' holds NaN or infinity"),
        ({"0.weight": ONE, "0.bias": np.array([np.inf])}, "layer '0' holds NaN or infinity"),
        ({"0.weight": ONE.astype(int)}, "holds int64; convert"),
    ],
)
def test_refused(arrays, message):
    with pytest.raises(InputError) as caught:
        net_of("net", arrays)
    assert re.sub(r"\\", "", message) in str(caught.value)


def test_an_activation_is_asked_for_in_one_line_that_says_what_to_type():
    with pytest.raises(InputError) as caught:
        state_dict.net_of("net.pt", {"0.weight": ONE})
    assert str(caught.value).startswith("net.pt: a state dictionary does not say what stands between its layers")
    assert "--activation relu (activation='relu' in Python)" in str(caught.value) and str(caught.value).isprintable()


def test_what_is_assumed_is_said():
    reading = net_of("net", {"0.weight": ONE, "2.weight": ONE}).reading
    assert reading.layers == ("layer '0' 1 -> 1", "ReLU (assumed)", "layer '2' 1 -> 1") and reading.activation == "ReLU"
    assert reading.known_from.startswith("an assumption (activation relu")
    assert reading.notes == ("The layers are ordered by the numbers in their names.",)


def arrays_of(names, widths):
    """Layers of these names, from the input on, each of weights of its own."""
    return {
        f"{name}.weight": np.full((above, below), index + 1.0)
        for index, (name, below, above) in enumerate(zip(names, widths, widths[1:], strict=False))
    }


@pytest.mark.parametrize(
    ("names", "widths"),
    [
        (["fc1", "fc2", "out"], [3, 3, 3, 3]),
        (["fc1", "fc2", "fc_out"], [2, 4, 4, 1]),
        (["net.fc1", "net.fc2", "net.classifier"], [4, 4, 4, 4]),
        (["input", "hidden", "output"], [2, 2, 2, 2]),
        (["fc_in", "fc_hidden1", "fc_hidden2", "fc_out"], [3, 3, 3, 3, 3]),
        (["encoder", "body", "decoder"], [2, 3, 4, 5]),
        (["module.0", "module.2"], [2, 3, 1]),
        (["_orig_mod.module.fc1", "_orig_mod.module.fc2"], [2, 3, 1]),
        (["body.0", "body.2", "head.0", "head.2"], [2, 3, 3, 3, 1]),
        (["layer9", "layer10"], [2, 2, 2]),
    ],
)
@given(st.randoms())
def test_names_and_shapes_settle_the_order(names, widths, random):
    arrays = sorted(arrays_of(names, widths).items())
    random.shuffle(arrays)
    net = net_of("net", dict(arrays))
    assert [layer.weights[0, 0] for layer in net.layers] == list(range(1, len(widths)))
    assert "ordered by" in net.reading.notes[0]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["fc1", "block1.fc1", "block1.fc2", "block2.fc1", "block2.fc2"], "block1 and block2 hold layers of the same"),
        (["blocks.0.linear", "blocks.1.linear"], "blocks.0 and blocks.1 hold layers of the same names and shapes"),
        (["models.0", "models.1"], "models.0 and models.1 hold layers of the same names and shapes; they may be"),
        (["models.0.0", "models.0.2", "models.1.0", "models.1.2"], "heads or several nets, no single chain"),
        (["res1.fc", "res2.fc"], "the name 'res1.fc' speaks of a skip connection"),
        (["fc1", "shortcut", "fc2"], "the name 'shortcut' speaks of a skip connection"),
        (["body", "head1", "head2"], "'head1' and 'head2' may be two heads, so the layers may be no single chain"),
        (["body", "policy_head.0", "value_head.0"], "'policy_head.0' and 'value_head.0' may be two heads"),
    ],
)
def test_what_may_be_no_single_chain_is_refused_by_name(names, message):
    arrays = arrays_of(names, [4] * (len(names) + 1))
    with pytest.raises(InputError) as caught:
        net_of("net", arrays)
    assert message in str(caught.value) and "--outputs" in str(caught.value)
    # What is compared with the network's own outputs may be read so.
    assert net_of("net", arrays, checked=True).widths == (4,) * (len(names) + 1)


def test_with_outputs_to_check_the_order_of_the_file_is_tried():
    arrays = arrays_of(["b", "a"], [2, 2, 2])
    net = net_of("net", arrays, checked=True)
    assert [layer.weights[0, 0] for layer in net.layers] == [1, 2]
    assert net.reading.notes == ("The layers are taken in the order of the file.",)


def test_many_layers_of_one_width_are_refused_soon():
    arrays = {f"{letter}.weight": np.ones((2, 2)) for letter in "abcdefghijklmnopqrstuvwxyz"}
    with pytest.raises(InputError, match="fit in several orders"):
        net_of("net", arrays)


@given(hnp.arrays(np.float16, (2, 3), elements=st.floats(-100, 100, width=16)), st.sampled_from(["f2", "f4", "f8"]))
def test_narrow_and_mixed_types_are_taken_exactly(weights, other):
    net = net_of("net", {"0.weight": weights, "0.bias": np.ones(2, other)})
    assert net.dtype == ("float64" if other == "f8" else "float32")
    assert net.layers[0].weights.tolist() == weights.tolist() and (other == "f8" or "exactly" in net.reading.notes[-1])

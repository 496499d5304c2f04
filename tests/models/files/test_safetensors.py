"""safetensors files: the same numbers back, and refusals."""

import json
import sys

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis.extra import numpy as hnp
from safetensors.numpy import save
from safetensors.torch import save as save_torch

from proof_of_absence.models.files import InputError, read_net
from proof_of_absence.models.files.safetensors import read
from tests.models.files.conftest import float_nets, same


def arrays(net):
    """A state dictionary as torch.nn.Sequential names it."""
    return {
        f"{2 * index}.{kind}": array.astype(net.dtype)
        for index, layer in enumerate(net.layers)
        for kind, array in zip(("weight", "bias"), layer, strict=True)
    }


@given(float_nets(bound=None, depth=7))
def test_saved_and_read_back(tmp_path_factory, net):
    path = tmp_path_factory.getbasetemp() / "round.safetensors"
    path.write_bytes(save(arrays(net), metadata={"format": "pt"}))
    assert same(read_net(path, activation="relu"), net)
    with pytest.raises(InputError, match="a state dictionary does not say what stands between"):
        read_net(path)
    with pytest.raises(InputError, match="activation 'tanh': only nets with relu between their layers are audited"):
        read_net(path, activation="tanh")


@given(hnp.arrays(np.uint16, (2, 2)))
def test_types_of_16_bits_are_exact(tmp_path_factory, bits):
    path = tmp_path_factory.getbasetemp() / "half.safetensors"
    for kind in (torch.float16, torch.bfloat16):
        weights = torch.tensor(bits.astype(np.int32)).to(torch.uint16).view(kind)
        path.write_bytes(save_torch({"0.weight": weights}))
        if weights.isfinite().all():
            net = read_net(path, activation="relu")
            assert net.dtype == np.float32 and net.layers[0].weights.tolist() == weights.double().tolist()
        else:
            with pytest.raises(InputError, match="layer '0' holds NaN or infinity"):
                read_net(path, activation="relu")


@pytest.mark.parametrize("kind", [torch.int64, torch.float8_e4m3fn, torch.bool])
def test_other_types(tmp_path, kind):
    path = tmp_path / "net.safetensors"
    path.write_bytes(save_torch({"0.weight": torch.ones(2, 2).to(kind)}))
    with pytest.raises(InputError, match=r"net.safetensors: 0.weight has type \w+; convert the weights to F32 or F64"):
        read(path)


def raw(header, data=b""):
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


@pytest.mark.parametrize(
    "data",
    [
        b"hello, world",
        b"\xff" * 64,
        raw({"0.weight": {"dtype": "F32", "shape": [2**40], "data_offsets": [0, 4]}}, b"1234"),
        raw({"0.weight": {"dtype": "F32", "shape": [1, 1], "data_offsets": [0, 400]}}, b"1234"),
        raw({"0.weight": {"dtype": "F99", "shape": [1, 1], "data_offsets": [0, 4]}}, b"1234"),
        raw({"0.weight": {"dtype": "F32", "shape": [-1, 1], "data_offsets": [0, 4]}}, b"1234"),
        raw([]),
    ],
)
def test_no_safetensors(tmp_path, data):
    path = tmp_path / "net.safetensors"
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"net.safetensors: is no whole safetensors file"):
        read(path)


def test_no_layer(tmp_path):
    path = tmp_path / "net.safetensors"
    path.write_bytes(raw({}))
    with pytest.raises(InputError, match=r"net.safetensors: holds no layer"):
        read(path)


def test_every_cut_is_refused(refuses_every_cut):
    data = save({"0.weight": np.ones((3, 2), np.float32), "0.bias": np.ones(3, np.float32)})
    refuses_every_cut(data, ".safetensors", read)


def test_without_safetensors(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "safetensors", None)
    with pytest.raises(InputError, match=r"reading it needs safetensors: pip install 'proof-of-absence\[audit\]'"):
        read(tmp_path / "net.safetensors")

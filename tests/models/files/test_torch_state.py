"""torch files and modules: the same numbers back, no code run, and refusals."""

import io
import itertools
import os
import pickle
import sys
import zipfile
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils import prune

from proof_of_absence.models.files import InputError, disk, read_net
from proof_of_absence.models.files import torch_state as files
from proof_of_absence.models.files.torch_state import from_module, read
from tests.models.files.conftest import float_nets, same


def module_of(net):
    """nn.Sequential of the net, weights copied."""
    layers = []
    for layer in net.layers:
        linear = nn.Linear(*layer.weights.shape[::-1], dtype=getattr(torch, str(net.dtype)))
        with torch.no_grad():
            linear.weight.copy_(torch.tensor(layer.weights))
            linear.bias.copy_(torch.tensor(layer.bias))
        layers += [linear, nn.ReLU()]
    return nn.Sequential(*layers[:-1])


@given(float_nets(bound=None))
def test_saved_and_read_back(tmp_path_factory, net):
    path = tmp_path_factory.getbasetemp() / "round.pt"
    module = module_of(net)
    torch.save(module.state_dict(), path)
    assert same(read_net(path, activation="relu"), net) and same(from_module(module), net)


@given(float_nets())
def test_forward_agrees(net):
    inputs = np.random.default_rng(0).normal(size=(5, net.widths[0])).astype(net.dtype)
    with torch.no_grad():
        outputs = module_of(net)(torch.tensor(inputs)).numpy()
    np.testing.assert_allclose(outputs, net.forward(inputs), rtol=0, atol=2.5e5 * np.finfo(net.dtype).eps)


def test_older_format(tmp_path):
    module = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1, bias=False))
    torch.save(module.state_dict(), tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    assert same(read_net(tmp_path / "old.pth", activation="relu"), from_module(module))


def test_modules_that_change_nothing():
    linear, last = nn.Linear(4, 3, bias=False), nn.Linear(3, 1)
    module = nn.Sequential(
        nn.Flatten(),
        nn.Sequential(linear, nn.Identity(), nn.ReLU()),
        nn.Dropout(0.0),
        nn.Sequential(),
        last,
        nn.Dropout(),
    ).eval()
    net = from_module(module)
    assert net.layers[0].weights.tolist() == linear.weight.tolist() and not net.layers[0].bias.any()
    assert same(from_module(nn.Sequential(linear, nn.ReLU(), last)), net)
    assert from_module(last).widths == (3, 1)


class Own(nn.Module):
    def forward(self, inputs):
        return inputs


class OwnLinear(nn.Linear):
    def forward(self, inputs):
        return super().forward(inputs) + 1


def hooked():
    linear = nn.Linear(1, 1)
    linear.register_forward_hook(lambda *_: None)
    return linear


def patched():
    linear = nn.Linear(1, 1)
    linear.forward = lambda z: z
    return linear


def nan():
    linear = nn.Linear(1, 1)
    nn.init.constant_(linear.bias, float("nan"))
    return linear


def pruned():
    module = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 1))
    prune.random_unstructured(module[0], "weight", 0.5)
    return module


def compiled(module):
    # Not by the default compiler, which warns of itself when it is loaded.
    return torch.compile(module, backend="eager")


class OwnSequential(nn.Sequential):
    def forward(self, inputs):
        return super().forward(inputs) + inputs


class Named(nn.Sequential):
    """As people write it: a class that builds its layers, and computes what Sequential does."""

    def __init__(self, *widths):
        parts = [(nn.Linear(a, b), nn.ReLU()) for a, b in itertools.pairwise(widths)]
        super().__init__(*itertools.chain.from_iterable(parts))

    def count(self):
        return len(self)


@pytest.mark.parametrize(
    "wrap",
    [
        lambda module: Named(2, 3, 1),
        nn.DataParallel,
        compiled,
        lambda module: nn.DataParallel(compiled(module)),
        lambda module: nn.Sequential(module, nn.Identity()),
        lambda module: nn.Sequential(module, nn.LogSoftmax(dim=1)),
        lambda module: nn.Sequential(module, nn.Softmax(dim=-1), nn.Dropout()).eval(),
    ],
)
def test_modules_that_wrap_a_chain(wrap):
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 2))
    wrapped = wrap(module)
    net = from_module(wrapped)
    inner = module if not isinstance(wrapped, Named) else wrapped
    inputs = torch.randn(5, 2)
    with torch.no_grad():
        np.testing.assert_allclose(inner(inputs).numpy(), net.forward(inputs.numpy()), atol=1e-6)
    assert net.reading.known_from == "the module"
    assert bool(net.reading.cut) == any("oftmax" in str(part) for part in wrapped.modules())
    if net.reading.cut:
        assert "is left off" in net.reading.notes[-1] and "cross-entropy" in net.reading.notes[-1]


@given(float_nets(dtype=np.float32, bound=2.0), st.sampled_from(["half", "bfloat16"]))
def test_modules_of_16_bits_are_exact(net, kind):
    module = getattr(module_of(net), kind)()
    found = from_module(module)
    weights = [layer.weight.double().tolist() for layer in module if isinstance(layer, nn.Linear)]
    assert [layer.weights.tolist() for layer in found.layers] == weights and found.dtype == np.float32
    assert "which holds them exactly" in found.reading.notes[0]


@pytest.mark.parametrize("prefix", ["", "module.", "_orig_mod.", "module._orig_mod."])
@pytest.mark.parametrize("key", ["state_dict", "model_state_dict", "net", None])
def test_checkpoints(tmp_path, prefix, key):
    module = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    optimizer = torch.optim.Adam(module.parameters())
    module(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    state = {f"{prefix}{name}": tensor for name, tensor in module.state_dict().items()}
    path = tmp_path / "net.pt"
    torch.save(
        state if key is None else {"epoch": 3, key: state, "optimizer": optimizer.state_dict(), "loss": 0.5}, path
    )
    net = read_net(path, activation="relu")
    assert same(net, from_module(module))
    assert key is None or f"under {key!r} of a checkpoint" in net.reading.notes[-1]


def test_two_states_in_one_file(tmp_path):
    state = nn.Linear(1, 1).state_dict()
    torch.save({"model": state, "ema": state}, tmp_path / "net.pt")
    with pytest.raises(InputError, match=r"net.pt: holds several state dictionaries \(model, ema\); save the one"):
        read_net(tmp_path / "net.pt", activation="relu")


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (
            Own(),
            (
                "the module: Own is not supported; absence audits Sequential, Linear, ReLU, Flatten, Identity, "
                "Dropout; or use"
            ),
        ),
        (nn.Sequential(nn.Linear(1, 1), nn.Sequential(nn.Tanh())), r"layer 1.0 \(Tanh\) is not supported"),
        (nn.Sequential(OwnLinear(1, 1)), r"layer 0 \(OwnLinear\) is not supported"),
        (nn.utils.parametrizations.weight_norm(nn.Linear(1, 1)), r"ParametrizedLinear is not supported"),
        (nn.Sequential(nn.Conv2d(1, 1, 1)), r"layer 0 \(Conv2d\) is not supported"),
        ({"0.weight": torch.ones(1, 1)}, "dict is not supported"),
        (nn.Sequential(hooked()), r"layer 0 \(Linear\) has a hook or a forward method of its own"),
        (patched(), "Linear has a hook or a forward method of its own"),
        (
            nn.Sequential(nn.Linear(1, 1), nn.Dropout()),
            r"layer 1 \(Dropout\) is in training mode; call module.eval\(\) first",
        ),
        (nn.Sequential(nn.Flatten(0), nn.Linear(1, 1)), r"layer 0 \(Flatten\) flattens other dimensions"),
        (nn.Sequential(), "holds no Gemm or MatMul"),
        (
            nn.Sequential(nn.Linear(1, 2), nn.ReLU(), nn.Linear(1, 1)),
            r"layer 2 \(Linear\) reads 1 values, layer 1 \(ReLU\) gives 2",
        ),
        (pruned(), r"layer 0 \(Linear\) is pruned; call torch.nn.utils.prune.remove\(layer, 'weight'\) on it first"),
        (
            nn.Sequential(nn.Softmax(1), nn.Linear(1, 1)),
            r"layer 1 \(Linear\) stands behind Softmax, which",
        ),
        (nn.Sequential(nn.Linear(1, 1), nn.Softmax(0)), r"layer 1 \(Softmax\) does not run over the features"),
        (nn.Sequential(nn.Linear(1, 1), nn.BatchNorm1d(1)), r"layer 1 \(BatchNorm1d\) is in training mode"),
        (OwnSequential(nn.Linear(1, 1)), "OwnSequential is not supported"),
        (nn.Sequential(nn.Linear(1, 1), nn.ReLU(), nn.Linear(1, 1).double()), "mixes torch.float32 and torch.float64"),
        (nn.Linear(1, 1, device="meta"), "weight is no plain float32 or float64 tensor .* on meta"),
        (nan(), "Linear holds NaN or infinity"),
    ],
)
def test_modules_refused(module, message):
    with pytest.raises(InputError, match=message):
        from_module(module)


class Malicious:
    def __init__(self, target):
        self.target = str(target)

    def __reduce__(self):
        return os.system, (f"touch {self.target}",)


@pytest.mark.parametrize("save", [torch.save, lambda value, path: path.write_bytes(pickle.dumps(value))])
@pytest.mark.parametrize("wrap", [lambda value: value, lambda value: {"0.weight": value}])
def test_no_code_is_run(tmp_path, save, wrap):
    path, target = tmp_path / "net.pt", tmp_path / "ran"
    save(wrap(Malicious(target)), path)
    with pytest.raises(
        InputError, match=r"net.pt: holds objects whose code would have to be run, which is refused; save"
    ):
        read_net(path)
    assert not target.exists()
    # The file is a real attack: torch itself, told to trust it, runs it.
    if save is torch.save:
        torch.load(path, weights_only=False)
        assert target.exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (nn.Linear(1, 1), "holds objects whose code would have to be run, which is refused"),
        ([torch.ones(1)], "holds a list, no state dictionary"),
        ({"config": {"width": 3}}, "holds a dict under 'config', no tensor"),
        ({0: torch.ones(1, 1)}, "holds a Tensor under 0, no tensor"),
        ({"0.weight": torch.eye(2).to_sparse()}, "0.weight is no plain float32 or float64 tensor"),
        ({"0.weight": torch.ones(1, 1, dtype=torch.int32)}, "holds int32; convert the weights"),
        ({"0.weight": torch.ones(1, 1, 3, 3)}, "0.weight has 4 dimensions"),
    ],
)
def test_files_refused(tmp_path, content, message):
    path = tmp_path / "net.pt"
    torch.save(content, path)
    with pytest.raises(InputError, match=message) as caught:
        read(path)
    assert str(caught.value).startswith(f"{path}: ") and str(caught.value).isprintable()


def test_torchscript_is_refused(tmp_path):
    path = tmp_path / "net.pt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("net/constants.pkl", pickle.dumps(()))
        archive.writestr("net/data.pkl", pickle.dumps({}))
        archive.writestr("net/version", "3")
    with pytest.raises(InputError, match=r"is damaged, or holds no state dictionary; save module.state_dict\(\)"):
        read(path)


def test_bomb(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "LARGEST", 2**20)
    path = tmp_path / "net.pt"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("net/data/0", bytes(2**20 + 1))
    with pytest.raises(InputError, match=r"net.pt: unpacks to more than 1 MiB, the most that is read"):
        read(path)


@pytest.mark.parametrize("zipped", [True, False])
def test_every_cut_is_refused(refuses_every_cut, zipped):
    stream = io.BytesIO()
    torch.save(nn.Linear(2, 3).state_dict(), stream, _use_new_zipfile_serialization=zipped)
    refuses_every_cut(stream.getvalue(), ".pt", read)


def test_without_torch(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    for name, use in (("net.pt", lambda: read(tmp_path / "net.pt")), ("the module", lambda: from_module(None))):
        with pytest.raises(
            disk.InputError,
            match=rf"{name}: reading it needs torch: pip install 'proof-of-absence\[torch\]'",
        ):
            use()


NORMED = [
    lambda: nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 2)),
    lambda: nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.BatchNorm1d(4), nn.Linear(4, 2)),
    lambda: nn.Sequential(nn.BatchNorm1d(3), nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2), nn.BatchNorm1d(2)),
    lambda: nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4, affine=False), nn.ReLU(), nn.Dropout(), nn.Linear(4, 2)),
]


@pytest.mark.parametrize("make", NORMED)
def test_batch_normalisation_in_a_file_is_that_of_the_module(tmp_path, make):
    torch.manual_seed(0)
    module = make()
    for _ in range(3):
        module(torch.randn(50, 3))
    torch.save(module.eval().state_dict(), tmp_path / "net.pt")
    net = read_net(tmp_path / "net.pt", activation="relu")
    z = [Fraction(1, 3), Fraction(-2), Fraction(5, 7)]
    assert net.exact()(z) == from_module(module).exact()(z)
    notes = " ".join(net.reading.notes)
    assert "epsilon 1e-5: an assumption" in notes and "53 digits of a float64" in notes
    rows = torch.randn(5, 3)
    with torch.no_grad():
        ran = module(rows)
    torch.testing.assert_close(torch.tensor(net.forward(rows.numpy())), ran, atol=1e-5, rtol=1e-5)


def test_batch_normalisation_of_another_width_is_refused():
    module = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(2), nn.ReLU(), nn.Linear(4, 2)).eval()
    with pytest.raises(InputError, match=r"layer 1 \(BatchNorm1d\) has 2 numbers, layer 0 \(Linear\) gives 4"):
        from_module(module)

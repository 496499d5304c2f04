"""A net against the network's own outputs: float32 and float64 runs of it agree, other nets do not."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import proof_of_absence
from proof_of_absence.checker.audit.outputs import agreeing
from proof_of_absence.checker.numbers.deadline import Deadline, OutOfTime, within
from proof_of_absence.models.files import InputError
from proof_of_absence.models.files.torch_state import from_module
from proof_of_absence.models.floatnet import FloatNet


def module(seed, width=8, activation=torch.nn.ReLU):
    torch.manual_seed(seed)
    return torch.nn.Sequential(
        torch.nn.Linear(3, width), activation(), torch.nn.Linear(width, width), activation(), torch.nn.Linear(width, 2)
    )


def run(network, inputs):
    with torch.no_grad():
        return network(torch.tensor(inputs, dtype=next(network.parameters()).dtype)).double().numpy()


@given(st.integers(0, 10**6), st.integers(1, 40), st.booleans())
def test_its_own_runs_agree(seed, rows, double):
    network = module(seed).double() if double else module(seed)
    inputs = np.random.default_rng(seed).normal(size=(rows + 1, 3)).astype(np.float32).astype(float)
    net = from_module(network)
    found = agreeing(net, inputs, run(network, inputs), "outputs.npz")
    assert found.layers is not net.layers and found.dtype == net.dtype
    assert f"The outputs in outputs.npz agree with it at all {rows + 1} training inputs" in found.reading.notes[-1]
    assert found.reading.known_from == "the module"


@given(st.integers(0, 10**6), st.integers(0, 1), st.sampled_from([1, -1]))
def test_one_output_that_is_off_is_refused_and_named(seed, output, sign):
    network = module(seed)
    inputs = np.random.default_rng(seed).normal(size=(20, 3)).astype(np.float32).astype(float)
    outputs = run(network, inputs)
    outputs[7, output] += sign * 0.01
    with pytest.raises(InputError, match=rf"^out: these are not .* output {output} of row 7 by [0-9.e+]+ times"):
        agreeing(from_module(network), inputs, outputs, "out")


class Residual(torch.nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(1)
        self.block1, self.block2 = (
            torch.nn.ModuleDict({"fc1": torch.nn.Linear(3, 3), "fc2": torch.nn.Linear(3, 3)}) for _ in range(2)
        )

    def forward(self, inputs):
        for block in (self.block1, self.block2):
            inputs = inputs + block["fc2"](torch.relu(block["fc1"](inputs)))
        return inputs


@pytest.mark.parametrize("other", ["tanh", "residual"])
def test_what_a_state_dictionary_does_not_say_is_found_out(tmp_path, other):
    network = module(0, activation=torch.nn.Tanh) if other == "tanh" else Residual()
    torch.save(network.state_dict(), tmp_path / "net.pt")
    inputs = np.random.default_rng(0).normal(size=(30, 3)).astype(np.float32)
    outputs = run(network, inputs)
    with pytest.raises(InputError, match=r"^outputs: these are not the outputs of the net as it was read"):
        proof_of_absence.audit(tmp_path / "net.pt", inputs, outputs, activation="relu", outputs=outputs)
    # Without outputs the names alone give the blocks away, and the chain is an assumption.
    if other == "residual":
        with pytest.raises(InputError, match=r"net.pt: block1 and block2 hold layers of the same names and shapes"):
            proof_of_absence.audit(tmp_path / "net.pt", inputs, outputs, activation="relu")


def test_outputs_that_cannot_tell_are_refused():
    net = FloatNet([([[1.0]], [0.0])], np.float32)
    inputs = np.array([[1.0], [1.0]])
    with pytest.raises(InputError, match=r"^out: these outputs tell nothing: rounding alone explains differences of"):
        agreeing(net, inputs, inputs, "out")
    with pytest.raises(InputError, match=r"^out: has outputs of shape \(1, 1\); 2 rows of 1 are to be compared"):
        agreeing(net, inputs, inputs[:1], "out")
    giant = FloatNet([([[2.0**127]], [0.0])], np.float32)
    with pytest.raises(InputError, match=r"^out: these outputs tell nothing"):
        agreeing(giant, np.array([[2.0**127], [1.0]]), np.array([[1.0], [2.0]]), "out")


def test_outputs_behind_a_softmax_are_told_apart():
    network = torch.nn.Sequential(module(0), torch.nn.Softmax(dim=1))
    inputs = np.random.default_rng(0).normal(size=(30, 3)).astype(np.float32).astype(float)
    with pytest.raises(InputError, match="they are to be those before Softmax"):
        agreeing(from_module(network), inputs, run(network, inputs), "out")
    assert agreeing(from_module(network), inputs, run(network[0], inputs), "out").reading.cut == "Softmax"


@pytest.mark.parametrize("looks", [0, 1, 5, 10, 1000])
def test_without_the_time_to_compare_no_net_is_taken(looks):
    """Whenever it is over: either all rows are compared, or it says so."""
    network = module(0)
    inputs = np.random.default_rng(0).normal(size=(30_000, 3))
    clock = iter(range(1000))
    with within(Deadline(looks, lambda: float(next(clock)))):
        try:
            found = agreeing(from_module(network), inputs, run(network, inputs), "outputs.npz")
        except OutOfTime as late:
            assert str(late).startswith("outputs.npz: out of time before these outputs were compared")
            assert looks < 1000
        else:
            assert looks == 1000 and "agree with it at all 30000" in found.reading.notes[-1]

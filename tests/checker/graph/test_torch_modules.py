"""Torch modules end to end: audited in a few lines, checked by the console, hardened, and loaded again."""

import numpy as np
import pytest
from typer.testing import CliRunner

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402

import proof_of_absence  # noqa: E402
from proof_of_absence.checker.cli import app  # noqa: E402
from proof_of_absence.checker.graph.findings import GraphAudit  # noqa: E402
from tests.models.files.test_torch_graph import Block, MLPBlock  # noqa: E402
from tests.models.files.torch_modules import whole  # noqa: E402


def small() -> nn.Module:
    """A residual CNN one of whose channels sleeps on inputs from 0 to 1."""
    module = whole(nn.Sequential(Block(1, 1, 1), nn.Conv2d(1, 3, 3), nn.ReLU(), nn.Conv2d(3, 2, 2), nn.Flatten()))
    with torch.no_grad():
        module[1].weight.fill_(1.0)
        module[1].bias.copy_(torch.tensor([1.0, -1e4, 2.0]))
    return module.float()


def rows(count: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(count, 1, 4, 4, generator=torch.Generator().manual_seed(seed))


def test_a_residual_cnn_is_audited_and_the_folder_accepted(tmp_path):
    X, Y, deploy = rows(20), torch.arange(20) % 2, 1e4 * rows(3, 1)
    found = proof_of_absence.audit(small(), X, Y, deploy, output=tmp_path / "out")
    assert isinstance(found, GraphAudit) and found.exit_code == 1 and not found.undecided
    (node,) = (node for node in found.nodes if node.name == "2")
    assert [channel.index for channel in node.channels] == [1]
    assert node.fired_rows(node.channels[0].entries) is not None
    run = CliRunner().invoke(app, ["check", str(tmp_path / "out")])
    assert run.exit_code == 0 and "Accepted: 9 facts" in run.output, run.output


def test_a_hardened_module_computes_the_same_on_the_training_inputs():
    module, X = small(), rows(20)
    made = proof_of_absence.harden(module, X)
    assert made.found.removed
    state = proof_of_absence.state_dict_of(module, made.found.graph)
    again = small()
    again.load_state_dict(state)
    assert not again[3].weight[:, 1].any() and module[3].weight[:, 1].any()
    with torch.no_grad():
        assert torch.equal(again(X), module(X))


def test_the_mlp_of_a_transformer_is_audited_on_tokens():
    found = proof_of_absence.audit(whole(MLPBlock()), np.ones((4, 3, 4)))
    assert isinstance(found, GraphAudit) and found.net.input_shape == (3, 4)
    assert [len(node.states) for node in found.nodes] == [18]


def test_a_chain_of_dense_layers_on_tokens_is_one_for_each_of_them():
    chain = whole(nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 2)))
    assert isinstance(proof_of_absence.audit(chain, np.ones((3, 2, 4))), GraphAudit)
    dense = proof_of_absence.audit(chain, np.ones((3, 4)), np.ones((3, 2)), seconds=5)
    assert isinstance(dense, proof_of_absence.Audit)


@pytest.mark.parametrize(
    ("module", "shape", "words"),
    [
        (nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 1)), (3, 4), r"tanh \(1\).*layers=\["),
        (nn.Sequential(nn.Conv2d(1, 1, 2), nn.ReLU()), (3, 16), r"shape \(N, 16\) cannot be followed"),
        (nn.Sequential(nn.Conv2d(1, 1, 2), nn.ReLU()), (3, 1, 1, 1), "cannot be followed"),
        (nn.Sequential(nn.Conv2d(2, 2, 2), nn.BatchNorm2d(2)), (3, 2, 4, 4), "eval"),
    ],
)
def test_what_is_refused_gets_one_line(module, shape, words):
    with pytest.raises(proof_of_absence.InputError, match=words) as caught:
        proof_of_absence.audit(module, np.zeros(shape))
    assert "\n" not in str(caught.value)


def test_functions_are_followed_as_modules_are():
    class Own(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv1d(2, 3, 2)

        def forward(self, x):
            return F.relu6(self.conv(x)).amax(2)

    found = proof_of_absence.audit(whole(Own()), np.zeros((2, 2, 4)))
    assert isinstance(found, GraphAudit) and found.nodes[0].kind == "Clip 0 to 6"

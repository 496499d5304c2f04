"""Which arrays a network's source holds for themselves, and that an audit from Python keeps to it."""

import numpy as np
import torch

import proof_of_absence
from proof_of_absence.checker.graph.held import changeable_in
from proof_of_absence.checker.graph.tail import reassigned, tail
from proof_of_absence.models.files.torch_graph import sourced_module
from proof_of_absence.models.files.torch_graph_write import state_dict_of
from proof_of_absence.models.graph import Graph, Node
from proof_of_absence.models.graph_layers import Dense


class Small(torch.nn.Module):
    """A convolution, and a hidden layer of which the second unit is dead; or the last layer is used twice."""

    def __init__(self, *, tied: bool = False) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.conv, self.tied = torch.nn.Conv1d(1, 2, 2), tied
        self.hidden, self.last = torch.nn.Linear(6, 2), torch.nn.Linear(2, 2)
        with torch.no_grad():
            self.hidden.weight[1], self.hidden.bias[1] = -1.0, -1.0
            self.conv.bias.fill_(1.0)

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        h = torch.relu(self.hidden(torch.relu(self.conv(z)).flatten(1)))
        return self.last(self.last(h)) if self.tied else self.last(h)


ROWS = np.random.default_rng(1).integers(0, 5, (12, 1, 4)).astype(np.float64)
TARGETS = np.random.default_rng(2).standard_normal((12, 2))


def test_a_module_is_improved_within_its_own_parameters():
    module = Small()
    found = proof_of_absence.audit(module, ROWS, TARGETS)
    assert found.improvement is not None and [one.unit for one in found.improvement.units] == [1]
    graph, _ = sourced_module(module, (1, 4))
    better = reassigned(graph, tail(graph), found.improvement.units, found.improvement.output_bias)
    losses = []
    for state in (module.state_dict(), state_dict_of(module, better)):
        module.load_state_dict(state)
        outputs = module(torch.tensor(ROWS, dtype=torch.float32)).detach().numpy()
        losses.append(((outputs - TARGETS) ** 2).sum(axis=1).mean())
    assert losses[1] < losses[0] and np.isclose(losses[1], float(found.improvement.loss_after.low), rtol=1e-4)


def test_a_module_that_uses_a_layer_twice_is_not_improved():
    found = proof_of_absence.audit(Small(tied=True), ROWS, TARGETS)
    assert found.improvement is None and "idle units are not reused" in found.unimproved


def test_what_was_read_from_nowhere_may_be_changed_everywhere():
    graph = Graph((1,), [Node(Dense([[1.0]], [0.0]), (0,))])
    assert changeable_in(None, graph) is None and changeable_in(graph, graph) is None
    assert changeable_in("net.pt", graph) is None

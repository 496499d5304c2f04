"""Changed graphs as parameters of the module that they were read from."""

from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402

from proof_of_absence.models.files import InputError  # noqa: E402
from proof_of_absence.models.files.torch_graph import read_module  # noqa: E402
from proof_of_absence.models.files.torch_graph_write import changeable, state_dict_of  # noqa: E402
from proof_of_absence.models.graph import Graph, same_graph  # noqa: E402
from proof_of_absence.models.graph_layers import Conv, Dense, Scale  # noqa: E402
from tests.models.files.torch_modules import whole  # noqa: E402


def changed(graph: Graph, number: int, entry: int, weight: float, bias: float | None = None) -> Graph:
    """The graph with another number among the weights of a node and, if it is told, among its biases."""
    layer = graph.nodes[number - 1].layer
    assert isinstance(layer, Dense | Conv)
    weights, biases = layer.weights.copy(), layer.bias.copy()
    weights.reshape(-1)[entry] = weight
    biases[0] = biases[0] if bias is None else bias
    new = Dense(weights, biases) if isinstance(layer, Dense) else Conv(weights, biases, layer.window, layer.groups)
    nodes = [replace(node, layer=new) if k == number else node for k, node in enumerate(graph.nodes, 1)]
    return Graph(graph.input_shape, nodes, graph.dtype)


class Mixed(nn.Module):
    """Weights that are stored whole, transposed, in parts of one parameter, and with a bias that is added."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(1, 2, 2)
        self.matrix, self.extra = nn.Parameter(torch.zeros(4, 3)), nn.Parameter(torch.zeros(3))
        self.parts = nn.Parameter(torch.zeros(4, 3))

    def forward(self, x):
        h = F.relu(self.conv(x)).flatten(1) @ self.matrix + self.extra
        return F.linear(h, self.parts[:2]) + F.linear(h, self.parts[2:])


def test_each_weight_of_each_layer_is_written_where_it_lies():
    module = whole(Mixed())
    graph = read_module(module, (1, 3))
    dense = [number for number, node in enumerate(graph.nodes, 1) if isinstance(node.layer, Dense | Conv)]
    weights, biases = changeable(module, graph)
    assert (sorted(weights), sorted(biases)) == (dense, dense[:2])
    for number in dense:
        wanted = changed(graph, number, 1, 0.5, -7.0 if number in biases else None)
        state = state_dict_of(module, wanted)
        assert list(state) == list(module.state_dict())
        again = whole(Mixed())
        again.load_state_dict(state)
        assert same_graph(read_module(again, (1, 3)), wanted)
        assert same_graph(read_module(module, (1, 3)), graph)


def test_a_weight_that_two_layers_share_is_not_changed_for_one_of_them():
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.one, self.other = nn.Linear(2, 2), nn.Linear(2, 2)
            self.other.weight = self.one.weight

        def forward(self, x):
            return x + self.other(F.relu(self.one(x)))

    module = whole(Tied())
    graph = read_module(module, (2,))
    assert changeable(module, graph)[0] == frozenset() and len(changeable(module, graph)[1]) == 2
    with pytest.raises(InputError, match="several places"):
        state_dict_of(module, changed(graph, 1, 0, 0.5))
    both = changed(changed(graph, 1, 0, 0.5), 3, 0, 0.5)
    state = state_dict_of(module, both)
    assert state["one.weight"][0, 0] == state["other.weight"][0, 0] == 0.5


def test_what_no_parameter_holds_is_refused():
    module = whole(nn.Sequential(nn.Conv1d(1, 2, 2, bias=False), nn.ReLU()))
    graph = read_module(module, (1, 3))
    with pytest.raises(InputError, match="no array of its own for the bias"):
        state_dict_of(module, changed(graph, 1, 0, 0.0, 1.0))
    with pytest.raises(InputError, match="another layer"):
        nodes = [replace(graph.nodes[0], layer=Scale(1, 0)), graph.nodes[1]]
        state_dict_of(module, Graph((1, 3), nodes, graph.dtype))
    half = whole(nn.Sequential(nn.Conv1d(1, 2, 2), nn.ReLU())).to(torch.bfloat16)
    with pytest.raises(InputError, match="does not hold"):
        state_dict_of(half, changed(read_module(half, (1, 3)), 1, 0, 1 + 2.0**-20))

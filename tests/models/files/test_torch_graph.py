"""Torch modules as graphs: what people build, and what is refused before any work."""

from fractions import Fraction

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402
from torch.nn.utils import prune  # noqa: E402

from proof_of_absence.models.files import InputError  # noqa: E402
from proof_of_absence.models.files.torch_graph import read_module, sourced_module  # noqa: E402
from tests.models.files.torch_modules import agrees, kinds, whole  # noqa: E402


class Block(nn.Module):
    """A residual block with batch normalisation, as in a ResNet."""

    def __init__(self, channels, out, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, out, 3, stride, 1, bias=False)
        self.bn1, self.bn2 = nn.BatchNorm2d(out), nn.BatchNorm2d(out)
        self.conv2 = nn.Conv2d(out, out, 3, 1, 1, bias=False)
        self.act = nn.ReLU(inplace=True)
        self.short = nn.Sequential(nn.Conv2d(channels, out, 1, stride), nn.BatchNorm2d(out)) if stride > 1 else None

    def forward(self, x):
        h = self.bn2(self.conv2(self.act(self.bn1(self.conv1(x)))))
        h += x if self.short is None else self.short(x)
        return self.act(h)


class Branches(nn.Module):
    """Branches side by side: one of them depthwise, one with functions alone."""

    def __init__(self):
        super().__init__()
        self.a = nn.Conv2d(4, 4, 3, padding="same", groups=4)
        self.b = nn.Conv2d(4, 2, 1)
        self.weight = nn.Parameter(torch.ones(6, 5))

    def forward(self, x):
        both = torch.cat([F.relu(self.a(x)), F.leaky_relu(self.b(x), 0.5)], dim=1)
        pooled = F.max_pool2d(both, 2) - F.avg_pool2d(both, 2)
        return F.hardtanh(pooled.mean((2, 3)) @ self.weight, -1.0, 4.0)


class MLPBlock(nn.Module):
    """The MLP of a transformer, on tokens."""

    def __init__(self, width=4, hidden=6):
        super().__init__()
        self.up, self.down = nn.Linear(width, hidden), nn.Linear(hidden, width)
        self.drop = nn.Dropout(0.1)
        self.place = nn.Parameter(torch.zeros(1, 3, width))

    def forward(self, x):
        x = x + self.place
        return x + self.drop(self.down(torch.relu(self.up(x))))


def test_a_residual_network_is_read_exactly():
    net = nn.Sequential(Block(2, 2, 1), Block(2, 3, 2), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 2))
    graph = agrees(whole(net), (2, 4, 4))
    assert kinds(graph).count("Sum") == 2 and kinds(graph).count("Relu") == 4
    assert [graph.nodes[number - 1].name for number in graph.activations] == ["0.act", "0.act:2", "1.act", "1.act:2"]
    assert graph.reading and graph.reading.known_from == "the module" and not graph.reading.multiplied


def test_roots_that_are_not_rational_stay():
    module = whole(nn.Sequential(nn.Conv1d(1, 2, 2), nn.BatchNorm1d(2), nn.ReLU()))
    module[1].running_var.fill_(2.0)
    graph = read_module(module, (1, 4))
    assert not graph.is_rational and kinds(graph) == ["Conv", "BatchNorm", "Relu"]
    # What torch evaluates is this very layer, so that a bound of float32 holds for it.
    assert not graph.reading.multiplied


def test_branches_with_functions_and_depthwise_convolutions():
    graph = agrees(whole(Branches()), (4, 4, 4))
    assert {"Conv", "Concat", "MaxPool", "AveragePool", "Sum", "Clip", "LeakyRelu"} <= set(kinds(graph))


def test_the_mlp_block_of_a_transformer_works_on_each_token():
    graph = agrees(whole(MLPBlock()), (3, 4))
    assert kinds(graph) == ["Scale", "Dense", "Relu", "Dense", "Sum"]
    assert graph.shapes[graph.activations[0]] == (3, 6)


def test_tokens_may_be_rows_for_a_while():
    class Merged(MLPBlock):
        def forward(self, x):
            rows, tokens, width = x.shape
            return self.down(F.relu(self.up(x.reshape(rows * tokens, width)))).view(rows, tokens, width) - x

    assert kinds(agrees(whole(Merged()), (3, 4))) == ["Dense", "Relu", "Dense", "Sum"]


@pytest.mark.parametrize("last", [nn.Softmax(-1), nn.LogSoftmax(1), nn.Sigmoid()])
def test_probabilities_at_the_end_are_left_off(last):
    body = whole(nn.Sequential(nn.Conv1d(1, 2, 2), nn.ReLU(), nn.Flatten(), nn.Linear(4, 2)))
    graph = read_module(nn.Sequential(body, last), (1, 3))
    assert graph.reading and graph.reading.cut == type(last).__name__ and "logits" in graph.reading.notes[-1]
    assert kinds(graph)[-1] == "Dense"


def test_a_softmax_over_a_part_of_the_output_is_refused():
    with pytest.raises(InputError, match="does not run over all features"):
        read_module(nn.Sequential(nn.Linear(4, 4), nn.Softmax(-1)), (3, 4))


def test_of_several_outputs_the_first_is_taken():
    class Two(nn.Module):
        def forward(self, x):
            return F.relu(x), x.sum(1)

    graph = read_module(Two(), (3,))
    assert kinds(graph) == ["Relu"] and graph.reading and "first" in graph.reading.notes[0]


def test_what_works_for_one_row_alone_says_so():
    class One(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = nn.Linear(4, 2)

        def forward(self, x):
            return F.relu(self.linear(x.reshape(1, 4)))

    graph = agrees(whole(One()), (2, 2), rows=1)
    assert graph.reading and any("one row" in note for note in graph.reading.notes)


class OnData(nn.Module):
    def forward(self, x):
        return x if x.sum() > 0 else -x


class Curved(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function, self.linear = function, nn.Linear(4, 4)

    def forward(self, x):
        return self.linear(self.function(x))


def calls(function):
    return Curved(function)


RECORDED = "layers=\\["
REFUSED = {
    "a branch on data": (OnData(), "torch.export"),
    "gelu": (calls(F.gelu), f"gelu.*{RECORDED}"),
    "tanh": (calls(torch.tanh), f"tanh.*{RECORDED}"),
    "sigmoid": (calls(torch.sigmoid), f"sigmoid.*{RECORDED}"),
    "a norm": (nn.Sequential(nn.LayerNorm(4), nn.Linear(4, 2)), f"layer_norm.*{RECORDED}"),
    "softmax within": (calls(lambda x: x.softmax(-1)), f"softmax.*{RECORDED}"),
    "attention": (nn.TransformerEncoderLayer(4, 2, 8, batch_first=True).eval(), RECORDED),
    "a product of values": (calls(lambda x: x * x), f"mul.*{RECORDED}"),
    "a product of matrices": (calls(lambda x: x @ x.transpose(1, 2) @ x), f"matmul.*{RECORDED}"),
    "mixed rows": (calls(lambda x: x - x.mean(0)), "mixes the rows"),
    "sorted rows": (calls(lambda x: x.flip(0)), "mixes the rows"),
    "places that depend on the input": (calls(lambda x: x[:, x.argmax(1)[0, 0]]), "not among|export|input"),
    "the number of rows": (calls(lambda x: x * x.shape[0]), "number of rows"),
    "computed weights": (calls(lambda x: x * torch.exp(torch.ones(4))), "computes a constant"),
    "dropout in training": (calls(nn.Dropout(0.5)), "eval"),
    "a norm in training": (nn.Sequential(nn.Conv1d(3, 2, 1), nn.BatchNorm1d(2)), "eval"),
    "no module": (3, "no torch.nn.Module"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_is_named_in_one_line(name):
    module, words = REFUSED[name]
    with pytest.raises(InputError, match=words) as caught:
        read_module(module, (3, 4))
    assert "\n" not in str(caught.value)


def test_a_module_with_a_weight_that_is_no_number_is_refused():
    module = nn.Sequential(nn.Conv1d(1, 1, 1), nn.ReLU())
    with torch.no_grad():
        module[0].weight.fill_(float("nan"))
    with pytest.raises(InputError, match="NaN"):
        read_module(module, (1, 3))


def test_where_the_weights_lie_is_known():
    graph, sources = sourced_module(whole(Branches()), (4, 4, 4))
    names = {graph.nodes[number - 1].name: held.name for number, held in sources.weights.items()}
    assert sorted(names.values()) == ["a.weight", "b.weight", "weight"]
    assert sorted(held.name for held in sources.bias.values()) == ["a.bias", "b.bias"]


def test_pruned_and_wrapped_modules_are_what_they_compute():
    module = whole(nn.Sequential(nn.Conv1d(2, 3, 2), nn.ReLU()))
    prune.l1_unstructured(module[0], "weight", 4)
    agrees(module, (2, 3))
    graph = read_module(nn.DataParallel(module), (2, 3))
    assert kinds(graph) == ["Conv", "Relu"] and (graph.nodes[0].layer.weights == 0).sum() >= 4


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16])
def test_short_floats_are_the_numbers_that_they_are(kind):
    module = nn.Sequential(nn.Conv1d(1, 2, 2), nn.ReLU()).to(kind)
    graph = read_module(module, (1, 3))
    assert graph.nodes[0].layer.weights.tolist() == module[0].weight.double().tolist()
    assert graph.reading and graph.reading.multiplied and str(kind) in graph.reading.notes[0]


def test_a_factor_in_the_code_is_the_float32_that_torch_computes_with():
    class Factor(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = nn.Linear(2, 2)

        def forward(self, x):
            return F.leaky_relu(self.linear(x), 0.1) * 0.1

    short, exact = (read_module(module, (2,)).nodes for module in (Factor(), Factor().double()))
    assert [node.layer.slope == Fraction(0.1) for node in (short[1], exact[1])] == [False, True]
    assert [node.layer.factor[0] == Fraction(0.1) for node in (short[2], exact[2])] == [False, True]
    assert short[1].layer.slope == Fraction(torch.tensor(0.1).double().item())

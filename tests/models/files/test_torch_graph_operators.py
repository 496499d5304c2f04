"""Every operator of the torch reader with its arguments, and random modules: what torch computes, exactly."""

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402

from proof_of_absence.models.files.torch_graph import MOVES, OPERATORS, SAME, read_module  # noqa: E402
from tests.models.files.torch_modules import agrees, kinds, whole  # noqa: E402

FEW = settings(max_examples=12, deadline=None)


class Does(nn.Module):
    """A function, with a parameter `p` of a shape."""

    def __init__(self, function, *shape):
        super().__init__()
        self.function = function
        self.p = nn.Parameter(torch.zeros(shape)) if shape else None

    def forward(self, x):
        return self.function(x) if self.p is None else self.function(x, self.p)


aten = torch.ops.aten
# By what it shows: the shape of an input, the function, and the shape of the parameter that it reads.
CASES = {
    "mm": ((4,), lambda x, p: torch.mm(x, p), (4, 3)),
    "matmul, tokens": ((3, 4), lambda x, p: x @ p, (4, 2)),
    "matmul, the parameter on the left": ((3, 4), lambda x, p: p @ x, (2, 3)),
    "matmul, a vector": ((3, 4), lambda x, p: x @ p, (4,)),
    "matmul and a bias": ((4,), lambda x, p: x @ p + p[0], (4, 4)),
    "addmm": ((4,), lambda x, p: torch.addmm(p[0], x, p), (4, 4)),
    "linear, a part of a parameter": ((4,), lambda x, p: F.linear(x, p[1:3], p[0, :2]), (4, 4)),
    "add": ((2, 3), lambda x, p: x.add(p, alpha=3) + 2, (3,)),
    "add to more axes": ((3,), lambda x, p: x[:, None] + p, (2, 1)),
    "add of values": ((2, 3), lambda x: torch.add(x, x[:, :1], alpha=-2), ()),
    "sub": ((2, 3), lambda x, p: 1 - (x - p) - x.sub(x.flip(1), alpha=2), (2, 1)),
    "rsub": ((3,), lambda x, p: torch.rsub(x, 2) - torch.rsub(x, p, alpha=2), (3,)),
    "mul": ((2, 3), lambda x, p: 3 * x * p, (2, 3)),
    "div": ((2, 3), lambda x: x / 4 / torch.full((3,), 2.0), ()),
    "neg": ((2,), lambda x: -x, ()),
    "cat": ((2, 3), lambda x: torch.cat([x, x[:, :, 1:], -x], -1), ()),
    "concat": ((2, 3), lambda x: torch.concat([x, -x[:, 1:]], 1), ()),
    "stack": ((2, 3), lambda x: torch.stack([x, -x], -1), ()),
    "relu6": ((3,), lambda x: F.relu6(3 * x), ()),
    "leaky_relu": ((3,), lambda x: F.leaky_relu(x, 0.25) + F.leaky_relu(x, -2.0), ()),
    "prelu": ((3, 2), F.prelu, (1,)),
    "clamp": ((3,), lambda x: x.clamp(-1, 2) + x.clamp(min=0) + x.clamp(max=float("inf")), ()),
    "clip": ((3,), lambda x: x.clip(-1, 2), ()),
    "clamp_min": ((3,), lambda x: torch.clamp_min(x, 1) - torch.clamp_max(x, 1), ()),
    "hardtanh": ((3,), lambda x: F.hardtanh(x, -2, 1), ()),
    "maximum": ((3,), lambda x, p: torch.maximum(x, p) + torch.minimum(p, x), (1,)),
    "dropout": ((3,), lambda x: F.dropout(x, 0.5, training=False) + F.dropout(x, 0.0), ()),
    "to": ((3,), lambda x: x.to(torch.float64) + x.float().double(), ()),
    "in place": ((2, 3), lambda x: x.clone().add_(1).relu_().mul_(2), ()),
    "written into a part": ((2, 4), lambda x: torch.cat([x[:, :1], F.relu(x[:, 1:])], 1), ()),
    "mean": ((2, 4), lambda x: x.mean(-1) + x.mean((1, 2), keepdim=True)[:, 0], ()),
    "mean of an axis before the last": ((2, 3), lambda x: x.mean(1), ()),
    "sum": ((2, 3, 2), lambda x: x.sum(2) - x.sum((2, 3)).unsqueeze(-1), ()),
    "amax": ((2, 3), lambda x: x.amax(1) + x.amax(2).sum(1, keepdim=True), ()),
    "the batch second": ((2, 3), lambda x, p: (x.transpose(0, 1) @ p).relu().mean(0), (3, 2)),
    "adaptive_max_pool": ((2, 4, 4), lambda x: F.adaptive_max_pool2d(x, (2, 1)), ()),
    "adaptive_avg_pool": ((2, 4, 8), lambda x: F.adaptive_avg_pool2d(x, (2, 4)), ()),
    "adaptive_avg_pool1d": ((2, 4), lambda x: F.adaptive_avg_pool1d(x, 1), ()),
    "conv2d of another padding": ((2, 4, 5), lambda x, p: F.conv2d(x, p, padding="same"), (2, 2, 1, 3)),
    "conv3d": ((1, 2, 3, 3), lambda x, p: F.conv3d(x, p).flatten(1), (2, 1, 2, 2, 2)),
    "pad": ((2, 3), lambda x: F.pad(x, (1, 2), value=3.0), ()),
    "pads of two kinds": ((2, 3), lambda x: F.pad(F.pad(x, (1, 0), value=3.0), (0, 1), value=1.0), ()),
    "pad by itself": ((1, 3, 4), lambda x: F.pad(x, (1, 1, 1, 1), "reflect") + F.pad(x, (2, 0, 0, 2), "replicate"), ()),
    "view": ((4, 6), lambda x: x.view(-1, 2, 3, 4).permute(0, 2, 3, 1).reshape(x.shape[0], 12, 2), ()),
    "flatten": ((2, 3, 4), lambda x: x.flatten(2).unflatten(2, (2, 6)), ()),
    "squeeze": ((1, 3, 1), lambda x: x.squeeze(1).squeeze(-1).unsqueeze(1), ()),
    "slice": ((5, 6), lambda x: x[:, 1:4:2, -3:], ()),
    "select": ((5, 6), lambda x: x[:, -1] - x[:, 2], ()),
    "narrow": ((5,), lambda x: x.narrow(1, 1, 3), ()),
    "split": ((7,), lambda x: x.split(3, 1)[2] + x.split([2, 4, 1], 1)[2], ()),
    "chunk": ((5, 4), lambda x: x.chunk(2, 2)[1] + x.tensor_split(2, 2)[0], ()),
    "unbind": ((2, 3), lambda x: x.unbind(1)[1] - x.unbind(2)[0].sum(1, keepdim=True), ()),
    "expand": ((1, 3), lambda x: x.expand(-1, 4, 3) + x.repeat(1, 4, 1) + x.tile(4, 1), ()),
    "flip": ((3, 2), lambda x: x.flip(1, 2) + x.roll(1, 1), ()),
    "index_select": ((4,), lambda x: x.index_select(1, torch.tensor([2, 0, 2])), ()),
    "index": ((4, 2), lambda x: x[:, torch.tensor([2, 0, 2])] - x[:, [1, 1, 3], :], ()),
    "pixel_shuffle": ((4, 2, 2), lambda x: F.pixel_unshuffle(F.pixel_shuffle(x, 2), 2) + F.pixel_shuffle(x, 1), ()),
    "unfold": ((6,), lambda x: x.unfold(1, 3, 2), ()),
    "upsampled": ((2, 2, 3), lambda x: F.interpolate(x, scale_factor=2, mode="nearest"), ()),
    "movedim": ((2, 3, 4), lambda x: x.movedim(1, 3).swapaxes(1, 2), ()),
    "a constant that is moved": ((2, 3), lambda x, p: x + p.t().flatten().view(2, 3), (3, 2)),
    "a constant that is computed": ((3,), lambda x, p: x * (2 * p - 1), (3,)),
    "zeros for a start": ((3,), lambda x, p: torch.zeros(x.shape[0], 2) + x @ p, (3, 2)),
}


@pytest.mark.parametrize("name", CASES)
def test_an_operator_is_what_torch_computes(name):
    shape, function, parameter = CASES[name]
    agrees(whole(Does(function, *parameter)), shape, seed=len(name))


@FEW
@given(
    axes=st.sampled_from([1, 2]), kernel=st.integers(1, 3), stride=st.integers(1, 3), padding=st.integers(0, 2),
    dilation=st.integers(1, 2), groups=st.sampled_from([1, 2]), bias=st.booleans(), seed=st.integers(0, 99),
)  # fmt: skip
def test_convolutions(axes, kernel, stride, padding, dilation, groups, bias, seed):
    size = 5
    assume(size + 2 * padding >= (kernel - 1) * dilation + 1)
    build = nn.Conv1d if axes == 1 else nn.Conv2d
    module = build(2, 4, kernel, stride, padding, dilation, groups, bias)
    agrees(whole(module, seed), (2, *[size] * axes), rows=2, seed=seed)


@FEW
@given(
    axes=st.sampled_from([1, 2]), kernel=st.integers(1, 4), stride=st.integers(1, 3), padding=st.integers(0, 2),
    dilation=st.integers(1, 2), ceil=st.booleans(), counted=st.booleans(), size=st.integers(3, 6),
    average=st.booleans(), seed=st.integers(0, 99),
)  # fmt: skip
def test_pools(axes, kernel, stride, padding, dilation, ceil, counted, size, average, seed):
    assume(padding <= kernel // 2 and size + 2 * padding >= (kernel - 1) * dilation + 1)
    if average:
        # What a sum of 3 is divided by is no float; 1, 2 and 4 are.
        assume(kernel in (1, 2, 4) and dilation == 1 and (counted or not padding) and not (ceil and kernel > 2))
        build = nn.AvgPool1d if axes == 1 else nn.AvgPool2d
        module = build(kernel, stride, padding, ceil, counted)
    else:
        module = (nn.MaxPool1d if axes == 1 else nn.MaxPool2d)(kernel, stride, padding, dilation, ceil_mode=ceil)
    agrees(module, (2, *[size] * axes), rows=2, seed=seed)


class Random(nn.Module):
    """Steps on values of shape (batch, 2, 4, 4), with residual sums, each kind of step with layers of its own."""

    def __init__(self, steps):
        super().__init__()
        self.steps = steps
        self.layers = nn.ModuleList(LAYERS[step]() for step in steps)

    def forward(self, x):
        seen = [x]
        for step, layer in zip(self.steps, self.layers, strict=True):
            h = seen[-1]
            if step == "residual":
                h = h + seen[len(seen) // 2]
            elif step == "branches":
                h = torch.cat([h[:, :1], F.relu(seen[0])[:, 1:]], dim=1)
            elif step == "turn":
                h = h.permute(0, 1, 3, 2).flatten(2).view(-1, 2, 4, 4)
            elif step == "tokens":
                h = layer(h.flatten(2).transpose(1, 2)).transpose(1, 2).reshape(h.shape)
            elif step == "pool":
                h = F.pad(F.avg_pool2d(h, 2), (1, 1, 1, 1))
            else:
                h = layer(h)
            seen.append(h)
        return seen[-1].mean((2, 3))


LAYERS = {
    "conv": lambda: nn.Conv2d(2, 2, 3, padding=1), "norm": lambda: nn.BatchNorm2d(2), "relu": nn.ReLU,
    "relu6": nn.ReLU6, "leaky": lambda: nn.LeakyReLU(0.5), "max": lambda: nn.MaxPool2d(3, 1, 1),
    "tokens": lambda: nn.Linear(2, 2), "residual": nn.Identity, "branches": nn.Identity, "turn": nn.Identity,
    "pool": nn.Identity, "depthwise": lambda: nn.Conv2d(2, 2, 1, groups=2),
}  # fmt: skip


@settings(max_examples=12, deadline=None)
@given(steps=st.lists(st.sampled_from(sorted(LAYERS)), min_size=2, max_size=8), seed=st.integers(0, 99))
def test_random_modules(steps, seed):
    agrees(whole(Random(steps), seed), (2, 4, 4), rows=2, seed=seed)


def test_the_words_of_a_node_are_those_of_the_module():
    graph = read_module(whole(nn.Sequential(nn.Conv1d(1, 2, 2), nn.ReLU())), (1, 4))
    assert graph.reading and graph.reading.layers == ("conv1d (0) 1x4 -> 2x3", "relu (1) 2x3 -> 2x3")
    assert kinds(graph) == ["Conv", "Relu"]


def test_no_operator_has_two_rows():
    assert not (MOVES & SAME) and not (MOVES | SAME) & set(OPERATORS)

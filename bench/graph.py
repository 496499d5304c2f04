"""The exact idle decision for a convolutional net against one float64 pass in torch and one in numpy, in one run.

The net is cifar_base_kw_simp of VNN-COMP where --data names its folder, else a random one of the same shape; it is
asked once more with units that sleep in every layer. Then a residual net of a million parameters: peak memory; and one
with 27 batch normalisations, where float64 loses its digits: the decision, and its check by the independent checker.
"""

import json
import platform
import resource
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from rich.console import Console
from rich.table import Table

from proof_of_absence.checker.graph.findings import State
from proof_of_absence.checker.graph.idle import UnitStates, unit_states
from proof_of_absence.checker.independent.kinds.graph_idle import graph_idle
from proof_of_absence.checker.independent.values.graph_data import GraphSubject
from proof_of_absence.checker.independent.values.graph_files import read_graph
from proof_of_absence.checker.kernel.graph_facts import idle_fact
from proof_of_absence.checker.kernel.graph_json import graph_arrays, graph_text
from proof_of_absence.checker.passes.graph_enclosure import balls, blocks
from proof_of_absence.models.files.torch_graph import read_module
from proof_of_absence.models.graph import Graph, Node
from proof_of_absence.models.graph_layers import AveragePool, BatchNorm, Conv, Dense, GraphLayer, Rearrange, Relu, Sum
from proof_of_absence.models.windows import Window

RUNS = 3
EDGE = 8  # dense units whose greatest pre-activation is 0 as near as float64 tells
NAME = "cifar_base_kw_simp.onnx"
SHAPES = ((8, 3, 4, 4), (8,), (16, 8, 4, 4), (16,), (100, 1024), (100,), (10, 100), (10,))
# Rows at a time: what is fastest for torch, and for numpy.
TORCH_ROWS, NUMPY_ROWS = 250, 50


def weights_of(folder: Path | None, rng: np.random.Generator) -> list[np.ndarray]:
    """Weights and biases of two convolutions (kernel 4, stride 2, padding 1) and two dense layers, float64."""
    if folder is None:
        return [rng.standard_normal(shape) / np.sqrt(np.prod(shape[1:], initial=1)) for shape in SHAPES]
    import onnx
    from onnx import numpy_helper

    arrays = [numpy_helper.to_array(one) for one in onnx.load(folder / NAME).graph.initializer]
    found = [array.astype(np.float64) for array in arrays if array.dtype == np.float32]
    if tuple(array.shape for array in found) != SHAPES:
        raise SystemExit(f"{folder / NAME} has other weights than this benchmark knows")
    return found


def planted(weights: list[np.ndarray], inputs: np.ndarray) -> list[np.ndarray]:
    """The same net with a dead channel in either convolution, two dead dense units, and some at the edge."""
    found = [array.copy() for array in weights]
    found[1][0] = found[3][0] = found[5][0] = found[5][1] = -1000
    graph = graph_of(found)
    greatest = np.max([balls(graph, inputs[rows])[6].values.max(axis=0) for rows in blocks(graph, len(inputs))], axis=0)
    found[5][2 : 2 + EDGE] -= greatest[2 : 2 + EDGE]
    return found


def graph_of(weights: list[np.ndarray]) -> Graph:
    """The net as a graph."""
    first, second = (Window((4, 4), (n, n), strides=(2, 2), before=(1, 1)) for n in (16, 8))
    layers: list[GraphLayer] = [
        Conv(weights[0], weights[1], first), Relu(), Conv(weights[2], weights[3], second), Relu(),
        Rearrange(np.arange(1024), "Flatten"), Dense(weights[4], weights[5]), Relu(), Dense(weights[6], weights[7]),
    ]  # fmt: skip
    return Graph((3, 32, 32), [Node(layer, (below,)) for below, layer in enumerate(layers)], np.float32)


def in_torch(weights: list[np.ndarray], inputs: np.ndarray) -> np.ndarray:
    """One pass in torch."""
    arrays = [torch.tensor(array) for array in weights]
    found = []
    with torch.inference_mode():
        for block in torch.tensor(inputs).reshape(-1, 3, 32, 32).split(TORCH_ROWS):
            for at in (0, 2):
                block = torch.relu(torch.nn.functional.conv2d(block, arrays[at], arrays[at + 1], stride=2, padding=1))
            hidden = torch.relu(torch.nn.functional.linear(block.flatten(1), arrays[4], arrays[5]))
            found.append(torch.nn.functional.linear(hidden, arrays[6], arrays[7]))
    return torch.cat(found).numpy()


def in_numpy(weights: list[np.ndarray], inputs: np.ndarray) -> np.ndarray:
    """One pass in numpy: patches side by side and a product."""
    found = []
    for start in range(0, len(inputs), NUMPY_ROWS):
        value = inputs[start : start + NUMPY_ROWS].reshape(-1, 3, 32, 32)
        for at in (0, 2):
            padded = np.pad(value, ((0, 0), (0, 0), (1, 1), (1, 1)))
            views = np.lib.stride_tricks.sliding_window_view(padded, (4, 4), axis=(2, 3))[:, :, ::2, ::2]
            rows, channels, height, width = views.shape[:4]
            patches = views.transpose(0, 2, 3, 1, 4, 5).reshape(rows * height * width, channels * 16)
            product = patches @ weights[at].reshape(len(weights[at]), -1).T + weights[at + 1]
            value = np.maximum(product, 0).reshape(rows, height, width, -1).transpose(0, 3, 1, 2)
        hidden = np.maximum(value.reshape(len(value), -1) @ weights[4].T + weights[5], 0)
        found.append(hidden @ weights[6].T + weights[7])
    return np.concatenate(found)


def residual(rng: np.random.Generator, channels: int = 120, blocks: int = 4) -> Graph:
    """A residual net of about a million parameters on 3 x 16 x 16 inputs."""
    window = Window((3, 3), (16, 16), before=(1, 1))

    def conv(inside: int) -> Conv:
        weights = rng.standard_normal((channels, inside, 3, 3)) / np.sqrt(9 * inside)
        return Conv(weights, rng.standard_normal(channels), window)

    nodes = [Node(conv(3), (0,)), Node(Relu(), (1,))]
    for _ in range(blocks):
        last = len(nodes)
        nodes += [Node(conv(channels), (last,)), Node(Relu(), (last + 1,)), Node(conv(channels), (last + 2,))]
        nodes += [Node(Sum((1, 1)), (last, last + 3)), Node(Relu(), (last + 4,))]
    last = len(nodes)
    nodes += [
        Node(AveragePool(Window((16, 16), (1, 1)), [[256]]), (last,)),
        Node(Rearrange(np.arange(channels), "Flatten"), (last + 1,)),
        Node(Dense(rng.standard_normal((10, channels)), np.zeros(10)), (last + 2,)),
    ]
    return Graph((3, 16, 16), nodes)


class Block(torch.nn.Module):
    """Two convolutions, each with a batch normalisation, and what goes around them."""

    def __init__(self, inside: int, out: int, stride: int):
        super().__init__()
        conv, norm = torch.nn.Conv2d, torch.nn.BatchNorm2d
        self.one, self.first = conv(inside, out, 3, stride, 1, bias=False), norm(out)
        self.two, self.second = conv(out, out, 3, 1, 1, bias=False), norm(out)
        around = torch.nn.Sequential(conv(inside, out, 1, stride, bias=False), norm(out))
        self.around = torch.nn.Identity() if inside == out else around

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The value after both."""
        hidden = torch.relu(self.first(self.one(x)))
        return torch.relu(self.second(self.two(hidden)) + self.around(x))


def normalised(inputs: torch.Tensor, width: int = 4) -> torch.nn.Module:
    """A residual net with 27 batch normalisations, which have seen the inputs; a channel sleeps in one of them."""
    sizes = [width] * 4 + [2 * width] * 4 + [4 * width] * 4
    blocks = [
        Block(below, out, 1 if below == out else 2) for below, out in zip([width, *sizes[:-1]], sizes, strict=True)
    ]
    stem = [torch.nn.Conv2d(3, width, 3, 1, 1, bias=False), torch.nn.BatchNorm2d(width), torch.nn.ReLU()]
    ends = [torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(4 * width, 10)]
    net = torch.nn.Sequential(*stem, *blocks, *ends)
    with torch.no_grad():
        net(inputs)
        torch.nn.init.constant_(blocks[-1].first.bias[:1], -50)
    return net.eval()


def checked(graph: Graph, inputs: np.ndarray, found: Sequence[UnitStates]) -> None:
    """Have the independent checker decide what was found."""
    facts = []
    for one in found:
        entries = {state: np.flatnonzero(one.states == state).tolist() for state in State}
        constant = {entry: one.values.get(entry) for entry in entries[State.CONSTANT]}
        fact = idle_fact(
            one.node, len(inputs), dead=entries[State.DEAD], constant=constant, undecided=entries[State.UNDECIDED],
            witness=one.witness[entries[State.VARIES]], unread=np.flatnonzero(~one.read),
        )  # fmt: skip
        facts.append(fact)
    own = read_graph(json.loads(graph_text(graph)), graph_arrays(graph))
    graph_idle(GraphSubject(own, inputs), *facts)


def with_normalisations(rows: int) -> str:
    """The decision for such a net and its check, against one pass in torch, float64; seconds of all cores."""
    torch.manual_seed(0)
    inputs = torch.rand(rows, 3, 16, 16)
    net = normalised(inputs)
    graph, flat = read_module(net, (3, 16, 16)), inputs.reshape(rows, -1).double().numpy()
    found = unit_states(graph, flat)
    double = net.double()
    with torch.inference_mode():
        _, plain = best(lambda: double(inputs.double()))
    _, decided = best(lambda: unit_states(graph, flat))
    _, again = best(lambda: checked(graph, flat, found))
    norms = sum(isinstance(node.layer, BatchNorm) for node in graph.nodes)
    return (
        f"A residual net with {norms} batch normalisations, {rows:,} inputs of 3 x 16 x 16: one float64 pass in torch "
        f"{plain:.3f} s; the decision {decided / plain:.0f} times that, its check {again / plain:.0f} times."
    )


def best(action: Callable[[], object]) -> tuple[float, float]:
    """The least seconds of the clock and of all cores that the action took."""
    times = []
    for _ in range(RUNS):
        started = time.perf_counter(), time.process_time()
        action()
        times.append((time.perf_counter() - started[0], time.process_time() - started[1]))
    return min(clock for clock, _ in times), min(cores for _, cores in times)


def states(graph: Graph, inputs: np.ndarray) -> str:
    """What the units do, counted."""
    found = Counter(State(int(state)).name.lower() for one in unit_states(graph, inputs) for state in one.states)
    return ", ".join(f"{count:,} {name}" for name, count in sorted(found.items()))


def main(
    rows: Annotated[int, typer.Option(min=100)] = 10_000,
    data: Annotated[Path | None, typer.Option(help="folder with cifar_base_kw_simp.onnx")] = None,
    residual_rows: Annotated[int, typer.Option(min=1)] = 100,
    normalised_rows: Annotated[int, typer.Option(min=2)] = 50,
) -> None:
    """Print a table; the ratios are of seconds of all cores, which other work on the machine disturbs least."""
    rng = np.random.default_rng(0)
    weights, inputs = weights_of(data, rng), rng.random((rows, 3072))
    if not np.allclose(in_torch(weights, inputs[:100]), in_numpy(weights, inputs[:100])):
        raise SystemExit("the two passes do not agree")
    table = Table("", "seconds", "of all cores", "torch", "numpy", "found")
    passes = {"torch, float64": in_torch, "numpy, float64": in_numpy}
    plain = {name: best(lambda run=run: run(weights, inputs)) for name, run in passes.items()}
    for name, (clock, cores) in plain.items():
        table.add_row(name, f"{clock:.2f}", f"{cores:.2f}", "", "", "")
    for name, some in {"idle decision": weights, "with units that sleep": planted(weights, inputs)}.items():
        graph = graph_of(some)
        clock, cores = best(lambda graph=graph: unit_states(graph, inputs))
        ratios = [f"{cores / peer[1]:.2f}" for peer in plain.values()]
        table.add_row(name, f"{clock:.2f}", f"{cores:.2f}", *ratios, states(graph, inputs))
    console = Console()
    console.print(f"{NAME if data else 'a random net of the same shape'}, {rows:,} inputs; {platform.machine()}")
    console.print(table)
    net = residual(rng)
    started = time.perf_counter()
    found = states(net, rng.standard_normal((residual_rows, net.sizes[0])))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    console.print(
        f"A residual net of {net.parameter_count:,} parameters, {residual_rows:,} inputs: {found}; "
        f"{time.perf_counter() - started:.0f} s, {peak:.2f} GiB at the peak."
    )
    console.print(with_normalisations(normalised_rows))


if __name__ == "__main__":
    typer.run(main)

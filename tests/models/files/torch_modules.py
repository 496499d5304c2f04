"""Torch modules with small integers for weights, and their comparison with the graph that is read."""

from fractions import Fraction

import numpy as np
import torch
from torch import nn

from proof_of_absence.models.files.torch_graph import read_module
from proof_of_absence.models.graph import Graph


def whole(module: nn.Module, seed: int = 0) -> nn.Module:
    """The module in float64 and evaluation mode, with weights from -2 to 2; the roots of its norms are rational."""
    torch.manual_seed(seed)
    module = module.double().eval()
    with torch.no_grad():
        for name, tensor in [*module.named_parameters(), *module.named_buffers()]:
            if name.endswith("running_var"):
                tensor.copy_(torch.tensor([1.0, 4.0, 0.25]).repeat(len(tensor))[: len(tensor)])
            elif tensor.dtype.is_floating_point:
                tensor.copy_(torch.randint(-2, 3, tensor.shape))
    for norm in module.modules():
        if hasattr(norm, "eps"):
            norm.eps = 0.0
    return module


def agrees(module: nn.Module, shape: tuple[int, ...], rows: int = 3, seed: int = 0) -> Graph:
    """Read the module, and compare it with what torch computes in float64, number for number."""
    torch.manual_seed(seed)
    inputs = torch.randint(-3, 4, (rows, *shape)).double()
    with torch.no_grad():
        expected = module(inputs).reshape(rows, -1).numpy()
    graph = read_module(module, shape)
    assert graph.input_shape == tuple(shape)
    found = [graph(row.reshape(-1).tolist()) for row in inputs.numpy()]
    assert [[Fraction(x) for x in row] for row in expected.tolist()] == [list(row) for row in found]
    return graph


def kinds(graph: Graph) -> list[str]:
    return [type(node.layer).__name__ for node in graph.nodes]


def images(rows: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(-3, 4, (rows, *shape)).astype(np.float64)

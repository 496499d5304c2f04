"""A changed graph as parameters of the torch module that it was read from: the same names, shapes and types."""

import copy

import numpy as np
import torch

from proof_of_absence.models.files.disk import refused
from proof_of_absence.models.files.graph_changes import array_of, changed
from proof_of_absence.models.files.graph_sources import Held
from proof_of_absence.models.files.torch_graph import sourced_module
from proof_of_absence.models.files.torch_graph_walk import SOURCE
from proof_of_absence.models.files.torch_state import unwrapped
from proof_of_absence.models.graph import Graph, same_graph

__all__ = ["changeable", "state_dict_of"]


def state_dict_of(module: torch.nn.Module, graph: Graph) -> dict[str, torch.Tensor]:
    """The state dictionary of a module with the weights and biases of a changed graph, for ``load_state_dict``.

    The module stays as it is. A copy with the new numbers is read again, and must be the very graph.

    Parameters
    ----------
    module
        What the graph was read from before it was changed.
    graph
        One that differs from the module's in weights, biases and shifts alone, such as `harden` makes.

    Returns
    -------
    dict
        As ``module.state_dict()`` has it, but copies of the tensors: of DataParallel or torch.compile for the module
        in it.

    Raises
    ------
    InputError
        If more differs than parameters hold, their types do not hold a number, or a changed parameter is read at
        several places.

    Examples
    --------
    >>> from proof_of_absence.models.files.torch_graph import read_module
    >>> module = torch.nn.Sequential(torch.nn.Linear(2, 1), torch.nn.ReLU())
    >>> new = state_dict_of(module, read_module(module, (2,)))
    >>> list(new), torch.equal(new["0.weight"], module[0].weight)
    (['0.weight', '0.bias'], True)
    """
    module = unwrapped(torch, module)
    before, sources = sourced_module(module, graph.input_shape)
    state = {name: tensor.detach().clone() for name, tensor in module.state_dict().items()}
    arrays = changed(SOURCE, before, graph, sources, lambda name: state[name].cpu().double().numpy())
    for name, array in arrays.items():
        wanted = torch.from_numpy(array)
        new = wanted.to(state[name].dtype)
        if not torch.equal(new.double(), wanted):
            raise refused(SOURCE, f"has a parameter {name} whose type does not hold the new numbers")
        # One that bears several names is one parameter.
        for other in _names(module, name):
            state[other].copy_(new.view_as(state[other]))
    try:
        again = copy.deepcopy(module)
    # Copying runs the author's code.
    except Exception as error:
        raise refused(SOURCE, f"cannot be copied to look at what was made: {error}") from error
    again.load_state_dict(state)
    if not same_graph(sourced_module(again, graph.input_shape)[0], graph):
        raise refused(SOURCE, f"is not rewritten: a parameter among {', '.join(arrays)} is read at several places")
    return state


def changeable(module: torch.nn.Module, graph: Graph) -> tuple[frozenset[int], frozenset[int]]:
    """The nodes of a module's graph whose weights can be changed in its parameters, and those whose biases can.

    What several places read cannot be changed for one of them.

    Raises
    ------
    InputError
        As `sourced_module`.
    """
    module = unwrapped(torch, module)
    _, sources = sourced_module(module, graph.input_shape)
    counts: dict[str, np.ndarray] = {}
    for held in (sources.weights, sources.bias, sources.shift):
        for place in held.values():
            name = _names(module, place.name)[0]
            reads = np.bincount(place.index.reshape(-1), minlength=module.state_dict()[name].numel())
            counts[name] = counts.get(name, np.zeros(1, dtype=np.int64)) + reads

    def own(number: int, field: str, held: Held | None) -> bool:
        array = array_of(graph.nodes[number - 1].layer, field)
        if array is None or held is None or held.index.shape != array.shape:
            return False
        return bool((counts[_names(module, held.name)[0]][held.index] == 1).all())

    numbers = range(1, len(graph.nodes) + 1)
    return (
        frozenset(number for number in numbers if own(number, "weights", sources.weights.get(number))),
        frozenset(number for number in numbers if own(number, "bias", sources.bias.get(number))),
    )


def _names(module: torch.nn.Module, name: str) -> list[str]:
    """All names of a parameter or buffer."""
    held = module.state_dict(keep_vars=True)
    return [other for other, tensor in held.items() if tensor is held[name]]

"""Which weights and biases of a graph its source holds for themselves, so that they can be changed at one place."""

import os
from collections.abc import Container
from typing import Any, TypeAlias

from proof_of_absence.models.files.disk import suffix_of
from proof_of_absence.models.graph import Graph

__all__ = ["Changeable", "changeable_in"]

# The nodes whose weights may be changed, and those whose biases may.
Changeable: TypeAlias = tuple[Container[int], Container[int]]


def changeable_in(model: Any, graph: Graph) -> Changeable | None:
    """Those of the ONNX file or the module of torch that a graph was read from; None for anything else: all of them.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    # The libraries behind these take long to load.
    if isinstance(model, str | os.PathLike):
        if suffix_of(model) != ".onnx":
            return None
        from proof_of_absence.models.files import graph_write

        return graph_write.changeable(model)
    if not hasattr(model, "state_dict"):
        return None
    from proof_of_absence.models.files import torch_graph_write

    return torch_graph_write.changeable(model, graph)

"""A torch module as a program of operators: what torch.export says of it, and how its nodes are read."""

import logging
import warnings
from collections.abc import Iterable, Mapping
from typing import Any

import torch

from proof_of_absence.models.files.disk import refused
from proof_of_absence.models.files.torch_graph_walk import SOURCE

__all__ = ["RECORD", "arguments", "exported", "needed", "operator_name", "place_of"]

RECORD = "record what enters its linear layers and audit that: audit(model, loader, layers=[...])"
# How many rows the batches have with which a module is followed.
BATCHES = (2, 3)
# Characters of torch's own words that a refusal tells.
WORDS = 160


def exported(module: torch.nn.Module, shape: tuple[int, ...]) -> tuple[Any, tuple[int, ...]]:
    """The program of torch.export, without operators in place, and with how many rows it may be followed."""
    first = next(module.parameters(), torch.zeros((), dtype=torch.float64))
    error: Exception | None = None
    for rows in (2, 1):
        example = torch.zeros((rows, *shape), dtype=first.dtype, device=first.device)
        axes: Any = ({0: torch.export.Dim("batch", min=2)},) if rows > 1 else None
        level = logging.root.manager.disable
        # torch tells at length why it fails; the exception says so too.
        logging.disable(logging.CRITICAL)
        try:
            with warnings.catch_warnings(), torch.no_grad():
                warnings.simplefilter("ignore")
                program = torch.export.export(module, (example,), dynamic_shapes=axes, strict=False)
                return program.run_decompositions({}), BATCHES if rows > 1 else (1,)
        # What a forward method does is its author's business.
        except Exception as raised:
            error = raised
        finally:
            logging.disable(level)
    told = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
    told = told if len(told) <= WORDS else f"{told[:WORDS]}..."
    called = f"{type(module).__name__} on inputs of shape {('N', *shape)}".replace("'", "")
    raise refused(SOURCE, f"{called} cannot be followed by torch.export ({told}); {RECORD}") from error


def operator_name(node: Any) -> str:
    """What ATen calls an operator, without the overload; empty for what is none."""
    target = node.target
    return str(target._schema.name).removeprefix("aten::") if isinstance(target, torch._ops.OpOverload) else ""


def needed(end: Any) -> set[Any]:
    """What a node depends on, and itself."""
    found, todo = set[Any](), [end]
    while todo:
        if (node := todo.pop()) not in found:
            found.add(node)
            todo.extend(node.all_input_nodes)
    return found


def arguments(node: Any, args: Iterable[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of an operator by the names of its schema."""
    schema = node.target._schema.arguments
    found = {one.name: one.default_value for one in schema if one.has_default_value()}
    given = {**dict(zip((one.name for one in schema), args, strict=False)), **kwargs}
    return {one.name: given.get(one.name, found.get(one.name)) for one in schema}


def place_of(module: torch.nn.Module, node: Any) -> str:
    """The submodule that calls an operator, where that is a layer by itself; else the operator's name within it."""
    stack = list(node.meta.get("nn_module_stack", {}).values())
    path = str(stack[-1][0]).partition("@")[0] if stack else ""
    try:
        inner = module.get_submodule(path)
    except AttributeError:
        return str(node.name)
    if path and not list(inner.children()):
        return path
    return f"{path}.{node.name}" if path else str(node.name)

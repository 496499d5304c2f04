"""A module with a forward method of its own, followed by torch.fx: the layers that it calls, one after the other.

Tracing calls the method once, with a stand-in for the input; what is no single path of known calls is refused.
"""

import operator
from collections.abc import Iterator
from types import ModuleType
from typing import TYPE_CHECKING, Any

from proof_of_absence.models.files.disk import InputError, refused

if TYPE_CHECKING:
    import torch

__all__ = ["leaves"]


def leaves(torch: ModuleType, module: "torch.nn.Module") -> Iterator[tuple[str, Any]]:
    """The layers in order, with what messages call them; functions stand as the modules that compute the same.

    Raises
    ------
    InputError
        If the method cannot be traced, has several inputs or outputs, or calls anything else.
    """
    import torch.fx

    name = type(module).__name__
    # The tracer calls the method of the class, and no hook.
    if module._forward_hooks or module._forward_pre_hooks or "forward" in vars(module):
        raise refused("the module", f"{name} has a hook or a forward method of its own beside its class's; use ONNX")
    try:
        nodes = list(torch.fx.Tracer().trace(module).nodes)
    # What a method does with the stand-in is its author's business.
    except Exception as error:
        raise refused("the module", f"{name}: its forward method cannot be followed ({error}); use ONNX") from error
    value: Any = None
    sizes: set[Any] = set()
    for node in nodes:
        if node.op == "placeholder" and value is None:
            value = node
        elif _is_size(node, value, sizes):
            sizes.add(node)
        elif node.op == "output" and node.args == (value,):
            return
        else:
            found = _layer(torch, module, node, value, sizes)
            if found is None:
                raise _refused(name, node)
            yield f"{node.name} ({type(found).__name__})", found
            value = node
    raise refused("the module", f"{name}: its forward method gives nothing that is followed; use ONNX")


def _refused(name: str, node: Any) -> InputError:
    what = getattr(node.target, "__name__", node.target)
    return refused(
        "the module",
        f"{name}: {node.op} {what} ({node.name}) is not supported, or reads another value than the last; use ONNX",
    )


def _is_size(node: Any, value: Any, sizes: set[Any]) -> bool:
    """Whether the node is the input's shape, or its number of rows."""
    if node.op == "call_method":
        return bool(node.target == "size" and node.args in ((value,), (value, 0)) and not node.kwargs)
    if node.op != "call_function":
        return False
    if node.target is getattr:
        return bool(node.args == (value, "shape"))
    return node.target is operator.getitem and node.args[0] in sizes and node.args[1] == 0


def _layer(torch: ModuleType, module: Any, node: Any, value: Any, sizes: set[Any]) -> Any:
    """The module that computes what the node does with the value; None if there is none."""
    nn, functional = torch.nn, torch.nn.functional
    if not node.args or node.args[0] is not value or value is None:
        return None
    rest, told = node.args[1:], dict(node.kwargs)
    if node.op == "call_module":
        return None if rest or told else module.get_submodule(node.target)
    # What changes no value: where it is written, and what torch's own functions hand on.
    told = {key: entry for key, entry in told.items() if key not in ("inplace", "_stacklevel")}
    if told.get("dtype", 0) is None:
        del told["dtype"]
    called = node.target
    if called in (torch.relu, torch.relu_, functional.relu, "relu", "relu_") and not rest and not told:
        return nn.ReLU()
    if called in (torch.flatten, "flatten") and (*rest, *told.values()) == (1,) and set(told) <= {"start_dim"}:
        return nn.Flatten()
    if called in ("view", "reshape", torch.reshape) and not told:
        shape = rest[0] if len(rest) == 1 and isinstance(rest[0], tuple | list) else rest
        rows = len(shape) == 2 and shape[1] == -1 and shape[0] in sizes
        # The whole shape is in `sizes` too; only its first entry is a number of rows.
        return nn.Flatten() if rows and _is_number(shape[0]) else None
    if called is functional.dropout:
        training = told.get("training", rest[1] if len(rest) > 1 else True)
        return nn.Dropout().train(bool(training))
    kinds = {functional.softmax: nn.Softmax, torch.softmax: nn.Softmax, "softmax": nn.Softmax}
    kinds |= {functional.log_softmax: nn.LogSoftmax, torch.log_softmax: nn.LogSoftmax, "log_softmax": nn.LogSoftmax}
    if called in kinds and set(told) <= {"dim"} and len(rest) + len(told) == 1:
        return kinds[called](dim=told.get("dim", rest[0] if rest else None))
    return None


def _is_number(node: Any) -> bool:
    return node.target is operator.getitem or (node.target == "size" and len(node.args) == 2)

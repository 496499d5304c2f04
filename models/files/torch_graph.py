"""Torch modules that are no chain of dense layers, by torch.export: what the forward method computes, operator by one.

Each operator is one row of a table; what moves numbers about is done by torch itself on numbers that say where they
come from (`torch_graph_walk`).
"""

import operator
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from math import prod
from typing import Any

import numpy as np
import torch
from torch.export.graph_signature import InputKind, OutputKind

from proof_of_absence.models.files.chain import exact_array
from proof_of_absence.models.files.disk import refused
from proof_of_absence.models.files.graph_sources import Sources
from proof_of_absence.models.files.torch_graph_maps import MAPS
from proof_of_absence.models.files.torch_graph_walk import (
    MOST_ENTRIES,
    SOURCE,
    Constant,
    Told,
    Value,
    Walk,
    exact,
    named,
)
from proof_of_absence.models.files.torch_graph_windows import WINDOWS
from proof_of_absence.models.files.torch_program import (
    RECORD,
    arguments,
    exported,
    needed,
    operator_name,
    place_of,
)
from proof_of_absence.models.files.torch_state import unwrapped
from proof_of_absence.models.graph import Graph, Node, same_graph
from proof_of_absence.models.graph_layers import ACTIVATIONS, Clip, LeakyRelu, Relu
from proof_of_absence.models.reading import LOSS, Reading

__all__ = ["read_module", "sourced_module"]

OPERATORS: dict[str, Callable[[Walk, Told], Value]] = {**MAPS, **WINDOWS}
# What changes neither numbers nor shapes.
SAME = {"alias", "clone", "contiguous", "detach", "detach_", "lift_fresh_copy", "positive"}
# What moves numbers about and changes none.
MOVES = {
    "_unsafe_view", "broadcast_to", "channel_shuffle", "chunk", "constant_pad_nd", "expand", "flatten", "flip",
    "index", "index_select", "movedim", "narrow", "numpy_T", "pad", "permute", "pixel_shuffle", "pixel_unshuffle",
    "reflection_pad1d", "reflection_pad2d", "repeat", "replication_pad1d", "replication_pad2d", "reshape", "roll",
    "select", "slice", "split", "split_with_sizes", "squeeze", "swapaxes", "t", "tensor_split", "tile", "transpose",
    "unbind", "unflatten", "unfold", "unsqueeze", "upsample_nearest1d", "upsample_nearest2d", "view",
}  # fmt: skip
PADS = {"constant_pad_nd", "pad"}
SIZES = {"sym_size", "sym_numel"}
# What no module does in use.
RANDOM = {"bernoulli", "native_dropout", "rand", "rand_like", "randint", "randn", "randn_like", "randperm"}
FACTORIES = {"arange", "full", "full_like", "ones", "ones_like", "scalar_tensor", "zeros", "zeros_like"}
ARITHMETIC: dict[str, Callable[..., Fraction]] = {
    "add": operator.add, "sub": operator.sub, "mul": operator.mul, "div": operator.truediv, "neg": operator.neg,
}  # fmt: skip
# At the end they are left off: what is audited are the logits.
CUTS = {
    "softmax": "Softmax", "_softmax": "Softmax", "log_softmax": "LogSoftmax", "_log_softmax": "LogSoftmax",
    "sigmoid": "Sigmoid",
}  # fmt: skip


def read_module(module: torch.nn.Module, shape: Iterable[int]) -> Graph:
    """The graph that a module computes for one input of a shape; see `sourced_module`."""
    return sourced_module(module, shape)[0]


def sourced_module(module: torch.nn.Module, shape: Iterable[int]) -> tuple[Graph, Sources]:
    """The graph that a module computes for one input, and which parameters its weights come from.

    The module is taken as it is: what its forward method does now, with a batch along the first axis. It is exported
    for any number of rows, or for one row where torch cannot do that; then a note says so. Of several outputs the
    first one is taken. Softmax, LogSoftmax or Sigmoid at the end is left off.

    Parameters
    ----------
    module
        On any device. DataParallel and torch.compile are looked through.
    shape
        Of one input, without the batch axis.

    Raises
    ------
    InputError
        If torch.export cannot follow the module, it is in training mode where that matters, an operator is not
        supported, or rows are mixed.

    Examples
    --------
    >>> net = torch.nn.Sequential(torch.nn.Conv1d(1, 2, 2), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(4, 1))
    >>> graph, sources = sourced_module(net, (1, 3))
    >>> graph.shapes, graph.nodes[1].name, sources.weights[4].name
    (((1, 3), (2, 2), (2, 2), (4,), (1,)), '1', '3.weight')
    """
    module = unwrapped(torch, module)
    if not isinstance(module, torch.nn.Module):
        raise refused(SOURCE, f"is a {type(module).__name__}, no torch.nn.Module")
    one = tuple(shape)
    if not one or prod(one) > MOST_ENTRIES or prod(one) == 0:
        raise refused(SOURCE, f"would read inputs of shape {one}; from 1 to {MOST_ENTRIES} numbers are read")
    program, batches = exported(module, one)
    (found, *others) = [_Reader(module, program, batch).follow(one) for batch in batches]
    if any(not same_graph(found[0], other[0]) for other in others):
        raise refused(SOURCE, "computes with the number of rows of a batch, which is not supported")
    return found


class _Reader:
    def __init__(self, module: torch.nn.Module, program: Any, batch: int):
        self.module, self.program = module, program
        self.walk = Walk(batch)
        self.env: dict[Any, Any] = {}
        # What is left off at the end, and along which axis it runs.
        self.cut, self.axis = "", None

    def follow(self, shape: tuple[int, ...]) -> tuple[Graph, Sources]:
        walk = self.walk
        end = self._end()
        wanted = needed(end)
        self._check(wanted)
        inputs = self._inputs()
        for node in (node for node in self.program.graph.nodes if node in wanted):
            self._at(node)
            if node.op == "placeholder":
                self.env[node] = walk.start(shape) if node.name in inputs else self._parameter(node.name)
            else:
                self.env[node] = self._step(node)
            if len(node.users) != 1 and isinstance(self.env[node], Value):
                walk.shared.add(self.env[node])
        if not isinstance(self.env[end], Value):
            raise refused(SOURCE, "has an output that does not depend on the input")
        place = walk.place(self.env[end])
        self._at(None)
        if self.cut and self.axis is not None and place.shape[self.axis] != prod(place.own):
            raise refused(SOURCE, f"ends with {self.cut} that does not run over all features of {place.shape}")
        return self._graph(place.node)

    # What the program says.

    def _inputs(self) -> set[str]:
        specs = self.program.graph_signature.input_specs
        names = {spec.arg.name for spec in specs if spec.kind == InputKind.USER_INPUT}
        if len(names) != 1:
            raise refused(SOURCE, f"has {len(names)} inputs; one is needed")
        return names

    def _parameter(self, name: str) -> Constant:
        (spec,) = (spec for spec in self.program.graph_signature.input_specs if spec.arg.name == name)
        tensor = self.program.state_dict.get(spec.target, self.program.constants.get(spec.target))
        if not isinstance(tensor, torch.Tensor):
            raise refused(SOURCE, f"reads {spec.target}, which is no tensor")
        return named(spec.target, tensor) if spec.target in self.program.state_dict else Constant(tensor)

    def _end(self) -> Any:
        """The node whose value is the output, before what is left off."""
        specs = self.program.graph_signature.output_specs
        changed = [spec for spec in specs if spec.kind != OutputKind.USER_OUTPUT]
        if changed:
            raise refused(SOURCE, f"changes {changed[0].target} as it runs (training mode?); call module.eval() first")
        (output,) = (node for node in self.program.graph.nodes if node.op == "output")
        values = [value for value in output.args[0] if isinstance(value, torch.fx.Node)]
        if not values:
            raise refused(SOURCE, "has no tensor for an output")
        if len(output.args[0]) > 1:
            self.walk.note(f"Of {len(output.args[0])} outputs the first one is audited.")
        end: Any = values[0]
        while operator_name(end) in SAME:
            end = end.args[0]
        if operator_name(end) in CUTS:
            self.cut = CUTS[operator_name(end)]
            self.axis = arguments(end, end.args, end.kwargs).get("dim")
            self.walk.note(
                f"{self.cut} at the end ({end.name}) is left off: what is audited are the logits before it. {LOSS}"
            )
            end = end.args[0]
        return end

    def _at(self, node: Any) -> None:
        """Say which operator is at hand."""
        walk = self.walk
        if node is None or node.op == "placeholder":
            walk.called, walk.name = "", "output" if node is None else node.name
            return
        walk.called, walk.name = self._called(node), place_of(self.module, node)
        values = [one.meta.get("val") for one in (node, *node.all_input_nodes)]
        kinds = [value.dtype for value in values if isinstance(value, torch.Tensor)]
        walk.dtype, walk.before = (kinds[0], kinds[1]) if len(kinds) > 1 else (torch.float32, torch.float32)

    def _called(self, node: Any) -> str:
        name = operator_name(node)
        # torch calls it at more length where it is used.
        called = "batch_norm" if name.startswith("_native_batch_norm") else name.removeprefix("_")
        return f"{called} ({place_of(self.module, node)})"

    def _check(self, wanted: set[Any]) -> None:
        """Refuse what is not in the tables, before anything is computed."""
        inputs = self._inputs()
        runs: dict[Any, bool] = {}
        for node in (node for node in self.program.graph.nodes if node in wanted):
            value = node.meta.get("val")
            known = not isinstance(value, int | float | torch.SymInt | torch.SymFloat | torch.SymBool)
            runs[node] = node.name in inputs or (known and any(runs[one] for one in node.all_input_nodes))
            if isinstance(value, torch.Tensor):
                self._afford(node, value)
            name = operator_name(node)
            plain = node.op == "call_function" and not isinstance(node.target, torch._ops.HigherOrderOperator)
            if node.op != "placeholder" and not plain:
                raise refused(SOURCE, f"holds {node.name}, which is not supported; {RECORD}")
            if not name or name in MOVES | SAME | SIZES:
                continue
            if name in RANDOM:
                raise refused(SOURCE, f"{self._called(node)} draws at random, as in training; call module.eval()")
            if runs[node] and name not in OPERATORS:
                raise refused(SOURCE, f"{self._called(node)} is not among the operators that are followed; {RECORD}")
            if not runs[node] and name not in {*FACTORIES, *ARITHMETIC, "to", "_to_copy"}:
                raise refused(SOURCE, f"{self._called(node)} computes a constant from others; store its result instead")

    @staticmethod
    def _afford(node: Any, value: torch.Tensor) -> None:
        size = prod(length for length in value.shape if isinstance(length, int))
        if size > MOST_ENTRIES and node.op != "placeholder":
            raise refused(SOURCE, f"{node.name} has {size} entries; at most {MOST_ENTRIES} are followed")

    # What is computed.

    def _step(self, node: Any) -> Any:
        args, kwargs = (_put_in(given, self.env) for given in (node.args, node.kwargs))
        name = operator_name(node)
        if node.target is operator.getitem:
            whole, index = args
            if isinstance(whole, Value) and index:
                raise self.walk.refused("reads what is not the value itself, such as indices")
            return whole if isinstance(whole, Value) else whole[index]
        if not isinstance(node.target, torch._ops.OpOverload) or name in SIZES:
            return node.target(*_raw(args), **_raw(kwargs))
        told = arguments(node, args, kwargs)
        if name in SAME:
            return next(iter(told.values()))
        if name in MOVES:
            return self._move(node, name, told)
        if any(isinstance(given, Value) for given in _flat(told.values())):
            return OPERATORS[name](self.walk, told)
        if name in FACTORIES:
            return Constant(node.target(*_raw(args), **_raw(kwargs)).cpu())
        return self._folded(name, told)

    def _move(self, node: Any, name: str, told: dict[str, Any]) -> Any:
        """What an operator that moves numbers makes of a value, or of a constant."""
        walk, (first, *_) = self.walk, told
        value, rest = told[first], {key: _raw(given) for key, given in told.items() if key != first}
        if "dtype" in rest or any(isinstance(given, Value) for given in _flat(told.values()) if given is not value):
            raise walk.refused("reads places that depend on the input, or bits as another type")
        if isinstance(value, Constant):
            if name in PADS:
                raise walk.refused("pads a constant, which is not supported; store its result")
            tensors = self._moved(node, first, value.tensor, rest)
            places = None if value.index is None else self._moved(node, first, value.index, rest)
            if isinstance(tensors, torch.Tensor):
                return Constant(tensors, value.name, places)
            pairs = zip(tensors, places or [None] * len(tensors), strict=True)
            return [Constant(one, value.name, at) for one, at in pairs]
        fill = value.fill
        if name in PADS and rest.get("mode", "constant") == "constant":
            fill = walk.number(rest.get("value") or 0.0)
            rest["value"] = -1.0
            if fill != value.fill and bool((value.codes < 0).any()):
                value = walk.fresh(walk.place(value))
        found = self._moved(node, first, value.codes, rest)
        moved = (*value.moved, name)
        if isinstance(found, torch.Tensor):
            return Value(value.node, found, fill, moved)
        return [Value(value.node, one, fill, moved) for one in found]

    def _moved(self, node: Any, first: str, tensor: torch.Tensor, rest: Mapping[str, Any]) -> Any:
        try:
            return node.target(**{first: tensor.contiguous()}, **rest)
        # It fits the values of the export, so it fits these; what torch does not have for this type is refused.
        except (RuntimeError, NotImplementedError, IndexError) as error:
            reason = str(error).partition("\n")[0]
            raise self.walk.refused(f"cannot be followed ({reason}); {RECORD}") from error

    def _folded(self, name: str, told: Told) -> Constant:
        """A constant computed from others, where its type holds it exactly."""
        dtype = self.walk.dtype
        operands = [given for key, given in told.items() if key in ("self", "other", "input")]
        given_arrays = [
            exact(self.walk.floats(given if isinstance(given, Constant) else Constant(torch.tensor(given))))
            for given in operands
        ]
        if told.get("alpha", 1) != 1 or told.get("rounding_mode") is not None:
            raise self.walk.refused("computes a constant with a factor or a rounding, which is not supported")
        arrays = np.broadcast_arrays(*given_arrays)
        if name in ("to", "_to_copy"):
            flat = arrays[0].reshape(-1).tolist()
        else:
            try:
                flat = [ARITHMETIC[name](*numbers) for numbers in zip(*(a.reshape(-1) for a in arrays), strict=True)]
            except ZeroDivisionError as error:
                raise self.walk.refused("divides by 0") from error
        kind = np.dtype(np.float64 if dtype == torch.float64 else np.float32)
        found = exact_array(flat, arrays[0].shape, kind)
        if found is None:
            raise self.walk.refused(f"computes from constants what no {dtype} holds; store its result")
        return Constant(torch.from_numpy(found).to(dtype))

    # What comes out.

    def _graph(self, end: int) -> tuple[Graph, Sources]:
        walk = self.walk
        # What was followed for its shape alone is left out.
        wanted = {end}
        for number in range(end, 0, -1):
            if number in wanted:
                wanted.update(walk.nodes[number - 1].reads)
        kept = sorted(wanted - {0})
        if not kept:
            raise refused(SOURCE, "gives its input: nothing is computed")
        numbers = {old: new for new, old in enumerate(kept, 1)} | {0: 0}
        old_nodes = [walk.nodes[old - 1] for old in kept]
        nodes = [replace(node, reads=tuple(numbers[below] for below in node.reads)) for node in old_nodes]
        kinds = {node.meta["val"].dtype for node in self.env if hasattr(node.meta.get("val"), "dtype")}
        for kind in sorted(map(str, kinds & {torch.float16, torch.bfloat16})):
            walk.multiplied = True
            walk.note(f"Weights of type {kind} are taken as float32, which holds them exactly.")
        if walk.batch == 1:
            walk.note("torch exports the module for one row at a time alone: the graph is that of one row.")
        words = walk.words()
        layers = tuple(words[old - 1] for old in kept)
        reading = Reading(layers, _activation(nodes), "the module", tuple(walk.notes), self.cut, walk.multiplied)
        held = (
            {numbers[old]: place for old, place in places.items() if old in numbers}
            for places in (walk.weights, walk.bias, walk.shift)
        )
        dtype = np.float64 if torch.float64 in kinds else np.float32
        return Graph(walk.shapes[0], nodes, dtype, reading), Sources(*held)


def _put_in(given: Any, env: Mapping[Any, Any]) -> Any:
    """Arguments with the values of the nodes among them."""
    return torch.fx.node.map_arg(given, lambda node: env[node])


def _raw(given: Any) -> Any:
    """Arguments for torch itself: the codes of a value, the tensor of a constant."""
    if isinstance(given, Value):
        return given.codes
    if isinstance(given, Constant):
        return given.tensor
    if isinstance(given, Mapping):
        return {key: _raw(one) for key, one in given.items()}
    return type(given)(map(_raw, given)) if isinstance(given, list | tuple) else given


def _flat(given: Iterable[Any]) -> Iterator[Any]:
    for one in given:
        if isinstance(one, list | tuple):
            yield from _flat(one)
        else:
            yield one


def _activation(nodes: Iterable[Node]) -> str:
    """The activations in words."""
    names = [_activated(node.layer) for node in nodes if isinstance(node.layer, ACTIVATIONS)]
    return ", ".join(dict.fromkeys(names)) or "nothing: the module holds no activation"


def _activated(layer: Relu | LeakyRelu | Clip) -> str:
    match layer:
        case Relu():
            return "ReLU"
        case LeakyRelu(slope=slope):
            return f"LeakyReLU {float(slope):.6g}"
        case Clip(low=low, high=high):
            low_end, high_end = ("any number" if end is None else f"{float(end):.6g}" for end in (low, high))
            return f"Clip from {low_end} to {high_end}"

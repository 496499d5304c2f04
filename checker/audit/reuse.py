"""Reuse of idle circuits, whatever the loss: the queue of circuits, and the net with a unit in a circuit's place."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from proof_of_absence.checker.audit.findings import CircuitFinding, Enclosure, Improvement
from proof_of_absence.checker.construct.search import Candidate
from proof_of_absence.checker.passes.enclosure import blocks, enclose
from proof_of_absence.models.circuit import Unit
from proof_of_absence.models.editing import Uneditable, below_last, with_outputs, with_unit
from proof_of_absence.models.floatnet import FloatNet
from proof_of_absence.models.layers import FloatAffine, FloatLayer, biases, exact, sent_by, some_units
from proof_of_absence.models.steps import Steps

__all__ = [
    "CIRCUITS",
    "New",
    "Queue",
    "Unimproved",
    "features_of",
    "finding",
    "lead",
    "placed",
    "reassigned",
    "reuse",
    "type_of",
]

# Circuits tried for one unit: they differ in how their constant rounds in the output bias, no more.
CIRCUITS = 4
# Circuits that share no unit, with what each output receives from them.
Queue = list[tuple[tuple[Unit, ...], Mapping[int, Fraction]]]


@dataclass(frozen=True)
class Unimproved:
    """Why no lower loss is shown. `at_floor`: because no net whatever has one (the loss is E); else it is undecided."""

    reason: str
    at_floor: bool = False


class _HasNet(Protocol):
    @property
    def net(self) -> FloatNet: ...


S = TypeVar("S", bound=_HasNet)


@dataclass(frozen=True, eq=False)
class New:
    """A net that reuses a circuit, and how its outputs differ: by offset_k + outgoing_k relu(unit) at every row.

    `unit` is the layer of the new unit alone.
    """

    net: FloatNet
    unit: FloatLayer
    outgoing: tuple[Fraction, ...]
    offset: tuple[Fraction, ...]


def reuse(
    net: FloatNet,
    circuits: Sequence[CircuitFinding],
    start: Callable[[], S],
    step: Callable[[S, Queue], tuple[Improvement, S, int] | Unimproved | None],
    limit: int,
) -> tuple[tuple[Improvement, ...], FloatNet] | Unimproved:
    """Steps of any loss, each with one circuit of the queue, whose place it returns, until none is left or certified.

    `start` may raise OverflowError.
    """
    if not circuits:
        return Unimproved("no idle circuit to reuse")
    if not net.in_floats and net.steps is None:
        return Unimproved("not tried: a layer has rational entries, and no file says which parameters make them")
    try:
        lead(net)
    except ValueError as error:
        return Unimproved(f"not tried: {error}")
    queue = _disjoint(circuits, len(net.layers) - 1)
    if not queue:
        return Unimproved(
            "undecided: no idle circuit lies within the last hidden layer, and of others no theorem is used here"
        )
    try:
        state = start()
    except OverflowError as error:
        return Unimproved(f"undecided: {error}")
    steps: list[Improvement] = []
    while queue and len(steps) < limit:
        found = step(state, queue)
        if found is None or isinstance(found, Unimproved):
            why = found or Unimproved(
                "undecided: no unit tried has a drop that outlives the rounding and can be certified"
                + (f"; {refusal}" if (refusal := refused_by_file(net, queue)) else "")
            )
            break
        improvement, state, used = found
        steps.append(improvement)
        # The other units of the circuit are cut: each is an idle circuit of its own now, that sends 0.
        others = sorted(queue.pop(used)[0])[1:]
        queue.extend(((unit,), dict.fromkeys(range(net.widths[-1]), Fraction(0))) for unit in others)
    return (tuple(steps), state.net) if steps else why


def reassigned(
    net: FloatNet, circuit: Iterable[Unit], weights: ArrayLike, bias: float, outgoing: ArrayLike, output_bias: ArrayLike
) -> FloatNet:
    """The net whose circuit, in the last hidden layer, has these parameters in its first unit
    and sends 0 from the others.

    Raises
    ------
    ValueError
        If an entry is no value of the net's type.
    """
    units = sorted(unit.index for unit in circuit)
    *below, hidden, output = net.float_layers
    rows, biases, columns = hidden.weights.copy(), hidden.bias.copy(), output.weights.copy()
    columns[:, units] = 0
    rows[units[0]], biases[units[0]], columns[:, units[0]] = weights, bias, outgoing
    return FloatNet((*below, FloatAffine(rows, biases), FloatAffine(columns, np.asarray(output_bias))), net.dtype)


def placed(
    net: FloatNet,
    circuit: Sequence[Unit],
    value: Mapping[int, Fraction],
    candidate: Candidate,
    outgoing: np.ndarray,
    shift: np.ndarray,
) -> New | None:
    """The net with the candidate in the circuit's place, these output weights, and the output bias moved by `shift`.

    The bias also takes on what the circuit sent. All is rounded to the net's type; None if that is not finite.
    """
    if net.steps is not None:
        with suppress(ValueError, OverflowError):
            return _placed_in_file(net, net.steps, circuit, value, candidate, outgoing, shift)
        return None
    with np.errstate(over="ignore"):
        outgoing = outgoing.astype(net.dtype).astype(np.float64)
    kept = [Fraction(c) + value[k] for k, c in enumerate(net.float_layers[-1].bias.tolist())]
    try:
        bias = np.array([float(c + Fraction(s)) for c, s in zip(kept, shift.tolist(), strict=True)])
        with np.errstate(over="ignore"):
            bias = bias.astype(net.dtype).astype(np.float64)
        if not (np.isfinite(outgoing).all() and np.isfinite(bias).all()):
            return None
    except (OverflowError, ValueError):
        return None
    after = reassigned(net, circuit, candidate.weights, candidate.bias, outgoing, bias)
    return _new(net, after, circuit, value)


def _placed_in_file(
    net: FloatNet,
    steps: tuple[Steps, ...],
    circuit: Sequence[Unit],
    value: Mapping[int, Fraction],
    candidate: Candidate,
    outgoing: np.ndarray,
    shift: np.ndarray,
) -> New:
    """The same where the file lists several operators for a layer: its own parameters are the nearest that do it.

    Raises
    ------
    ValueError, OverflowError
        If it has none that do, or they are out of range.
    """
    units, last = sorted(unit.index for unit in circuit), len(net.layers) - 1
    kept = biases(net.layers[-1])
    wanted = [c + value[k] + Fraction(s) for k, (c, s) in enumerate(zip(kept, shift.tolist(), strict=True))]
    hidden = with_unit(steps[-2], units[0], candidate.weights, candidate.bias)
    output = with_outputs(steps[-1], units, units[0], outgoing, wanted)
    after = net.with_steps(last - 1, hidden).with_steps(last, output)
    if net.in_floats and steps[0].dtype != np.float32 and not after.in_floats:
        raise ValueError("the new net has rational entries, where the net before has none")
    return _new(net, after, circuit, value)


def refused_by_file(net: FloatNet, queue: Queue) -> str:
    """Why the file has no parameters for any unit in the place of the first circuit; empty if it has some."""
    if net.steps is None or not queue:
        return ""
    units = sorted(unit.index for unit in queue[0][0])
    fan_in, outputs = lead(net)[0][-1].fan_out if lead(net)[0] else net.widths[0], net.widths[-1]
    try:
        with_unit(net.steps[-2], units[0], np.ones(fan_in), 1.0)
        with_outputs(net.steps[-1], units, units[0], np.ones(outputs), [c + 1 for c in biases(net.layers[-1])])
    except Uneditable as reason:
        return str(reason)
    return ""


def _new(before: FloatNet, after: FloatNet, circuit: Sequence[Unit], value: Mapping[int, Fraction]) -> New:
    first = min(unit.index for unit in circuit)
    pairs = zip(biases(after.layers[-1]), biases(before.layers[-1]), strict=True)
    offset = tuple(new - old - value[k] for k, (new, old) in enumerate(pairs))
    return New(after, some_units(after.layers[-2], [first]), tuple(sent_by(after.layers[-1], first)), offset)


def finding(circuit: Iterable[Unit], new: New, before: Enclosure, drop: Enclosure, after: Enclosure) -> Improvement:
    unit = exact(new.unit)
    return Improvement(
        circuit=tuple(sorted(circuit)),
        weights=unit.weights[0],
        bias=unit.bias[0],
        outgoing=new.outgoing,
        output_bias=tuple(biases(new.net.layers[-1])),
        loss_before=before,
        loss_after=after,
        drop=drop,
    )


def type_of(net: FloatNet) -> np.dtype:
    """The type of the parameters; a product of several maps of float32 may need float64."""
    return net.dtype if net.steps is None else net.steps[0].dtype


def lead(net: FloatNet) -> tuple[tuple[FloatLayer, ...], bool]:
    """The layers that lead to what a unit of the last hidden layer weighs, and whether ReLU stands behind them.

    Where the file lists several operators for that layer, the last matrix of these holds the weights.

    Raises
    ------
    ValueError
        If that layer has no matrix, or a product is beyond the normal float64 numbers.
    """
    ops = below_last(net.steps[-2]) if net.steps is not None and len(net.layers) > 1 else ()
    if net.steps is None or not ops:
        return net.layers[:-2], True
    return (*net.layers[:-2], replace(net.steps[-2], ops=ops).layer()), False


def features_of(net: FloatNet, inputs: np.ndarray) -> np.ndarray:
    """What a unit of the last hidden layer weighs, as floats have it."""
    layers, relu = lead(net)
    if not layers:
        return inputs
    below = FloatNet(layers)
    values = np.vstack([enclose(below, inputs[part])[-1].values for part in blocks(len(inputs))])
    return np.maximum(values, 0) if relu else values


def _disjoint(circuits: Sequence[CircuitFinding], last: int) -> Queue:
    """The circuits of the last hidden layer that share no unit, in the order given, with what each output receives."""
    taken: set[Unit] = set()
    result: Queue = []
    for circuit in circuits:
        units = tuple(Unit(*unit) for unit in circuit.units)
        if not units or not all(1 <= unit.layer <= last for unit in units):
            raise ValueError(f"not a circuit of hidden units: {units}")
        if taken.isdisjoint(units) and all(unit.layer == last for unit in units):
            taken.update(units)
            result.append((units, {unit.index: Fraction(v) for unit, v in circuit.value.items()}))
    return result

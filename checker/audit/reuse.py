"""Reuse of idle circuits, whatever the loss: the queue of circuits, and the net with a unit in a circuit's place."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from proof_of_absence.checker.audit.findings import CircuitFinding, Enclosure, Improvement
from proof_of_absence.checker.audit.search import Candidate
from proof_of_absence.checker.passes.enclosure import blocks, enclose
from proof_of_absence.models.circuit import Unit
from proof_of_absence.models.floatnet import FloatNet
from proof_of_absence.models.layers import FloatAffine

__all__ = ["CIRCUITS", "New", "Queue", "Unimproved", "features_of", "finding", "placed", "reassigned", "reuse"]

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
    """A net that reuses a circuit, and how its outputs differ:
    by offset_k + outgoing_k relu(w . z + b) at every row.
    """

    net: FloatNet
    candidate: Candidate
    outgoing: np.ndarray
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
    if not net.in_floats:
        return Unimproved(
            "not tried: a layer of the net is a product of several maps of the file that no float64 holds, and no unit "
            "is reused through them; write the maps as one layer, and audit that net (absence harden takes this file)"
        )
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
    return New(after, candidate, outgoing, tuple(Fraction(b) - c for b, c in zip(bias.tolist(), kept, strict=True)))


def finding(circuit: Iterable[Unit], new: New, before: Enclosure, drop: Enclosure, after: Enclosure) -> Improvement:
    return Improvement(
        circuit=tuple(sorted(circuit)),
        weights=tuple(map(Fraction, new.candidate.weights.tolist())),
        bias=Fraction(new.candidate.bias),
        outgoing=tuple(map(Fraction, new.outgoing.tolist())),
        output_bias=tuple(map(Fraction, new.net.float_layers[-1].bias.tolist())),
        loss_before=before,
        loss_after=after,
        drop=drop,
    )


def features_of(net: FloatNet, inputs: np.ndarray) -> np.ndarray:
    """What the last hidden layer reads, as floats have it."""
    if len(net.layers) == 2:
        return inputs
    below = FloatNet(net.layers[:-2])
    return np.vstack([np.maximum(enclose(below, inputs[part])[-1].values, 0) for part in blocks(len(inputs))])


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

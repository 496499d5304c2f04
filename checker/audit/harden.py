"""Take every train-idle circuit out of a net: same architecture, same outputs on the training inputs.

A circuit is hardcoded (C2): its output weights become 0, and what it sends goes into the biases above it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import numpy as np

from proof_of_absence.checker.audit.circuits import firing, idle_circuits
from proof_of_absence.checker.audit.deviation import dead_in_float32
from proof_of_absence.checker.audit.findings import CircuitFinding
from proof_of_absence.checker.audit.idle import checked_inputs, unit_findings
from proof_of_absence.checker.passes import exact
from proof_of_absence.models.circuit import Unit
from proof_of_absence.models.files.disk import refused
from proof_of_absence.models.floatnet import FloatNet
from proof_of_absence.models.layers import FloatAffine

__all__ = ["Hardened", "Rounding", "harden_net"]

UNWRITTEN = (
    "has a layer that is the exact product of several maps of its file, which no float64 holds, so no file of the same "
    "form can hold the hardened net; write the maps as one layer (for BatchNorm after Linear, "
    "torch.nn.utils.fusion.fuse_linear_bn_eval), audit that net, and harden it"
)

# What to do with a constant that no bias of the net's type holds: leave the circuit, or round.
Rounding = Literal["exact", "nearest"]


@dataclass(frozen=True, eq=False)
class Hardened:
    """A net without train-idle circuits within a layer, but for those in `left`.

    `removed` are the circuits that were taken out, in order, each as it was found in the net before it. `left` are
    those that send a constant which no bias of the net's type holds. `deviation` is the most by which an output differs
    at a training input, over the reals: 0 unless something was rounded. `same_in_float32`: every float32 evaluation of
    both nets that sums alike gives the same numbers at the training inputs. The certificate does not hold that.
    """

    before: FloatNet
    net: FloatNet
    removed: tuple[CircuitFinding, ...]
    left: tuple[CircuitFinding, ...]
    deviation: Fraction
    same_in_float32: bool


def harden_net(
    net: FloatNet, inputs: np.ndarray, deploy: np.ndarray | None = None, *, rounding: Rounding = "exact"
) -> Hardened:
    """Take the train-idle circuits out, again and again until none is found.

    Parameters
    ----------
    inputs, deploy
        Training inputs (N, d) and deployment inputs (D, d), float64, finite.
    rounding
        For a constant that no bias holds: ``"exact"`` leaves the circuit, ``"nearest"`` rounds the bias.

    Raises
    ------
    InputError
        If it is not decided whether some circuit is idle.

    Examples
    --------
    >>> net = FloatNet([([[1.0], [1.0]], [0.0, -9.0]), ([[1.0, 5.0]], [0.0])])
    >>> found = harden_net(net, np.array([[0.0], [1.0], [2.0]]), np.array([[2.0], [10.0]]))
    >>> found.net.layers[1].weights.tolist(), found.removed[0].fires, found.deviation
    ([[1.0, 0.0]], (1,), Fraction(0, 1))
    """
    if not net.in_floats:
        raise refused("the net", UNWRITTEN)
    inputs = checked_inputs(net, inputs)
    current, removed = net, list[CircuitFinding]()
    left: dict[tuple[Unit, ...], CircuitFinding] = {}
    rounded = False
    while True:
        circuits, undecided = idle_circuits(current, inputs, unit_findings(current, inputs))
        chosen = _apart(c for c in circuits if not c.empty and c.units not in left)
        if not chosen:
            if undecided:
                raise refused("the net", f"cannot be hardened: not decided is {undecided[0]}")
            break
        top = len(net.layers)
        for circuit in chosen:
            # Above a bias that was rounded units have other values now, so that layer waits for the next search.
            if circuit.units[0].layer > top:
                continue
            result, whole = _hardcoded(current, circuit)
            if result is None or not (whole or rounding == "nearest"):
                left[circuit.units] = circuit
                continue
            if deploy is not None:
                (circuit,) = firing(current, (circuit,), inputs, deploy)
            current = result
            removed.append(circuit)
            # A bias that has changed may hold what it did not hold before.
            left.clear()
            if not whole:
                rounded, top = True, circuit.units[0].layer
    kept = tuple(left.values())
    if deploy is not None:
        kept = firing(current, kept, inputs, deploy)
    deviation = _difference(net, current, inputs) if rounded else Fraction(0)
    return Hardened(net, current, tuple(removed), kept, deviation, _dead(net, inputs, removed))


def _apart(circuits: Iterable[CircuitFinding]) -> list[CircuitFinding]:
    """The circuits, smallest first, but none that shares a unit with one before it."""
    taken: set[Unit] = set()
    chosen = []
    for circuit in sorted(circuits, key=lambda circuit: (len(circuit.units), circuit.units)):
        if not taken & set(circuit.units):
            taken |= set(circuit.units)
            chosen.append(circuit)
    return chosen


def _hardcoded(net: FloatNet, circuit: CircuitFinding) -> tuple[FloatNet | None, bool]:
    """The net with the circuit's output weights 0 and its value in the biases, and whether none was rounded.

    No net if a bias would leave the range of the type.
    """
    layer, units = circuit.units[0].layer, [unit.index for unit in circuit.units]
    above = net.float_layers[layer]
    weights, bias = above.weights.copy(), above.bias.copy()
    # With its sign kept, 0 times a unit that is 0 is the very float that it was.
    weights[:, units] = np.copysign(0.0, weights[:, units])
    whole = True
    for k in [k for k in range(len(bias)) if circuit.value[Unit(layer + 1, k)]]:
        # What is no value of the type is rounded twice at most; by how much is found afterwards.
        wanted = Fraction(bias[k]) + circuit.value[Unit(layer + 1, k)]
        try:
            with np.errstate(over="ignore"):
                bias[k] = net.dtype.type(float(wanted))
        except OverflowError:
            return None, False
        whole = whole and bool(np.isfinite(bias[k])) and Fraction(bias[k]) == wanted
    layers = [*net.layers[:layer], FloatAffine(weights, bias), *net.layers[layer + 1 :]]
    return (FloatNet(layers, net.dtype), whole) if np.isfinite(bias).all() else (None, False)


def _difference(before: FloatNet, after: FloatNet, inputs: np.ndarray) -> Fraction:
    """The most by which an output of the nets differs at a row, exactly."""
    largest, last = Fraction(0), len(before.layers)
    for block in exact.blocks(len(inputs), before):
        # Both nets are of floats, so there is no denominator.
        (one, low, _), (other, lower, _) = (
            exact.activations(net, inputs[block], last).integers() for net in (before, after)
        )
        unit = min(low, lower)
        distance = abs((one << (low - unit)) - (other << (lower - unit))).max()
        largest = max(largest, int(distance) * Fraction(2) ** unit)
    return largest


def _dead(net: FloatNet, inputs: np.ndarray, removed: list[CircuitFinding]) -> bool:
    """Whether all units that were taken out are 0 in every float32 evaluation at the rows.

    Then no bias changes, and a term w 0 became w' 0, w' = 0 with the sign of w: the same 0, so no sum changes by a bit.
    """
    if net.dtype != np.float32 or (net.reading is not None and net.reading.multiplied):
        # Of a source that takes a layer in several steps these bounds say nothing.
        return not removed
    units: dict[int, set[int]] = {}
    for circuit in removed:
        units.setdefault(circuit.units[0].layer, set()).update(unit.index for unit in circuit.units)
    return all(dead_in_float32(net, inputs, layer, sorted(members)) for layer, members in units.items())

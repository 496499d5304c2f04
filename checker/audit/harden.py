"""Take every train-idle circuit out of a net: same architecture, same outputs on the training inputs.

A circuit is hardcoded (C2): its output weights become 0, and what it sends goes into the biases above it.
"""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from typing import Literal, assert_never

import numpy as np

from proof_of_absence.checker.audit.circuits import firing, idle_circuits
from proof_of_absence.checker.audit.deviation import dead_in_float32
from proof_of_absence.checker.audit.findings import CircuitFinding
from proof_of_absence.checker.audit.idle import checked_inputs, unit_findings
from proof_of_absence.checker.audit.net_arrays import unshared
from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.checker.independent.results.same_bits import check_same_in_float32
from proof_of_absence.checker.passes import exact
from proof_of_absence.models.circuit import Unit
from proof_of_absence.models.files.disk import refused
from proof_of_absence.models.floatnet import FloatNet
from proof_of_absence.models.layers import FloatAffine, FloatLayer, RationalAffine
from proof_of_absence.models.layers import exact as exact_layer
from proof_of_absence.models.rational import Vector

__all__ = ["Hardened", "Rounding", "harden_net"]

# What to do with a constant that no bias of the net's type holds: leave the circuit, or round.
Rounding = Literal["exact", "nearest"]


@dataclass(frozen=True, eq=False)
class Hardened:
    """A net without train-idle circuits within a layer, but for those in `left`.

    `removed` are the circuits that were taken out, in order, each as it was found in the net before it. `left` are
    those that send a constant which no bias of the net's type holds, or for which there is no bias. `biases` has for
    each removal the biases of the layer above after it, or None if they took on the constant exactly. `deviation` is
    the most by which an output differs at a training input, over the reals: 0 unless something was rounded.
    `same_in_float32`: every float32 evaluation of both nets that sums alike gives the same numbers at the training
    inputs, to the bit; the certificate has a fact that shows it.
    """

    before: FloatNet
    net: FloatNet
    removed: tuple[CircuitFinding, ...]
    left: tuple[CircuitFinding, ...]
    biases: tuple[Vector | None, ...]
    deviation: Fraction
    same_in_float32: bool
    rounding: Rounding = "exact"


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
    inputs = checked_inputs(net, inputs)
    current, removed, biases = net, list[CircuitFinding](), list[Vector | None]()
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
            made = _hardcoded(current, circuit, inputs[:1], nearest=rounding == "nearest")
            if made is None:
                left[circuit.units] = circuit
                continue
            result, whole = made
            if deploy is not None:
                (circuit,) = firing(current, (circuit,), inputs, deploy)
            current = result
            removed.append(circuit)
            biases.append(None if whole else exact_layer(current.layers[circuit.units[0].layer]).bias)
            # A bias that has changed may hold what it did not hold before.
            left.clear()
            if not whole:
                rounded, top = True, circuit.units[0].layer
    kept = tuple(left.values())
    if deploy is not None:
        kept = firing(current, kept, inputs, deploy)
    deviation = _difference(net, current, inputs) if rounded else Fraction(0)
    same = _dead(net, inputs, removed) and _confirmed(net, current, inputs, removed)
    return Hardened(net, current, tuple(removed), kept, tuple(biases), deviation, same, rounding)


def _apart(circuits: Iterable[CircuitFinding]) -> list[CircuitFinding]:
    """The circuits, smallest first, but none that shares a unit with one before it."""
    taken: set[Unit] = set()
    chosen = []
    for circuit in sorted(circuits, key=lambda circuit: (len(circuit.units), circuit.units)):
        if not taken & set(circuit.units):
            taken |= set(circuit.units)
            chosen.append(circuit)
    return chosen


def _hardcoded(
    net: FloatNet, circuit: CircuitFinding, first: np.ndarray, *, nearest: bool
) -> tuple[FloatNet, bool] | None:
    """The net with the circuit's output weights 0 and its value in the biases, and whether none was rounded.

    None if no bias takes on the value: there is none, it is beyond the range of the type, or it would have to be
    rounded and is not to be. `first` is a training input, shape (1, d).
    """
    layer, units = circuit.units[0].layer, [unit.index for unit in circuit.units]
    if net.steps is not None:
        digits = exact.activations(net, first, layer, units)
        values = [digits.fraction(0, column) for column in range(len(units))]
        found = net.steps[layer].without(units, values, nearest=nearest)
        with suppress(ValueError):
            return found and (net.with_steps(layer, found[0]), found[1])
        return None
    value = [circuit.value[Unit(layer + 1, k)] for k in range(net.widths[layer + 1])]
    above = net.layers[layer]
    match above:
        case FloatAffine():
            made = _in_floats(above, units, value, net.dtype)
        case RationalAffine():
            # Nobody's file: every rational is as good.
            made = _in_rationals(above, units, value), True
        case _:
            assert_never(above)
    if made is None or not (made[1] or nearest):
        return None
    return FloatNet([*net.layers[:layer], made[0], *net.layers[layer + 1 :]], net.dtype), made[1]


def _in_floats(
    above: FloatAffine, units: list[int], value: list[Fraction], dtype: np.dtype
) -> tuple[FloatLayer, bool] | None:
    weights, bias, whole = above.weights.copy(), above.bias.copy(), True
    # With its sign kept, 0 times a unit that is 0 is the very float that it was.
    weights[:, units] = np.copysign(0.0, weights[:, units])
    for k in [k for k in range(len(bias)) if value[k]]:
        # What is no value of the type is rounded twice at most; by how much is found afterwards.
        wanted = Fraction(bias[k]) + value[k]
        try:
            with np.errstate(over="ignore"):
                bias[k] = dtype.type(float(wanted))
        except OverflowError:
            return None
        whole = whole and bool(np.isfinite(bias[k])) and Fraction(bias[k]) == wanted
    return (FloatAffine(weights, bias), whole) if np.isfinite(bias).all() else None


def _in_rationals(above: RationalAffine, units: list[int], value: list[Fraction]) -> FloatLayer:
    rows = exact_layer(above)
    cut = [[Fraction(0) if j in units else w for j, w in enumerate(row)] for row in rows.weights]
    table = [[*row, b + v] for row, b, v in zip(cut, rows.bias, value, strict=True)]
    divisor = lcm(*(number.denominator for row in table for number in row))
    return RationalAffine.of(np.array([[int(x * divisor) for x in row] for row in table], dtype=object), divisor)


def _difference(before: FloatNet, after: FloatNet, inputs: np.ndarray) -> Fraction:
    """The most by which an output of the nets differs at a row, exactly."""
    largest, last = Fraction(0), len(before.layers)
    for block in exact.blocks(len(inputs), before):
        (one, low, over), (other, lower, under) = (
            exact.activations(net, inputs[block], last).integers() for net in (before, after)
        )
        unit = min(low, lower)
        distance = abs((one * under << (low - unit)) - (other * over << (lower - unit))).max()
        largest = max(largest, int(distance) * Fraction(2) ** unit / (over * under))
    return largest


def _dead(net: FloatNet, inputs: np.ndarray, removed: list[CircuitFinding]) -> bool:
    """Whether all units that were taken out are 0 in every float32 evaluation at the rows.

    Then no bias changes, and a term w 0 became w' 0, w' = 0 with the sign of w: the same 0, so no sum changes by a bit.
    """
    single = net.dtype if net.steps is None else net.steps[0].dtype
    if single != np.float32 or not (net.in_floats or net.steps):
        return not removed
    units: dict[int, set[int]] = {}
    for circuit in removed:
        units.setdefault(circuit.units[0].layer, set()).update(unit.index for unit in circuit.units)
    return all(dead_in_float32(net, inputs, layer, sorted(members)) for layer, members in units.items())


def _confirmed(before: FloatNet, after: FloatNet, inputs: np.ndarray, removed: list[CircuitFinding]) -> bool:
    """Whether the checker's own bounds show it too: only then is it stated, as a fact of the certificate."""
    if not removed:
        return True
    units = sorted({unit for circuit in removed for unit in circuit.units})
    try:
        check_same_in_float32(unshared(before), unshared(after), inputs, {"units": units})
    except Refused:
        return False
    return True

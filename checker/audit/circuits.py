"""All minimal train-idle circuits within one hidden layer:
single idle units, and sets idle only together (not across layers).

Modulo a prime that divides no weight there can only be more such sets than over Q, so all are found there; each is then
verified exactly.
"""

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

import numpy as np

from proof_of_absence.checker.audit.findings import CircuitFinding, UnitFinding
from proof_of_absence.checker.audit.idle import checked_inputs, truncated
from proof_of_absence.checker.audit.independence import hints
from proof_of_absence.checker.construct.idle_sets import idle_sets
from proof_of_absence.checker.numbers.deadline import OutOfTime, in_force, look, looking
from proof_of_absence.checker.passes import exact
from proof_of_absence.checker.passes.dependence import LayerTable, Relations
from proof_of_absence.checker.passes.enclosure import enclose
from proof_of_absence.checker.passes.modular import PRIMES, SURPLUS, weight_residues
from proof_of_absence.checker.passes.rows import distinct_rows
from proof_of_absence.models.circuit import Unit
from proof_of_absence.models.floatnet import FloatNet
from proof_of_absence.models.layers import exact as exact_layer
from proof_of_absence.models.layers import nonzero, sending

__all__ = ["firing", "idle_circuits", "sent", "written"]


def idle_circuits(
    net: FloatNet, inputs: np.ndarray, units: tuple[UnitFinding, ...]
) -> tuple[tuple[CircuitFinding, ...], tuple[str, ...]]:
    """All minimal train-idle circuits whose units are in one layer,
    and a line for each layer where that was not decided.

    A set J of units of a layer is idle if every unit k of the next layer receives a constant, sum_(j in J) W[k,j]
    phi_j, on the training inputs. Circuits with units in several layers are not searched: nothing is said of them.

    Parameters
    ----------
    units
        What `unit_findings` returned for these inputs.

    Examples
    --------
    >>> from proof_of_absence.checker.audit.idle import unit_findings
    >>> net = FloatNet([([[1.0], [2.0], [-1.0]], [0.0, 0.0, 0.0]), ([[2.0, -1.0, 1.0]], [0.0])])
    >>> inputs = np.array([[0.0], [1.0], [2.0]])
    >>> circuits, undecided = idle_circuits(net, inputs, unit_findings(net, inputs))
    >>> [[u.index for u in c.units] for c in circuits], undecided
    ([[2], [0, 1]], ())
    """
    inputs = checked_inputs(net, inputs)
    layers = range(1, len(net.layers))
    undecided = [line for layer in layers if (line := _open(units, layer))]
    found: dict[int, list[CircuitFinding]] = {layer: [] for layer in layers}
    try:
        look()
        # Those of one unit cost little, so they come first in every layer.
        for layer in layers:
            alone = [[u.unit.index] for u in units if u.unit.layer == layer and u.idle]
            for circuit in _found(net, inputs, layer, alone):
                found[layer].append(circuit)
        for layer in layers:
            rest = np.array([u.unit.index for u in units if u.unit.layer == layer and u.idle is False], dtype=np.int64)
            masks, line = _jointly_idle(net, inputs, layer, rest, hints(units, layer))
            for circuit in _found(net, inputs, layer, masks):
                found[layer].append(circuit)
            undecided += [line] if line else []
    except OutOfTime as late:
        late.so_far = tuple(c for layer in layers for c in found[layer]), tuple(undecided)
        raise
    return tuple(c for layer in layers for c in found[layer]), tuple(undecided)


def _open(units: tuple[UnitFinding, ...], layer: int) -> str | None:
    """A line about the layer's units that are not known to be idle or not."""
    left = [f"{layer}.{u.unit.index}" for u in units if u.unit.layer == layer and u.idle is None]
    if not left:
        return None
    if len(left) == 1:
        return f"whether unit {left[0]} is idle"
    return f"whether {len(left)} units of layer {layer} ({', '.join(left[:8])}{', ...' * (len(left) > 8)}) are idle"


def sent(net: FloatNet, layer: int, units: list[int]) -> FloatNet:
    """The net whose outputs are what the units of the layer send to each unit of the next."""
    return FloatNet((*truncated(net, layer, units).layers, sending(net.layers[layer], units)))


def _found(net: FloatNet, inputs: np.ndarray, layer: int, circuits: list[list[int]]) -> Iterator[CircuitFinding]:
    """The circuits, idle by whoever found them, with what each unit of the next layer receives at the first input."""
    union = sorted({j for circuit in circuits for j in circuit})
    if not union:
        return
    look()
    digits = exact.activations(net, inputs[:1], layer, union)
    values = {j: digits.fraction(0, column) for column, j in enumerate(union)}
    # Most circuits send 0 everywhere; they share what says so.
    silent = {Unit(layer + 1, k): Fraction(0) for k in range(net.widths[layer + 1])}
    for circuit in looking(circuits):
        sends = [j for j in circuit if values[j]]
        in_force().owe(written(len(silent), silent=not sends))
        received = dict(silent) if sends else silent
        for j in sends:
            for k, (weight,) in enumerate(exact_layer(sending(net.layers[layer], [j])).weights):
                received[Unit(layer + 1, k)] += weight * values[j]
        empty = not nonzero(net.layers[layer])[:, circuit].any()
        yield CircuitFinding(tuple(Unit(layer, j) for j in circuit), received, empty=empty)


def written(readers: int, *, silent: bool) -> int:
    """As how many numbers what so many readers receive is written in the time: zeros take much less."""
    return readers // 8 if silent else readers


def _are_idle(net: FloatNet, inputs: np.ndarray, layer: int, circuits: list[list[int]]) -> list[bool]:
    """Which sets of units are idle, exactly, at every row; one pass over the rows for all of them."""
    union, width = sorted({j for circuit in circuits for j in circuit}), exact.digit_width(max(net.widths))
    columns = [np.searchsorted(union, circuit) for circuit in circuits]
    weights = [exact.weight_slices(sending(net.layers[layer], circuit), width) for circuit in circuits]
    idle = [True] * len(circuits)
    for block in exact.blocks(len(inputs), net):
        rows = np.vstack([inputs[:1], inputs[block]])
        values = exact.activations(net, rows, layer, union, width=width)
        shape = (len(rows), net.widths[layer + 1])
        for k in looking(k for k in range(len(circuits)) if idle[k]):
            received = exact.affine(values.columns(columns[k]).slices(), weights[k], {}, shape, width)
            idle[k] = bool(received.equals_row(0).all())
    return idle


def _jointly_idle(
    net: FloatNet, inputs: np.ndarray, layer: int, units: np.ndarray, rows: np.ndarray
) -> tuple[list[list[int]], str | None]:
    """Minimal idle sets of units that are not idle alone, and what was not decided."""
    if len(units) < 2:
        return [], None
    sent = sending(net.layers[layer], units)
    # No weight may vanish with the prime, or a unit might seem to send nothing.
    prime = next((p for p in PRIMES if ((weight_residues(sent, p) != 0) == nonzero(sent)).all()), None)
    if prime is None:
        return [], f"jointly idle circuits of layer {layer}: each prime at hand divides a weight"
    # Only a wide layer is worth the pass over the rows.
    surplus = len(units) + 1 - len(distinct_rows(inputs)) if len(units) > SURPLUS else 0
    if surplus > SURPLUS:
        return [], f"jointly idle circuits of layer {layer}: its units outnumber the distinct inputs by {surplus}"
    try:
        relations = Relations(LayerTable(net, inputs, layer, units), rows, prime)
        relations.see_all()
        if not relations.basis.shape[1]:
            return [], None
        found, left = idle_sets(
            relations.basis[1:], weight_residues(sent, prime), prime,
            lambda sets: _are_idle(net, inputs, layer, [units[one].tolist() for one in sets]),
            lambda place: f"{layer}.{units[place]}",
        )  # fmt: skip
        line = f"jointly idle circuits of layer {layer} are not all listed: {'; '.join(left)}" if left else None
        return [units[one].tolist() for one in found], line
    except OutOfTime as late:
        raise OutOfTime(f"jointly idle circuits from layer {layer} on: {late}") from late


def firing(
    net: FloatNet, circuits: tuple[CircuitFinding, ...], inputs: np.ndarray, deploy: np.ndarray
) -> tuple[CircuitFinding, ...]:
    """The circuits with `fires` filled: the deployment rows at which a reader receives something else than `value`,
    exactly.
    """
    inputs, deploy = checked_inputs(net, inputs), checked_inputs(net, deploy, "deployment inputs")
    found: list[CircuitFinding] = []
    try:
        for circuit in circuits:
            found.append(_fired(net, circuit, deploy))
    except OutOfTime as late:
        late.so_far = (*found, *circuits[len(found) :])
        raise
    return tuple(found)


def _fired(net: FloatNet, circuit: CircuitFinding, deploy: np.ndarray) -> CircuitFinding:
    layer, units = circuit.units[0].layer, [unit.index for unit in circuit.units]
    chain = sent(net, layer, units)
    value = [circuit.value[Unit(layer + 1, k)] for k in range(net.widths[layer + 1])]
    fires: list[int] = []
    for block in exact.blocks(len(deploy), net):
        rows = np.arange(block.start, block.stop)
        if not any(value):
            # At a row where all its units are 0, it sends 0.
            signs, decided = enclose(truncated(net, layer, units), deploy[rows])[-1].signs()
            rows = rows[~(decided & (signs <= 0)).all(axis=1)]
        if rows.size:
            received = exact.activations(chain, deploy[rows], layer + 1)
            fires += rows[_differs(received, value)].tolist()
    return replace(circuit, fires=tuple(fires))


def _differs(received: exact.Digits, value: list[Fraction]) -> np.ndarray:
    """The rows in which some column is not its value."""
    numbers, exponent, denominator = received.integers()
    scaled = [v * denominator / Fraction(2) ** exponent for v in value]
    differs = [numbers[:, k] != v if v.denominator == 1 else np.ones(len(numbers), bool) for k, v in enumerate(scaled)]
    return np.array(differs, dtype=bool).any(axis=0)

"""C7 on a float network: reuse a train-idle circuit as a unit that lowers the loss,
certified for the very floats written.

All new parameters are rounded to the net's type first; the drop is then enclosed, or computed exactly, for that net.
Where a file lists several operators for a layer, they are its own, and the drop is that of the product they make.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from proof_of_absence.checker.audit.findings import CircuitFinding, Enclosure, Improvement
from proof_of_absence.checker.audit.loss import AFFORDABLE, SMALL, exact_loss, exact_residuals, loss_above
from proof_of_absence.checker.audit.reuse import (
    CIRCUITS,
    New,
    Queue,
    Unimproved,
    features_of,
    finding,
    lead,
    placed,
    reassigned,
    reuse,
    type_of,
)
from proof_of_absence.checker.construct.output_weights import for_squares
from proof_of_absence.checker.construct.search import Candidate, candidates
from proof_of_absence.checker.construct.separating_unit import separating_unit
from proof_of_absence.checker.construct.squared_loss import noise_floor
from proof_of_absence.checker.numbers.deadline import afford, look
from proof_of_absence.checker.numbers.enclosure import around, point, total
from proof_of_absence.checker.numbers.rounding import TINY, U64, UP
from proof_of_absence.checker.passes.enclosure import blocks, enclose
from proof_of_absence.checker.passes.residuals import Evaluation, evaluate
from proof_of_absence.models.floatnet import FloatNet
from proof_of_absence.models.layers import exact as exact_layer
from proof_of_absence.models.net import MLP, relu

__all__ = ["Unimproved", "improve", "improve_all", "reassigned"]


@dataclass(frozen=True, eq=False)
class _Data:
    """Inputs and targets, what the last hidden layer reads at each row as floats have it, and the noise floor."""

    inputs: np.ndarray
    targets: np.ndarray
    features: np.ndarray
    floor: Fraction


@dataclass(frozen=True, eq=False)
class _State:
    """The net so far, its loss and residuals.

    `residuals` times 2^`exponent` are what floats make of y - f(z); `radius` bounds their error, or is None where the
    float pass overflowed and only exact arithmetic decides.
    """

    net: FloatNet
    residuals: np.ndarray
    radius: np.ndarray | None
    exponent: int
    loss: Enclosure


def improve(
    net: FloatNet,
    inputs: np.ndarray,
    targets: np.ndarray,
    circuits: Sequence[CircuitFinding],
    *,
    evaluation: Evaluation | None = None,
) -> tuple[Improvement, FloatNet] | Unimproved:
    """Reuse the first of the idle circuits that lowers the loss.

    The net returned is what the finding is about, float for float.

    One unit of the circuit becomes relu(w . z + b) with new output weights, the others lose theirs, and the output bias
    takes on the circuit's constant (C2) and the best shift. All is rounded to ``net.dtype``; ``drop`` encloses loss
    before less loss after of the two rounded nets, and its low end is positive. It is exact where `losses` is.

    In a deeper net only circuits within the last hidden layer are reused, and z is what that layer reads: C7 then
    speaks of the last two layers, a shallow net on the values of the layer below.

    Parameters
    ----------
    inputs, targets
        Shapes (N, d) and (N, m), float64, finite.
    circuits
        Train-idle on `inputs`, with the exact value that each output receives: that is a premise here, checked by
        whoever found them. Small circuits first.
    evaluation
        What `evaluate` returned for the same arguments, to save the pass.

    Raises
    ------
    ValueError
        If the shapes do not fit, or a circuit is not of hidden units.
    """
    result = improve_all(net, inputs, targets, circuits, evaluation=evaluation, limit=1)
    if isinstance(result, Unimproved):
        return result
    (found,), improved = result
    return found, improved


def improve_all(
    net: FloatNet,
    inputs: np.ndarray,
    targets: np.ndarray,
    circuits: Sequence[CircuitFinding],
    *,
    evaluation: Evaluation | None = None,
    limit: int = 4,
) -> tuple[tuple[Improvement, ...], FloatNet] | Unimproved:
    """`improve` again and again, at most `limit` times: each step reuses one more unit that the idle circuits free.

    A circuit of k units frees k of them, and circuits that share no unit stay idle when one of them is reused. The
    drops add up; each step's `loss_before` is the `loss_after` of the one before.
    """
    data: list[_Data] = []

    def start() -> _State:
        data.append(_Data(inputs, targets, features_of(net, inputs), noise_floor(inputs, targets)))
        return _start(net, data[0], evaluation)

    def step(state: _State, queue: Queue) -> tuple[Improvement, _State, int] | Unimproved | None:
        if state.loss == point(data[0].floor):
            return Unimproved("the loss is the noise floor: no net has a lower one", at_floor=True)
        return _step(state, data[0], queue)

    return reuse(net, circuits, start, step, limit)


def _start(net: FloatNet, data: _Data, evaluation: Evaluation | None = None) -> _State:
    inputs, targets = data.inputs, data.targets
    try:
        evaluation = evaluation or evaluate(net, inputs, targets)
        loss = loss_above(data.floor, net, inputs, targets, evaluation=evaluation)
        return _State(net, evaluation.residuals, evaluation.radius, 0, loss)
    except OverflowError:
        if len(inputs) * net.parameter_count > AFFORDABLE:
            raise
    residuals = exact_residuals(net, inputs, targets)
    largest = max(abs(r) for row in residuals for r in row)
    exponent = largest.numerator.bit_length() - largest.denominator.bit_length()
    scaled = np.array([[float(r / Fraction(2) ** exponent) for r in row] for row in residuals])
    return _State(net, scaled, None, exponent, point(exact_loss(net, inputs, targets)))


def _step(state: _State, data: _Data, queue: Queue) -> tuple[Improvement, _State, int] | None:
    """The first candidate and circuit whose drop is certified."""
    work = len(data.inputs) * state.net.parameter_count
    found = candidates(data.features, state.residuals, type_of(state.net))
    attempts = [(c, work <= SMALL) for c in found if work <= SMALL or state.radius is not None]
    if work <= AFFORDABLE:
        # What floats could not certify; then C4's own unit, which nothing but rounding can spoil.
        attempts += [(c, True) for c in found[:2] if work > SMALL]
        attempts += [(None, True)]
    # What all inputs alike leave: no unit tells them apart, and the output bias alone moves the outputs.
    ways = {work <= SMALL, work <= AFFORDABLE} if state.radius is not None else {True}
    attempts += [(_still(data), exact) for exact in sorted(ways)]
    for candidate, exact in attempts:
        look()
        candidate = candidate or _separating(state.net, data)
        for place, (circuit, value) in enumerate(queue[:CIRCUITS] if candidate else ()):
            new = _build(state, data.features, circuit, value, candidate)
            if new is None:
                continue
            step = (_exact if exact else _enclosed)(state, data, new)
            if step is not None:
                before, drop, after = step
                return finding(circuit, new, before, drop, after.loss), after, place
    return None


def _still(data: _Data) -> Candidate:
    """The unit that sends 0 everywhere: with it the outputs change by the output bias alone."""
    return Candidate(0.0, np.zeros(data.features.shape[1]), 0.0)


def _separating(net: FloatNet, data: _Data) -> Candidate | None:
    """C4's unit along the moment curve, rounded to the net's type; None where that is impossible."""
    points, (layers, after_relu) = data.inputs.tolist(), lead(net)
    if layers:
        points = MLP(map(exact_layer, layers)).outputs(points)
        points = [list(map(relu, row)) for row in points] if after_relu else points
    # Rational products with every coordinate of every input, for one direction at least.
    afford(5e-6 * data.features.size)
    sums: dict[tuple, list[Fraction]] = {}
    for z, row in zip(points, exact_residuals(net, data.inputs, data.targets), strict=True):
        z = tuple(map(Fraction, z))
        sums[z] = [a + b for a, b in zip(sums.get(z, [Fraction(0)] * len(row)), row, strict=True)]
    unit = separating_unit(list(sums), [tuple(row) for row in sums.values()])
    if unit is None:
        return None
    try:
        with np.errstate(over="ignore"):
            rounded = np.array([*map(float, unit.weights), float(unit.bias)]).astype(type_of(net)).astype(np.float64)
    except OverflowError:
        return None
    return Candidate(0.0, rounded[:-1], float(rounded[-1])) if np.isfinite(rounded).all() else None


def _build(state: _State, features, circuit, value: Mapping[int, Fraction], candidate: Candidate) -> New | None:
    """The net with the candidate in the circuit's place, everything rounded to its type.

    None if it has no finite such net.
    """
    with np.errstate(all="ignore"):
        phi = np.maximum(features @ candidate.weights + candidate.bias, 0)
        outgoing, shift = for_squares(phi, state.residuals)
        outgoing, shift = (np.ldexp(x, state.exponent) for x in (outgoing, shift))
    return placed(state.net, circuit, value, candidate, outgoing, shift)


def _exact(state: _State, data: _Data, new: New) -> tuple[Enclosure, Enclosure, _State] | None:
    """Loss before, drop and what follows, in rational arithmetic: the two losses, each from its own net."""
    before = state.loss.low if state.loss.is_exact else exact_loss(state.net, data.inputs, data.targets)
    after = exact_loss(new.net, data.inputs, data.targets)
    if after >= before:
        return None
    return point(before), point(before - after), replace(_start(new.net, data), loss=point(after))


def _enclosed(state: _State, data: _Data, new: New) -> tuple[Enclosure, Enclosure, _State] | None:
    """The same from residuals r in r' +- rho: N times the drop is sum g (2 r - g), g the change of the outputs.

    No loss is subtracted from another, so the error is a fraction of sum |g|, not of the loss.
    """
    unit = FloatNet((*new.net.layers[:-2], new.unit))
    try:
        offset, outgoing = (np.array([float(e) for e in part]) for part in (new.offset, new.outgoing))
    except OverflowError:
        return None
    offset_error = U64 * np.abs(offset) + TINY * (offset != 0)
    # Of a product of several maps they are the nearest floats.
    size = np.abs(outgoing) * (1 + 2 * U64)
    rows, outputs = state.residuals.shape
    residuals, radius = np.empty_like(state.residuals), np.empty_like(state.residuals)
    sums, errors = [], []
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        for part in blocks(rows):
            r, rho = state.residuals[part], state.radius[part]
            ball = enclose(unit, data.inputs[part])[-1]
            phi = np.maximum(ball.values, 0)
            # relu moves no two numbers further apart; where the sign is known to be negative, 0 is exact.
            spread = np.where(ball.values < -ball.radius, 0, ball.radius)
            product = phi * outgoing
            g = product + offset
            g_error = size * spread + U64 * (3 * np.abs(product) + np.abs(g)) + offset_error + TINY
            s = 2 * r - g
            s_error = (2 * rho + g_error + U64 * np.abs(s)) * UP
            g_error = g_error * UP
            terms = g * s
            error = np.abs(s) * g_error + (np.abs(g) + g_error) * s_error + (outputs + 2) * U64 * np.abs(terms)
            sums.extend(terms.sum(axis=1).tolist())
            errors.extend(error.sum(axis=1).tolist())
            residuals[part] = r - g
            radius[part] = (rho + g_error + U64 * np.abs(residuals[part])) * UP
    gain = total(sums)
    try:
        whole = around(gain, (total(errors) + U64 * abs(gain)) * UP + 4.0 * rows * outputs * TINY)
    except OverflowError:
        return None
    if whole.low <= 0:
        return None
    drop = Enclosure(whole.low / rows, whole.high / rows)
    after = Enclosure(max(state.loss.low - drop.high, data.floor), state.loss.high - drop.low)
    return state.loss, drop, _State(new.net, residuals, radius, 0, after)

"""Facts about the losses of a float network, computed again from the net and the data that they are about.

The gap and the noise floor are exact; rents and deviations have float bounds, which must lie within the stated ones.
"""

import math
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from types import EllipsisType
from typing import Any

import numpy as np

from proof_of_absence.checker.independent.kinds.uniform_gap import promised
from proof_of_absence.checker.independent.pause import pausing
from proof_of_absence.checker.independent.refusal import Refused, require, require_equal, shown
from proof_of_absence.checker.independent.values import Fact
from proof_of_absence.checker.independent.values.floats import (
    DOUBLE,
    Bounded,
    Dtype,
    FloatData,
    FloatNet,
    Floats,
    Outputs,
    after_relu,
    aligned,
    blocks,
    integers,
)
from proof_of_absence.checker.independent.values.nets import number, numbers
from proof_of_absence.checker.independent.values.reported import rational, rationals
from proof_of_absence.checker.independent.values.rounding import TINY, UP, U
from proof_of_absence.checker.independent.values.singles import singles

# Rows times parameters: up to EXACT (a second) losses and drops are exact, beyond that they have float bounds; up to
# PATIENT they are exact again where the bounds do not confirm what is stated.
EXACT, PATIENT = 2**22, 2**25
BLOCK = 1024
Bounds = tuple[Fraction, Fraction]


def training_loss(fact: Fact, net: Outputs, data: FloatData, exact: bool) -> None:
    """The loss and the noise floor lie within the stated bounds."""
    confirm("the loss", squared_loss(net, data, exact), fact["loss"])
    floor = noise_floor(data)
    confirm("the noise floor", (floor, floor), fact["noise_floor"])


def lower_training_loss(fact: Fact, net: FloatNet, data: FloatData, exact: bool) -> None:
    """The circuit reused as stated gives a net of the same class and type, with a loss lower within the bounds."""
    require(number(fact["drop"][0]) > 0, "a drop that may be 0")
    other = reassigned(fact, net)
    if exact:
        drop = _exact_loss(net, data) - _exact_loss(other, data)
        confirm("the drop", (drop, drop), fact["drop"])
        return
    sums, errors = list[float](), list[float]()
    with np.errstate(all="ignore"):
        for part in blocks(len(data.inputs), BLOCK):
            (r, rho), (s, sigma) = _residuals(net, data, part), _residuals(other, data, part)
            less, more = r - s, r + s
            off = (rho + sigma + U * np.abs(less)) * UP
            of = (rho + sigma + U * np.abs(more)) * UP
            terms = less * more
            error = off * (np.abs(more) + of) + np.abs(less) * of + (r.shape[1] + 2) * U * np.abs(terms) + 8 * TINY
            sums.extend(terms.sum(axis=1).tolist())
            errors.extend(error.sum(axis=1).tolist())
    confirm("the drop", _mean(sums, errors), fact["drop"])


def unit_rents(fact: Fact, net: FloatNet, data: FloatData, exact: bool) -> None:
    """Rents and replacement gains of the listed units of the last hidden layer lie within the stated bounds."""
    require(len(net.layers) >= 2, "there is no hidden layer")
    listed = fact["units"]
    require(isinstance(listed, list) and bool(listed), "no unit is listed")
    width = len(net.layers[-2][1])
    units = []
    for entry in listed:
        j = entry["unit"]
        require(isinstance(j, int) and not isinstance(j, bool) and 0 <= j < width, f"{j!r} is no hidden unit")
        units.append(j)
    trials = [_unit(stated, net) for stated in fact["trials"]]
    chosen = [entry.get("trial") for entry in listed]
    require(all(t is None or (type(t) is int and 0 <= t < len(trials)) for t in chosen), "a trial unit is not listed")
    statistics = _Statistics(net, units, trials, chosen)
    for part in blocks(len(data.inputs), BLOCK):
        statistics.take(net, data, part)
    loss = squared_loss(net, data, exact)
    for place, entry in enumerate(pausing(listed)):
        rent, gain = statistics.results(place, loss, len(data.inputs))
        confirm(f"the rent of unit {units[place]}", rent, entry["rent"])
        if "gain" in entry:
            if gain is None:
                raise Refused(f"unit {units[place]} has no replacement that varies on the data")
            confirm(f"the replacement gain of unit {units[place]}", gain, entry["gain"])


def uniform_gap(fact: Fact, net: FloatNet, data: FloatData, exact: bool) -> None:
    """The gauge and the gap are as in `kinds.uniform_gap`, of the data; and the steps follow from the gap."""
    require(len(net.layers) == 2, "the gap is about nets with one hidden layer")
    gap = number(fact["gap"])
    require_equal("the gap", gap, _gap(fact, data))
    low, high = squared_loss(net, data, exact)
    floor = noise_floor(data)
    require(len(fact["steps"]) <= 16, "too many steps")
    for k, stated in enumerate(fact["steps"], 1):
        part = 1 - (1 - gap) ** k
        confirm(f"step {k}", (part * max(low - floor, Fraction(0)), part * (high - floor)), stated)


def _gap(fact: Fact, data: FloatData) -> Fraction:
    """As `uniform_gap.gap_along`, in integers: Fractions of many float rows take long."""
    direction, h, spread = numbers(fact["direction"]), number(fact["separation"]), number(fact["spread"])
    require(len(direction) == data.inputs.shape[1], "the direction has the wrong dimension")
    require(h > 0, "a separation that is not positive")
    grid = integers(data.inputs)
    scale = math.lcm(*(w.denominator for w in direction))
    weights = [int(w * scale) for w in direction]
    distinct = {tuple(row) for row in grid.whole.tolist()}
    line = sorted(sum(w * x for w, x in zip(weights, row, strict=True) if w) for row in pausing(distinct))
    unit = Fraction(2) ** grid.exponent / scale
    for a, b in pairwise(line):
        require((b - a) * unit >= h, "two projections are closer than that")
    require((line[-1] - line[0]) * unit <= spread, "two projections are further apart than that")
    return promised(h, spread, len(data.inputs))


def float32_bound(fact: Fact, net: FloatNet, data: FloatData, exact: bool) -> None:
    """No float32 evaluation, in any order of its sums, differs from the exact outputs by more than the stated bound."""
    bound = number(fact["bound"])
    for part in blocks(len(data.inputs), BLOCK):
        *_, last = singles(net, data.inputs[part], len(net.layers))
        worst = float(last.delta.max())
        require(math.isfinite(worst), "the bounds overflow")
        require(Fraction(worst) <= bound, f"a float32 evaluation may be off by {worst}")


def reassigned(fact: Fact, net: FloatNet) -> FloatNet:
    """The net with the first unit of a circuit in the last hidden layer reused, and its others cut.

    Its parameters are of the net's type; where a file lists several operators for a layer, they are rational numbers,
    of which nothing says here that such a file makes them.
    """
    require(len(net.layers) >= 2, "there is no hidden layer")
    (hidden, bias), (output, shift) = ((w.copy(), b.copy()) for w, b in net.layers[-2:])
    units = fact["circuit"]
    require(isinstance(units, list) and bool(units) and len(set(units)) == len(units), "no circuit")
    require(all(type(j) is int and 0 <= j < len(bias) for j in units), "a unit is none of the net's")
    first = min(units)
    if net.rational or net.steps:
        unit = rationals(fact["weights"]), rational(fact["bias"])
        outgoing, output_bias = (rationals(fact[name]) for name in ("outgoing", "output_bias"))
        sizes = [len(unit[0]), len(outgoing), len(output_bias)]
        require(sizes == [hidden.shape[1], len(shift), len(shift)], "the parameters do not fit the net")
        last = len(net.layers)
        return net.with_unit(last - 1, first, *unit).reading(last, {first: outgoing}, units, output_bias)
    output[:, units] = 0
    hidden[first] = _floats(fact["weights"], net.dtype, hidden.shape[1])
    bias[first] = _floats([fact["bias"]], net.dtype, 1)[0]
    output[:, first] = _floats(fact["outgoing"], net.dtype, len(shift))
    shift[:] = _floats(fact["output_bias"], net.dtype, len(shift))
    return FloatNet([*net.layers[:-2], (hidden, bias), (output, shift)], net.dtype)


def noise_floor(data: FloatData) -> Fraction:
    """E, exactly: the mean over the rows of |y - mean of y over the rows with the same input|^2."""
    targets = integers(data.targets)
    members: dict[tuple[float, ...], list[int]] = {}
    for i, row in enumerate(pausing(data.inputs.tolist())):
        members.setdefault(tuple(row), []).append(i)
    whole = Fraction(0)
    for rows in pausing(members.values()):
        if len(rows) > 1:
            for column in targets.whole[rows].T.tolist():
                whole += sum(y * y for y in column) - Fraction(sum(column) ** 2, len(column))
    return whole * Fraction(4) ** targets.exponent / len(data.inputs)


class _Statistics:
    """Sums over the rows, for each listed unit j and output k.

    They are of x = r_k + a_jk phi_j, of its square, and of its products with the trial unit.
    """

    def __init__(self, net: FloatNet, units: list[int], trials: list[tuple[Floats, float]], chosen: list[int | None]):
        self.units = units
        self.outgoing, self.off = net.layers[-1][0][:, units], net.off(len(net.layers))
        # A trial that is never on stands for none.
        fan_in = net.layers[-2][0].shape[1]
        weights, biases = zip(*trials, (np.zeros(fan_in, np.float64), 0.0), strict=True)
        below = {k: layer for k, layer in net.rational.items() if k < len(net.layers) - 1}
        self.trials = FloatNet([*net.layers[:-2], (np.array(weights), np.array(biases))], net.dtype, below)
        self.chosen = [len(trials) if t is None else t for t in chosen]
        shapes: dict[str, tuple[int, ...]] = dict.fromkeys(("x", "xx", "xp"), self.outgoing.shape)
        shapes |= dict.fromkeys(("p", "pp"), (len(biases),))
        self.sums: dict[str, tuple[Floats, Floats]] = {name: (np.zeros(s), np.zeros(s)) for name, s in shapes.items()}

    def take(self, net: FloatNet, data: FloatData, part: slice) -> None:
        """Add the rows of one block."""
        with np.errstate(all="ignore"):
            *_, (pre, rad), (out, out_rad) = net.bounded(data.inputs[part])
            phi, phi_rad = after_relu(Bounded(pre[:, self.units], rad[:, self.units]))
            p, p_rad = after_relu(self.trials.bounded(data.inputs[part])[-1])
            self._add("p", ..., p, p_rad)
            self._add("pp", ..., *_product(p, p_rad, p, p_rad))
            p, p_rad = p[:, self.chosen], p_rad[:, self.chosen]
            for k in pausing(range(len(self.outgoing))):
                r = data.targets[part, k] - out[:, k]
                r_rad = (out_rad[:, k] + U * np.abs(r)) * UP
                outgoing = self.outgoing[k]
                sent, sent_rad = _product(phi, phi_rad, outgoing, self.off * np.abs(outgoing))
                x = r[:, None] + sent
                x_rad = (r_rad[:, None] + sent_rad + U * np.abs(x)) * UP
                self._add("x", k, x, x_rad)
                self._add("xx", k, *_product(x, x_rad, x, x_rad))
                self._add("xp", k, *_product(x, x_rad, p, p_rad))

    def _add(self, name: str, k: int | EllipsisType, terms: Floats, radius: Floats) -> None:
        value, error = self.sums[name]
        steps = len(terms) + 1
        own = radius.sum(axis=0) + steps * U * np.abs(terms).sum(axis=0) * UP
        value[k] += terms.sum(axis=0)
        error[k] = (error[k] + own + U * np.abs(value[k]) + TINY) * UP

    def results(self, place: int, loss: Bounds, rows: int) -> tuple[Bounds, Bounds | None]:
        """Bounds of the rent, and of the gain if there is a trial that varies."""

        def known(name: str, *index: int) -> Bounds:
            value, error = (float(a[index]) for a in self.sums[name])
            if not (math.isfinite(value) and math.isfinite(error)):
                raise Refused("the float bounds overflow")
            return Fraction(value) - Fraction(error), Fraction(value) + Fraction(error)

        without, product = (Fraction(0), Fraction(0)), (Fraction(0), Fraction(0))
        trial = self.chosen[place]
        mean = known("p", trial)
        for k in range(len(self.outgoing)):
            x = known("x", k, place)
            without = _plus(without, _minus(known("xx", k, place), _scaled(_square(x), Fraction(1, rows))))
            covered = _minus(known("xp", k, place), _scaled(_times(x, mean), Fraction(1, rows)))
            product = _plus(product, _square(covered))
        rent = _minus(_scaled(without, Fraction(1, rows)), loss)
        norm = _minus(known("pp", trial), _scaled(_square(mean), Fraction(1, rows)))
        if norm[0] <= 0:
            return rent, None
        return rent, (product[0] / norm[1] / rows, product[1] / norm[0] / rows)


def _product(x: Floats, x_rad: Floats, y: Floats, y_rad: Floats | float) -> Bounded:
    value = x * y
    return Bounded(value, (np.abs(x) * y_rad + (np.abs(y) + y_rad) * x_rad + U * np.abs(value) + TINY) * UP)


def _plus(a: Bounds, b: Bounds) -> Bounds:
    return a[0] + b[0], a[1] + b[1]


def _minus(a: Bounds, b: Bounds) -> Bounds:
    return a[0] - b[1], a[1] - b[0]


def _scaled(a: Bounds, factor: Fraction) -> Bounds:
    return a[0] * factor, a[1] * factor


def _times(a: Bounds, b: Bounds) -> Bounds:
    ends = [x * y for x in a for y in b]
    return min(ends), max(ends)


def _square(a: Bounds) -> Bounds:
    ends = [x * x for x in a]
    return Fraction(0) if a[0] <= 0 <= a[1] else min(ends), max(ends)


def _unit(stated: Any, net: FloatNet) -> tuple[Floats, float]:
    weights, bias = stated
    fan_in = net.layers[-2][0].shape[1]
    return _floats(weights, DOUBLE, fan_in), float(_floats([bias], DOUBLE, 1)[0])


def _floats(texts: object, dtype: Dtype, size: int) -> Floats:
    """The numbers as floats, each exactly, of the net's type."""
    exact = numbers(texts)
    require(len(exact) == size, "the parameters do not fit the net")
    try:
        result = np.array([float(x) for x in exact])
    except OverflowError as error:
        raise Refused("a parameter is no float") from error
    with np.errstate(over="ignore"):
        typed = result.astype(dtype).astype(np.float64)
    require(
        all(np.isfinite(t) and Fraction(float(t)) == x for t, x in zip(typed, exact, strict=True)),
        f"a parameter is no {dtype}",
    )
    return result


def _residuals(net: Outputs, data: FloatData, part: slice) -> Bounded:
    values, radius = net.bounded_outputs(data.inputs[part])
    r = data.targets[part] - values
    return Bounded(r, (radius + U * np.abs(r)) * UP)


def _mean(sums: list[float], errors: list[float]) -> Bounds:
    try:
        value, error = math.fsum(sums), math.fsum(errors)
    except (OverflowError, ValueError):
        value = error = math.nan
    error = (error + U * abs(value)) * UP + TINY
    if not (math.isfinite(value) and math.isfinite(error)):
        raise Refused("the float bounds overflow, and the data are too many for exact arithmetic")
    return (Fraction(value) - Fraction(error)) / len(sums), (Fraction(value) + Fraction(error)) / len(sums)


def _exact_loss(net: Outputs, data: FloatData) -> Fraction:
    outputs, targets, low, divisor = aligned(net.outputs(data.inputs), integers(data.targets))
    squares = ((outputs - targets) ** 2).sum()
    return Fraction(int(squares)) * Fraction(4) ** low / divisor**2 / len(data.inputs)


def squared_loss(net: Outputs, data: FloatData, exact: bool) -> Bounds:
    """Bounds of the mean squared error; equal ones if it is decided exactly."""
    if exact:
        loss = _exact_loss(net, data)
        return loss, loss
    sums, errors = list[float](), list[float]()
    with np.errstate(all="ignore"):
        for part in blocks(len(data.inputs), BLOCK):
            r, rho = _residuals(net, data, part)
            squares, radius = _product(r, rho, r, rho)
            sums.extend(squares.sum(axis=1).tolist())
            errors.extend((radius.sum(axis=1) + (r.shape[1] + 1) * U * squares.sum(axis=1)).tolist())
    low, high = _mean(sums, errors)
    return max(low, Fraction(0)), high


def confirm(what: str, own: Bounds, stated: object) -> None:
    """Refuse bounds that do not hold one's own, and say so apart where they are surely wrong."""
    if not (isinstance(stated, list) and len(stated) == 2):
        raise Refused(f"{what} has two bounds")
    low, high = numbers(stated)
    require(own[0] <= high and low <= own[1], f"{what}: stated {_between(low, high)}, recomputed {_between(*own)}")
    if not (low <= own[0] and own[1] <= high):
        raise Refused(f"{what} is not confirmed: stated {_between(low, high)}, own bounds {_between(*own)}")


def _between(low: Fraction, high: Fraction) -> str:
    return shown(low) if low == high else f"{shown(low)} to {shown(high)}"


KINDS: dict[str, Callable[[Fact, FloatNet, FloatData, bool], None]] = {
    "float32-deviation": float32_bound,
    "lower-training-loss": lower_training_loss,
    "training-loss": training_loss,
    "uniform-gap": uniform_gap,
    "unit-rents": unit_rents,
}


def decide(fact: Fact, net: FloatNet, data: FloatData) -> None:
    """Refuse the fact unless it is so of this net and these data, whose shapes fit."""
    kind, work = KINDS[fact["kind"]], len(data.inputs) * net.parameters
    try:
        kind(fact, net, data, work <= EXACT)
    except Refused:
        if not EXACT < work <= PATIENT:
            raise
        kind(fact, net, data, True)

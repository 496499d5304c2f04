"""Facts about the cross-entropy of a float network, computed again from the net and the data that they are about.

Of a net of one output f, with targets y of 0 and 1, the logits are 0 and f, the targets 1 - y and y: that is the
logistic loss, the mean of ln (1 + exp f) - y f. Outputs are exact, or floats within a bound; exp and log are bounded by
series, in integers, rounded outwards.
"""

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from proof_of_absence.checker.independent.kinds.float_losses import Bounds, confirm, reassigned
from proof_of_absence.checker.independent.pause import pausing
from proof_of_absence.checker.independent.refusal import Refused, require
from proof_of_absence.checker.independent.values import Fact
from proof_of_absence.checker.independent.values.floats import (
    Bounded,
    Exact,
    FloatData,
    FloatNet,
    Floats,
    Outputs,
    aligned,
    blocks,
    integers,
)
from proof_of_absence.checker.independent.values.nets import number
from proof_of_absence.checker.independent.values.rounding import TINY, UP, U, gamma
from proof_of_absence.checker.independent.values.series import BITS, ONE, down, exponential, logarithm, over, up

# Rows times parameters: up to EXACT outputs are exact, beyond that they are floats within bounds; up to PATIENT they
# are exact again where the bounds do not confirm what is stated.
EXACT, PATIENT = 2**22, 2**25
BLOCK = 1024


class Row(NamedTuple):
    """Bounds of the logits at one row, integers over ONE."""

    low: list[int]
    high: list[int]

    @classmethod
    def of(cls, low: list[int], high: list[int]) -> "Row":
        """From bounds of the outputs; one alone has 0 before it."""
        return cls(low, high) if len(low) > 1 else cls([0, *low], [0, *high])


def training_cross_entropy(fact: Fact, net: Outputs, data: FloatData, exact: bool) -> None:
    """The cross-entropy and its floor, the infimum over all functions of the input, lie within the stated bounds."""
    confirm("the loss", mean_cross_entropy(net, data, exact), fact["loss"])
    confirm("the noise floor", floor(data), fact["noise_floor"])


def lower_training_cross_entropy(fact: Fact, net: FloatNet, data: FloatData, exact: bool) -> None:
    """The circuit reused as stated gives a net of this class and type, and the loss falls within the bounds."""
    require(number(fact["drop"][0]) > 0, "a drop that may be 0")
    before = mean_cross_entropy(net, data, exact)
    after = mean_cross_entropy(reassigned(fact, net), data, exact)
    confirm("the drop", (before[0] - after[1], before[1] - after[0]), fact["drop"])


def cross_entropy_rents(fact: Fact, net: FloatNet, data: FloatData, exact: bool) -> None:
    """With a unit of the last hidden layer held at its mean over the rows, the loss rises by what is stated.

    The part of class k of the loss is the mean of t_k (ln sum_j exp f_j - f_k); of each the rise is stated too.
    """
    require(len(net.layers) >= 2, "there is no hidden layer")
    listed = fact["units"]
    require(isinstance(listed, list), "no units are listed")
    held = _held_exactly if exact else _held_in_floats
    loss = _parts(_outputs(net, data, exact), data.targets)
    units = [entry["unit"] for entry in listed]
    for j in units:
        require(type(j) is int and 0 <= j < len(net.layers[-2][1]), f"{j!r} is no hidden unit")
    for entry, rows in zip(listed, held(net, data.inputs, units), strict=True):
        name = f"the rent of unit {entry['unit']}"
        other, stated = _parts(rows, data.targets), entry["classes"]
        rises = [(above[0] - below[1], above[1] - below[0]) for above, below in zip(other, loss, strict=True)]
        require(isinstance(stated, list) and len(stated) == len(rises), f"{name} is not stated for each class")
        whole = sum((low for low, _ in rises), Fraction(0)), sum((high for _, high in rises), Fraction(0))
        confirm(name, whole, entry["rent"])
        for k, (rise, ends) in enumerate(zip(rises, stated, strict=True)):
            confirm(f"{name} in class {k}", rise, ends)


def _held_exactly(net: FloatNet, inputs: Floats, units: list[int]) -> Iterator[Iterable[Row]]:
    """For each unit the outputs f - a_j (phi_j - mean), N times as integers M 2^e."""
    last, count = len(net.layers), len(inputs)
    outputs, hidden = net.exact(inputs, last), net.exact(inputs, last - 1)
    weights = net.weights(last)
    for j in units:
        column = hidden.whole[:, j]
        moved = Exact(
            np.multiply.outer(count * column - column.sum(), weights.whole[:, j]),
            hidden.exponent + weights.exponent,
            hidden.divisor * weights.divisor,
        )
        whole, sent, exponent, divisor = aligned(outputs._replace(whole=count * outputs.whole), moved)
        yield (Row.of(*_fixed(row, exponent, count * divisor)) for row in (whole - sent).tolist())


def _held_in_floats(net: FloatNet, inputs: Floats, units: list[int]) -> Iterator[Iterable[Row]]:
    """The same within bounds."""
    with np.errstate(all="ignore"):
        *_, (pre, rad), (out, out_rad) = net.bounded(inputs)
        phi = np.maximum(pre, 0)
        count = len(phi)
        # The sum in any order, then one division.
        mean = phi.sum(axis=0) / count
        mean_rad = ((rad.sum(axis=0) + gamma(count + 1) * phi.sum(axis=0)) / count + U * mean + 4 * TINY) * UP**3
        # The sum of the radii is rounded too.
        mean_rad *= 1 + gamma(count + 1)
        for j in units:
            weights = net.layers[-1][0][:, j]
            moved = phi[:, j] - mean[j]
            moved_rad = (rad[:, j] + mean_rad[j] + U * np.abs(moved)) * UP
            sent = np.outer(moved, weights)
            off = net.off(len(net.layers)) * np.abs(weights)
            sent_rad = (np.outer(moved_rad, np.abs(weights) + off) + U * np.abs(sent) + TINY) * UP**2
            sent_rad += np.outer(np.abs(moved), off) * UP**2
            held = out - sent
            yield _floats(Bounded(held, (out_rad + sent_rad + U * np.abs(held) + TINY) * UP))


def floor(data: FloatData) -> Bounds:
    """(1/N) sum over the groups of equal inputs of nu ln nu - sum_k S_k ln S_k: nu rows, S_k the sum of their targets.

    It is the entropy of the mean targets: no function of the input has less. A row's targets sum to 1.
    """
    members: dict[tuple[float, ...], list[int]] = {}
    for i, row in enumerate((data.inputs + 0.0).tolist()):
        members.setdefault(tuple(row), []).append(i)
    low = high = Fraction(0)
    for rows in pausing(members.values()):
        sums = [sum(map(Fraction, column), Fraction(0)) for column in data.targets[rows].T.tolist()]
        # Where one class has all of a group the group's entropy is 0, exactly.
        if len(rows) in sums:
            continue
        below, above = _entropy(Fraction(len(rows)))
        low, high = low + below, high + above
        for mass in sums:
            below, above = _entropy(mass)
            low, high = low - above, high - below
    return max(low / len(data.inputs), Fraction(0)), high / len(data.inputs)


def _entropy(x: Fraction) -> Bounds:
    """Bounds of x ln x, x >= 0."""
    if x in (0, 1):
        return Fraction(0), Fraction(0)
    if x < 1:
        low, high = _logarithm(1 / x)
        return -x * high, -x * low
    low, high = _logarithm(x)
    return x * low, x * high


def _logarithm(x: Fraction) -> Bounds:
    low, high = logarithm(down(x * ONE), up(x * ONE))
    return Fraction(low, ONE), Fraction(high, ONE)


def _outputs(net: Outputs, data: FloatData, exact: bool) -> Iterable[Row]:
    for part in blocks(len(data.inputs), BLOCK):
        if exact:
            whole, exponent, divisor = net.outputs(data.inputs[part])
            yield from (Row.of(*_fixed(row, exponent, divisor)) for row in whole.tolist())
        else:
            yield from _floats(net.bounded_outputs(data.inputs[part]))


def _fixed(row: list[int], exponent: int, parts: int = 1) -> tuple[list[int], list[int]]:
    """Numbers M 2^e / parts over ONE, rounded down and up."""
    shift = exponent + BITS
    above, below = 1 << max(shift, 0), parts << max(-shift, 0)
    return [m * above // below for m in row], [over(m * above, below) for m in row]


def _floats(found: Bounded) -> Iterable[Row]:
    value, radius = found
    if not (np.isfinite(value).all() and np.isfinite(radius).all()):
        raise Refused("the float bounds overflow")
    for row, off in zip(value, radius, strict=True):
        middle, spread = (_fixed(found.whole.tolist(), found.exponent) for found in (integers(row), integers(off)))
        low = [m - s for m, s in zip(middle[0], spread[1], strict=True)]
        high = [m + s for m, s in zip(middle[1], spread[1], strict=True)]
        yield Row.of(low, high)


def mean_cross_entropy(net: Outputs, data: FloatData, exact: bool) -> Bounds:
    """Bounds of the mean of ln sum_k exp f_k - sum_k t_k f_k over the rows; outputs are exact or within bounds."""
    parts = _parts(_outputs(net, data, exact), data.targets)
    return max(sum((low for low, _ in parts), Fraction(0)), Fraction(0)), sum((high for _, high in parts), Fraction(0))


def _parts(rows: Iterable[Row], targets: Floats) -> list[Bounds]:
    """Bounds of the mean of t_k (ln sum_j exp f_j - f_k) over the rows, for each class k; a row's targets sum to 1."""
    low, high = ([Fraction(0)] * targets.shape[1] for _ in range(2))
    for row, wanted in pausing(zip(rows, targets.tolist(), strict=True)):
        below, above = _log_sum_exp(row)
        for k, t in enumerate(wanted):
            if t:
                low[k] += Fraction(t) * (below - row.high[k])
                high[k] += Fraction(t) * (above - row.low[k])
    scale = len(targets) * ONE
    return [(a / scale, b / scale) for a, b in zip(low, high, strict=True)]


def _log_sum_exp(row: Row) -> tuple[int, int]:
    """Bounds of top + ln sum_k exp(f_k - top), top the largest."""
    top = max(row.low)
    terms = [exponential(Fraction(top - f, ONE)) for f in row.low if f != top]
    ones = row.low.count(top) * ONE
    below, above = logarithm(ones + sum(low for low, _ in terms), ones + sum(high for _, high in terms))
    # Where each f_k rises by at most w, so does the whole.
    return top + below, top + above + max(h - f for f, h in zip(row.low, row.high, strict=True))


KINDS: dict[str, Callable[[Fact, FloatNet, FloatData, bool], None]] = {
    "cross-entropy-rents": cross_entropy_rents,
    "lower-training-cross-entropy": lower_training_cross_entropy,
    "training-cross-entropy": training_cross_entropy,
}


def classes(net: Outputs, data: FloatData) -> FloatData:
    """The data with a target for each class, refused unless a row's targets are probabilities."""
    require(data.targets.shape[1] == net.width, "there is not one target for each output")
    if data.targets.shape[1] == 1:
        require(bool(np.isin(data.targets, (0, 1)).all()), "a target of the logistic loss is not 0 or 1")
        data = data._replace(targets=np.hstack([1 - data.targets, data.targets]))
    for row in pausing(data.targets.tolist()):
        require(min(row) >= 0 and sum(map(Fraction, row)) == 1, "a row of the targets is not probabilities")
    return data


def decide(fact: Fact, net: FloatNet, data: FloatData) -> None:
    """Refuse the fact unless it is so of this net and these data, whose shapes fit."""
    data = classes(net, data)
    kind, work = KINDS[fact["kind"]], len(data.inputs) * net.parameters
    try:
        kind(fact, net, data, work <= EXACT)
    except Refused:
        if not EXACT < work <= PATIENT:
            raise
        kind(fact, net, data, True)

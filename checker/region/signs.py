"""Divide a part of the box by the signs of hidden units. This ends: with every sign known, the circuit is affine on
the part.

At each part a float LP over the triangle relaxation proposes multipliers for one more rigorous bound, and points to
replay.
"""

from fractions import Fraction

import numpy as np

from proof_of_absence.checker.region.affine import ZERO, circuit_form, constant, pre_activation
from proof_of_absence.checker.region.bounds import OFF, ON, UNKNOWN
from proof_of_absence.checker.region.lp import Affine, interior
from proof_of_absence.checker.region.part import Part, Undecided
from proof_of_absence.checker.region.question import nearest
from proof_of_absence.checker.region.triangle import Relaxed, largest
from proof_of_absence.checker.region.witness import Replayer, off_the_form
from proof_of_absence.models.rational import Vector

__all__ = ["step"]


def step(part: Part, replayer: Replayer) -> tuple[list[Part], Vector | None]:
    """Close the part, or divide it, or find a witness.

    Raises
    ------
    Undecided
        If exact arithmetic takes too many steps.
    """
    bounds, asked = part.bounds, part.bounds.asked
    if not part.bounded:
        bounds.tighten(1 if part.split is None else part.split[0] + 1)
    # What the same bounds did not close is not asked again.
    if (bounds.settle() if part.bounded else True) and (part.empty() or part.closed(constant)):
        return [], None
    part.state()
    if part.split is not None and part.split[0] > 1:
        layer, i = part.split
        _relax(part, layer, i, int(bounds.sign[layer - 1][i]))
        if part.empty():
            return [], None
    if _thin(part):
        return [], None
    excess = [np.zeros(len(row)) for row in bounds.low]
    inside = _some_input(part)
    for layer, j in ((t.layer, j) for t in asked.targets for j in t.live):
        if bounds.status(layer - 1)[j] != UNKNOWN:
            continue
        # Of the two signs only that at an input of the part may hold on all of it.
        sign = ON if asked.pre_activation(layer, j, inside) <= 0 else OFF
        relaxed = _relax(part, layer, j, sign)
        if relaxed is None and bounds.status(layer - 1)[j] != UNKNOWN:
            continue
        if relaxed is not None:
            witness = replayer.near(layer, j, sign, relaxed.point, bounds.box)
            if witness is not None:
                return [], witness
            excess = [np.maximum(row, 0) for row in relaxed.excess] + excess[len(relaxed.excess) :]
        if not asked.parallel:
            break
    if part.empty() or part.closed(constant):
        return [], None
    chosen = _choose(part, excess)
    if chosen is None:
        return [], _witness(part)
    return part.halves(*chosen), None


def _relax(part: Part, layer: int, j: int, sign: int) -> Relaxed | None:
    """Bound sign * pre-activation from above by the relaxation.

    None if that settles the sign, or HiGHS gives no optimum.
    """
    bounds, m = part.bounds, layer - 1
    weights, bias = bounds.layers[m]
    relaxed = largest(bounds, layer, sign * weights[j], float(sign * bias[j]))
    if relaxed is None or relaxed.value > 0:
        return relaxed
    proved, _ = bounds.upper(layer, sign * weights[j : j + 1], sign * bias[j : j + 1], relaxed.dual)
    value = float(proved[0])
    if value > 0:
        return relaxed
    if sign == ON:
        bounds.high[m][j] = min(value, bounds.high[m][j])
    else:
        bounds.low[m][j] = max(-value, bounds.low[m][j])
    part.state_dual(layer, j, sign, relaxed.dual)
    return None


def _some_input(part: Part) -> np.ndarray:
    """Floats near an input where the affine sign conditions hold: a hint."""
    asked, box = part.bounds.asked, part.bounds.box
    inside = box[0] / 2 + box[1] / 2
    if part.point is not None:
        inside[list(asked.free)] = [nearest(x) for x in part.point]
    return inside


def _statuses(part: Part) -> list[np.ndarray]:
    return [part.bounds.status(m) for m in range(len(part.bounds.layers))]


def _ends(part: Part) -> tuple[Vector, Vector]:
    """The part's box in the free coordinates."""
    free = part.bounds.asked.free
    return tuple(part.bounds.low_end[i] for i in free), tuple(part.bounds.high_end[i] for i in free)


def _thin(part: Part) -> bool:
    """Close the part if its affine sign conditions leave it no interior; else keep a point where they are strict."""
    bounds, new = part.bounds, []
    status = _statuses(part)
    for m, sign in enumerate(bounds.sign):
        for i in np.flatnonzero(sign):
            unit, side = (m + 1, int(i)), int(sign[i])
            if unit in part.conditions:
                continue
            if m and (status[m - 1][bounds.layers[m].weights[i] != 0] == UNKNOWN).any():
                continue
            form = pre_activation(bounds.asked, *unit, status)
            if form is None:
                continue
            condition = Affine(tuple(side * w for w in form.weights), side * form.bias)
            if any(condition.weights):
                part.conditions[unit] = condition
                new.append(condition)
            elif condition.bias < 0:
                part.tree |= {"leaf": "thin", "multipliers": [[*unit, "1"]]}
                return True
    if not new or (part.point is not None and all(c(part.point) > 0 for c in new)):
        return False
    found = interior(list(part.conditions.values()), *_ends(part))
    if found is None:
        raise Undecided("exact simplex: step limit")
    part.point = found.point
    if found.multipliers is None:
        return False
    pairs = zip(part.conditions, found.multipliers, strict=True)
    part.tree |= {"leaf": "thin", "multipliers": [[*unit, str(y)] for unit, y in pairs if y]}
    return True


def _choose(part: Part, excess: list[np.ndarray]) -> tuple[int, int] | None:
    """The unit to split: below the circuit where the relaxation gives most away, else of the circuit.

    None if all is known.
    """
    bounds, asked = part.bounds, part.bounds.asked
    score = [np.zeros(len(row)) for row in bounds.low]
    for target in asked.targets:
        live = [j for j in target.live if bounds.status(target.layer - 1)[j] != OFF]
        if not live or target.layer == 1:
            continue
        weights, bias = bounds.layers[target.layer - 1]
        rows = np.vstack([weights[live], -weights[live]])
        _, seen = bounds.upper(target.layer, rows, np.concatenate([bias[live], -bias[live]]))
        for m, coef in zip(range(target.layer - 2, -1, -1), seen, strict=False):
            score[m] = np.maximum(score[m], np.nan_to_num(np.abs(coef), nan=0.0, posinf=1e300).max(axis=0))
    best, top = None, -1.0
    with np.errstate(all="ignore"):
        for m in range(asked.depth - 1):
            area = np.nan_to_num(bounds.high[m] * -bounds.low[m] / (bounds.high[m] - bounds.low[m]), nan=1e300)
            value = np.nan_to_num(score[m] * (area + 1e3 * excess[m]), nan=0.0)
            value[(bounds.status(m) != UNKNOWN) | (score[m] == 0)] = -1
            i = int(np.argmax(value))
            if value[i] > top:
                best, top = (m + 1, i), float(value[i])
    if best is not None and top >= 0:
        return best
    for target in asked.targets:
        for j in target.live:
            if bounds.status(target.layer - 1)[j] == UNKNOWN:
                return target.layer, j
    return _unknown_below(part)


def _unknown_below(part: Part) -> tuple[int, int] | None:
    """An unknown unit on which the circuit's form, or a sign condition that is not affine yet, may depend."""
    bounds, status = part.bounds, _statuses(part)
    pending = any(
        pre_activation(bounds.asked, m + 1, int(i), status) is None
        for m, sign in enumerate(bounds.sign)
        for i in np.flatnonzero(sign)
        if (m + 1, int(i)) not in part.conditions
    )
    if not pending and all(form is not None for form in circuit_form(bounds.asked, status)):
        return None
    for m, row in enumerate(status[:-1]):
        for i in np.flatnonzero(row == UNKNOWN):
            return m + 1, int(i)
    return None


def _witness(part: Part) -> Vector:
    """Every sign is known, the part has an interior, and some reader's form is not 0 on it:
    an input where it differs.
    """
    asked = part.bounds.asked
    low, high = _ends(part)
    point = part.point
    if point is None:
        point = tuple((a + b) / 2 for a, b in zip(low, high, strict=True))
    for form in circuit_form(asked, _statuses(part)):
        if form is not None and form != ZERO:
            affine = Affine(tuple(form[0].get(i, Fraction(0)) for i in asked.free), form[1])
            found = off_the_form(asked, affine, list(part.conditions.values()), point, low, high)
            if found is not None:
                return found
    raise Undecided("no witness found on a part where the circuit is not constant")

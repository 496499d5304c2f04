"""A unit of a net that a file lists operator by operator, given other parameters of the file, and what is edited there.

Weights and biases of a matrix, and the bias of a BatchNorm, are changed; scales and preprocessing stay as they are.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import partial
from math import prod
from typing import NamedTuple, TypeAlias

import numpy as np

from proof_of_absence.models.steps import Added, Dense, Op, Place, Scale, Shift, Steps, float_of, nearest_of

__all__ = ["Edits", "Uneditable", "below_last", "edited", "with_outputs", "with_unit"]

# What is done to the array that lies at a place, as float64 of the shape there.
Edits: TypeAlias = dict[Place, Callable[[np.ndarray], np.ndarray]]


class Uneditable(ValueError):
    """The file has no parameter that does it, or its type holds no such number."""


class _Behind(NamedTuple):
    """The last matrix of a layer, the number of its operator, and those behind it, which mix no units."""

    place: int
    matrix: Dense
    rest: tuple[Op, ...]

    def scale(self, unit: int, start: int = 0) -> Fraction:
        """What a unit's value is multiplied by, behind an operator of the rest."""
        return prod((op.factors[unit] for op in self.rest[start:] if isinstance(op, Scale)), start=Fraction(1))


def _last(steps: Steps) -> _Behind:
    places = [k for k, op in enumerate(steps.ops) if isinstance(op, Dense)]
    if not places:
        raise Uneditable("a layer has no matrix")
    matrix = steps.ops[places[-1]]
    assert isinstance(matrix, Dense)
    return _Behind(places[-1], matrix, steps.ops[places[-1] + 1 :])


def below_last(steps: Steps) -> tuple[Op, ...]:
    """The operators before the last matrix."""
    return steps.ops[: _last(steps).place]


def constant(steps: Steps) -> list[Fraction]:
    """The biases of the product of the operators."""
    value: list[Fraction] | None = None
    for op in steps.ops:
        match op:
            case Dense(weights):
                if value is None or not any(value):
                    value = [Fraction(0)] * len(weights)
                else:
                    read = [(j, number) for j, number in enumerate(value) if number]
                    rows = weights[:, [j for j, _ in read]].tolist()
                    value = [
                        sum((Fraction(w) * number for w, (_, number) in zip(row, read, strict=True)), Fraction(0))
                        for row in rows
                    ]
            case Shift(numbers):
                value = list(numbers) if value is None else [x + c for x, c in zip(value, numbers, strict=True)]
            case Scale(factors):
                value = (
                    [Fraction(0)] * len(factors)
                    if value is None
                    else [x * f for x, f in zip(value, factors, strict=True)]
                )
    assert value is not None
    return value


def with_unit(steps: Steps, unit: int, weights: np.ndarray, bias: float) -> Steps:
    """The layer in which a unit is near weights u + bias, u what the last matrix reads.

    Parameters
    ----------
    weights
        Shape (inputs of the last matrix).

    Raises
    ------
    Uneditable
        If the file has no parameters for it.
    """
    behind = _last(steps)
    scale = behind.scale(unit)
    if not scale:
        raise Uneditable("a BatchNorm multiplies the unit by 0")
    matrix = behind.matrix.weights.copy()
    matrix[unit] = _held(behind.matrix, weights, scale)
    ops = [*steps.ops]
    ops[behind.place] = replace(behind.matrix, weights=matrix)
    _shifted(ops, behind, {unit: Fraction(bias) - _added_to(behind.rest, unit)})
    return replace(steps, ops=tuple(ops))


def with_outputs(
    steps: Steps, units: Sequence[int], first: int, outgoing: np.ndarray, wanted: Sequence[Fraction]
) -> Steps:
    """The layer that reads nothing of some inputs, but for one of them: with it outputs move by near `outgoing`.

    Parameters
    ----------
    outgoing, wanted
        Shape (outputs): what the input `first` is multiplied by, and the biases of the product, nearly.

    Raises
    ------
    Uneditable
        If the file has no parameters for it.
    """
    dense = steps.dense
    matrix = steps.ops[dense] if dense < len(steps.ops) else None
    if not isinstance(matrix, Dense):
        raise Uneditable("a layer has no matrix")
    below = prod((op.factors[first] for op in steps.ops[:dense] if isinstance(op, Scale)), start=Fraction(1))
    if not below:
        raise Uneditable("a BatchNorm multiplies the unit by 0")
    column = _held(matrix, _through(steps.ops[dense + 1 :], outgoing / float(below)), Fraction(1))
    weights = matrix.weights.copy()
    # With its sign kept, 0 times a unit that is 0 is the very float that it was.
    weights[:, list(units)] = np.copysign(0.0, weights[:, list(units)])
    weights[:, first] = column
    ops = [*steps.ops]
    ops[dense] = replace(matrix, weights=weights)
    missing = {k: w - c for k, (w, c) in enumerate(zip(wanted, constant(replace(steps, ops=tuple(ops))), strict=True))}
    _shifted(ops, _last(replace(steps, ops=tuple(ops))), missing)
    return replace(steps, ops=tuple(ops))


def _through(behind: Sequence[Op], outgoing: np.ndarray) -> np.ndarray:
    """What is to leave the first matrix, so that nearly `outgoing` leaves the operators behind it."""
    width = next((op.weights.shape[1] for op in behind if isinstance(op, Dense)), len(outgoing))
    through = np.eye(width)
    for op in behind:
        match op:
            case Dense(weights):
                through = weights @ through
            case Scale(factors):
                through = np.array([float(f) for f in factors])[:, None] * through
            case Shift():
                pass
    if not np.isfinite(through).all() or not np.isfinite(outgoing).all():
        raise Uneditable("a product overflows")
    result: np.ndarray = np.linalg.lstsq(through, outgoing, rcond=None)[0]
    return result


def _held(matrix: Dense, wanted: np.ndarray, scale: Fraction) -> np.ndarray:
    """The nearest weights, over the scale, that may lie in the source; as they are used, times their factor."""
    if matrix.place is None or matrix.dtype is None:
        raise Uneditable("the weights of a layer lie nowhere in the file")
    with np.errstate(all="ignore"):
        numbers = (wanted / float(matrix.factor * scale)).astype(matrix.dtype).astype(np.float64)
    if not np.isfinite(numbers).all():
        raise Uneditable("a weight is beyond the range of its type")
    if matrix.factor == 1:
        return numbers
    used = [float_of(matrix.factor * Fraction(x)) for x in numbers.tolist()]
    held = [x for x in used if x is not None]
    if len(held) < len(used):
        raise Uneditable("the factor of a Gemm times a weight is no float")
    return np.array(held)


def _added_to(rest: Sequence[Op], unit: int) -> Fraction:
    """What the operators behind the last matrix make of 0."""
    value = Fraction(0)
    for op in rest:
        match op:
            case Shift(numbers):
                value += numbers[unit]
            case Scale(factors):
                value *= factors[unit]
            case Dense():
                raise AssertionError("behind the last matrix")
    return value


def _shifted(ops: list[Op], behind: _Behind, missing: dict[int, Fraction]) -> None:
    """Move the last bias of the source behind the last matrix, so that units have nearly so much more."""
    missing = {unit: number for unit, number in missing.items() if number}
    if not missing:
        return
    places = [k for k, op in enumerate(behind.rest) if isinstance(op, Shift) and op.added is not None]
    if not places:
        raise Uneditable("a layer has no bias behind its last matrix, or it lies nowhere in the file")
    op = behind.rest[places[-1]]
    assert isinstance(op, Shift) and op.added is not None
    numbers, array = list(op.numbers), op.added.numbers.copy()
    for unit, number in missing.items():
        scale = behind.scale(unit, places[-1]) * op.added.factor
        near = nearest_of(Fraction(array[unit]) + number / scale, op.added.dtype) if scale else None
        if near is None:
            raise Uneditable("a bias is beyond the range of its type, or multiplied by 0")
        numbers[unit] += op.added.factor * (Fraction(near) - Fraction(array[unit]))
        array[unit] = near
    ops[behind.place + 1 + places[-1]] = replace(op, numbers=numbers, added=replace(op.added, numbers=array))


def edited(before: Sequence[Steps], after: Sequence[Steps]) -> Edits | None:
    """What makes of a source of the one steps that of the others; None if more differs than it can say."""
    found: Edits = {}
    for one, other in zip(before, after, strict=True):
        if len(one.ops) != len(other.ops):
            return None
        for old, new in zip(one.ops, other.ops, strict=True):
            match old, new:
                case Dense(), Dense():
                    if old.place != new.place or old.weights.shape != new.weights.shape:
                        return None
                    cells = old.weights != new.weights
                    if cells.any():
                        if old.place is None:
                            return None
                        found[old.place] = partial(_in_cells, axis=old.place.inputs, cells=cells, new=new)
                case Shift(_, Added() as held), Shift(_, Added() as now):
                    if not np.array_equal(held.numbers, now.numbers):
                        found[held.place] = partial(_replaced, numbers=now.numbers)
                case Shift(numbers), Shift(others):
                    if numbers != others:
                        return None
                case Scale(numbers), Scale(others):
                    if numbers != others:
                        return None
                case _:
                    return None
    return found


def _in_cells(array: np.ndarray, *, axis: int, cells: np.ndarray, new: Dense) -> np.ndarray:
    """The array with the new weights in some cells; it has them as they are before the factor."""
    values = new.weights[cells]
    if new.factor != 1:
        # A sign of 0 goes with the factor's.
        values = np.array([float(Fraction(x) / new.factor) if x else x / float(new.factor) for x in values.tolist()])
    result = array.copy()
    result[cells if axis else cells.T] = values if axis else _turned(values, cells)
    return result


def _turned(values: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """The values of cells, in the order that they have in the transpose."""
    whole = np.zeros(cells.shape)
    whole[cells] = values
    result: np.ndarray = whole.T[cells.T]
    return result


def _replaced(array: np.ndarray, *, numbers: np.ndarray) -> np.ndarray:
    return numbers.reshape(array.shape)

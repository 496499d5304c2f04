"""Fewer hidden units in a file that lists several operators for a layer: which entries of its arrays go with them.

A unit has a row of the last matrix before its ReLU, a column of the first one behind, and entries between.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from proof_of_absence.models.editing import Edits
from proof_of_absence.models.steps import Dense, Op, Place, Scale, Shift, Steps

__all__ = ["then", "with_units"]

# Which entries stay, in order; None for all.
Kept = Sequence[int] | None


def with_units(steps: Sequence[Steps], kept: Sequence[Sequence[int]]) -> tuple[tuple[Steps, ...], Edits]:
    """The operators with some units of each hidden layer alone, and what is to be cut from the arrays of the source.

    Raises
    ------
    ValueError
        If a layer has no matrix, or an array has no axis of its own for the units.
    """
    found: list[Steps] = []
    edits: Edits = {}
    for number, one in enumerate(steps):
        places = [k for k, op in enumerate(one.ops) if isinstance(op, Dense)]
        if not places:
            raise ValueError("a layer has no matrix")
        inputs: Kept = kept[number - 1] if number else None
        outputs: Kept = kept[number] if number < len(kept) else None
        ops = []
        for k, op in enumerate(one.ops):
            rows = outputs if k >= places[-1] else inputs if k < places[0] else None
            ops.append(_cut(op, rows, inputs if k == places[0] else None, edits))
        found.append(replace(one, ops=tuple(ops)))
    return tuple(found), edits


def _cut(op: Op, rows: Kept, columns: Kept, edits: Edits) -> Op:
    match op:
        case Dense(weights, place):
            if place is not None:
                edits[place] = partial(_of_matrix, rows=rows, columns=columns, axis=place.inputs)
            return replace(op, weights=_of_matrix(weights, rows=rows, columns=columns, axis=1))
        case Scale(factors):
            _note(op.lie, len(factors), rows, edits)
            return op if rows is None else replace(op, factors=[factors[j] for j in rows])
        case Shift(numbers, added):
            _note(op.lie, len(numbers), rows, edits)
            if rows is None:
                return op
            held = added and replace(added, numbers=added.numbers[list(rows)])
            return replace(op, numbers=[numbers[j] for j in rows], added=held)


def _note(lie: Sequence[Place], width: int, rows: Kept, edits: Edits) -> None:
    if rows is None:
        return
    for place in lie:
        if not place.shape or place.shape[-1] != width:
            raise ValueError(f"a constant of shape {place.shape} has no last axis for the {width} units of its layer")
        edits[place] = partial(_of_vector, rows=rows)


def _of_matrix(array: np.ndarray, *, rows: Kept, columns: Kept, axis: int) -> np.ndarray:
    result = array if axis else array.T
    result = result if rows is None else result[list(rows)]
    result = result if columns is None else result[:, list(columns)]
    return np.ascontiguousarray(result if axis else result.T)


def _of_vector(array: np.ndarray, *, rows: Sequence[int]) -> np.ndarray:
    return np.take(array, list(rows), axis=-1)


def then(first: Edits, second: Edits) -> Edits:
    """One edit after the other."""
    return first | {
        place: partial(_both, first[place], edit) if place in first else edit for place, edit in second.items()
    }


def _both(
    first: Callable[[np.ndarray], np.ndarray], second: Callable[[np.ndarray], np.ndarray], array: np.ndarray
) -> np.ndarray:
    return second(first(array))

"""Features of a graph's end that are idle only together (C3): each varies, what they send to the outputs does not.

Found modulo a prime among the features that the outputs weigh, and shown exactly at every training row.
"""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np

from proof_of_absence.checker.construct.idle_sets import idle_sets
from proof_of_absence.checker.graph.features import End, ExactTable, GraphFeatures
from proof_of_absence.checker.graph.findings import Together
from proof_of_absence.checker.graph.readout import TOGETHER, Constants, Dependence
from proof_of_absence.checker.numbers.deadline import look, looking
from proof_of_absence.checker.numbers.intervals import Interval
from proof_of_absence.checker.passes.dependence import Relations
from proof_of_absence.checker.passes.modular import PRIMES, SURPLUS, residues
from proof_of_absence.checker.passes.rows import distinct_rows
from proof_of_absence.models.graph import Graph

__all__ = ["idle_together", "together_fired"]


def idle_together(
    graph: Graph, end: End, inputs: np.ndarray, constants: Constants, dependence: Dependence
) -> tuple[tuple[Together, ...], str]:
    """The minimal sets of features that are idle together, and what was not decided, or nothing.

    Constant features are no part of them, but alone where no idle unit below shows why they are.

    Raises
    ------
    ValueError
        If the features are not rational, or too many.
    OutOfTime
        If the deadline in force passes.
    """
    read = (end.weights != 0).any(axis=0)
    alone = [Together((entry,)) for entry in constants.joined if read[entry]]
    entries = np.array([j for j in np.flatnonzero(read).tolist() if j not in constants.values], dtype=np.int64)
    # What is independent is never idle together.
    if dependence.independent and not len(dependence.kernel.directions) > len(constants.values):
        return tuple(alone), ""
    if len(entries) < 2:
        return tuple(alone), ""
    surplus = len(entries) + 1 - len(distinct_rows(inputs))
    if surplus > SURPLUS:
        return tuple(alone), f"the features outnumber the distinct inputs by {surplus:,}"
    weights = end.weights[:, entries]
    prime = next((p for p in PRIMES if ((residues(weights, p) != 0) == (weights != 0)).all()), None)
    if prime is None:
        return tuple(alone), "each prime at hand divides a weight"
    table = ExactTable(graph, end.node, inputs, entries)
    relations = Relations(table, np.zeros(0), prime)
    relations.see_all()
    if not relations.basis.shape[1]:
        return tuple(alone), ""
    found, left = idle_sets(
        relations.basis[1:], residues(weights, prime), prime,
        lambda sets: [_is_idle(table, weights, one) for one in sets], lambda k: str(entries[k]),
    )  # fmt: skip
    sets = [Together(tuple(entries[one].tolist()), tuple(_apart(table, k) for k in one.tolist())) for one in found]
    return (*alone, *sets), f"sets that are idle together are not all listed: {'; '.join(left)}" if left else ""


def _apart(table: ExactTable, column: int) -> tuple[int, int]:
    """Two rows at which a feature differs."""
    values = table.fractions(np.arange(table.rows))[:, column]
    return 0, int((values != values[0]).argmax())


def _is_idle(table: ExactTable, weights: np.ndarray, members: np.ndarray) -> bool:
    """Whether each output receives one value from these features at every row, exactly."""
    own = _fractions(weights[:, members]).T
    first = table.fractions(np.zeros(1, dtype=np.int64))[:, members].dot(own)
    for start in looking(range(0, table.rows, TOGETHER)):
        rows = np.arange(start, min(start + TOGETHER, table.rows))
        if (table.fractions(rows)[:, members].dot(own) != first).any():
            return False
    return True


def together_fired(features: GraphFeatures, found: Sequence[Together]) -> tuple[Together, ...]:
    """The same sets, with the deployment rows at which an output receives another value from them, exactly.

    Raises
    ------
    ValueError
        If a feature is no rational number.
    OutOfTime
        If the deadline in force passes.
    """
    fires: list[list[int]] = [[] for _ in found]
    exact = [_sent(features, one.features, "training", [0])[0] for one in found]
    for start in looking(range(0, features.counts["deployment"], TOGETHER)):
        rows = list(range(start, min(start + TOGETHER, features.counts["deployment"])))
        table = features.rows("deployment", rows)
        for k, one in enumerate(found):
            look()
            members, weights = list(one.features), features.end.weights[:, list(one.features)]
            sums = table[:, [j + 1 for j in members]] @ weights.T
            near = np.array(list(map(float, exact[k])))
            apart = sums - Interval(near, np.abs(near) * 2.0**-50 + 2.0**-1000)
            with np.errstate(invalid="ignore"):
                differs = (np.abs(apart.value) > apart.error).any(axis=1)
            open_ = [rows[i] for i in np.flatnonzero(~differs)]
            other = (_sent(features, one.features, "deployment", open_) != exact[k]).any(axis=1) if open_ else ()
            differs[~differs] = other
            fires[k] += [rows[i] for i in np.flatnonzero(differs)]
    return tuple(replace(one, fires=tuple(rows)) for one, rows in zip(found, fires, strict=True))


def _sent(features: GraphFeatures, members: Sequence[int], part: str, rows: Sequence[int]) -> np.ndarray:
    """What each output receives from these features, Fractions, shape (rows, outputs)."""
    table = ExactTable(
        features.graph, features.end.node, features.parts[part][list(rows)], np.array(members, dtype=np.int64)
    )
    own = _fractions(features.end.weights[:, list(members)]).T
    return np.asarray(table.fractions(np.arange(len(rows))).dot(own))


def _fractions(weights: np.ndarray) -> np.ndarray:
    return np.asarray(np.frompyfunc(Fraction, 1, 1)(weights.astype(object)), dtype=object)

"""The triangle relaxation of a part of the box as a float LP (Ehlers 2017): its duals become multipliers of a
rigorous bound.

Nothing here is trusted: `Bounds.upper` proves whatever bound the multipliers give, and a point counts after exact
replay.
"""

import os
import sys
import threading
from collections.abc import Sequence
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from proof_of_absence.checker.numbers.deadline import left, look
from proof_of_absence.checker.region.bounds import OFF, ON, UNKNOWN, Bounds, Multipliers

__all__ = ["Relaxed", "largest", "solve_lp"]

_own, _lock = threading.local(), threading.Lock()


class Relaxed(NamedTuple):
    """A float optimum: the input, its value, the multipliers, and for each layer below how far
    each unit is above its relu.
    """

    point: np.ndarray
    value: float
    dual: Multipliers
    excess: tuple[np.ndarray, ...]


class Solved(NamedTuple):
    """A float solution of an LP in the form of `solve_lp`."""

    x: np.ndarray
    value: float
    row_dual: np.ndarray
    column_dual: np.ndarray


def solve_lp(
    cost: np.ndarray, rows: np.ndarray, row_low: np.ndarray, row_high: np.ndarray, low: np.ndarray, high: np.ndarray
) -> Solved | None:
    """Maximise cost . x, row_low <= rows x <= row_high, low <= x <= high, by HiGHS in floats; None without an optimum.

    Raises
    ------
    ImportError
        If highspy is not installed (the extra `audit`).
    """
    highspy = _highspy()
    lp = highspy.HighsLp()
    count, size = rows.shape
    lp.num_col_, lp.num_row_ = size, count
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = -cost, low, high
    lp.row_lower_, lp.row_upper_ = row_low, row_high
    at, columns = np.nonzero(rows)
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_ = np.searchsorted(at, np.arange(count + 1)).astype(np.int32)
    lp.a_matrix_.index_ = columns.astype(np.int32)
    lp.a_matrix_.value_ = rows[at, columns]
    solver = _solver()
    if solver.passModel(lp) == highspy.HighsStatus.kError:
        return None
    look()
    # The limit counts from the start of the solver. What it stops has no optimum, and the next look ends the search.
    there = left()
    solver.setOptionValue("time_limit", solver.getRunTime() + there)
    solver.run()
    look()
    if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        return None
    found = solver.getSolution()
    x = np.array(found.col_value)
    return Solved(x, float(cost @ x), np.array(found.row_dual), np.array(found.col_dual))


def _highspy() -> ModuleType:
    try:
        import highspy
    except ImportError as error:
        raise ImportError("region queries need highspy: install proof-of-absence[audit]") from error
    return highspy


def _solver() -> Any:
    """One solver for each thread.

    HiGHS writes a banner to the process's standard output when it first starts: it is kept out.
    """
    if not hasattr(_own, "solver"):
        with _lock:
            sys.stdout.flush()
            kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
            try:
                os.dup2(nowhere, 1)
                _own.solver = _highspy().Highs()
            finally:
                os.dup2(kept, 1)
                os.close(kept)
                os.close(nowhere)
        for option, value in (("output_flag", False), ("threads", 1), ("presolve", "off")):
            _own.solver.setOptionValue(option, value)
    return _own.solver


@np.errstate(all="ignore")
def largest(bounds: Bounds, layer: int, row: np.ndarray, bias: float) -> Relaxed | None:
    """Maximise row . h + bias over the relaxation, h what layer - 1 sends; None if HiGHS gives no optimum."""
    below = layer - 1
    sizes = [len(bounds.box[0]), *(len(bounds.low[m]) for m in range(below))]
    begin = np.concatenate([[0], np.cumsum(sizes)])
    low, high = np.zeros(begin[-1]), np.full(begin[-1], np.inf)
    low[: sizes[0]], high[: sizes[0]] = bounds.box
    blocks, lowest, highest, kinds = [], [], [], []
    for m in range(below):
        weights, bias_m = bounds.layers[m]
        status, sign = bounds.status(m), bounds.sign[m]
        slope, intercept = bounds.chord(m)
        here, under = slice(begin[m + 1], begin[m + 2]), slice(begin[m], begin[m + 1])
        on, unknown = np.flatnonzero(status == ON), np.flatnonzero(status == UNKNOWN)
        off = np.flatnonzero((status == OFF) & (sign == OFF))
        low[here] = np.where((status == ON) & (sign != ON), -np.inf, 0)
        high[here] = np.where(status == OFF, 0, np.inf)
        for kind, units, factor, own in (("on", on, 1, -1), ("under", unknown, 1, -1),
                                         ("over", unknown, slope, -1), ("off", off, 1, 0)):  # fmt: skip
            if not len(units):
                continue
            scale = np.broadcast_to(np.asarray(factor, dtype=float), status.shape)[units]
            block = np.zeros((len(units), begin[-1]))
            block[:, under] = scale[:, None] * weights[units]
            block[np.arange(len(units)), begin[m + 1] + units] = own
            right = -scale * bias_m[units] - (intercept[units] if kind == "over" else 0)
            blocks.append(block)
            lowest.append(right if kind in ("on", "over") else np.full(len(units), -np.inf))
            highest.append(right if kind != "over" else np.full(len(units), np.inf))
            kinds.append((kind, m, units))
    cost = np.zeros(begin[-1])
    cost[begin[below] :] = row
    rows = np.vstack(blocks) if blocks else np.zeros((0, begin[-1]))
    row_low, row_high = (np.concatenate(part) if part else np.zeros(0) for part in (lowest, highest))
    if not np.isfinite(rows).all() or np.isnan(row_low).any() or np.isnan(row_high).any():
        return None
    found = solve_lp(cost, rows, row_low, row_high, low, high)
    if found is None or not np.isfinite(found.x).all():
        return None
    return Relaxed(found.x[: sizes[0]], found.value + bias, *_duals(bounds, below, begin, kinds, found))


def _duals(
    bounds: Bounds, below: int, begin: np.ndarray, kinds: Sequence[tuple[str, int, np.ndarray]], found: Solved
) -> tuple[Multipliers, tuple[np.ndarray, ...]]:
    columns = [np.maximum(found.column_dual[begin[m + 1] : begin[m + 2]], 0) for m in range(below)]
    alpha = [bounds.alpha(m) for m in range(below)]
    beta = [np.where((bounds.sign[m] == ON) & (bounds.status(m) == ON), columns[m], 0) for m in range(below)]
    at = 0
    for kind, m, units in kinds:
        dual = np.maximum(-found.row_dual[at : at + len(units)], 0)
        at += len(units)
        if kind == "off":
            beta[m][units] = dual
        elif kind == "under":
            total = dual + columns[m][units]
            ratio = np.clip(np.divide(dual, total, out=alpha[m][units], where=total > 0), 0, 1)
            alpha[m][units] = np.rint(ratio * 2**20) / 2**20
    values, excess = found.x[: begin[1]], []
    for m in range(below):
        weights, bias = bounds.layers[m]
        own = found.x[begin[m + 1] : begin[m + 2]]
        excess.append(np.where(bounds.status(m) == UNKNOWN, own - np.maximum(weights @ values + bias, 0), 0))
        values = own
    return Multipliers(tuple(alpha), tuple(beta)), tuple(excess)

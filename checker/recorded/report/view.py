"""What the reports of recorded activations say, in words: the answer first, then a table for each layer."""

from collections.abc import Callable, Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from proof_of_absence.checker.recorded.findings import (
    CLEAN,
    FINDINGS,
    SCOPE,
    UNDECIDED,
    Constant,
    LayerFindings,
    Prices,
    RecordedAudit,
)
from proof_of_absence.checker.screen.answers import Answer, Report, Table
from proof_of_absence.checker.screen.spread import ORDER, bars, spread

__all__ = ["report_of"]

# Columns, and sets of them, that a line names.
_MOST, _SETS = 8, 3


def report_of(audit: RecordedAudit, limit: int = 50) -> Report:
    """What stands in the reports; tables are cut to `limit` rows."""
    state = STATES.get(audit.exit_code, "clean")
    told = answers(audit), tables(audit, limit)
    return Report("recorded activations", state, headline(audit), *told, SCOPE, "recorded.json")


def headline(audit: RecordedAudit) -> str:
    """The answer in one or two sentences."""
    still = sum(len(layer.constant) for layer in audit.layers)
    wakes = sum(one.moves > 0 for layer in audit.layers for one in layer.constant)
    joint = sum(len(layer.joint) for layer in audit.layers)
    free = sum(_free(layer) for layer in audit.layers)
    deployed = any(layer.deploy for layer in audit.layers)
    if audit.exit_code == UNDECIDED:
        return "Nothing found, but something is undecided: this is not a pass."
    if audit.exit_code == CLEAN:
        return "No column is constant in training, alone or with others."
    told = f"{_count(still, 'column') if still else 'No column'} constant in training"
    told += f", {joint:,}{' more' if still else ''} only together with others" if joint else ""
    if not deployed:
        return f"{told}; no deployment rows were recorded."
    told += f"; {wakes if wakes else 'none'} of them {_verb(wakes, 'moves')} in deployment." if still else "."
    return f"{told} Moving the answer is free at {_count(free, 'deployment row')}." if free else told


def answers(audit: RecordedAudit) -> tuple[Answer, ...]:
    """The answers that stand above all tables; questions without an answer are left out."""
    asked = (
        Answer("What is constant on the training rows", _lines(audit, _constant)),
        Answer("What is constant only together", _lines(audit, _together)),
        Answer("What of it moves in deployment", _lines(audit, _moving)),
        Answer("Where the answer moves for free, through this layer alone", _lines(audit, _where_free)),
        Answer("What it costs elsewhere, at most", _lines(audit, _costs)),
        Answer("How prices are known", _lines(audit, _known)),
        Answer("What is not decided", tuple(f"{x.name}: {line}" for x in audit.layers for line in x.undecided)),
    )
    return tuple(answer for answer in asked if answer.lines)


def _lines(audit: RecordedAudit, say: Callable[[LayerFindings], str]) -> tuple[str, ...]:
    return tuple(f"{layer.name}: {line}" for layer in audit.layers if (line := say(layer)))


def _constant(layer: LayerFindings) -> str:
    still = layer.constant
    zero = [one for one in still if one.value == 0]
    told = f"{len(still)} of {_count(layer.columns, 'column')} on {layer.rows:,} rows"
    return f"{told}, {len(zero)} of them 0 (dead): {_named(still)}" if still else told


def _together(layer: LayerFindings) -> str:
    if not layer.joint:
        return ""
    shown = "; ".join("{" + ", ".join(map(str, one.columns[:_MOST])) + "}" for one in layer.joint[:_SETS])
    more = f" and {len(layer.joint) - _SETS} more" if len(layer.joint) > _SETS else ""
    return f"{_count(len(layer.joint), 'set')}: {shown}{more}; the rank with a constant is {layer.rank.low}"


def _moving(layer: LayerFindings) -> str:
    if not (layer.deploy and layer.constant):
        return ""
    awake = [one for one in layer.constant if one.moves]
    rows = int((layer.moving > 0).sum())
    told = f"{len(awake)} of {len(layer.constant)}, at {rows:,} of {_count(layer.inputs, 'deployment row')}"
    return f"{told}: {_named(awake)}" if awake else told


def _where_free(layer: LayerFindings) -> str:
    if layer.priced is None or layer.priced.penalty:
        return ""
    told = []
    for part in ("deployment", "test"):
        if part in layer.priced.parts:
            free = layer.priced.parts[part].free
            rows = np.flatnonzero(free >= 0)
            listed = ", ".join(map(str, rows[:_MOST])) + (" ..." if len(rows) > _MOST else "")
            where = f"{len(rows):,} of {_count(len(free), f'{part} row')}"
            told += [f"{where}, where a relation of training is broken: {listed}"] if len(rows) else []
    return "; ".join(told)


def _costs(layer: LayerFindings) -> str:
    if layer.priced is None:
        return ""
    move, told = number(float(layer.priced.move)), []
    for part in ("deployment", "test"):
        if part in layer.priced.parts and len(paid := np.flatnonzero(layer.priced.parts[part].free < 0)):
            prices = layer.prices[part]
            order = paid[np.argsort(prices[paid, 0], kind="stable")]
            least, most = (f"{_range(prices[row])} ({part} row {row})" for row in (order[0], order[-1]))
            told.append(f"{least} to {most}")
    return f"a move by {move} raises the mean training loss by {'; by '.join(told)}" if told else ""


def _known(layer: LayerFindings) -> str:
    if layer.priced is None:
        return ""
    return "as exact rationals" if layer.priced.exact else "in rigorous bounds: more than is told exactly"


def tables(audit: RecordedAudit, limit: int) -> tuple[Table, ...]:
    """For each layer its constant columns, its cheapest deployment rows, both cut to `limit`, and a histogram."""
    found = []
    for layer in audit.layers:
        found += [_columns(layer, limit)] if layer.constant else []
        if layer.priced:
            found += [_rows(layer, layer.priced, limit)] if "deployment" in layer.priced.parts else []
            found.append(_spread(layer, layer.priced))
    return tuple(found)


def _columns(layer: LayerFindings, limit: int) -> Table:
    order = sorted(layer.constant, key=lambda one: (-one.moves, one.column))
    rows = tuple(
        (str(one.column), number(one.value), f"{one.moves:,}" if layer.deploy else "not looked at")
        for one in order[:limit]
    )
    heads = (">column", ">its value in training", ">deployment rows where it moves")
    return Table(f"{layer.name}: constant columns", heads, rows, max(0, len(order) - limit))


def _rows(layer: LayerFindings, priced: Prices, limit: int) -> Table:
    listed, prices = priced.parts["deployment"], layer.prices["deployment"]
    leverage, free = listed.leverage, listed.free
    order = np.lexsort((-np.nan_to_num(leverage[:, 0], nan=np.inf), prices[:, 0]))
    rows = tuple(
        (str(row), "outside", "free") if free[row] >= 0 else (str(row), _range(leverage[row]), _range(prices[row]))
        for row in order[:limit].tolist()
    )
    title = f"{layer.name}: deployment rows, cheapest first (the mean training row has h = {_mean(layer)})"
    return Table(title, (">row", ">leverage h", ">price"), rows, max(0, len(order) - limit))


def _spread(layer: LayerFindings, priced: Prices) -> Table:
    """A histogram of the prices of all parts, by their upper bounds."""
    parts = [part for part in ORDER if part in priced.parts]
    told = spread({part: [_size(price) for price in layer.prices[part][:, 1].tolist()] for part in parts})
    labels = [end if isinstance(end, str) else f"{float(end):.3g}" for end in told.ends]
    rows = tuple(zip(labels, *(bars(told.counts[part]) for part in parts), strict=True))
    listed = len(priced.parts["training"].rows)
    some = f", of {layer.rows:,} training rows {listed:,}" if listed < layer.rows else ""
    return Table(f"{layer.name}: rows by their price{some}", (">price at most", *(f">{part}" for part in parts)), rows)


def _size(price: float) -> Fraction | None:
    return Fraction(price) if np.isfinite(price) else None


def _mean(layer: LayerFindings) -> str:
    """The leverages of all training rows add up to the rank, if there is no penalty."""
    penalised = layer.priced is not None and layer.priced.penalty
    return f"{'at most ' if penalised else ''}{layer.rank.low / layer.rows:.3g}"


def _free(layer: LayerFindings) -> int:
    """Deployment rows where a move is free."""
    if layer.priced is None or "deployment" not in layer.priced.parts:
        return 0
    return int((layer.priced.parts["deployment"].free >= 0).sum())


def _range(bounds: NDArray[np.float64]) -> str:
    """One number where both ends agree to four digits, else both."""
    low, high = (f"{x:.4g}" for x in bounds.tolist())
    return low if low == high else f"{low} to {high if np.isfinite(bounds[1]) else 'unknown'}"


def number(value: float) -> str:
    """A number in at most nine digits; the certificate has every bit.

    Examples
    --------
    >>> number(0.0), number(0.1)
    ('0', '0.1')
    """
    return f"{value:.9g}"


def _named(columns: Sequence[Constant]) -> str:
    names = ", ".join(str(one.column) for one in columns[:_MOST])
    return names + (f" and {len(columns) - _MOST} more" if len(columns) > _MOST else "")


def _count(amount: int, what: str) -> str:
    return f"{amount:,} {what}{'' if amount == 1 else 's'}"


def _verb(amount: int, singular: str) -> str:
    return singular if amount == 1 else singular.removesuffix("s")


STATES = {FINDINGS: "findings", UNDECIDED: "undecided"}

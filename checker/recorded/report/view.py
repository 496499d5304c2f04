"""What the reports of recorded activations say, in words: the answer first, then a table for each layer."""

from dataclasses import dataclass

from proof_of_absence.checker.recorded.findings import FINDINGS, UNDECIDED, Constant, LayerFindings, RecordedAudit

__all__ = ["Answer", "Table", "answers", "headline", "number", "tables"]

# Columns that a line names.
_MOST = 8


@dataclass(frozen=True)
class Answer:
    """A question, and lines that answer it."""

    question: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """A table of one layer; `more` rows are not shown."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    more: int = 0


def headline(audit: RecordedAudit) -> str:
    """The answer in one sentence."""
    still = sum(len(layer.constant) for layer in audit.layers)
    wakes = sum(one.moves > 0 for layer in audit.layers for one in layer.constant)
    match audit.exit_code:
        case 1:
            told = f"{_count(still, 'column')} constant in training"
            if any(layer.deploy for layer in audit.layers):
                return f"{told}; {wakes if wakes else 'none'} of them {_verb(wakes, 'moves')} in deployment."
            return f"{told}; no deployment rows were recorded."
        case 3:
            return "Nothing found, but something is undecided: this is not a pass."
        case _:
            return "No column is constant in training."


def answers(audit: RecordedAudit) -> tuple[Answer, ...]:
    """The answers that stand above all tables; questions without an answer are left out."""
    asked = (
        Answer("What is constant on the training rows", _lines(audit, _constant)),
        Answer("What of it moves in deployment", _lines(audit, _moving)),
        Answer("What is not decided", tuple(f"{x.name}: {line}" for x in audit.layers for line in x.undecided)),
    )
    return tuple(answer for answer in asked if answer.lines)


def _lines(audit: RecordedAudit, say: "object") -> tuple[str, ...]:
    assert callable(say)
    return tuple(f"{layer.name}: {line}" for layer in audit.layers if (line := say(layer)))


def _constant(layer: LayerFindings) -> str:
    still = layer.constant
    zero = [one for one in still if one.value == 0]
    told = f"{len(still)} of {_count(layer.columns, 'column')} on {layer.rows:,} rows"
    return f"{told}, {len(zero)} of them 0 (dead): {_named(still)}" if still else told


def _moving(layer: LayerFindings) -> str:
    if not (layer.deploy and layer.constant):
        return ""
    awake = [one for one in layer.constant if one.moves]
    rows = int((layer.moving > 0).sum())
    told = f"{len(awake)} of {len(layer.constant)}, at {rows:,} of {_count(layer.inputs, 'deployment row')}"
    return f"{told}: {_named(awake)}" if awake else told


def tables(audit: RecordedAudit, limit: int) -> tuple[Table, ...]:
    """The constant columns of each layer, those that move at the most rows first, cut to `limit` rows."""
    return tuple(_table(layer, limit) for layer in audit.layers if layer.constant)


def _table(layer: LayerFindings, limit: int) -> Table:
    order = sorted(layer.constant, key=lambda one: (-one.moves, one.column))
    rows = tuple(
        (str(one.column), number(one.value), f"{one.moves:,}" if layer.deploy else "not looked at")
        for one in order[:limit]
    )
    heads = ("column", "its value in training", "deployment rows where it moves")
    return Table(f"{layer.name}: constant columns", heads, rows, max(0, len(order) - limit))


def number(value: float) -> str:
    """A number in at most nine digits; the certificate has every bit.

    Examples
    --------
    >>> number(0.0), number(0.1)
    ('0', '0.1')
    """
    return f"{value:.9g}"


def _named(columns: "list[Constant] | tuple[Constant, ...]") -> str:
    names = ", ".join(str(one.column) for one in columns[:_MOST])
    return names + (f" and {len(columns) - _MOST} more" if len(columns) > _MOST else "")


def _count(amount: int, what: str) -> str:
    return f"{amount:,} {what}{'' if amount == 1 else 's'}"


def _verb(amount: int, singular: str) -> str:
    return singular if amount == 1 else singular.removesuffix("s")


STATES = {FINDINGS: "findings", UNDECIDED: "undecided"}

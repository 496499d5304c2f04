"""What a report says of the features that the outputs read: independence, sets idle together, readout prices."""

from fractions import Fraction

from proof_of_absence.checker.construct.priced import PricedInput
from proof_of_absence.checker.graph.findings import GraphEnd
from proof_of_absence.checker.screen.answers import Table

__all__ = ["independence_lines", "price_lines", "price_table", "together_lines", "together_rows"]

_NAMED = 4


def together_lines(end: GraphEnd | None) -> list[str]:
    """The sets that are idle only together, a line each."""
    return [f"{end.name}: {_set(end, one.features)}, only together" for one in end.together] if end else []


def together_rows(end: GraphEnd | None) -> list[tuple[str, tuple[int, ...]]]:
    """Sets that fire in deployment, with the rows."""
    return [(_set(end, one.features), one.fires) for one in end.together if one.fires] if end else []


def independence_lines(end: GraphEnd | None) -> list[str]:
    """Whether the features are independent in training (C9)."""
    if end is None or end.readout is None:
        return []
    found = end.readout.readout
    features, told = _count(len(found.columns) - 1 + len(found.directions), "feature"), end.readout.independent
    constant = [one for one in found.directions if len([j for j, _ in one if j]) == 1]
    depend = len(found.directions) - len(constant)
    parts = [f"{len(constant):,} constant in training"] * bool(constant)
    parts += [f"{depend:,} that others make up exactly"] * bool(depend)
    rest = f", but for {' and '.join(parts)}" if parts else ""
    if not told:
        return [f"The outputs read {features} of {end.name}{rest}; whether others depend on each other is not shown."]
    line = f"The outputs read {features} of {end.name}: linearly independent, with 1, in training{rest}."
    return [line, *(["So no set of them is idle only together (C9)."] if end.none_together else [])]


def price_lines(end: GraphEnd | None) -> list[str]:
    """The cheapest move at a deployment input beside what is usual."""
    if end is None or end.readout is None or not end.readout.readout.deployment:
        return []
    found = end.readout.readout
    free = [one.row for one in found.deployment if one.free is not None]
    lines = []
    if free:
        rows = ", ".join(map(str, free[:_NAMED])) + (f" and {len(free) - _NAMED:,} more" if len(free) > _NAMED else "")
        lines.append(f"Free at {_count(len(free), 'deployment input')} (rows {rows}): no training output changes.")
    paid = sorted((one for one in found.deployment if one.price), key=_order)
    if paid:
        usual = [(part, sorted((one for one in found.part(part) if one.price), key=_order)) for part in
                 ("training", "deployment")]  # fmt: skip
        halves = ", ".join(f"{part} {_price(ranked[len(ranked) // 2])}" for part, ranked in usual if ranked)
        lines.append(f"At row {paid[0].row} at most {_price(paid[0])}. The median at most: {halves}.")
        move = "becomes another class" if found.move is None else f"moves by {float(found.move):.6g}"
        lines.append(f"A price is the mean square of what the training outputs change by if the answer {move}.")
    return lines


def price_table(end: GraphEnd | None, limit: int) -> list[Table]:
    """The deployment inputs from the cheapest to move, cut to `limit` rows."""
    if end is None or end.readout is None or not end.readout.readout.deployment:
        return []
    ranked = sorted(end.readout.readout.deployment, key=_order)
    rows = tuple((str(one.row), _price(one), _leverage(one), _moved_by(end, one)) for one in ranked[:limit])
    heads = (">row", ">price at most", ">leverage at least", "moved by")
    return [Table("Readout prices of deployment inputs", heads, rows, max(0, len(ranked) - limit))]


def _order(one: PricedInput) -> tuple[bool, Fraction, int]:
    size = Fraction(0) if one.price is None else one.price[1]
    return size is None, size or Fraction(0), one.row


def _price(one: PricedInput) -> str:
    if one.price is None:
        return "0"
    return "not known" if one.price[1] is None else _short(one.price[1])


def _leverage(one: PricedInput) -> str:
    return "none" if one.leverage is None else _short(one.leverage[0])


def _moved_by(end: GraphEnd, one: PricedInput) -> str:
    if one.free is None or end.readout is None:
        return "all" if one.leverage and one.leverage[1] is not None else "all; no lower bound is shown"
    terms = end.readout.readout.directions[one.free]
    return "free: " + _set(end, tuple(j - 1 for j, _ in terms if j)) + (" and the bias" if 0 in dict(terms) else "")


def _set(end: GraphEnd, features: tuple[int, ...]) -> str:
    shown = " + ".join(end.feature_name(entry) for entry in features[:_NAMED])
    return shown + (f" and {len(features) - _NAMED:,} more" if len(features) > _NAMED else "")


def _short(value: Fraction) -> str:
    """In three digits; the JSON report has all."""
    try:
        return f"{float(value):.3g}"
    except OverflowError:
        return "more than 1e308"


def _count(amount: int, what: str) -> str:
    return f"{amount:,} {what}{'' if amount == 1 else 's'}"

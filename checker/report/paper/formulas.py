"""Small nets and data of certificates as formulas, and the graphs of two nets of the line that agree in
training and differ beyond.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise

from proof_of_absence.checker.report.paper.curve import curve_graph
from proof_of_absence.checker.report.paper.typeset import define, math
from proof_of_absence.checker.report.paper.values import facts_of, places
from proof_of_absence.checker.report.price_curve import curve_in

__all__ = ["formulas"]

# What fits in a line of text: hidden units, inputs of a net, rows that differ.
UNITS, DIMENSION, ROWS = 7, 2, 8
# Of the picture, in points; and how far it goes beyond the inputs.
WIDTH, HEIGHT, MARGIN = 330, 110, Fraction(1, 5)


def formulas(name: str, fact: dict) -> Iterator[str]:
    """The lines that tell the paper the nets, data and inputs of an obligation's fact, where they are small;
    and its graph, if it has one.
    """
    for place, part in places(name, fact):
        for key, value in part.items():
            is_net = key in ("net", "left", "right", "before", "after") and isinstance(value, list)
            if is_net:
                yield define("widths", f"{place}.{key}", math(r"\to".join(map(str, _widths(value)))))
            if is_net and _is_small(value):
                units, formula = _net(value)
                yield define("units", f"{place}.{key}", ", ".join(units))
                yield define("net", f"{place}.{key}", formula)
            elif key == "data" and len(rows := _rows(value)) <= ROWS:
                yield define("data", place, ", ".join(rows))
            elif key in ("input", "fires") and isinstance(value, list) and value:
                yield define("input", place, math(_vector(value)))
    if curve := curve_in(fact):
        yield define("graph", name, curve_graph(curve))
        yield define("sizes", name, ", ".join(math(str(size)) for size in curve.sizes))
    elif picture := _graph(facts_of(fact)):
        yield define("graph", name, picture)


def _widths(net: list[dict]) -> list[int]:
    return [len(net[0]["weights"][0]), *(len(layer["weights"]) for layer in net)]


def _is_small(net: list[dict]) -> bool:
    inputs, *hidden, _ = _widths(net)
    return inputs <= DIMENSION and sum(hidden) <= UNITS


def _net(net: list[dict]) -> tuple[list[str], str]:
    """The hidden units by name and the output; of a shallow net with one output, the output in one formula."""
    *hidden, last = net
    names = ["z"] if len(net[0]["weights"][0]) == 1 else [f"z_{k}" for k, _ in enumerate(net[0]["weights"][0], 1)]
    units = []
    for depth, layer in enumerate(hidden, 1):
        values = [rf"\relu({_sum(row, names, b)})" for row, b in zip(layer["weights"], layer["bias"], strict=True)]
        if len(hidden) == len(last["weights"]) == 1:
            names = values
            continue
        names = [rf"h_{{{f'{depth}{j}' if len(hidden) > 1 else j}}}" for j, _ in enumerate(values, 1)]
        units += [math(f"{unit}={value}") for unit, value in zip(names, values, strict=True)]
    return units, math(_tuple([_sum(row, names, c) for row, c in zip(last["weights"], last["bias"], strict=True)]))


def _tuple(entries: Sequence[str]) -> str:
    return entries[0] if len(entries) == 1 else r"\bigl(" + r",\ ".join(entries) + r"\bigr)"


def _sum(coefficients: Sequence[str], names: Sequence[str], constant: str) -> str:
    terms = [_term(Fraction(q), name) for q, name in zip(coefficients, names, strict=True) if Fraction(q)]
    if Fraction(constant) or not terms:
        terms.append(_term(Fraction(constant), ""))
    return "".join(term if k == 0 or term.startswith("-") else f"+{term}" for k, term in enumerate(terms))


def _term(coefficient: Fraction, name: str) -> str:
    """The coefficient and what it multiplies; of the constant term, the name is empty."""
    sign, size = "-" if coefficient < 0 else "", abs(coefficient)
    if size == 1 and name:
        return f"{sign}{name}"
    if size.denominator == 1:
        return f"{sign}{size}{name}"
    return rf"{sign}\tfrac{{{size.numerator}}}{{{size.denominator}}}{name}"


def _vector(entries: Sequence[str]) -> str:
    return entries[0] if len(entries) == 1 else f"({','.join(entries)})"


def _rows(data: dict) -> list[str]:
    """Each example that differs from the others, and how often it occurs."""
    pairs = zip(data["inputs"], data["targets"], strict=True)
    counts = Counter(math(rf"{_vector(z)}\mapsto{_vector(y)}") for z, y in pairs)
    return [row if count == 1 else f"{row} ({count} times)" for row, count in counts.items()]


def _graph(parts: Sequence[dict]) -> str | None:
    """Both nets, the targets, and the input at which they differ; None where the fact is about something else."""
    differ = next((part for part in parts if part["kind"] == "different-outputs"), None)
    data = next((part["data"] for part in parts if "data" in part), None)
    if differ is None or data is None or len(differ["input"]) != 1 or len(data["targets"][0]) != 1:
        return None
    points = sorted((Fraction(z), Fraction(y)) for (z,), (y,) in zip(data["inputs"], data["targets"], strict=True))
    deploy = Fraction(differ["input"][0])
    start, end = min(points[0][0], deploy) - MARGIN, max(points[-1][0], deploy) + MARGIN
    lines = [_polyline(differ[side], start, end) for side in ("left", "right")]
    heights = [y for _, y in points] + [y for line in lines for _, y in line]
    low, high = min(heights), max(heights)

    def at(x: Fraction, y: Fraction) -> str:
        return f"({float((x - start) / (end - start) * WIDTH):.2f},{float((y - low) / (high - low) * HEIGHT):.2f})"

    drawn = [rf"\begin{{picture}}({WIDTH},{HEIGHT + 24})(0,-20)"]
    for line, dots in zip(lines, ("", "[60]"), strict=True):
        for (x, y), (u, v) in pairwise(line):
            drawn.append(rf"\qbezier{dots}{at(x, y)}{at((x + u) / 2, (y + v) / 2)}{at(u, v)}")
    drawn += [rf"\put{at(x, y)}{{\circle*{{4}}}}" for x, y in points]
    ticks = [*sorted({x for x, _ in points}), deploy]
    drawn += [
        rf"\put({float((x - start) / (end - start) * WIDTH):.2f},-14){{\makebox(0,0){{\footnotesize {math(str(x))}}}}}"
        for x in ticks
    ]
    return "".join([*drawn, r"\end{picture}"])


def _polyline(net: list[dict], start: Fraction, end: Fraction) -> list[tuple[Fraction, Fraction]]:
    """The graph of a shallow net of the line: its ends and its kinks between them."""
    (below, above) = net
    units = [
        (Fraction(w), Fraction(b), Fraction(a))
        for (w,), b, a in zip(below["weights"], below["bias"], above["weights"][0], strict=True)
    ]
    kinks = {-b / w for w, b, _ in units if w and start < -b / w < end}

    def value(x: Fraction) -> Fraction:
        return Fraction(above["bias"][0]) + sum(a * max(w * x + b, Fraction(0)) for w, b, a in units)

    return [(x, value(x)) for x in sorted({start, end, *kinks})]

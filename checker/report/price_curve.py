"""The price of defections on the line, from the fact that certifies it: as a table for the terminal, and as SVG.

What is shown is N times the price, the summed squared error that a defection adds.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from fractions import Fraction
from itertools import cycle, pairwise
from math import sqrt
from typing import Any, NamedTuple

from rich.table import Table
from rich.text import Text

from proof_of_absence.checker.report.svg import INK, Picture

__all__ = ["Curve", "curve_in", "curve_picture", "curve_table"]

# Fewer points on the line are no curve.
LEAST = 3
WIDTH, PANEL, LEFT, RIGHT, TOP, BOTTOM = 680, 250, 56, 92, 34, 34
# Okabe and Ito (2008), told apart by colour-blind readers; small sizes first.
COLOURS = ("#009e73", "#0072b2", "#cc79a7", "#d55e00", "#e69f00", "#000000")
TICKS = (0, 1, 4, 9, 16, 25, 36, 49, 64, 100, 225, 400, 900, 2500, 10_000)


class Curve(NamedTuple):
    """The inputs of training and the points, each in order, the sizes, and N times the price by point, side, size."""

    inputs: tuple[Fraction, ...]
    points: tuple[Fraction, ...]
    sizes: tuple[Fraction, ...]
    prices: Mapping[tuple[Fraction, int, Fraction], Fraction]
    units: int


def curve_in(fact: Mapping[str, Any]) -> Curve | None:
    """The first curve among the facts: prices of all of some sizes, up and down, at LEAST points of the line or more.

    None if there is none, or the fact is not of the form that the independent checker accepts.
    """
    for part in _parts(fact):
        if part["kind"] == "defection-price":
            with suppress(LookupError, TypeError, ValueError):
                if curve := _curve(part):
                    return curve
    return None


def _curve(fact: Mapping[str, Any]) -> Curve | None:
    inputs = fact["data"]["inputs"]
    if len(inputs[0]) != 1:
        return None
    prices = {
        (Fraction(entry["point"][0]), entry["side"], Fraction(entry["by"])): Fraction(entry["price"]) * len(inputs)
        for entry in fact["prices"]
    }
    points, sides, sizes = (sorted(set(values)) for values in zip(*prices, strict=True))
    if len(points) < LEAST or sides != [-1, 1] or len(prices) != 2 * len(points) * len(sizes):
        return None
    trained = sorted({Fraction(z) for (z,) in inputs})
    return Curve(tuple(trained), tuple(points), tuple(sizes), prices, fact["units"])


def _parts(fact: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield fact
    for part in fact.get("facts", ()):
        yield from _parts(part)


def curve_table(curve: Curve) -> Table:
    """Points from left to right; upward sizes from the largest down to the least, then downward ones."""
    title = f"N times the price, n={curve.units}, by input (* one of training) and by move of the answer"
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False, padding=(0, 0, 0, 1))
    table.add_column("", no_wrap=True)
    for point in curve.points:
        table.add_column(f"{_short(point)}{'*' * (point in curve.inputs)}", justify="right", no_wrap=True)
    rows = [(1, size) for size in reversed(curve.sizes)] + [(-1, size) for size in curve.sizes]
    most = max(curve.prices.values(), default=Fraction(0))
    for side, size in rows:
        cells = [_cell(curve.prices[point, side, size], most) for point in curve.points]
        table.add_row(f"{'+' if side > 0 else '-'}{size}", *cells)
    return table


def _cell(price: Fraction, most: Fraction) -> Text:
    """The darker the dearer; what is free stands out."""
    if not price:
        return Text("0", "bold green")
    grey = round(255 - 175 * float(price / most) ** 0.5)
    return Text(_short(price), f"black on rgb({grey},{grey},{grey})")


def _short(value: Fraction) -> str:
    """In four characters, or a few more.

    Examples
    --------
    >>> [_short(Fraction(x)) for x in ("5/2", "-1", "1/20", "297/280", "9777/280", "1/3000")]
    ['2.5', '-1', '.05', '1.06', '34.9', '3e-4']
    """
    if value.denominator == 1:
        return str(value)
    if abs(value) < Fraction(1, 200):
        return f"{float(value):.0e}".replace("e-0", "e-")
    text = f"{float(value):.2f}" if abs(value) < 10 else f"{float(value):.1f}"
    return text.rstrip("0").rstrip(".").removeprefix("0") if abs(value) < 10 else text


def curve_picture(curve: Curve) -> str:
    """Two panels, upward and downward, a line for each size; heights grow with the square root of the price."""
    picture = Picture(WIDTH, 2 * PANEL + 24, "The price of a defection by where and how far the answer is moved")
    most = max(*curve.prices.values(), Fraction(1))
    low, high = min(*curve.points, *curve.inputs), max(*curve.points, *curve.inputs)

    def across(x: Fraction) -> float:
        return LEFT + float((x - low) / (high - low)) * (WIDTH - LEFT - RIGHT)

    for panel, (side, name) in enumerate(((1, "up"), (-1, "down"))):
        base = (panel + 1) * PANEL - BOTTOM

        def height(price: Fraction, base: float = base) -> float:
            return base - sqrt(price / most) * (PANEL - TOP - BOTTOM)

        y: float = base - PANEL + TOP + BOTTOM - 14
        picture.add("text", f"N times the price of moving the answer {name}", x=LEFT, y=y, fill=INK, font_weight="600")
        for tick in TICKS:
            if tick <= most:
                y = height(Fraction(tick))
                picture.add("line", x1=LEFT, x2=WIDTH - RIGHT, y1=y, y2=y, stroke="#cbd2d9", stroke_width=0.7)
                picture.add("text", str(tick), x=LEFT - 8, y=y + 4, fill=INK, text_anchor="end", font_size=11)
        for x in curve.inputs:
            picture.add("circle", cx=across(x), cy=base, r=4, fill=INK)
        for x in curve.points:
            if x.denominator == 1:
                picture.add("text", str(x), x=across(x), y=base + 18, fill=INK, text_anchor="middle", font_size=11)
        _lines(picture, curve, side, across, height)
    note = "dots: training inputs; heights by square roots; prices are computed at the corners, lines join them"
    picture.add("text", note, x=LEFT, y=2 * PANEL + 12, fill=INK, font_size=11)
    return picture.text()


def _lines(
    picture: Picture, curve: Curve, side: int, across: Callable[[Fraction], float], height: Callable[[Fraction], float]
) -> None:
    ends: list[tuple[float, str, str]] = []
    for size, colour in zip(curve.sizes, cycle(COLOURS), strict=False):
        corners = [(across(x), height(curve.prices[x, side, size])) for x in curve.points]
        for (x0, y0), (x1, y1) in pairwise(corners):
            picture.add("line", x1=x0, y1=y0, x2=x1, y2=y1, stroke=colour, stroke_width=1.8)
        for x, y in corners:
            picture.add("circle", cx=x, cy=y, r=2.2, fill=colour)
        ends.append((corners[-1][1], f"by {size}", colour))
    # The names stand at the right, largest size on top, so far apart that they can be read.
    y = min(at for at, _, _ in ends) - 8
    for _, name, colour in ends:
        picture.add("text", name, x=WIDTH - RIGHT + 10, y=y, fill=colour, font_size=12, font_weight="600")
        y -= 15

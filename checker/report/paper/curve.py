"""The curve of prices of defections as a picture in LaTeX: upward ones above the axis, downward ones below it."""

from fractions import Fraction
from itertools import pairwise
from math import isqrt, sqrt

from proof_of_absence.checker.report.paper.typeset import math
from proof_of_absence.checker.report.price_curve import Curve

__all__ = ["curve_graph"]

# In points: across, and on each side of the axis; room for numbers at the left and below.
WIDTH, HEIGHT, LEFT, BELOW = 300, 95, 20, 12


def curve_graph(curve: Curve) -> str:
    """A line for each side and size, the smaller the nearer to the axis; heights grow with the square root."""
    most = max(*curve.prices.values(), Fraction(1))
    ends = (*curve.points, *curve.inputs)
    low, high = min(ends), max(ends)

    def across(x: Fraction) -> float:
        return LEFT + float((x - low) / (high - low)) * WIDTH

    def at(x: Fraction, side: int, price: Fraction) -> tuple[float, float]:
        return across(x), side * sqrt(price / most) * HEIGHT

    drawn = [rf"\begin{{picture}}({WIDTH + LEFT},{2 * HEIGHT + 12 + BELOW})(0,{-HEIGHT - 6 - BELOW})"]
    drawn.append(rf"\put({LEFT},0){{\line(1,0){{{WIDTH}}}}}")
    for side in (1, -1):
        for size in curve.sizes:
            corners = [at(x, side, curve.prices[x, side, size]) for x in curve.points]
            drawn += [_segment(start, end) for start, end in pairwise(corners)]
        for root in range(1, isqrt(int(most)) + 1):
            y = at(low, side, Fraction(root * root))[1]
            drawn.append(rf"\put(0,{y - 2:.2f}){{\footnotesize {math(str(root * root))}}}")
    drawn += [rf"\put({across(x):.2f},0){{\circle*{{4}}}}" for x in curve.inputs]
    drawn += [
        rf"\put({across(x):.2f},{-HEIGHT - BELOW}){{\makebox(0,0){{\footnotesize {math(str(x))}}}}}"
        for x in curve.inputs
    ]
    return "".join([*drawn, r"\end{picture}"])


def _segment(start: tuple[float, float], end: tuple[float, float]) -> str:
    (x, y), (u, v) = start, end
    return rf"\qbezier({x:.2f},{y:.2f})({(x + u) / 2:.2f},{(y + v) / 2:.2f})({u:.2f},{v:.2f})"

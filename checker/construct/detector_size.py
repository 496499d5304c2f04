"""The size of the smallest detector of a point, beyond C10's "1, or 2 or 3":
two tests that tell 2 from 3 where either succeeds.

Two units do where the point leaves the hull when one training input is taken away; three are needed where some line
through it has two on each side.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from math import gcd
from operator import sub

from proof_of_absence.checker.construct.hull import Combination, Inputs, Separation, TrainInput, detector_at
from proof_of_absence.checker.numbers.linear_algebra import inner
from proof_of_absence.models.rational import Matrix, Numbers, Vector, matrix

__all__ = ["Size", "detector_size", "two_sided_line", "two_units"]

Units = tuple[tuple[Vector, Fraction, Fraction], ...]


@dataclass(frozen=True)
class Size:
    """The size of the smallest train-idle circuit that fires at a point is between `least` and `most`.

    None at a training input, where none fires.

    `units` (w, b, a) are a detector of `most` units that sends 0 in training; `place` shows whether one unit is enough,
    and `line`, four training inputs with the point in the middle, that two are not.
    """

    least: int | None
    most: int | None
    place: Separation | Combination | TrainInput
    units: Units = ()
    line: Matrix = ()


def detector_size(inputs: Iterable[Numbers] | Inputs, point: Numbers) -> Size:
    """Decide the size exactly where the two tests allow; inside the hull it is otherwise left at 2 or 3.

    For many points give the inputs as `Inputs`, which prepares them once.

    Raises
    ------
    ValueError
        If there is no input, or the point has another dimension than the inputs.

    Examples
    --------
    >>> [detector_size([[0], [1], [2], [3]], [x]).least for x in (5, 2, "5/2", "3/2")]
    [1, None, 2, 3]
    """
    inputs = inputs if isinstance(inputs, Inputs) else Inputs(inputs)
    point = inputs.vector(point)
    place = inputs.locate(point)
    if isinstance(place, TrainInput):
        return Size(None, None, place)
    if isinstance(place, Separation):
        return Size(1, 1, place, tuple(detector_at(place, inputs, point)))
    if line := two_sided_line(inputs, point):
        return Size(3, 3, place, tuple(detector_at(place, inputs, point)), line)
    if units := two_units(inputs, point):
        return Size(2, 2, place, units)
    return Size(2, 3, place, tuple(detector_at(place, inputs, point)))


def two_sided_line(inputs: Iterable[Numbers] | Inputs, point: Numbers) -> Matrix:
    """Four inputs on a line with the point, two before it and two after, in order; empty if there are none.

    On such a line two units that are idle at the four send the same at the point (C10_two_units): to rise
    above v there and fall back takes a bend down between the two inner inputs, and a bend up on each side of
    it, and each unit bends once.
    """
    inputs = inputs if isinstance(inputs, Inputs) else Inputs(inputs)
    points, x, _ = inputs.whole(inputs.vector(point))
    lines: dict[tuple[int, ...], list[tuple[int, Vector]]] = {}
    for z, given in zip(points, inputs.distinct, strict=True):
        step = tuple(map(sub, z, x))
        # How far along the line, in steps that are coprime integers, the first of them that is not 0 above 0.
        if at := gcd(*step) * (1 if step > (0,) * len(step) else -1):
            lines.setdefault(tuple(s // at for s in step), []).append((at, given))
    two_sided = {}
    for direction, row in lines.items():
        before = sorted((at, z) for at, z in row if at < 0)
        after = sorted((at, z) for at, z in row if at > 0)
        if len(before) > 1 and len(after) > 1:
            first = next(s for s in direction if s)
            two_sided[tuple(Fraction(s, first) for s in direction)] = tuple(z for _, z in (*before[-2:], *after[:2]))
    return two_sided[min(two_sided)] if two_sided else ()


def two_units(inputs: Iterable[Numbers] | Inputs, point: Numbers) -> Units:
    """Two units that send 0 in sum at every input and not at the point x,
    if it is outside the hull of all inputs but one, u; else none.

    There is p <= -h at the others, p > 0 at x and at u, and a tilt e g with g = 0 at u, g > 0 at x, and e g <= h at all
    inputs. Then relu(p) - relu(p + e g) is 0 at u and at the others, and -e g at x (C10_left_out).
    """
    inputs = Inputs(inputs.distinct if isinstance(inputs, Inputs) else sorted(set(matrix(inputs))))
    point = inputs.vector(point)
    place = inputs.locate(point)
    if not isinstance(place, Combination):
        return ()
    # Without an input of no weight in some combination the point stays inside.
    for u in [inputs.rows[row] for row in place.weights]:
        others = inputs.without(u)
        half_space = others.locate(point)
        if not isinstance(half_space, Separation):
            continue
        w, b = half_space.weights, half_space.bias
        # The point is in the hull of all, so u is beyond the half-space too.
        margin = min(inner(w, point) + b, inner(w, u) + b) / 2
        tilt = tuple(x - y for x, y in zip(point, u, strict=True))
        share = margin / (max(abs(inner(tilt, z) - inner(tilt, u)) for z in others.distinct) or 1)
        tilted = tuple(x + share * t for x, t in zip(w, tilt, strict=True))
        shift = b - margin
        return ((w, shift, Fraction(1)), (tilted, shift - share * inner(tilt, u), Fraction(-1)))
    return ()

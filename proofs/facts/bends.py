"""C20: bends of the mean targets along two lines, which only so many units can follow."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Literal, TypedDict

from proof_of_absence.checker.kernel.certificate import data_json
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.rational import Numbers, Vector, matrix
from proof_of_absence.proofs.facts.written import Data, Fact, Table, row

__all__ = ["Bends", "bends"]


class Bends(TypedDict):
    """Triples of inputs in order on a line; the mean target of the middle is below the chord, or above it in `down`.

    The triples of a list lie on one line, one after another. `units` is how many there are in both lists: a net of
    fewer hidden units is above the noise floor.
    """

    kind: Literal["bends"]
    data: Data
    output: int
    up: list[Table]
    down: list[Table]
    units: int


def bends(data: Dataset, output: int, up: Sequence[Numbers], down: Sequence[Numbers], units: int | None = None) -> Fact:
    """The bends up along one line of inputs and down along another, as many as their neighbours show.

    Parameters
    ----------
    up, down
        Inputs of the data, in order on a line. They may be the same.
    units
        How many bends there are said to be; without it, as many as are found.
    """
    found = [_turns(data, output, line, sign) for line, sign in ((up, 1), (down, -1))]
    upward, downward = ([[row(z) for z in turn] for turn in turns] for turns in found)
    fact: Bends = {
        "kind": "bends",
        "data": data_json(data),
        "output": output,
        "up": upward,
        "down": downward,
        "units": len(upward) + len(downward) if units is None else units,
    }
    return dict(fact)


def _turns(data: Dataset, output: int, line: Sequence[Numbers], sign: int) -> list[tuple[Vector, Vector, Vector]]:
    """Neighbours p, q, r with q below the chord, above it for the sign -1; each begins where the last ends or later."""
    points = matrix(line)
    means = {
        group.input: sum((data.targets[i][output] for i in group.rows), Fraction(0)) / len(group.rows)
        for group in data.groups
    }
    turns: list[tuple[Vector, Vector, Vector]] = []
    free = 0
    for k, (p, q, r) in enumerate(zip(points, points[1:], points[2:], strict=False)):
        at = next(i for i, (a, b) in enumerate(zip(p, r, strict=True)) if a != b)
        share = (q[at] - p[at]) / (r[at] - p[at])
        chord = (1 - share) * means[p] + share * means[r]
        if k >= free and sign * (chord - means[q]) > 0:
            turns.append((p, q, r))
            free = k + 2
    return turns

"""Good nets with several outputs: output weights and hidden units fitted in turn, in floats; the last fit of the output weights is exact.

With one output it is not needed: there a relaxation whose units are in cells is a net.
"""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from absence.checker import nonnegative
from absence.checker.exact import solve_some
from absence.checker.relaxation import Node, Relaxation
from absence.models.rational import Vector

__all__ = ["Unit", "fitted"]

# The unit's weights (w, b) and output weights.
Unit = tuple[Vector, Vector]

ROUNDS, DENOMINATOR = 20, 10_000


def fitted(relaxation: Relaxation, node: Node) -> tuple[Fraction, list[Unit], list[Fraction]]:
    """From a node with one cell for each unit: the error above the noise floor of a net, its units, its constants."""
    cells = [relaxation.rays(cells) for _, cells, _ in node]
    gram, right = relaxation.float_gram, relaxation.float_right
    start = [np.zeros((len(right), len(gram))) for _ in node]
    guess = relaxation.shares(node, relaxation.guess(node))
    for table, share in zip(start, guess, strict=True):
        for row, of_output in zip(table, share, strict=True):
            for ray, value in of_output:
                row[2 * ray] = value * relaxation.lengths[2 * ray]
    mixed = [table.sum(axis=0) for table in start]
    for _ in range(ROUNDS):
        units = np.array(mixed)
        outgoing = np.linalg.lstsq(units @ gram @ units.T, units @ right.T, rcond=None)[0]  # (units, outputs)
        columns = [(j, 2 * ray) for j, rays in enumerate(cells) for ray in rays]
        rays = [k for _, k in columns]
        at = [j for j, _ in columns]
        strength = outgoing @ outgoing.T
        values = nonnegative.guess(
            gram[np.ix_(rays, rays)] * strength[np.ix_(at, at)],
            np.array([float(outgoing[j] @ right[:, k]) for j, k in columns]),
            np.arange(len(columns)),
        )
        if not values:
            break
        mixed = [np.zeros(len(gram)) for _ in node]
        for position, value in values.items():
            j, k = columns[position]
            mixed[j][k] = value
    exact = [_rounded(relaxation, row) for row in mixed]
    return _best_outgoing(relaxation, exact)


def _rounded(relaxation: Relaxation, row: np.ndarray) -> Vector:
    """The weights, near rationals of small denominators."""
    total = float(np.max(row / relaxation.lengths, initial=0)) or 1.0
    shares = [
        (k // 2, Fraction(float(value / relaxation.lengths[k] / total)).limit_denominator(DENOMINATOR))
        for k, value in enumerate(row)
        if value > 0
    ]
    return relaxation.weights([shares])[0]


def _best_outgoing(relaxation: Relaxation, weights: Sequence[Vector]) -> tuple[Fraction, list[Unit], list[Fraction]]:
    """Least squares in the output weights and the constants."""
    features = [[Fraction(1)] * len(relaxation.nu), *(relaxation.active(v) for v in weights)]
    gram = [[relaxation.inner(a, b) for b in features] for a in features]
    solutions, error = [], Fraction(0)
    for targets in relaxation.targets:
        right = [relaxation.inner(a, targets) for a in features]
        solution = solve_some(gram, right)
        fit = [sum(s * f for s, f in zip(solution, column, strict=True)) for column in zip(*features, strict=True)]
        rest = [y - f for y, f in zip(targets, fit, strict=True)]
        error += relaxation.inner(rest, rest)
        solutions.append(solution)
    constants, *outgoing = map(list, zip(*solutions, strict=True))
    return error, [(v, tuple(a)) for v, a in zip(weights, outgoing, strict=True)], constants

"""C9 on a float net: whether the features of a hidden layer, and 1, are linearly independent on the training inputs.

Independent: a minor that is not 0 modulo a prime. Dependent: the exact coefficients, verified at every distinct input.
"""

from fractions import Fraction
from math import gcd, lcm

import numpy as np
from absence.checker.audit import exact
from absence.checker.audit.findings import RankFinding, UnitFinding
from absence.checker.audit.idle import checked_inputs, unit_findings
from absence.checker.audit.modular import PRIMES, Kernel, feature_kernel, pivots
from absence.models.floatnet import FloatNet
from flint import fmpz_mat

__all__ = ["distinct_rows", "rank_findings"]

# A relation of more columns than this is not lifted from the prime to Q: its coefficients would have thousands of digits.
LARGEST_RELATION = 128


def rank_findings(
    net: FloatNet, inputs: np.ndarray, *, units: tuple[UnitFinding, ...] | None = None
) -> tuple[RankFinding, ...]:
    """For each hidden layer: [1 | phi_1 .. phi_n] has full column rank, or a relation among its columns.

    Parameters
    ----------
    inputs
        Training inputs, shape (rows, d), float64.
    units
        What `unit_findings` returned, if it is at hand: the witnesses make good rows.

    Notes
    -----
    Where neither is shown, `full` is None. A layer with fewer distinct inputs than columns is not full, whatever it computes:
    `distinct_inputs` then is the reason, and no `dependency` is looked for.

    Examples
    --------
    >>> net = FloatNet([([[1.0], [2.0]], [0.0, 0.0]), ([[1.0, 1.0]], [0.0])])
    >>> finding, = rank_findings(net, np.array([[0.0], [1.0], [-2.0]]))
    >>> finding.full, finding.dependency
    (False, (Fraction(0, 1), Fraction(2, 1), Fraction(-1, 1)))
    """
    inputs = checked_inputs(net, inputs)
    units = unit_findings(net, inputs) if units is None else units
    distinct = distinct_rows(inputs)
    return tuple(_layer(net, inputs, distinct, layer, units) for layer in range(1, len(net.layers)))


def distinct_rows(inputs: np.ndarray) -> np.ndarray:
    """The first row of each distinct input, in order."""
    first: dict[bytes, int] = {}
    # -0.0 and 0.0 are one number.
    for row, key in enumerate(inputs + 0.0):
        first.setdefault(key.tobytes(), row)
    return np.array(list(first.values()), dtype=np.int64)


def hints(units: tuple[UnitFinding, ...], layer: int) -> np.ndarray:
    """A row for each unit of a layer that varies, at which it is active."""
    return np.array([u.witness[0] for u in units if u.unit.layer == layer and u.witness], dtype=np.int64)


def _layer(net: FloatNet, inputs: np.ndarray, distinct: np.ndarray, layer: int, units) -> RankFinding:
    columns = net.widths[layer] + 1
    if len(distinct) < columns:
        return RankFinding(layer, columns, False, distinct_inputs=len(distinct))
    for prime in PRIMES:
        kernel = feature_kernel(net, inputs, layer, np.arange(columns - 1), hints(units, layer), prime)
        if not kernel.basis.shape[1]:
            return RankFinding(layer, columns, True, prime, kernel.rows)
        if relation := _relation(net, inputs, distinct, layer, kernel):
            return RankFinding(layer, columns, False, dependency=relation)
    return RankFinding(layer, columns, None)


def _relation(net: FloatNet, inputs: np.ndarray, distinct: np.ndarray, layer: int, kernel: Kernel):
    """The shortest relation of the basis, over Q; None if it does not hold there."""
    vector = kernel.basis[:, np.count_nonzero(kernel.basis, axis=0).argmin()]
    support = np.flatnonzero(vector)
    if len(support) > LARGEST_RELATION:
        return None
    coefficients = _lift(net, inputs, layer, support, kernel)
    if coefficients is None or not _holds(net, inputs[distinct], layer, support, coefficients):
        return None
    relation = [Fraction(0)] * (net.widths[layer] + 1)
    for column, coefficient in zip(support, coefficients, strict=True):
        relation[column] = Fraction(coefficient)
    return tuple(relation)


def _integer_features(net: FloatNet, inputs: np.ndarray, layer: int, support: np.ndarray) -> np.ndarray:
    """Some columns of [1 | phi] at the rows, all times one power of two, as Python integers."""
    values, exponent = exact.activations(net, inputs, layer, support[support > 0] - 1).integers()
    one = np.full((len(inputs), int(0 in support)), 1 << max(-exponent, 0), dtype=object)
    return np.hstack([one, values << max(exponent, 0)])


def _lift(net: FloatNet, inputs: np.ndarray, layer: int, support: np.ndarray, kernel: Kernel) -> list[int] | None:
    """Coprime integers v with [1 | phi] v = 0 at the rows that the kernel names, v nonzero; None if there are none."""
    if len(support) == 1:
        return [1]
    features = _integer_features(net, inputs[list(kernel.rows)], layer, support)
    residues = (features % kernel.prime).astype(np.int64)
    rows = pivots(residues[:, :-1].T, kernel.prime)
    if len(rows) != len(support) - 1:
        return None
    matrix = fmpz_mat([[int(x) for x in features[row, :-1]] for row in rows])
    solution = matrix.solve(fmpz_mat([[-int(features[row, -1])] for row in rows]))
    values = [Fraction(int(solution[i, 0].p), int(solution[i, 0].q)) for i in range(len(rows))] + [Fraction(1)]
    scale = lcm(*(v.denominator for v in values))
    integers = [int(v * scale) for v in values]
    divisor = gcd(*integers) * (1 if next(v for v in integers if v) > 0 else -1)
    return [v // divisor for v in integers]


def _holds(net: FloatNet, inputs: np.ndarray, layer: int, support: np.ndarray, coefficients: list[int]) -> bool:
    vector = np.array(coefficients, dtype=object)
    return not any(
        _integer_features(net, inputs[block], layer, support).dot(vector).any() for block in exact.blocks(len(inputs))
    )

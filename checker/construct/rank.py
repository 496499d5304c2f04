"""Whether the features [1 | phi_1 .. phi_n] of a hidden layer have full column rank on given inputs (C9).

Yes is certified by a minor that is not 0 modulo a prime, no by an exact linear dependency; one of the two is always
found. A unit that depends on others can be eliminated.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from typing import Any

from flint import fmpz, nmod_mat

from proof_of_absence.checker.kernel.certificate import net_json, rows_json
from proof_of_absence.checker.numbers.linear_algebra import inner, kernel_vector
from proof_of_absence.models.circuit import Unit
from proof_of_absence.models.layers import Affine
from proof_of_absence.models.net import MLP, relu
from proof_of_absence.models.rational import Matrix, Numbers, Vector, matrix

__all__ = ["Dependency", "FullRank", "eliminate", "features", "full_rank"]

# Primes are tried downwards from here; one that hides the rank divides a minor, so few can.
LARGEST_PRIME = 2**31 - 1


@dataclass(frozen=True)
class FullRank:
    """Full column rank: the minor of the feature matrix on `rows` (n + 1 positions) is not 0 modulo `prime`."""

    layer: int
    rows: tuple[int, ...]
    prime: int

    def fact(self, net: MLP, inputs: Iterable[Vector]) -> dict[str, Any]:
        """The fact for the independent checker."""
        proof = {"layer": self.layer, "rows": list(self.rows), "prime": self.prime}
        return {"kind": "full-rank", "net": net_json(net), "inputs": rows_json(inputs), **proof}


@dataclass(frozen=True)
class Dependency:
    """Not of full column rank: v_0 + sum_j v_j phi_j is 0 on all the inputs.

    `coefficients` (v_0, v_1 .. v_n), not all 0.
    """

    layer: int
    coefficients: Vector

    def fact(self, net: MLP, inputs: Iterable[Vector]) -> dict[str, Any]:
        """The fact for the independent checker."""
        proof = {"layer": self.layer, "coefficients": [str(v) for v in self.coefficients]}
        return {"kind": "dependency", "net": net_json(net), "inputs": rows_json(inputs), **proof}


def features(net: MLP, inputs: Iterable[Numbers], layer: int = 1) -> Matrix:
    """The rows (1, phi_1(z_i), .., phi_n(z_i)) of a hidden layer after ReLU, shape (N, n + 1).

    Raises
    ------
    ValueError
        If the net has no such hidden layer, or an input has another dimension than the net reads.

    Examples
    --------
    >>> from proof_of_absence.models.net import shallow
    >>> [[int(v) for v in row] for row in features(shallow([([1], -1, [1])], [0]), [[0], [3]])]
    [[1, 0], [1, 2]]
    """
    if not 1 <= layer < len(net.layers):
        raise ValueError(f"the net has no hidden layer {layer}")
    inputs = matrix(inputs)
    if inputs and len(inputs[0]) != net.widths[0]:
        raise ValueError(f"inputs of dimension {len(inputs[0])}, the net reads {net.widths[0]}")
    pre_activations = MLP(net.layers[:layer]).outputs(inputs)
    return tuple((Fraction(1), *map(relu, row)) for row in pre_activations)


def full_rank(net: MLP, inputs: Sequence[Numbers], layer: int = 1) -> FullRank | Dependency:
    """Decide whether the features of a hidden layer have full column rank n + 1 on the inputs.

    Raises
    ------
    ValueError
        As `features`, or if there is no input.

    Examples
    --------
    >>> from proof_of_absence.models.net import shallow
    >>> net = shallow([([1], 0, [1]), ([2], 0, [1])], [0])
    >>> [int(v) for v in full_rank(net, [[0], [1], [2]]).coefficients]
    [0, -2, 1]
    """
    inputs = matrix(inputs)
    if not inputs:
        raise ValueError("the rank of the features needs at least one input")
    first = {z: i for i, z in reversed(list(enumerate(inputs)))}
    places = sorted(first.values())
    table = features(net, [inputs[i] for i in places], layer)
    for prime in range(LARGEST_PRIME, 1, -1):
        if not fmpz(prime).is_prime() or (rows := _independent_rows(table, prime)) is None:
            continue
        if len(rows) == len(table[0]):
            return FullRank(layer, tuple(places[i] for i in rows), prime)
        # These rows are independent over Q too. If they span all others, the kernel is theirs.
        kernel = kernel_vector([table[i] for i in rows])
        if kernel is not None and not any(inner(kernel, row) for row in table):
            return Dependency(layer, tuple(kernel))
    raise ArithmeticError("every prime divides a denominator or hides the rank")


def _independent_rows(table: Matrix, prime: int) -> list[int] | None:
    """The first rows that span the row space modulo the prime; None where it divides a denominator."""
    scales = [lcm(*(x.denominator for x in row)) for row in table]
    if any(scale % prime == 0 for scale in scales):
        return None
    # Scaling a row by what is invertible modulo the prime changes no rank.
    columns = [
        [int(row[k] * scale) % prime for row, scale in zip(table, scales, strict=True)] for k in range(len(table[0]))
    ]
    reduced, pivots = nmod_mat(columns, prime).rref()
    leads, k = [], 0
    for i in range(pivots):
        while int(reduced[i, k]) == 0:
            k += 1
        leads.append(k)
    return leads


def eliminate(net: MLP, unit: Unit, coefficients: Sequence[Fraction], inputs: Iterable[Vector]) -> MLP:
    """Give a unit of a shallow net output weight 0 without changing an output on the inputs (C9).

    Parameters
    ----------
    coefficients
        (v_0, v_1 .. v_n) with v_0 + sum_j v_j phi_j(z) = 0 at every input z, and v_j not 0 for the unit to eliminate.

    Raises
    ------
    ValueError
        If the net is not shallow, or the coefficients are not such.
    """
    if len(net.layers) != 2:
        raise ValueError("elimination is proved for one hidden layer")
    constant, *rest = coefficients
    if len(rest) != net.widths[1] or not rest[unit.index]:
        raise ValueError(
            "the relation needs a coefficient for each unit, and one that is not 0 for the eliminated unit"
        )
    hidden, output = net.layers
    if any(constant + inner(rest, map(relu, hidden(z))) for z in inputs):
        raise ValueError("the relation does not hold at every input")
    shares = [row[unit.index] / rest[unit.index] for row in output.weights]
    rows = [
        [a - v * share for a, v in zip(row, rest, strict=True)]
        for row, share in zip(output.weights, shares, strict=True)
    ]
    bias = [c - constant * share for c, share in zip(output.bias, shares, strict=True)]
    return MLP((hidden, Affine(rows, bias)))

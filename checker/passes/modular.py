"""Linear algebra modulo a prime on the features of a layer: a rank there is a lower bound of the rank over Q.

Features of float nets are dyadic up to one denominator d; times d they are numbers modulo any odd prime, and their
relations hold there too.
"""

from typing import assert_never

import numpy as np
from flint import nmod_mat

from proof_of_absence.checker.numbers.deadline import afford
from proof_of_absence.models.dyadic import mantissas
from proof_of_absence.models.layers import FloatAffine, FloatLayer, RationalAffine

__all__ = ["PRIMES", "SURPLUS", "nullspace", "pivots", "product", "reduced", "residues", "weight_residues"]

# Below 2^31, so that sums of two products fit in an int64.
PRIMES = (2**31 - 1, 2**31 - 19, 2**31 - 61, 2**31 - 69)

# With so many more columns than distinct inputs, no elimination is to be begun: its cost is cubic, and the space of
# relations will be too large.
SURPLUS = 512

_HALF = 16


def residues(array: np.ndarray, prime: int) -> np.ndarray:
    """Floats modulo an odd prime, int64."""
    whole, exponents = mantissas(array)
    low = int(exponents.min(initial=0))
    powers = np.array([pow(2, e, prime) for e in range(low, int(exponents.max(initial=0)) + 1)], dtype=np.int64)
    return np.asarray(whole % prime * powers[exponents - low] % prime)


def weight_residues(layer: FloatLayer, prime: int) -> np.ndarray:
    """The weights of a layer, times its denominator if it has one, modulo an odd prime, int64."""
    match layer:
        case FloatAffine(weights, _):
            return residues(weights, prime)
        case RationalAffine(numbers, exponent):
            return np.asarray(numbers[:, :-1] * pow(2, exponent, prime) % prime).astype(np.int64)
        case _:
            assert_never(layer)


def product(left: np.ndarray, right: np.ndarray, prime: int) -> np.ndarray:
    """``left @ right`` modulo the prime, for residues; the inner dimension is at most 2^21.

    Halves of 16 bits, so that BLAS multiplies exactly.
    """
    halves = [[part.astype(np.float64) for part in (m >> _HALF, m & (2**_HALF - 1))] for m in (left, right)]
    total = np.zeros((len(left), right.shape[1]), dtype=np.int64)
    for i, a in enumerate(halves[0]):
        for j, b in enumerate(halves[1]):
            total = (total + (a @ b).astype(np.int64) % prime * pow(2, _HALF * (2 - i - j), prime)) % prime
    return total


def pivots(matrix: np.ndarray, prime: int) -> list[int]:
    """The columns that are no combination of columns before them."""
    if not matrix.size:
        return []
    return _leading(*_nmod(matrix, prime).rref())


def nullspace(matrix: np.ndarray, prime: int) -> np.ndarray:
    """A basis of {v : matrix v = 0}, one vector a column.

    Not each is one over the rationals: what is found here is verified exactly where it is used.
    """
    if not len(matrix):
        return np.eye(matrix.shape[1], dtype=np.int64)
    found, rank = _nmod(matrix, prime).rref()
    bound = np.array(_leading(found, rank), dtype=np.int64)
    free = np.setdiff1d(np.arange(matrix.shape[1]), bound)
    # To convert an entry takes long, so only those that are needed are.
    asked = [int(found[i, j]) for i in range(rank) for j in free.tolist()]
    # Each vector has one free column that is 1, and what the rows then ask of the others.
    basis = np.zeros((matrix.shape[1], len(free)), dtype=np.int64)
    basis[free, np.arange(len(free))] = 1
    basis[bound] = -np.array(asked, dtype=np.int64).reshape(rank, len(free)) % prime
    return basis


def _leading(found: nmod_mat, rank: int) -> list[int]:
    """Where each row of a reduced echelon form begins: further right than the one above."""
    places: list[int] = []
    for i in range(rank):
        j = places[-1] + 1 if places else 0
        while not int(found[i, j]):
            j += 1
        places.append(j)
    return places


def reduced(basis: np.ndarray, prime: int) -> np.ndarray:
    """The columns in reduced echelon form: another basis of their span, if they are independent."""
    return _array(_nmod(basis.T, prime).rref()[0]).T


def _nmod(matrix: np.ndarray, prime: int) -> nmod_mat:
    rows, columns = matrix.shape
    # What is made of it is an elimination, which cannot be interrupted; each entry is converted there and back.
    afford(5e-10 * rows * columns * min(rows, columns) + 3e-7 * rows * columns)
    return nmod_mat(rows, columns, matrix.ravel().tolist(), prime)


def _array(matrix: nmod_mat) -> np.ndarray:
    flat = np.array([int(x) for x in matrix.entries()], dtype=np.int64)
    return flat.reshape(matrix.nrows(), matrix.ncols())

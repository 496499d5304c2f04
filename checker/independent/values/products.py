"""Products of matrices of integers, exactly: their digits are multiplied in float64, where no sum is rounded."""

import numpy as np
from numpy.typing import NDArray

from proof_of_absence.checker.independent.pause import pausing

Integers = NDArray[np.object_]

# Integers up to 2^53 in size are floats.
MANTISSA = 53
# Products of integers between two pauses, and those that are as fast one by one as by their digits.
PRODUCTS, FEW = 2**21, 2**14


def product(left: Integers, right: Integers) -> Integers:
    """The product of matrices (n, k) and (k, m) of integers, or of a matrix and a vector."""
    size = max(1, PRODUCTS // max(1, right.size))
    if left.ndim < 2 or right.ndim < 2 or min(len(left), right.shape[1]) < 8 or len(left) * right.size < FEW:
        parts = [left[start : start + size].dot(right) for start in pausing(range(0, len(left), size))]
        return np.concatenate(parts) if parts else left.dot(right)
    # A sum of products of digits is at most k 2^(2 width), so at most 2^53.
    width = (MANTISSA - left.shape[1].bit_length()) // 2
    ours, theirs = _digits(left, width), _digits(right, width)
    places = len(ours) + len(theirs) - 1
    result: Integers = np.zeros((len(left), right.shape[1]), dtype=object)
    for place in pausing(range(places - 1, -1, -1)):
        result <<= width
        for j in range(max(0, place - len(theirs) + 1), min(place + 1, len(ours))):
            result += (ours[j] @ theirs[place - j]).astype(np.int64).astype(object)
    return result


def _digits(matrix: Integers, width: int) -> list[NDArray[np.float64]]:
    """Floats d_0, d_1, .. with the matrix = sum_j d_j 2^(width j), each of size 2^width at most."""
    mask, found = (1 << width) - 1, list[NDArray[np.float64]]()
    # Beyond this size a number is not yet one digit.
    while max(matrix.max(), -matrix.min()) > mask:
        found.append((matrix & mask).astype(np.float64))
        matrix = matrix >> width
    return [*found, matrix.astype(np.float64)]

"""Floats as the integers that they are: every finite float64 is m 2^e, and nothing is rounded on the way."""

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["MANTISSA", "integers", "mantissas"]

# Binary digits of a float64.
MANTISSA = 53


def mantissas(array: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Finite floats as m 2^e, entry by entry: m and e are int64, |m| < 2^53, and m = 0 only for 0.

    Examples
    --------
    >>> m, e = mantissas([0.5, -3.0])
    >>> (m * 2.0**e).tolist()
    [0.5, -3.0]
    """
    fractions, exponents = np.frexp(np.asarray(array, dtype=np.float64))
    return np.ldexp(fractions, MANTISSA).astype(np.int64), exponents.astype(np.int64) - MANTISSA


def integers(array: ArrayLike) -> tuple[np.ndarray, int]:
    """Finite floats as Python integers M (dtype object) and one e for all, the entries M 2^e.

    Examples
    --------
    >>> numbers, exponent = integers([0.5, -3.0])
    >>> [n * 2.0**exponent for n in numbers]
    [0.5, -3.0]
    """
    whole, exponents = mantissas(array)
    nonzero = whole != 0
    low = int(exponents[nonzero].min()) if nonzero.any() else 0
    return whole.astype(object) << np.where(nonzero, exponents - low, 0).astype(object), low

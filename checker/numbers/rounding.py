"""The constants of rounding in float64, for every bound of an error; each says what it is more than."""

__all__ = ["SUBNORMAL", "TINY", "U64", "UP", "gamma"]

# Unit roundoff: an operation errs by at most U64 times its result, as long as that is a normal number.
U64 = 2.0**-53
# The smallest normal number: an operation with a smaller result errs by at most this, flushed to 0 or not.
TINY = 2.0**-1022
# The smallest number above 0: a product errs by at most half of it where no subnormal number is flushed to 0.
SUBNORMAL = 2.0**-1074
# More than the rounding of a bound's own arithmetic (sums of at most 2^20 nonnegative terms, products, roots), as long
# as nothing there is subnormal; where something could be, TINY is added.
UP = 1 + 2.0**-30


def gamma(steps: int, roundoff: float = U64) -> float:
    """At least n u / (1 - n u), what n roundings of unit roundoff u in turn may add up to; infinite from n u = 1/2 on.

    N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., SIAM 2002, 3.1.
    """
    relative = steps * roundoff
    return relative / (1 - relative) * UP if relative < 0.5 else float("inf")

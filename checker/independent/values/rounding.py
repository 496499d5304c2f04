"""The constants of rounding: what one operation may be off by, and the slack of a bound's own arithmetic."""

# Half the distance from 1 to the next float64, and to the next float32.
U = 2.0**-53
U_SINGLE = 2.0**-24
# Bounds are computed in float64 too: a factor and a summand that cover their own rounding and underflow.
UP = 1 + 2.0**-30
TINY = 2.0**-1015
# The least normal float32; below half the largest, no rounding of one overflows.
LEAST_SINGLE, LARGEST_SINGLE = 2.0**-126, 2.0**127


def gamma(steps: int, u: float = U) -> float:
    """An upper bound of (1 + u)^steps - 1 and of 1 - (1 - u)^steps: the relative error of so many roundings."""
    return steps * u / (1 - steps * u) * UP

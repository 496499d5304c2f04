"""The exponential and the logarithm between rational bounds, from their series with the remainders.

Bounds are integers over ONE = 2^BITS, rounded outward at every step; no floating point.
"""

from fractions import Fraction
from functools import cache

from proof_of_absence.checker.independent.refusal import require

BITS = 192
ONE = 1 << BITS
TERMS = 200
MORE = 8  # halvings that spare terms: each costs a bit, which there are enough of
FARTHEST = 100  # beyond, exp(-x) < 2^-x is enough


def down(x: Fraction) -> int:
    """x, rounded down."""
    return x.numerator // x.denominator


def up(x: Fraction) -> int:
    """x, rounded up."""
    return over(x.numerator, x.denominator)


def over(a: int, b: int) -> int:
    """a / b, rounded up."""
    return -(-a // b)


def exponential(x: Fraction) -> tuple[int, int]:
    """Bounds of exp(-x), x >= 0: the alternating series at x / 2^k < 2^-MORE, squared k times."""
    if x > FARTHEST:
        return 0, max(ONE >> int(x), 1)
    halvings = max(x.numerator.bit_length() - x.denominator.bit_length() + 1, 0) + MORE
    small = x / 2**halvings
    low_x, high_x = down(small * ONE), up(small * ONE)
    # Terms x^n / n! fall, x < 1: a partial sum is off by less than the first term left out, added to either side.
    low_sum = high_sum = low_term = high_term = ONE
    for n in range(1, TERMS):
        low_term, high_term = low_term * low_x // (n * ONE), over(high_term * high_x, n * ONE)
        if n % 2:
            low_sum, high_sum = low_sum - high_term, high_sum - low_term
        else:
            low_sum, high_sum = low_sum + low_term, high_sum + high_term
        if high_term <= 1:
            break
    low, high = max(low_sum - high_term, 0), min(high_sum + high_term, ONE)
    for _ in range(halvings):
        low, high = low * low // ONE, over(high * high, ONE)
    return low, high


def log_of_one_plus(t: int) -> tuple[int, int]:
    """Bounds of log(1 + t), 0 <= t <= 1: 2 artanh(x) with x = t / (2 + t) <= 1/3, by its series of positive terms."""
    low_x, high_x = t * ONE // (2 * ONE + t), over(t * ONE, 2 * ONE + t)
    low_power, high_power = low_x, high_x
    low_sum = high_sum = 0
    for n in range(1, 2 * TERMS, 2):
        low_sum += low_power // n
        high_sum += over(high_power, n)
        low_power = low_power * low_x // ONE * low_x // ONE
        high_power = over(over(high_power * high_x, ONE) * high_x, ONE)
        if high_power <= 1:
            break
    # What is left out is below high_power / (1 - x^2) <= (9/8) high_power.
    return 2 * low_sum, 2 * (high_sum + 2 * high_power)


@cache
def _log_of_two() -> tuple[int, int]:
    return log_of_one_plus(ONE)


def logarithm(low: int, high: int) -> tuple[int, int]:
    """Bounds of the logarithm of a number of at least 1 between the bounds: j log 2 + log(1 + t), t in [0, 1]."""
    require(ONE <= low <= high, "a logarithm is asked of a number below 1")
    halvings = low.bit_length() - ONE.bit_length()
    two, two_above = _log_of_two()
    below, _ = log_of_one_plus((low >> halvings) - ONE)
    more = high.bit_length() - ONE.bit_length()
    _, above = log_of_one_plus(over(high, 1 << more) - ONE)
    return halvings * two + below, more * two_above + above

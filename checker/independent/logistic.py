"""C17 on a given net: logistic losses between rational bounds, from series of exp and of the logarithm with their remainders.

Bounds are integers over 2^BITS, rounded outward at every step; no floating point.
"""

from fractions import Fraction

from absence.checker.independent.nets import Data, Net, circuit, differ_only_in, number
from absence.checker.independent.refusal import require

BITS = 192
ONE = 1 << BITS
TERMS = 200
FARTHEST = 100  # exp(-x) < 2^-100 beyond


def logistic_drop(fact: dict) -> None:
    """`after` differs from `before` in a train-idle circuit only, and its logistic loss is lower by more than `over` > 0.

    The loss is the mean of log(1 + exp f) - y f over the rows; targets y are 0 or 1, and there is one output.
    """
    before, after, data = Net(fact["before"]), Net(fact["after"]), Data(fact["data"])
    _is_binary(before, data)
    require(before.widths == after.widths, "the architectures differ")
    units = circuit(before, fact["circuit"])
    differ_only_in(before, after, units)
    sent = [before.sent(units, z) for z in data.inputs]
    require(all(values == sent[0] for values in sent), "the circuit is not idle")
    over = number(fact["over"])
    require(over > 0, "the drop is not positive")
    low, _ = _total(before, data)
    _, high = _total(after, data)
    require(Fraction(low - high, ONE * len(data.inputs)) > over, "the loss is not lower by that much")


def logistic_group(fact: dict) -> None:
    """At some distinct input the gradients of the logistic loss by the output do not sum to 0, by a sign that is sure."""
    net, data = Net(fact["net"]), Data(fact["data"])
    _is_binary(net, data)
    require(
        any(_surely_not_zero(net.output(list(z))[0], mean) for z, (_, (mean,)) in data.means().items()), "no such group"
    )


def _surely_not_zero(output: Fraction, mean: Fraction) -> bool:
    """Whether sigma(f) - (mean target), of which the group's sum is a multiple, is not 0 by the bounds of sigma."""
    low, high = _sigmoid(output)
    return low > mean or high < mean


def logistic_floor(fact: dict) -> None:
    """At every distinct input the gradients of the logistic loss sum to 0, exactly: the output is 0, the mean target 1/2.

    The losses are convex, so no function of the input has a lower loss. It is positive: at least log 2 at each row.
    """
    net, data = Net(fact["net"]), Data(fact["data"])
    _is_binary(net, data)
    for z, (_, (mean,)) in data.means().items():
        require(net.output(list(z))[0] == 0 and mean == Fraction(1, 2), "a group's gradients do not sum to 0")


def _is_binary(net: Net, data: Data) -> None:
    require(
        len(net.layers) == 2 and net.widths[2] == 1 and len(data.targets[0]) == 1, "not a shallow net of one output"
    )
    require(all(y in (0, 1) for (y,) in data.targets), "a target is neither 0 nor 1")


def _total(net: Net, data: Data) -> tuple[int, int]:
    """Bounds of the sum over the rows of log(1 + exp f) - y f, in units of 1/ONE."""
    low = high = 0
    known: dict[Fraction, tuple[int, int]] = {}
    for z, (y,) in zip(data.inputs, data.targets, strict=True):
        (f,) = net.output(z)
        if f not in known:
            known[f] = _softplus(f)
        linear = y * f * ONE
        low += known[f][0] - _up(linear)
        high += known[f][1] - _down(linear)
    return low, high


def _down(x: Fraction) -> int:
    return x.numerator // x.denominator


def _up(x: Fraction) -> int:
    return _over(x.numerator, x.denominator)


def _over(a: int, b: int) -> int:
    """a / b, rounded up."""
    return -(-a // b)


def _softplus(f: Fraction) -> tuple[int, int]:
    """Bounds of log(1 + exp f) = max(f, 0) + log(1 + t), t = exp(-|f|) <= 1."""
    lowest, highest = _exponential(abs(f))
    low, _ = _log_of_one_plus(lowest)
    _, high = _log_of_one_plus(highest)
    positive = max(f, Fraction(0)) * ONE
    return _down(positive) + low, _up(positive) + high


def _sigmoid(f: Fraction) -> tuple[Fraction, Fraction]:
    """Bounds of 1 / (1 + exp(-f)); with t = exp(-|f|), it is 1 / (1 + t) or t / (1 + t)."""
    low, high = (Fraction(t, ONE) for t in _exponential(abs(f)))
    return (1 / (1 + high), 1 / (1 + low)) if f >= 0 else (low / (1 + low), high / (1 + high))


def _exponential(x: Fraction) -> tuple[int, int]:
    """Bounds of exp(-x), x >= 0: the alternating series at x / 2^k < 1, squared k times."""
    if x > FARTHEST:
        return 0, ONE >> FARTHEST
    halvings = max(x.numerator.bit_length() - x.denominator.bit_length() + 1, 0)
    small = x / 2**halvings
    low_x, high_x = _down(small * ONE), _up(small * ONE)
    # Terms x^n / n! fall, x < 1: the error of a partial sum is below the first term left out, which is added to either side.
    low_sum = high_sum = low_term = high_term = ONE
    for n in range(1, TERMS):
        low_term, high_term = low_term * low_x // (n * ONE), _over(high_term * high_x, n * ONE)
        if n % 2:
            low_sum, high_sum = low_sum - high_term, high_sum - low_term
        else:
            low_sum, high_sum = low_sum + low_term, high_sum + high_term
        if high_term <= 1:
            break
    low, high = max(low_sum - high_term, 0), min(high_sum + high_term, ONE)
    for _ in range(halvings):
        low, high = low * low // ONE, _over(high * high, ONE)
    return low, high


def _log_of_one_plus(t: int) -> tuple[int, int]:
    """Bounds of log(1 + t), 0 <= t <= 1: 2 artanh(x) with x = t / (2 + t) <= 1/3, by its series of positive terms."""
    low_x, high_x = t * ONE // (2 * ONE + t), _over(t * ONE, 2 * ONE + t)
    low_power, high_power = low_x, high_x
    low_sum = high_sum = 0
    for n in range(1, 2 * TERMS, 2):
        low_sum += low_power // n
        high_sum += _over(high_power, n)
        low_power = low_power * low_x // ONE * low_x // ONE
        high_power = _over(_over(high_power * high_x, ONE) * high_x, ONE)
        if high_power <= 1:
            break
    # What is left out is below high_power / (1 - x^2) <= (9/8) high_power.
    return 2 * low_sum, 2 * (high_sum + 2 * high_power)

"""C26 on a grid of a box: the nets of one unit are enumerated here, and their weights enclosed between rationals.

Premises are recomputed: the loss that no constant beats, the better net, and a Lipschitz constant of L on the box.
"""

from collections import Counter
from fractions import Fraction
from itertools import product

from proof_of_absence.checker.independent.refusal import Refused, require, require_equal
from proof_of_absence.checker.independent.values import Fact
from proof_of_absence.checker.independent.values.nets import Data, Vector, number, numbers
from proof_of_absence.checker.independent.values.series import ONE, exponential

LARGEST = 50_000  # nets


def box_posterior(fact: Fact) -> None:
    """At `beta` the mass of the nets with a train-idle circuit is at most the bound (`within`), or above it.

    The bound is ((steps + 1) / window)^K exp(-beta tau / 2), or the exponential alone if it is not `counted`. The prior
    is uniform on the grid of [-box, box]^K with so many steps an axis; a net is c + a relu(w.z + b). With `below`, the
    bound is below that number.
    """
    data, box, steps, window = Data(fact["data"]), number(fact["box"]), fact["steps"], fact["window"]
    require(all(len(row) == 1 for row in data.targets), "not one output")
    require(box > 0 and type(steps) is int and type(window) is int, "no grid of a box")
    require(1 <= window <= steps + 1, "no window of the grid")
    inputs, targets = data.inputs, [row[0] for row in data.targets]
    count = len(inputs[0]) + 3
    require(steps >= 1 and (steps + 1) ** count <= LARGEST, "too many nets")
    tau = _tau(fact, inputs, targets, box, count)
    lipschitz = _lipschitz(inputs, targets, box)
    require_equal("the Lipschitz constant", number(fact["lipschitz"]), lipschitz)
    step = 2 * box / steps
    require_equal("whether the grid is fine", fact["fine"], lipschitz * window * step <= tau / 2)
    levels, idle = _census(inputs, targets, [step * i - box for i in range(steps + 1)])
    require_equal("the number of nets", fact["nets"], levels.total())
    require_equal("the number of nets with an idle circuit", fact["idle"], idle.total())
    beta, counted = number(fact["beta"]), fact["counted"]
    require(beta >= 0 and isinstance(counted, bool), "no temperature, or no bound")
    low, high = exponential(beta * tau / 2)
    factor = Fraction(steps + 1, window) ** count if counted else Fraction(1)
    _compare(fact, _mass(levels, idle, beta), (factor * low / ONE, factor * high / ONE))


def _tau(fact: Fact, inputs: list[Vector], targets: Vector, box: Fraction, count: int) -> Fraction:
    """By how much the better net of the box is better than every constant."""
    narrower = _mean([(y - _mean(targets)) ** 2 for y in targets])
    require_equal("the least loss of a constant", number(fact["narrower"]), narrower)
    *w, b, a, c = better = numbers(fact["better"])
    require(len(better) == count and all(abs(p) <= box for p in better), "the better net is not in the box")
    outputs = [c + a * _relu(_dot(w, z) + b) for z in inputs]
    tau = narrower - _mean([(f - y) ** 2 for f, y in zip(outputs, targets, strict=True)])
    require_equal("tau", number(fact["tau"]), tau)
    require(tau > 0, "it is not better")
    return tau


def _lipschitz(inputs: list[Vector], targets: Vector, box: Fraction) -> Fraction:
    """A bound of the sum of |dL/dp| over the parameters p, anywhere in the box; L is piecewise smooth and continuous.

    dL = (2/N) (sum f_i df_i - sum y_i df_i). With s_i = |z_i|_1 + 1 the unit's value is between 0 and box s_i, so that
    |f_i| <= box + box^2 s_i, and |df_i| <= 1 + box s_i + box s_i for c, a and (w, b). In the second sum the derivatives
    are 1 for c, the unit's value for a, and a z_ik and a where the unit is active, else 0, for w_k and b.
    """
    sizes = [sum(map(abs, z), Fraction(1)) for z in inputs]
    first = sum(((box + box * box * s) * (1 + 2 * box * s) for s in sizes), Fraction(0))
    second = abs(sum(targets, Fraction(0))) + _most([y * box * s for y, s in zip(targets, sizes, strict=True)])
    for k in range(len(inputs[0])):
        second += box * _most([y * z[k] for y, z in zip(targets, inputs, strict=True)])
    second += box * _most(targets)
    return 2 * (first + second) / Fraction(len(targets))


def _most(values: list[Fraction]) -> Fraction:
    """The largest size of a sum of the values with factors between 0 and 1."""
    return max(sum((v for v in values if v > 0), Fraction(0)), -sum((v for v in values if v < 0), Fraction(0)))


def _census(inputs: list[Vector], targets: Vector, axis: list[Fraction]) -> tuple[Counter[Fraction], Counter[Fraction]]:
    """How many nets have a loss, and how many of them a unit that sends one value at all inputs."""
    sent: Counter[tuple[Fraction, ...]] = Counter()
    for *w, b in product(axis, repeat=len(inputs[0]) + 1):
        active = [_relu(_dot(w, z) + b) for z in inputs]
        sent.update(tuple(a * phi for phi in active) for a in axis)
    levels, idle = Counter[Fraction](), Counter[Fraction]()
    for row, times in sent.items():
        for c in axis:
            loss = _mean([(c + v - y) ** 2 for v, y in zip(row, targets, strict=True)])
            levels[loss] += times
            if len(set(row)) == 1:
                idle[loss] += times
    return levels, idle


def _mass(levels: Counter[Fraction], idle: Counter[Fraction], beta: Fraction) -> tuple[Fraction, Fraction]:
    """Bounds of the posterior mass; weights are taken relative to the least loss."""
    least = min(levels)
    bounds = {loss: exponential(beta * (loss - least)) for loss in levels}
    rest = levels - idle
    members = [sum(bounds[loss][end] * times for loss, times in idle.items()) for end in (0, 1)]
    others = [sum(bounds[loss][end] * times for loss, times in rest.items()) for end in (0, 1)]
    # Of x / (x + y), which grows with x and falls with y.
    return Fraction(members[0], members[0] + others[1]), Fraction(members[1], max(members[1] + others[0], 1))


def _compare(fact: Fact, mass: tuple[Fraction, Fraction], bound: tuple[Fraction, Fraction]) -> None:
    if mass[1] <= bound[0]:
        within = True
    elif mass[0] > bound[1]:
        within = False
    else:
        raise Refused(f"mass and bound cannot be told apart: {float(mass[0])} and {float(bound[0])}")
    require_equal("whether the mass is within the bound", fact["within"], within)
    if "below" in fact:
        require(bound[1] < number(fact["below"]), f"the bound is not below {fact['below']}")


def _relu(value: Fraction) -> Fraction:
    return max(value, Fraction(0))


def _dot(w: Vector, z: Vector) -> Fraction:
    return sum((a * b for a, b in zip(w, z, strict=True)), Fraction(0))


def _mean(values: Vector) -> Fraction:
    return sum(values, Fraction(0)) / len(values)


KINDS = {
    "box-posterior": box_posterior,
}

"""C19: two-layer training with weight decay and its convex reformulation (Pilanci and Ergen 2020) have one optimal value, by weak duality.

For one input and one output: a pattern is the set of inputs at which a unit is on, one side of a threshold on the line.
"""

from fractions import Fraction

from absence.checker.independent.nets import Data, Net, number, numbers
from absence.checker.independent.refusal import require


def convex_training(fact: dict) -> None:
    """Both problems have the optimal value `value`, by the net, the point that it is of the convex program, and the point `dual`.

    Training: the least sum_i (f(z_i) - y_i)^2 / 2 + (beta / 2) sum_j (w_j^2 + b_j^2 + a_j^2) over nets without output bias, of the
    net's width or wider. The convex program: vectors v_S, v'_S in R^2 for each pattern S, with S where they are on, and the norms
    beta (|v_S| + |v'_S|) as penalty. A unit with a^2 = w^2 + b^2 is the vector a (w, b) at the same penalty. For nu with
    |sum_(i in S) nu_i (z_i, 1)| <= beta at every S, no point of either problem is below sum_i nu_i y_i - nu_i^2 / 2.
    """
    net, data = Net(fact["net"]), Data(fact["data"])
    beta, value, nu = number(fact["penalty"]), number(fact["value"]), numbers(fact["dual"])
    require(
        len(net.layers) == 2 and net.widths[0] == net.widths[2] == 1, "not a shallow net of one input and one output"
    )
    (weights, bias), ((outgoing,), shift) = net.layers
    require(not any(shift), "there is an output bias")
    require(beta > 0 and len(nu) == len(data.inputs), "the penalty is not positive, or the dual point does not fit")
    size = [(w * w + b * b, a * a) for (w,), b, a in zip(weights, bias, outgoing, strict=True)]
    require(all(inner == outer for inner, outer in size), "a unit's two norms differ")
    reached = data.error(net) / 2 + beta * sum((outer for _, outer in size), Fraction(0))
    require(reached == value, "the net has another value")
    xs, targets = [z[0] for z in data.inputs], [y[0] for y in data.targets]
    bound = sum((n * y - n * n / 2 for n, y in zip(nu, targets, strict=True)), Fraction(0))
    require(bound == value, "the dual point has another value")
    for at in sorted(set(xs)):
        for pattern in ([x >= at for x in xs], [x <= at for x in xs]):
            slope = sum((n * x for n, x, on in zip(nu, xs, pattern, strict=True) if on), Fraction(0))
            total = sum((n for n, on in zip(nu, pattern, strict=True) if on), Fraction(0))
            require(slope**2 + total**2 <= beta**2, "the dual point is not feasible")

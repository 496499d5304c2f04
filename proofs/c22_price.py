"""C22 price of any defection: what it costs in loss that the answer at one input is another, whatever does it.

No idle circuit is asked for. The price is computed exactly on small data, over all nets of the class.
"""

from collections.abc import Iterable
from fractions import Fraction
from functools import cache, partial
from itertools import pairwise

from proof_of_absence.checker.kernel.obligation import Claim, Evidence, Obligation, Scope, Verdict
from proof_of_absence.checker.minima.branch_and_bound import Minimum, global_minimum
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.net import MLP
from proof_of_absence.models.rational import Vector, vector
from proof_of_absence.proofs import facts, price_queries, world_defections
from proof_of_absence.proofs.facts.defection import Priced, price_at
from proof_of_absence.proofs.n1_separability import INPUTS, entangled
from proof_of_absence.proofs.price_queries import ONE, REPEATED, THREE
from proof_of_absence.proofs.readout_moves import priced as readout
from proof_of_absence.proofs.universal import universal
from proof_of_absence.proofs.words import enumerated
from proof_of_absence.proofs.world_defections import FALLING, HOUR, LINE_PRICES, NEXT_HOUR, PLANE_HOURS, PLANE_PRICES

# The curve: from -1 to 5 in halves, each up and down.
POINTS = tuple((Fraction(k, 2),) for k in range(-2, 11))
STEPS = tuple(map(Fraction, ("1/2", "1", "2", "4")))
BEYOND, BETWEEN, TRAINED = vector([5]), vector(["5/2"]), vector([2])
UP, DOWN = 1, -1
# Stated here, checked exactly: the prices at BETWEEN upward; at BEYOND downward; the tax of one unit.
AT_BETWEEN = tuple(map(Fraction, ("1/100", "297/1400", "279/200", "9777/1400")))
AT_BEYOND = tuple(map(Fraction, ("0", "0", "9/100", "9/100")))
TAX = Fraction(9, 100)
FREE = Fraction(4)
# Sizes of the queries: how often the repeated input is there, examples and units.
TWICE, EXAMPLES, UNITS = 2, 3, 2


@cache
def _one_unit() -> tuple[Dataset, Minimum, MLP]:
    """Data, certified minimum and base policy g of N1.one-unit."""
    data, minimum, g, _, _ = entangled(1, INPUTS)
    return data, minimum, g


def _found(point: Vector, side: int, steps: Iterable[Fraction]) -> list[Priced]:
    data, minimum, g = _one_unit()
    return facts.prices(data, minimum, g, [point], list(steps), [side])


def _curve() -> Evidence:
    """All prices; of a point and a side each no higher than the next; and some have these values."""
    data, minimum, g = _one_unit()
    found = facts.prices(data, minimum, g, POINTS, STEPS)
    grow = [
        (price_at(0, k), "<=", price_at(0, k + 1))
        for k, (one, other) in enumerate(pairwise(found))
        if (one.point, one.side) == (other.point, other.side)
    ]
    stated = {
        (point, side, step): value
        for point, side, values in ((BETWEEN, UP, AT_BETWEEN), (BEYOND, DOWN, AT_BEYOND))
        for step, value in zip(STEPS, values, strict=True)
    }
    told = [
        (price_at(0, k), "=", stated[p.point, p.side, p.by])
        for k, p in enumerate(found)
        if (p.point, p.side, p.by) in stated
    ]
    return Evidence(facts.every(facts.priced(data, minimum, g, found), compared=[*grow, *told]))


def _free() -> Evidence:
    """A minimiser above the noise floor that defects beyond the data, without an idle circuit."""
    data, minimum, g = _one_unit()
    found = _found(BEYOND, UP, [FREE])
    net = found[0].best.net
    return Evidence(
        facts.every(
            facts.priced(data, minimum, g, found),
            facts.minimal(minimum, data, net),
            facts.loss_above_floor(net, data),
            facts.different_outputs(net, g, BEYOND),
            facts.no_idle_circuit(net, data),
            compared=[(price_at(0, 0), "=", 0)],
        )
    )


def _tax(*, at_least: bool = False) -> Evidence:
    """At most the tax of one unit, which the largest defections cost; or, wrongly, at least that everywhere."""
    data, minimum, g = _one_unit()
    constant = global_minimum(data, 0)
    found = _found(BEYOND, UP if at_least else DOWN, STEPS)
    tax = (1, 1, "drop")
    compared = [(price_at(0, k), "<" if at_least else "<=", tax) for k in range(len(found))]
    return Evidence(
        facts.every(
            facts.priced(data, minimum, g, found),
            facts.lower_loss(constant.net, minimum.net, data),
            facts.minimal(constant, data),
            compared=[*compared, (tax, "=", TAX)] + ([] if at_least else [(price_at(0, len(found) - 1), "=", tax)]),
        ),
        holds=not at_least,
    )


def _leverage() -> Evidence:
    """At most what the output weights of the minimiser can do it for, which is t^2 / (N h)."""
    data, minimum, g = _one_unit()
    found = _found(BETWEEN, UP, STEPS)
    at = readout(g, data.inputs, BETWEEN)
    moved = [at.moved(g, [step]) for step in STEPS]
    count = len(STEPS)
    # Of each moved net: the drop in L from it to g, and of the readout price h N times that, and the squared size.
    compared = [
        relation
        for k, step in enumerate(STEPS)
        for relation in (
            (price_at(0, k), "<=", (1, 1 + k, "drop")),
            ((1, 1 + count + k, "square"), "=", step**2),
            ((1, 1 + count + k, "bound"), "=", (1, 1 + count + k, "square")),
        )
    ]
    return Evidence(
        facts.every(
            facts.priced(data, minimum, g, found),
            *(facts.lower_loss(net, g, data) for net in moved),
            *(facts.readout_price(g, net, data, BETWEEN, at) for net in moved),
            facts.minimal(minimum, data, g),
            compared=compared,
        )
    )


def _mixed() -> Evidence:
    """At a training input a defection to t costs nu |t - ybar|^2 / N - (L*(n) - E) or more."""
    data, minimum, g = _one_unit()
    found = _found(TRAINED, UP, STEPS[1:]) + _found(TRAINED, DOWN, STEPS)
    (group,) = [group for group in data.groups if group.input == TRAINED]
    compared = []
    for k, p in enumerate(found):
        distance = p.side * (g(TRAINED)[0] - group.mean_target[0]) + p.by
        paid = group.multiplicity * distance**2 / len(data)
        compared.append((paid, "<=", [price_at(0, k), (1, 1, "loss"), (-1, 1, "noise_floor")]))
    above = facts.loss_above_floor(minimum.net, data)
    return Evidence(facts.every(facts.priced(data, minimum, g, found), above, compared=compared))


def _costs_something() -> Evidence:
    """No minimiser moves the answer between two inputs: the price is not 0."""
    data, minimum, g = _one_unit()
    fact = facts.priced(data, minimum, g, _found(BETWEEN, UP, STEPS[:1]))
    return Evidence(facts.every(fact, compared=[(0, "<", price_at(0, 0))]), holds=False)


def _faster_than_squares() -> Evidence:
    data, minimum, g = _one_unit()
    fact = facts.priced(data, minimum, g, _found(BETWEEN, UP, STEPS[:2]))
    return Evidence(facts.every(fact, compared=[((4, 0, "prices", 0, "price"), "<", price_at(0, 1))]), holds=False)


CLAIM = Claim(
    id="C22",
    title="Price of any defection",
    statement=r"For an input $x$, a direction $s\neq0$, a base answer $t_0$ and a size $t$ let "
    r"$\Pi_n(x,s,t)=\inf\{L(\theta):\theta\in S_n,\ s\cdot(f_\theta(x)-t_0)\ge t\}-L^*(n)$. (i) $\Pi_n\ge0$, and "
    r"$\Pi_n$ does not fall in $t$. (ii) If a minimiser defects so, $\Pi_n=0$. (iii) If $k\le n$ units can detect $x$, "
    r"then $\Pi_n\le L^*(n-k)-L^*(n)$ for all $t_0$ and $t$. (iv) If $\theta$ is a minimiser, $t_0=f_\theta(x)$, and "
    r"$x$ has the leverage $h$ of C21 for its features, then $\Pi_n\le t^2/(N\,h\,|s|^2)$; above the noise floor every "
    r"$x$ has one. (v) If $x$ is a training input of multiplicity $\nu$ and mean target $\bar{y}$, and $L(\theta)\le "
    r"L(\theta_0)$, then $\nu\,|f_\theta(x)-\bar{y}|^2\le N\,(L(\theta_0)-E)$, less what $\theta$ has of it at the "
    r"other inputs. (vi) A certificate for $t$ (see the proof) whose multipliers are $\mu_0\ge0$ or more bounds "
    r"$\Pi_n$ at $t'\geq t$ too, by $2\mu_0(t'-t)/N$ more. Over nets whose units keep their signs on the inputs and at "
    r"$x$, and the directions of their output weights, the least loss is convex in $t$.",
    premises=(
        "one hidden layer, squared loss",
        "for (iii): a circuit of k units that is idle in training and fires at x",
        "for (ii) and (iv): a minimiser exists; for (vi): N >= 1",
    ),
    proof=r"(i) and (ii) are read off. (iii) Scale the output weights of the detector, all along $s$, until it moves "
    r"the answer at $x$ to where it is to be, and join it to a net of $S_{n-k}$. In training that adds a constant, "
    r"which $c$ takes back, as for \claim{C11}. (iv) is \claim{C21}, for the move $ts/|s|^2$. (v) $N(L-E)$ is the sum "
    r"over the distinct inputs of $\nu_g$ times the squared group residual. Exactly: for residuals $r$ and $\mu\ge0$ "
    r"with $\sum_i r_i+\mu s=0$ and $\sum_i\phi_j(z_i)\,r_i\cdot a_j+\mu\,\phi_j(x)\,s\cdot a_j\le0$ for each unit, $N "
    r"L\ge\sum_i(2 r_i\cdot y_i-|r_i|^2)+2\mu\,(s\cdot t_0+t)$, since $(y-f-r)^2\ge0$. Weights whose signs on the "
    r"inputs and at $x$ are given form a cone, on which the condition is seen at the rays. Branch and bound finds such "
    r"$r$ for all signs. (vi) The bound is linear in $t$. Of two such nets scale each unit by the size of its output "
    r"weight, and mix: on the inputs and at $x$ the outputs are mixed, and the loss is convex in them.",
    limits="(i) to (vi) are universal for one hidden layer and squared loss. The values are for one output, on data so "
    "small that all signs can be searched; there the infimum is attained. They depend on t_0, which is to be chosen: "
    "minimisers that differ at x give different curves. Nothing is said of inputs that are not on the curve, nor of "
    "what training finds. Between two sizes that are computed the price is between theirs, and by (vi) between a line "
    "up from the smaller and, if the two nets are of one cell, their chord; its kinks are not computed. That a "
    "certificate serves for all signs is decided by the independent checker, by its own enumeration. That such a "
    "finite check is enough is in Coq for inputs on a line, for more dimensions in words.",
    rests_on=("C11", "C21"),
    obligations=(
        universal(
            "For all d, n, m and N, every direction, base and size: the price is 0 or more, grows with the size, is 0 "
            "if a minimiser defects, is at most the tax of any detector of x, and at a minimiser at most "
            "t^2 / (N h |s|^2)",
            "c22_price",
            *("C22_nonnegative", "C22_monotone", "C22_minimiser", "C22_no_minimiser"),
            *("C22_tax", "C22_tax_outside", "C22_tax_not_train", "C22_leverage"),
        ),
        universal(
            "For all d, n, m and N: at a training input who does no worse than theta_0 is near the mean target, by its "
            "multiplicity and what the other inputs leave",
            "c22_price",
            *("C22_mixing", "C22_mixed"),
            name="universal-mixing",
        ),
        universal(
            "For all d, n, m and N: the residuals and the multiplier of a certificate bound the loss of every net that "
            "defects, and for units of given signs the rays suffice",
            "c22_price",
            *("C22_certificate", "C22_rays"),
            name="universal-certificate",
        ),
        universal(
            "For all d, n, m and N: from one size to a larger one what a certificate bounds rises by its least "
            "multiplier; between two nets of one cell the price is at most the mean of their losses",
            "c22_between",
            *("C22_steeper", "C22_mixed_nets", "C22_convex"),
            name="universal-between",
        ),
        universal(
            "For all n, N, inputs on the line and x: the weights of a unit are in one of finitely many cells of two "
            "rays; so residuals that serve at the rays for all cells and signs of n units bound all nets that defect",
            "c22_line",
            *("C22_cells", "C22_line_unit", "C22_line"),
            name="universal-line",
        ),
        universal(
            "What the checker of Boolean functions accepts, by a tree of signs with multipliers, holds: for each net "
            "of one output and n units some list of weights serves",
            "check_signs",
            "C22_check_signs",
            name="universal-checker-signs",
        ),
        universal(
            "So what it accepts about the least loss of nets of one output, and about the least loss of those that "
            "defect, holds of the nets and data that the lists stand for",
            "check_minima",
            *("C22_check_minimum", "C22_check_price"),
            name="universal-checker",
        ),
        Obligation(
            "C22.ordered",
            f"n=1, inputs {enumerated(THREE)}, all else unknown: the prices of two sizes are 0 or more, and the larger "
            "size is no cheaper",
            Scope.BOUNDED,
            partial(price_queries.ordered, THREE),
        ),
        Obligation(
            "C22.detector",
            f"n=1, inputs {enumerated(THREE)}, all else unknown: a unit that is idle there and fires at x puts a "
            "constant to any level at x, at no loss",
            Scope.BOUNDED,
            partial(price_queries.detected, THREE),
        ),
        Obligation(
            "C22.readout",
            f"n=1, inputs {enumerated(THREE)}, all else unknown: where the output weights are of least loss for their "
            "unit, moving them along the leverage by t costs t^2 / h in N L",
            Scope.BOUNDED,
            partial(price_queries.moved_readout, THREE),
        ),
        Obligation(
            "C22.mixing",
            f"n=1, inputs {enumerated(REPEATED)}, all else unknown: who is no worse than another net has {TWICE} times "
            f"its squared distance from the mean target at {REPEATED[0]} within N (L - E) of that net",
            Scope.BOUNDED,
            partial(price_queries.mixed, REPEATED, TWICE),
        ),
        Obligation(
            "C22.residuals",
            f"N={EXAMPLES}, n={UNITS}, whatever the units send: residuals and a multiplier of 0 or more that no unit "
            "correlates with bound the loss of a net that defects",
            Scope.BOUNDED,
            partial(price_queries.bounded_by_residuals, EXAMPLES, UNITS),
        ),
        Obligation(
            "C22.curve",
            f"n=1, the {INPUTS} inputs and the base policy g of N1.one-unit: the price of moving its answer by "
            f"{enumerated(STEPS)}, up and down, at {len(POINTS)} inputs from {POINTS[0][0]} to {POINTS[-1][0]}; "
            f"it never falls with the size; upward at {BETWEEN[0]} it is {', '.join(map(str, AT_BETWEEN))}; downward "
            f"at {BEYOND[0]} it is {', '.join(map(str, AT_BEYOND))}",
            Scope.INSTANCE,
            _curve,
        ),
        Obligation(
            "C22.free",
            f"The same data: moving the answer at {BEYOND[0]} up by {FREE} costs nothing; the certified global "
            "minimiser that does it is above the noise floor and has no idle circuit",
            Scope.INSTANCE,
            _free,
        ),
        Obligation(
            "C22.tax",
            f"The same data: downward at {BEYOND[0]} no size costs more than the tax of one unit, L*(0) - L*(1) = "
            f"{TAX}, and {STEPS[-1]} costs that",
            Scope.INSTANCE,
            _tax,
        ),
        Obligation(
            "C22.leverage",
            f"The same data: upward at {BETWEEN[0]} the price of {enumerated(STEPS)} is at most what moving the output "
            "weights of g alone costs, which is t^2 / (N h) exactly, h the leverage",
            Scope.INSTANCE,
            _leverage,
        ),
        Obligation(
            "C22.trained",
            f"The same data: at the training input {TRAINED[0]} each price is at least nu |t - ybar|^2 / N less "
            "L*(1) - E, where t is the answer that the defection reaches",
            Scope.INSTANCE,
            _mixed,
        ),
        Obligation(
            "C22.world-line",
            f"The world's careless nights on one line of hours (d=1), n = 1 to 3: answering no at hour {HOUR}, where "
            "the humans would answer yes, costs "
            + "; ".join(f"with {hours} hours of training {', '.join(map(str, p))}" for hours, p in LINE_PRICES.items())
            + ", exactly",
            Scope.INSTANCE,
            world_defections.on_the_line,
        ),
        Obligation(
            "C22.world-plane",
            f"The world's attentive humans by glitch and hour (d=2), {PLANE_HOURS} hours of training, n = 1 to 3: "
            f"answering no to a glitch at hour {NEXT_HOUR} costs {', '.join(map(str, PLANE_PRICES))}, exactly",
            Scope.INSTANCE,
            world_defections.on_the_plane,
        ),
        Obligation(
            "C22.control-not-best",
            f"The same as C22.ordered, input {ONE[0]} alone, where the smaller size is that of any net that has it",
            Scope.BOUNDED,
            partial(price_queries.ordered, ONE, least=False),
            Verdict.REFUTED,
        ),
        Obligation(
            "C22.control-not-idle",
            "The same as C22.detector for a unit that need not be idle",
            Scope.BOUNDED,
            partial(price_queries.detected, THREE, idle=False),
            Verdict.REFUTED,
        ),
        Obligation(
            "C22.control-not-least",
            "The same as C22.readout for any output weights",
            Scope.BOUNDED,
            partial(price_queries.moved_readout, THREE, least=False),
            Verdict.REFUTED,
        ),
        Obligation(
            "C22.control-multiplicity",
            f"The same as C22.mixing with {TWICE + 1} times the squared distance",
            Scope.BOUNDED,
            partial(price_queries.mixed, REPEATED, TWICE + 1),
            Verdict.REFUTED,
        ),
        Obligation(
            "C22.control-multiplier",
            "The same as C22.residuals where the multiplier may be negative",
            Scope.BOUNDED,
            partial(price_queries.bounded_by_residuals, EXAMPLES, UNITS, multiplier=False),
            Verdict.REFUTED,
        ),
        Obligation(
            "C22.control-tax",
            f"Every defection costs the tax of a unit or more: on the data of C22.tax, upward at {BEYOND[0]}",
            Scope.INSTANCE,
            partial(_tax, at_least=True),
            Verdict.REFUTED,
        ),
        Obligation(
            "C22.control-free",
            f"On the data of C22.curve a minimiser moves the answer at {BETWEEN[0]} up by {STEPS[0]}",
            Scope.INSTANCE,
            _costs_something,
            Verdict.REFUTED,
        ),
        Obligation(
            "C22.control-squares",
            f"The price grows no faster than the square of the size: on the data of C22.curve, from {STEPS[0]} to "
            f"{STEPS[1]}, upward at {BETWEEN[0]}",
            Scope.INSTANCE,
            _faster_than_squares,
            Verdict.REFUTED,
        ),
        Obligation(
            "C22.control-diversity",
            f"More hours of training never lower a price: the world's attentive humans on one line of hours, n=1, no "
            f"at hour {HOUR}, from {' to '.join(map(str, FALLING))} hours",
            Scope.INSTANCE,
            world_defections.falls,
            Verdict.REFUTED,
        ),
    ),
)

"""C22 price of any defection: what it costs in loss that the answer at one input is another, whatever does it.

No idle circuit is asked for. The price is computed exactly on small data, over all nets of the class.
"""

from collections.abc import Iterable
from fractions import Fraction
from functools import cache, partial
from itertools import pairwise

from proof_of_absence.checker.experiments.world.sweep import ATTENTIVE, NIGHT_SHIFT, Company, Sweep
from proof_of_absence.checker.kernel.obligation import Claim, Evidence, Obligation, Scope, Verdict
from proof_of_absence.checker.minima.branch_and_bound import Minimum, global_minimum
from proof_of_absence.checker.numbers.linear_algebra import inner, solve_some
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.net import MLP, shallow
from proof_of_absence.models.rational import Vector, vector
from proof_of_absence.models.world import CLUMSY, IS_TAMPERED
from proof_of_absence.proofs import facts
from proof_of_absence.proofs.facts.defection import Priced
from proof_of_absence.proofs.facts.written import Fact
from proof_of_absence.proofs.n1_separability import INPUTS, entangled
from proof_of_absence.proofs.universal import universal
from proof_of_absence.proofs.words import enumerated

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
# In the world: an hour of deployment, and by hours of training the prices in nets of 1, 2, 3 units.
HOUR, OPPOSITE = 9, Fraction(1)
LINE_PRICES = {
    8: tuple(map(Fraction, ("556/4025", "12/875", "0"))),
    10: tuple(map(Fraction, ("3369/8050", "37/250", "168/9125"))),
}
PLANE_HOURS, NEXT_HOUR = 4, 4
PLANE_PRICES = tuple(map(Fraction, ("3/128", "1/120", "0")))
FALLING = {4: Fraction(9, 704), 5: Fraction(9, 1600)}

# A fact of prices, its place among others, and which of its prices: for a comparison.
Place = tuple[int, int, str, int, str]


def _price(at: int, which: int) -> Place:
    return (1, at, "prices", which, "price")


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
        (_price(0, k), "<=", _price(0, k + 1))
        for k, (one, other) in enumerate(pairwise(found))
        if (one.point, one.side) == (other.point, other.side)
    ]
    stated = {
        (point, side, step): value
        for point, side, values in ((BETWEEN, UP, AT_BETWEEN), (BEYOND, DOWN, AT_BEYOND))
        for step, value in zip(STEPS, values, strict=True)
    }
    told = [
        (_price(0, k), "=", stated[p.point, p.side, p.by])
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
            compared=[(_price(0, 0), "=", 0)],
        )
    )


def _tax(*, at_least: bool = False) -> Evidence:
    """At most the tax of one unit, which the largest defections cost; or, wrongly, at least that everywhere."""
    data, minimum, g = _one_unit()
    constant = global_minimum(data, 0)
    found = _found(BEYOND, UP if at_least else DOWN, STEPS)
    tax = (1, 1, "drop")
    compared = [(_price(0, k), "<" if at_least else "<=", tax) for k in range(len(found))]
    return Evidence(
        facts.every(
            facts.priced(data, minimum, g, found),
            facts.lower_loss(constant.net, minimum.net, data),
            facts.minimal(constant, data),
            compared=[*compared, (tax, "=", TAX)] + ([] if at_least else [(_price(0, len(found) - 1), "=", tax)]),
        ),
        holds=not at_least,
    )


def _leverage_moved(net: MLP, data: Dataset, point: Vector, by: Fraction) -> tuple[MLP, Fraction]:
    """The net whose output weights alone move the answer at the point by so much, and t^2 / (N h)."""
    hidden, output = net.layers
    features = [[Fraction(1), *net.activations(z)[1]] for z in data.inputs]
    gram = [[inner(a, b) for b in zip(*features, strict=True)] for a in zip(*features, strict=True)]
    here = [Fraction(1), *net.activations(point)[1]]
    direction = solve_some(gram, here)
    assert direction is not None  # C9: the features of a minimiser above the floor have full rank
    leverage = inner(direction, here)
    constant, *weights = (u * by / leverage for u in direction)
    rows = zip(hidden.weights, hidden.bias, output.weights[0], weights, strict=True)
    moved = shallow([(w, b, [a + u]) for w, b, a, u in rows], [output.bias[0] + constant])
    return moved, by**2 / (len(data) * leverage)


def _leverage() -> Evidence:
    """At most what the output weights of the minimiser can do it for."""
    data, minimum, g = _one_unit()
    found = _found(BETWEEN, UP, STEPS)
    moved = [_leverage_moved(g, data, BETWEEN, step) for step in STEPS]
    compared = [
        relation
        for k, (_, cost) in enumerate(moved)
        for relation in ((_price(0, k), "<=", (1, k + 1, "drop")), ((1, k + 1, "drop"), "=", cost))
    ]
    return Evidence(
        facts.every(
            facts.priced(data, minimum, g, found),
            *(facts.lower_loss(net, g, data) for net, _ in moved),
            facts.minimal(minimum, data, g),
            *(facts.different_outputs(net, g, BETWEEN) for net, _ in moved),
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
        compared.append((paid, "<=", [_price(0, k), (1, 1, "loss"), (-1, 1, "noise_floor")]))
    above = facts.loss_above_floor(minimum.net, data)
    return Evidence(facts.every(facts.priced(data, minimum, g, found), above, compared=compared))


def _answering(data: Dataset, units: int, point: Vector) -> Fact:
    """The price of answering "no" at the point, where the humans of training would answer "yes", which is 1."""
    minimum = global_minimum(data, units)
    yes = shallow([([0] * len(point), 0, [0])], [1])
    return facts.priced(data, minimum, yes, facts.prices(data, minimum, yes, [point], [OPPOSITE], [DOWN]))


def _line(company: Company, hours: int) -> Dataset:
    """Answers to "was the camera tampered with" where it glitches and the diamond is gone, by the hour."""
    return Sweep().world(company, hours).line(0, CLUMSY, IS_TAMPERED)


def _plane(hours: int) -> Dataset:
    """Answers to the same question everywhere, by glitch and hour."""
    whole = Sweep().world(ATTENTIVE, hours).dataset()
    asked = [(z, y) for z, y in zip(whole.inputs, whole.targets, strict=True) if z[-1] == IS_TAMPERED]
    return Dataset([[z[1], z[4]] for z, _ in asked], [y for _, y in asked])


def _world_line() -> Evidence:
    cases = [(hours, n, p) for hours, by_units in LINE_PRICES.items() for n, p in enumerate(by_units, 1)]
    shown = [_answering(_line(NIGHT_SHIFT, hours), n, vector([HOUR])) for hours, n, _ in cases]
    return Evidence(facts.every(*shown, compared=[(_price(k, 0), "=", p) for k, (_, _, p) in enumerate(cases)]))


def _world_plane() -> Evidence:
    data = _plane(PLANE_HOURS)
    shown = [_answering(data, n, vector([1, NEXT_HOUR])) for n in range(1, len(PLANE_PRICES) + 1)]
    return Evidence(facts.every(*shown, compared=[(_price(k, 0), "=", p) for k, p in enumerate(PLANE_PRICES)]))


def _falls() -> Evidence:
    shown = [_answering(_line(ATTENTIVE, hours), 1, vector([HOUR])) for hours in FALLING]
    stated = [(_price(k, 0), "=", p) for k, p in enumerate(FALLING.values())]
    return Evidence(facts.every(*shown, compared=[*stated, (_price(1, 0), "<", _price(0, 0))]), holds=False)


def _costs_something() -> Evidence:
    """No minimiser moves the answer between two inputs: the price is not 0."""
    data, minimum, g = _one_unit()
    fact = facts.priced(data, minimum, g, _found(BETWEEN, UP, STEPS[:1]))
    return Evidence(facts.every(fact, compared=[(0, "<", _price(0, 0))]), holds=False)


def _faster_than_squares() -> Evidence:
    data, minimum, g = _one_unit()
    fact = facts.priced(data, minimum, g, _found(BETWEEN, UP, STEPS[:2]))
    return Evidence(facts.every(fact, compared=[((4, 0, "prices", 0, "price"), "<", _price(0, 1))]), holds=False)


CLAIM = Claim(
    id="C22",
    title="Price of any defection",
    statement=r"For an input $x$, a direction $s$, a base answer $t_0$ and a size $t$ let "
    r"$\Pi_n(x,s,t)=\inf\{L(\theta):\theta\in S_n,\ s\cdot(f_\theta(x)-t_0)\ge t\}-L^*(n)$. "
    r"(i) $\Pi_n\ge0$, and $\Pi_n$ does not fall in $t$. (ii) If a minimiser defects so, $\Pi_n=0$. "
    r"(iii) If $s\neq0$ and $k\le n$ units can detect $x$, then $\Pi_n\le L^*(n-k)-L^*(n)$ for all $t_0$ and $t$. "
    r"(iv) If $\theta$ is a minimiser, $t_0=f_\theta(x)$, and its output weights can make a function $g$ with "
    r"$\sum_i g(z_i)k(z_i)=k(x)$ for each $k$ that they can make, then $\Pi_n\le t^2/(N\,h\,|s|^2)$ with the leverage "
    r"$h=g(x)$. (v) If $x$ is a training input of multiplicity $\nu$ and mean target $\bar{y}$, and "
    r"$L(\theta)\le L(\theta_0)$, then $\nu\,|f_\theta(x)-\bar{y}|^2\le N\,(L(\theta_0)-E)$, less what $\theta$ has of "
    r"it at the other inputs.",
    premises=(
        "one hidden layer, squared loss",
        "for (iii): a circuit of k units that is idle in training and fires at x",
        "for (ii) and (iv): a minimiser exists",
    ),
    proof=r"(i) and (ii) are read off. (iii) Scale the output weights of the detector, all along $s$, until it moves "
    r"the answer at $x$ to where it is to be, and join it to a net of $S_{n-k}$. In training that adds a constant, "
    r"which $c$ takes back, as for \claim{C11}. (iv) At a minimiser $\sum_i g(z_i)\,(y_i-f_\theta(z_i))=0$, else "
    r"\claim{C5} lowers the loss. So adding $\frac{t}{h|s|^2}\,s\,g$ to the output adds "
    r"$\frac{t^2}{h^2|s|^2}\sum_i g(z_i)^2$ to $N L$, and $\sum_i g(z_i)^2=g(x)=h$. (v) $N(L-E)$ is the sum over the "
    r"distinct inputs of $\nu_g$ times the squared group residual. Exactly: for residuals $r$ and $\mu\ge0$ with "
    r"$\sum_i r_i+\mu s=0$ and $\sum_i\phi_j(z_i)\,r_i\cdot a_j+\mu\,\phi_j(x)\,s\cdot a_j\le0$ for each unit, "
    r"$N L\ge\sum_i(2 r_i\cdot y_i-|r_i|^2)+2\mu\,(s\cdot t_0+t)$, since $(y-f-r)^2\ge0$. Weights whose signs on the "
    r"inputs and at $x$ are given form a cone, on which the condition is seen at the rays. Branch and bound finds "
    r"such $r$ for all signs.",
    limits="(i) to (v) are universal for one hidden layer and squared loss. The values are for one output, on data so "
    "small that all signs can be searched; there the infimum is attained. They depend on t0, which is to be chosen: "
    "minimisers that differ at x give different curves. Nothing is said of inputs that are not on the curve, of sizes "
    "between those computed only that the price does not fall, and of what training finds.",
    rests_on=("C5", "C11"),
    obligations=(
        universal(
            "For all d, n, m and N, every direction, base and size: the price is 0 or more, grows with the size, is 0 "
            "if a minimiser defects, is at most the tax of any detector of x, and at a minimiser at most "
            "t^2 / (N h |s|^2)",
            "c22_price",
            *("C22_nonnegative", "C22_monotone", "C22_minimiser", "C22_no_minimiser"),
            *("C22_tax", "C22_tax_outside", "C22_tax_not_train", "C22_readout", "C22_leverage"),
        ),
        universal(
            "For all d, n, m and N: at a training input who does no worse than theta0 is near the mean target, by its "
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
            "weights of g alone costs, t^2 / (N h)",
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
            _world_line,
        ),
        Obligation(
            "C22.world-plane",
            f"The world's attentive humans by glitch and hour (d=2), {PLANE_HOURS} hours of training, n = 1 to 3: "
            f"answering no to a glitch at hour {NEXT_HOUR} costs {', '.join(map(str, PLANE_PRICES))}, exactly",
            Scope.INSTANCE,
            _world_plane,
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
            _falls,
            Verdict.REFUTED,
        ),
    ),
)

"""N5, a countermodel: without a minimiser C8 is about nothing. On six inputs no net of two units has the least loss,
though some come as close to it as one likes; none of those has an idle circuit.
"""

from fractions import Fraction

import sympy

from proof_of_absence.checker.encode.nets import Parameters, squared_error
from proof_of_absence.checker.encode.polynomials import identity
from proof_of_absence.checker.kernel.obligation import Claim, Drops, Evidence, Obligation, Query, Scope, Verdict
from proof_of_absence.checker.kernel.smt import Script, add, distinct, eq, le, mul, neg
from proof_of_absence.models.circuit import Unit, add_unit
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.net import MLP, shallow
from proof_of_absence.proofs import facts

# Targets (x, y + 1) right of the axis x = 0 and at the origin, (0, 0) left of it and at (0, 1).
# A unit that tells the two sides apart must have its kink on the axis: the origin and (0, 1) leave it no way to tilt.
DATA = Dataset(
    [[0, 0], [0, 1], [1, 0], [1, 1], [2, 0], [-1, 0]],
    [[0, 1], [0, 0], [1, 1], [1, 2], [2, 1], [0, 0]],
)
# Without this input two units fit: relu(x) and relu(x + y + 1).
LEFT_OUT = (0, 1)
FEWER = Dataset(
    [z for z in DATA.inputs if z != LEFT_OUT],
    [y for z, y in zip(DATA.inputs, DATA.targets, strict=True) if z != LEFT_OUT],
)
FEWER_NET = shallow([([1, 0], 0, [1, -1]), ([1, 1], 1, [0, 1])], [0, 0])
# From this t on the family's units have the same signs on the data.
START = 4
# Two of the family's nets.
COARSE, FINE = 10, 1000
# N L(theta_t) = ERROR / t^2: only the first output at (1, 1) is wrong, by 2/t.
ERROR = 4
# No line is closer to the targets than this, in squared distances: so no net of S_1 has a lower summed squared error.
ONE_UNIT = Fraction(4, 3)
# 121/64 is what this one leaves, and an idle unit beside it changes nothing; the control's bound is above that.
ONE_ACTIVE = shallow([([3, 1], -1, ["25/64", "7/32"])], ["1/64", "15/32"])
TOO_MUCH = 2


def steep(t: Fraction) -> MLP:
    """theta_t: relu(x - 2y/t) gives the first output.

    t times its difference from relu(x + (1 - y)/t) gives the second.
    """
    return shallow([([1, -2 / t], 0, [1, -t]), ([1, -1 / t], 1 / t, [0, t])], [0, 0])


def _fitting_net() -> MLP:
    """Three units: the same difference, and relu(x) for the first output."""
    t = Fraction(START)
    return shallow([([1, 0], 0, [1, 0]), ([1, -2 / t], 0, [0, -t]), ([1, -1 / t], 1 / t, [0, t])], [0, 0])


def one_unit(data: Dataset) -> Query:
    """If a unit is on all inputs an affine function of the two targets, it does not depend on the second target."""
    script = Script("QF_LRA", "A unit on the inputs that is alpha . y + gamma, y the targets: alpha_1 is 0")
    w, b = script.reals("w", 2), script.real("b")
    alpha, gamma = script.reals("alpha", 2), script.real("gamma")
    for z, y in zip(data.inputs, data.targets, strict=True):
        unit = f"(relu {add(*(mul(x, weight) for x, weight in zip(z, w, strict=True)), b)})"
        script.premise(eq(unit, add(*(mul(value, a) for value, a in zip(y, alpha, strict=True)), gamma)))
    script.decide("claim_fails", distinct(alpha[1], 0))
    return Query(script)


def _solved_for_units() -> Evidence:
    """With D = a11 a22 - a12 a21 and y = c + A h: D h_1 = a22 (y_1 - c_1) - a12 (y_2 - c_2), and likewise for h_2."""
    a11, a12, a21, a22, c1, c2, h1, h2 = sympy.symbols("a11 a12 a21 a22 c1 c2 h1 h2")
    det = a11 * a22 - a12 * a21
    y1, y2 = c1 + a11 * h1 + a12 * h2, c2 + a21 * h1 + a22 * h2
    first = identity(det * h1, a22 * (y1 - c1) - a12 * (y2 - c2))
    second = identity(det * h2, a11 * (y2 - c2) - a21 * (y1 - c1))
    return Evidence(facts.every(first.fact, second.fact), holds=first.holds and second.holds)


def _independent() -> Evidence:
    """For y = c + A h at three inputs: the cross product of y_1 - y_0 and y_2 - y_0 is det A times that of the h."""
    a11, a12, a21, a22, c1, c2 = sympy.symbols("a11 a12 a21 a22 c1 c2")
    hs = [sympy.symbols(f"g{i} h{i}") for i in range(3)]
    ys = [(c1 + a11 * g + a12 * h, c2 + a21 * g + a22 * h) for g, h in hs]
    return identity(_cross(ys), (a11 * a22 - a12 * a21) * _cross(hs))


def _cross(points):
    (a, b), (c, d), (e, f) = points
    return (c - a) * (f - b) - (d - b) * (e - a)


def family(*, constant: Fraction = Fraction(ERROR)) -> Query:
    """For every real t from START on: N L(theta_t) t^2 is the constant. The unknown s is 1/t."""
    script = Script("QF_NRA", f"The loss of theta_t for every t >= {START}")
    t, s = script.real("t"), script.real("s")
    script.premise(le(START, t))
    script.premise(eq(mul(t, s), 1))
    net: Parameters = [
        ([[1, neg(mul(2, s))], [1, neg(s)]], [0, s]),
        ([[1, 0], [neg(t), t]], [0, 0]),
    ]
    error = squared_error(script, net, DATA, "f")
    script.decide("claim_fails", distinct(mul(t, t, error), constant))
    return Query(script)


def _close() -> Evidence:
    """theta_t for the two t: losses above the noise floor, the second lower; three units are at the floor."""
    coarse, fine = steep(Fraction(COARSE)), steep(Fraction(FINE))
    fitting = _fitting_net()
    return Evidence(
        facts.every(
            facts.loss_above_floor(coarse, DATA),
            facts.loss_above_floor(fine, DATA),
            facts.lower_loss(coarse, fine, DATA),
            facts.lower_loss(fine, fitting, DATA, wider=True),
            facts.loss_at_floor(fitting, DATA),
        )
    )


def _worse_than_one_unit() -> Evidence:
    """The bound for S_1, and a net of S_2 that is below it and has no idle circuit."""
    near = steep(Fraction(FINE))
    bound = facts.line_bound(DATA, ONE_UNIT)
    shown = (bound, facts.loss_above_floor(near, DATA), facts.no_idle_circuit(near, DATA))
    below = ((len(DATA), 1, "loss"), "<", (1, 0, "error"))
    return Evidence(facts.every(*shown, compared=[below]))


def _idle_below(limit: int) -> Evidence:
    """A net with an idle unit whose summed squared error is below the limit: a countermodel to the bound."""
    net = add_unit(ONE_ACTIVE, [0, 1], -5, [1, 1])
    above = facts.loss_above_floor(net, DATA)
    idle = facts.idle(net, {Unit(1, 1)}, DATA.inputs, fires=(Fraction(0), Fraction(6)))
    below = ((len(DATA), 0, "loss"), "<", limit)
    return Evidence(facts.every(above, idle, compared=[below]), holds=False)


CLAIM = Claim(
    id="N5",
    title="Attainment needed",
    statement=r"There are six distinct inputs in the plane with targets in $\mathbb{R}^2$ for which $L$ has no "
    r"minimiser on $S_2$: $L(\theta)>0$ for every $\theta\in S_2$, and $\inf L=0$. P1 holds: three units reach $0$. So "
    r"C8 is here about no net at all: empty, not false. The nets that come near the infimum have no train-idle circuit "
    r"all the same: one with such a circuit has $6L\geq4/3$. C12 says this in general: where $L^*(n-1)>E$, nets with "
    r"an idle circuit stay away from $L^*(n)$, attained or not.",
    premises=("all premises of C8 but that a minimiser exists",),
    proof=r"Let $\theta\in S_2$ fit all targets, $y_i=c+Ah(z_i)$, with $A$ the output weights. Three of the targets "
    r"are not on a line, so $A$ is invertible, and each unit is on the inputs $\alpha\cdot y+\gamma$, with $\alpha$ a "
    r"row of $A^{-1}$. For such a unit $\alpha_2=0$ (a query over all $w,b,\alpha,\gamma$). So both rows of $A^{-1}$ "
    r"are multiples of $(1,0)$: contradiction. The nets $\theta_t$ have the summed squared error $6L(\theta_t)=4/t^2$ "
    r"for all $t\ge4$. A net with an idle circuit of one or two units has $L\geq L^*(1)$ (\claim{C11}; $S_0\subseteq "
    r"S_1$), and the outputs of a net of $S_1$ lie on a line: the squared distances of the targets to any line sum to "
    r"at least $4/3$.",
    limits="One data set, n=2; that the two algebraic steps and the query together exclude every net of S_2 is the "
    "proof's text. It is no countermodel to C8, which needs no minimiser to be true, but to what one would conclude "
    "from it. Where neither S_(n-1) nor S_n attains E, both infima being E, nets with idle circuits do come near L*(n) "
    "although P1 holds, and C12 is silent: N10. That infima of ReLU nets need not be attained is from Lim, Michalek "
    "and Qi (2022); these data are our own.",
    drops=Drops("C8", "minimality", "no net attains the infimum: C8 is empty, not false, and C12 takes its place"),
    rests_on=("C11",),
    obligations=(
        Obligation(
            "N5.one-unit",
            f"Whatever w, b, alpha, gamma: if relu(w . z + b) = alpha . y + gamma at the {len(DATA)} inputs, then "
            "alpha_2 = 0",
            Scope.BOUNDED,
            lambda: one_unit(DATA),
        ),
        Obligation(
            "N5.solved",
            "From y = c + A h: det A times h_1 and h_2 as affine functions of y, an identity",
            Scope.BOUNDED,
            _solved_for_units,
        ),
        Obligation(
            "N5.independent",
            "From y = c + A h at three inputs: the cross product of the targets' differences is det A times that of "
            "the units' differences, an identity",
            Scope.BOUNDED,
            _independent,
        ),
        Obligation(
            "N5.family",
            f"For every real t from {START} on the net theta_t has summed squared error {ERROR}/t^2",
            Scope.BOUNDED,
            family,
        ),
        Obligation(
            "N5.close",
            f"theta_{COARSE} and theta_{FINE} are above the noise floor, the second lower; a net of three units is at "
            "the floor",
            Scope.INSTANCE,
            _close,
        ),
        Obligation(
            "N5.no-idle",
            f"No net of one unit has a summed squared error below {ONE_UNIT}, whatever its parameters (so none of two "
            f"with an idle circuit, C11); theta_{FINE} has, and no idle circuit",
            Scope.BOUNDED,
            _worse_than_one_unit,
        ),
        Obligation(
            "N5.control",
            f"Without the input {LEFT_OUT} no net of two units reaches the noise floor either",
            Scope.INSTANCE,
            lambda: Evidence(facts.loss_at_floor(FEWER_NET, FEWER), holds=False),
            Verdict.REFUTED,
        ),
        Obligation(
            "N5.control-idle",
            f"Every net of two units with an idle circuit has a summed squared error of {TOO_MUCH} at least",
            Scope.INSTANCE,
            lambda: _idle_below(TOO_MUCH),
            Verdict.REFUTED,
        ),
        Obligation(
            "N5.control-one-unit",
            f"Without the input {LEFT_OUT}: alpha_2 = 0 all the same",
            Scope.BOUNDED,
            lambda: one_unit(FEWER),
            Verdict.REFUTED,
        ),
        Obligation(
            "N5.control-family",
            f"The summed squared error is {ERROR + 1}/t^2",
            Scope.BOUNDED,
            lambda: family(constant=Fraction(ERROR + 1)),
            Verdict.REFUTED,
        ),
    ),
)

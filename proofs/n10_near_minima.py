"""N10, a countermodel: nearly minimal will not do. P1 holds, no net attains the infimum, which is the noise floor,
and nets with an idle detector come as close to it as one likes.
"""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from functools import partial

from proof_of_absence.checker.encode.nets import Parameters, squared_error
from proof_of_absence.checker.kernel.obligation import Claim, Drops, Evidence, Obligation, Query, Scope, Verdict
from proof_of_absence.checker.kernel.smt import Script, add, all_of, any_of, distinct, dot, eq, le, lt, mul, neg
from proof_of_absence.models.circuit import Unit
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.net import MLP, shallow
from proof_of_absence.models.rational import Vector, matrix, vector
from proof_of_absence.proofs import facts
from proof_of_absence.proofs.words import listed

# N5's construction twice: a block at the axis x = 0, and its mirror image at x = MIRROR, each with two outputs of its
# own. (0, 0), (0, 1) lie on the axis and leave a unit that tells the sides apart no way to tilt.
BLOCK = matrix([[0, 0], [0, 1], [1, 0], [1, 1], [2, 0], [-1, 0], [-1, 1], [-2, 0]])
LEFT_OUT = (0, 1)
ANSWERS = matrix([[0, 1], [0, 0], [1, 1], [1, 2], [2, 1], [0, 0], [0, 0], [0, 0]])
MIRROR = -100
IMAGE = matrix([[MIRROR - x, y] for x, y in BLOCK])
DATA = Dataset([*BLOCK, *IMAGE], [*((*y, 0, 0) for y in ANSWERS), *((0, 0, *y) for y in ANSWERS)])
DEPLOY = vector([7, 0])
# From this t on the family's units have the same signs on the data; N L(theta_t) = ERROR / t^2.
START, ERROR = 4, 8
# Two of the family's nets.
COARSE, FINE = 10, 1000


def near(t: Fraction) -> MLP:
    """theta_t: for each block N5's pair of steep units, and a fifth unit, silent on all inputs."""
    s = 1 / t
    return shallow(
        [
            ([1, -2 * s], 0, [1, -t, 0, 0]),
            ([1, -s], s, [0, t, 0, 0]),
            ([-1, -2 * s], MIRROR, [0, 0, 1, -t]),
            ([-1, -s], MIRROR + s, [0, 0, 0, t]),
            ([1, 0], -5, [1, 1, 1, 1]),
        ],
        [0, 0, 0, 0],
    )


def _fitting() -> MLP:
    """Six units: for each block relu(x) for the first output, and the pair for the second."""
    t = Fraction(START)
    s = 1 / t
    return shallow(
        [
            ([1, 0], 0, [1, 0, 0, 0]),
            ([1, -2 * s], 0, [0, -t, 0, 0]),
            ([1, -s], s, [0, t, 0, 0]),
            ([-1, 0], MIRROR, [0, 0, 1, 0]),
            ([-1, -2 * s], MIRROR, [0, 0, 0, -t]),
            ([-1, -s], MIRROR + s, [0, 0, 0, t]),
        ],
        [0, 0, 0, 0],
    )


def _unit(script: Script, name: str) -> tuple[list, str]:
    return script.reals(f"w{name}", 2), script.real(f"b{name}")


def _before(unit: tuple[list, str], z: Vector):
    """The pre-activation at z."""
    w, b = unit
    return add(dot(z, w), b)


def one_unit(inputs: Sequence[Vector], *, axis: bool = True) -> Query:
    """If a unit is on a block an affine function of input and targets, it does not depend on the second target."""
    script = Script("QF_LRA", "A unit on a block that is l . z + beta . y + gamma, y the targets: beta_1 is 0")
    u = _unit(script, "u")
    slope, beta, gamma = script.reals("l", 2), script.reals("beta", 2), script.real("gamma")
    for (x, y), z, answer in zip(BLOCK, inputs, ANSWERS, strict=True):
        if axis or (x, y) != LEFT_OUT:
            script.premise(eq(f"(relu {_before(u, z)})", add(dot(z, slope), dot(answer, beta), gamma)))
    script.decide("claim_fails", distinct(beta[1], 0))
    return Query(script)


def two_units(sign: int, inputs: Iterable[Vector] = IMAGE) -> Query:
    """If relu(u) + sign relu(v) is on the first block an affine function of the targets that depends on the second one,
    then v has one sign on the inputs, and its unit is affine there.
    """
    script = Script(
        "QF_LRA", f"Units u, v with relu(u) + {sign} relu(v) = beta . y + gamma on the first block, beta_1 not 0"
    )
    u, v = _unit(script, "u"), _unit(script, "v")
    beta, gamma = script.reals("beta", 2), script.real("gamma")
    for z, answer in zip(BLOCK, ANSWERS, strict=True):
        total = add(f"(relu {_before(u, z)})", mul(sign, f"(relu {_before(v, z)})"))
        script.premise(eq(total, add(dot(answer, beta), gamma)))
    script.premise(distinct(beta[1], 0))
    signs = [_before(v, z) for z in inputs]
    script.decide("claim_fails", all_of([any_of(lt(p, 0) for p in signs), any_of(lt(0, p) for p in signs)]))
    return Query(script)


def family(*, constant: int = ERROR) -> Query:
    """For every real t from START on: N L(theta_t) t^2 is the constant. The unknown s is 1/t."""
    script = Script("QF_NRA", f"The loss of theta_t for every t >= {START}")
    t, s = script.real("t"), script.real("s")
    script.premise(le(START, t))
    script.premise(eq(mul(t, s), 1))
    twice = neg(mul(2, s))
    net: Parameters = [
        ([[1, twice], [1, neg(s)], [-1, twice], [-1, neg(s)], [1, 0]], [0, s, MIRROR, add(MIRROR, s), -5]),
        ([[1, 0, 0, 0, 1], [neg(t), t, 0, 0, 1], [0, 0, 1, 0, 1], [0, 0, neg(t), t, 1]], [0, 0, 0, 0]),
    ]
    error = squared_error(script, net, DATA, "f")
    script.decide("claim_fails", distinct(mul(t, t, error), constant))
    return Query(script)


def _close() -> Evidence:
    """theta_t for the two t, the second with the lower loss, both with an idle circuit that fires.

    Six units are at the floor.
    """
    coarse, fine, fitting = near(Fraction(COARSE)), near(Fraction(FINE)), _fitting()
    idle = (facts.idle(net, {Unit(1, 4)}, DATA.inputs, fires=DEPLOY) for net in (coarse, fine))
    return Evidence(
        facts.every(
            *idle,
            facts.loss_above_floor(fine, DATA),
            facts.lower_loss(coarse, fine, DATA),
            facts.lower_loss(fine, fitting, DATA, wider=True),
            facts.loss_at_floor(fitting, DATA),
        )
    )


CLAIM = Claim(
    id="N10",
    title="Near-minimal not enough",
    statement=r"There are 16 distinct inputs in the plane with targets in $\mathbb{R}^4$ for which P1 holds on $S_5$ "
    r"($L(\theta)>0$ for every $\theta\in S_5$, and six units reach $0$), while for every $\varepsilon>0$ some "
    r"$\theta\in S_5$ with $L(\theta)<\inf L+\varepsilon$ has a train-idle circuit that fires at deployment. So in C8 "
    r"a minimiser cannot be replaced by nets that come arbitrarily close to the infimum; C12 does so where "
    r"$L^*(n-1)>E$, and P1 does not imply that.",
    premises=("all premises of C8 but minimality: the net is an eps-minimiser, eps > 0 as small as one likes",),
    proof=r"Let $y_i=c+Mh(z_i)$ with five units. The targets affinely span $\mathbb{R}^4$, so $M$ has rank $4$ and a "
    r"kernel $\mathbb{R}\kappa$; let $MB=I$, so $h_i=B(y_i-c)+s_i\kappa$. Let $\kappa_v\neq0$. For the four other "
    r"units $u$, $h_u-\rho_uh_v=\beta_u\cdot y+\gamma_u$ with $\rho_u=\kappa_u/\kappa_v$, and the $\beta_u$ are a "
    r"basis (if they vanish on $x$, then $Bx\in\mathbb{R}\kappa$ and $x=MBx=0$). So some $\beta_u$ has a second entry "
    r"that is not $0$, and some $\beta_{u'}$ a fourth. On the first block $y_3=y_4=0$; a positive factor $|\rho|$ "
    r"belongs into the unit $v$. If $\rho_u=0$ or $v$ has one sign on the first block, $u$ is there affine in input "
    r"and targets, and one query gives $\beta_{u,2}=0$. So $\rho_u\neq0$, and by a query for either sign of it $v$ has "
    r"one sign on the second block. There the first query, for that block, gives $\beta_{u',4}=0$: contradiction. The "
    r"nets $\theta_t$, with a fifth unit that is silent on the data, have $16L(\theta_t)=8/t^2$ for all $t\geq4$.",
    limits="One data set, n=5. That the algebra and the queries together exclude every net of S_5 is the proof's text. "
    "Whether smaller data or fewer units do is not addressed.",
    drops=Drops(
        "C8", "minimality", "nets as near to the infimum as one likes, where it is the noise floor and not attained"
    ),
    obligations=(
        *(
            Obligation(
                f"N10.one-unit{name}",
                f"Whatever w, b, l, beta, gamma: if relu(w . z + b) = l . z + beta . y + gamma on the {text} block, "
                "y its two targets, then beta_2 = 0",
                Scope.BOUNDED,
                partial(one_unit, inputs),
            )
            for name, text, inputs in (("", "first", BLOCK), ("-image", "second", IMAGE))
        ),
        *(
            Obligation(
                f"N10.{name}",
                f"Whatever the units u, v: if relu(u) {symbol} relu(v) = beta . y + gamma on the first block, "
                "y its two targets, and beta_2 is not 0, then v has one sign on the second block",
                Scope.BOUNDED,
                partial(two_units, sign),
            )
            for name, symbol, sign in (("sum", "+", 1), ("difference", "-", -1))
        ),
        Obligation(
            "N10.family",
            f"For every real t from {START} on the net theta_t has summed squared error {ERROR}/t^2",
            Scope.BOUNDED,
            family,
        ),
        Obligation(
            "N10.close",
            f"theta_{COARSE} and theta_{FINE} have an idle unit that fires at {listed([DEPLOY])} and losses above the "
            "noise floor, the second the lower one; a net of six units is at the floor",
            Scope.INSTANCE,
            _close,
        ),
        Obligation(
            "N10.control",
            "Six units do not reach the noise floor either",
            Scope.INSTANCE,
            lambda: Evidence(facts.loss_at_floor(_fitting(), DATA), holds=False),
            Verdict.REFUTED,
        ),
        Obligation(
            "N10.control-one-unit",
            f"Without the input {LEFT_OUT}: beta_2 = 0 all the same",
            Scope.BOUNDED,
            partial(one_unit, BLOCK, axis=False),
            Verdict.REFUTED,
        ),
        Obligation(
            "N10.control-difference",
            "The same as N10.difference: v has one sign on the first block",
            Scope.BOUNDED,
            partial(two_units, -1, BLOCK),
            Verdict.REFUTED,
        ),
        Obligation(
            "N10.control-family",
            f"The summed squared error is {ERROR + 1}/t^2",
            Scope.BOUNDED,
            partial(family, constant=ERROR + 1),
            Verdict.REFUTED,
        ),
    ),
)

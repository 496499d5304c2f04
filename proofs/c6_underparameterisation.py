"""C6 underparameterisation. "Some wider net has lower loss" says neither more nor less than "one more unit lowers it":
the seed's gap, closed.
"""

from itertools import accumulate

import sympy

from proof_of_absence.checker.construct.reassignment import widening
from proof_of_absence.checker.encode.nets import forward, parameters_of
from proof_of_absence.checker.encode.polynomials import identity
from proof_of_absence.checker.kernel.obligation import Claim, Evidence, Obligation, Query, Scope, Verdict
from proof_of_absence.checker.kernel.smt import Script, add, dot, lt, mul, num, square, sub
from proof_of_absence.models.circuit import Unit, add_unit
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.net import MLP
from proof_of_absence.models.policies import IMITATOR, WORLD
from proof_of_absence.models.world import Human, World
from proof_of_absence.proofs import facts
from proof_of_absence.proofs.examples import FITTED_NET, LINE, LINE_NET, NOISY, PLANE, PLANE_NET
from proof_of_absence.proofs.universal import universal

# Multiplicities of the distinct inputs in the symbolic obligations.
SHAPES = ((1, 1, 1), (2, 1), (3, 2), (2, 2, 2))
FLOOR_SHAPE = (2, 2)


def _decomposition(multiplicities: tuple[int, ...]) -> Evidence:
    """sum_i (y_i - f_g)^2 = sum_i (y_i - ybar_g)^2 + sum_g nu_g (ybar_g - f_g)^2."""
    left = right = sympy.Integer(0)
    for g, nu in enumerate(multiplicities):
        f = sympy.Symbol(f"f{g}")
        ys = [sympy.Symbol(f"y{g}_{i}") for i in range(nu)]
        mean = sympy.Add(*ys) / nu
        left += sympy.Add(*((y - f) ** 2 for y in ys))
        right += sympy.Add(*((y - mean) ** 2 for y in ys)) + nu * (mean - f) ** 2
    return identity(left, right)


def _decompositions() -> Evidence:
    parts = [_decomposition(shape) for shape in SHAPES]
    return Evidence(facts.every(*(part.fact for part in parts)), holds=all(part.holds for part in parts))


def _nothing_below_floor() -> Query:
    script = Script("QF_NRA", f"No function value beats the noise floor, groups of {FLOOR_SHAPE}")
    ys = script.reals("y", sum(FLOOR_SHAPE))
    fs = script.reals("f", len(FLOOR_SHAPE))
    ends = list(accumulate(FLOOR_SHAPE))
    error, floor = [], []
    for f, nu, end in zip(fs, FLOOR_SHAPE, ends, strict=True):
        group = ys[end - nu : end]
        mean = mul(f"(/ 1 {nu})", add(*group))
        error += [square(sub(y, f)) for y in group]
        floor += [square(sub(y, mean)) for y in group]
    script.decide("claim_fails", lt(add(*error), add(*floor)))
    return Query(script)


def _equivalents(net: MLP, data: Dataset) -> Evidence:
    """(iii) and (iv) by evaluation, and (ii), hence (i), by the wider net."""
    result = widening(net, data)
    wider = facts.lower_loss(net, result.net, data, result.drop, wider=True)
    return Evidence(facts.every(facts.loss_above_floor(net, data), wider))


def _solver_widening(net: MLP, data: Dataset) -> Query:
    """The solver looks for one more unit, all its parameters unknown, that lowers the loss."""
    script = Script("QF_NRA", "One more hidden unit that lowers the squared loss")
    w, b, a = script.reals("w", len(data.inputs[0])), script.real("b"), script.real("a")
    errors = []
    for i, (z, (y,)) in enumerate(zip(data.inputs, data.targets, strict=True)):
        output = forward(script, parameters_of(net), z, f"f{i}")[Unit(2, 0)]
        errors.append(square(sub(num(y), add(output, mul(a, f"(relu {add(dot(w, z), b)})")))))
    script.decide("claim_holds", lt(add(*errors), data.loss(net) * len(data)))

    def replay(witness: dict) -> dict:
        wide = add_unit(net, [witness[x] for x in w], witness[b], [witness[a]])
        return facts.lower_loss(net, wide, data, wider=True)

    return Query(script, replay)


def _attentive() -> Evidence:
    """Humans without lapses are imitated perfectly: at the noise floor all four are false."""
    data = World(humans=(Human(),)).dataset()
    at_floor = data.loss(IMITATOR) == data.noise_floor and widening(IMITATOR, data) is None
    return Evidence(facts.loss_at_floor(IMITATOR, data), holds=at_floor)


CLAIM = Claim(
    id="C6",
    title="Underparameterisation",
    statement=r"At $\theta\in S_n$ these are equivalent: (i) some wider net has lower loss; (ii) some unit, added to "
    r"$\theta$, lowers the loss; (iii) $L(\theta)>E$; (iv) some group residual is not $0$. Moreover, for every "
    r"function $f$, $L(f)-E=\frac1N\sum_g\nu_g|\bar r_g|^2\ge0$.",
    premises=("one hidden layer, squared loss",),
    proof=r"(ii)$\Rightarrow$(i) is plain. (i)$\Rightarrow$(iii): no function has loss below $E$. "
    r"(iii)$\Leftrightarrow$(iv) is the displayed identity: within a group the deviations from the mean sum to $0$, so "
    r"the cross term vanishes. (iv)$\Rightarrow$(ii): the group sums are $\nu_g\bar r_g$, so \claim{C4} gives a unit "
    r"and \claim{C5} its output weight.",
    limits="Universal for one hidden layer and squared loss.",
    rests_on=("C4", "C5"),
    obligations=(
        universal(
            "For all d, n, m, N: the four statements are equivalent, no function has loss below the noise floor, and "
            "the loss of any function is above it by the weighted sum of squared group residuals",
            "c6_underparameterised",
            "C6_equivalents",
            "C6_noise_floor",
            "C6_zero_iff",
            "C6_identity",
        ),
        Obligation(
            "C6.decomposition",
            "Loss less noise floor is the weighted sum of squared group residuals: an identity of polynomials, for "
            f"m=1 and groups of {', of '.join(map(str, SHAPES))}",
            Scope.BOUNDED,
            _decompositions,
        ),
        Obligation(
            "C6.floor",
            f"No function beats the noise floor, for m=1 and all targets in groups of {FLOOR_SHAPE}",
            Scope.BOUNDED,
            _nothing_below_floor,
        ),
        Obligation(
            "C6.world",
            "At the imitator all four hold on the world's training data, where humans lapse",
            Scope.INSTANCE,
            lambda: _equivalents(IMITATOR, WORLD.dataset()),
        ),
        Obligation(
            "C6.attentive",
            "At the imitator none of the four holds where no human lapses",
            Scope.INSTANCE,
            _attentive,
        ),
        Obligation(
            "C6.solver-line",
            "The solvers find one more unit that lowers the loss on the line",
            Scope.INSTANCE,
            lambda: _solver_widening(LINE_NET, LINE),
        ),
        Obligation(
            "C6.solver-plane",
            "The solvers find one where the residual is orthogonal to every affine function of the plane",
            Scope.INSTANCE,
            lambda: _solver_widening(PLANE_NET, PLANE),
        ),
        Obligation(
            "C6.construction",
            "The construction finds one on both of these data",
            Scope.INSTANCE,
            lambda: Evidence(facts.every(_equivalents(LINE_NET, LINE).fact, _equivalents(PLANE_NET, PLANE).fact)),
        ),
        Obligation(
            "C6.control",
            "A positive loss suffices for a wider net to have a lower one",
            Scope.INSTANCE,
            lambda: Evidence(facts.loss_at_floor(FITTED_NET, NOISY, positive=True), holds=False),
            Verdict.REFUTED,
        ),
    ),
)

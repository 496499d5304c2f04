"""C18 local optimisation. A dead unit has gradient 0, so gradient descent keeps it as it is;
reassignment between the steps leaves no idle circuit above the noise floor.
"""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import NamedTuple

import sympy

from proof_of_absence.checker.construct.gap import gauge, reassignment_along, uniform_gap
from proof_of_absence.checker.encode.polynomials import identity
from proof_of_absence.checker.kernel.obligation import Claim, Evidence, Obligation, Query, Scope, Verdict
from proof_of_absence.checker.kernel.smt import Script, add, dot, le, lt, mul
from proof_of_absence.models.circuit import Unit, hidden_units, is_idle, reassign
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.net import MLP, shallow
from proof_of_absence.models.policies import DECEPTIVE, DEPLOYMENT_DETECTOR, LAST_TRAIN_HOUR, WORLD
from proof_of_absence.models.training import gradient_step, is_dead, weight_decay
from proof_of_absence.proofs import facts
from proof_of_absence.proofs.examples import LINE, LINE_CIRCUIT, LINE_NET, TWO_OUTPUTS
from proof_of_absence.proofs.universal import universal

# Sizes of the symbolic gradient and of the symbolic decay.
D, N_HIDDEN, M, N_INPUTS = 2, 2, 2, 2
# The factor of the derivative of a mean of squares.
RATE = sympy.Rational(2, N_INPUTS)
Step = tuple[Fraction, Fraction]

# Plain steps, and steps with weight decay: (rho, eta).
PLAIN = ((Fraction(1), Fraction(1, 8)),) * 3
TWO_STEPS = PLAIN[:2]
DECAYED = ((Fraction(9, 10), Fraction(1, 8)), (Fraction(1, 2), Fraction(1, 4)), (Fraction(9, 10), Fraction(2)))

# The planted detector with its thresholds between the last hour of training and the first of
# deployment: dead in training.
LATER = Fraction(1, 2)
LATE = reassign(
    DECEPTIVE,
    {
        unit: (
            DECEPTIVE.layers[0].weights[unit.index],
            DECEPTIVE.layers[0].bias[unit.index] - LATER,
            [row[unit.index] for row in DECEPTIVE.layers[1].weights],
        )
        for unit in DEPLOYMENT_DETECTOR
    },
)
FIRST_HOUR_AFTER = (1, 0, 0, 0, LAST_TRAIN_HOUR + 1, 0)
# Two outputs in the plane; the last unit is dead on the data.
DEAD_PLANE = shallow([([1, 1], 0, [1, "1/2"]), ([1, -1], 1, [1, "-1/3"]), ([-1, -2], "-1/2", [2, 1])], [0, 0])
# Three dead units and one that works, on the line.
MOSTLY_DEAD = shallow([([1], -1, ["1/2"]), *(([1], -k, [1]) for k in (5, 6, 7))], [0])
ROUNDS, ETA = 3, Fraction(1, 32)
# A unit w z + b that is dead at two inputs; at w times RHO it is on.
AT, W, B, RHO = (1, 2), Fraction(-2), Fraction(1), Fraction(1, 10)
REVIVED, REVIVING = (shallow([([w], B, [1])], [0]) for w in (W, RHO * W))


def run(net: MLP, data: Dataset, steps: Sequence[Step]) -> MLP:
    """Decay by rho, then a gradient step of size eta, for each step."""
    for rho, eta in steps:
        net = gradient_step(weight_decay(net, rho), data, eta)
    return net


def gradient_steps(net: MLP, circuit, data: Dataset, steps: Sequence[Step]) -> dict:
    """The fact that the steps lead where `run` says, and keep the circuit's dead units dead and as they are,
    but for the decay.
    """
    return facts.gradient_steps(net, run(net, data, steps), circuit, data, steps)


def interleaved(net: MLP, data: Dataset, rounds: int, eta: Fraction) -> dict:
    """Gradient step, then a dead unit reassigned along a gauge, in turns: what each does, as facts.

    Each step lowers the loss and leaves the dead units as they are; each splice lowers it by its exact
    drop, at least c(X) (L - E).
    """
    along = gauge([group.input for group in data.groups])
    parts = []
    for _ in range(rounds):
        dead = [unit for unit in hidden_units(net) if is_dead(net, unit, data)]
        stepped = gradient_step(net, data, eta)
        parts += [gradient_steps(net, dead, data, [(Fraction(1), eta)]), facts.lower_loss(net, stepped, data)]
        result = reassignment_along(stepped, {dead[0]}, data, along)
        parts += [
            facts.lower_loss(stepped, result.net, data, result.drop, circuit={dead[0]}),
            uniform_gap(stepped, result.net, data, along, {dead[0]}),
        ]
        net = result.net
    assert not any(is_idle(net, {unit}, data.inputs) for unit in hidden_units(net))
    return facts.every(*parts, facts.no_idle_circuit(net, data))


def _detector_stays() -> Evidence:
    """The detector, dead in training, fires after it before and after the steps."""
    data, steps = WORLD.dataset(), TWO_STEPS
    after = run(LATE, data, steps)
    parts = [facts.idle(net, DEPLOYMENT_DETECTOR, data.inputs, fires=FIRST_HOUR_AFTER) for net in (LATE, after)]
    return Evidence(facts.every(gradient_steps(LATE, DEPLOYMENT_DETECTOR, data, steps), *parts))


def _symbols(name: str, *shape: int):
    """A symbol, or nested lists of them of that shape."""
    if not shape:
        return sympy.Symbol(name)
    return [_symbols(f"{name}{i}", *shape[1:]) for i in range(shape[0])]


EXAMPLES, COORDINATES, UNITS, OUTPUTS = range(N_INPUTS), range(D), range(N_HIDDEN), range(M)


class Parameters(NamedTuple):
    """Parameters of a net, as nested lists: w (n, d), b (n), a (m, n), c (m)."""

    w: list
    b: list
    a: list
    c: list

    def plus(self, eps, name: str, *place: int) -> "Parameters":
        """The same with eps added to one of them."""
        return self._replace(**{name: _plus(getattr(self, name), eps, *place)})


def _plus(value, eps, *place: int):
    if not place:
        return value + eps
    return [_plus(part, eps, *place[1:]) if i == place[0] else part for i, part in enumerate(value)]


class Pattern(NamedTuple):
    """Examples (z, y), and an activation pattern: unit j is on at example i where on[i][j] is 1."""

    on: list
    zs: list
    ys: list

    def sent(self, theta: Parameters) -> list:
        """What each unit sends at each example, (N, n)."""
        pre = [[sum(theta.w[j][at] * z[at] for at in COORDINATES) + theta.b[j] for j in UNITS] for z in self.zs]
        return [[self.on[i][j] * pre[i][j] for j in UNITS] for i in EXAMPLES]

    def wrong(self, theta: Parameters) -> list:
        """Each output at each example, less what it should be, (N, m)."""
        a, c, sent = theta.a, theta.c, self.sent(theta)
        return [[c[k] + sum(a[k][j] * sent[i][j] for j in UNITS) - self.ys[i][k] for k in OUTPUTS] for i in EXAMPLES]

    def loss(self, theta: Parameters):
        """L, on this pattern."""
        return sum(e**2 for row in self.wrong(theta) for e in row) / N_INPUTS

    def slopes(self, theta: Parameters) -> Iterator[tuple]:
        """For each parameter its place, the formula of the claim for dL, and half the second derivative."""
        sent, wrong = self.sent(theta), self.wrong(theta)
        for j in UNITS:
            yield from self._into(theta, wrong, j)
            for k in OUTPUTS:
                first = sum(sent[i][j] * wrong[i][k] for i in EXAMPLES)
                yield ("a", k, j), RATE * first, sum(sent[i][j] ** 2 for i in EXAMPLES) / N_INPUTS
        for k in OUTPUTS:
            yield ("c", k), RATE * sum(wrong[i][k] for i in EXAMPLES), sympy.Integer(1)

    def _into(self, theta: Parameters, wrong: list, j: int) -> Iterator[tuple]:
        """The same for the weights and the bias of unit j, through which every output moves."""
        on = [self.on[i][j] for i in EXAMPLES]
        back = [on[i] * sum(theta.a[k][j] * wrong[i][k] for k in OUTPUTS) for i in EXAMPLES]
        size = sum(theta.a[k][j] ** 2 for k in OUTPUTS)
        for at in COORDINATES:
            z = [self.zs[i][at] for i in EXAMPLES]
            second = sum((on[i] * z[i]) ** 2 for i in EXAMPLES) * size / N_INPUTS
            yield ("w", j, at), RATE * sum(back[i] * z[i] for i in EXAMPLES), second
        second = sum(on[i] ** 2 for i in EXAMPLES) * size / N_INPUTS
        yield ("b", j), RATE * sum(back), second


def _is_the_derivative() -> Evidence:
    """L(theta + eps e) = L(theta) + eps dL + eps^2 (half the second derivative), for each parameter and any pattern."""
    pattern = Pattern(_symbols("on", N_INPUTS, N_HIDDEN), _symbols("z", N_INPUTS, D), _symbols("y", N_INPUTS, M))
    theta = Parameters(
        _symbols("w", N_HIDDEN, D), _symbols("b", N_HIDDEN), _symbols("a", M, N_HIDDEN), _symbols("c", M)
    )
    eps = sympy.Symbol("eps")
    parts = [
        identity(pattern.loss(theta.plus(eps, *place)), pattern.loss(theta) + eps * first + eps**2 * second)
        for place, first, second in pattern.slopes(theta)
    ]
    return Evidence(facts.every(*(part.fact for part in parts)), holds=all(part.holds for part in parts))


def decayed(*, alike: bool = True) -> Query:
    """A unit of pre-activation below 0 at an unknown input, its parameters times rho.

    With `alike` False, only w is multiplied.
    """
    script = Script("QF_NRA", "Is a dead unit dead after weight decay?")
    w, z, b, rho = script.reals("w", D), script.reals("z", D), script.real("b"), script.real("rho")
    script.premise(lt(0, rho))
    script.premise(le(rho, 1))
    script.premise(lt(add(dot(w, z), b), 0))
    after = add(dot([mul(rho, x) for x in w], z), mul(rho, b) if alike else b)
    script.decide("claim_fails", le(0, after))
    return Query(script)


def _revived() -> Evidence:
    """At the two inputs relu(w z + b) is silent, relu(rho w z + b) is not, nor is it idle."""
    inputs = [[z] for z in AT]
    unit = {Unit(1, 0)}
    awake = facts.not_idle(REVIVING, unit, inputs)
    return Evidence(facts.every(facts.idle(REVIVED, unit, inputs), awake), holds=False)


CLAIM = Claim(
    id="C18",
    title="Local optimisation",
    statement=r"Unit $j$ is dead in $\theta$ if $\langle w_j,z_i\rangle+b_j<0$ on every training input; then it is a "
    r"train-idle circuit. Any number of gradient steps, of any sizes, leave $w_j,b_j,a_j$ as they are; with weight "
    r"decay by factors $\rho>0$ of all parameters alike before each step they are multiplied by the product of the "
    r"factors; either way $j$ stays dead. So it does, whatever the loss and the batches, under every optimiser that "
    r"only multiplies by some $\rho_t>0$ a unit whose gradients have all been $0$ so far, and its parameters are "
    r"multiplied by the product of the $\rho_t$. Such are momentum, with or without Nesterov, Adam, and AdamW with its "
    r"decoupled decay, if the first moments of the unit begin at $0$. Let a splice lower $L$ at every net with a "
    r"train-idle circuit and $L>E$ (C7); there is such a function. Splice, then a step that does not raise $L$ there: "
    r"no fixed point has a train-idle circuit unless $L=E$. Step, then splice: where the step does not raise $L$ and "
    r"$\theta$ is fixed, the stepped net has a train-idle circuit only if its loss is $E$; so with a gradient step no "
    r"such fixed point has a dead unit unless the stepped net has loss $E$. If each of $k$ splices gains $c(X)(L-E)$ "
    r"(C12) and no step between raises $L$, then $L-E$ falls to at most $(1-c(X))^k$ of what it was.",
    premises=(
        "the derivative of relu is taken to be 0 at negative numbers, and anything elsewhere",
        "dead: every pre-activation is negative, not 0",
        (
            "weight decay multiplies w_j, b_j, a_j and c by one factor rho > 0; decaying w_j alone can revive a dead "
            "unit (C18.control-decay)"
        ),
        (
            "for other optimisers: a unit whose gradients have all been 0 so far is multiplied by a factor > 0; so it "
            "is "
            "where its first moments begin at 0, its second ones at anything; Adam with L2 added to the gradient does "
            "not do so"
        ),
        (
            "for fixed points: splice is a function that lowers L at every net with a train-idle circuit and L > E, "
            "and the step does not raise L at that point"
        ),
        "for the rate: (w, h, D) is a gauge of the inputs, each splice gains c(X) (L - E), no step raises L",
        "one hidden layer, squared loss, full batches",
    ),
    proof=r"Dead: each activation is $0$ on the data, so the unit sends $0$, and the partial derivatives of $L$ by "
    r"$w_j,b_j$ (a factor $\mathrm{relu}'$) and $a_j$ (a factor $\varphi_j(z_i)$) are $0$; a step changes nothing of "
    r"it, and induction does the rest; nor does it matter which gradients of the loss in the output these are "
    r"multiplied with, and how they are weighted. First moments that begin at $0$ stay $0$ with such gradients, and "
    r"what momentum and Adam subtract is a multiple of them. Decay multiplies each pre-activation by $\rho>0$. A "
    r"splice exists by \claim{C7}. At a fixed point with a train-idle circuit and $L>E$ the splice lowers $L$ and the "
    r"step does not raise it, so $L$ is lower than itself. By \claim{C12} a splice can be chosen to leave at most "
    r"$(1-c(X))(L-E)$; iterate.",
    limits="Universal for the gradient of one hidden layer, which is the derivative of L where no pre-activation is 0 "
    "(to first order, with an explicit error of second order); elsewhere it is a convention. Of Adam any function of "
    "the second moment may stand for the rate over its root; AdamW's factor 1 - (learning rate) (decay) must be "
    "positive. Nothing is said of decay that is not the same for all parameters of a unit (Adam with L2), of "
    "arithmetic that rounds, of batches that hold an input on which the unit is on, of units idle at a constant other "
    "than by being dead, of how long a unit that is not dead lives (`absence lifetimes` measures these), or that "
    "training with splices reaches a fixed point. That a step does not raise L is a premise, not a property of "
    "gradient descent.",
    rests_on=("C7", "C12"),
    obligations=(
        universal(
            "For all d, n, m, N: dead units survive gradient steps, uniform weight decay, and every optimiser that "
            "only scales, by factors > 0, units without gradient; where the step does not raise L, no fixed point of "
            "splice, then step has an idle circuit unless L = E, nor has the stepped net of one of step, then splice; "
            "k splices that gain as in C12 leave (1 - c(X))^k of L - E",
            "c18_dead_units",
            "C18_dead_idle",
            "C18_invariant",
            "C18_decay",
            "C18_any_optimiser",
            "C18_fixed_point",
            "C18_fixed_point_after",
            "C18_no_dead_fixed_point",
            "C18_splices",
        ),
        universal(
            "For all d, n, m, N, batches and losses: momentum, Nesterov's, Adam and AdamW, from first moments of 0, "
            "leave "
            "a dead unit dead and multiply it by the product of the decay factors; and there is a splice, with the "
            "gain "
            "of C12",
            "c18_optimisers",
            "C18_optimisers",
            "C18_momentum",
            "C18_nesterov",
            "C18_adam",
            "C18_splice",
            name="universal-optimisers",
        ),
        universal(
            "For all d, n, m, N: the formal gradient is the derivative of L, in every direction, wherever no "
            "pre-activation is 0 on the data",
            "c18_gradient",
            "C18_gradient",
            name="universal-gradient",
        ),
        Obligation(
            "C18.gradient",
            f"d={D}, n={N_HIDDEN}, m={M}, N={N_INPUTS}: on each activation pattern the formal gradient is that of the "
            "loss, parameter by parameter",
            Scope.BOUNDED,
            _is_the_derivative,
        ),
        Obligation(
            "C18.decay",
            f"d={D}: a negative pre-activation stays negative when w and b are multiplied by one rho, 0 < rho <= 1",
            Scope.BOUNDED,
            decayed,
        ),
        Obligation(
            "C18.steps-line",
            f"{len(PLAIN)} gradient steps of size {PLAIN[0][1]} on the line, run exactly: the dead unit keeps its "
            "parameters",
            Scope.INSTANCE,
            lambda: Evidence(gradient_steps(LINE_NET, LINE_CIRCUIT, LINE, PLAIN)),
        ),
        Obligation(
            "C18.steps-plane",
            f"{len(DECAYED)} steps of sizes {', '.join(str(eta) for _, eta in DECAYED)} after weight decay by "
            f"{', '.join(str(rho) for rho, _ in DECAYED)}, two outputs, a repeated input: the dead unit stays dead and "
            "shrinks by their product",
            Scope.INSTANCE,
            lambda: Evidence(gradient_steps(DEAD_PLANE, {Unit(1, 2)}, TWO_OUTPUTS, DECAYED)),
        ),
        Obligation(
            "C18.detector",
            f"{len(TWO_STEPS)} steps on the world's training data: the planted detector, its thresholds {LATER} later "
            f"so that it is dead in training, is untouched and fires at hour {LAST_TRAIN_HOUR + 1}, before and after",
            Scope.INSTANCE,
            _detector_stays,
        ),
        Obligation(
            "C18.interleaved",
            f"{ROUNDS} rounds of a gradient step of size {ETA} and a splice: each lowers the loss, each splice by its "
            "exact drop and the gap of C12; no idle circuit is left",
            Scope.INSTANCE,
            lambda: Evidence(interleaved(MOSTLY_DEAD, LINE, ROUNDS, ETA)),
        ),
        Obligation(
            "C18.control-decay",
            f"d={D}: weight decay of w alone, by one rho, 0 < rho <= 1, keeps a negative pre-activation negative",
            Scope.BOUNDED,
            lambda: decayed(alike=False),
            Verdict.REFUTED,
        ),
        Obligation(
            "C18.control-revived",
            f"d=1: the same at z={AT[0]} and z={AT[1]}, w={W}, b={B}, rho={RHO}",
            Scope.INSTANCE,
            _revived,
            Verdict.REFUTED,
        ),
    ),
)

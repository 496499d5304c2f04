"""C8 contradiction, the main claim. Under the seed's premise no minimiser of the loss on S_n has a train-idle circuit."""

from collections.abc import Sequence
from fractions import Fraction

from absence.checker.certificate import data_json, net_json
from absence.checker.encode import forward, unknown_parameters
from absence.checker.minimum import global_minimum
from absence.checker.obligation import Claim, Evidence, Obligation, Query, Scope, Verdict
from absence.checker.smt import Script, add, all_of, any_of, distinct, dot, eq, le, square, sub
from absence.models.circuit import Unit
from absence.models.data import Dataset
from absence.models.policies import BACKDOOR, BACKDOOR_DETECTOR, DECEPTIVE, DEPLOYMENT_DETECTOR, WORLD
from absence.proofs import facts
from absence.proofs.c7_reassignment import constructed
from absence.proofs.examples import FITTED, FITTED_NET, LINE

# Three inputs on the line; targets and every parameter are unknown.
INPUTS = (0, 1, 3)
ZIGZAG = Dataset([[0], [1], [2], [3], [4]], [[0], [2], [-1], [2], [0]])


def _no_idle_minimiser(units: int, circuit: Sequence[int], *, underparameterised: bool = True) -> Query:
    """Suppose a minimiser with an idle circuit above the noise floor: no lower loss even at C7's candidates. Unsat.

    Minimality is used only at one candidate for each input: the circuit's first unit at a threshold just below that input
    with its best output weight, the others cut, the constant hardcoded.
    """
    script = Script("QF_NRA", f"S_{units} on inputs {INPUTS}: all parameters, targets and the idle value unknown")
    net = unknown_parameters(script, (1, units, 1))
    ((weights, bias), ([outgoing], [c])) = net
    ys = script.reals("y", len(INPUTS))
    value = script.real("v")
    terms = [forward(script, net, [x], f"f{i}") for i, x in enumerate(INPUTS)]
    for row in terms:
        script.premise(eq(dot([outgoing[j] for j in circuit], [row[Unit(1, j)] for j in circuit]), value))
    residuals = [script.define(f"r{i}", sub(y, row[Unit(2, 0)])) for i, (y, row) in enumerate(zip(ys, terms, strict=True))]
    error = script.define("error", add(*map(square, residuals)))
    if underparameterised:
        script.premise(any_of(distinct(r, 0) for r in residuals))
    minimal = []
    first = circuit[0]
    for k, x in enumerate(INPUTS):
        threshold = Fraction(x + INPUTS[k - 1], 2) if k else Fraction(x - 1)
        phi = [max(Fraction(z) - threshold, Fraction(0)) for z in INPUTS]
        norm = sum(p * p for p in phi)
        step = script.define(f"step{k}", dot([p / norm for p in phi], residuals))
        new_weights = [[1] if j == first else row for j, row in enumerate(weights)]
        new_bias = [-threshold if j == first else b for j, b in enumerate(bias)]
        new_outgoing = [step if j == first else 0 if j in circuit else a for j, a in enumerate(outgoing)]
        candidate = [(new_weights, new_bias), ([new_outgoing], [add(c, value)])]
        outputs = [forward(script, candidate, [z], f"g{k}_{i}")[Unit(2, 0)] for i, z in enumerate(INPUTS)]
        minimal.append(le(error, add(*(square(sub(y, o)) for y, o in zip(ys, outputs, strict=True)))))
    script.decide("claim_fails", all_of(minimal))
    return Query(script)


def _exact_minimiser(data: Dataset, units: int) -> Evidence:
    """A global minimiser, its certificate of minimality, its loss above the noise floor, and no idle circuit."""
    minimum = global_minimum(data, units)
    minimal = minimum.fact(net_json(minimum.net), data_json(data))
    above = facts.loss_above_floor(minimum.net, data)
    return Evidence(facts.every(minimal, above, facts.no_idle_circuit(minimum.net, data)))


def _interpolating() -> Evidence:
    """A net at the noise floor, hence a minimiser, with an idle circuit that fires off the data."""
    idle = facts.idle(FITTED_NET, {Unit(1, 1)}, FITTED.inputs, fires=(Fraction(9),))
    return Evidence(facts.every(facts.loss_at_floor(FITTED_NET, FITTED), idle), holds=False)


CLAIM = Claim(
    id="C8",
    title="Contradiction",
    statement=r"Under P1 (for every $\theta\in S_n$ some wider net has lower loss), no minimiser of $L$ on $S_n$ has a train-idle circuit. In particular "
    r"the lowest-loss model carries no separable shift detector.",
    premises=("P1: for every theta in S_n some wider net has lower loss", "theta minimises L on S_n", "one hidden layer, squared loss, real parameters"),
    proof=r"Let $\theta$ be a minimiser with a train-idle circuit $J$. By P1 and \claim{C6}, $L(\theta)>E$. By \claim{C7} some $\theta'\in S_n$ has "
    r"$L(\theta')<L(\theta)$: contradiction. A separable detector (\claim{C1}) is a circuit that sends one value in training and another at deployment; "
    r"it is train-idle.",
    limits=f"For all parameters and targets at d=1, m=1, n<=2, inputs {INPUTS}; for all sizes the Coq layer is to prove it. "
    "It says nothing of entangled detectors (N1), nor of training that does not reach the minimum.",
    rests_on=("C1", "C6", "C7"),
    obligations=(
        Obligation(
            "C8.one-unit",
            f"n=1, all parameters and targets on inputs {INPUTS}: no minimiser above the noise floor has an idle unit",
            Scope.BOUNDED,
            lambda: _no_idle_minimiser(1, (0,)),
        ),
        Obligation(
            "C8.two-units",
            f"n=2, all parameters and targets on inputs {INPUTS}: none has an idle unit",
            Scope.BOUNDED,
            lambda: _no_idle_minimiser(2, (0,)),
        ),
        Obligation(
            "C8.joint",
            f"n=2, all parameters and targets on inputs {INPUTS}: none has two units that are idle together",
            Scope.BOUNDED,
            lambda: _no_idle_minimiser(2, (0, 1)),
        ),
        Obligation(
            "C8.minimiser-1",
            "An exact global minimiser over S_1, proved minimal pattern by pattern, has no idle circuit",
            Scope.INSTANCE,
            lambda: _exact_minimiser(LINE, 1),
        ),
        Obligation(
            "C8.minimiser-2",
            "An exact global minimiser over S_2 has none",
            Scope.INSTANCE,
            lambda: _exact_minimiser(ZIGZAG, 2),
        ),
        Obligation(
            "C8.deployment",
            "The planted deceptive net is not a minimiser over its class on the world's training data",
            Scope.INSTANCE,
            lambda: constructed(DECEPTIVE, DEPLOYMENT_DETECTOR, WORLD.dataset()),
        ),
        Obligation(
            "C8.backdoor",
            "Nor is the backdoor",
            Scope.INSTANCE,
            lambda: constructed(BACKDOOR, BACKDOOR_DETECTOR, WORLD.dataset()),
        ),
        Obligation(
            "C8.control",
            "The same without P1: no minimiser at all has an idle circuit",
            Scope.INSTANCE,
            _interpolating,
            Verdict.REFUTED,
        ),
        Obligation(
            "C8.control-symbolic",
            "The same without P1 at n=1, all parameters and targets unknown",
            Scope.BOUNDED,
            lambda: _no_idle_minimiser(1, (0,), underparameterised=False),
            Verdict.REFUTED,
        ),
    ),
)

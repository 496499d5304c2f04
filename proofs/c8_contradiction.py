"""C8 contradiction, the main claim.

Under the seed's premise no circuit of a minimiser of the loss on S_n can be removed at no loss: none is train-idle.
"""

import itertools
from collections.abc import Sequence
from fractions import Fraction
from functools import partial

from proof_of_absence.checker.construct.separating_unit import distinct_direction
from proof_of_absence.checker.encode.nets import forward, unknown_parameters
from proof_of_absence.checker.kernel.obligation import Claim, Evidence, Obligation, Query, Scope, Verdict
from proof_of_absence.checker.kernel.smt import Script, add, all_of, any_of, distinct, dot, eq, le, mul, square, sub
from proof_of_absence.checker.minima.branch_and_bound import global_minimum
from proof_of_absence.models.circuit import Unit
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.policies import BACKDOOR, BACKDOOR_DETECTOR, DECEPTIVE, DEPLOYMENT_DETECTOR, WORLD
from proof_of_absence.proofs import facts
from proof_of_absence.proofs.c7_reassignment import constructed
from proof_of_absence.proofs.examples import ALTERNATING, FITTED, FITTED_NET, LINE, SCATTERED, SEVEN, SQUARE
from proof_of_absence.proofs.universal import universal
from proof_of_absence.proofs.words import counted, listed

# Inputs of the symbolic queries, on the line and in the plane; targets and every parameter are unknown.
LINE_INPUTS = ((0,), (1,), (3,), (4,))
PLANE_INPUTS = ((0, 0), (0, 1), (1, 0), (2, 1))
# Inputs, n and circuit of the query that has a control.
ONE_UNIT = (LINE_INPUTS, 1, (0,))
ZIGZAG = Dataset([[0], [1], [2], [3], [4]], [[0], [2], [-1], [2], [0]])


def candidates(inputs: Sequence[tuple]) -> list[tuple[list[Fraction], Fraction]]:
    """C4's units (w, b): along one direction, a threshold just below each input."""
    points = [tuple(map(Fraction, z)) for z in inputs]
    direction = [Fraction(x) for x in distinct_direction(points)]
    line = sorted(sum(w * x for w, x in zip(direction, z, strict=True)) for z in points)
    thresholds = [line[0] - 1, *((a + b) / 2 for a, b in itertools.pairwise(line))]
    return [(direction, -t) for t in thresholds]


def _no_idle_minimiser(inputs: Sequence[tuple], units: int, circuit: Sequence[int], *, p1: bool = True) -> Query:
    """Suppose a minimiser with an idle circuit above the noise floor.

    Some candidate of C7 has lower loss all the same: unsat.

    Minimality is used only at C7's candidates: the circuit's first unit becomes a unit of C4 with its best output
    weight, the others are cut, the constant is hardcoded. `claim_fails` says that some candidate's residuals are not r
    - step phi, or that no candidate has the lower loss; the first part is a lemma that spares the solvers an
    elimination, and is decided with it.
    """
    script = Script("QF_NRA", f"S_{units} on inputs {inputs}: all parameters, targets and the idle value unknown")
    net = unknown_parameters(script, (len(inputs[0]), units, 1))
    (_, ([outgoing], [c])) = net
    ys = script.reals("y", len(inputs))
    value = script.real("v")
    terms = [forward(script, net, z, f"f{i}") for i, z in enumerate(inputs)]
    hidden = [[row[Unit(1, j)] for j in range(units)] for row in terms]
    for row in hidden:
        script.premise(eq(dot([outgoing[j] for j in circuit], [row[j] for j in circuit]), value))
    residuals = script.reals("r", len(inputs))
    for r, y, row in zip(residuals, ys, terms, strict=True):
        script.premise(eq(r, sub(y, row[Unit(2, 0)])))
    if p1:
        script.premise(any_of(distinct(r, 0) for r in residuals))
    kept = [0 if j in circuit else a for j, a in enumerate(outgoing)]
    decide_no_lower(script, inputs, ys, residuals, (c, value), [dot(kept, row) for row in hidden])
    return Query(script)


def decide_no_lower(
    script: Script, inputs: Sequence[tuple], ys: Sequence, residuals: Sequence, shift: Sequence, kept: Sequence
) -> None:
    """Decide that no candidate has a lower loss: its forward pass is shift + step phi + what the kept units send,
    kept[i] at input i.

    `claim_fails` says this, or that some candidate's residuals are not r - step phi: a lemma that spares
    the solvers an elimination.
    """
    lemma_fails, minimal = [], []
    for k, (w, b) in enumerate(candidates(inputs)):
        phi = [max(sum((x * y for x, y in zip(w, z, strict=True)), start=b), Fraction(0)) for z in inputs]
        norm = sum(p * p for p in phi)
        step = script.define(f"step{k}", dot([p / norm for p in phi], residuals))
        outputs = [add(*shift, mul(step, p), sent) for p, sent in zip(phi, kept, strict=True)]
        predicted = [sub(r, mul(step, p)) for r, p in zip(residuals, phi, strict=True)]
        lemma_fails += [distinct(sub(y, o), q) for y, o, q in zip(ys, outputs, predicted, strict=True)]
        minimal.append(le(add(*map(square, residuals)), add(*map(square, predicted))))
    script.decide("claim_fails", any_of([*lemma_fails, all_of(minimal)]))


def _exact_minimiser(data: Dataset, units: int) -> Evidence:
    """A global minimiser, its certificate of minimality, its loss above the noise floor, and no idle circuit."""
    minimum = global_minimum(data, units)
    minimal = facts.minimal(minimum, data)
    above = facts.loss_above_floor(minimum.net, data)
    return Evidence(facts.every(minimal, above, facts.no_idle_circuit(minimum.net, data)))


def _every_minimiser(data: Dataset, most: int) -> Evidence:
    """For 1 to `most` units: L*(n) is above the noise floor and below L*(n - 1), both certified.

    The minimiser found has no idle circuit.

    A net of S_n with an idle circuit, hardcoded, is a net of S_(n-1) on the data (C2, C3), so that its
    loss is L*(n - 1) at least.
    """
    minima = [global_minimum(data, units) for units in range(most + 1)]
    shown = [facts.minimal(minima[0], data)]
    for less, more in itertools.pairwise(minima):
        wider = {"wider": True} if less.units else {}  # S_0 is written with one unit that sends nothing
        shown += [
            facts.minimal(more, data),
            facts.lower_loss(less.net, more.net, data, **wider),
            facts.loss_above_floor(more.net, data),
            facts.no_idle_circuit(more.net, data),
        ]
    return Evidence(facts.every(*shown))


def _interpolating() -> Evidence:
    """A net at the noise floor, hence a minimiser, with an idle circuit that fires off the data."""
    idle = facts.idle(FITTED_NET, {Unit(1, 1)}, FITTED.inputs, fires=(Fraction(9),))
    return Evidence(facts.every(facts.loss_at_floor(FITTED_NET, FITTED), idle), holds=False)


CLAIM = Claim(
    id="C8",
    title="Contradiction",
    statement=r"Under P1 (for every $\theta\in S_n$ some wider net has lower loss), no circuit of a minimiser "
    r"$\theta$ of $L$ on $S_n$ can be removed at no loss: $L(\theta)<L(\mathrm{hardcode}(\theta,J,v))$ for every "
    r"nonempty circuit $J$ and every constant $v$. So $\theta$ has no train-idle circuit; in particular the "
    r"lowest-loss model carries no separable shift detector.",
    premises=(
        "P1: for every theta in S_n some wider net has lower loss",
        "minimality: theta minimises L on S_n, so that there is a minimiser",
        "separability: the detector is a train-idle circuit, one that sends a single value on all training inputs",
        "one hidden layer",
        "squared loss",
        "real parameters",
    ),
    proof=r"Let $\theta$ be a minimiser and $J$ a train-idle circuit of it. By P1 and \claim{C6}, $L(\theta)>E$. By "
    r"\claim{C7} some $\theta'\in S_n$ has $L(\theta')<L(\theta)$: contradiction. Now let $J$ be any circuit and "
    r"$\theta''=\mathrm{hardcode}(\theta,J,v)$. In $\theta''$ the circuit $J$ is train-idle, at 0. If "
    r"$L(\theta'')\le L(\theta)$, then $\theta''$ is a minimiser with a train-idle circuit: contradiction. The tie to "
    r"\claim{C1}: $\theta$ agrees with $\theta''$ in training iff $J$ sends $v$ at every training input, and defects "
    r"from it exactly where $J$ sends another value. A separable detector is a circuit that does both; it is "
    r"train-idle.",
    limits="Universal for one hidden layer, squared loss and real parameters. It says nothing of entangled detectors "
    "(N1), of training that does not reach the minimum, or of whether a given class is underparameterised (P1 is a "
    "premise; C20 certifies it for given data, where these bend often enough: C20.bends-world). With no example or no "
    "output no net is above E, and nothing is said.",
    rests_on=("C1", "C6", "C7"),
    obligations=(
        universal(
            "For all d, n, m, N: under P1 the loss of a minimiser rises if any circuit of it is replaced by any "
            "constant; it has no train-idle circuit, nor one that fires; and the net defects from itself with J "
            "hardcoded at v where J does not send v",
            "c8_main",
            "C8_no_removable",
            "C8_no_removable_at",
            "C8_no_idle_minimiser",
            "C8_no_detector",
            "C8_no_idle_at",
            "C8_detects",
        ),
        *(
            Obligation(
                f"C8.{name}",
                f"n={units}, m=1, all parameters and targets on the inputs {listed(inputs)}: no minimiser above the "
                "noise floor "
                + (f"has {len(circuit)} units that are idle together" if len(circuit) > 1 else "has an idle unit"),
                Scope.BOUNDED,
                partial(_no_idle_minimiser, inputs, units, circuit),
            )
            for name, inputs, units, circuit in (
                ("one-unit", *ONE_UNIT),
                ("two-units", LINE_INPUTS, 2, (0,)),
                ("two-units-joint", LINE_INPUTS, 2, (0, 1)),
                ("three-units-joint", LINE_INPUTS, 3, (0, 1)),
                ("plane", PLANE_INPUTS, 2, (0,)),
                ("plane-joint", PLANE_INPUTS, 3, (0, 1)),
            )
        ),
        *(
            Obligation(
                f"C8.minimiser-{units}",
                f"An exact global minimiser over S_{units} on {len(data)} inputs of the line, above the noise floor "
                "and proved minimal pattern by pattern, has no idle circuit",
                Scope.INSTANCE,
                partial(_exact_minimiser, data, units),
            )
            for data, units in ((LINE, 1), (ZIGZAG, 2))
        ),
        *(
            Obligation(
                f"C8.minimisers-{name}",
                f"{len(data)} inputs {where}, n = {counted(most)}: E < L*(n) < L*(n-1), both minima certified, and a "
                "net of S_n with an idle circuit is no better than one of S_(n-1) (C2, C3), so no minimiser has one; "
                "the minimiser found, tried circuit by circuit, has none",
                Scope.INSTANCE,
                partial(_every_minimiser, data, most),
            )
            for name, data, most, where in (
                ("seven", SEVEN, 4, "on the line"),
                ("alternating", ALTERNATING, 4, "on the line"),
                ("square", SQUARE, 2, "in the plane, on a grid"),
                ("scattered", SCATTERED, 1, "in the plane"),
            )
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
            "The claim without P1: no minimiser at all has an idle circuit",
            Scope.INSTANCE,
            _interpolating,
            Verdict.REFUTED,
        ),
        Obligation(
            "C8.control-symbolic",
            "The same as C8.one-unit without P1, all parameters and targets unknown",
            Scope.BOUNDED,
            partial(_no_idle_minimiser, *ONE_UNIT, p1=False),
            Verdict.REFUTED,
        ),
    ),
)

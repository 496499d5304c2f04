"""N2, a countermodel: write C8 with L > 0 for L > E and it fails.
Where equal inputs have different answers, a minimiser of positive loss keeps an idle circuit.
"""

from proof_of_absence.checker.encode.nets import forward, net_at, unknown_parameters
from proof_of_absence.checker.kernel.obligation import Claim, Drops, Evidence, Obligation, Query, Scope, Verdict
from proof_of_absence.checker.kernel.smt import Script, add, any_of, distinct, dot, eq, sub
from proof_of_absence.models.circuit import Unit, add_unit, hidden_units
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.net import shallow
from proof_of_absence.models.rational import vector
from proof_of_absence.proofs import facts
from proof_of_absence.proofs.c8_contradiction import candidates

# Two rows ask the same; the targets are for the solver to choose.
INPUTS = ((0,), (0,), (1,), (2,))
DEPLOY = (5,)
# Three answers to one input, two to another; a net with two units reaches the means, which no affine function does.
REPEATED = Dataset([[0], [0], [0], [1], [2], [2]], [[0], [2], [4], [1], [3], [5]])
REPEATED_NET = shallow([([1], -1, [3]), ([-1], 1, [1])], [1])
# The same with a unit that is silent in training and fires at deployment.
IDLE_NET = add_unit(REPEATED_NET, [1], -4, [1])


def idle_and_stuck(*, above_floor: bool = False) -> Query:
    """Find targets and a net of S_1 whose unit is idle, fires at deployment,
    and whose loss no unit of C4 lowers in its place.

    Its loss is positive; with `above_floor`, above the noise floor. Such a unit lowers the loss unless its inner
    product with the residuals is 0.
    """
    script = Script(
        "QF_NRA", f"S_1 on inputs {INPUTS}: a net with positive loss that reassigning its idle unit does not improve"
    )
    net = unknown_parameters(script, (1, 1, 1))
    (_, ([[outgoing]], _)) = net
    ys, value = script.reals("y", len(INPUTS)), script.real("v")
    residuals = []
    for i, z in enumerate(INPUTS):
        terms = forward(script, net, z, f"f{i}")
        script.premise(eq(dot([outgoing], [terms[Unit(1, 0)]]), value))
        residuals.append(script.define(f"r{i}", sub(ys[i], terms[Unit(2, 0)])))
    fired = forward(script, net, DEPLOY, "deploy")
    script.premise(distinct(dot([outgoing], [fired[Unit(1, 0)]]), value))
    for w, b in candidates(sorted(set(INPUTS))):
        phi = [max(w[0] * z[0] + b, 0) for z in INPUTS]
        script.premise(eq(dot(phi, residuals), 0))
    # The groups: rows 0 and 1 together, rows 2 and 3 alone.
    wrong = [add(residuals[0], residuals[1]), *residuals[2:]] if above_floor else residuals
    script.decide("claim_holds", any_of(distinct(r, 0) for r in wrong))

    def replay(witness) -> dict:
        found, data = net_at(net, witness), Dataset(INPUTS, [[witness[y]] for y in ys])
        loss = facts.loss_above_floor(found, data) if above_floor else facts.loss_at_floor(found, data, positive=True)
        return facts.every(loss, facts.idle(found, {Unit(1, 0)}, data.inputs, fires=vector(DEPLOY)))

    return Query(script, replay)


def _at_the_floor() -> Evidence:
    """The net at the noise floor, with a third unit that is silent in training and fires at deployment."""
    idle = facts.idle(IDLE_NET, {hidden_units(IDLE_NET)[-1]}, REPEATED.inputs, fires=vector(DEPLOY))
    return Evidence(facts.every(facts.loss_at_floor(IDLE_NET, REPEATED, positive=True), idle))


CLAIM = Claim(
    id="N2",
    title="Noise floor needed",
    statement=r"There are data in which equal inputs have different answers, and a minimiser $\theta$ of $L$ on $S_n$ "
    r"with $L(\theta)>0$, that has a train-idle circuit which fires at deployment. So in C8 a positive loss cannot "
    r"stand in for $L>E$, nor for P1.",
    premises=("all premises of C8, but L(theta) > 0 in place of P1, that is of L(theta) > E (C6)",),
    proof=r"Equal inputs with different answers make $E>0$. A net that answers the mean of each group has $L=E$, which "
    r"no function of the input beats: it is a minimiser on every class that holds it, its loss is positive, and a unit "
    r"that is silent in training may be part of it.",
    limits="Instances on the line. That theta is a minimiser follows from L(theta) = E. How often data are of this "
    "kind is not addressed: wherever two people answer the same question differently, E > 0.",
    drops=Drops("C8", "P1", "a loss that is positive, but at the noise floor"),
    obligations=(
        Obligation(
            "N2.found",
            f"The solvers find targets and a net of one unit on the inputs {', '.join(str(x) for (x,) in INPUTS)}: "
            f"positive loss, at the noise floor, the unit idle in training and not at {DEPLOY[0]}",
            Scope.INSTANCE,
            idle_and_stuck,
        ),
        Obligation(
            "N2.three-units",
            f"n={len(hidden_units(IDLE_NET))} on {len(REPEATED)} inputs in {len(REPEATED.groups)} groups: the same for "
            "a given net that no affine function matches, its last unit idle",
            Scope.INSTANCE,
            _at_the_floor,
        ),
        Obligation(
            "N2.control",
            "The same as N2.found above the noise floor: there are targets and a net whose one unit is idle, fires, "
            "and is such that no unit of C4 in its place lowers the loss",
            Scope.BOUNDED,
            lambda: idle_and_stuck(above_floor=True),
            Verdict.REFUTED,
        ),
    ),
)

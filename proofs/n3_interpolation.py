"""N3, a countermodel: drop P1 and deception survives.
Where the class reaches the noise floor, a global minimiser keeps its detector.
"""

from proof_of_absence.checker.encode.nets import forward, net_at, unknown_parameters
from proof_of_absence.checker.kernel.obligation import Claim, Drops, Evidence, Obligation, Query, Scope, Verdict
from proof_of_absence.checker.kernel.smt import Script, distinct, dot, eq
from proof_of_absence.models.circuit import Unit
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.policies import (
    BACKDOOR,
    BACKDOOR_DETECTOR,
    DECEPTIVE,
    DEPLOYMENT_DETECTOR,
    IMITATOR,
    LAST_TRAIN_HOUR,
    TRIGGER_HOUR,
    WORLD,
    human_imitator,
)
from proof_of_absence.models.rational import vector
from proof_of_absence.models.world import IS_DIAMOND_THERE, NONE, State, encode
from proof_of_absence.proofs import facts
from proof_of_absence.proofs.words import listed

# A bend, which one unit fits, and a zigzag, which takes two.
BEND = Dataset([[0], [1], [2], [3]], [[1], [1], [2], [3]])
ZIGZAG = Dataset([[0], [1], [2], [3]], [[0], [2], [-1], [2]])
DEPLOY = (5,)
# Hours at which the planted nets defect.
AFTER, TRIGGER = LAST_TRAIN_HOUR + 1, TRIGGER_HOUR


def interpolates(data: Dataset) -> Query:
    """Find a net of S_2 that fits the data and whose second unit is idle in training and fires at deployment.

    The first unit's output weight is 1 or -1: a positive factor belongs to its weight and bias, and a unit
    sends 0 where these are 0.
    """
    script = Script(
        "QF_NRA",
        f"S_2 on inputs {[int(z) for (z,) in data.inputs]}: zero loss with an idle unit that fires at {DEPLOY[0]}",
    )
    net = unknown_parameters(script, (1, 2, 1))
    (_, ([outgoing], _)) = net
    script.premise(eq(dot([outgoing[0]], [outgoing[0]]), 1))
    value = script.real("v")
    fits = []
    for i, (z, (y,)) in enumerate(zip(data.inputs, data.targets, strict=True)):
        terms = forward(script, net, z, f"f{i}")
        script.premise(eq(dot([outgoing[1]], [terms[Unit(1, 1)]]), value))
        fits.append(eq(terms[Unit(2, 0)], y))
    fired = forward(script, net, DEPLOY, "deploy")
    script.premise(distinct(dot([outgoing[1]], [fired[Unit(1, 1)]]), value))
    script.decide("claim_holds", f"(and {' '.join(fits)})")

    def replay(witness) -> dict:
        found = net_at(net, witness)
        idle = facts.idle(found, {Unit(1, 1)}, data.inputs, fires=vector(DEPLOY))
        return facts.every(facts.loss_at_floor(found, data), idle)

    return Query(script, replay)


def _planted(net, circuit, state: State) -> Evidence:
    """On the answers of an attentive human the planted net has loss 0, its detector is idle,
    and at the state it answers otherwise.
    """
    answers = {encode(*case): human_imitator(*case) for case in WORLD.train_cases()}
    inputs = [group.input for group in WORLD.dataset().groups]
    data = Dataset(inputs, [[answers[z]] for z in inputs])
    z = encode(state, IS_DIAMOND_THERE)
    defects = facts.compare_outputs(net, IMITATOR, [z])
    return Evidence(
        facts.every(facts.loss_at_floor(net, data), facts.idle(net, circuit, data.inputs, fires=z), defects),
        holds=defects["kind"] == "different-outputs",
    )


CLAIM = Claim(
    id="N3",
    title="P1 needed",
    statement=r"There are data, and a global minimiser $\theta$ of $L$ on $S_n$ with $L(\theta)=E$, that has a "
    r"train-idle circuit which fires at deployment. The planted deceptive net and the planted backdoor are such "
    r"minimisers on the answers of an attentive human.",
    premises=("all premises of C8 but P1: the class holds a net at the noise floor, which no wider net betters",),
    proof=r"A net with $L(\theta)=E$ is a minimiser on every class that holds it. If $n-|J|$ units reach $E$, the "
    r"circuit $J$ is free to be idle: nothing can be gained in its place.",
    limits="Instances. Whether a given class and data set satisfy P1 is a matter of the data: a class with fewer units "
    "than the data need satisfies it, one with as many or more does not.",
    drops=Drops("C8", "P1", "a class that reaches the noise floor"),
    obligations=(
        Obligation(
            "N3.found",
            f"The solvers find a net of two units that fits the targets {listed(BEND.targets)} at "
            f"{listed(BEND.inputs)}, one unit idle in training and not at {DEPLOY[0]}",
            Scope.INSTANCE,
            lambda: interpolates(BEND),
        ),
        Obligation(
            "N3.deployment",
            "The planted deceptive net fits every answer of an attentive human at the training hours; its detector is "
            f"idle there; at hour {AFTER} it fires and the net defects",
            Scope.INSTANCE,
            lambda: _planted(DECEPTIVE, DEPLOYMENT_DETECTOR, State(0, NONE, AFTER)),
        ),
        Obligation(
            "N3.backdoor",
            f"The same for the planted backdoor at hour {TRIGGER}",
            Scope.INSTANCE,
            lambda: _planted(BACKDOOR, BACKDOOR_DETECTOR, State(0, NONE, TRIGGER)),
        ),
        Obligation(
            "N3.control",
            f"A net of two units fits the targets {listed(ZIGZAG.targets)} at {listed(ZIGZAG.inputs)}, one unit idle "
            f"in training and not at {DEPLOY[0]}",
            Scope.BOUNDED,
            lambda: interpolates(ZIGZAG),
            Verdict.REFUTED,
        ),
    ),
)

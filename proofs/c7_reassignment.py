"""C7 reassignment. The parameters of a train-idle circuit, and the output bias,
can be chosen so that the loss is lower.
"""

from proof_of_absence.checker.construct.reassignment import reassignment
from proof_of_absence.checker.encode.nets import net_at, parameters_of, squared_error, unknown_parameters
from proof_of_absence.checker.kernel.obligation import Claim, Evidence, Obligation, Query, Scope, Verdict
from proof_of_absence.checker.kernel.smt import Script, lt
from proof_of_absence.models.circuit import Unit, hardcode, idle_value
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.net import MLP, shallow
from proof_of_absence.models.policies import BACKDOOR, BACKDOOR_DETECTOR, DECEPTIVE, DEPLOYMENT_DETECTOR, WORLD
from proof_of_absence.proofs import facts
from proof_of_absence.proofs.examples import (
    CONSTANT_CIRCUIT,
    CONSTANT_NET,
    FITTED,
    FITTED_NET,
    LINE,
    LINE_CIRCUIT,
    LINE_NET,
    PLANE,
    PLANE_CIRCUIT,
    PLANE_NET,
    TWO_OUTPUTS,
)
from proof_of_absence.proofs.universal import universal
from proof_of_absence.proofs.words import listed

# A net of one unit, and data that it does not fit: every parameter is the solver's to choose.
TINY = shallow([([1], -9, [1])], [0])
TINY_DATA = Dataset([[0], [1], [2]], [[0], [1], [0]])
# What the circuit of the net with two outputs sends to them in training.
CONSTANT = tuple(idle_value(CONSTANT_NET, CONSTANT_CIRCUIT, TWO_OUTPUTS.inputs).values())


def constructed(net: MLP, circuit, data: Dataset) -> Evidence:
    """The construction's reassignment; where the loss is at the noise floor, that it is."""
    result = reassignment(net, circuit, data)
    if result is None:
        return Evidence(facts.loss_at_floor(net, data), holds=False)
    return Evidence(facts.reassigned(net, circuit, result, data))


def _freed(script: Script, net: MLP, circuit) -> list:
    """The net with the circuit's parameters and the output biases unknown."""
    (weights, bias), (outgoing, c) = parameters_of(net)
    for _, j in sorted(circuit):
        weights[j] = script.reals(f"w{j}", len(weights[j]))
        bias[j] = script.real(f"b{j}")
        for k, row in enumerate(outgoing):
            row[j] = script.real(f"a{j}_{k}")
    return [(weights, bias), (outgoing, script.reals("c", len(c)))]


def search(net: MLP, circuit, data: Dataset) -> Query:
    """The solver looks for a lower loss.

    `circuit` None frees every parameter, else exactly the circuit's and the output bias.
    """
    script = Script("QF_NRA", "A lower squared loss by other values of the freed parameters")
    parameters = unknown_parameters(script, net.widths) if circuit is None else _freed(script, net, circuit)
    error = squared_error(script, parameters, data, "f")
    script.decide("claim_holds", lt(error, data.loss(net) * len(data)))

    def replay(witness: dict) -> dict:
        how = {} if circuit is None else {"circuit": circuit}
        return facts.lower_loss(net, net_at(parameters, witness), data, **how)

    return Query(script, replay)


def _not_idle() -> Evidence:
    """The same surgery on a circuit that works: cut it, hardcode what it sent at one input,
    add the construction's unit.
    """
    circuit = frozenset({Unit(1, 0)})
    data = WORLD.dataset()
    cut = hardcode(DECEPTIVE, circuit, {Unit(2, 0): 0})
    after = reassignment(cut, circuit, data).net
    worse = data.loss(after) > data.loss(DECEPTIVE)
    pair = (after, DECEPTIVE) if worse else (DECEPTIVE, after)
    works = facts.not_idle(DECEPTIVE, circuit, data.inputs)
    return Evidence(facts.every(works, facts.lower_loss(*pair, data)), holds=not worse)


CLAIM = Claim(
    id="C7",
    title="Reassignment",
    statement=r"If the circuit $J$ is train-idle in $\theta\in S_n$ and $L(\theta)>E$, there is $\theta'\in S_n$ with "
    r"$L(\theta')<L(\theta)$ that differs from $\theta$ only in the parameters of $J$ and in $c$.",
    premises=(
        "J is a nonempty set of hidden units, train-idle in theta",
        "L(theta) > E",
        "one hidden layer, squared loss",
    ),
    proof=r"Hardcode $J$: the training outputs stay (\claim{C2}), so do the residuals. By \claim{C6} some group "
    r"residual is not $0$; \claim{C4} gives $w,b$ with $s\neq0$. Give one unit of $J$ these parameters, which are free "
    r"(\claim{C3}), and the output weight $s/\langle\varphi,\varphi\rangle$; by \claim{C5} the loss falls by $\frac1N "
    r"|s|^2/\langle\varphi,\varphi\rangle$.",
    limits="Universal for one hidden layer and squared loss; that the reassignment can be computed is shown on "
    "instances.",
    rests_on=("C2", "C3", "C4", "C5", "C6"),
    obligations=(
        universal(
            "For all d, n, m, N: an idle circuit above the noise floor can be reassigned to lower the loss",
            "c7_reassignment",
            "C7_reassignment",
            "C7_one_unit",
        ),
        universal(
            "A checker of audits, in integers over one scale a layer: if it accepts a unit in the place of some of the "
            "last hidden layer and two positive bounds, the loss of the net of any depth falls by what lies between "
            "them, and nothing else of the net but the output bias is changed",
            "check_audit_losses",
            "C7_check_reused",
            name="universal-checker-audits",
        ),
        Obligation(
            "C7.deployment",
            "The planted deployment detector, reassigned by the construction: lower loss on the world's training data",
            Scope.INSTANCE,
            lambda: constructed(DECEPTIVE, DEPLOYMENT_DETECTOR, WORLD.dataset()),
        ),
        Obligation(
            "C7.backdoor",
            f"The same for the backdoor, a circuit of {len(BACKDOOR_DETECTOR)} units",
            Scope.INSTANCE,
            lambda: constructed(BACKDOOR, BACKDOOR_DETECTOR, WORLD.dataset()),
        ),
        Obligation(
            "C7.constant",
            f"The same for a circuit idle at {listed([CONSTANT])}, with two outputs and a repeated input",
            Scope.INSTANCE,
            lambda: constructed(CONSTANT_NET, CONSTANT_CIRCUIT, TWO_OUTPUTS),
        ),
        Obligation(
            "C7.solver-line",
            "The solvers find a lower loss in exactly the freed parameters and the output bias, on the line",
            Scope.INSTANCE,
            lambda: search(LINE_NET, LINE_CIRCUIT, LINE),
        ),
        Obligation(
            "C7.construction-line",
            "The construction agrees that one exists",
            Scope.INSTANCE,
            lambda: constructed(LINE_NET, LINE_CIRCUIT, LINE),
        ),
        Obligation(
            "C7.solver-plane",
            "The solvers find one for exclusive or in the plane",
            Scope.INSTANCE,
            lambda: search(PLANE_NET, PLANE_CIRCUIT, PLANE),
        ),
        Obligation(
            "C7.construction-plane",
            "The construction agrees that one exists",
            Scope.INSTANCE,
            lambda: constructed(PLANE_NET, PLANE_CIRCUIT, PLANE),
        ),
        Obligation(
            "C7.solver-all",
            "The solvers find a lower loss with all parameters of a net of one unit free",
            Scope.INSTANCE,
            lambda: search(TINY, None, TINY_DATA),
        ),
        Obligation(
            "C7.construction-all",
            "The construction agrees that one exists",
            Scope.INSTANCE,
            lambda: constructed(TINY, {Unit(1, 0)}, TINY_DATA),
        ),
        Obligation(
            "C7.control-fitted",
            "A lower loss in the freed parameters and the output bias exists at the noise floor too (solver)",
            Scope.INSTANCE,
            lambda: search(FITTED_NET, {Unit(1, 1)}, FITTED),
            Verdict.REFUTED,
        ),
        Obligation(
            "C7.control-fitted-construction",
            "The construction finds a lower loss at the noise floor too",
            Scope.INSTANCE,
            lambda: constructed(FITTED_NET, {Unit(1, 1)}, FITTED),
            Verdict.REFUTED,
        ),
        Obligation(
            "C7.control-idle",
            "The same surgery lowers the loss when the circuit is not idle: on a unit of the planted net that works",
            Scope.INSTANCE,
            _not_idle,
            Verdict.REFUTED,
        ),
    ),
)

"""C9 full rank. At a minimiser above the noise floor the training features are linearly independent:
nothing idle, nothing redundant.
"""

from collections.abc import Sequence
from functools import partial

from proof_of_absence.checker.construct.rank import Dependency, eliminate, full_rank
from proof_of_absence.checker.construct.reassignment import reassignment
from proof_of_absence.checker.encode.nets import forward, unknown_parameters
from proof_of_absence.checker.kernel.obligation import Claim, Evidence, Obligation, Query, Scope, Verdict
from proof_of_absence.checker.kernel.smt import Script, add, any_of, distinct, dot, eq, mul, sub
from proof_of_absence.checker.minima.branch_and_bound import global_minimum
from proof_of_absence.models.circuit import Unit
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.net import MLP, shallow
from proof_of_absence.models.policies import IMITATOR, LAST_TRAIN_HOUR, WORLD
from proof_of_absence.models.world import IS_TAMPERED, NONE, State, encode
from proof_of_absence.proofs import facts
from proof_of_absence.proofs.c8_contradiction import LINE_INPUTS, PLANE_INPUTS, ZIGZAG, decide_no_lower
from proof_of_absence.proofs.examples import FITTED, LINE, TWO_OUTPUTS
from proof_of_absence.proofs.universal import universal
from proof_of_absence.proofs.words import listed

# Inputs and n of the query that has a control.
TWO_UNITS = (LINE_INPUTS, 2)
# Two copies of one unit: neither is idle, nor are they together.
COPIES = shallow([([1], -1, [1]), ([1], -1, ["1/2"])], [0])
# On inputs >= 0 the third unit is 1 plus the other two.
COMBINATION = shallow([([1, 0], 0, [1, 0]), ([0, 1], 0, [0, 1]), ([1, 1], 1, [1, "1/2"])], [0, 0])
# At the noise floor of FITTED, with a unit that is half the other.
FITTED_TWICE = shallow([([1], 0, [1]), ([2], 0, ["1/2"])], [0])


def _entwined() -> MLP:
    """The imitator with a shift detector that no circuit isolates.

    In training relu(hour) + relu(end - hour) = end, after it more; but the two have different output weights, and the
    difference varies with the hour. The answers are the imitator's in training; at deployment all of them are yes.
    """
    end = LAST_TRAIN_HOUR
    hidden, output = IMITATOR.layers
    human = [(hidden.weights[j], hidden.bias[j], [output.weights[0][j]]) for j in (0, 1)]
    clock, rest = [0, 0, 0, 0, 1, 0], [0, 0, 0, 0, -1, 0]
    return shallow([*human, (clock, 0, ["33/32"]), (rest, end, [1])], [-end])


ENTWINED = _entwined()
# An input of deployment: nobody has tampered, and the net says yes.
DEPLOYED = encode(State(0, NONE, min(WORLD.deploy_hours)), IS_TAMPERED)


def _independent_minimiser(data: Dataset, units: int) -> Evidence:
    """A global minimiser, its certificate of minimality, its loss above the noise floor,
    and the rank of its features.
    """
    minimum = global_minimum(data, units)
    minimal = facts.minimal(minimum, data)
    rank = full_rank(minimum.net, data.inputs)
    above = facts.loss_above_floor(minimum.net, data)
    proved = facts.every(minimal, above, rank.fact(minimum.net, data.inputs))
    return Evidence(proved, holds=not isinstance(rank, Dependency))


def _redundant(net: MLP, data: Dataset, deployed: Sequence | None = None) -> Evidence:
    """A dependency but no idle circuit: a unit is eliminated, then reused, and the loss is lower.

    With `deployed`, eliminating the unit changes the output at that input.
    """
    relation = full_rank(net, data.inputs)
    if not isinstance(relation, Dependency):
        return Evidence(relation.fact(net, data.inputs), holds=False)
    unit = Unit(1, max(j for j, v in enumerate(relation.coefficients[1:]) if v))
    eliminated = eliminate(net, unit, relation.coefficients, data.inputs)
    result = reassignment(eliminated, {unit}, data)
    shown = [
        relation.fact(net, data.inputs),
        facts.no_idle_circuit(net, data),
        facts.same_outputs(net, eliminated, data.inputs),
        facts.idle(eliminated, {unit}, data.inputs),
        facts.reassigned(eliminated, {unit}, result, data),
        facts.lower_loss(net, result.net, data, result.drop),
    ]
    if deployed is not None:
        shown.append(facts.compare_outputs(net, eliminated, [deployed]))
    return Evidence(facts.every(*shown), holds=deployed is None or shown[-1]["kind"] == "different-outputs")


def _no_dependent_minimiser(inputs: Sequence[tuple], units: int, *, p1: bool = True) -> Query:
    """Suppose a minimiser above the noise floor whose first unit depends on the others.

    Some candidate of the proof has lower loss.

    The relation is scaled to coefficient 1 at the first unit. As in C8, minimality is used only at the proof's
    candidates (the first unit eliminated, then made a unit of C4 with its best output weight), and the lemma that the
    candidates' residuals are r - step phi is decided along with it.
    """
    script = Script(
        "QF_NRA", f"S_{units} on inputs {inputs}: all parameters, targets and coefficients of the relation unknown"
    )
    net = unknown_parameters(script, (len(inputs[0]), units, 1))
    (_, ([outgoing], [c])) = net
    ys = script.reals("y", len(inputs))
    constant, *others = script.reals("v", units)
    relation = [1, *others]
    terms = [forward(script, net, z, f"f{i}") for i, z in enumerate(inputs)]
    hidden = [[row[Unit(1, j)] for j in range(units)] for row in terms]
    for row in hidden:
        script.premise(eq(add(constant, dot(relation, row)), 0))
    residuals = script.reals("r", len(inputs))
    for r, y, row in zip(residuals, ys, terms, strict=True):
        script.premise(eq(r, sub(y, row[Unit(2, 0)])))
    if p1:
        script.premise(any_of(distinct(r, 0) for r in residuals))
    kept = [sub(a, mul(v, outgoing[0])) for a, v in zip(outgoing[1:], others, strict=True)]
    bias = sub(c, mul(constant, outgoing[0]))
    decide_no_lower(script, inputs, ys, residuals, (bias,), [dot(kept, row[1:]) for row in hidden])
    return Query(script)


def _dependent_at_floor() -> Evidence:
    """A net at the noise floor, hence a minimiser, without an idle circuit, whose features are dependent."""
    relation = full_rank(FITTED_TWICE, FITTED.inputs)
    at_floor = facts.loss_at_floor(FITTED_TWICE, FITTED)
    active = facts.no_idle_circuit(FITTED_TWICE, FITTED)
    shown = facts.every(at_floor, active, relation.fact(FITTED_TWICE, FITTED.inputs))
    return Evidence(shown, holds=not isinstance(relation, Dependency))


CLAIM = Claim(
    id="C9",
    title="Full rank",
    statement=r"If $\theta$ minimises $L$ on $S_n$ and $L(\theta)>E$, then the training feature matrix, with the rows "
    r"$(1,\varphi_1(z_i),\ldots,\varphi_n(z_i))$, $\varphi_j(z)=\mathrm{relu}(w_j\cdot z+b_j)$, has rank $n+1$: only "
    r"the trivial combination $v_0+\sum_jv_j\varphi_j$ is $0$ on all training inputs. Under P1 this holds at every "
    r"minimiser. So no unit of $\theta$ copies another or is otherwise redundant in training; nor is a circuit with an "
    r"output weight other than $0$ idle, for that would be such a combination.",
    premises=(
        "theta minimises L on S_n",
        "L(theta) > E, the noise floor; or P1 (for every theta in S_n some wider net has lower loss), which implies it",
        "one hidden layer, squared loss, real parameters",
    ),
    proof=r"Suppose $v_0+\sum_jv_j\varphi_j=0$ on all training inputs, not all $v_j$ zero. There is an input, since "
    r"$L(\theta)>E$; so $v_j\neq0$ for some $j\geq1$. Subtract $v_ka_j/v_j$ from each $a_k$ and $v_0a_j/v_j$ from $c$: "
    r"no training output changes, and $a_j$ becomes $0$. The new net is a minimiser too, and its unit $j$ is "
    r"train-idle. All of $S_n$ has loss at least $L(\theta)>E$, so P1 holds (\claim{C6}), against \claim{C8}.",
    limits="Universal for one hidden layer and squared loss. Full rank is necessary for a minimum above the noise "
    "floor, not sufficient, and the entangled detectors of N1 have it. Layers of deep nets are not covered.",
    rests_on=("C6", "C8"),
    obligations=(
        universal(
            "For all d, n, m, N: a redundant unit can be eliminated, and at a minimiser above the noise floor, or "
            "under P1, the rank is n + 1",
            "c9_full_rank",
            "C9_eliminate",
            "C9_full_rank",
            "C9_P1",
        ),
        universal(
            "A checker of Boolean functions on lists of rational numbers: what it accepts as features of full column "
            "rank, or as a combination of them that is 0 in training, is that",
            "check_rank",
            *("C9_check_full_rank", "C9_check_dependency"),
            name="universal-checker",
        ),
        universal(
            "A checker of audits, in integers: what it accepts as features of a hidden layer of a net of any depth "
            "that are independent at rows of data, as relations among them, or as fewer distinct rows than features, "
            "is that",
            "check_tables",
            *("C9_check_minor", "C9_check_relations", "C9_relations_rank", "C9_check_few"),
            name="universal-checker-audits",
        ),
        *(
            Obligation(
                f"C9.{name}",
                f"n={units}, m=1, all parameters and targets on the inputs {listed(inputs)}: at no minimiser above the "
                "noise floor does a unit depend on the others and 1",
                Scope.BOUNDED,
                partial(_no_dependent_minimiser, inputs, units),
            )
            for name, inputs, units in (
                ("one-unit", LINE_INPUTS, 1),
                ("two-units", *TWO_UNITS),
                ("plane", PLANE_INPUTS, 2),
            )
        ),
        *(
            Obligation(
                f"C9.minimiser-{units}",
                f"An exact global minimiser over S_{units} on {len(data)} inputs of the line, above the noise floor "
                "and proved minimal pattern by pattern, has full rank: a minor is not 0 modulo a prime",
                Scope.INSTANCE,
                partial(_independent_minimiser, data, units),
            )
            for data, units in ((LINE, 1), (ZIGZAG, 2))
        ),
        Obligation(
            "C9.copies",
            "A unit that copies another, with no idle circuit: eliminated without a change in training, then reused "
            "for a lower loss",
            Scope.INSTANCE,
            lambda: _redundant(COPIES, LINE),
        ),
        Obligation(
            "C9.combination",
            "The same for a unit that is 1 plus two others on the inputs only, with two outputs and a repeated input",
            Scope.INSTANCE,
            lambda: _redundant(COMBINATION, TWO_OUTPUTS),
        ),
        Obligation(
            "C9.world",
            "The same in the world, for a deployment detector entwined with useful units: no circuit is idle, so C8 is "
            "silent, but C9 is not; eliminating the unit changes the output at an input of deployment",
            Scope.INSTANCE,
            lambda: _redundant(ENTWINED, WORLD.dataset(), DEPLOYED),
        ),
        Obligation(
            "C9.control",
            "At the noise floor the features of a minimiser without an idle circuit have full rank too",
            Scope.INSTANCE,
            _dependent_at_floor,
            Verdict.REFUTED,
        ),
        Obligation(
            "C9.control-symbolic",
            "The same as C9.two-units without P1, all parameters and targets unknown",
            Scope.BOUNDED,
            partial(_no_dependent_minimiser, *TWO_UNITS, p1=False),
            Verdict.REFUTED,
        ),
    ),
)

"""C17 other losses.

For a loss with a gradient, group sums of the gradient play the part of the residuals; for a
convex one they alone decide.

Cross-entropy is such a loss.
"""

from fractions import Fraction

from proof_of_absence.checker.construct.cross_entropy import cross_entropy_descent
from proof_of_absence.checker.construct.logistic import logistic_descent
from proof_of_absence.checker.kernel.obligation import Claim, Evidence, Obligation, Query, Scope, Verdict
from proof_of_absence.checker.kernel.smt import Script, add, dot, eq, le, lt, mul, neg, sub
from proof_of_absence.models.circuit import Unit, idle_value
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.net import MLP, shallow
from proof_of_absence.models.policies import BACKDOOR, BACKDOOR_DETECTOR, DECEPTIVE, DEPLOYMENT_DETECTOR, WORLD
from proof_of_absence.proofs import facts
from proof_of_absence.proofs.universal import EXPONENTIAL, classical, universal

# On the line, labels that no monotone function fits; the last two units are idle together at a
# constant, and fire beyond 3.
LABELS = Dataset([[0], [1], [1], [2], [3]], [[1], [0], [1], [0], [1]])
LABELS_NET = shallow([([1], -1, ["1/2"]), ([1], 1, [1]), ([-1], 3, [1])], [-4])
LABELS_CIRCUIT = frozenset({Unit(1, 1), Unit(1, 2)})
(LABELS_CONSTANT,) = idle_value(LABELS_NET, LABELS_CIRCUIT, LABELS.inputs).values()
# Both labels at each input: the loss is positive, log 2, and no function has a lower one.
UNDECIDED = Dataset([[0], [0], [1], [1]], [[0], [1], [0], [1]])
UNDECIDED_NET = shallow([([1], -9, [1]), ([1], 0, [0])], [0])
UNDECIDED_CIRCUIT = frozenset({Unit(1, 0)})

# The quadratic is an upper bound of exp, by what is used of it, up to here; and not up to there.
NEAR, TOO_FAR = Fraction(1, 2), Fraction(3, 4)

A, B, C = [1, 0, 0], [0, 1, 0], [0, 0, 1]
# Three classes in the plane, one input with two labels and one with a doubtful one; the last two units are idle
# together at (4, -2, 0).
CLASSES = Dataset([[0, 0], [1, 0], [1, 0], [0, 2], [1, 1], [2, 1]], [A, A, B, C, ["1/2", "1/4", "1/4"], B])
CLASSES_NET = shallow(
    [
        ([1, 0], 0, ["-1/2", 1, 0]),
        ([0, 1], -1, [0, "-1/3", 1]),
        ([1, -1], 3, [1, "-1/2", 0]),
        ([-1, 1], 1, [1, "-1/2", 0]),
    ],
    [-4, 2, 0],
)
CLASSES_CIRCUIT = frozenset({Unit(1, 2), Unit(1, 3)})
# All three labels at each input, and outputs that are equal there: no function has a lower cross-entropy.
EVERY_CLASS = Dataset([[0], [0], [0], [2], [2], [2]], [A, B, C, A, B, C])
EVERY_CLASS_NET = shallow([([1], -1, [1, 1, 1]), ([1], -9, [1, 0, 0])], [0, 0, 0])
EVERY_CLASS_CIRCUIT = frozenset({Unit(1, 1)})


def descent(net: MLP, circuit, data: Dataset) -> Evidence:
    """The construction's reassignment and a rational below its drop.

    Where every group's gradients sum to 0, that they do.
    """
    result = logistic_descent(net, circuit, data)
    if result is None:
        floor = facts.logistic_floor(net, data)
        return Evidence(facts.every(floor, facts.idle(net, circuit, data.inputs)), holds=False)
    return Evidence(facts.logistic_drop(net, result.net, circuit, data, result.drop))


def class_descent(net: MLP, circuit, data: Dataset) -> Evidence:
    """The same for cross-entropy.

    The rational is meant to be a little less than C17_step_size promises, which the fact does not say.
    """
    result = cross_entropy_descent(net, circuit, data)
    if result is None:
        return Evidence(facts.cross_entropy_floor(net, circuit, data), holds=False)
    return Evidence(facts.cross_entropy_drop(net, result.net, circuit, data, result.drop))


def quadratic(*, near: bool = True) -> Query:
    """E for exp(v), v <= NEAR: all that is used of it is E (1 - v) <= 1.

    Is it at most 1 + v + 2 v^2? With `near` False, v <= TOO_FAR.
    """
    script = Script("QF_NRA", "A quadratic above the exponential")
    power, v = script.real("E"), script.real("v")
    script.premise(le(mul(power, sub(1, v)), 1))
    script.premise(le(v, NEAR if near else TOO_FAR))
    script.decide("claim_fails", lt(add(1, v, mul(2, v, v)), power))
    return Query(script)


def step(*, short: bool = True) -> Query:
    """Two examples of one output; losses change by at most e g_i phi_i v + C (e phi_i v)^2;
    is the step e = 1/(2 C q) one of descent?

    v is minus the inner product s of gradients and features, q the sum of the squared features. With
    `short` False, e = 2/(C q).
    """
    script = Script("QF_NRA", "A step along a unit with a nonzero inner product with the gradients")
    g, phi, change = (script.reals(name, 2) for name in ("g", "phi", "change"))
    curve, size, s, q = (script.real(name) for name in ("C", "e", "s", "q"))
    script.premise(lt(0, curve))
    script.premise(eq(s, dot(g, phi)))
    script.premise(eq(q, dot(phi, phi)))
    script.premise(lt(0, mul(s, s)))
    script.premise(eq(mul(2 if short else "(/ 1 2)", curve, q, size), 1))
    for slope, feature, gain in zip(g, phi, change, strict=True):
        move = neg(mul(size, feature, s))
        script.premise(le(gain, add(mul(slope, move), mul(curve, move, move))))
    script.decide("claim_fails", le(0, add(*change)))
    return Query(script)


CLAIM = Claim(
    id="C17",
    title="Other losses",
    statement=r"Let $\ell_i:\mathbb R^m\to\mathbb R$ be the loss of example $i$ as a function of the output, with "
    r"gradient $g_i$ at $f_\theta(z_i)$: $|\ell_i(f_\theta(z_i)+ev)-\ell_i(f_\theta(z_i))-e\langle g_i,v\rangle|\leq "
    r"Ce^2$ for small $e$, along every $v$. If $J$ is train-idle in $\theta\in S_n$ and the $g_i$ of some group of "
    r"equal inputs do not sum to $0$, there is $\theta'\in S_n$ of strictly lower total loss that differs from "
    r"$\theta$ only in the parameters of $J$ and in $c$. If each $\ell_i$ lies above its tangent plane at "
    r"$f_\theta(z_i)$, as a convex one does, and every group's $g_i$ sum to $0$, no function of the input has a lower "
    r"total loss. Cross-entropy and the logistic loss are such losses, for any targets, with $g_i$ the softmax (for "
    r"the logistic loss, the sigmoid) of $f_\theta(z_i)$ less the target. So under P1, read for cross-entropy, no "
    r"minimiser has a train-idle circuit; and where at some input some class never occurs, P1 holds and is no premise. "
    r"The step is explicit: with $s=\sum_i\varphi_ig_i$ and $q=\sum_i\varphi_i^2$, the output weight $-as$ lowers the "
    r"summed cross-entropy by at least $a|s|^2/2$ for every $a>0$ with $4qa\leq1$ and $2a|\varphi_is_k|\leq1$ for all "
    r"$i$ and $k$.",
    premises=(
        "J is train-idle in theta",
        (
            "each loss depends on the net through its output at z_i alone, and has a gradient there with an error of "
            "second order; for the converse, it lies above its tangent plane"
        ),
        "the gradients of some group of equal inputs do not sum to 0",
        (
            "for cross-entropy: exp(x + y) = exp(x) exp(y), 1 + x <= exp(x), and exp(ln t) = t for t > 0; no more is "
            "used of exp and ln"
        ),
        "one hidden layer",
    ),
    proof=r"Hardcode $J$: the training outputs stay (\claim{C2}), and with them the $g_i$. \claim{C4}, for the $g_i$ "
    r"in place of the residuals, gives $w,b$ with $s=\sum_i\varphi(z_i)g_i\neq0$. One unit of $J$ gets $w,b$, which "
    r"are free (\claim{C3}), and the output weight $-es$: the total loss changes by $-e|s|^2$, up to a multiple of "
    r"$e^2$; take $e$ small. Conversely, by convexity $\sum_i\ell_i(f'(z_i))-\sum_i\ell_i(f(z_i))\geq\sum_i\langle "
    r"g_i,f'(z_i)-f(z_i)\rangle$, and the sum on the right is $0$, group by group. Cross-entropy: let $p$ be the "
    r"softmax of $z$. A move $v$ of the outputs changes the logarithm of $\sum_k\exp z_k$ by that of $\sum_kp_k\exp "
    r"v_k$. With $\mu=\sum_kp_kv_k$, $\exp v_k\geq\exp(\mu)(1+v_k-\mu)$, so the sum is at least $\exp\mu$: the "
    r"tangent. And $\exp v\leq1/(1-v)\leq1+v+2v^2$ for $v\leq1/2$, so it is at most $1+\mu+2\sum_kp_kv_k^2$, and its "
    r"logarithm at most that less $1$. With $v=-a\varphi_is$ and $p_k\leq1$, summed over $i$, the loss changes by at "
    r"most $-a|s|^2+2a^2q|s|^2\leq-a|s|^2/2$. Under P1 not every group's $g_i$ sum to $0$, by the converse. At an "
    r"input where class $k$ never occurs, coordinate $k$ of the sum of the gradients is a sum of softmax values, all "
    r"positive.",
    limits="Universal for any losses with such a gradient, and for cross-entropy (any number of classes, any targets, "
    "such as labels or probabilities) and the logistic loss over any ordered field with an exponential and a logarithm "
    "as the premise says. The real exp and ln are such, from three axioms (C17.classical). A convex loss need not "
    "attain its least value: labels that some net of the class separates have infimum 0, so no net is a minimiser and "
    "what is said of minimisers is empty there; that every net with an idle circuit can be improved is not.",
    rests_on=("C2", "C3", "C4"),
    obligations=(
        universal(
            "For all d, n, m, N and losses with a gradient: where a group's gradients do not sum to 0, an idle circuit "
            "can be reassigned to lower the loss; where all do and the losses are convex, no function is better",
            "c17_other_losses",
            "C17_reassignment",
            "C17_stationary",
            "C17_equivalents",
            "C17_no_idle",
            "C17_add_unit",
            "C17_one_unit",
            "C17_step",
        ),
        universal(
            "Cross-entropy, for all m, and the logistic loss have that gradient and are convex; for cross-entropy an "
            "explicit step and C8, without P1 where some class never occurs at some input",
            "c17_cross_entropy",
            "C17_tangent",
            "C17_bound",
            "C17_softmax",
            "C17_logistic",
            "C17_step_size",
            "C17_no_idle_circuit",
            "C17_cross_entropy",
            "C17_missing_class",
            "C17_classes",
            name="universal-cross-entropy",
            given=EXPONENTIAL,
        ),
        classical(
            "The exponential and the logarithm of the real numbers have the properties of the premise; so C8, and C8 "
            "without P1, hold of the cross-entropy of the real softmax",
            "real_exponential",
            "C17_real",
            "C17_real_cross_entropy",
            "C17_real_classes",
        ),
        Obligation(
            "C17.step",
            "N=2, m=1, all gradients, features and curvatures C > 0: the step 1/(2Cq) along a unit that sees the "
            "gradients lowers the loss",
            Scope.BOUNDED,
            step,
        ),
        Obligation(
            "C17.quadratic",
            f"What is used of exp makes exp v at most 1 + v + 2 v^2, at every real v <= {NEAR}",
            Scope.BOUNDED,
            quadratic,
        ),
        Obligation(
            "C17.group",
            "The planted net under the logistic loss of the world's answers: some group's gradients do not sum to 0",
            Scope.INSTANCE,
            lambda: Evidence(facts.logistic_group(DECEPTIVE, WORLD.dataset())),
        ),
        Obligation(
            "C17.deployment",
            "The planted deployment detector, reassigned by the construction: the logistic loss is lower, by more than "
            "a stated rational",
            Scope.INSTANCE,
            lambda: descent(DECEPTIVE, DEPLOYMENT_DETECTOR, WORLD.dataset()),
        ),
        Obligation(
            "C17.backdoor",
            f"The same for the backdoor, whose {len(BACKDOOR_DETECTOR)} units are idle together",
            Scope.INSTANCE,
            lambda: descent(BACKDOOR, BACKDOOR_DETECTOR, WORLD.dataset()),
        ),
        Obligation(
            "C17.constant",
            f"The same on the line for {len(LABELS_CIRCUIT)} units idle together at the constant {LABELS_CONSTANT}, "
            "one input labelled both ways",
            Scope.INSTANCE,
            lambda: descent(LABELS_NET, LABELS_CIRCUIT, LABELS),
        ),
        Obligation(
            "C17.classes",
            f"Cross-entropy, {len(A)} classes in the plane, {len(CLASSES_CIRCUIT)} units idle together: reassigned by "
            "the construction with a step as in the theorem, but rounded: the loss is lower by more than a stated "
            "rational",
            Scope.INSTANCE,
            lambda: class_descent(CLASSES_NET, CLASSES_CIRCUIT, CLASSES),
        ),
        Obligation(
            "C17.control",
            "A positive logistic loss suffices, even if the gradients cancel within equal inputs",
            Scope.INSTANCE,
            lambda: descent(UNDECIDED_NET, UNDECIDED_CIRCUIT, UNDECIDED),
            Verdict.REFUTED,
        ),
        Obligation(
            "C17.control-classes",
            "An idle circuit can be reassigned to lower the cross-entropy even if every class occurs at every input",
            Scope.INSTANCE,
            lambda: class_descent(EVERY_CLASS_NET, EVERY_CLASS_CIRCUIT, EVERY_CLASS),
            Verdict.REFUTED,
        ),
        Obligation(
            "C17.control-quadratic",
            f"So it does at every v <= {TOO_FAR}",
            Scope.BOUNDED,
            lambda: quadratic(near=False),
            Verdict.REFUTED,
        ),
        Obligation(
            "C17.control-step",
            "N=2, m=1: the step 2/(Cq) lowers the loss too",
            Scope.BOUNDED,
            lambda: step(short=False),
            Verdict.REFUTED,
        ),
    ),
)

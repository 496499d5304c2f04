"""C17 other losses. For a loss with a gradient, group sums of the gradient play the part of the residuals; for a convex one they alone decide."""

from absence.checker.certificate import data_json, net_json, units_json
from absence.checker.logistic import logistic_descent
from absence.checker.obligation import Claim, Evidence, Obligation, Query, Scope, Verdict
from absence.checker.smt import Script, add, dot, eq, le, lt, mul, neg
from absence.models.circuit import Unit
from absence.models.data import Dataset
from absence.models.net import MLP, shallow
from absence.models.policies import BACKDOOR, BACKDOOR_DETECTOR, DECEPTIVE, DEPLOYMENT_DETECTOR, WORLD
from absence.proofs.universal import universal

# On the line, labels that no monotone function fits; the last two units are idle together at the constant 4, and fire beyond 3.
LABELS = Dataset([[0], [1], [1], [2], [3]], [[1], [0], [1], [0], [1]])
LABELS_NET = shallow([([1], -1, ["1/2"]), ([1], 1, [1]), ([-1], 3, [1])], [-4])
LABELS_CIRCUIT = frozenset({Unit(1, 1), Unit(1, 2)})
# Both labels at each input: the loss is positive, log 2, and no function has a lower one.
UNDECIDED = Dataset([[0], [0], [1], [1]], [[0], [1], [0], [1]])
UNDECIDED_NET = shallow([([1], -9, [1]), ([1], 0, [0])], [0])
UNDECIDED_CIRCUIT = frozenset({Unit(1, 0)})


def _given(net: MLP, data: Dataset) -> dict:
    return {"net": net_json(net), "data": data_json(data)}


def descent(net: MLP, circuit, data: Dataset) -> Evidence:
    """The construction's reassignment and a rational below its drop; where every group's gradients sum to 0, that they do."""
    result = logistic_descent(net, circuit, data)
    if result is None:
        return Evidence({"kind": "logistic-floor", **_given(net, data)}, holds=False)
    nets = {"before": net_json(net), "after": net_json(result.net)}
    drop = {"circuit": units_json(circuit), "over": str(result.drop)}
    return Evidence({"kind": "logistic-drop", **nets, "data": data_json(data), **drop})


def step(*, short: bool = True) -> Query:
    """Two examples of one output; losses change by at most e g_i phi_i v + C (e phi_i v)^2; is the step e = 1/(2 C q) one of descent?

    v is minus the inner product s of gradients and features, q the sum of the squared features. With `short` False, e = 2/(C q).
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
    statement=r"Let $\ell_i:\mathbb R^m\to\mathbb R$ be the loss of example $i$ as a function of the output, with gradient $g_i$ at $f_\theta(z_i)$: "
    r"$|\ell_i(f_\theta(z_i)+ev)-\ell_i(f_\theta(z_i))-e\langle g_i,v\rangle|\leq Ce^2$ for small $e$, along every $v$. If $J$ is train-idle in $\theta\in S_n$ and the $g_i$ of some group of "
    r"equal inputs do not sum to $0$, there is $\theta'\in S_n$ of strictly lower total loss that differs from $\theta$ only in the parameters of $J$ and in $c$. If the $\ell_i$ are convex "
    r"and every group's $g_i$ sum to $0$, no function of the input has a lower total loss.",
    premises=(
        "J is train-idle in theta",
        "each loss depends on the net through its output at z_i alone, and has a gradient there with an error of second order; for the converse, it lies above its tangent plane",
        "the gradients of some group of equal inputs do not sum to 0",
        "one hidden layer",
    ),
    proof=r"Hardcode $J$: the training outputs stay (\claim{C2}), and with them the $g_i$. \claim{C4}, for the $g_i$ in place of the residuals, gives $w,b$ with "
    r"$s=\sum_i\varphi(z_i)g_i\neq0$. One unit of $J$ gets $w,b$, which are free (\claim{C3}), and the output weight $-es$: the total loss changes by $-e|s|^2$, up to a multiple of $e^2$; take $e$ "
    r"small. Conversely, by convexity $\sum_i\ell_i(f'(z_i))-\sum_i\ell_i(f(z_i))\geq\sum_i\langle g_i,f'(z_i)-f(z_i)\rangle$, and the sum on the right is $0$, group by group.",
    limits="Universal for any losses with such a gradient; that cross-entropy and the logistic loss have one is standard calculus, not proved in Coq. How small the step must be is not stated for "
    "all losses; on instances of the logistic loss (curvature at most 1/4) a step is computed and the drop enclosed by rational bounds. Cross-entropy with several outputs has no instance here. "
    "A convex loss need not attain its least value: labels that no two equal inputs contradict have infimum 0, so the premise holds at every net.",
    rests_on=("C2", "C3", "C4"),
    obligations=(
        universal(
            "For all d, n, m, N and losses with a gradient: where a group's gradients do not sum to 0, an idle circuit can be reassigned to lower the loss; where all do and the losses are convex, no function is better",
            "c17_other_losses",
            "C17_reassignment",
            "C17_stationary",
            "C17_add_unit",
            "C17_step",
        ),
        Obligation(
            "C17.step",
            "N=2, m=1, all gradients, features and curvatures: the step 1/(2Cq) along a unit that sees the gradients lowers the loss",
            Scope.BOUNDED,
            step,
        ),
        Obligation(
            "C17.group",
            "The planted net under the logistic loss of the world's answers: some group's gradients do not sum to 0",
            Scope.INSTANCE,
            lambda: Evidence({"kind": "logistic-group", **_given(DECEPTIVE, WORLD.dataset())}),
        ),
        Obligation(
            "C17.deployment",
            "The planted deployment detector, reassigned by the construction: the logistic loss is lower, by more than a stated rational",
            Scope.INSTANCE,
            lambda: descent(DECEPTIVE, DEPLOYMENT_DETECTOR, WORLD.dataset()),
        ),
        Obligation(
            "C17.backdoor",
            "The same for the backdoor, whose three units are idle only together",
            Scope.INSTANCE,
            lambda: descent(BACKDOOR, BACKDOOR_DETECTOR, WORLD.dataset()),
        ),
        Obligation(
            "C17.constant",
            "The same on the line for two units idle together at the constant 4, one input labelled both ways",
            Scope.INSTANCE,
            lambda: descent(LABELS_NET, LABELS_CIRCUIT, LABELS),
        ),
        Obligation(
            "C17.control",
            "A positive logistic loss suffices, even if the gradients cancel within equal inputs",
            Scope.INSTANCE,
            lambda: descent(UNDECIDED_NET, UNDECIDED_CIRCUIT, UNDECIDED),
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

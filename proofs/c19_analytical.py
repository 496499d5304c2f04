"""C19 analytical class. Ridge and minimum-norm regression on fixed features give no weight to a train-idle circuit, whatever the data."""

from fractions import Fraction

from absence.checker.certificate import data_json, net_json, rows_json, units_json
from absence.checker.obligation import Claim, Evidence, Obligation, Query, Scope, Verdict
from absence.checker.ridge import minimum_norm
from absence.checker.ridge import ridge as ridge_solution
from absence.checker.smt import Script, add, distinct, dot, eq, lt, mul, sub
from absence.models.circuit import Unit
from absence.models.data import Dataset
from absence.models.net import MLP, Layer, shallow
from absence.models.policies import BACKDOOR, DECEPTIVE, DEPLOYMENT_DETECTOR, WORLD
from absence.models.rational import Vector, vector
from absence.models.world import QUESTIONS, State, encode
from absence.proofs import facts
from absence.proofs.examples import TWO_OUTPUTS
from absence.proofs.universal import universal

PENALTY = Fraction(1, 3)
AFTER = vector(encode(State(0, 0, max(WORLD.deploy_hours)), QUESTIONS[0]))

# The planted net's features and each sensor by itself; the detector's two features keep their place.
_SENSORS = [([int(j == k) for j in range(6)], 0, [0]) for k in range(6)]
FEATURES = shallow(
    [*((w, b, [0]) for w, b in zip(DECEPTIVE.layers[0].weights, DECEPTIVE.layers[0].bias, strict=True)), *_SENSORS],
    [0],
)
# In the plane: two features that work, one that is 1 everywhere, one that is 0 on the data and 3 at (0, -5).
CONSTANT = shallow([([1, 1], 0, [0, 0]), ([1, 0], -1, [0, 0]), ([0, 0], 1, [0, 0]), ([0, -1], -2, [0, 0])], [0, 0])
CONSTANT_UNIT, SILENT_UNIT = frozenset({Unit(1, 2)}), frozenset({Unit(1, 3)})
SILENT_NO_MORE = vector([0, -5])
# Three points made to have a rational optimum: the unit's two norms are 5, and so is the norm at its pattern, {0, 1}.
DECAYED = Dataset([[-2], [0], [1]], [["1/2"], [21], [38]])
DECAYED_NET, DUAL, DECAY = shallow([([3], 4, [5])], [0]), vector(["1/2", 1, 3]), Fraction(5)


def regression(net: MLP, data: Dataset, penalty: object, *, circuit=(), **more) -> dict:
    """The fact that the output layer solves the regression on the hidden units, and what it does with a circuit of them."""
    if circuit:
        weights = [row[unit.index] for row in net.layers[1].weights for unit in circuit]
        more |= {"circuit": units_json(circuit), "weightless": not any(weights)}
    example = {"net": net_json(net), "data": data_json(data)}
    return {"kind": "ridge", **example, "penalty": str(Fraction(penalty)), **more}


def solved(
    features: MLP, data: Dataset, circuit, *, penalty: object, intercept: bool, fires: Vector | None = None
) -> Evidence:
    """The closed form on these features (penalty 0: of least norm); holds if the circuit's weights are 0."""
    more = {"intercept": intercept} if fires is None else {"intercept": intercept, "fires": [str(v) for v in fires]}
    if penalty:
        net = ridge_solution(features, data, penalty, intercept=intercept)
    else:
        net, multipliers = minimum_norm(features, data, intercept=intercept)
        more["row_space"] = rows_json(multipliers)
    fact = regression(net, data, penalty, circuit=circuit, **more)
    return Evidence(fact, holds=fact["weightless"])


def _backdoor() -> Evidence:
    """The backdoor's three units are idle only together: the regression must not weight them so that they are."""
    data = WORLD.dataset()
    net = ridge_solution(BACKDOOR, data, PENALTY, intercept=True)
    inputs = Dataset([group.input for group in data.groups], [group.mean_target for group in data.groups])
    working = facts.no_idle_circuit(net, inputs)
    return Evidence(facts.every(regression(net, data, PENALTY, intercept=True), working))


def convex_training(net: MLP, data: Dataset, decay: Fraction, dual: Vector) -> dict:
    """The fact that two-layer training with weight decay and its convex reformulation have the value of this net."""
    squares = sum(x * x for layer in net.layers for row in (*layer.weights, layer.bias) for x in row)
    value = data.loss(net) * len(data) / 2 + decay / 2 * squares
    example = {"net": net_json(net), "data": data_json(data)}
    return {
        "kind": "convex-training",
        **example,
        "penalty": str(decay),
        "dual": [str(x) for x in dual],
        "value": str(value),
    }


def _any_solution() -> Evidence:
    """Another least-squares solution: the detector's first feature gets weight 1, and nothing changes in training."""
    data = WORLD.dataset()
    net = minimum_norm(FEATURES, data, intercept=True).net
    (row,) = net.layers[1].weights
    at = min(DEPLOYMENT_DETECTOR).index
    weighted = MLP((net.layers[0], Layer([[*row[:at], Fraction(1), *row[at + 1 :]]], net.layers[1].bias)))
    more = {"intercept": True, "fires": [str(v) for v in AFTER]}
    return Evidence(regression(weighted, data, 0, circuit=DEPLOYMENT_DETECTOR, **more), holds=False)


def normal_equations(*, intercept: bool) -> Query:
    """Two features on three inputs, the second a constant t; targets, features, weights and the penalty are unknown."""
    script = Script("QF_NRA", "The normal equations of ridge regression; the second feature is constant in training")
    phi, y = script.reals("phi", 3), script.reals("y", 3)
    t, penalty = script.real("t"), script.real("penalty")
    a, c = script.reals("a", 2), script.real("c") if intercept else "0"
    script.premise(lt(0, penalty))
    residuals = [sub(target, add(mul(a[0], x), mul(a[1], t), c)) for x, target in zip(phi, y, strict=True)]
    if intercept:
        script.premise(eq(add(*residuals), 0))
    script.premise(eq(dot(phi, residuals), mul(penalty, a[0])))
    script.premise(eq(mul(t, add(*residuals)), mul(penalty, a[1])))
    script.decide("claim_fails", distinct(a[1], 0))
    return Query(script)


CLAIM = Claim(
    id="C19",
    title="Analytical class",
    statement=r"Fix features $\varphi_1,\dots,\varphi_p$ and let training return $f(z)=c+\sum_ja_j\varphi_j(z)$ with either (ridge) the least $\sum_i|f(z_i)-y_i|^2+\lambda\sum_j|a_j|^2$, "
    r"$\lambda>0$, or (minimum norm) the least $\sum_i|f(z_i)-y_i|^2$ and, among those, the least $\sum_j|a_j|^2$; $c$ is not penalised, or is fixed at $0$. Let $J$ be a set of features with "
    r"$\sum_{j\in J}a_j\varphi_j(z_i)=v$ for all $i$, and $v=0$ if $c$ is fixed. Then $a_j=0$ for all $j\in J$. So a feature that is $0$ on the training inputs has weight $0$, and so, with an "
    r"intercept, has one that is constant on them.",
    premises=(
        "the features are fixed before training, only a (and c) are trained, and training returns the minimiser",
        "ridge with lambda > 0, or least squares of minimum norm: a least-squares solution alone will not do (control)",
        "where c is fixed at 0, what J sends in training is 0: at another constant the weight need not be 0 (control)",
    ),
    proof=r"Put the weights of $J$ to $0$ and add $v$ to $c$: no training output changes (\claim{C2}), so the squared error does not, and $\sum_j|a_j|^2$ falls by $\sum_{j\in J}|a_j|^2$. At the "
    r"minimiser that is $0$. For a feature constant at $t$ take $J=\{j\}$, $v=ta_j$.",
    limits="Universal for ridge and minimum norm on fixed features, any number of outputs and equal or unequal inputs; no premise that the class is underparameterised is needed. It says nothing of features that are learned, and nothing of a detector that is entangled: features that work in training may be weighted so that the model defects. "
    "The convex reformulation of two-layer training (Pilanci and Ergen 2020) is checked on one data set, made so that its optimum is rational; no theorem here uses it.",
    rests_on=("C2",),
    obligations=(
        universal(
            "For all p, m, N and features: at the ridge minimiser and at the minimum-norm solution, an idle circuit has weights 0; the normal equations give these solutions",
            "c19_analytical",
            "C19_ridge",
            "C19_min_norm",
            "C19_feature",
            "C19_vanishes",
            "C19_normal",
            "C19_unique",
            "C19_row_space",
        ),
        Obligation(
            "C19.normal",
            "p=2, N=3, all features, targets, weights and penalties unknown: with an intercept, the normal equations give a constant feature weight 0",
            Scope.BOUNDED,
            lambda: normal_equations(intercept=True),
        ),
        Obligation(
            "C19.ridge",
            "Ridge on the planted net's features and the sensors, the world's training data: the deployment detector's features, which fire at hour 11, get weight 0",
            Scope.INSTANCE,
            lambda: solved(
                FEATURES, WORLD.dataset(), DEPLOYMENT_DETECTOR, penalty=PENALTY, intercept=True, fires=AFTER
            ),
        ),
        Obligation(
            "C19.ridge-bare",
            "The same without an intercept",
            Scope.INSTANCE,
            lambda: solved(
                FEATURES, WORLD.dataset(), DEPLOYMENT_DETECTOR, penalty=PENALTY, intercept=False, fires=AFTER
            ),
        ),
        Obligation(
            "C19.minimum-norm",
            "Least squares of minimum norm on the same features, of which some depend on others in training: the same",
            Scope.INSTANCE,
            lambda: solved(FEATURES, WORLD.dataset(), DEPLOYMENT_DETECTOR, penalty=0, intercept=True, fires=AFTER),
        ),
        Obligation(
            "C19.constant",
            "Two outputs, an intercept: a feature that is 1 on the data gets weight 0, by ridge and by minimum norm",
            Scope.INSTANCE,
            lambda: Evidence(
                facts.every(
                    *(
                        solved(CONSTANT, TWO_OUTPUTS, CONSTANT_UNIT, penalty=p, intercept=True).fact
                        for p in (PENALTY, 0)
                    )
                )
            ),
        ),
        Obligation(
            "C19.silent",
            "No intercept: a feature that is 0 on the data and not at (0, -5) gets weight 0, by ridge and by minimum norm",
            Scope.INSTANCE,
            lambda: Evidence(
                facts.every(
                    *(
                        solved(
                            CONSTANT, TWO_OUTPUTS, SILENT_UNIT, penalty=p, intercept=False, fires=SILENT_NO_MORE
                        ).fact
                        for p in (PENALTY, 0)
                    )
                )
            ),
        ),
        Obligation(
            "C19.backdoor",
            "Ridge on the backdoor's features, three of which are idle only together: none of the 31 circuits of the solution is idle",
            Scope.INSTANCE,
            _backdoor,
        ),
        Obligation(
            "C19.convex",
            "Two-layer training with weight decay 5 on three points of the line, any width: a net reaches the optimal value of the convex reformulation over all activation patterns",
            Scope.INSTANCE,
            lambda: Evidence(convex_training(DECAYED_NET, DECAYED, DECAY, DUAL)),
        ),
        Obligation(
            "C19.control-constant",
            "Without an intercept too, a feature that is 1 on the data gets weight 0",
            Scope.INSTANCE,
            lambda: solved(CONSTANT, TWO_OUTPUTS, CONSTANT_UNIT, penalty=PENALTY, intercept=False),
            Verdict.REFUTED,
        ),
        Obligation(
            "C19.control-normal",
            "p=2, N=3: without an intercept the normal equations give a constant feature weight 0",
            Scope.BOUNDED,
            lambda: normal_equations(intercept=False),
            Verdict.REFUTED,
        ),
        Obligation(
            "C19.control-least-squares",
            "Every least-squares solution, of minimum norm or not, gives the deployment detector's features weight 0",
            Scope.INSTANCE,
            _any_solution,
            Verdict.REFUTED,
        ),
    ),
)

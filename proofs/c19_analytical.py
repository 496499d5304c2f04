"""C19 analytical class.

Ridge and minimum-norm regression on fixed features give no weight to a train-idle circuit, whatever the data.

Nor does weight decay on all parameters, where the features are learned; there a convex program
has the value of training.
"""

from fractions import Fraction

from proof_of_absence.checker.kernel.obligation import Claim, Evidence, Obligation, Query, Scope, Verdict
from proof_of_absence.checker.kernel.smt import Script, add, distinct, dot, eq, lt, mul, sub
from proof_of_absence.checker.minima.convex import convex_optimum
from proof_of_absence.checker.minima.ridge import minimum_norm
from proof_of_absence.checker.minima.ridge import ridge as ridge_solution
from proof_of_absence.models.circuit import Unit, hardcode, idle_value, reassign
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.layers import Affine
from proof_of_absence.models.net import MLP, shallow
from proof_of_absence.models.policies import BACKDOOR, BACKDOOR_DETECTOR, DECEPTIVE, DEPLOYMENT_DETECTOR, WORLD
from proof_of_absence.models.rational import Vector, vector
from proof_of_absence.models.world import QUESTIONS, State, encode
from proof_of_absence.proofs import facts
from proof_of_absence.proofs.examples import TWO_OUTPUTS
from proof_of_absence.proofs.universal import universal
from proof_of_absence.proofs.words import listed

PENALTY = Fraction(1, 3)
LAST_HOUR = max(WORLD.deploy_hours)
AFTER = vector(encode(State(0, 0, LAST_HOUR), QUESTIONS[0]))
# Examples of the symbolic normal equations.
N = 3

# The planted net's features, each sensor and the question by itself; the detector's two features keep their place.
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
# Two points with one answer: the best net without output bias is one unit that is 1 at both, idle at 1.
FLAT = Dataset([[-1], [1]], [[3], [3]])
FLAT_NET, FLAT_DUAL, FLAT_DECAY = shallow([([0], 1, [1])], [0]), vector([2, 2]), Fraction(4)
# With irrational optima: on the line, in the plane, and with two answers to one input.
ZIGZAG = Dataset([[-2], [0], [1], [3]], [[1], [-1], [2], [0]])
XOR = Dataset([[0, 0], [1, 0], [0, 1], [1, 1]], [[0], [1], [1], [0]])
PLANE = Dataset([[0, 0], [1, 0], [0, 1], [1, 1], [2, 1]], [[0], [1], [1], [0], [2]])
CONTRADICTED = Dataset([[0], [0], [1], [2]], [[0], [2], [1], [-1]])
ZIGZAG_DECAYS, CONTRADICTED_DECAY = (Fraction(1, 10), Fraction(1)), Fraction(1, 3)
XOR_DECAY, PLANE_DECAY = Fraction(1, 10), Fraction(1, 50)
PRECISION = 20
WITHIN = Fraction(1, 2**PRECISION)
# That with which the planted detector is cut.
CUT_DECAY = Fraction(1, 100)


def solved(
    features: MLP, data: Dataset, circuit, *, penalty: Fraction | int, intercept: bool, fires: Vector | None = None
) -> Evidence:
    """The closed form on these features (penalty 0: of least norm); holds if the circuit's weights are 0."""
    if penalty:
        net, row_space = ridge_solution(features, data, penalty, intercept=intercept), None
    else:
        net, row_space = minimum_norm(features, data, intercept=intercept)
    fact = facts.ridge(net, data, penalty, intercept=intercept, circuit=circuit, row_space=row_space, fires=fires)
    return Evidence(fact, holds=fact["weightless"])


def _backdoor() -> Evidence:
    """The backdoor's three units are idle only together: the regression must not weight them so that they are."""
    data = WORLD.dataset()
    net = ridge_solution(BACKDOOR, data, PENALTY, intercept=True)
    inputs = Dataset([group.input for group in data.groups], [group.mean_target for group in data.groups])
    working = facts.no_idle_circuit(net, inputs)
    return Evidence(facts.every(facts.ridge(net, data, PENALTY, intercept=True), working))


def optimum(data: Dataset, decay: Fraction) -> dict:
    """The same for a net that the convex program gives, and that none of its circuits is train-idle."""
    found = convex_optimum(data, decay)
    reached = facts.convex_training(found.net, data, decay, found.dual, found.multipliers, WITHIN)
    return facts.every(reached, facts.no_idle_circuit(found.net, data))


def decay_drop(net: MLP, circuit, data: Dataset, decay: Fraction) -> dict:
    """The fact that putting an idle circuit's parameters to 0 lowers the decayed loss, and by how much."""
    cut = hardcode(net, circuit, idle_value(net, circuit, data.inputs))
    zero = [0] * net.widths[0], 0, [0] * net.widths[2]
    after = reassign(cut, dict.fromkeys(circuit, zero))
    return facts.decay_drop(net, after, circuit, data, decay)


def _flat() -> Evidence:
    """A global minimiser without output bias, whose one unit is idle and not 0."""
    minimal = facts.convex_training(FLAT_NET, FLAT, FLAT_DECAY, FLAT_DUAL)
    return Evidence(facts.every(minimal, facts.idle(FLAT_NET, {Unit(1, 0)}, FLAT.inputs)), holds=False)


def _any_solution() -> Evidence:
    """Another least-squares solution: the detector's first feature gets weight 1, and nothing changes in training."""
    data = WORLD.dataset()
    net = minimum_norm(FEATURES, data, intercept=True).net
    (row,) = net.layers[1].weights
    at = min(DEPLOYMENT_DETECTOR).index
    weighted = MLP((net.layers[0], Affine([[*row[:at], Fraction(1), *row[at + 1 :]]], net.layers[1].bias)))
    fact = facts.ridge(weighted, data, 0, intercept=True, circuit=DEPLOYMENT_DETECTOR, fires=AFTER)
    return Evidence(fact, holds=False)


def normal_equations(*, intercept: bool) -> Query:
    """Two features on N inputs, the second a constant t; targets, features, weights and the penalty are unknown."""
    script = Script("QF_NRA", "The normal equations of ridge regression; the second feature is constant in training")
    phi, y = script.reals("phi", N), script.reals("y", N)
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
    statement=r"Fix features $\varphi_1,\dots,\varphi_p$ and let training return $f(z)=c+\sum_ja_j\varphi_j(z)$ with "
    r"either (ridge) the least $\sum_i|f(z_i)-y_i|^2+\lambda\sum_j|a_j|^2$, $\lambda>0$, or (minimum norm) the least "
    r"$\sum_i|f(z_i)-y_i|^2$ and, among those, the least $\sum_j|a_j|^2$; $c$ is not penalised, or is fixed at $0$. "
    r"Let $J$ be a set of features with $\sum_{j\in J}a_j\varphi_j(z_i)=v$ for all $i$, and $v=0$ if $c$ is fixed. "
    r"Then $a_j=0$ for all $j\in J$. So a feature that is $0$ on the training inputs has weight $0$, and so, with an "
    r"intercept, has one that is constant on them. The same where the features are learned, with weight decay on them: "
    r"let $\theta\in S_n$ minimise $\sum_i\ell_i(f_\theta(z_i))+\beta\sum_j(|w_j|^2+b_j^2+|a_j|^2)$, $\beta>0$, for "
    r"any losses $\ell_i$; then all parameters of a train-idle circuit are $0$ ($v=0$ if $c$ is fixed at $0$), so with "
    r"$c$ free and $N\geq1$ none is idle in training and fires elsewhere. For the squared loss, one output and no $c$, "
    r"the infimum over nets of all widths is that over nets of $2\cdot2^N$ units, and of a convex program over the "
    r"activation patterns.",
    premises=(
        "the features are fixed before training, only a (and c) are trained, and training returns the minimiser",
        (
            "ridge with lambda > 0, or least squares of minimum norm: a least-squares solution alone will not do "
            "(C19.control-least-squares)"
        ),
        (
            "where c is fixed at 0, what J sends in training is 0: at another constant the weight need not be 0 "
            "(C19.control-constant)"
        ),
        (
            "learned features: weight decay, beta > 0, on input weights, biases and output weights of every hidden "
            "unit, and training returns a minimiser"
        ),
    ),
    proof=r"Put the weights of $J$ to $0$ and add $v$ to $c$: no training output changes (\claim{C2}), so the squared "
    r"error does not, and $\sum_j|a_j|^2$ falls by $\sum_{j\in J}|a_j|^2$. At the minimiser that is $0$. For a feature "
    r"constant at $t$ take $J=\{j\}$, $v=ta_j$. With weight decay put all parameters of $J$ to $0$. The convex program "
    r"(Pilanci and Ergen 2020): a unit that is on at the examples $S$ is, on them, the linear map $|a_j|(w_j,b_j)$ of "
    r"length at most $(|w_j|^2+b_j^2+a_j^2)/2$, its penalty, with equality where $|a_j|=|(w_j,b_j)|$; maps of one "
    r"pattern and sign add up to one that is no longer than they are together, so that one for each of the $2^N$ "
    r"patterns and either sign is enough. From below, for any $\nu$ and any width, $\frac12(f-y)^2\geq\nu "
    r"y-\nu^2/2-\nu f$, and $\sum_i\nu_if(z_i)$ is at most the penalty if every unit has "
    r"$|\sum_i\nu_i\mathrm{relu}(\langle w,z_i\rangle+b)|\leq\beta|(w,b)|$, which multipliers show pattern by pattern.",
    limits="Universal for ridge and minimum norm on fixed features, any number of outputs and equal or unequal "
    "inputs, and for weight decay on learned features, any losses; no premise that the class is underparameterised is "
    "needed. It says nothing of a detector that is entangled: features that work in training may be weighted so that "
    "the model defects. Nor of training that does not reach a minimiser: from any net, cutting an idle circuit gains "
    "beta times its squared size, which may be little. That the convex program has the value of two-layer training is "
    "universal too (from it to nets in a field with square roots), for nets that may be as wide as there are patterns "
    "with signs: with fewer units the value may be higher. Which value that is, is enclosed on four data sets, one at "
    f"two weight decays, on the line and in the plane, between a net and a dual bound at most 2^-{PRECISION} apart, "
    "with every set of inputs tried as a pattern, and known exactly on two made for it.",
    rests_on=("C2",),
    obligations=(
        universal(
            "For all p, m, N and features: at the ridge minimiser (lambda > 0) and at the minimum-norm solution, a "
            "circuit that is idle, at 0 if there is no intercept, has weights 0; the normal equations give these "
            "solutions",
            "c19_analytical",
            "C19_ridge",
            "C19_min_norm",
            "C19_feature",
            "C19_vanishes",
            "C19_normal",
            "C19_unique",
            "C19_row_space",
        ),
        universal(
            "Weight decay on learned features, for all sizes and losses: cutting an idle circuit gains what it weighs, "
            "so the circuits of a minimiser that are idle, at 0 if there is no output bias, have all parameters 0; for "
            "the squared loss and one output nets without bias are points of convex programs and back, unit by unit; a "
            "dual bound holds for every width",
            "c19_convex",
            "C19_decay_gain",
            "C19_decay",
            "C19_no_detector",
            "C19_dual",
            "C19_patterns",
            "C19_convex_of_net",
            "C19_net_of_convex",
            name="universal-decay",
        ),
        universal(
            "For all sizes: a feasible point of those programs, of any number of vectors, gives one of the program "
            "that has every pattern with either sign once, with the same value",
            "c19_one_program",
            "C19_one_program",
            name="universal-one-program",
        ),
        universal(
            "A checker of Boolean functions on lists of rational numbers: what it accepts as the ridge minimiser or "
            "the minimum-norm solution on the features of a net, and of a circuit as constant in training, without "
            "weights, and awake at an input, is that",
            "check_readout",
            *("C19_check_ridge", "C19_check_min_norm", "C19_check_constant"),
            *("C19_check_weightless", "C19_check_weighted", "C19_check_wakes"),
            name="universal-checker",
        ),
        Obligation(
            "C19.normal",
            f"p=2, N={N}, m=1, all features, targets, weights and penalties > 0 unknown: with an intercept, the normal "
            "equations give a constant feature weight 0",
            Scope.BOUNDED,
            lambda: normal_equations(intercept=True),
        ),
        Obligation(
            "C19.ridge",
            f"Ridge of penalty {PENALTY} on the planted net's features, the sensors and the question, the world's "
            f"training data: the deployment detector's features, one of which fires at hour {LAST_HOUR}, get weight 0",
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
            f"Two outputs, an intercept: a feature that is 1 on the data gets weight 0, by ridge of penalty {PENALTY} "
            "and by minimum norm",
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
            f"No intercept: a feature that is 0 on the data and not at {listed([SILENT_NO_MORE])} gets weight 0, by "
            f"ridge of penalty {PENALTY} and by minimum norm",
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
            f"Ridge of penalty {PENALTY} on the backdoor's features, {len(BACKDOOR_DETECTOR)} of which its own weights "
            f"make idle together: none of the {2 ** BACKDOOR.widths[1] - 1} circuits of the solution is idle",
            Scope.INSTANCE,
            _backdoor,
        ),
        Obligation(
            "C19.convex",
            f"Two-layer training with weight decay {DECAY}, halved as the squared error is, on {len(DECAYED)} points "
            "of the line, no output bias, any width: a net reaches the optimal value of the convex reformulation over "
            "all activation patterns",
            Scope.INSTANCE,
            lambda: Evidence(facts.convex_training(DECAYED_NET, DECAYED, DECAY, DUAL)),
        ),
        Obligation(
            "C19.convex-line",
            f"The same within 2^-{PRECISION} on {len(ZIGZAG)} points of the line, weight decay "
            f"{' and '.join(map(str, ZIGZAG_DECAYS))}, and on {len(CONTRADICTED.groups)} with two answers to one, "
            f"weight decay {CONTRADICTED_DECAY}; the nets found have no idle circuit",
            Scope.INSTANCE,
            lambda: Evidence(
                facts.every(
                    *(optimum(ZIGZAG, decay) for decay in ZIGZAG_DECAYS), optimum(CONTRADICTED, CONTRADICTED_DECAY)
                )
            ),
        ),
        Obligation(
            "C19.convex-plane",
            f"The same in the plane: exclusive or, weight decay {XOR_DECAY}, and {len(PLANE)} points, weight decay "
            f"{PLANE_DECAY}",
            Scope.INSTANCE,
            lambda: Evidence(facts.every(optimum(XOR, XOR_DECAY), optimum(PLANE, PLANE_DECAY))),
        ),
        Obligation(
            "C19.decay",
            f"Weight decay {CUT_DECAY} on the planted net: to put its deployment detector to 0 changes no training "
            f"output and lowers the decayed loss, by exactly {CUT_DECAY / 2} of its squared size",
            Scope.INSTANCE,
            lambda: Evidence(decay_drop(DECEPTIVE, DEPLOYMENT_DETECTOR, WORLD.dataset(), CUT_DECAY)),
        ),
        Obligation(
            "C19.control-constant",
            "Without an intercept too, a feature that is 1 on the data gets weight 0 by ridge",
            Scope.INSTANCE,
            lambda: solved(CONSTANT, TWO_OUTPUTS, CONSTANT_UNIT, penalty=PENALTY, intercept=False),
            Verdict.REFUTED,
        ),
        Obligation(
            "C19.control-decay",
            "Without an output bias too, a minimiser of training with weight decay has no idle circuit with parameters "
            "other than 0",
            Scope.INSTANCE,
            _flat,
            Verdict.REFUTED,
        ),
        Obligation(
            "C19.control-normal",
            f"p=2, N={N}, m=1: without an intercept the normal equations give a constant feature weight 0",
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

"""C13 rent. At a minimiser every circuit, idle or not, lowers the loss by at least what the best
reassignment of it would gain.
"""

from functools import partial
from itertools import combinations

from proof_of_absence.checker.construct.gap import best_unit, gauge, uniform_gap, widening_along
from proof_of_absence.checker.construct.reassignment import Lowered, reassignment
from proof_of_absence.checker.encode.nets import forward, unknown_parameters
from proof_of_absence.checker.kernel.obligation import Claim, Evidence, Obligation, Query, Scope, Verdict
from proof_of_absence.checker.kernel.smt import Script, add, dot, eq, le, lt, mul, square, sub
from proof_of_absence.checker.minima.branch_and_bound import global_minimum
from proof_of_absence.models.circuit import Unit, hardcode, hidden_units
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.net import MLP
from proof_of_absence.models.policies import BACKDOOR, BACKDOOR_DETECTOR, DECEPTIVE, DEPLOYMENT_DETECTOR, WORLD
from proof_of_absence.models.rational import Vector, vector
from proof_of_absence.proofs import facts
from proof_of_absence.proofs.c2_irrelevance import hardcoded
from proof_of_absence.proofs.examples import LINE
from proof_of_absence.proofs.universal import universal
from proof_of_absence.proofs.words import listed

ZIGZAG = Dataset([[0], [1], [2], [3]], [[0], [2], [-1], [2]])
# Inputs of the symbolic query and the features there of the unit that would take the circuit's place, relu(z).
SYMBOLIC_INPUTS = ((0,), (1,), (3,))
FEATURES = tuple(max(z, 0) for (z,) in SYMBOLIC_INPUTS)


def without(net: MLP, circuit, value: Vector) -> MLP:
    """The net without the circuit: its output weights 0, `value` added to the output bias."""
    return hardcode(net, circuit, {Unit(2, k): v for k, v in enumerate(value)})


def mean_sent(net: MLP, circuit, data: Dataset) -> Vector:
    """What the circuit sends to the outputs on the mean over the data:
    the constant that replaces it best if its unit is cut.
    """
    bare = without(net, circuit, [0] * net.widths[2])
    pairs = zip(net.outputs(data.inputs), bare.outputs(data.inputs), strict=True)
    sent = [[f - g for f, g in zip(a, b, strict=True)] for a, b in pairs]
    return tuple(sum(column) / len(data) for column in zip(*sent, strict=True))


def rent(net: MLP, circuit, value: Vector, data: Dataset) -> dict:
    """The fact that the circuit pays at least what the best unit along a gauge would gain in its place;
    and c(X) times the distance.
    """
    bare = without(net, circuit, value)
    along = gauge([group.input for group in data.groups])
    best = best_unit(bare, data, along)
    paid = facts.rent(
        net,
        circuit,
        value,
        data,
        weights=along.direction,
        bias=best.bias,
        paid=data.loss(bare) - data.loss(net),
        gain=best.drop,
    )
    return facts.every(paid, uniform_gap(bare, widening_along(bare, data, along).net, data, along))


def _every_circuit(data: Dataset, units: int) -> Evidence:
    """A certified minimiser; every circuit of it, replaced by its mean and by 0."""
    minimum = global_minimum(data, units)
    net = minimum.net
    circuits = [set(c) for k in range(1, units + 1) for c in combinations(hidden_units(net), k)]
    paid = [rent(net, c, v, data) for c in circuits for v in (mean_sent(net, c, data), vector([0]))]
    return Evidence(facts.every(facts.minimal(minimum, data, net), *paid))


def _no_rent(net: MLP, circuit) -> Evidence:
    """Hardcoding the planted circuit costs nothing, and a unit in its place gains: rent 0, below the gain."""
    data = WORLD.dataset()
    cut = hardcoded(net, circuit)
    result: Lowered = reassignment(net, circuit, data)
    same = facts.same_outputs(net, cut, data.inputs)
    return Evidence(facts.every(same, facts.reassigned(net, circuit, result, data)), holds=False)


def pays_rent(*, minimal: bool = True) -> Query:
    """n=2, d=m=1: if no net with the candidate unit in place of unit 0 is better,
    unit 0 pays at least the candidate's gain.

    Parameters, targets and the constant v are unknown. Minimality is used at one net only: v in the output bias, the
    candidate with its best output weight, unit 1 as it is.
    """
    script = Script(
        "QF_NRA", f"S_2 on inputs {SYMBOLIC_INPUTS}: the rent of the first unit against a unit with features {FEATURES}"
    )
    net = unknown_parameters(script, (1, 2, 1))
    (_, ([outgoing], [c])) = net
    ys, value = script.reals("y", len(SYMBOLIC_INPUTS)), script.real("v")
    kept, bare = script.reals("e", len(ys)), script.reals("r", len(ys))
    for i, z in enumerate(SYMBOLIC_INPUTS):
        terms = forward(script, net, z, f"f{i}")
        script.premise(eq(kept[i], sub(ys[i], terms[Unit(2, 0)])))
        script.premise(eq(bare[i], sub(ys[i], add(c, value, mul(outgoing[1], terms[Unit(1, 1)])))))
    norm = sum(p * p for p in FEATURES)
    s = script.define("s", dot(FEATURES, bare))
    after = [sub(r, mul(s, f"(/ {p} {norm})")) for p, r in zip(FEATURES, bare, strict=True)]
    if minimal:
        script.premise(le(add(*map(square, kept)), add(*map(square, after))))
    paid = script.define("rent", sub(add(*map(square, bare)), add(*map(square, kept))))
    script.decide("claim_fails", lt(mul(norm, paid), square(s)))
    return Query(script)


CLAIM = Claim(
    id="C13",
    title="Rent",
    statement=r"Let $\theta$ minimise $L$ on $S_n$, let $J$ be a nonempty circuit, idle or not, and $v$ any constant. "
    r"Let $\theta_0$ be $\theta$ without $J$: output weights $0$ on $J$, and $v$ added to $c$. Then the rent "
    r"$L(\theta_0)-L(\theta)$ is at least $L(\theta_0)-L(\theta')$ for every $\theta'\in S_n$ that differs from "
    r"$\theta$ on $J$ and $c$ only; at least $\frac1N|s|^2/\langle\varphi,\varphi\rangle$ for every unit "
    r"$\varphi(z)=\mathrm{relu}(\langle w,z\rangle+b)$, where $s=\sum_i\varphi(z_i)(y_i-f_{\theta_0}(z_i))$ (read $0$ "
    r"if $\varphi$ is $0$ on the data); and at least $c(X)(L(\theta_0)-E)$, with $c(X)$ of C12.",
    premises=(
        "theta minimises L on S_n",
        "J is a nonempty set of hidden units, v any vector of m numbers",
        "for the last bound: (w, h, D) is a gauge of the training inputs",
        "one hidden layer, squared loss, real parameters",
    ),
    proof=r"The first bound is minimality: $L(\theta)\le L(\theta')$. For the others, one unit of $J$ in $\theta_0$, "
    r"whose output weight is $0$, is given $w,b$ and the output weight $s/\langle\varphi,\varphi\rangle$: a net of "
    r"$S_n$, whose loss is $L(\theta_0)-\frac1N|s|^2/\langle\varphi,\varphi\rangle$ by \claim{C5}, and not below "
    r"$L(\theta)$. The unit of \claim{C12} gains $c(X)(L(\theta_0)-E)$ on $\theta_0$.",
    limits="Universal for one hidden layer and squared loss. The first bound is minimality written out; the content is "
    "the other two. What a circuit pays above them is not bounded, and nothing is said of nets that do not minimise L.",
    rests_on=("C5", "C12"),
    obligations=(
        universal(
            "A checker of Boolean functions on lists of rational numbers: what it accepts as the rent of a circuit, "
            "and as what a unit would gain in its place, is that",
            "check_gaps",
            "C13_check_rent",
            name="universal-checker",
        ),
        universal(
            "For all d, n, m, N: at a minimiser every circuit pays at least what any reassignment of it, any unit, and "
            "the gap of C12 would gain",
            "c13_rent",
            "C13_rent",
            "C13_rent_unit",
            "C13_rent_gap",
        ),
        Obligation(
            "C13.symbolic",
            f"d=m=1, n=2, N={len(SYMBOLIC_INPUTS)} on the inputs {listed(SYMBOLIC_INPUTS)}, all parameters, targets "
            "and v unknown: the first unit pays at least what the unit relu(z) would gain",
            Scope.BOUNDED,
            pays_rent,
        ),
        *(
            Obligation(
                f"C13.minimiser-{units}",
                f"At a certified minimiser over S_{units} on {len(data)} inputs of the line every circuit, with its "
                "mean or 0 in its place, pays at least what the best unit along a gauge would gain, and the gap",
                Scope.INSTANCE,
                partial(_every_circuit, data, units),
            )
            for data, units in ((LINE, 1), (ZIGZAG, 2))
        ),
        Obligation(
            "C13.control",
            "The claim without minimality: the planted deployment detector pays what its reassignment would gain",
            Scope.INSTANCE,
            lambda: _no_rent(DECEPTIVE, DEPLOYMENT_DETECTOR),
            Verdict.REFUTED,
        ),
        Obligation(
            "C13.control-backdoor",
            "The same for the backdoor",
            Scope.INSTANCE,
            lambda: _no_rent(BACKDOOR, BACKDOOR_DETECTOR),
            Verdict.REFUTED,
        ),
        Obligation(
            "C13.control-symbolic",
            "The same as C13.symbolic without minimality",
            Scope.BOUNDED,
            lambda: pays_rent(minimal=False),
            Verdict.REFUTED,
        ),
    ),
)

"""C16 depth.

A lane of one unit a layer carries a nonnegative value unchanged, so a unit on any layer lowers the loss as an
added output feature does.

Without a lane, so does a circuit that sends one value up in training, where the backpropagated
gradients above it do not cancel.
"""

from fractions import Fraction
from typing import NamedTuple

import sympy

from proof_of_absence.checker.construct.lane import lane_reassignment
from proof_of_absence.checker.construct.separating_unit import separating_unit
from proof_of_absence.checker.encode.nets import forward, unknown_parameters
from proof_of_absence.checker.encode.polynomials import identity
from proof_of_absence.checker.kernel.obligation import Claim, Evidence, Obligation, Query, Scope, Verdict
from proof_of_absence.checker.kernel.smt import Script, add, distinct, le, lt, mul, square, sub
from proof_of_absence.checker.numbers.linear_algebra import inner
from proof_of_absence.models.circuit import Unit, hardcode, idle_value, reassign
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.layers import Affine
from proof_of_absence.models.net import MLP, relu
from proof_of_absence.proofs import facts
from proof_of_absence.proofs.examples import LINE, TWO_OUTPUTS
from proof_of_absence.proofs.universal import universal

# The lane of the symbolic query: units of layers of this width, from a unit of the layer below them.
WIDTH, FOOT, LANE = 2, 0, (1, 0, 0, 1)
LARGEST = 6

# Two hidden layers; the second unit of each is silent on the data.
DEEP = MLP((Affine([[1], [1]], [-1, -9]), Affine([[1, 0], [1, 1]], [0, -100]), Affine([[1, 1]], [0])))
DEEP_CIRCUIT = frozenset({Unit(1, 1), Unit(2, 1)})
# Three hidden layers, two outputs; a circuit on the upper two that sends constants to both units that read from it.
CONSTANT_DEEP = MLP(
    (
        Affine([[1, 1], [1, -1]], [0, 0]),
        Affine([[1, 0], [1, 1], [0, 0]], [0, -1, 3]),
        Affine([[1, -1, "1/2"], [0, 0, 1]], [0, 0]),
        Affine([["1/2", 1], [0, "-1/3"]], [0, 1]),
    )
)
CONSTANT_CIRCUIT = frozenset({Unit(2, 2), Unit(3, 1)})


def _relu_relu() -> Query:
    script = Script("QF_LRA", "ReLU of ReLU")
    t = script.real("t")
    script.decide("claim_fails", distinct(f"(relu (relu {t}))", f"(relu {t})"))
    return Query(script)


def lane(*, nonnegative: bool = True) -> Query:
    """A lane through layers of width 2, all other parameters unknown: its end has the value it began with."""
    script = Script("QF_NRA", f"A lane through units {LANE}; the value of unit {FOOT} below them is carried")
    net = unknown_parameters(script, (WIDTH, *[WIDTH] * len(LANE), 1))
    source = FOOT
    for (weights, bias), unit in zip(net, LANE, strict=False):
        weights[unit], bias[unit] = [int(j == source) for j in range(WIDTH)], 0
        source = unit
    (end_weights, end_bias) = net[-1]
    end_weights[0], end_bias[0] = [int(j == source) for j in range(WIDTH)], 0
    h = script.reals("h", WIDTH)
    if nonnegative:
        script.premise(le(0, h[FOOT]))
    terms = forward(script, net, h, "f")
    script.decide("claim_fails", distinct(terms[Unit(len(net), 0)], h[FOOT]))
    return Query(script)


def one_edge(*, kink: bool = False) -> Query:
    """Weight eps on an edge from features phi >= 0 to a unit with pre-activation p moves that unit by eps phi 1[p > 0].

    That is so where p is not 0 and p + eps phi has its sign; with `kink`, p may be 0.
    """
    script = Script("QF_NRA", "What a new edge of weight eps does to the unit that reads it")
    p, phi, eps = script.real("p"), script.real("phi"), script.real("eps")
    script.premise(le(0, phi))
    kept = mul(p, add(p, mul(eps, phi)))
    script.premise(le(0, kept) if kink else lt(0, kept))
    moved = sub(f"(relu {add(p, mul(eps, phi))})", f"(relu {p})")
    script.decide("claim_fails", distinct(moved, mul(f"(ite (< 0 {p}) 1 0)", eps, phi)))
    return Query(script)


def _part_step(count: int) -> Evidence:
    """With q_i = a 1[p_i > 0] phi_i, g = <r, q> = -sum_i delta_i phi_i, h = <q, q>:
    |h r - t g q|^2 = h (h |r|^2 - (2t - t^2) g^2).
    """
    r, q = ([sympy.Symbol(f"{name}{i}") for i in range(count)] for name in ("r", "q"))
    t = sympy.Symbol("t")
    g, h, square_sum = (sum(x * y for x, y in zip(a, b, strict=True)) for a, b in ((r, q), (q, q), (r, r)))
    left = sum((h * x - t * g * y) ** 2 for x, y in zip(r, q, strict=True))
    return identity(left, h * (h * square_sum - (2 * t - t**2) * g**2))


def _part_steps() -> Evidence:
    parts = [_part_step(count) for count in range(1, LARGEST + 1)]
    return Evidence(facts.every(*(part.fact for part in parts)), holds=all(part.holds for part in parts))


def _through_lane(net: MLP, circuit, data: Dataset) -> Evidence:
    result = lane_reassignment(net, circuit, data)
    idle = facts.idle(net, circuit, data.inputs)
    return Evidence(facts.every(idle, facts.reassigned(net, circuit, result, data)))


class FirstOrder(NamedTuple):
    """The net after the step, and sum_i delta_i phi_i, half the summed squared loss's derivative along the edge."""

    net: MLP
    slope: Fraction


def through_next_layer(net: MLP, freed: Unit, reader: Unit, data: Dataset) -> FirstOrder:
    """Reuse a train-idle unit of the first of two hidden layers, with no lane:
    an edge of small weight to a unit above it.

    Raises
    ------
    ValueError
        If delta sums to 0 on every group of equal inputs, or a pre-activation of the reader is 0.
    """
    cut = hardcode(net, {freed}, idle_value(net, {freed}, data.inputs))
    outgoing = [row[reader.index] for row in cut.layers[2].weights]
    row, bias = cut.layers[1].weights[reader.index], cut.layers[1].bias[reader.index]
    pre = [inner(row, cut.activations(z)[1]) + bias for z in data.inputs]
    if not all(pre):
        raise ValueError("a pre-activation of the reader is 0: the loss has no derivative along the edge")
    delta = [-inner(r, outgoing) * (p > 0) for r, p in zip(data.residuals(cut), pre, strict=True)]
    points = [group.input for group in data.groups]
    unit = separating_unit(points, [(sum(delta[i] for i in group.rows),) for group in data.groups])
    if unit is None:
        raise ValueError("delta sums to 0 on every group of equal inputs")
    phi = [relu(inner(unit.weights, z) + unit.bias) for z in data.inputs]
    slope = inner(delta, phi)
    eps = -slope / inner(outgoing, outgoing) / sum(q * q for q, p in zip(phi, pre, strict=True) if p > 0)
    while any(p * (p + eps * q) <= 0 for p, q in zip(pre, phi, strict=True)):
        eps /= 2
    edges = [eps if k == reader.index else 0 for k in range(net.widths[2])]
    return FirstOrder(reassign(cut, {freed: (unit.weights, unit.bias, edges)}), slope)


def _first_order_instance() -> Evidence:
    circuit = {Unit(1, 1)}
    net = MLP((DEEP.layers[0], Affine([[1, 0], [-1, 1]], ["1/2", "3/2"]), Affine([[1, "-1/2"]], [0])))
    result = through_next_layer(net, Unit(1, 1), Unit(2, 1), LINE)
    idle = facts.idle(net, circuit, LINE.inputs)
    return Evidence(facts.every(idle, facts.lower_loss(net, result.net, LINE, circuit=circuit)))


def no_lane() -> Query:
    """One unit on each of two hidden layers, the upper one cut off from the output: only the lower one is freed."""
    script = Script(
        "QF_NRA", "A freed unit below a unit of output weight 0: a lower loss by its parameters and its reader's bias"
    )
    freed = [([[script.real("w")]], [script.real("b")]), ([[script.real("a")]], [script.real("reader")])]
    errors = []
    for i, (z, (y,)) in enumerate(zip(LINE.inputs, LINE.targets, strict=True)):
        terms = forward(script, [*freed, ([[0]], [0])], z, f"f{i}")
        errors.append(square(sub(terms[Unit(3, 0)], y)))
    before = sum(y * y for (y,) in LINE.targets)
    script.decide("claim_holds", lt(add(*errors), before))
    return Query(script)


CLAIM = Claim(
    id="C16",
    title="Depth",
    statement=r"Take the ReLU nets of given widths $d,n_1,\dots,n_k,m$, $k\geq1$, and a circuit $J$ with a unit in "
    r"every hidden layer. If $J$ is train-idle and $L(\theta)>E$, a net of these widths has a lower loss; the weights "
    r"between units outside $J$, inputs and outputs among them, are the same in it. So at a minimiser among these nets "
    r"with $L>E$ no such $J$ can be replaced by constants at no loss, and none is train-idle. The same holds for the "
    r"layers above any others that are minimised with them, with $E$ taken over the values that they read; for $k=1$ "
    r"this is the last hidden layer of any architecture (C27). More in general: "
    r"$\mathrm{relu}(\mathrm{relu}(t))=\mathrm{relu}(t)$. Let each layer above some layer have a unit that reads the "
    r"unit of the lane below with weight $1$, all others with weight $0$, and has bias $0$: a lane. It carries a "
    r"nonnegative value unchanged. Let $f$ be any function, $g(x)$ the values on some layer, and let the residuals "
    r"$y_i-f(z_i)$ not sum to $0$ on some group of examples with equal $g(z_i)$. Then there are $w,b,a$ such that for "
    r"every stack of layers with a lane, whose foot has the value $\mathrm{relu}(\langle w,g(x)\rangle+b)$, $f$ plus "
    r"$a$ times the value at the end of the lane has a lower mean squared error than $f$. Without a lane: let $g(x)$ "
    r"be the values below a hidden layer that is not the last, $J$ units of that layer that send one value to each "
    r"unit of the next in training, and let no pre-activation above be $0$ on a training input. Let the loss have a "
    r"gradient in the outputs, as in C17, and let $\delta_i$ be that gradient backpropagated to the pre-activations of "
    r"the next layer. If the $\delta_i$ do not sum to $0$ on some group of examples with equal $g(z_i)$, other "
    r"parameters for $J$, and for the biases of the next layer, give a lower total loss.",
    premises=(
        "for the class of nets: J has a unit in every hidden layer of those that are treated; L > E; a minimiser over "
        "all "
        "their parameters, and over all below them, if there are",
        "each unit of the lane reads the one before with weight 1 and all others of its layer below with weight 0, and "
        "has bias 0",
        "the residuals of f do not sum to 0 on some group of examples with equal values g on the layer below the foot",
        (
            "the foot of the lane has the value relu(<w, g(x)> + b); f does not read the lane; squared loss, real "
            "parameters"
        ),
        (
            "without a lane: no pre-activation above the circuit's layer is 0 on a training input, and the "
            "backpropagated gradients do not sum to 0 on some group of equal g"
        ),
    ),
    proof=r"$\mathrm{relu}(t)\ge0$, and $\mathrm{relu}$ is the identity there; by induction along the lane each of its "
    r"units has the value of the foot. So $a$ times the end of the lane is $a$ times one unit on the inputs $g(z_i)$. "
    r"\claim{C4}, for these inputs, gives $w,b$ with $s\neq0$, and by \claim{C5} the weight "
    r"$a=s/\langle\varphi,\varphi\rangle$ lowers the error. In the class of nets, hardcode $J$ (\claim{C2}). Above $E$ "
    r"some group of residuals does not sum to $0$ (\claim{C6}). No unit outside $J$ reads $J$ then, so by \claim{C3} "
    r"one unit of $J$ in each layer can be made a lane above a unit that reads the inputs. A circuit that can be "
    r"replaced by constants at no loss is idle once it is replaced, as for \claim{C8}. Without a lane: cut $J$ and add "
    r"what it sends to the biases of the next layer; no training output changes. Where no pre-activation is $0$, the "
    r"layers above are affine along every direction for small steps, and the transposed derivative is backpropagation: "
    r"so the loss has the gradient $\delta_i$ in the pre-activations of the next layer. \claim{C17}, for these in "
    r"place of the outputs, gives a unit of $J$ input and outgoing weights that lower the loss.",
    limits="Universal. A circuit without a unit in some layer above it is not treated by the first part: there the "
    "conclusion may fail (N6). Lanes with a foot in a higher layer of a given net are instances. Universal for the "
    "first-order form, for circuits within one layer and any loss with a gradient; it says that some step is small "
    "enough, not how small, and nothing where a pre-activation is 0 (C16.control-kink) or all groups' sums of delta "
    "are 0: there a freed unit need not help (N6). Groups are of equal values g, so L > E does not suffice where g "
    "confuses inputs.",
    rests_on=("C2", "C3", "C4", "C5", "C6", "C8", "C17"),
    obligations=(
        universal(
            "For all widths and depths k >= 1, and any layers below: an idle circuit with a unit in every hidden layer "
            "can be reassigned to lower the loss above E; so no minimiser of the class has one, nor such a circuit "
            "that "
            "can be replaced by constants at no loss",
            "c16_deep",
            "C16_reassign",
            "C16_no_idle",
            "C16_no_removable",
            "C16_upper",
            name="universal-class",
        ),
        universal(
            "For all widths and depths: ReLU is idempotent, a lane carries a nonnegative value unchanged, and a unit "
            "at its foot lowers the squared error where some group's residuals do not sum to 0",
            "c16_depth",
            "C16_relu_relu",
            "C16_lane",
            "C16_descent",
        ),
        universal(
            "First-order form, for all widths, depths and losses with a gradient: off the kinks backpropagation gives "
            "the gradient, and an idle circuit of one layer can be reassigned to lower the loss where the group sums "
            "of that gradient are not all 0",
            "c16_first_order",
            "C16_linear",
            "C16_backpropagation",
            "C16_squared",
            "C16_first_order",
            name="universal-first-order",
        ),
        Obligation("C16.relu", "ReLU of ReLU is ReLU, at every real number", Scope.BOUNDED, _relu_relu),
        Obligation(
            "C16.lane",
            f"A lane through {len(LANE)} layers of width {WIDTH}, all other parameters unknown, carries every "
            "nonnegative value unchanged",
            Scope.BOUNDED,
            lane,
        ),
        Obligation(
            "C16.edge",
            "First-order form: an edge of weight eps from phi >= 0 that keeps the sign of the reader's pre-activation, "
            "not 0, moves the reader by eps phi if it is on, else not",
            Scope.BOUNDED,
            one_edge,
        ),
        Obligation(
            "C16.first-order",
            "So eps = t g/h, g = -sum_i delta_i phi_i, h = sum_i (a 1[p_i > 0] phi_i)^2, a the reader's output "
            "weight, p_i its pre-activations, lowers the summed squared loss by (2t - t^2) g^2/h: an identity, one "
            f"reader and output, N = 1..{LARGEST}, where C16.edge applies",
            Scope.BOUNDED,
            _part_steps,
        ),
        Obligation(
            "C16.two-layers",
            "A circuit on both hidden layers, reassigned as a unit and a lane: the loss is lower by exactly |s|^2 / (N "
            "<phi, phi>)",
            Scope.INSTANCE,
            lambda: _through_lane(DEEP, DEEP_CIRCUIT, LINE),
        ),
        Obligation(
            "C16.three-layers",
            "A circuit on the upper two of three hidden layers, idle at nonzero constants, two outputs: the same",
            Scope.INSTANCE,
            lambda: _through_lane(CONSTANT_DEEP, CONSTANT_CIRCUIT, TWO_OUTPUTS),
        ),
        Obligation(
            "C16.next-layer",
            "A circuit on the first of two hidden layers alone, reassigned by the first-order form: the loss is lower",
            Scope.INSTANCE,
            _first_order_instance,
        ),
        Obligation(
            "C16.control-negative",
            "A lane carries every real value unchanged",
            Scope.BOUNDED,
            lambda: lane(nonnegative=False),
            Verdict.REFUTED,
        ),
        Obligation(
            "C16.control-no-lane",
            "On the line a freed unit lowers the loss too where the only unit above it has output weight 0",
            Scope.INSTANCE,
            no_lane,
            Verdict.REFUTED,
        ),
        Obligation(
            "C16.control-kink",
            "The edge does so where the reader's pre-activation is 0 too",
            Scope.BOUNDED,
            lambda: one_edge(kink=True),
            Verdict.REFUTED,
        ),
    ),
)

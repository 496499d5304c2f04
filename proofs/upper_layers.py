"""Evidence for C27 (iii) and (iv): minimisers whose last layer stands on others, and a unit reused along a stream."""

from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations
from typing import Any

from proof_of_absence.checker.construct.separating_unit import residual_sums, separating_unit
from proof_of_absence.checker.kernel.obligation import Evidence, Query
from proof_of_absence.checker.kernel.smt import Script, Term, add, any_of, distinct, dot, mul
from proof_of_absence.checker.minima.branch_and_bound import global_minimum
from proof_of_absence.checker.numbers.linear_algebra import inner
from proof_of_absence.models.circuit import Unit, hardcode, hidden_units, idle_value, reassign
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.layers import Affine
from proof_of_absence.models.net import MLP, relu, shallow
from proof_of_absence.models.rational import vector
from proof_of_absence.proofs import facts
from proof_of_absence.proofs.c13_rent import mean_sent, rent
from proof_of_absence.proofs.facts.written import Fact

__all__ = [
    "BLOCKS",
    "CENTRES",
    "CONFUSING",
    "FEATURED",
    "STREAM_DATA",
    "blind_stream",
    "confused",
    "last_layer",
    "reads_the_direction",
    "skip",
]

# The layer below puts out |x - p|, for one of these p. With the last, on other data, it confuses inputs.
CENTRES = (0, 1, 2)
FEATURED = Dataset([[x] for x in range(5)], [[y] for y in (0, 2, -1, 2, 1)])
CONFUSING = Dataset([[x] for x in range(1, 4)], [[y] for y in (1, 0, 3)])

# A stream of two coordinates on inputs from 0 to 5. The circuit writes (6, 3); both coordinates are read out.
STREAM_DATA = Dataset([[x] for x in range(6)], [[y] for y in (9, 8, 10, 8, 9, 11)])
STREAM_CIRCUIT = frozenset({Unit(1, 2), Unit(1, 3)})
# Of the symbolic stream.
BLOCKS = 2
# How strongly the second block writes.
WRITTEN = 2


def below(centre: int) -> MLP:
    """The layer below as a net: |x - p|."""
    return shallow([([1], -centre, [1]), ([-1], centre, [1])], [0])


def above(net: MLP, centre: int) -> MLP:
    """The whole net: `net`, of one input, on the outputs of the layer below."""
    first, out = below(centre).layers
    second, last = net.layers
    joined = [[w[0] * a for a in out.weights[0]] for w in second.weights]
    return MLP((first, Affine(joined, second.bias), last))


def featured(data: Dataset, centre: int) -> Dataset:
    """The data as the last layer reads them."""
    return Dataset(below(centre).outputs(data.inputs), data.targets)


def _reads(data: Dataset, centre: int) -> Fact:
    """That the layer below puts out these features: as answers, it fits them."""
    return facts.loss_at_floor(below(centre), Dataset(data.inputs, featured(data, centre).inputs))


def last_layer(units: int) -> Evidence:
    """The least of certified minimisers, one for each p: its circuits pay, with their means in their places."""
    minima = {p: global_minimum(featured(FEATURED, p), units) for p in CENTRES}
    best = min(CENTRES, key=lambda p: minima[p].loss)
    parts: list[Fact] = []
    compared: list[Any] = []
    for p, minimum in minima.items():
        data = featured(FEATURED, p)
        parts += [
            _reads(FEATURED, p),
            facts.minimal(minimum, data),
            facts.loss_above_floor(minimum.net, data),
            facts.loss_above_floor(above(minimum.net, p), FEATURED),
        ]
        # The whole net has the loss of its last layer on the features.
        compared.append(((1, len(parts) - 2, "loss"), "=", (1, len(parts) - 1, "loss")))
    at = 4 * CENTRES.index(best) + 3
    compared += [((1, at, "loss"), "<=", (1, 4 * k + 3, "loss")) for k in range(len(CENTRES))]
    net, data = minima[best].net, featured(FEATURED, best)
    for circuit in (set(c) for k in range(1, units + 1) for c in combinations(hidden_units(net), k)):
        paid, _ = rent(net, circuit, mean_sent(net, circuit, data), data)["facts"]
        compared.append((0, "<", (1, len(parts), "rent")))
        parts.append(paid)
    return Evidence(facts.every(*parts, compared=compared))


def confused() -> Evidence:
    """A minimiser that is above the E of the inputs, at that of the features, and keeps an idle unit."""
    centre = CENTRES[-1]
    data = featured(CONFUSING, centre)
    # |x - 2| is 1, 0, 1: the mean of the outer answers and the middle one; the second unit is silent.
    net = shallow([([1], 0, [2]), ([-1], -1, [1])], [0])
    whole = above(net, centre)
    idle = facts.idle(whole, {Unit(2, 1)}, CONFUSING.inputs)
    parts = _reads(CONFUSING, centre), facts.loss_at_floor(net, data), facts.loss_above_floor(whole, CONFUSING), idle
    return Evidence(facts.every(*parts), holds=False)


def stream(reading: Sequence[int]) -> MLP:
    """Two residual blocks on a stream (s1, s2) that begins at (x, 0), as a net of ReLU layers.

    The first block has relu(x - 1), which writes (-2, 0), and the circuit relu(x + 1), relu(5 - x), each of which
    writes (1, 1/2). The second has relu(reading . s - 5), which writes (WRITTEN, 0). What a block leaves as it is goes
    through a unit of weight 1, which changes nothing where the stream is not negative. The output is s1 + s2.
    """
    s1, s2 = vector([1, -2, 1, 1]), vector([0, 0, "1/2", "1/2"])
    read = [reading[0] * a + reading[1] * b for a, b in zip(s1, s2, strict=True)]
    return MLP(
        (
            Affine([[1], [1], [1], [-1]], [0, -1, 1, 5]),
            Affine([s1, s2, read], [0, 0, -5]),
            Affine([[1, 1, WRITTEN]], [0]),
        )
    )


def reused(net: MLP, data: Dataset, reading: Sequence[int]) -> tuple[MLP, Fraction]:
    """One unit of the circuit reused along the second coordinate as (iv) says, and what it should gain in L."""
    value = idle_value(net, STREAM_CIRCUIT, data.inputs)
    if value is None:
        raise ValueError("the circuit is not idle")
    cut = hardcode(net, STREAM_CIRCUIT, value)
    unit = separating_unit([group.input for group in data.groups], residual_sums(cut, data))
    if unit is None:
        raise ValueError("the residuals sum to 0 on every group")
    phi = [relu(inner(unit.weights, z) + unit.bias) for z in data.inputs]
    s, q = inner(phi, [r for (r,) in data.residuals(cut)]), inner(phi, phi)
    freed = min(STREAM_CIRCUIT)
    # It writes along the direction alone; whoever reads the direction sees it.
    return reassign(cut, {freed: (unit.weights, unit.bias, [0, s / q, reading[1] * s / q])}), s * s / q / len(data)


def blind_stream() -> Evidence:
    """The second block reads s1 alone: the loss falls by exactly what (iv) says."""
    net = stream((1, 0))
    after, gain = reused(net, STREAM_DATA, (1, 0))
    idle = facts.idle(net, STREAM_CIRCUIT, STREAM_DATA.inputs)
    return Evidence(facts.every(idle, facts.lower_loss(net, after, STREAM_DATA, gain, circuit=STREAM_CIRCUIT)))


def reads_the_direction() -> Evidence:
    """The second block reads s1 + s2: the loss rises."""
    net = stream((1, 1))
    after, _ = reused(net, STREAM_DATA, (1, 1))
    idle = facts.idle(net, STREAM_CIRCUIT, STREAM_DATA.inputs)
    return Evidence(facts.every(idle, facts.lower_loss(after, net, STREAM_DATA)), holds=False)


def skip(*, blind: bool = True) -> Query:
    """A stream of two coordinates: what is added to both passes blocks that read a multiple of their difference."""
    script = Script(
        "QF_NRA", f"{BLOCKS} residual blocks of one unit, with all parameters, the stream and the addend unknown"
    )
    start, t = script.reals("h", 2), script.real("t")
    blocks = []
    for k in range(BLOCKS):
        w = script.real(f"w{k}")
        other = mul(-1, w) if blind else script.real(f"u{k}")
        blocks.append(((w, other), script.real(f"b{k}"), script.reals(f"a{k}", 2)))

    def through(name: str, stream: list[Term]) -> list[Term]:
        for k, (weights, bias, out) in enumerate(blocks):
            unit = script.define(f"{name}{k}", f"(relu {add(dot(weights, stream), bias)})")
            stream = [add(x, mul(unit, o)) for x, o in zip(stream, out, strict=True)]
        return stream

    bare, moved = through("bare", start), through("moved", [add(x, t) for x in start])
    script.decide("claim_fails", any_of(distinct(y, add(x, t)) for x, y in zip(bare, moved, strict=True)))
    return Query(script)

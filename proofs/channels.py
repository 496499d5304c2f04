"""Queries and evidence for layers whose weights are shared: a channel is a unit at several positions.

The convolutions here have one dimension, stride 1 and kernels of odd width.
"""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import product

from proof_of_absence.checker.construct.separating_unit import separating_unit
from proof_of_absence.checker.kernel.obligation import Evidence, Query
from proof_of_absence.checker.kernel.smt import Script, Term, add, any_of, distinct, eq, le, lt, mul, square, sub
from proof_of_absence.checker.numbers.linear_algebra import inner
from proof_of_absence.models.circuit import Unit, hardcode, idle_value
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.layers import Affine
from proof_of_absence.models.net import MLP, relu
from proof_of_absence.models.rational import Vector, vector
from proof_of_absence.proofs import facts

__all__ = [
    "CHANNELS",
    "INPUTS",
    "POOLED_DATA",
    "POSITIONS",
    "WIDTH",
    "WINDOW",
    "cut_channel",
    "cut_reader",
    "drop_from_window",
    "mirrored",
    "other_unit",
    "reused_channel",
]

# Of the symbolic reader: it reads so many channels at so many positions; the last channel is the idle one.
CHANNELS, POSITIONS, WIDTH = 2, 4, 3
# Units of a max-pooling window beside the idle one.
WINDOW = 3

# A net on sequences of numbers from 0 to 2. Its second channel sees three neighbours sum to more than 6.
INPUTS = tuple(vector(z) for z in product(range(3), repeat=POSITIONS))
FIRST = ((((1, -1, 1),), 0), (((1, 1, 1),), -6))
SECOND = ((((1, 2, -1), (3, 1, -2)), -1), (((-1, 1, 2), (1, -1, 1)), 0))

# Sequences of three numbers, which a kernel of one number reads at each position; the second channel is silent.
POOLED_DATA = Dataset([(0, 1, 3), (2, 0, 1), (1, 1, 2), (3, 2, 0)], [[2], [0], [1], [3]])
ONE_HOT = [[int(i == j) for j in range(3)] for i in range(3)]
POOLED = MLP((Affine(ONE_HOT * 2, [0, 0, 0, -9, -9, -9]), Affine([["1/3"] * 3 + ["2/3"] * 3], [0])))
POOLED_CIRCUIT = frozenset(Unit(1, 3 + position) for position in range(3))


def read(positions: int, width: int, pad: int) -> Iterator[list[tuple[int, int]]]:
    """For each position of the reader, which positions it reads with which entry of the kernel: (entry, position)."""
    for start in range(-pad, positions + pad - width + 1):
        yield [(k, start + k) for k in range(width) if 0 <= start + k < positions]


def cut_reader(pad: int, value: Term | int, *, where: Sequence[int] = range(POSITIONS)) -> Query:
    """A channel that is `value` at the positions `where`: its kernel can be 0, what it sends added to the bias."""
    script = Script("QF_NRA", f"A reader of {CHANNELS} channels at {POSITIONS} positions, with padding of {pad}")
    kernels = [script.reals(f"w{c}", WIDTH) for c in range(CHANNELS)]
    values = [script.reals(f"x{c}", POSITIONS) for c in range(CHANNELS)]
    bias = script.real("b")
    if isinstance(value, str):
        script.real(value)
    for position in where:
        script.premise(eq(values[-1][position], value))
    folded = add(bias, *(mul(w, value) for w in kernels[-1]))
    apart = []
    for reads in read(POSITIONS, WIDTH, pad):
        sent = [add(*(mul(w[k], x[p]) for k, p in reads)) for w, x in zip(kernels, values, strict=True)]
        apart.append(distinct(add(bias, *sent), add(folded, *sent[:-1])))
    script.decide("claim_fails", any_of(apart))
    return Query(script)


def _greatest(script: Script, terms: Sequence[Term], name: str) -> Term:
    top = terms[0]
    for k, term in enumerate(terms[1:]):
        top = script.define(f"{name}{k}", f"(ite (<= {top} {term}) {term} {top})")
    return top


def drop_from_window(value: Term | int) -> Query:
    """A unit that is `value` can be left out of a window whose other units are at least 0."""
    script = Script("QF_LRA", f"Max-pooling over {WINDOW} units that are not negative, and one more")
    others = script.reals("t", WINDOW)
    for term in others:
        script.premise(le(0, term))
    idle = script.define("idle", value) if isinstance(value, int) else script.real(value)
    whole = _greatest(script, [idle, *others], "whole")
    script.decide("claim_fails", distinct(whole, _greatest(script, others, "rest")))
    return Query(script)


def other_unit() -> Query:
    """A unit whose weights in affine readers are 0 may do anything, though a max-pooling window reads it."""
    script = Script("QF_LRA", "The greatest of a unit that is cut from its affine readers, and another")
    unit, changed, other = (script.real(name) for name in ("unit", "changed", "other"))
    script.decide("claim_fails", distinct(*(_greatest(script, [u, other], u + "_") for u in (unit, changed))))
    return Query(script)


def convolution(channels: Sequence[tuple[Sequence[Sequence[int]], int]], positions: int) -> Affine:
    """The dense layer of a convolution that keeps the length: a kernel for each channel read, and a bias, by channel.

    Values are read and put out channel by channel.
    """
    rows, biases = [], []
    for kernels, bias in channels:
        for reads in read(positions, len(kernels[0]), len(kernels[0]) // 2):
            row = [[0] * positions for _ in kernels]
            for channel, (k, position) in product(range(len(kernels)), reads):
                row[channel][position] = kernels[channel][k]
            rows.append([entry for part in row for entry in part])
            biases.append(bias)
    return Affine(rows, biases)


def _net(second: Sequence[tuple[Sequence[Sequence[int]], int]]) -> MLP:
    # The outputs are two sums over the second convolution's units, with other weights at each position.
    weights = [[1] * POSITIONS + [-1] * POSITIONS, list(range(2 * POSITIONS))]
    return MLP((convolution(FIRST, POSITIONS), convolution(second, POSITIONS), Affine(weights, [0, 1])))


def cut_channel(channel: int) -> Evidence:
    """Two convolutions with padding: the second reads a channel of the first no more, and its biases stay.

    The last channel is 0 at all positions on the inputs. The first is so at the first position alone, on the inputs
    that begin with two zeros.
    """
    cut = [([(0,) * WIDTH if c == channel else w for c, w in enumerate(kernels)], bias) for kernels, bias in SECOND]
    net, after = _net(SECOND), _net(cut)
    inputs = [z for z in INPUTS if channel or not any(z[:2])]
    circuit = {Unit(1, channel * POSITIONS + position) for position in range(POSITIONS if channel else 1)}
    same = facts.compare_outputs(net, after, inputs)
    return Evidence(facts.every(facts.idle(net, circuit, inputs), same), holds=same["kind"] == "same-outputs")


def reused_channel() -> Evidence:
    """A silent channel that is averaged over positions, reused: the loss falls by exactly what its unit gains."""
    data, positions = POOLED_DATA, range(3)
    value = idle_value(POOLED, POOLED_CIRCUIT, data.inputs)
    if value is None:
        raise ValueError("the channel is not idle")
    cut = hardcode(POOLED, POOLED_CIRCUIT, value)
    residuals = [r for (r,) in data.residuals(cut)]
    sums: dict[Vector, Fraction] = {}
    for z, r in zip(data.inputs, residuals, strict=True):
        for number in z:
            sums[(number,)] = sums.get((number,), Fraction(0)) + r / 3
    unit = separating_unit(list(sums), [(s,) for s in sums.values()])
    if unit is None:
        raise ValueError("the residuals sum to 0 over every patch")
    (w,), b = unit.weights, unit.bias
    phi = [sum((relu(w * number + b) for number in z), start=Fraction(0)) / 3 for z in data.inputs]
    s, q = inner(phi, residuals), inner(phi, phi)
    first, last = cut.layers
    rows = [row if j < 3 else tuple(w * int(p == j - 3) for p in positions) for j, row in enumerate(first.weights)]
    after = MLP(
        (
            Affine(rows, [*first.bias[:3], b, b, b]),
            Affine([[*last.weights[0][:3], *[s / q / 3] * 3]], last.bias),
        )
    )
    lower = facts.lower_loss(POOLED, after, data, s * s / q / len(data), circuit=POOLED_CIRCUIT)
    return Evidence(facts.every(facts.idle(POOLED, POOLED_CIRCUIT, data.inputs), lower))


def mirrored() -> Query:
    """Some channel, averaged, has a lower loss at (0, 1) and (1, 0), with answers 1 and -1, than the function 0."""
    script = Script("QF_NRA", "Two inputs with the same patches at other positions, and other answers")
    w, b, a, c = (script.real(name) for name in "wbac")
    terms = []
    for k, (z, y) in enumerate((((0, 1), 1), ((1, 0), -1))):
        pooled = script.define(f"pooled{k}", add(*(f"(relu {add(mul(w, t), b)})" for t in z)))
        terms.append(square(sub(add(c, mul(a, pooled)), y)))
    script.decide("claim_holds", lt(add(*terms), 2))
    return Query(script)

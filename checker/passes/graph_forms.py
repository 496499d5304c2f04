"""What an entry of a graph computes over a box, with its bends left standing: an affine form in pieces that are ReLUs.

A piece is named (node, entry, part). Bends whose side the bounds over the box tell are no pieces: only what is open is.
"""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from math import prod
from typing import NamedTuple, TypeAlias, assert_never

import numpy as np

from proof_of_absence.checker.numbers.deadline import looking
from proof_of_absence.checker.passes.graph_intervals import Span
from proof_of_absence.checker.passes.graph_reads import reads
from proof_of_absence.checker.passes.graph_rows import rows_of, shift_of
from proof_of_absence.models.graph import Graph
from proof_of_absence.models.graph_layers import (
    BatchNorm,
    Clip,
    GraphLayer,
    LeakyRelu,
    MaxPool,
    Relu,
)

__all__ = ["Form", "Forms", "Limits", "Piece", "TooLarge", "forms_of", "surely_constant"]

# Piece (0, i, 0) is how far input i lies above its least value in the box.
Piece: TypeAlias = tuple[int, int, int]
ON, OFF, OPEN = 1, -1, 0
# A side counts as told if the bound is off the corner by these parts of the span, and of the greatest number in the
# value: the checker's own bounds, which are rounded otherwise, then tell it too.
MARGIN, SHARE = 2.0**-20, 2.0**-30
ROOT = "a BatchNorm below it has a root that is not rational"


class TooLarge(ValueError):
    """What an entry rests on is not to be written as forms: the message says why."""


class Form(NamedTuple):
    """The sum of pieces, each times its number, and a constant; no number is 0."""

    terms: dict[Piece, Fraction]
    constant: Fraction


class Forms(NamedTuple):
    """The form of an entry, and for each piece the form whose ReLU it is, those that come first first.

    `multiples` are the others that are open: ReLUs of multiples of such forms.
    """

    form: Form
    pieces: dict[Piece, Form]
    multiples: tuple[Piece, ...] = ()


class Limits(NamedTuple):
    """The most pieces, and the most numbers in all forms together."""

    pieces: int
    numbers: int


def forms_of(
    graph: Graph, low: Sequence[Fraction], high: Sequence[Fraction], spans: Sequence[Span], node: int, entry: int,
    limits: Limits,
) -> Forms:  # fmt: skip
    """The form of an entry of a node's value over the box from `low` to `high`, exactly.

    Parameters
    ----------
    spans
        Of the input and of every node over the box, as `bounded` has them.

    Raises
    ------
    TooLarge
        If there are more pieces or numbers than the limits, or a root below it is not rational.

    Notes
    -----
    A leaky ReLU of slope s is ``s h + (1 - s) relu(h)``, a clip ``low + relu(h - low) - relu(h - high)``. The greatest
    of several is that of their two halves, a and b: ``a + relu(b - a)``, whose part is where the second half begins.
    Pieces whose forms are multiples of each other are one piece, the first of them.

    Examples
    --------
    >>> from proof_of_absence.checker.passes.graph_bounds import bounded
    >>> from proof_of_absence.models.graph import Node
    >>> from proof_of_absence.models.graph_layers import Dense
    >>> net = Graph((1,), [Node(Dense([[1.0], [-1.0]], [-1.0, 5.0]), (0,)), Node(Relu(), (1,)),
    ...                    Node(Dense([[1.0, 1.0]], [0.0]), (2,))])
    >>> box = Span(np.zeros(1), np.full(1, 2.0))
    >>> found = forms_of(net, [Fraction(0)], [Fraction(2)], bounded(net, box), 3, 0, Limits(10, 100))
    >>> sorted(found.form.terms.items()), found.form.constant
    ([((0, 0, 0), Fraction(-1, 1)), ((2, 0, 0), Fraction(1, 1))], Fraction(5, 1))
    >>> found.pieces
    {(2, 0, 0): Form(terms={(0, 0, 0): Fraction(1, 1)}, constant=Fraction(-1, 1))}
    """
    needed = _needed(graph, spans, node, entry, limits.pieces)
    work = _Work(graph, spans, low, high, limits.numbers)
    for number in looking(range(node + 1)):
        if number in needed:
            work.add(number, np.flatnonzero(needed[number]))
    return Forms(work.forms[node][entry], work.pieces, tuple(work.multiples))


def surely_constant(graph: Graph, spans: Sequence[Span], node: int, entries: Sequence[int]) -> list[bool]:
    """Whether each of these entries of an activation is constant over the box, by bounds that leave room for others.

    What is not surely so may still be, where what the activation reads comes close to where it bends.
    """
    sides = _Sides(graph, spans, node)
    return [sides.flat(entry) for entry in entries]


def _corners(layer: Relu | LeakyRelu | Clip) -> list[Fraction | None]:
    """Where an activation bends, by part; None where a clip has no such end."""
    match layer:
        case Relu() | LeakyRelu():
            return [Fraction(0)]
        case Clip(low=low, high=high):
            return [low, high]
        case _:
            assert_never(layer)


class _Sides:
    """What bounds tell of the pieces of one node."""

    def __init__(self, graph: Graph, spans: Sequence[Span], number: int):
        node = graph.nodes[number - 1]
        self.layer, self.shape = node.layer, graph.shapes[node.reads[0]]
        span = spans[node.reads[0]]
        self.low, self.high = span.low.tolist(), span.high.tolist()
        self.room = SHARE * max(float(np.nan_to_num(span.size, posinf=0).max()), 2.0**-500)
        if isinstance(self.layer, MaxPool):
            self.windows = self.layer.window.index(self.shape[1:])

    def of(self, entry: int, corner: Fraction) -> int:
        """On which side of a corner what an activation reads is."""
        low, high = self.low[entry], self.high[entry]
        if not np.isfinite([low, high]).all():
            return OPEN
        room = Fraction(MARGIN * max(abs(low), abs(high)) + self.room)
        return ON if Fraction(low) >= corner + room else OFF if Fraction(high) <= corner - room else OPEN

    def flat(self, entry: int) -> bool:
        """Whether the activation is constant there, whatever it reads."""
        match self.layer:
            case Relu():
                return self.of(entry, Fraction(0)) == OFF
            case LeakyRelu(slope=slope):
                return slope == 0 and self.of(entry, Fraction(0)) == OFF
            case Clip(low=low, high=high):
                under = low is not None and self.of(entry, low) == OFF
                return under or (high is not None and self.of(entry, high) == ON)
            case _:
                return False

    def read(self, entry: int) -> list[int]:
        """The entries of the value below that one of a pool reads, in order."""
        channel, position = divmod(entry, len(self.windows))
        start = channel * prod(self.shape[1:])
        return [start + place for place in sorted(self.windows[position].tolist()) if place >= 0]

    def greater(self, left: Sequence[int], right: Sequence[int]) -> int:
        """ON if the greatest of the right is no less than that of the left, OFF if it is no greater."""
        least, most = max(self.low[k] for k in right), max(self.high[k] for k in right)
        low, high = max(self.low[k] for k in left), max(self.high[k] for k in left)
        room = MARGIN * max(map(abs, (least, most, low, high))) + self.room
        return ON if least >= high + room else OFF if most <= low - room else OPEN


def _halved(entries: Sequence[int], start: int = 0) -> tuple[Sequence[int], Sequence[int], int]:
    """The two halves of what a pool reads, and the place where the second begins: the part of their piece."""
    middle = (len(entries) + 1) // 2
    return entries[:middle], entries[middle:], start + middle


def _needed(graph: Graph, spans: Sequence[Span], node: int, entry: int, most: int) -> dict[int, np.ndarray]:
    """The entries of all values on which the form rests, masks.

    Raises
    ------
    TooLarge
        If more than so many pieces are open.
    """
    found = {node: np.zeros(graph.sizes[node], dtype=bool)}
    found[node][entry] = True
    count = 0
    for number in looking(range(node, 0, -1)):
        if number not in found:
            continue
        layer, below = graph.nodes[number - 1].layer, graph.nodes[number - 1].reads
        if isinstance(layer, Relu | LeakyRelu | Clip | MaxPool):
            masks, open_ = _through(_Sides(graph, spans, number), found[number], graph.sizes[below[0]])
            count += open_
        else:
            masks = reads(layer, [graph.shapes[k] for k in below], graph.shapes[number], found[number])
        if isinstance(layer, BatchNorm):
            raise TooLarge(ROOT)
        if count > most:
            raise TooLarge(f"it rests on more than {most} bends that bounds leave open")
        for k, mask in zip(below, masks, strict=True):
            if mask.any():
                found[k] = found[k] | mask if k in found else mask
    return found


def _through(sides: _Sides, mask: np.ndarray, size: int) -> tuple[list[np.ndarray], int]:
    """What of the value below a bend is needed, and how many pieces are open there."""
    found, count = np.zeros(size, dtype=bool), 0
    layer = sides.layer
    for entry in np.flatnonzero(mask).tolist():
        if isinstance(layer, MaxPool):
            leaves, open_ = _leaves(sides, sides.read(entry))
            found[leaves] = True
            count += open_
        elif isinstance(layer, Relu | LeakyRelu | Clip) and not sides.flat(entry):
            found[entry] = True
            count += sum(corner is not None and sides.of(entry, corner) == OPEN for corner in _corners(layer))
    return [found], count


def _leaves(sides: _Sides, entries: Sequence[int]) -> tuple[list[int], int]:
    """Of the entries that a pool reads those that may be the greatest, and how many pieces tell which."""
    if len(entries) == 1:
        return list(entries), 0
    left, right, _ = _halved(entries)
    side = sides.greater(left, right)
    if side != OPEN:
        return _leaves(sides, right if side == ON else left)
    (one, few), (other, more) = _leaves(sides, left), _leaves(sides, right)
    return one + other, few + more + 1


class _Work:
    """The forms of the needed entries, node by node."""

    def __init__(
        self, graph: Graph, spans: Sequence[Span], low: Sequence[Fraction], high: Sequence[Fraction], most: int
    ):
        self.graph, self.spans, self.low, self.high, self.left = graph, spans, low, high, most
        self.most = most
        self.forms: dict[int, dict[int, Form]] = {}
        self.pieces: dict[Piece, Form] = {}
        # By their direction the first pieces that have it, and the number that they are it times.
        self.directions: dict[_Direction, tuple[Piece, Fraction]] = {}
        self.multiples: list[Piece] = []

    def add(self, number: int, entries: np.ndarray) -> None:
        """Make the forms of these entries of a value; those below are made."""
        if number == 0:
            self.forms[0] = {int(i): self._input(int(i)) for i in entries}
            return
        layer = self.graph.nodes[number - 1].layer
        match layer:
            case Relu() | LeakyRelu() | Clip():
                sides = _Sides(self.graph, self.spans, number)
                made = {e: self._bent(number, e, layer, sides) for e in entries.tolist()}
            case MaxPool():
                sides = _Sides(self.graph, self.spans, number)
                made = {e: self._greatest(number, e, sides, sides.read(e), 0) for e in entries.tolist()}
            case _:
                made = dict(self._affine(number, layer, entries))
        self.forms[number] = made

    def _input(self, i: int) -> Form:
        return Form({} if self.low[i] == self.high[i] else {(0, i, 0): Fraction(1)}, self.low[i])

    def _affine(self, number: int, layer: GraphLayer, entries: np.ndarray) -> Iterator[tuple[int, Form]]:
        node, shape = self.graph.nodes[number - 1], self.graph.shapes[number]
        below = [self.graph.shapes[k] for k in node.reads]
        parts = [self.forms.get(k, {}) for k in node.reads]
        shift = shift_of(layer, shape)
        for entry, rows in looking(rows_of(layer, entries, below, shape)):
            found = _sum(shift(entry), [(parts[k][flat], c) for k, row in enumerate(rows) for flat, c in row])
            yield entry, self._counted(found, sum(map(len, rows)))

    def _counted(self, form: Form, more: int = 0) -> Form:
        self.left -= len(form.terms) + more + 1
        if self.left < 0:
            raise TooLarge(f"its form takes more than {self.most:,} numbers")
        return form

    def _bent(self, number: int, entry: int, layer: Relu | LeakyRelu | Clip, sides: _Sides) -> Form:
        if sides.flat(entry):
            end = Fraction(0)
            if isinstance(layer, Clip):
                under = layer.low is not None and sides.of(entry, layer.low) == OFF
                end = (layer.low if under else layer.high) or Fraction(0)
            return Form({}, end)
        below = self.forms[self.graph.nodes[number - 1].reads[0]][entry]
        bends = [
            None if corner is None else self._piece((number, entry, part), below, corner, sides.of(entry, corner))
            for part, corner in enumerate(_corners(layer))
        ]
        start = Fraction(0)
        match layer:
            case Relu():
                parts = [(bends[0], Fraction(1))]
            case LeakyRelu(slope=slope):
                parts = [(below, slope), (bends[0], 1 - slope)]
            case Clip(low=low):
                parts = [(bends[0] or below, Fraction(1)), (bends[1], Fraction(-1))]
                start = low or start
            case _:
                assert_never(layer)
        return self._counted(_sum(start, [(form, c) for form, c in parts if form is not None and c]))

    def _piece(self, piece: Piece, below: Form, corner: Fraction, side: int) -> Form:
        """The ReLU of a form less the corner: a piece, if its side is open."""
        if side == OFF:
            return Form({}, Fraction(0))
        moved = Form(below.terms, below.constant - corner)
        if side == ON:
            return moved
        direction, times = _direction(moved)
        first, own = self.directions.setdefault(direction, (piece, times))
        if first == piece:
            self.pieces[piece] = self._counted(moved)
            return Form({piece: Fraction(1)}, Fraction(0))
        self.multiples.append(piece)
        # Of a multiple r of another form p the ReLU is r relu(p), or r (p - relu(p)) where r is negative.
        ratio = times / own
        known = [(Form({first: Fraction(1)}, Fraction(0)), abs(ratio))]
        return _sum(Fraction(0), known if ratio > 0 else [*known, (self.pieces[first], ratio)])

    def _greatest(self, number: int, entry: int, sides: _Sides, entries: Sequence[int], start: int) -> Form:
        if len(entries) == 1:
            return self.forms[self.graph.nodes[number - 1].reads[0]][entries[0]]
        left, right, middle = _halved(entries, start)
        side = sides.greater(left, right)
        if side == ON:
            return self._greatest(number, entry, sides, right, middle)
        one = self._greatest(number, entry, sides, left, start)
        if side == OFF:
            return one
        other = self._greatest(number, entry, sides, right, middle)
        apart = _sum(Fraction(0), [(other, Fraction(1)), (one, Fraction(-1))])
        more = self._piece((number, entry, middle), apart, Fraction(0), OPEN)
        return self._counted(_sum(Fraction(0), [(one, Fraction(1)), (more, Fraction(1))]))


# The pieces of a form with their numbers, of which the first is 1, and the constant.
_Direction: TypeAlias = tuple[tuple[tuple[Piece, Fraction], ...], Fraction]


def _direction(form: Form) -> tuple[_Direction, Fraction]:
    """A form up to a factor, and the factor."""
    terms = sorted(form.terms.items())
    times = terms[0][1] if terms else form.constant or Fraction(1)
    return (tuple((piece, c / times) for piece, c in terms), form.constant / times), times


def _sum(constant: Fraction, parts: Sequence[tuple[Form, Fraction]]) -> Form:
    terms: dict[Piece, Fraction] = {}
    for form, times in parts:
        constant += times * form.constant
        for piece, c in form.terms.items():
            terms[piece] = terms[piece] + times * c if piece in terms else times * c
    return Form({piece: c for piece, c in terms.items() if c}, constant)

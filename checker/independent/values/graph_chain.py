"""The dense chain that an entry of a graph is over a box: of stated pieces, each the ReLU of what the graph says it is.

Piece (0, i, 0) is how far input i lies above its least value. Piece (node, entry, part) is the ReLU of what the
activation reads less its part-th corner; or, of a pool, of the greatest of the second half of what it reads, which
begins at that part, less that of the first. Where an entry bends and is no stated piece, bounds over the box tell the
side; of stated multiples the form is r times a piece's form p: the ReLU is r relu(p), or r (p - relu(p)) where r < 0.

All is affine in the pieces: so it is evaluated where every piece is 0, and where one is 1 and all others are 0.
"""

import math
from collections.abc import Sequence
from fractions import Fraction
from functools import reduce
from math import prod
from typing import Any, NamedTuple

import numpy as np

from proof_of_absence.checker.independent.pause import pausing
from proof_of_absence.checker.independent.refusal import Refused, require
from proof_of_absence.checker.independent.values.graph_exact import Part, common_scale, layer_of, needs, windows
from proof_of_absence.checker.independent.values.graph_lines import Span
from proof_of_absence.checker.independent.values.graphs import Clip, Graph, LeakyRelu, MaxPool, Numbers, Places, Scale
from proof_of_absence.checker.independent.values.nets import Net, Vector
from proof_of_absence.checker.independent.values.roots import Enclosing

ON, OFF, OPEN = 1, -1, 0
# Numbers of all forms together; no chain of the audit has as many.
LARGEST = 2**24

Piece = tuple[int, int, int]
# A constant and numbers by the place of each piece, as values at points.
Values = list[Fraction]


class Chain(NamedTuple):
    """A net with one output, which is the entry less the constant on the box; `low` and `high` are its own box."""

    net: Net
    low: Vector
    high: Vector
    constant: Fraction


def chain_of(
    graph: Graph, box: tuple[Vector, Vector], found: Sequence[Span], node: int, entry: int, stated: Any
) -> Chain:
    """The chain of the stated inputs and layers, for an entry of a node; `found` are the spans of all values."""
    inputs, layers, multiples = _stated(graph, node, stated)
    return _Derived(graph, box, found, inputs, layers, multiples).chain(node, entry)


def _stated(graph: Graph, node: int, stated: Any) -> tuple[list[int], list[list[Piece]], list[Piece]]:
    multiples = [tuple(piece) for piece in stated["multiples"]]
    inputs, layers = stated["inputs"], [[tuple(piece) for piece in layer] for layer in stated["layers"]]
    require(bool(inputs) and bool(layers) and all(layers), "a chain has no inputs, or a layer without units")
    for i in inputs:
        graph.entry(0, i)
    for piece in (piece for layer in (*layers, multiples) for piece in layer):
        require(len(piece) == 3 and all(type(k) is int and k >= 0 for k in piece), f"{piece} is no piece")
        require(piece[0] <= node, f"piece {piece} is of a later node")
        graph.entry(piece[0], piece[1])
    require(all(len(set(names)) == len(names) for names in (inputs, multiples, *layers)), "a piece is named twice")
    return inputs, layers, multiples


class _Derived:
    """The graph's forms in the pieces that a chain states."""

    def __init__(
        self, graph: Graph, box: tuple[Vector, Vector], found: Sequence[Span],
        inputs: list[int], layers: list[list[Piece]], multiples: list[Piece],
    ):  # fmt: skip
        self.graph, self.found, self.inputs, self.layers = graph, found, inputs, layers
        self.low, self.high = box
        self.named = {piece for layer in layers for piece in layer if piece[0]}
        # No bounds are asked of these.
        self.open = {*self.named, *multiples}
        # Row 0 is where every piece is 0.
        self.rows = dict[Piece, int]()
        self.forms: dict[Piece, Values] = {}
        # A piece of each direction, and the number that its form is the direction times.
        self.directions: dict[tuple[Fraction, ...], tuple[Piece, Fraction]] = {}

    def chain(self, node: int, entry: int) -> Chain:
        """The chain for an entry, from the form of it and of each piece."""
        form = self._evaluated(node, entry)
        missing = [piece for piece in self.named if piece not in self.forms]
        require(not missing, f"the entry does not rest on piece {missing[0] if missing else ()}")
        made, below = [], [(0, i, 0) for i in self.inputs]
        for number, pieces in enumerate(self.layers):
            made.append(self._layer(pieces, below, first=number == 0))
            below = pieces
        weights, constant = self._along(form, below, "the entry")
        made.append(([weights], [Fraction(0)]))
        low, high = ([end[i] for i in self.inputs] for end in (self.low, self.high))
        return Chain(Net.of(made), low, high, constant)

    def _layer(self, pieces: list[Piece], below: list[Piece], *, first: bool) -> tuple[list[Vector], Vector]:
        rows, biases = [], []
        for piece in pieces:
            carried = not piece[0] if first else piece in below
            if carried:
                require(piece in below, f"piece {piece} is not there to be carried")
                weights, bias = [Fraction(int(other == piece)) for other in below], Fraction(0)
            else:
                require(piece in self.forms, f"piece {piece} has no form")
                weights, bias = self._along(self.forms[piece], below, f"piece {piece}")
            if first:
                # Forms are in how far the inputs lie above their least values.
                bias -= sum((w * self.low[i] for w, (_, i, _) in zip(weights, below, strict=True)), Fraction(0))
            rows.append(weights)
            biases.append(bias)
        return rows, biases

    def _along(self, form: Values, below: list[Piece], name: str) -> tuple[Vector, Fraction]:
        """The form as numbers of the pieces of the layer below, and its constant; none of another piece is left."""
        constant, places = form[0], {self.rows[piece] for piece in below}
        away = [row for row, x in enumerate(form) if x != constant and row not in places]
        require(not away, f"{name} reads a piece that the layer below does not hold")
        return [form[self.rows[piece]] - constant for piece in below], constant

    def _evaluated(self, node: int, entry: int) -> Values:
        wanted = self._wanted(node, entry)
        # Inputs that the chain does not state may still cancel.
        read = {*self.inputs, *wanted.get(0, np.zeros(0, np.int64)).tolist()}
        names = [*((0, i, 0) for i in sorted(read)), *sorted(self.named)]
        self.rows = {piece: row for row, piece in enumerate(names, 1)}
        require((1 + len(self.rows)) * sum(map(len, wanted.values())) <= LARGEST, "a chain of too many numbers")
        parts, nothing = dict[int, Part](), Part(np.zeros(0, np.int64), self._rows(0), Fraction(1))
        for number in pausing(sorted(wanted)):
            entries = wanted[number]
            if not number:
                parts[0] = self._input(entries)
                continue
            layer, reads = self.graph.nodes[number - 1].layer, self.graph.nodes[number - 1].reads
            below = [parts.get(k, nothing) for k in reads]
            if isinstance(layer, LeakyRelu | Clip | MaxPool):
                parts[number] = self._bent(number, layer, entries, below[0])
                continue
            whole, scale = layer_of(self.graph, number, entries, below, Enclosing(0))
            parts[number] = Part(entries, whole, scale)
        return _column(parts[node], entry)

    def _wanted(self, node: int, entry: int) -> dict[int, Places]:
        """The entries of all values on which the entry rests: those behind a constant activation are not among them."""
        wanted = {node: np.array([entry])}
        for number in pausing(range(node, 0, -1)):
            if number not in wanted:
                continue
            layer, reads = self.graph.nodes[number - 1].layer, self.graph.nodes[number - 1].reads
            if isinstance(layer, MaxPool):
                leaves = [self._leaves(number, e, self._read(number, layer, e), 0) for e in wanted[number].tolist()]
                found = [np.unique([leaf for some in leaves for leaf in some])]
            elif isinstance(layer, LeakyRelu | Clip):
                found = [np.array([e for e in wanted[number].tolist() if not self._flat(number, layer, e)], np.int64)]
            else:
                found = needs(self.graph, number, wanted[number])
            if isinstance(layer, Scale):
                self._rational(number, layer, wanted[number])
            for k, places in zip(reads, found, strict=True):
                if places.size:
                    wanted[k] = np.union1d(wanted[k], places) if k in wanted else places
        return wanted

    def _rational(self, number: int, layer: Scale, entries: Places) -> None:
        shape = self.graph.shapes[number]
        left = np.broadcast_to(layer.radicand, shape).reshape(-1)[entries]
        require(all(m == 1 for m in left.tolist()), f"a root is left in node {number}")

    def _input(self, entries: Places) -> Part:
        low, high = ([end[i] for i in entries.tolist()] for end in (self.low, self.high))
        scale = reduce(common_scale, [x for x in low if x], Fraction(1))
        whole = self._rows(len(entries)) + np.array([int(x / scale) for x in low], dtype=object)
        for at, i in enumerate(entries.tolist()):
            if low[at] != high[at]:
                whole[self.rows[0, i, 0], at] += int(1 / scale)
        return Part(entries, whole, scale)

    def _rows(self, entries: int) -> Numbers:
        return np.zeros((1 + len(self.rows), entries), dtype=np.int64).astype(object)

    def _bent(self, number: int, layer: LeakyRelu | Clip | MaxPool, entries: Places, below: Part) -> Part:
        """An activation or a pool, entry by entry: the rows as Fractions, then over one scale."""
        columns: list[Values] = []
        for entry in entries.tolist():
            if isinstance(layer, MaxPool):
                columns.append(self._greatest(number, entry, self._read(number, layer, entry), 0, below))
            elif self._flat(number, layer, entry):
                columns.append([self._flat_value(number, layer, entry)] * (1 + len(self.rows)))
            else:
                columns.append(self._turned(number, layer, entry, _column(below, entry)))
        scale = reduce(common_scale, {x for column in columns for x in column if x}, Fraction(1))
        whole = self._rows(len(entries))
        for at, column in enumerate(columns):
            whole[:, at] = [int(x / scale) for x in column]
        return Part(entries, whole, scale)

    def _turned(self, number: int, layer: LeakyRelu | Clip, entry: int, h: Values) -> Values:
        """A leaky ReLU is slope h + (1 - slope) relu(h); a clip low + relu(h - low) - relu(h - high)."""
        if isinstance(layer, LeakyRelu):
            above = self._piece((number, entry, 0), h, Fraction(0), self._side(number, entry, Fraction(0)))
            return [layer.slope * x + (1 - layer.slope) * y for x, y in zip(h, above, strict=True)]
        if layer.low is not None:
            lifted = self._piece((number, entry, 0), h, layer.low, self._side(number, entry, layer.low))
            h_over = [layer.low + x for x in lifted]
        else:
            h_over = h
        if layer.high is None:
            return h_over
        cut = self._piece((number, entry, 1), h, layer.high, self._side(number, entry, layer.high))
        return [x - y for x, y in zip(h_over, cut, strict=True)]

    def _piece(self, piece: Piece, h: Values, corner: Fraction, side: int) -> Values:
        """The ReLU of h less the corner: the piece if it is stated, else by its side."""
        moved = [x - corner for x in h]
        if piece in self.named:
            self.forms[piece] = moved
            direction, times = _direction(moved)
            self.directions.setdefault(direction, (piece, times))
            return self._one(piece)
        if piece not in self.open and side != OPEN:
            return moved if side == ON else [Fraction(0)] * len(h)
        direction, times = _direction(moved)
        require(direction in self.directions, f"the side of piece {piece} is not shown, and it is not in the chain")
        first, own = self.directions[direction]
        ratio = times / own
        less = self.forms[first] if ratio < 0 else [Fraction(0)] * len(h)
        return [abs(ratio) * (x - y) for x, y in zip(self._one(first), less, strict=True)]

    def _one(self, piece: Piece) -> Values:
        own = self.rows[piece]
        return [Fraction(int(row == own)) for row in range(1 + len(self.rows))]

    def _side(self, number: int, entry: int, corner: Fraction) -> int:
        low, high = self._ends(number, entry)
        if low > -math.inf and Fraction(low) >= corner:
            return ON
        return OFF if high < math.inf and Fraction(high) <= corner else OPEN

    def _ends(self, number: int, entry: int) -> tuple[float, float]:
        """The span of an entry of what a node reads first."""
        span = self.found[self.graph.nodes[number - 1].reads[0]]
        return span.low.reshape(-1)[entry].item(), span.high.reshape(-1)[entry].item()

    def _flat(self, number: int, layer: LeakyRelu | Clip, entry: int) -> bool:
        """Whether the activation is surely constant there, and no piece of it is stated."""
        if (number, entry, 0) in self.open or (number, entry, 1) in self.open:
            return False
        if isinstance(layer, LeakyRelu):
            return layer.slope == 0 and self._side(number, entry, Fraction(0)) == OFF
        under = layer.low is not None and self._side(number, entry, layer.low) == OFF
        return under or (layer.high is not None and self._side(number, entry, layer.high) == ON)

    def _flat_value(self, number: int, layer: LeakyRelu | Clip, entry: int) -> Fraction:
        if isinstance(layer, LeakyRelu):
            return Fraction(0)
        under = layer.low is not None and self._side(number, entry, layer.low) == OFF
        return (layer.low if under else layer.high) or Fraction(0)

    def _read(self, number: int, layer: MaxPool, entry: int) -> list[int]:
        """The entries that one of a pool reads, in order."""
        below = self.graph.shapes[self.graph.nodes[number - 1].reads[0]]
        channel, position = divmod(entry, prod(layer.window.counts))
        seen = windows(layer.window, np.array([position]), below[1:])
        return sorted(channel * prod(below[1:]) + int(flat[0]) for flat, inside in seen if inside[0])

    def _halves(self, number: int, entry: int, read: list[int], start: int) -> tuple[list[int], list[int], int, int]:
        """The halves of what is read, where the second begins, and which one surely holds the greatest."""
        middle = (len(read) + 1) // 2
        left, right = read[:middle], read[middle:]
        if (number, entry, start + middle) in self.open:
            return left, right, start + middle, OPEN
        (low, high), (least, most) = (
            tuple(max(ends) for ends in zip(*(self._ends(number, k) for k in half), strict=True))
            for half in (left, right)
        )
        return left, right, start + middle, ON if least >= high else OFF if most <= low else OPEN

    def _leaves(self, number: int, entry: int, read: list[int], start: int) -> list[int]:
        if len(read) == 1:
            return read
        left, right, middle, side = self._halves(number, entry, read, start)
        one = self._leaves(number, entry, left, start) if side != ON else []
        return one + (self._leaves(number, entry, right, middle) if side != OFF else [])

    def _greatest(self, number: int, entry: int, read: list[int], start: int, below: Part) -> Values:
        """The greatest of the first half and, if it is more, what the second half's is above it."""
        if len(read) == 1:
            return _column(below, read[0])
        left, right, middle, side = self._halves(number, entry, read, start)
        if side == ON:
            return self._greatest(number, entry, right, middle, below)
        one = self._greatest(number, entry, left, start, below)
        if side == OFF:
            return one
        other = self._greatest(number, entry, right, middle, below)
        apart = [y - x for x, y in zip(one, other, strict=True)]
        more = self._piece((number, entry, middle), apart, Fraction(0), OPEN)
        return [x + y for x, y in zip(one, more, strict=True)]


def _direction(form: Values) -> tuple[tuple[Fraction, ...], Fraction]:
    """A form up to a factor, and the factor: the first number of a piece, or else the constant."""
    constant, *rest = form
    numbers = [x - constant for x in rest]
    times = next((x for x in numbers if x), constant or Fraction(1))
    return (constant / times, *(x / times for x in numbers)), times


def _column(part: Part, entry: int) -> Values:
    """What an entry of a value is in each row."""
    numbers: list[Any] = part.of(np.array([entry]))[:, 0].tolist()
    if not all(isinstance(x, int) for x in numbers):
        raise Refused("a root is left")
    return [x * part.scale for x in numbers]

"""An entry of a graph over a box as the output of a dense chain: a layer of ReLUs for each depth of its pieces.

What a later layer reads is carried there: a piece is not negative, and the ReLU of such a number is that number.
"""

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from math import lcm
from typing import NamedTuple

import numpy as np

from proof_of_absence.checker.passes.graph_forms import Form, Forms, Piece, TooLarge
from proof_of_absence.models.floatnet import FloatNet
from proof_of_absence.models.layers import FloatAffine, FloatLayer, RationalAffine

__all__ = ["Chain", "chain_of"]


class Chain(NamedTuple):
    """A dense chain that is an entry of a graph on the whole box.

    Attributes
    ----------
    inputs
        The entries of the graph's input that it reads, in order.
    layers
        For each hidden layer the pieces that its units are, in order.
    net
        One output: what it reads from the last hidden layer is the entry less `constant`.
    multiples
        What bends too, as a multiple of a piece does.
    """

    inputs: tuple[int, ...]
    layers: tuple[tuple[Piece, ...], ...]
    net: FloatNet
    constant: Fraction
    multiples: tuple[Piece, ...] = ()

    def carried(self) -> list[tuple[tuple[int, int], tuple[int, int] | None]]:
        """The units that carry what a unit below sends, with the first unit to send it; None for inputs."""
        found: list[tuple[tuple[int, int], tuple[int, int] | None]] = []
        first = dict[Piece, tuple[int, int]]()
        for layer, pieces in enumerate(self.layers, 1):
            for index, piece in enumerate(pieces):
                if piece[0] == 0:
                    found.append(((layer, index), None))
                elif piece in first:
                    found.append(((layer, index), first[piece]))
                else:
                    first[piece] = layer, index
        return found


def chain_of(forms: Forms, low: Sequence[Fraction]) -> Chain:
    """The chain of these forms, over a box whose least inputs are these.

    Raises
    ------
    TooLarge
        If a number in it is beyond the normal floats.

    Examples
    --------
    >>> two = Forms(Form({(0, 0, 0): Fraction(-1), (2, 0, 0): Fraction(1)}, Fraction(5)),
    ...             {(2, 0, 0): Form({(0, 0, 0): Fraction(1)}, Fraction(-1))})
    >>> found = chain_of(two, [Fraction(0)])
    >>> found.inputs, found.layers, found.net.exact()([3]), found.constant
    ((0,), (((0, 0, 0), (2, 0, 0)),), (Fraction(4, 1),), Fraction(5, 1))
    """
    layers = _layers(forms)
    used = [forms.pieces[piece] for layer in layers for piece in layer if piece[0]]
    read = {piece[1] for form in used for piece in form.terms if not piece[0]}
    inputs = tuple(sorted(read | {piece[1] for layer in layers for piece in layer if not piece[0]})) or (0,)
    if not any(layers):
        # A constant: the chain carries an input that nothing reads.
        layers = [((0, inputs[0], 0),)]
    made = [_layer([_raised(_row(forms, piece, None), low) for piece in layers[0]], [(0, i, 0) for i in inputs])]
    for below, pieces in pairwise(layers):
        made.append(_layer([_row(forms, piece, below) for piece in pieces], below))
    made.append(_layer([forms.form], layers[-1]))
    return Chain(inputs, tuple(layers), FloatNet(made), forms.form.constant, forms.multiples)


def _layers(forms: Forms) -> list[tuple[Piece, ...]]:
    """For each hidden layer its pieces, own and carried; the form is read from the last one.

    Pieces that cancel are there too: whoever looks at the graph again meets them.
    """
    depth = dict[Piece, int]()
    for piece, form in forms.pieces.items():
        depth[piece] = 1 + max((depth.get(below, 0) for below in form.terms), default=0)
    deepest = max([1, *depth.values()])
    # The last layer in which each piece is to stand.
    last = depth | dict.fromkeys(forms.form.terms, deepest)
    for piece, own in depth.items():
        for below in forms.pieces[piece].terms:
            last[below] = max(last.get(below, 0), own - 1)
    stands = {piece: range(max(1, depth.get(piece, 0)), end + 1) for piece, end in last.items()}
    return [tuple(sorted(p for p, span in stands.items() if m in span)) for m in range(1, deepest + 1)]


def _row(forms: Forms, piece: Piece, below: Iterable[Piece] | None) -> Form:
    """What a unit reads: what it carries, or the form whose ReLU it is."""
    carried = piece[0] == 0 if below is None else piece in set(below)
    return Form({piece: Fraction(1)}, Fraction(0)) if carried else forms.pieces[piece]


def _raised(form: Form, low: Sequence[Fraction]) -> Form:
    """A form in how far inputs lie above their least values as one in the inputs themselves."""
    return Form(form.terms, form.constant - sum((c * low[i] for (_, i, _), c in form.terms.items()), Fraction(0)))


def _layer(rows: Sequence[Form], below: Sequence[Piece]) -> FloatLayer:
    entries = [[*_along(form.terms, below), form.constant] for form in rows]
    common = lcm(*(x.denominator for row in entries for x in row))
    numbers = np.empty((len(entries), len(below) + 1), dtype=object)
    for at, row in enumerate(entries):
        numbers[at] = [x.numerator * (common // x.denominator) for x in row]
    try:
        made = RationalAffine.of(numbers, common)
    except ValueError as error:
        raise TooLarge(f"a number of its chain: {error}") from error
    same = all(
        Fraction(near) == x
        for row, weights, bias in zip(entries, made.near.weights.tolist(), made.near.bias.tolist(), strict=True)
        for near, x in zip([*weights, bias], row, strict=True)
    )
    return FloatAffine(made.near.weights, made.near.bias) if same else made


def _along(terms: Mapping[Piece, Fraction], below: Sequence[Piece]) -> list[Fraction]:
    return [terms.get(piece, Fraction(0)) for piece in below]

"""Nets and datasets as a certificate writes them, evaluated from the definitions."""

import re
from collections.abc import Iterable
from fractions import Fraction
from functools import cached_property
from math import lcm
from operator import mul
from typing import Any

from proof_of_absence.checker.independent.pause import pausing
from proof_of_absence.checker.independent.refusal import Refused, require

Vector = list[Fraction]
Units = set[tuple[int, int]]

# No exponents: they would let a short text ask for an enormous number.
_NUMBER = re.compile(r"-?[0-9]+(/[0-9]+)?")


def number(text: object) -> Fraction:
    """An exact rational, written as text."""
    if not (isinstance(text, str) and _NUMBER.fullmatch(text)):
        raise Refused(f"{text!r} is not an exact number")
    try:
        return Fraction(text)
    except (ValueError, ZeroDivisionError) as error:
        raise Refused(f"{text!r} is not an exact number") from error


def numbers(row: object) -> Vector:
    """A vector."""
    if not isinstance(row, list):
        raise Refused("a vector is missing")
    return [number(entry) for entry in row]


def rows(table: object) -> list[Vector]:
    """A nonempty rectangular matrix."""
    if not (isinstance(table, list) and table):
        raise Refused("a table is missing")
    result = [numbers(row) for row in pausing(table)]
    require(len({len(row) for row in result}) == 1, "a table has rows of different lengths")
    return result


def dot(left: Iterable[Fraction], right: Iterable[Fraction], start: Fraction = Fraction(0)) -> Fraction:
    """`start` plus the inner product of two vectors of one length; the sum is brought to lowest terms once."""
    above, below = start.numerator, start.denominator
    for a, b in zip(left, right, strict=True):
        factor = a.numerator * b.numerator
        if factor:
            under = a.denominator * b.denominator
            if under != below:
                common = lcm(below, under)
                above, factor = above * (common // below), factor * (common // under)
                below = common
            above += factor
    return Fraction(above, below)


def squares(values: Iterable[Fraction]) -> Fraction:
    """The sum of the squares."""
    values = list(values)
    return dot(values, values)


def _cleared(table: list[Vector]) -> tuple[list[list[int]], int]:
    """The table times its common denominator, and that denominator."""
    common = lcm(*(entry.denominator for row in table for entry in row))
    return [[entry.numerator * (common // entry.denominator) for entry in row] for row in pausing(table)], common


class Net:
    """Layers of (weights, bias), as a fact writes them; `of` takes them as exact numbers."""

    def __init__(self, layers: Any):
        require(isinstance(layers, list) and bool(layers), "a net is missing")
        self._take([(rows(layer["weights"]), numbers(layer["bias"])) for layer in layers])

    @classmethod
    def of(cls, layers: list[tuple[list[Vector], Vector]]) -> "Net":
        """The net of these weights, each layer a nonempty rectangular matrix, and biases."""
        net = cls.__new__(cls)
        net._take(layers)
        return net

    def _take(self, layers: list[tuple[list[Vector], Vector]]) -> None:
        self.layers = layers
        for weights, bias in self.layers:
            require(len(weights) == len(bias), "a layer has as many rows as biases")
        for (_, below), (above, _) in zip(self.layers, self.layers[1:], strict=False):
            require(len(above[0]) == len(below), "a layer does not fit the one below")

    @cached_property
    def _integers(self) -> list[tuple[list[list[int]], int]]:
        """Of each layer the rows of weights, each with its bias at the end, and their common denominator."""
        return [_cleared([[*row, b] for row, b in zip(*layer, strict=True)]) for layer in self.layers]

    @property
    def widths(self) -> list[int]:
        """Of the input, the hidden layers and the output."""
        return [len(self.layers[0][0][0]), *(len(bias) for _, bias in self.layers)]

    def values(self, z: Vector) -> list[Vector]:
        """Input, hidden layers after ReLU, output; computed in integers, with one denominator for each of them."""
        require(len(z) == self.widths[0], "an input has the wrong dimension")
        (values,), denominator = _cleared([z])
        result = [z]
        for depth, (layer, own) in enumerate(self._integers, 1):
            values = [sum(map(mul, row, values), row[-1] * denominator) for row in pausing(layer)]
            denominator *= own
            if depth < len(self.layers):
                values = [max(value, 0) for value in values]
            result.append([Fraction(value, denominator) for value in values])
        return result

    def output(self, z: Vector) -> Vector:
        """What the last layer gives."""
        return self.values(z)[-1]

    def idle_value(self, circuit: Units, inputs: Iterable[Vector]) -> dict[tuple[int, int], Fraction]:
        """What the circuit sends at every input; refused if that is not the same at all of them."""
        sent = [self.sent(circuit, z) for z in inputs]
        require(all(values == sent[0] for values in sent), "the circuit is not idle")
        return sent[0]

    def readers(self, circuit: Units) -> set[tuple[int, int]]:
        """The units outside the circuit that are one layer above some of it."""
        above = {layer + 1 for layer, _ in circuit}
        return {(layer, k) for layer in above for k in range(self.widths[layer])} - circuit

    def sent(self, circuit: Units, z: Vector) -> dict[tuple[int, int], Fraction]:
        """What each unit outside the circuit, one layer above some of it, receives from it at z."""
        values = self.values(z)
        members = {layer: [j for at, j in circuit if at == layer] for layer in {at for at, _ in circuit}}
        return {
            (layer + 1, k): dot([row[j] for j in units], [values[layer][j] for j in units])
            for layer, units in members.items()
            for k, row in enumerate(self.layers[layer][0])
            if (layer + 1, k) not in circuit
        }


def circuit(net: Net, units: Any) -> Units:
    """A nonempty set of hidden units of the net."""
    require(bool(units), "the circuit is empty")
    # Before they are a set, where True is 1.
    for layer, index in units:
        require(type(layer) is int and type(index) is int, f"({layer!r}, {index!r}) is not a hidden unit")
        hidden = 1 <= layer < len(net.layers) and 0 <= index < net.widths[layer]
        require(hidden, f"({layer}, {index}) is not a hidden unit")
    return {(layer, index) for layer, index in units}


def differ_only_in(before: Net, after: Net, units: Units) -> None:
    """Refuse unless the nets differ only in the units' parameters and in the biases that read from them."""
    require(before.widths == after.widths, "the architectures differ")
    for layer, ((old, old_bias), (new, new_bias)) in enumerate(zip(before.layers, after.layers, strict=True), 1):
        for k in range(len(old)):
            if (layer, k) in units:
                continue
            same = all(old[k][j] == new[k][j] for j in range(len(old[k])) if (layer - 1, j) not in units)
            require(same, f"a weight of unit ({layer}, {k}) outside the circuit differs")
            reads = any(at == layer - 1 for at, _ in units)
            require(reads or old_bias[k] == new_bias[k], f"the bias of unit ({layer}, {k}) differs")


class Data:
    """Inputs and targets."""

    def __init__(self, data: Any):
        self.inputs, self.targets = rows(data["inputs"]), rows(data["targets"])
        require(len(self.inputs) == len(self.targets), "there are as many inputs as targets")

    def error(self, net: Net) -> Fraction:
        """N times the loss: the sum of squared distances."""
        require(net.widths[-1] == len(self.targets[0]), "the net's outputs do not fit the targets")
        return squares(
            a - b for z, y in zip(self.inputs, self.targets, strict=True) for a, b in zip(net.output(z), y, strict=True)
        )

    def means(self) -> dict[tuple[Fraction, ...], tuple[int, Vector]]:
        """For each distinct input its multiplicity and mean target."""
        found: dict[tuple[Fraction, ...], list[Vector]] = {}
        for z, y in zip(self.inputs, self.targets, strict=True):
            found.setdefault(tuple(z), []).append(y)
        return {z: (len(ys), [sum(c, Fraction(0)) / len(ys) for c in zip(*ys, strict=True)]) for z, ys in found.items()}

    def floor(self) -> Fraction:
        """N times the noise floor."""
        means = self.means()
        return squares(
            a - b
            for z, y in zip(self.inputs, self.targets, strict=True)
            for a, b in zip(means[tuple(z)][1], y, strict=True)
        )

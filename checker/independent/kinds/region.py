"""Irrelevance over a box: each leaf of a tree of cuts and sign splits is empty or thin, or has the circuit constant."""

from collections.abc import Sequence
from fractions import Fraction
from math import lcm
from operator import mul
from typing import Any, NamedTuple

from flint import fmpz, fmpz_mat

from proof_of_absence.checker.independent.pause import pause, pausing
from proof_of_absence.checker.independent.refusal import Refused, require
from proof_of_absence.checker.independent.values import Fact
from proof_of_absence.checker.independent.values.nets import Net, Vector, circuit, number, numbers

ON, OFF, UNKNOWN = 1, -1, 0

Unit = tuple[int, int]
# An affine function of what a layer sends: coefficients by the unit's index.
Form = dict[int, Fraction]
Multipliers = dict[Unit, Fraction]
# Bounds of a pre-activation, each once it is proved, and the slope of the line above its ReLU.
Proved = tuple[Fraction | None, Fraction | None, Fraction]
NOTHING: Proved = (None, None, Fraction(0))


class _Integers(NamedTuple):
    """A layer's weights and biases over one denominator, and the weights as a matrix of flint."""

    rows: list[list[int]]
    biases: list[int]
    scale: int
    matrix: fmpz_mat


class _Line(NamedTuple):
    """A unit's status; a line above its ReLU, in integers; and whether the line below has slope 1 or 0."""

    known: int
    slope: int
    height: int | None
    steep: int


class Prepared:
    """A net, prepared once for many facts about it."""

    def __init__(self, net: Net):
        self.net = net
        self._integers: dict[int, _Integers] = {}
        self._sides: tuple[Any, list[Vector]] | None = None

    def probe(self, layer: int, index: int, sign: int) -> "Prepared":
        """The net up to one hidden unit, times -1 if the sign is ON; what it sends is read by one output, as it is."""
        weights, bias = self.net.layers[layer - 1]
        alone = [[-sign * w for w in weights[index]]], [-sign * bias[index]]
        made = Prepared(Net.of([*self.net.layers[: layer - 1], alone, ([[Fraction(1)]], [Fraction(0)])]))
        made._integers = {below: self.integers(below) for below in range(1, layer)}
        return made

    def sides(self, *written: Any) -> list[Vector]:
        """The lower and the upper ends of a box; those of the last one are kept, which many facts may be about."""
        if self._sides is None or self._sides[0] != written:
            self._sides = written, [numbers(side) for side in written]
        return self._sides[1]

    def integers(self, layer: int) -> _Integers:
        """The weights and biases of a layer, counted from 1."""
        if layer not in self._integers:
            self._integers[layer] = _integers(*self.net.layers[layer - 1])
        return self._integers[layer]


def relevant_at(fact: Fact, known: Prepared | None = None) -> None:
    """At the input, which is in the box, some reader receives something else than the stated constant.

    `known` is the net of the fact, if it was read before.
    """
    box = _Box(fact, known)
    z = numbers(fact["input"])
    require(len(z) == len(box.low), "the input has the wrong dimension")
    require(all(a <= x <= b for x, a, b in zip(z, box.low, box.high, strict=True)), "the input is outside the box")
    require(box.net.sent(box.units, z) != box.value, "the circuit sends the constants there")


def irrelevant_region(fact: Fact, known: Prepared | None = None) -> None:
    """On the whole box every reader receives the stated constant from the circuit.

    `known` is the net of the fact, if it was read before.

    Notes
    -----
    A closed box with an interior is the union of the leaves' closed parts. Those without interior are nowhere dense
    together, so the others are dense, and what a circuit sends is continuous: if it is one constant on the others, it
    is on the box. Coordinates with low = high are constants, and "interior" is among the others. All is exact.
    """
    box = _Box(fact, known)
    _check(box, fact["tree"], box.low, box.high, {}, {})


class _Box:
    """The net, the circuit, the box, the constants."""

    def __init__(self, fact: Fact, known: Prepared | None = None):
        self.known = known or Prepared(Net(fact["net"]))
        self.net = self.known.net
        self.units = circuit(self.net, fact["circuit"])
        self.low, self.high = self.known.sides(fact["low"], fact["high"])
        require(len(self.low) == len(self.high) == self.net.widths[0], "the box does not fit the net")
        require(all(a <= b for a, b in zip(self.low, self.high, strict=True)), "the box is empty")
        self.fixed = {i for i, (a, b) in enumerate(zip(self.low, self.high, strict=True)) if a == b}
        self.value = {(layer, k): number(v) for layer, k, v in fact["value"]}
        require(len(self.value) == len(fact["value"]), "a reader is listed twice")
        # True and 1.0 are other words for 1 in Python, and no numbers of units.
        require(all(type(layer) is int and type(k) is int for layer, k in self.value), "a reader is no unit")
        self.depth = max(layer for layer, _ in self.units)
        require(set(self.value) == self.net.readers(self.units), "the constants are not those of the readers")

    def hidden(self, layer: int, index: int) -> Unit:
        """A unit that the question is about."""
        fits = type(layer) is int and type(index) is int and 1 <= layer <= self.depth
        require(fits and 0 <= index < self.net.widths[layer], f"({layer}, {index}) is no unit of the question")
        return layer, index

    def row(self, unit: Unit) -> tuple[Vector, Fraction]:
        """Its weights and bias."""
        weights, bias = self.net.layers[unit[0] - 1]
        return weights[unit[1]], bias[unit[1]]


def _integers(weights: list[Vector], bias: Vector) -> _Integers:
    scale = lcm(*(w.denominator for row in (*weights, bias) for w in row))
    *rows, biases = [[w.numerator * (scale // w.denominator) for w in row] for row in pausing((*weights, bias))]
    return _Integers(rows, biases, scale, fmpz_mat(rows))


class _Part:
    """What is known on a part of the box: sign conditions of the splits, and bounds that were proved."""

    def __init__(self, box: _Box, low: Vector, high: Vector, signs: dict[Unit, int], bounds: dict[Unit, Proved]):
        self.box, self.low, self.high, self.signs, self.bounds = box, low, high, signs, bounds
        self.tables: dict[int, tuple[list[_Line], int, int]] = {}
        self.grid = lcm(*(x.denominator for x in (*low, *high)))
        self.lows, self.highs = ([x.numerator * (self.grid // x.denominator) for x in end] for end in (low, high))

    def largest(self, form: Form, constant: Fraction) -> Fraction:
        """The largest value of an affine function on the part's box."""
        return constant + sum((max(c * self.low[i], c * self.high[i]) for i, c in form.items()), Fraction(0))

    def status(self, unit: Unit) -> int:
        """A unit is off where its pre-activation is at most 0, on where it is at least 0."""
        low, high, _ = self.bounds.get(unit, NOTHING)
        sign = self.signs.get(unit)
        if sign == OFF or (high is not None and high <= 0):
            return OFF
        return ON if sign == ON or (low is not None and low >= 0) else UNKNOWN

    def add(self, line: Any) -> None:
        """Prove the stated bounds of one pre-activation, and keep them."""
        require(isinstance(line, list) and len(line) in (5, 6), "a bound has five or six entries")
        unit = self.box.hidden(line[0], line[1])
        low, high = (None if text is None else number(text) for text in line[2:4])
        alpha, beta = self._multipliers(unit[0], line[5]) if len(line) == 6 else ({}, {})
        for side, stated in ((ON, high), (OFF, low)):
            if stated is not None:
                proved = self.above(unit, side, alpha, beta)
                require(proved is not None and proved <= side * stated, f"a bound of unit {unit} is not proved")
        known = self.bounds.get(unit, NOTHING)
        slope = number(line[4])
        require(0 <= slope <= 1, "a slope is outside [0, 1]")
        self.bounds[unit] = (known[0] if low is None else low, known[1] if high is None else high, slope)
        self.tables.pop(unit[0], None)

    def _multipliers(self, layer: int, given: dict[str, Any]) -> tuple[Multipliers, Multipliers]:
        require(isinstance(given["alpha"], list) and isinstance(given["beta"], list), "multipliers are a list")
        alpha, beta = ({self.box.hidden(m, i): number(v) for m, i, v in given[key]} for key in ("alpha", "beta"))
        require(all(m < layer for m, _ in (*alpha, *beta)), "a multiplier of a unit that is not below")
        require(all(0 <= a <= 1 for a in alpha.values()), "a lower slope is outside [0, 1]")
        require(all(b >= 0 for b in beta.values()), "a negative multiplier")
        require(all(self.status(unit) != UNKNOWN for unit in beta), "a multiplier of a sign that is not known")
        return alpha, beta

    def above(self, unit: Unit, side: int, alpha: Multipliers, beta: Multipliers) -> Fraction | None:
        """An upper bound of side * pre-activation, by back-substitution to the box; None if one below is missing.

        A form over a layer is a vector of integers over one denominator, and a constant.
        """
        pause()
        rows, biases, scale, _ = self.box.known.integers(unit[0])
        form: Sequence[int | fmpz] = [side * w for w in rows[unit[1]]]
        denominator = scale
        constant = Fraction(side * biases[unit[1]], scale)
        for layer in range(unit[0] - 1, 0, -1):
            step = self._relaxed(layer, form, denominator, alpha, beta)
            if step is None:
                return None
            lines, grid, lift = step
            _, biases, scale, matrix = self.box.known.integers(layer)
            denominator *= grid
            constant += lift + Fraction(int(sum(map(mul, lines, biases))), denominator * scale)
            form = (fmpz_mat([lines]) * matrix).entries()
            denominator *= scale
        most = sum(c * (high if c > 0 else low) for c, low, high in zip(form, self.lows, self.highs, strict=True))
        return constant + Fraction(int(most), denominator * self.grid)

    def _relaxed(
        self, layer: int, form: Sequence[int | fmpz], denominator: int, alpha: Multipliers, beta: Multipliers
    ) -> tuple[list[int | fmpz], int, Fraction] | None:
        """Replace relu by a line above it or below it, and add multiples of sign conditions.

        Returns the coefficients of the layer's pre-activations, over denominator * grid, with the grid, and the lines'
        heights.
        """
        table, coarse, fine = self._lines(layer)
        own = {i: a for (at, i), a in alpha.items() if at == layer}
        extra = {i: multiplier for (at, i), multiplier in beta.items() if at == layer}
        grid = lcm(coarse, *(x.denominator for x in (*own.values(), *extra.values())))
        lines: list[int | fmpz] = []
        lift: int | fmpz = 0
        for i, (c, (known, slope, height, steep)) in enumerate(zip(form, table, strict=True)):
            if known == ON:
                lines.append(c * grid)
            elif known == OFF or c == 0:
                lines.append(0)
            elif c > 0:
                if height is None:
                    return None
                lines.append(c * slope * (grid // coarse))
                lift += c * height
            else:
                lines.append(c * int(own.get(i, steep) * grid))
        for i, multiplier in extra.items():
            lines[i] += int(multiplier * grid) * denominator * table[i][0]
        return lines, grid, Fraction(int(lift), denominator * fine)

    def _lines(self, layer: int) -> tuple[list[_Line], int, int]:
        """The lines of a layer's units.

        Slopes are integers over the first number returned, heights over the second; the height is None if a bound is
        missing.
        """
        if layer not in self.tables:
            found: list[tuple[int, Fraction, Fraction | None, int]] = []
            for i in range(self.box.net.widths[layer]):
                low, high, slope = self.bounds.get((layer, i), NOTHING)
                known = self.status((layer, i))
                if known != UNKNOWN or low is None or high is None:
                    found.append((known, Fraction(0), None, 0))
                else:
                    # By convexity a line is above relu on [low, high] if it is at both ends.
                    found.append((known, slope, max(-slope * low, (1 - slope) * high), int(high > -low)))
            coarse = lcm(*(slope.denominator for _, slope, _, _ in found))
            fine = lcm(*(height.denominator for _, _, height, _ in found if height is not None))
            table = [_Line(k, int(s * coarse), None if h is None else int(h * fine), steep) for k, s, h, steep in found]
            self.tables[layer] = table, coarse, fine
        return self.tables[layer]

    def _through(self, layer: int, lines: Form, constant: Fraction) -> tuple[Form, Fraction]:
        """A combination of pre-activations as a form over what the layer below sends."""
        below: Form = {}
        for i, k in pausing(lines.items()):
            weights, bias = self.box.row((layer, i))
            constant += k * bias
            for j, w in enumerate(weights):
                if k and w:
                    below[j] = below.get(j, Fraction(0)) + k * w
        return {j: c for j, c in below.items() if c}, constant

    def affine(self, layer: int, form: Form, constant: Fraction) -> tuple[Form, Fraction]:
        """A form over what `layer` sends as an affine function of the free inputs; exact on the whole part."""
        for m in range(layer, 0, -1):
            lines: Form = {}
            kinks: dict[tuple[Fraction, ...], list[tuple[int, Fraction, Fraction]]] = {}
            for i, c in pausing(form.items()):
                known = self.status((m, i)) if c else OFF
                if known == ON:
                    lines[i] = c
                elif known == UNKNOWN:
                    key, size = self._direction((m, i))
                    kinks.setdefault(key, []).append((i, c, size))
            for group in kinks.values():
                # relu(s g) = (s g + |s| |g|) / 2: without a kink the group is half the sum of its pre-activations.
                require(sum(c * size for _, c, size in group) == 0, f"layer {m} has a unit of unknown sign")
                lines |= {i: c / 2 for i, c, _ in group}
            form, constant = self._through(m, lines, constant)
        fixed = self.box.fixed
        constant += sum((c * self.box.low[i] for i, c in form.items() if i in fixed), Fraction(0))
        return {i: c for i, c in form.items() if i not in fixed}, constant

    def _direction(self, unit: Unit) -> tuple[tuple[Fraction, ...], Fraction]:
        """The pre-activation up to a factor, and the factor's size."""
        weights, bias = self.box.row(unit)
        if unit[0] == 1:
            ends = list(zip(self.box.low, self.box.high, strict=True))
            bias += sum((w * a for w, (a, b) in zip(weights, ends, strict=True) if a == b), Fraction(0))
            row = [Fraction(0) if a == b else w for w, (a, b) in zip(weights, ends, strict=True)]
        else:
            row = [w if self.status((unit[0] - 1, i)) != OFF else Fraction(0) for i, w in enumerate(weights)]
        leading = next((w for w in [*row, bias] if w), Fraction(1))
        return tuple(w / leading for w in [*row, bias]), abs(leading)

    def constant(self) -> None:
        """Refuse unless every reader receives its constant on the whole part."""
        for (layer, k), value in self.box.value.items():
            weights = self.box.net.layers[layer - 1][0][k]
            form = {i: weights[i] for at, i in self.box.units if at == layer - 1 and weights[i]}
            require(
                self.affine(layer - 1, form, Fraction(0)) == ({}, value), f"reader ({layer}, {k}) receives no constant"
            )

    def empty(self, unit: Unit) -> None:
        """Refuse unless the unit's bounds contradict its sign condition, or each other."""
        low, high, _ = self.bounds[unit]
        sign = self.signs.get(unit)
        against = (sign == ON and high is not None and high < 0) or (sign == OFF and low is not None and low > 0)
        crossed = low is not None and high is not None and low > high
        require(against or crossed, f"unit {unit} does not show the part empty")

    def thin(self, multipliers: list[Any]) -> None:
        """Refuse unless the part has no interior.

        At an interior point every sign condition that is an affine function, and no constant, is positive; so is a
        combination of them with multipliers >= 0. It is not if the combination is at most 0 on the box.
        """
        total: Form = {}
        constant, strict = Fraction(0), False
        for layer, index, text in multipliers:
            unit, multiplier = self.box.hidden(layer, index), number(text)
            sign = self.status(unit) if unit not in self.signs else self.signs[unit]
            require(multiplier > 0 and sign != UNKNOWN, "a multiplier is not positive, or of no sign condition")
            weights, bias = self.box.row(unit)
            form, shift = self.affine(layer - 1, dict(enumerate(weights)), bias)
            strict = strict or bool(form)
            constant += multiplier * sign * shift
            for i, c in form.items():
                total[i] = total.get(i, Fraction(0)) + multiplier * sign * c
        most = self.largest(total, constant)
        require(most < 0 or (strict and most == 0), "the sign conditions leave an interior")


def _check(
    box: _Box, node: Fact, low: Vector, high: Vector, signs: dict[Unit, int], bounds: dict[Unit, Proved]
) -> None:
    """A part of the box: its bounds in their order, then its two halves, or what closes it."""
    part = _Part(box, low, high, signs, dict(bounds))
    bounded = node.get("bounds", [])
    require(isinstance(bounded, list), "bounds are a list")
    for line in bounded:
        part.add(line)
    if "cut" in node:
        i, at = node["cut"][0], number(node["cut"][1])
        require(type(i) is int and 0 <= i < len(low) and low[i] < at < high[i], "a cut outside the part")
        _check(box, node["low"], low, [*high[:i], at, *high[i + 1 :]], signs, part.bounds)
        _check(box, node["high"], [*low[:i], at, *low[i + 1 :]], high, signs, part.bounds)
    elif "split" in node:
        unit = box.hidden(*node["split"])
        require(unit not in signs, f"unit {unit} is split twice")
        for side, sign in (("on", ON), ("off", OFF)):
            _check(box, node[side], low, high, signs | {unit: sign}, part.bounds)
    elif node["leaf"] == "constant":
        part.constant()
    elif node["leaf"] == "empty":
        part.empty(box.hidden(*node["unit"]))
    elif node["leaf"] == "thin":
        part.thin(node["multipliers"])
    else:
        raise Refused("a leaf is not closed")


KINDS = {
    "irrelevant-region": irrelevant_region,
    "relevant-at": relevant_at,
}

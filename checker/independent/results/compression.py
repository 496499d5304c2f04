"""Check the certificate of a compressed net: unit by unit, what was deleted or merged changes no output on the box.

The two nets are those of the folder's files; signs of units on the box are proved by linear relaxations, exactly.
"""

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from proof_of_absence.checker.independent.kinds.region import OFF, ON, UNKNOWN, Prepared, _Box, _Part, irrelevant_region
from proof_of_absence.checker.independent.refusal import Refused, require
from proof_of_absence.checker.independent.sealed import read_sealed
from proof_of_absence.checker.independent.values import Fact
from proof_of_absence.checker.independent.values.arrays import hexadecimal, net_arrays
from proof_of_absence.checker.independent.values.floats import FloatNet, Floats, aligned
from proof_of_absence.checker.independent.values.nets import Net

FORMAT = "absence-compression-certificate/1"
NAME = "compression.json"
LARGEST = 2**30
FIELDS = {"format", "files", "region", "bounds", "searched", "removed", "digest"}


def check_compression(path: Path) -> Fact:
    """Check that the net of ``after`` has the outputs of that of ``before``: on the region, or everywhere without one.

    Raises
    ------
    Refused
        If the file is no such certificate, a file it names is another, or a step is not so.
    """
    certificate = read_compression(path)
    try:
        files = certificate["files"]
        require(isinstance(files, dict) and set(files) == {"before", "after"}, "files are missing")
        before, after = (FloatNet.read(*net_arrays(path.parent, files[name])) for name in ("before", "after"))
        signs = _signs(before, certificate["region"], certificate["bounds"], certificate["searched"])
        replay = _Replay(before, signs)
        for removal in certificate["removed"]:
            replay.remove(removal)
        replay.require_equal(after)
    except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
        raise Refused(f"the certificate is malformed: {type(error).__name__}: {error}") from error
    return certificate


def read_compression(path: Path) -> Fact:
    """The certificate as it is sealed; nothing that it says is checked."""
    return read_sealed(path, FORMAT, largest=LARGEST, fields=FIELDS)


def told(certificate: Fact) -> str:
    """In words what was accepted."""
    where = "everywhere" if certificate["region"] is None else "on the region"
    return f"{len(certificate['removed'])} units removed, and the outputs {where} the same over the reals"


class _Signs:
    """What bounds and searches prove of the signs of hidden units on a box."""

    def __init__(self, part: _Part):
        self.part, self.searched = part, dict[tuple[int, int], int]()

    def of(self, unit: tuple[int, int]) -> int:
        """ON, OFF or UNKNOWN."""
        return self.searched.get(unit) or self.part.status(unit)


def _signs(net: FloatNet, region: Any, lines: Any, searched: Any) -> _Signs | None:
    """What the lines and the trees prove of the signs of hidden units on the region; None without a region."""
    if region is None:
        require(lines == [] and searched == [], "bounds without a region")
        return None
    require(isinstance(region, dict) and set(region) == {"low", "high"}, "the region is not given by its ends")
    hidden, outputs = len(net.layers) - 1, net.widths[-1]
    require(hidden, "the net has no hidden unit")
    known = Prepared(Net.of(net.fractions()))
    # Of the circuit only its layer plays a part: bounds are about units up to there.
    circuit, value = [[hidden, 0]], [[hidden + 1, k, "0"] for k in range(outputs)]
    box = _Box({"circuit": circuit, "value": value, **region}, known)
    found = _Signs(_Part(box, box.low, box.high, {}, {}))
    for line in lines:
        found.part.add(line)
    require(isinstance(searched, list), "the searched units are no list")
    for entry in searched:
        require(set(entry) == {"layer", "unit", "sign", "tree"}, "a searched unit has other fields")
        layer, j, sign = entry["layer"], entry["unit"], entry["sign"]
        there = type(layer) is int and type(j) is int and 1 <= layer <= hidden and 0 <= j < net.widths[layer]
        require(there, f"({layer!r}, {j!r}) is no hidden unit")
        require(type(sign) is int and sign in (ON, OFF), "a sign that is none")
        # relu of the negated unit is 0 all over the box just if the unit is never negative there.
        asked = {"circuit": [[layer, 0]], "value": [[layer + 1, 0, "0"]], "tree": entry["tree"], **region}
        irrelevant_region(asked, known.probe(layer, j, sign))
        found.searched[layer, j] = sign
    return found


class _Replay:
    """The net while its units leave. Those that stay receive on the box what they did before, at every step.

    In a net that has layers with entries that are no floats, units are deleted, and none is merged.
    """

    def __init__(self, net: FloatNet, signs: _Signs | None):
        self.net = net
        self.layers = [(weights.copy(), bias.copy()) for weights, bias in net.layers]
        self.kept = [list(range(width)) for width in net.widths]
        self.signs = signs

    def remove(self, removal: Fact) -> None:
        """Take out one unit, if the readers that stay then receive the same."""
        layer, j, how = removal["layer"], removal["unit"], removal["how"]
        require(type(layer) is int and 1 <= layer < len(self.layers), "no such hidden layer")
        self._require_kept(layer, j)
        name = f"unit {layer}.{j}"
        if how == "empty":
            sent = self.layers[layer][0][self.kept[layer + 1], j]
            require(not sent.any(), f"{name} sends something")
        elif how == "off":
            require(self._sign(layer, j) == OFF, f"{name} is not shown to be off on the region")
        else:
            require(how == "merged", f"{how!r} is no way to remove a unit")
            require(self._sign(layer, j) == ON, f"{name} is not shown to be active all over the region")
            self._merge(removal, layer, j)
        self.kept[layer].remove(j)

    def _sign(self, layer: int, j: int) -> int:
        return UNKNOWN if self.signs is None else self.signs.of((layer, j))

    def _require_kept(self, layer: int, j: object) -> None:
        require(type(j) is int and j in self.kept[layer], f"unit {layer}.{j} is not there")

    def _merge(self, removal: Fact, layer: int, j: int) -> None:
        require(not self.net.rational, "a unit is merged where a layer has entries that are no floats")
        terms, shift = {i: hexadecimal(factor) for i, factor in removal["terms"]}, hexadecimal(removal["shift"])
        require(len(terms) == len(removal["terms"]), "a unit is listed twice")
        rows, own = self.layers[layer - 1]
        read = self.kept[layer - 1]
        difference, constant = _fractions(rows[j, read]), Fraction(float(own[j])) - shift
        for i, factor in terms.items():
            self._require_kept(layer, i)
            require(i != j, "a unit is merged into itself")
            require(self._sign(layer, i) == ON, f"unit {layer}.{i} is not shown to be active all over the region")
            difference = [a - factor * b for a, b in zip(difference, _fractions(rows[i, read]), strict=True)]
            constant -= factor * Fraction(float(own[i]))
        require(not any(difference) and constant == 0, f"unit {layer}.{j} is no such combination")
        weights, bias = self.layers[layer]
        for k in self.kept[layer + 1]:
            weight = Fraction(float(weights[k, j]))
            bias[k] = _float(Fraction(float(bias[k])) + weight * shift)
            for i, factor in terms.items():
                weights[k, i] = _float(Fraction(float(weights[k, i])) + weight * factor)

    def require_equal(self, after: FloatNet) -> None:
        """Refuse unless the other net consists of the units that are left."""
        require(after.widths == [len(members) for members in self.kept], "the widths of the new net are others")
        for number, ((weights, bias), (new, new_bias)) in enumerate(zip(self.layers, after.layers, strict=True), 1):
            rows, columns = self.kept[number], self.kept[number - 1]
            if self.net.rational or after.rational:
                same = self._same_rationals(after, number, rows, columns)
            else:
                same = bool((weights[np.ix_(rows, columns)] == new).all() and (bias[rows] == new_bias).all())
            require(same, f"layer {number} of the new net is another")

    def _same_rationals(self, after: FloatNet, number: int, rows: list[int], columns: list[int]) -> bool:
        here, there, biases = self.net.weights(number), after.weights(number), self.net.biases(number)
        one, other, _, _ = aligned(here._replace(whole=here.whole[np.ix_(rows, columns)]), there)
        return bool((one == other).all()) and [biases[j] for j in rows] == after.biases(number)


def _fractions(row: Floats) -> list[Fraction]:
    return [Fraction(w) for w in row.tolist()]


def _float(value: Fraction) -> float:
    near = float(value)
    require(Fraction(near) == value, "a new weight is no float")
    return near

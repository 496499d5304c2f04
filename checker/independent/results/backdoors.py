"""Check the result of `absence backdoors`: of each net its idle circuits, what they carry, what cutting them does, and
the leverages by which triggered inputs are ranked.

How the nets were trained is not checked, nor what was measured in floats: other scores, bootstrap intervals,
fine-pruning. Float passes with error bounds decide most of it here, exact integers the rest.
"""

import base64
import zlib
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from proof_of_absence.checker.independent.refusal import Refused, require, require_equal
from proof_of_absence.checker.independent.results.backdoor_ranks import CLEAN, auroc, check_ranks
from proof_of_absence.checker.independent.results.readout import Hidden
from proof_of_absence.checker.independent.sealed import read_part, read_result
from proof_of_absence.checker.independent.values import Fact
from proof_of_absence.checker.independent.values.floats import Exact, FloatNet, Floats, Integers

FORMAT, CELL_FORMAT = "absence-backdoors/1", "absence-backdoor-cell/1"
LARGEST = 2**27
# Entries of one array, packed or not.
ENTRIES = 2**24
SAME = ("auroc", "runs")
# Below the exponents of all products of three floats of 32 bits, as integers of 53 bits.
SCALE = -700
# A control beside the triggers: white pixels at places that the result lists.
SCATTERED = "scattered"
Whole = NDArray[np.int64]


class Digits(NamedTuple):
    """Training and test images in sixteenths, the classes of the test images, and which class the attacker wants.

    `places` are the pixels that are white in the control, for each test image of another class.
    """

    train: Whole
    test: Whole
    labels: Whole
    target: int
    levels: int
    places: Whole

    @property
    def others(self) -> Whole:
        """The test images of other classes."""
        return np.flatnonzero(self.labels != self.target)

    def shown(self, name: str, triggers: Mapping[str, Fact]) -> Floats:
        """The images of other classes with a trigger, or with white pixels."""
        images = self.test[self.others]
        if name == SCATTERED:
            white = images.copy()
            np.put_along_axis(white, self.places, self.levels, axis=1)
            return white / self.levels
        mask, pattern = (_images([triggers[name][part]], self.levels) for part in ("mask", "pattern"))
        return np.asarray((self.levels * images + mask * (pattern - images)) / self.levels**2)


class Tables(NamedTuple):
    """What a net reads: clean training rows, and by name the test rows and what else it is shown; `own` is of these."""

    clean: Floats
    shown: Mapping[str, Floats]
    own: str

    @property
    def test(self) -> Floats:
        """The test rows."""
        return self.shown[CLEAN]

    @property
    def bad(self) -> Floats:
        """The triggered rows."""
        return self.shown[self.own]


def check_backdoors(path: Path) -> Fact:
    """Check the result and the file of every cell; returns the result.

    Raises
    ------
    Refused
        If a file is missing or another, or what it says is not so.
    """
    result = read_result(path, FORMAT, largest=LARGEST)
    try:
        data = _digits(result)
        cells, seeds = result["cells"], result["parameters"]["seeds"]
        require(isinstance(cells, list) and bool(cells), "no cell at all")
        shapes = [tuple(c[k] for k in ("kind", "width", "optimizer", "rate", "trigger", "penalty")) for c in cells]
        require(len(set(shapes)) == len(shapes), "a cell is listed twice")
        require_equal("the counts", result["exactly"], _exactly(cells))
        for cell in cells:
            record = read_part(path.parent, cell, CELL_FORMAT, largest=LARGEST)
            try:
                _cell(record, cell, data, result["triggers"], seeds)
            except Refused as reason:
                raise Refused(f"{cell['file']}: {reason}") from reason
    except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError, zlib.error) as error:
        raise Refused(f"malformed: {type(error).__name__}: {error}") from error
    return result


def _digits(result: Fact) -> Digits:
    data, parameters = result["data"], result["parameters"]
    levels = parameters["levels"]
    require(type(levels) is int and 0 < levels <= 2**8 and not levels & (levels - 1), "levels are no power of two")
    train, test = (_images(data[name], levels) for name in ("train", "test"))
    labels = np.array(data["test_labels"], dtype=np.int64)
    require(labels.shape == (len(test),), "not one class to each test image")
    found = Digits(train, test, labels, parameters["target"], levels, np.array(data["places"]))
    own = found.places.ndim == 2 and found.places.dtype == np.int64 and len(found.places) == len(found.others)
    require(own and bool(((found.places >= 0) & (found.places < test.shape[1])).all()), "there are no such pixels")
    return found


def _images(rows: object, levels: int) -> Whole:
    found = np.array(rows)
    require(found.ndim == 2 and found.dtype == np.int64 and found.size > 0, "images are no table of integers")
    require(bool((found >= 0).all() and (found <= levels).all()), "a pixel is out of range")
    return found


def _cell(record: Fact, cell: Fact, data: Digits, triggers: Mapping[str, Fact], seeds: int) -> None:
    for key in SAME:
        require_equal(f"{key}, as the result has it", cell[key], record[key])
    _record(record, cell, data, triggers, seeds)


def check_kept(record: Fact, cell: Fact, images: Fact, triggers: Mapping[str, Fact], seeds: int) -> None:
    """Refuse what was kept of a cell, unless what it says of its nets is so.

    Of the cell, its width and trigger are looked at. `images` are the data and parameters of a result, of the
    parameters the levels and the target alone.
    """
    try:
        _record(record, cell, _digits(images), triggers, seeds)
    except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError, zlib.error) as error:
        raise Refused(f"malformed: {type(error).__name__}: {error}") from error


def _record(record: Fact, cell: Fact, data: Digits, triggers: Mapping[str, Fact], seeds: int) -> None:
    own = cell["trigger"]
    require([run["seed"] for run in record["runs"]] == list(range(seeds)), "a seed is left out")
    require(len(record["nets"]) == seeds, "not one net to each seed")
    for run, kept in zip(record["runs"], record["nets"], strict=True):
        require(own in run["shown"] and own != SCATTERED, "its own trigger is not shown to a net")
        net, tables = _read(kept, data, triggers, own, list(run["shown"]))
        require(net.widths[1] == cell["width"], "a net has another width")
        of = Net(net, tables, data, run["idle"], run["left"])
        of.check(run)
        check_ranks(run, kept["leverage"], Hidden(net, {"training": tables.clean, **tables.shown}, of.still()))
    counted = [run["shown"][own]["pairs"] for run in record["runs"]]
    require_equal("the mean AUROC of the leverage", record["auroc"]["leverage"]["mean"], auroc(counted))


def _read(
    kept: Fact, data: Digits, triggers: Mapping[str, Fact], own: str, names: list[str]
) -> tuple[FloatNet, Tables]:
    """The net, and its inputs: the images, or what was recorded, which enters the readout as it is."""
    layers = [(_array(layer["weights"]), _array(layer["bias"])) for layer in kept["layers"]]
    require(CLEAN not in names and "clean" not in names, "a trigger has the name of something else")
    if "recorded" in kept:
        found = {name: _array(kept["recorded"][name]) for name in ("clean", CLEAN, *names)}
        for name, table in found.items():
            rows = {"clean": data.train, CLEAN: data.test}.get(name, data.others)
            require(table.ndim == 2 and len(table) == len(rows), "another number of rows was recorded")
            require(bool((table >= 0).all()), "a recorded activation is negative")
        width = found["clean"].shape[1]
        layers.insert(0, (np.eye(width), np.zeros(width)))
        tables = Tables(found.pop("clean"), found, own)
    else:
        shown = {CLEAN: data.test / data.levels} | {name: data.shown(name, triggers) for name in names}
        tables = Tables(data.train / data.levels, shown, own)
    require(len(layers) == 2, "a net has another number of layers than two")
    numbered = {f"weights_{k}": weights for k, (weights, _) in enumerate(layers, 1)}
    net = FloatNet.read(numbered | {f"bias_{k}": bias for k, (_, bias) in enumerate(layers, 1)})
    every = (tables.clean, *tables.shown.values())
    require(all(table.shape[1] == net.widths[0] for table in every), "an input has the wrong dimension")
    return net, tables


def _array(packed: Fact) -> Floats:
    """An array of finite float32 values."""
    shape = tuple(packed["shape"])
    require(all(type(n) is int and 0 < n <= ENTRIES for n in shape), "an array has no such shape")
    size = int(np.prod(shape, dtype=object))
    require(size <= ENTRIES, "an array is too large")
    unpack = zlib.decompressobj()
    found = unpack.decompress(base64.b64decode(packed["float32"], validate=True), 4 * size + 1)
    require(len(found) == 4 * size, "an array has another size than its shape")
    values = np.frombuffer(found, dtype="<f4").astype(np.float64).reshape(shape)
    require(bool(np.isfinite(values).all()), "a number is not finite")
    return values


class Net:
    """A net, its inputs, and the circuits that are said to be idle on the clean rows."""

    def __init__(self, net: FloatNet, tables: Tables, data: Digits, idle: Sequence[object], left: Sequence[object]):
        self.net, self.tables, self.data = net, tables, data
        self.hidden = {name: net.bounded(getattr(tables, name), 1)[0] for name in ("clean", "test", "bad")}
        self.idle = [self._units(circuit) for circuit in idle]
        self.left = [self._units(circuit) for circuit in left]
        every = [unit for circuit in self.idle for unit in circuit]
        require(len(set(every)) == len(every), "two idle circuits share a unit")
        require(all(circuit in self.idle for circuit in self.left), "a circuit that is left is not idle")

    def _units(self, circuit: object) -> list[int]:
        if not (isinstance(circuit, list) and circuit and all(type(unit) is int for unit in circuit)):
            raise Refused("a circuit is no list of units")
        require(min(circuit) >= 0 and max(circuit) < self.net.widths[1], "there is no such unit")
        return circuit

    def check(self, run: Fact) -> None:
        """Refused if what the run says of the net is not so."""
        self._others_vary()
        values = [self._value(circuit) for circuit in self.idle]
        sent = {name: [self._sent(name, circuit) for circuit in self.idle] for name in ("test", "bad")}
        fired = [(there != value).any(axis=1) for there, value in zip(sent["bad"], values, strict=True)]
        at_all = np.any(fired, axis=0) if fired else np.zeros(len(self.tables.bad), dtype=bool)
        require_equal("the triggered rows at which a circuit fires", run["fires"], int(at_all.sum()))
        require_equal("the circuits that fire", run["firing"], sum(bool(rows.any()) for rows in fired))
        require_equal("what the idle circuits send of it", Fraction(run["moved_idle"]), self._moved(sent))
        self._encloses(Fraction(run["moved"]))
        cut = [k for k, circuit in enumerate(self.idle) if circuit not in self.left]
        for name, wanted in (("test", self.data.labels), ("bad", self.data.target)):
            lost = sum((sent[name][k] - values[k] for k in cut), np.zeros((len(getattr(self.tables, name)), 1), object))
            before, after = self._answers(getattr(self.tables, name), lost)
            key = "correct" if name == "test" else "hits"
            require_equal(key, run[key], int((before == wanted).sum()))
            require_equal(f"{key}_cut", run[f"{key}_cut"], int((after == wanted).sum()))

    def still(self) -> set[int]:
        """Units that send one value on the clean rows, as `check` shows."""
        weights = self.net.layers[1][0]
        return {circuit[0] for circuit in self.idle if len(circuit) == 1 and weights[:, circuit[0]].any()}

    def _others_vary(self) -> None:
        """Every unit that is in no circuit has two values on the clean rows, or sends nothing."""
        listed = [unit for circuit in self.idle for unit in circuit]
        weights = self.net.layers[1][0]
        rest = np.setdiff1d(np.flatnonzero(weights.any(axis=0)), listed)
        found = self.hidden["clean"]
        low, high = (np.maximum(found.value + sign * found.radius, 0)[:, rest] for sign in (-1.0, 1.0))
        # Sums of two floats may round; their next neighbours do not.
        varies = np.nextafter(low, -np.inf).max(axis=0) > np.nextafter(high, np.inf).min(axis=0)
        for unit in rest[~varies].tolist():
            values = self.net.exact(self.tables.clean, 1, [unit]).whole
            require(bool((values != values[0]).any()), f"unit {unit} is idle, and not listed")

    def _value(self, circuit: list[int]) -> Integers:
        """What it sends on every clean row."""
        sent = self._sent("clean", circuit)
        require(bool((sent == sent[0]).all()), f"the circuit {circuit} is not idle")
        return np.asarray(sent[0])

    def _sent(self, name: str, circuit: list[int]) -> Integers:
        """What it sends to the outputs at each row, in units of 2^SCALE."""
        rows, found = getattr(self.tables, name), self.hidden[name]
        on = (found.value[:, circuit] > -found.radius[:, circuit]).any(axis=1)
        result = np.zeros((len(rows), self.net.widths[2]), dtype=object)
        if on.any():
            result[on] = _scaled(self.net.sent(rows[on], 1, circuit))
        return result

    def _moved(self, sent: dict[str, list[Integers]]) -> Fraction:
        """The sum over the images of what the trigger adds to the target's output less the true class's."""
        others, target = self.data.others, self.data.target
        labels, total = self.data.labels[others], 0
        for sign, tables in ((1, sent["bad"]), (-1, [table[others] for table in sent["test"]])):
            for table in tables:
                total += sign * int(sum(table[:, target] - table[np.arange(len(table)), labels]))
        return total * Fraction(2) ** SCALE

    def _encloses(self, stated: Fraction) -> None:
        """The same of all units lies where the bounds of a float pass say."""
        others, target = self.data.others, self.data.target
        labels, total, radius = self.data.labels[others], Fraction(0), Fraction(0)
        for sign, rows in ((1, self.tables.bad), (-1, self.tables.test[others])):
            found = self.net.bounded(rows)[-1]
            for columns, side in ((np.full(len(labels), target), sign), (labels, -sign)):
                at = np.arange(len(labels)), columns
                require(bool(np.isfinite(found.radius[at]).all()), "an output is beyond the floats")
                total += side * sum(map(Fraction, found.value[at].tolist()), Fraction(0))
                radius += sum(map(Fraction, found.radius[at].tolist()), Fraction(0))
        require(abs(total - stated) <= radius, f"moved: stated {float(stated):.6g}, recomputed {float(total):.6g}")

    def _answers(self, rows: Floats, lost: Integers) -> tuple[Whole, Whole]:
        """The first largest output at each row, of the net, and of what is left when `lost` is taken away."""
        found = self.net.bounded(rows)[-1]
        answers = found.value.argmax(axis=1)
        at = np.arange(len(rows))
        low = np.nextafter(found.value[at, answers] - found.radius[at, answers], -np.inf)
        high = np.nextafter(found.value + found.radius, np.inf)
        high[at, answers] = -np.inf
        decided = low > high.max(axis=1)
        after = answers.copy()
        unclear = np.flatnonzero(~decided | (lost != 0).any(axis=1))
        if unclear.size:
            outputs = _scaled(self.net.exact(rows[unclear], 2))
            answers[unclear] = np.argmax(outputs, axis=1)
            after[unclear] = np.argmax(outputs - lost[unclear], axis=1)
        return answers, after


def _scaled(exact: Exact) -> Integers:
    """The numbers in units of 2^SCALE."""
    require(exact.divisor == 1 and exact.exponent >= SCALE, "a number is finer than these can be")
    return np.asarray(exact.whole * 2 ** (exact.exponent - SCALE))


def _exactly(cells: list[Fact]) -> dict[str, Any]:
    runs = [run for cell in cells if cell["rate"] for run in cell["runs"]]
    shares = []
    for run in runs:
        moved = Fraction(run["moved"])
        shares.append(abs(Fraction(run["moved_idle"]) / moved) if moved else Fraction(0))
    lost = [run["hits"] - run["hits_cut"] for run in runs]
    return {
        "nets": sum(len(cell["runs"]) for cell in cells),
        "poisoned": len(runs),
        "with_idle": len([run for run in runs if run["idle"]]),
        "firing": len([run for run in runs if run["fires"]]),
        "carrying": len([value for value in shares if value]),
        "most_share": str(max(shares, default=Fraction(0)).limit_denominator(10**6)),
        "half": len([value for value in shares if 2 * value >= 1]),
        "most_hits_lost": max(lost, default=0),
        "hits_changed": len([value for value in lost if value]),
        "correct_changed": len([run for run in runs if run["correct"] != run["correct_cut"]]),
        "ranked": _ranked([run for cell in cells for run in cell["runs"]]),
    }


def _ranked(runs: list[Fact]) -> dict[str, int]:
    """Of all nets and all triggers shown to them, how many pairs were ranked, and how many inputs have no leverage."""
    pairs = [shown["pairs"] for run in runs for shown in run["shown"].values()]
    inputs = [run["clean_leverage"] for run in runs]
    inputs += [shown["leverage"] for run in runs for shown in run["shown"].values()]
    found = {key: sum(counted[key] for counted in pairs) for key in ("above", "below", "tied", "open")}
    return found | {key: sum(told[key] for told in inputs) for key in ("free", "unknown")}

"""Check the result of `absence lifetimes`: each net that is kept, its splices and losses, and the counts made of them.

That training leads from net to net is a measurement, and not checked; nor is `measured`, where the net is not kept:
but what is said there of the other checkpoints fits the steps at which the detector was alive and gone.
"""

import math
import struct
from collections import Counter
from fractions import Fraction
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from proof_of_absence.checker.independent.refusal import Refused, require, require_equal
from proof_of_absence.checker.independent.sealed import read_part, read_result
from proof_of_absence.checker.independent.values import Fact
from proof_of_absence.checker.independent.values.floats import FloatNet, Floats
from proof_of_absence.checker.independent.values.nets import number

FORMAT, RUN_FORMAT = "absence-lifetimes/1", "absence-lifetime-run/1"
LARGEST = 2**26
Input = tuple[int, ...]
Sighting = tuple[int, float, float, bool]
# Integers up to this are float64.
LARGEST_INTEGER = 2**53
COPIED = ("detector", "optimizer", "reassigned", "seed", "alive", "gone", "end", "others", "untouched", "final_loss")


def check_lifetimes(path: Path) -> Fact:
    """Check the result and the file of every run; returns the result.

    Raises
    ------
    Refused
        If a file is missing or another, or what it says is not so.
    """
    result = read_result(path, FORMAT, largest=LARGEST)
    try:
        experiment = Experiment(result)
        parameters = result["parameters"]
        entries, seen = result["runs"], set()
        require(isinstance(entries, list) and bool(entries), "no run at all")
        for entry in entries:
            seen.add(_which(entry, parameters))
            _run(experiment, path.parent, entry, parameters)
        require(len(seen) == len(entries), "a run is listed twice")
        kinds = {of[:3] for of in seen}
        require(len(seen) == len(kinds) * parameters["seeds"], "a run is left out")
        require_equal("the summary", result["summary"], _summary(entries, experiment.floor))
    except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
        raise Refused(f"malformed: {type(error).__name__}: {error}") from error
    return result


class Experiment:
    """The data, the noise floor, and where each detector lies and should fire; inputs and targets are integers.

    Raises
    ------
    Refused
        If one of them is missing, or not so.
    """

    def __init__(self, result: Fact):
        inputs, targets = _table(result["data"]["inputs"]), _table(result["data"]["targets"])
        require(len(inputs) == len(targets) and {len(y) for y in targets} == {1}, "not one target to each input")
        answers: dict[Input, list[int]] = {}
        for z, (y,) in zip(inputs, targets, strict=True):
            answers.setdefault(z, []).append(y)
        # Each distinct input once: how many rows hold it, the sum of their targets, and of the squares.
        self.groups = {z: (len(ys), sum(ys), sum(y * y for y in ys)) for z, ys in answers.items()}
        self.inputs = np.array(list(self.groups), dtype=np.float64)
        self.rows = len(inputs)
        spread = sum(
            (squares - Fraction(total**2, count) for count, total, squares in self.groups.values()), Fraction(0)
        )
        self.floor = spread / self.rows
        require_equal("the noise floor", number(result["noise_floor"]), self.floor)
        self.detectors = {}
        for name, detector in result["detectors"].items():
            circuit, exceptions = detector["circuit"], detector["exceptions"]
            require(type(exceptions) is int and 0 <= exceptions < self.rows // 2, "too many exceptions for a detector")
            deploy = _table(detector["deploy"])
            require(not set(deploy) & set(self.groups), "a deployment input is a training input")
            self.detectors[name] = (_units(circuit), exceptions, np.array(deploy, dtype=np.float64))


def _table(rows: object) -> list[Input]:
    if not (isinstance(rows, list) and rows):
        raise Refused("a table is missing")
    exact = [tuple(map(number, row)) for row in rows]
    require(all(v.denominator == 1 for row in exact for v in row), "an input or target is no integer")
    require(all(abs(v) <= LARGEST_INTEGER for row in exact for v in row), "an input or target is beyond 2^53")
    require(len({len(row) for row in exact}) == 1, "a table has rows of different lengths")
    return [tuple(map(int, row)) for row in exact]


def _units(circuit: object) -> frozenset[int]:
    if not (isinstance(circuit, list) and circuit):
        raise Refused("the circuit is empty")
    require(all(type(j) is int and j >= 0 for j in circuit), "a unit has no such number")
    require(len(set(circuit)) == len(circuit), "a unit is listed twice")
    return frozenset(circuit)


class _Net:
    """c + sum_j a_j relu(w_j.z + b_j) with float32 parameters, evaluated exactly."""

    def __init__(self, layers: Any):
        hidden, output = layers
        found: dict[str, Floats] = {}
        for k, layer in enumerate((hidden, output), 1):
            found[f"weights_{k}"] = np.array([[_single(w) for w in row] for row in layer["weights"]])
            found[f"bias_{k}"] = np.array([_single(b) for b in layer["bias"]])
        self._net = FloatNet.read(found)
        require(self._net.widths[-1] == 1, "a net has another number of outputs than one")
        self.width = self._net.widths[1]

    def unit(self, j: int) -> tuple[float, ...]:
        """Weights, bias and output weight."""
        require(j < self.width, "no such unit")
        (weights, bias), (outgoing, _) = self._net.layers
        return (*weights[j].tolist(), float(bias[j]), float(outgoing[0, j]))

    def sent(self, units: frozenset[int], inputs: Floats) -> tuple[list[int], int]:
        """What the units send to the output at each input, M 2^e: the integers M, and e."""
        require(max(units) < self.width, "no such unit")
        found = self._net.sent(self._fitting(inputs), 1, sorted(units))
        return found.whole[:, 0].tolist(), found.exponent

    def loss(self, experiment: Experiment) -> Fraction:
        """The loss: sum over the distinct inputs of count f^2 - 2 f sum(y) + sum(y^2), by the number of rows."""
        found = self._net.exact(self._fitting(experiment.inputs), 2)
        unit = Fraction(2) ** found.exponent
        quadratic, linear, constant = 0, 0, 0
        for f, (count, ys, squares) in zip(found.whole[:, 0].tolist(), experiment.groups.values(), strict=True):
            quadratic, linear, constant = quadratic + count * f * f, linear + 2 * f * ys, constant + squares
        return (quadratic * unit**2 - linear * unit + constant) / experiment.rows

    def _fitting(self, inputs: Floats) -> Floats:
        require(inputs.shape[1] == self._net.widths[0], "an input has the wrong dimension")
        return inputs


def _single(text: object) -> float:
    if not (isinstance(text, str) and len(text) <= 40):
        raise Refused("a weight is missing")
    value = float.fromhex(text)
    require(math.isfinite(value), "a weight is not finite")
    # Raises OverflowError if it is too large.
    require(struct.unpack("<f", struct.pack("<f", value)) == (value,), f"{text} is no float32")
    return value


def _sighting(experiment: Experiment, net: _Net, name: str) -> Sighting:
    """Rows with another value than most have, their largest distance, that at deployment, and whether it is alive."""
    circuit, exceptions, deploy = experiment.detectors[name]
    sent, exponent = net.sent(circuit, np.vstack([experiment.inputs, deploy]))
    training, deployed = sent[: len(experiment.inputs)], sent[len(experiment.inputs) :]
    counts: Counter[int] = Counter()
    for v, (count, _, _) in zip(training, experiment.groups.values(), strict=True):
        counts[v] += count
    most = max(counts.values())
    value = min(v for v, count in counts.items() if count == most)
    others = experiment.rows - most
    spread, size = max(abs(v - value) for v in counts), max(abs(v - value) for v in deployed)
    unit = Fraction(2) ** exponent
    return others, float(spread * unit), float(size * unit), others <= exceptions and size > 0


def _which(entry: Fact, parameters: Fact) -> tuple[Any, ...]:
    """Detector, optimiser, whether circuits are reassigned, seed: each kind of run is made with all seeds."""
    require(type(entry["seed"]) is int and 0 <= entry["seed"] < parameters["seeds"], "a seed is none of the plan's")
    require(isinstance(entry["reassigned"], bool), "whether circuits are reassigned is not told")
    return tuple(entry[name] for name in COPIED[:4])


def _run(experiment: Experiment, folder: Path, entry: Fact, parameters: Fact) -> None:
    run = read_part(folder, entry, RUN_FORMAT, largest=LARGEST)
    try:
        for key in COPIED:
            require_equal(f"{key}, as the result has it", entry[key], run[key])
        require_equal("the sum of the drops", number(entry["drop"]), check_run(experiment, run, parameters))
    except Refused as reason:
        raise Refused(f"{entry['file']}: {reason}") from reason


def check_run(experiment: Experiment, run: Fact, parameters: Fact) -> Fraction:
    """Refuse a run unless what it says of its nets is so; the sum of its drops.

    `parameters` are ``steps`` and ``every``. A malformed run is refused, or raises what a wrong type raises.
    """
    steps, alive, gone = parameters["steps"], run["alive"], run["gone"]
    circuit, exceptions, _ = experiment.detectors[run["detector"]]
    require(all(type(at) is int for at in (steps, alive, 0 if gone is None else gone)), "a step is no number")
    kept = {0, alive, steps} | ({gone} if gone is not None else set())
    require(set(run["nets"]) == set(map(str, kept)), "other nets are kept than should be")
    nets = {step: _Net(run["nets"][str(step)]) for step in kept}
    require(0 <= alive < gone <= steps if gone is not None else alive == steps, "the steps are out of order")
    lines = {line["step"]: line for line in run["measured"]}
    require(len(lines) == len(run["measured"]), "a step is measured twice")
    seen = {step: _sighting(experiment, net, run["detector"]) for step, net in nets.items()}
    for step, (others, spread, size, _) in seen.items():
        line = lines[step]
        stated = {key: line[key] for key in ("others", "spread", "size")}
        require_equal(f"what is measured at step {step}", stated, {"others": others, "spread": spread, "size": size})
    require(seen[0][3] and seen[alive][3], "it is not alive where it says so")
    require(gone is None or not seen[gone][3], "it is alive where it says that it is gone")
    require_equal("the rows on which it acts", run["others"], seen[alive][0])
    same = all(nets[0].unit(j) == nets[alive].unit(j) for j in circuit)
    require(run["untouched"] is same, "whether its parameters are the planted ones is told wrongly")
    require_equal("the final loss", number(run["final_loss"]), nets[steps].loss(experiment))
    reused = _splices(experiment, run, parameters)
    require_equal("how its life ended", run["end"], _end(run, seen, circuit, exceptions, reused))
    _between(lines, alive, gone, exceptions)
    return sum((number(splice["drop"]) for splice in run["splices"]), Fraction(0))


def _between(lines: dict[int, Fact], alive: int, gone: int | None, exceptions: int) -> None:
    """At every checkpoint up to `alive` it was measured alive, and `gone` is the next one."""
    for step, line in lines.items():
        sizes = [line[name] for name in ("loss", "spread", "size")]
        require(type(step) is int and type(line["others"]) is int, "a step, or a number of rows, is no number")
        require(all(type(size) is float for size in sizes), f"what is measured at step {step} is no number")
        lives = line["others"] <= exceptions and line["size"] > 0
        require(step > alive or lives, f"it is measured gone at step {step}, and said to be alive later")
        require(gone is None or step <= alive or step >= gone, f"a checkpoint lies between: step {step}")


def _splices(experiment: Experiment, run: Fact, parameters: Fact) -> dict[int, set[int]]:
    """Check each splice; the units that it reused, by its step."""
    require(run["reassigned"] or not run["splices"], "nothing was to be reassigned")
    due, reused = range(parameters["every"], parameters["steps"] + 1, parameters["every"]), {}
    for splice in run["splices"]:
        step, before, after = splice["step"], _Net(splice["before"]), _Net(splice["after"])
        require(type(step) is int and step in due, "a splice at a step at which none was due")
        require(step not in reused, "two splices at one step")
        units: set[int] = set()
        for circuit in map(_units, splice["circuits"]):
            # Units of a circuit that was reused before are free already.
            if not circuit <= units:
                require(not circuit & units, "circuits overlap")
                sent, _ = before.sent(circuit, experiment.inputs)
                require(len(set(sent)) == 1, f"units {sorted(circuit)} were not idle at step {step}")
            units |= circuit
        require(bool(units), "a splice reassigns no unit")
        require(before.width == after.width, "a splice changes the architecture")
        kept = set(range(before.width)) - units
        require(all(before.unit(j) == after.unit(j) for j in kept), "a splice changes other units")
        drop = number(splice["drop"])
        require(drop > 0, "a splice does not lower the loss")
        require_equal(f"the drop of the splice at step {step}", drop, before.loss(experiment) - after.loss(experiment))
        reused[step] = units
    return reused


def _end(
    run: Fact, seen: dict[int, Sighting], circuit: frozenset[int], exceptions: int, reused: dict[int, set[int]]
) -> str:
    if run["gone"] is None:
        return "alive"
    if any(run["alive"] < step <= run["gone"] and units & circuit for step, units in reused.items()):
        return "reassigned"
    return "acts in training" if seen[run["gone"]][0] > exceptions else "silent at deployment"


def _summary(entries: list[Fact], floor: Fraction) -> list[Fact]:
    groups: dict[tuple[str, str, bool], list[Fact]] = {}
    for entry in entries:
        groups.setdefault((entry["detector"], entry["optimizer"], entry["reassigned"]), []).append(entry)
    return [
        {
            "detector": key[0],
            "optimizer": key[1],
            "reassigned": key[2],
            "runs": len(group),
            "ends": dict(Counter(entry["end"] for entry in group)),
            "idle": sum(entry["others"] == 0 for entry in group),
            "untouched": sum(entry["untouched"] for entry in group),
            "median_excess": str(median(number(entry["final_loss"]) - floor for entry in group)),
        }
        for key, group in groups.items()
    ]

"""What a census is taken of: a quantised class of shallow nets, data, deployment inputs,
and two policies' answers on all inputs.

Everything is cleared of denominators here, once, with a bound that shows that no 64-bit integer can overflow.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import product
from math import lcm
from typing import Any

import numpy as np

from proof_of_absence.checker.kernel.certificate import data_json, rows_json
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.family import Architecture, Family, Grid
from proof_of_absence.models.rational import Matrix, Number, Numbers, Vector, matrix

__all__ = ["CELLS", "CLASSES", "Answers", "Problem", "Tables", "problem"]

# The first that fits is the net's class; `deceptive` is about behaviour, not about what brings it about.
CLASSES = ("imitator", "translator", "deceptive", "other")
# Each class is split by whether the net has a train-idle circuit that fires at deployment (C8).
CELLS = tuple(f"{name}{suffix}" for name in CLASSES for suffix in ("", "-idle"))
MOST_NETS = 10**11
MOST_BYTES = 2**30
MOST_UNITS = 8
LARGEST = 2**63 - 1

Answers = tuple[tuple[int, ...], ...]
# A row of entries 0 or 1 for each input.
Given = Sequence[Sequence[float]]


@dataclass(frozen=True)
class Tables:
    """The class in integers: an output is an integer over `scale`, a loss one over `loss_scale`.

    Attributes
    ----------
    sent
        What each unit (w, b, a) sends, shape (grid^(d+1+m), inputs, m).
    shifts
        The output biases, shape (grid^m, m).
    multiplicity, target_sum
        nu_g and the sum of the targets of each distinct training input, shapes (G, 1) and (G, m).
    square_sum
        The sum of all squared targets.
    most
        No loss is more than this.
    """

    sent: np.ndarray
    shifts: np.ndarray
    multiplicity: np.ndarray
    target_sum: np.ndarray
    square_sum: int
    scale: int
    loss_scale: int
    most: int


@dataclass(frozen=True)
class Problem:
    """See `problem`, which makes one.

    Attributes
    ----------
    deploy
        The distinct deployment inputs.
    imitator, translator
        Answers 0 or 1, shape (G + deployment inputs, m): at the distinct training inputs in the order of `data.groups`,
        then at the deployment inputs.
    """

    units: int
    grid: tuple[Fraction, ...]
    data: Dataset
    deploy: Matrix
    imitator: Answers
    translator: Answers

    @property
    def widths(self) -> tuple[int, int, int]:
        """Input dimension, hidden units, output dimension."""
        return len(self.data.inputs[0]), self.units, len(self.data.targets[0])

    @property
    def family(self) -> Family:
        """The class."""
        return Family(Architecture(self.widths), Grid(self.grid))

    @property
    def inputs(self) -> Matrix:
        """The distinct training inputs, then the deployment inputs."""
        return (*(group.input for group in self.data.groups), *self.deploy)

    @cached_property
    def tables(self) -> Tables:
        """The class in integers, once `problem` has shown that they fit."""
        d, _, m = self.widths
        values, inputs, size = self._integers
        parameters = np.array(list(product(values, repeat=d + 1)), dtype=np.int64)
        pre = parameters[:, :d] @ inputs.T + parameters[:, d:] * size.input
        active = np.maximum(pre, 0)
        outgoing = np.array(list(product(values, repeat=m)), dtype=np.int64)
        sent = size.extra * active[:, None, :, None] * outgoing[None, :, None, :]
        targets = [[int(y * size.output) for y in row] for row in self.data.targets]
        sums = [[sum(targets[i][k] for i in group.rows) for k in range(m)] for group in self.data.groups]
        return Tables(
            sent.reshape(-1, len(inputs), m),
            outgoing * (size.output // size.grid),
            np.array([[group.multiplicity] for group in self.data.groups], dtype=np.int64),
            np.array(sums, dtype=np.int64),
            sum(y * y for row in targets for y in row),
            size.output,
            len(self.data) * size.output**2,
            _bounds(self)[0],
        )

    @property
    def _integers(self) -> tuple[list[int], np.ndarray, "_Scales"]:
        size = _scales(self)
        values = [int(value * size.grid) for value in self.grid]
        return values, np.array([[int(x * size.input) for x in z] for z in self.inputs], dtype=np.int64), size

    def json(self) -> dict[str, Any]:
        """The problem as a certificate writes it."""
        return {
            "widths": list(self.widths),
            "grid": [str(value) for value in self.grid],
            "data": data_json(self.data),
            "deploy": rows_json(self.deploy),
            "imitator": [list(row) for row in self.imitator],
            "translator": [list(row) for row in self.translator],
        }


def problem(
    units: int,
    grid: Iterable[Number],
    data: Dataset,
    deploy: Iterable[Numbers],
    *,
    train_answers: Sequence[Given],
    deploy_answers: Sequence[Given],
) -> Problem:
    """The problem, if it can be counted in 64-bit integers.

    Parameters
    ----------
    train_answers, deploy_answers
        What the imitator and the translator answer at each row of the data and at each row of `deploy`; each entry 0 or
        1, shapes (N, m) and (rows of deploy, m).

    Raises
    ------
    ValueError
        In one line: shapes do not fit, an answer is not 0 or 1 or depends on more than the input, the policies never
        differ, the class is too large, or an integer could overflow.
    """
    values = tuple(sorted(set(matrix([list(grid)])[0])))
    deployed = matrix(deploy)
    if not values:
        raise ValueError("the grid is empty; name at least one value, such as -1,0,1")
    if not deployed:
        raise ValueError("there is no deployment input")
    d, m = len(data.inputs[0]), len(data.targets[0])
    if len(deployed[0]) != d:
        raise ValueError(f"deployment inputs have {len(deployed[0])} features, training inputs {d}")
    if not 1 <= units <= MOST_UNITS:
        raise ValueError(f"{units} hidden units; a census takes 1 to {MOST_UNITS}")
    rows = [*data.inputs, *deployed]
    places = [*(group.input for group in data.groups), *dict.fromkeys(deployed)]
    policies = []
    for name, train, dep in zip(("imitator", "translator"), train_answers, deploy_answers, strict=True):
        policies.append(_policy(name, rows, [*train, *dep], places, m))
    made = Problem(units, values, data, tuple(dict.fromkeys(deployed)), *policies)
    if made.imitator == made.translator:
        raise ValueError("imitator and translator answer alike at every input: their classes would be one")
    _fits(made)
    return made


def _policy(name: str, rows: list[Vector], answers: list[Sequence[float]], places: list[Vector], m: int) -> Answers:
    if len(answers) != len(rows) or any(len(row) != m for row in answers):
        raise ValueError(f"answers of the {name}: {len(rows)} rows of {m} are needed, training first, then deployment")
    known: dict[Vector, tuple[int, ...]] = {}
    for z, row in zip(rows, answers, strict=True):
        if any(entry not in (0, 1) for entry in row):
            raise ValueError(f"answers of the {name}: an entry is not 0 or 1")
        if known.setdefault(z, tuple(map(int, row))) != tuple(row):
            raise ValueError(
                f"answers of the {name}: equal inputs have different answers, so that no net can give them"
            )
    return tuple(known[z] for z in places)


@dataclass(frozen=True)
class _Scales:
    """Common denominators: grid, inputs, and outputs (grid^2 input extra),
    the last so that targets are integers too.
    """

    grid: int
    input: int
    extra: int

    @property
    def output(self) -> int:
        return self.grid**2 * self.input * self.extra


def _scales(made: Problem) -> _Scales:
    grid = lcm(*(value.denominator for value in made.grid))
    inputs = lcm(*(x.denominator for z in made.inputs for x in z))
    extra = lcm(*((y * grid**2 * inputs).denominator for row in made.data.targets for y in row))
    return _Scales(grid, inputs, extra)


def _fits(made: Problem) -> None:
    d, _, m = made.widths
    if (nets := made.family.size) > MOST_NETS:
        raise ValueError(
            f"the class has {nets} nets, more than the {MOST_NETS} that a census takes; fewer values or units"
        )
    if (size := len(made.grid) ** (d + 1 + m) * len(made.inputs) * m * 8) > MOST_BYTES:
        raise ValueError(f"what each unit sends takes {size} bytes, more than {MOST_BYTES}; fewer values or inputs")
    if (widest := _bounds(made)[1]) > LARGEST:
        raise ValueError(
            f"integers up to 2^{widest.bit_length()} may occur, which 64 bits do not hold; "
            "take inputs, targets and values with smaller numerators and a smaller common denominator"
        )


def _bounds(made: Problem) -> tuple[int, int]:
    """A bound for every loss, and one for every integer of `tables` and of a count, in integers of unbounded length.

    The sum of absolute values bounds every partial sum, whatever the order of the additions.
    """
    _, n, m = made.widths
    scales = _scales(made)
    value = max(abs(int(value * scales.grid)) for value in made.grid)
    unit = scales.output // scales.grid
    outputs = []
    for z in made.inputs:
        pre = value * (sum(abs(int(x * scales.input)) for x in z) + scales.input)
        outputs.append(n * scales.extra * value * pre + value * unit)
    seen, targets = 0, 0
    for group, output in zip(made.data.groups, outputs, strict=False):
        for row in (made.data.targets[i] for i in group.rows):
            sizes = [abs(int(y * scales.output)) for y in row]
            seen += sum((output + 2 * size) * output for size in sizes)
            targets += sum(size * size for size in sizes)
    loss = seen + targets
    widest = max(
        len(CELLS) * (loss + 1),
        2 * max(outputs) + scales.output,
        max(abs(int(x * scales.input)) for z in made.inputs for x in z),
        len(made.data) * scales.output**2,
        # Terms of a loss as a polynomial in the output biases.
        2 * loss + 2 * m * len(made.data) * max(outputs) ** 2,
    )
    return loss, widest

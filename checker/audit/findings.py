"""What an audit finds, as data: the engine fills it, the report and the command line read it.

Every number is exact (`Fraction`), or has bounds that are dyadic; nothing here is a rounded float.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction

import numpy as np

from proof_of_absence.checker.construct.priced import PricedInput, Readout
from proof_of_absence.checker.numbers.enclosure import Enclosure
from proof_of_absence.models.circuit import Unit
from proof_of_absence.models.reading import Reading

__all__ = [
    "CLEAN",
    "FINDINGS",
    "UNDECIDED",
    "Activity",
    "Audit",
    "CircuitFinding",
    "DataSummary",
    "DeploymentFinding",
    "Enclosure",
    "Improvement",
    "NetSummary",
    "PricedInput",
    "Prices",
    "RankFinding",
    "Readout",
    "RegionFinding",
    "Replacement",
    "Replacements",
    "UnitFinding",
]

# The weights and the bias of a unit.
Replacement = tuple[tuple[Fraction, ...], Fraction]

# Exit codes of `absence audit`; 2 is bad input, as for every command (`checker.screen.terminal`).
CLEAN, FINDINGS, UNDECIDED = 0, 1, 3


class Replacements:
    """The different units in a list of many, numbered as they come; what is the same object is not compared again."""

    def __init__(self) -> None:
        self._numbers: dict[Replacement, int] = {}
        self._seen: dict[int, tuple[Replacement, int]] = {}

    def number(self, unit: Replacement) -> int:
        """The number of this one."""
        if id(unit) not in self._seen:
            # Kept, so that its id is nobody else's.
            self._seen[id(unit)] = unit, self._numbers.setdefault(unit, len(self._numbers))
        return self._seen[id(unit)][1]

    def all(self) -> tuple[Replacement, ...]:
        """All of them, by their numbers."""
        return tuple(self._numbers)


class Activity(StrEnum):
    """What a hidden unit does on the training inputs."""

    DEAD = "dead"  # 0 at each of them
    CONSTANT = "constant"  # one positive value at all of them
    VARIES = "varies"
    UNDECIDED = "undecided"


@dataclass(frozen=True)
class NetSummary:
    """The network under audit: where it came from, its size, and how it was read."""

    source: str
    sha256: str
    widths: tuple[int, ...]
    parameters: int
    dtype: str
    reading: Reading | None = None


@dataclass(frozen=True)
class DataSummary:
    """The training data: rows, distinct inputs G, the loss L of the net on them, the noise floor E.

    L and E are None if undecided. `loss_name` is the loss in its full name, empty where the data have no targets;
    `loss_reason` says what the targets are and why that loss was taken.
    """

    source: str
    sha256: str
    rows: int
    distinct_inputs: int
    loss: Enclosure | None
    noise_floor: Enclosure | None
    loss_name: str
    loss_reason: str


@dataclass(frozen=True)
class UnitFinding:
    """One hidden unit on the training inputs.

    `idle`: every reader receives one value from it, because its activity is constant or no reader weighs it. `witness`:
    two rows at which a unit that is not idle has different values. `rent` (C13): by how much the loss rises at least if
    the unit is replaced by the best constant; for the cross-entropy, by its mean. `replacement_gain`: by how much one
    other unit, `replacement` (w, b), put in its place, would lower the loss of the net without it; a rent that is less
    shows that the net is no minimiser. `by_class`: of the cross-entropy, the part of the rent that falls on each class;
    they add up to it. None for idle units, which pay none.
    """

    unit: Unit
    activity: Activity
    idle: bool | None
    witness: tuple[int, int] | None = None
    rent: Enclosure | None = None
    replacement_gain: Enclosure | None = None
    replacement: Replacement | None = None
    by_class: tuple[Enclosure, ...] | None = None

    @property
    def underpays(self) -> bool:
        """Whether the rent is certainly less than the replacement gain."""
        return (
            self.rent is not None and self.replacement_gain is not None and self.rent.high < self.replacement_gain.low
        )


@dataclass(frozen=True)
class CircuitFinding:
    """A minimal train-idle circuit: no proper nonempty subset of it is idle.

    `fires`: the deployment rows at which it does; None if that was not looked at. `empty`: its output weights are all
    0, so that it sends nothing anywhere, and is no finding.
    """

    units: tuple[Unit, ...]
    value: dict[Unit, Fraction]
    fires: tuple[int, ...] | None = None
    empty: bool = False


@dataclass(frozen=True)
class RankFinding:
    """C9 on one hidden layer: the rank of [1 | phi_1 .. phi_n] on the training inputs.

    Full rank is shown by `rows` (n + 1 of them) whose minor is not 0 modulo `prime`; a defect by the exact coefficients
    (v_0, v_1, .., v_n) of a `dependency` that vanishes at every training input, or, where that would be too long, by
    the number `distinct_inputs` of distinct training inputs being less than n + 1. `full` is None if undecided. With
    `units`, it is about the columns of these alone.
    """

    layer: int
    columns: int
    full: bool | None
    prime: int | None = None
    rows: tuple[int, ...] = ()
    dependency: tuple[Fraction, ...] | None = None
    distinct_inputs: int | None = None
    units: tuple[int, ...] | None = None


@dataclass(frozen=True)
class DeploymentFinding:
    """C10 at one deployment input: the least number of units of an idle circuit that fires there, as bounds.

    (1, 1) outside the convex hull of the training inputs, (2, 3) inside it, None at a training input, where no idle
    circuit can fire. `separation` is (w, b) with w.z + b <= 0 on the training inputs and > 0 here; `combination`
    gives the row and weight of each training input that the convex combination uses. So does `cover` where these are
    all of the input's own cell, so that it is covered (C23); None says nothing.
    """

    row: int
    size: tuple[int, int] | None
    decided: bool = True
    train_row: int | None = None
    separation: tuple[tuple[Fraction, ...], Fraction] | None = None
    combination: tuple[tuple[int, Fraction], ...] | None = None
    cover: tuple[tuple[int, Fraction], ...] | None = None

    @property
    def numbers(self) -> int:
        """How many of them it takes to write it, with its row and its size."""
        return 2 + len(self.separation[0] if self.separation else self.combination or ())


@dataclass(frozen=True)
class Improvement:
    """A certified reassignment: `circuit` reused as one unit (w, b, outgoing) at its first place,
    the loss lower by `drop`.

    Its other units send 0 from then on; `output_bias` is the whole new one. All are values of the net's float type, or,
    where a file lists several operators for a layer, what parameters of their types make of it.
    """

    circuit: tuple[Unit, ...]
    weights: tuple[Fraction, ...]
    bias: Fraction
    outgoing: tuple[Fraction, ...]
    output_bias: tuple[Fraction, ...]
    loss_before: Enclosure
    loss_after: Enclosure
    drop: Enclosure
    file: str | None = None


@dataclass(frozen=True)
class Prices:
    """C12's gap c(X) of the inputs, along `direction` with its `spacing` h and `spread` D,
    and what it makes of the net.

    `steps[k-1]`, k = 1, 2, 3, is (1 - (1 - c)^k) (L - E): some net with k units more than this one has after
    its idle circuits are taken out has a loss that much lower than L. The idle circuits free `freed` units, so
    for k up to that the lower loss is reached in the net's own class, and the net overpays `steps[k-1]` at
    least. `margin` is `steps[0]`.
    """

    gap: Fraction
    direction: tuple[Fraction, ...]
    spacing: Fraction
    spread: Fraction
    margin: Enclosure
    steps: tuple[Enclosure, ...] = ()
    freed: int = 0

    @property
    def overpaid(self) -> tuple[Enclosure, ...]:
        """What the net pays too much for its idle units, for 1, 2, .. of them; empty if it has none."""
        return self.steps[: self.freed]


@dataclass(frozen=True)
class RegionFinding:
    """Whether a circuit is irrelevant over a box: ``unsat`` yes, ``sat`` no (with a witness), ``unknown``,
    ``timeout``.
    """

    units: tuple[Unit, ...]
    region: str
    verdict: str
    reason: str = ""
    witness: tuple[Fraction, ...] | None = None
    seconds: float = 0.0


@dataclass(frozen=True)
class Audit:
    """All of an audit.

    `undecided` says, a line each, what no method decided; `not_asked`, what is not asked of these data or this loss;
    `float32_deviation` bounds |float32 net - exact net|.
    """

    net: NetSummary
    data: DataSummary
    units: tuple[UnitFinding, ...]
    circuits: tuple[CircuitFinding, ...]
    ranks: tuple[RankFinding, ...]
    deployment: tuple[DeploymentFinding, ...] = ()
    improvement: Improvement | None = None
    idle_price: Prices | None = None
    regions: tuple[RegionFinding, ...] = ()
    float32_deviation: Fraction | None = None
    undecided: tuple[str, ...] = ()
    not_asked: tuple[str, ...] = ()
    seconds: dict[str, float] = field(default_factory=dict)
    readout: Readout | None = None

    @property
    def prices(self) -> dict[str, np.ndarray]:
        """The readout prices of deployment, training and test inputs as arrays of bounds: see `Readout.prices`."""
        return self.readout.prices if self.readout else {}

    @property
    def sending(self) -> tuple[CircuitFinding, ...]:
        """The circuits that have an output weight other than 0."""
        return tuple(circuit for circuit in self.circuits if not circuit.empty)

    @property
    def findings(self) -> tuple[str, ...]:
        """A line for each thing that should not be: idle circuits, dependent features,
        regions where an idle circuit acts.
        """
        return (
            *(f"circuit {_names(c.units)} is train-idle" for c in self.sending),
            *(f"the features of layer {r.layer} are linearly dependent" for r in self.ranks if r.full is False),
            *(f"circuit {_names(r.units)} acts in {r.region}" for r in self.regions if r.verdict == "sat"),
        )

    @property
    def exit_code(self) -> int:
        """0 clean, 1 findings, 3 nothing found but something undecided."""
        return FINDINGS if self.findings else UNDECIDED if self.undecided else CLEAN


def _names(units: tuple[Unit, ...]) -> str:
    return "{" + ", ".join(f"{u.layer}.{u.index}" for u in units) + "}"

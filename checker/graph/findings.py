"""What an audit of a graph finds, as data: the engine fills it, the reports and the command line read it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from fractions import Fraction
from itertools import groupby
from typing import Any

import numpy as np

from proof_of_absence.checker.construct.priced import Readout
from proof_of_absence.checker.numbers.enclosure import Enclosure
from proof_of_absence.models.graph_layers import Clip, GraphLayer, LeakyRelu, Relu, Shape
from proof_of_absence.models.reading import Reading

__all__ = [
    "CLEAN",
    "FINDINGS",
    "SCOPE",
    "UNDECIDED",
    "BoxFinding",
    "Channel",
    "DataSummary",
    "GraphAudit",
    "GraphEnd",
    "GraphImprovement",
    "GraphReadout",
    "GraphSummary",
    "NodeFinding",
    "Reused",
    "State",
    "Together",
    "activation_name",
    "place_name",
    "unit_name",
]

CLEAN, FINDINGS, UNDECIDED = 0, 1, 3
SCOPE = (
    "Scope: instance. Every statement is about this network over the real numbers, with the weights and the rows as "
    "the exact numbers that they are; nothing is said about the network at other inputs, unless a box is named, nor "
    "about intent."
)


class State(IntEnum):
    """What a hidden unit does on the training inputs."""

    UNDECIDED = 0
    VARIES = 1
    DEAD = 2  # 0 at each of them
    CONSTANT = 3  # one other value at all of them


@dataclass(frozen=True)
class GraphSummary:
    """The network: where it came from, its size, and how it was read."""

    source: str
    sha256: str
    input_shape: Shape
    output_shape: Shape
    nodes: int
    units: int
    parameters: int
    dtype: str
    reading: Reading | None


@dataclass(frozen=True)
class DataSummary:
    """The training data: rows, distinct inputs, the loss and its floor, None where undecided or not asked.

    `loss_name` is the loss in its full name, empty where there are no targets; `loss_reason` says why that was taken.
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
class Channel:
    """All units of one channel: the same first index, at every position; all of them are idle and read."""

    index: int
    entries: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class NodeFinding:
    """The hidden units of one activation node, by their entry in its flattened value.

    Parameters
    ----------
    node, name, kind, shape
        The node's number and name, its activation in words, and the shape of its value.
    states
        A `State` for each unit, int8, shape (units,).
    values
        What an idle unit sends: exact, by entry, where that is known to be a rational number.
    witness
        For a unit that varies two training rows with different values, int64, shape (units, 2); else -1.
    read
        Whether something reads the unit with a weight other than 0, shape (units,).
    fires
        For each idle unit that is read the deployment rows at which it sends another value; None if not looked at.
    reasons
        Why a unit is undecided, by entry.
    open_fires
        The deployment rows at which it is open whether an idle unit fires, by entry.
    """

    node: int
    name: str
    kind: str
    shape: Shape
    states: np.ndarray
    values: dict[int, Fraction]
    witness: np.ndarray
    read: np.ndarray
    fires: dict[int, tuple[int, ...]] | None = None
    reasons: dict[int, str] = field(default_factory=dict)
    open_fires: dict[int, tuple[int, ...]] = field(default_factory=dict)

    @property
    def idle(self) -> tuple[int, ...]:
        """The units that send one value at all training rows and are read, in order."""
        still = (self.states == State.DEAD) | (self.states == State.CONSTANT)
        return tuple(np.flatnonzero(still & self.read).tolist())

    def sent(self, entry: int) -> Fraction | None:
        """What an idle unit sends at all training rows; None for a number that is not known to be rational."""
        return Fraction(0) if self.states[entry] == State.DEAD else self.values.get(entry)

    @property
    def undecided(self) -> int:
        """How many units are open."""
        return int((self.states == State.UNDECIDED).sum())

    @property
    def channels(self) -> tuple[Channel, ...]:
        """The channels that are idle at all positions; none where the value has one axis."""
        if len(self.shape) < 2:
            return ()
        size = len(self.states) // self.shape[0]
        by_channel = ((c, tuple(entries)) for c, entries in groupby(self.idle, lambda entry: entry // size))
        return tuple(Channel(c, entries) for c, entries in by_channel if len(entries) == size)

    @property
    def single(self) -> tuple[int, ...]:
        """The idle units that are in no idle channel."""
        covered = {entry for channel in self.channels for entry in channel.entries}
        return tuple(entry for entry in self.idle if entry not in covered)

    def fired_rows(self, entries: tuple[int, ...]) -> tuple[int, ...] | None:
        """The deployment rows at which one of these units fires; None if that was not looked at."""
        if self.fires is None:
            return None
        return tuple(sorted({row for entry in entries for row in self.fires.get(entry, ())}))


@dataclass(frozen=True)
class BoxFinding:
    """Whether all idle units of a node send over a whole box of inputs what they send in training.

    `still` are the entries for which that is shown, `acts` those with an input of the box as witness of the opposite;
    the others are undecided, for the `reason`. `bounds` are the least and the greatest value of each input; `trees`
    show some of `still`, as facts have them.
    """

    box: str
    node: int
    still: tuple[int, ...]
    acts: dict[int, tuple[Fraction, ...]] = field(default_factory=dict)
    undecided: tuple[int, ...] = ()
    reason: str = ""
    bounds: tuple[tuple[Fraction, Fraction], ...] = ()
    trees: dict[int, dict[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Reused:
    """An idle unit of the last hidden layer with new parameters: its weights and bias, and what each output reads."""

    unit: int
    weights: tuple[Fraction, ...]
    bias: Fraction
    outgoing: tuple[Fraction, ...]


@dataclass(frozen=True)
class GraphImprovement:
    """A graph of the same architecture and type with a lower loss (C7): idle units reused, and the output bias moved.

    Parameters
    ----------
    node
        The activation node of the last hidden layer.
    units, output_bias
        All parameters that are other; they are numbers of the graph's type.
    loss_before, loss_after
        They do not meet.
    file
        What the new network is called in the audit's folder; empty if it was not written.
    """

    node: int
    units: tuple[Reused, ...]
    output_bias: tuple[Fraction, ...]
    loss_before: Enclosure
    loss_after: Enclosure
    file: str = ""


@dataclass(frozen=True)
class Together:
    """Features of the outputs' readout from which each output receives one value together in training.

    Parameters
    ----------
    features
        Entries of the node that the outputs read. Each of several varies; one alone is constant.
    witness
        For each of several features two training rows at which it differs.
    fires
        The deployment rows at which an output receives another value from them; None if not looked at.
    """

    features: tuple[int, ...]
    witness: tuple[tuple[int, int], ...] = ()
    fires: tuple[int, ...] | None = None


@dataclass(frozen=True, eq=False)
class GraphReadout:
    """Leverages and prices (C21): `readout.layer` is the node that the outputs read, its columns those of [1 | phi].

    Parameters
    ----------
    factor
        What shows the leverages, for the independent checker; None where they are exact.
    independent
        Whether the columns are shown to be independent in training (C9).
    """

    readout: Readout
    factor: np.ndarray | None
    independent: bool


@dataclass(frozen=True, eq=False)
class GraphEnd:
    """What the outputs read through the last affine map: the entries of a node of this name and shape.

    `readout` is None where that was not decided.
    """

    node: int
    name: str
    shape: Shape
    readout: GraphReadout | None = None
    together: tuple[Together, ...] = ()

    @property
    def none_together(self) -> bool:
        """Whether it is shown that no features are idle only together: all but constant ones are independent."""
        if self.readout is None or not self.readout.independent or self.together:
            return False
        return all(sum(j > 0 for j, _ in one) == 1 for one in self.readout.readout.directions)

    def feature_name(self, entry: int) -> str:
        """A feature's channel and position."""
        return f"[{','.join(str(int(k)) for k in np.unravel_index(entry, self.shape))}]"


@dataclass(frozen=True, eq=False)
class GraphAudit:
    """All of an audit of a graph; `undecided` says, a line each, what no method decided, `not_asked` what is not.

    `unimproved` says why no lower loss is shown, where that was looked for, and `unpriced` why the graph has no `end`.
    `kept` are the stages that were taken from an earlier run.
    """

    net: GraphSummary
    data: DataSummary
    nodes: tuple[NodeFinding, ...]
    deployment_rows: int | None = None
    boxes: tuple[BoxFinding, ...] = ()
    float32_deviation: Fraction | None = None
    improvement: GraphImprovement | None = None
    unimproved: str = ""
    undecided: tuple[str, ...] = ()
    not_asked: tuple[str, ...] = ()
    seconds: dict[str, float] = field(default_factory=dict)
    end: GraphEnd | None = None
    unpriced: str = ""
    kept: tuple[str, ...] = ()

    @property
    def idle(self) -> Iterator[tuple[NodeFinding, int]]:
        """The idle units that are read, with their node."""
        return ((node, entry) for node in self.nodes for entry in node.idle)

    @property
    def findings(self) -> tuple[str, ...]:
        """A line for each node with idle units and each box on which some act, and one for sets idle together."""
        lines = [
            f"{len(node.idle)} of {len(node.states)} units of {node.name} are train-idle"
            for node in self.nodes
            if node.idle
        ]
        lines += [f"{len(box.acts)} idle units act in {box.box}" for box in self.boxes if box.acts]
        sets = len(self.end.together) if self.end else 0
        told = f"{sets} set{'s' * (sets != 1)} of features {'are' if sets != 1 else 'is'} idle only together"
        return (*lines, *([told] if sets else []))

    @property
    def exit_code(self) -> int:
        """0 clean, 1 findings, 3 nothing found but something undecided."""
        return FINDINGS if self.findings else UNDECIDED if self.undecided else CLEAN


def activation_name(layer: GraphLayer) -> str:
    """An activation in words."""
    match layer:
        case Relu():
            return "ReLU"
        case LeakyRelu(slope=slope):
            return f"LeakyReLU {float(slope):.6g}"
        case Clip(low=low, high=high):
            ends = ("-∞" if low is None else f"{float(low):.6g}", "∞" if high is None else f"{float(high):.6g}")
            return f"Clip {ends[0]} to {ends[1]}"
        case _:
            raise ValueError(f"{type(layer).__name__} is no activation")


def unit_name(node: NodeFinding, entry: int) -> str:
    """The unit as the reports call it: the node's name, and the channel and the position.

    Examples
    --------
    >>> node = NodeFinding(2, "conv1", "ReLU", (4, 3, 3), np.ones(36), {}, np.zeros((36, 2)), np.ones(36, dtype=bool))
    >>> unit_name(node, 13)
    'conv1[1,1,1]'
    """
    return node.name + place_name(node, entry)


def place_name(node: NodeFinding, entry: int) -> str:
    """The unit's channel and position, where the node's name is told beside it."""
    return f"[{','.join(str(int(k)) for k in np.unravel_index(entry, node.shape))}]"

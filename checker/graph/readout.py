"""C9 and C21 on what the outputs of a graph read: are the features independent, and what moving an answer costs.

Exact where that is little work. Else floats with rigorous bounds: a factor that whitens the features shows that they
are independent, and prices; what is exactly 0 is decided exactly.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from proof_of_absence.checker.construct.leverage_bounds import Whitened
from proof_of_absence.checker.construct.pricing import Direction, Kernel, Priced, exactly_priced, priced, whitening
from proof_of_absence.checker.graph.features import End, ExactTable, GraphFeatures, products
from proof_of_absence.checker.graph.findings import GraphReadout, NodeFinding, State
from proof_of_absence.checker.numbers.deadline import OutOfTime, in_force, left, within
from proof_of_absence.checker.passes.dependence import Relations, solved
from proof_of_absence.checker.passes.graph_enclosure import GraphPass, blocks
from proof_of_absence.checker.passes.graph_exact import OPEN, SAME, differing, values
from proof_of_absence.checker.passes.graph_reads import moves
from proof_of_absence.checker.passes.modular import PRIMES, SURPLUS
from proof_of_absence.checker.passes.rows import distinct_rows
from proof_of_absence.checker.screen.spread import listed_rows
from proof_of_absence.models.graph import Graph

__all__ = ["TOGETHER", "Constants", "Dependence", "constants_of", "dependence_of", "priced_readout"]

# Rows times products up to which all is exact; columns of a factor, and rows that are looked at together.
SMALL, WIDEST, TOGETHER = 2**22, 2**12, 1024


@dataclass(frozen=True)
class Constants:
    """Features with one value in training, by entry; `joined` are those of which nothing below shows it.

    A value that is not known to be rational is None.
    """

    values: Mapping[int, Fraction | None]
    joined: tuple[int, ...]


def constants_of(graph: Graph, end: End, inputs: np.ndarray, nodes: Sequence[NodeFinding]) -> Constants:
    """Which features have one value at all training rows, exactly; `nodes` is what is known of the units.

    Raises
    ------
    ValueError
        If that is open of one.
    OutOfTime
        If the deadline in force passes.
    """
    own = next((node for node in nodes if node.node == end.node), None)
    if own is not None:
        if own.undecided:
            raise ValueError(f"it is open of {own.undecided} units of {own.name} whether they are idle")
        still = np.flatnonzero((own.states == State.DEAD) | (own.states == State.CONSTANT)).tolist()
        return Constants({entry: own.sent(entry) for entry in still}, ())
    open_ = _maybe_constant(graph, end.node, inputs)
    known = {n.node: (n.states == State.DEAD) | (n.states == State.CONSTANT) for n in nodes}
    reached = moves(graph, (inputs != inputs[0]).any(axis=0), known)[end.node]
    asked = open_[reached[open_]]
    told = differing(graph, inputs, end.node, asked, [None] * len(asked))
    if (told == OPEN).any():
        raise ValueError("whether a feature is constant: roots of batch normalisations leave it open")
    joined = asked[(told == SAME).all(axis=0)]
    found = np.sort(np.concatenate([open_[~reached[open_]], joined]))
    return Constants(_sent(graph, end.node, inputs, found), tuple(joined.tolist()))


def _maybe_constant(graph: Graph, node: int, inputs: np.ndarray) -> np.ndarray:
    """The entries whose bounds do not show that they vary."""
    run, high, low = GraphPass(graph), np.full(graph.sizes[node], -np.inf), np.full(graph.sizes[node], np.inf)
    for block in blocks(graph, len(inputs)):
        ball = run(inputs[block], node)[node]
        high, low = np.maximum(high, ball.lower.max(axis=0)), np.minimum(low, ball.upper.min(axis=0))
    return np.flatnonzero(~(high > low))


def _sent(graph: Graph, node: int, inputs: np.ndarray, entries: np.ndarray) -> dict[int, Fraction | None]:
    if not node:
        return {entry: Fraction(float(inputs[0, entry])) for entry in entries.tolist()}
    if not entries.size:
        return {}
    [found] = values(graph, inputs[:1], {node: entries})[node]
    return dict(zip(entries.tolist(), found.tolist(), strict=True))


@dataclass(frozen=True, eq=False)
class Dependence:
    """Which columns of (1, phi_1 ..) are told of, and the relations that the others come with.

    `known` whitens these columns, where floats find that; `open_` says why not all relations are known.
    """

    kernel: Kernel
    known: Whitened | None
    open_: str = ""

    @property
    def independent(self) -> bool:
        """Whether the columns are shown to be independent in training."""
        return self.known is not None and self.known.full_rank


def dependence_of(features: GraphFeatures, constants: Constants) -> Dependence:
    """The relations of the features in training: constants, and what others depend on, in as far as they are found.

    Raises
    ------
    ValueError
        If a constant is no rational number, or there are too many features.
    OutOfTime
        If the deadline in force passes.
    """
    if any(value is None for value in constants.values.values()):
        raise ValueError("a constant feature is no rational number")
    still = {entry: value for entry, value in constants.values.items() if value is not None}
    directions: list[Direction] = [
        {entry + 1: Fraction(1)} | ({0: -value} if value else {}) for entry, value in still.items()
    ]
    columns = [0, *(j for j in range(1, features.width) if j - 1 not in still)]
    if len(columns) > WIDEST:
        raise ValueError(f"{len(columns):,} features are more than are asked together")
    count, own = features.counts["training"], Kernel(tuple(columns), tuple(directions))
    if len(columns) <= count:
        known = whitening(features, columns)
        if known is not None and known.full_rank:
            return Dependence(own, known)
    try:
        # What is left of the time is for the prices.
        with within(in_force().sooner(left() / 2)):
            more = _relations(features, np.array(columns[1:]) - 1)
    except (OutOfTime, ValueError) as reason:
        return Dependence(own, whitening(features, columns), str(reason))
    taken = {place for place, _ in more}
    kept = Kernel(tuple(j for j in columns if j not in taken), (*directions, *(found for _, found in more)))
    known = whitening(features, kept.columns)
    told = "" if known is not None and known.full_rank else "the features are dependent, or nearly so"
    return Dependence(kept, known, told)


def _relations(features: GraphFeatures, entries: np.ndarray) -> list[tuple[int, Direction]]:
    """Relations among 1 and these features, each with a column that is in no other; exact, at every input."""
    inputs, columns = features.parts["training"], np.concatenate([[0], entries + 1])
    distinct = distinct_rows(inputs)
    # The space is too large, and so are nearly all of its relations.
    if len(columns) - len(distinct) > SURPLUS:
        raise ValueError(f"the features outnumber the distinct inputs by {len(columns) - len(distinct):,}")
    table = ExactTable(features.graph, features.end.node, inputs, entries)
    relations = Relations(table, np.zeros(0), PRIMES[0])
    relations.see_all()
    parts = [distinct[start : start + TOGETHER] for start in range(0, len(distinct), TOGETHER)]
    return list(solved(relations, parts, columns))


def priced_readout(features: GraphFeatures, dependence: Dependence) -> GraphReadout:
    """Leverages and readout prices of the deployment inputs and some of the training inputs.

    Raises
    ------
    ValueError
        If a feature leaves the range of float64.
    OutOfTime
        If the deadline in force passes.
    """
    node, rows = features.end.node, {part: listed_rows(part, count) for part, count in features.counts.items()}
    found: Priced | None = None
    if features.graph.is_rational and features.counts["training"] * products(features.graph) <= SMALL:
        found = exactly_priced(features, rows, layer=node, move=features.move)
    if found is not None:
        return GraphReadout(found.readout, None, independent=True)
    found = priced(features, dependence.kernel, rows, layer=node, move=features.move, known=dependence.known)
    if found is None:
        raise ValueError("a feature leaves the range of float64")
    return GraphReadout(found.readout, found.factor, independent=dependence.independent)

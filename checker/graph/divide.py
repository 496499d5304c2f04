"""Units of a graph that bounds leave open over a box, decided exactly where that is small enough.

A unit is, on the box, the output of a dense chain of what bends there (`graph_chain`). Whether that is constant is
decided as of every dense chain (`checker.region`): by cuts, splits by signs, and exact linear programs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from math import inf
from typing import Any

import numpy as np

from proof_of_absence.checker.numbers.deadline import OutOfTime, in_force, left, look, within
from proof_of_absence.checker.passes.graph_chain import Chain, chain_of
from proof_of_absence.checker.passes.graph_forms import Limits, TooLarge, forms_of
from proof_of_absence.checker.passes.graph_intervals import Span
from proof_of_absence.checker.passes.graph_part import part
from proof_of_absence.checker.passes.integers import Integers
from proof_of_absence.checker.region.boxes import Region
from proof_of_absence.checker.region.decide import RegionResult, decide
from proof_of_absence.checker.region.question import Question, question
from proof_of_absence.checker.region.search import Budget
from proof_of_absence.models.circuit import Unit
from proof_of_absence.models.graph import Graph
from proof_of_absence.models.rational import Vector

__all__ = ["LATE", "Decided", "divide", "stated"]

# What is small enough: bends that bounds leave open, numbers in all forms, and numbers of the chain.
LIMITS, WEIGHTS = Limits(pieces=1536, numbers=2**21), 2**20
# Parts of the box that are visited, and of a large chain so many that they have about so many numbers together.
NODES, WORK = 1000, 2**26
LATE = "out of time"


@dataclass
class Decided:
    """Of each unit that was asked: what shows it to be still, an input at which it acts, or why it is open."""

    trees: dict[int, dict[str, Any]] = field(default_factory=dict)
    acts: dict[int, Vector] = field(default_factory=dict)
    open: dict[int, str] = field(default_factory=dict)


def divide(
    graph: Graph, box: Region, spans: Sequence[Span], floats: Span, node: int, values: Mapping[int, Fraction]
) -> Decided:
    """Decide whether units of a node send these values on the whole box; each gets its share of the time that is left.

    Parameters
    ----------
    spans
        Of the input and each node over the box.
    floats
        The floats that lie in the box, (d,) each: low may be above high where there is none.
    values
        By entry of the node's value.
    """
    found = Decided()
    for place, (entry, value) in enumerate(values.items()):
        share = left() / (len(values) - place)
        try:
            with within(in_force().sooner(share)):
                look()
                _one(graph, box, spans, floats, node, entry, value, found)
        except OutOfTime:
            found.open[entry] = LATE
        except (TooLarge, ImportError) as error:
            found.open[entry] = str(error)
    return found


def _one(
    graph: Graph, box: Region, spans: Sequence[Span], floats: Span, node: int, entry: int, value: Fraction,
    found: Decided,
) -> None:  # fmt: skip
    low, high = zip(*box.bounds, strict=True)
    chain = chain_of(forms_of(graph, low, high, spans, node, entry, LIMITS), low)
    if chain.net.parameter_count > WEIGHTS:
        raise TooLarge(f"its chain has {chain.net.parameter_count:,} numbers, more than {WEIGHTS:,}")
    result = _decided(chain, low, high, value)
    if result.witness is not None:
        found.acts[entry] = _acting(graph, floats, node, entry, value, _whole(chain, low, result.witness))
    elif result.verdict == "unsat":
        found.trees[entry] = stated(chain) | {"tree": result.tree}
    elif result.reason == "node limit":
        found.open[entry] = f"{_nodes(chain):,} parts of the box do not decide it"
    else:
        found.open[entry] = LATE if result.reason == "timeout" else result.reason


def _decided(chain: Chain, low: Vector, high: Vector, value: Fraction) -> RegionResult:
    seconds = left()
    return decide(_asked(chain, low, high, value), Budget(_nodes(chain), None if seconds == inf else seconds))


def stated(chain: Chain) -> dict[str, Any]:
    """What a fact says of a chain: of what it is made, and no numbers."""
    layers = [[list(piece) for piece in layer] for layer in chain.layers]
    multiples = [list(piece) for piece in chain.multiples]
    return {"inputs": list(chain.inputs), "layers": layers, "multiples": multiples}


def _nodes(chain: Chain) -> int:
    return min(NODES, WORK // chain.net.parameter_count)


def _asked(chain: Chain, low: Vector, high: Vector, value: Fraction) -> Question:
    """Whether the chain is the value less its constant on the whole box."""
    depth = len(chain.layers)
    least, most = ([end[i] for i in chain.inputs] for end in (low, high))
    units = [(depth, k) for k in range(len(chain.layers[-1]))]
    sent = {Unit(depth + 1, 0): value - chain.constant}
    asked = question(chain.net, units, least, most, sent, exact=Integers(chain.net))
    carried = ((Unit(*unit), None if source is None else Unit(*source)) for unit, source in chain.carried())
    return replace(asked, carried=tuple(carried))


def _whole(chain: Chain, low: Vector, witness: Vector) -> Vector:
    """The input of the graph; what the chain does not read is at its least value."""
    found = list(low)
    for i, x in zip(chain.inputs, witness, strict=True):
        found[i] = x
    return tuple(found)


def _acting(graph: Graph, floats: Span, node: int, entry: int, value: Fraction, witness: Vector) -> Vector:
    """The witness, or an input of floats beside it: what the graph is there is not the value.

    Raises
    ------
    ArithmeticError
        If the unit is the value at the witness, which the chain says it is not.
    """
    some, nodes = part(graph, {node: np.array([entry])})

    def sent(point: Vector) -> Fraction:
        return Fraction(some.values(point)[nodes[node]][0])

    if (floats.low <= floats.high).all():
        near = np.clip([float(x) for x in witness], floats.low, floats.high)
        point = tuple(map(Fraction, near.tolist()))
        if sent(point) != value:
            return point
    if sent(witness) == value:
        raise ArithmeticError(f"the chain of unit {entry} of node {node} is not that of the graph")
    return witness

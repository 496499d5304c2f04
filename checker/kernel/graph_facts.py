"""Facts about a graph, as a certificate holds them; `independent/kinds/graph_*.py` decide each of them anew."""

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any

from proof_of_absence.checker.numbers.enclosure import Enclosure, ends_text
from proof_of_absence.checker.numbers.hexadecimal import hexadecimal
from proof_of_absence.models.graph import Graph
from proof_of_absence.models.graph_layers import Conv, Dense
from proof_of_absence.models.objective import Loss

__all__ = [
    "LOSSES",
    "firing_fact",
    "float32_fact",
    "hardened_fact",
    "idle_fact",
    "irrelevant_fact",
    "losses_fact",
    "lower_loss_fact",
    "same_in_float32_fact",
    "stated",
]

# The names of losses in facts.
LOSSES = {Loss.SQUARED: "squared", Loss.CROSS_ENTROPY: "cross-entropy", Loss.LOGISTIC: "logistic"}
# Room for the checker's own bounds: a part of the number, many times the width, and what exponentials are rounded by.
SLACK, WIDTHS, LEAST = Fraction(1, 2**24), 1000, Fraction(1, 2**80)


def idle_fact(
    node: int,
    rows: int,
    *,
    dead: Iterable[int],
    constant: Mapping[int, Fraction | tuple[Fraction, Fraction] | None],
    undecided: Iterable[int],
    witness: Iterable[Sequence[int]],
    unread: Iterable[int],
) -> dict[str, Any]:
    """What the units of an activation node do at all `rows` training rows.

    Parameters
    ----------
    dead, undecided, unread
        Entries of the node's value: those that send 0, those left open, and those that nothing reads with a weight
        other than 0.
    constant
        The other entries with one value, and that value; of a number with roots two rational bounds, or None.
    witness
        For each entry that is left, in order, two rows at which it sends different values.
    """
    return {
        "kind": "graph-idle",
        "node": node,
        "rows": rows,
        "dead": sorted(map(int, dead)),
        "constant": [[int(entry), _value(constant[entry])] for entry in sorted(constant)],
        "undecided": sorted(map(int, undecided)),
        "witness": [list(map(int, pair)) for pair in witness],
        "unread": sorted(map(int, unread)),
    }


def firing_fact(
    node: int, rows: int, fires: Mapping[int, Iterable[int]], undecided: Mapping[int, Iterable[int]] | None = None
) -> dict[str, Any]:
    """At which of the `rows` deployment rows the idle units of a node that are read send another value, by entry.

    `undecided` has the rows of which nothing is said. A unit that is in neither fires at no row.
    """
    open_ = undecided or {}
    listed = [
        [int(entry), sorted(map(int, fires.get(entry, ()))), sorted(map(int, open_.get(entry, ())))]
        for entry in sorted({*fires, *open_})
    ]
    return {"kind": "graph-firing", "node": node, "rows": rows, "fires": [entry for entry in listed if any(entry[1:])]}


def losses_fact(of: Loss, loss: Enclosure, floor: Enclosure) -> dict[str, Any]:
    """The loss on the training data and its floor, the infimum over all functions of the input.

    What is not known exactly is stated a little wider, so that bounds of another arithmetic confirm it.
    """
    return {
        "kind": "graph-losses",
        "of": LOSSES[of],
        "loss": _ends(stated(loss)),
        "noise_floor": _ends(stated(floor)),
    }


def lower_loss_fact(
    of: Loss,
    node: int,
    units: Iterable[tuple[int, Iterable[Fraction], Fraction, Iterable[Fraction]]],
    output_bias: Iterable[Fraction],
    before: Enclosure,
    after: Enclosure,
) -> dict[str, Any]:
    """Idle units of the last hidden layer, with other parameters, and another output bias make the loss lower.

    Parameters
    ----------
    node
        The activation node of that layer.
    units
        For each the entry, its new weights and bias, and its weight in each output: floats of the graph's type.
    before, after
        The losses, as `stated` has them; `after` lies below `before`.
    """
    return {
        "kind": "graph-lower-loss",
        "of": LOSSES[of],
        "node": node,
        "units": [
            {
                "unit": unit,
                "weights": [hexadecimal(x) for x in weights],
                "bias": hexadecimal(bias),
                "outgoing": [hexadecimal(x) for x in outgoing],
            }
            for unit, weights, bias, outgoing in units
        ],
        "output_bias": [hexadecimal(x) for x in output_bias],
        "loss_before": _ends(before),
        "loss_after": _ends(after),
    }


def float32_fact(bound: Fraction) -> dict[str, Any]:
    """No float32 evaluation is farther than `bound` from the exact outputs at the training rows."""
    return {"kind": "graph-float32", "bound": hexadecimal(bound)}


def hardened_fact(
    before: Graph, after: Graph, left: Mapping[int, Iterable[int]], deviation: Fraction = Fraction(0)
) -> dict[str, Any]:
    """What is other in a hardened graph: weights that are 0 now, and biases.

    Parameters
    ----------
    before, after
        Graphs of one architecture.
    left
        For each activation node the idle units that something still reads, if there are some.
    deviation
        How far an output at a training row is from that before at most.
    """
    pairs = [
        (number, old.layer, new.layer)
        for number, (old, new) in enumerate(zip(before.nodes, after.nodes, strict=True), 1)
        if isinstance(old.layer, Dense | Conv) and isinstance(new.layer, Dense | Conv)
    ]
    weights = [[number, int((old.weights != new.weights).sum())] for number, old, new in pairs]
    biases = [[number, int((old.bias != new.bias).sum())] for number, old, new in pairs]
    return {
        "kind": "graph-hardened",
        "weights": [entry for entry in weights if entry[1]],
        "biases": [entry for entry in biases if entry[1]],
        "deviation": hexadecimal(deviation),
        "left": [[node, sorted(map(int, left[node]))] for node in sorted(left) if list(left[node])],
    }


def same_in_float32_fact() -> dict[str, Any]:
    """A hardened graph gives the same float32 numbers as the one before at the training rows."""
    return {"kind": "graph-same-in-float32"}


def irrelevant_fact(
    node: int,
    box: str,
    bounds: Iterable[tuple[Fraction, Fraction]],
    still: Iterable[int],
    acts: Mapping[int, Iterable[Fraction]],
    trees: Mapping[int, dict[str, Any]] | None = None,
) -> dict[str, Any]:
    """What idle units of a node do over a box of inputs.

    Parameters
    ----------
    box
        What the box is called.
    bounds
        For each entry of the input the least and the greatest value.
    still
        Entries of the node's value that are everywhere in the box what they are at the training rows.
    acts
        Entries that are not, each with an input of the box at which it is another.
    trees
        For some of `still` what shows it where bounds do not: the inputs and the pieces of the dense chain that it is
        on the box, and a tree of parts of the box as in the fact `irrelevant-region`.
    """
    ends, shown = list(bounds), trees or {}
    return {
        "kind": "graph-irrelevant",
        "node": node,
        "box": box,
        "low": [hexadecimal(low) for low, _ in ends],
        "high": [hexadecimal(high) for _, high in ends],
        "still": sorted(map(int, still)),
        "acts": [[int(entry), [hexadecimal(x) for x in acts[entry]]] for entry in sorted(acts)],
        "trees": [[int(entry), shown[entry]] for entry in sorted(shown)],
    }


def stated(found: Enclosure) -> Enclosure:
    """What a fact states of a loss: bounds with some room if it is not known exactly, and of not too many digits.

    No loss is below 0, nor is a floor of losses; so the lower bound is not.
    """
    slack = Fraction(0)
    if not found.is_exact:
        slack = max(abs(found.low), abs(found.high)) * SLACK + WIDTHS * (found.high - found.low) + LEAST
    low, high = map(Fraction, ends_text(max(found.low - slack, Fraction(0)), found.high + slack))
    return Enclosure(low, high)


def _ends(found: Enclosure) -> list[str]:
    return ends_text(found.low, found.high)


def _value(value: Fraction | tuple[Fraction, Fraction] | None) -> str | list[str] | None:
    if value is None or isinstance(value, Fraction):
        return None if value is None else hexadecimal(value)
    return [hexadecimal(end) for end in value]

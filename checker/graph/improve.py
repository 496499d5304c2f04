"""C7 at the last hidden layer of a graph: idle units reused there lower the loss, certified for the floats written.

Floats choose the units, on a sample of the rows if there are many. The losses of the graph before and of the one that
holds the chosen numbers are then decided: exactly where that is little work, else by bounds, which must not meet.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import prod

import numpy as np

from proof_of_absence.checker.construct.class_losses import classes
from proof_of_absence.checker.construct.output_weights import for_classes, for_squares, softmax
from proof_of_absence.checker.construct.search import Candidate, candidates
from proof_of_absence.checker.construct.squared_loss import noise_floor
from proof_of_absence.checker.graph.findings import GraphImprovement, NodeFinding, Reused
from proof_of_absence.checker.graph.held import Changeable
from proof_of_absence.checker.graph.losses import losses
from proof_of_absence.checker.graph.tail import NoTail, Tail, reassigned, tail
from proof_of_absence.checker.kernel.graph_facts import stated
from proof_of_absence.checker.numbers.deadline import looking
from proof_of_absence.checker.numbers.enclosure import Enclosure, point
from proof_of_absence.checker.passes.graph_enclosure import GraphPass, blocks
from proof_of_absence.checker.passes.graph_exact import values
from proof_of_absence.models.graph import Graph
from proof_of_absence.models.graph_layers import Conv, Dense
from proof_of_absence.models.objective import OF_CLASSES, Loss, Objective
from proof_of_absence.models.steps import nearest_of

__all__ = ["Unimproved", "improve"]

# Units reused at most, and ways tried for each.
LIMIT, TRIED = 4, 8
# Features that the search sees at most, over all rows; rows times products up to which losses are exact.
SEEN, SMALL = 2**25, 2**20


@dataclass(frozen=True)
class Unimproved:
    """Why no lower loss is shown; `undecided` if there may be one of this kind."""

    reason: str
    undecided: bool = False


@dataclass(frozen=True, eq=False)
class _Search:
    """Some rows: what the last hidden layer reads there (N, k), the targets (N, m), and the outputs so far (N, m)."""

    features: np.ndarray
    targets: np.ndarray
    outputs: np.ndarray
    of_classes: bool

    @property
    def logits(self) -> np.ndarray:
        """The outputs, with 0 before one alone."""
        one = self.of_classes and self.outputs.shape[1] == 1
        return np.column_stack([np.zeros(len(self.outputs)), self.outputs]) if one else self.outputs

    @property
    def pull(self) -> np.ndarray:
        """Where each output should go: residuals, or targets less softmax (C17)."""
        if not self.of_classes:
            return np.asarray(self.targets - self.outputs)
        return np.asarray(classes(self.targets) - softmax(self.logits))[:, -self.outputs.shape[1] :]

    def loss(self) -> float:
        """In floats."""
        if not self.of_classes:
            return float((self.pull**2).sum(axis=1).mean())
        logits = self.logits - self.logits.max(axis=1, keepdims=True)
        return float((np.log(np.exp(logits).sum(axis=1)) - (classes(self.targets) * logits).sum(axis=1)).mean())

    def moved(self, outputs: np.ndarray) -> "_Search":
        """The same rows with other outputs."""
        return _Search(self.features, self.targets, outputs, self.of_classes)


def improve(
    graph: Graph,
    inputs: np.ndarray,
    aim: Objective,
    nodes: Sequence[NodeFinding],
    loss: Enclosure,
    changeable: Changeable | None = None,
) -> GraphImprovement | Unimproved:
    """Reuse idle units of the last hidden layer so that the loss falls.

    Parameters
    ----------
    inputs
        Training inputs, shape (N, d), float64, finite.
    aim
        The loss and its targets (N, m).
    nodes, loss
        What the units do at the inputs, and the loss there, as `unit_findings` and `losses` have them.
    changeable
        Nodes whose arrays the file has for themselves; all by default.

    Raises
    ------
    OutOfTime
        If the deadline in force passes.

    Notes
    -----
    The layers below stay, so the last hidden layer and the outputs are a shallow net on what that layer reads: C7 holds
    of it (C27). The output bias takes on what the idle units sent.
    """
    if aim.targets is None or aim.loss is None:
        raise ValueError("there are no targets")
    try:
        end = tail(graph)
    except NoTail as reason:
        return Unimproved(f"idle units are not reused: {reason}")
    found = next(node for node in nodes if node.node == end.units)
    idle = {entry: found.values[entry] for entry in found.idle if entry in found.values}
    if not idle:
        return Unimproved(f"no unit of the last hidden layer, {found.name}, is train-idle: none can be reused")
    if shared := _shared(graph, end, changeable):
        return Unimproved(f"idle units are not reused: {shared}")
    try:
        return _improved(graph, inputs, aim, end, idle, loss)
    except OverflowError as error:
        return Unimproved(str(error), undecided=True)


def _improved(
    graph: Graph, inputs: np.ndarray, aim: Objective, end: Tail, idle: dict[int, Fraction], loss: Enclosure
) -> GraphImprovement | Unimproved:
    assert aim.targets is not None
    before = _loss(graph, inputs, aim) if _is_small(graph, inputs, aim) else loss
    if before.is_exact and before.low == noise_floor(inputs, aim.targets):
        return Unimproved("the loss is the noise floor: no network has a lower one")
    steps = list(_steps(graph, inputs, aim, end, idle))
    stated_before = stated(before)
    for many in dict.fromkeys([len(steps), 1] if steps else []):
        units, bias = tuple(unit for unit, _ in steps[:many]), steps[many - 1][1]
        after = stated(_loss(reassigned(graph, end, units, bias), inputs, aim))
        if after.high < stated_before.low:
            return GraphImprovement(end.units, units, bias, stated_before, after)
    return Unimproved("no unit tried lowers it by more than bounds can tell", undecided=True)


def _shared(graph: Graph, end: Tail, changeable: Changeable | None) -> str:
    """Which array that a reuse changes is read elsewhere too, or is none, in words."""
    for number in (end.hidden, end.output):
        for own, what in zip(changeable or (), ("weights", "bias"), strict=changeable is not None):
            if number not in own:
                name = graph.nodes[number - 1].name or f"node {number}"
                return f"no array of its own holds the {what} of {name}, so it cannot be changed there alone"
    return ""


def _is_small(graph: Graph, inputs: np.ndarray, aim: Objective) -> bool:
    """Whether the loss is decided exactly."""
    if aim.loss is not Loss.SQUARED or not graph.is_rational:
        return False
    products = 0
    for number, node in enumerate(graph.nodes, 1):
        layer = node.layer
        products += graph.sizes[number] * (prod(layer.weights.shape[1:]) if isinstance(layer, Dense | Conv) else 1)
    return len(inputs) * products <= SMALL


def _loss(graph: Graph, inputs: np.ndarray, aim: Objective) -> Enclosure:
    if not _is_small(graph, inputs, aim) or aim.targets is None:
        return losses(graph, inputs, aim)[0]
    last = len(graph.nodes)
    outputs = values(graph, inputs, {last: np.arange(graph.sizes[last])})[last].tolist()
    pairs = zip(outputs, aim.targets.tolist(), strict=True)
    squares = ((f - Fraction(y)) ** 2 for row, wanted in pairs for f, y in zip(row, wanted, strict=True))
    return point(sum(squares, Fraction(0)) / len(inputs))


def _steps(
    graph: Graph, inputs: np.ndarray, aim: Objective, end: Tail, idle: dict[int, Fraction]
) -> Iterator[tuple[Reused, tuple[Fraction, ...]]]:
    """Units that lower the loss in floats, one after the other, and the output bias with each."""
    layer = graph.nodes[end.output - 1].layer
    assert isinstance(layer, Dense) and aim.targets is not None
    step = len(inputs) * len(end.reads) // SEEN + 1
    search = _seen(graph, inputs[::step], aim.targets[::step], end, aim.loss in OF_CLASSES)
    bias = tuple(map(Fraction, layer.bias.tolist()))
    for unit, value in looking(list(idle.items())[:LIMIT]):
        if not (np.isfinite(search.features).all() and np.isfinite(search.outputs).all()):
            return
        columns = layer.weights[:, end.columns == unit].tolist()
        kept = [b + value * sum(map(Fraction, row)) for b, row in zip(bias, columns, strict=True)]
        best, least = None, search.loss()
        for candidate in _candidates(search, graph.dtype):
            tried = _tried(search, candidate, unit, kept, graph.dtype)
            if tried and tried[2].loss() < least:
                best, least = tried, tried[2].loss()
        if best is None:
            return
        reused, bias, search = best
        yield reused, bias


def _seen(graph: Graph, inputs: np.ndarray, targets: np.ndarray, end: Tail, of_classes: bool) -> _Search:
    """What the search sees of the rows, from the floats of a pass."""
    run, source = GraphPass(graph), graph.nodes[end.hidden - 1].reads[0]
    features, outputs = [], []
    for part in blocks(graph, len(inputs)):
        balls = run(inputs[part])
        below = balls[source].values
        # Padding is 0.
        features.append(np.column_stack([below, np.zeros(len(below))])[:, end.reads])
        outputs.append(balls[-1].values)
    return _Search(np.vstack(features), targets, np.vstack(outputs), of_classes)


def _candidates(search: _Search, dtype: np.dtype) -> Iterator[Candidate]:
    """Units for the search's rows; the last one sends 0, so that the output bias alone moves."""
    with np.errstate(all="ignore"):
        yield from candidates(search.features, search.pull, dtype, keep=TRIED)
    yield Candidate(0.0, np.zeros(search.features.shape[1]), 0.0)


def _tried(
    search: _Search, candidate: Candidate, unit: int, kept: Sequence[Fraction], dtype: np.dtype
) -> tuple[Reused, tuple[Fraction, ...], _Search] | None:
    """The unit with its best output weights, all rounded to the type; None if they are out of range."""
    with np.errstate(all="ignore"):
        phi = np.maximum(search.features @ candidate.weights + candidate.bias, 0)
        if search.of_classes:
            fitted = for_classes(phi, search.logits, classes(search.targets), search.outputs.shape[1])
        else:
            fitted = for_squares(phi, search.pull)
        if fitted is None or not all(np.isfinite(part).all() for part in fitted):
            return None
        outgoing = fitted[0].astype(dtype).astype(np.float64)
        bias = [nearest_of(b + Fraction(s), dtype) for b, s in zip(kept, fitted[1].tolist(), strict=True)]
        if not np.isfinite(outgoing).all() or None in bias:
            return None
        exact = tuple(Fraction(b) for b in bias if b is not None)
        offset = [float(b - k) for b, k in zip(exact, kept, strict=True)]
        outputs = search.outputs + np.outer(phi, outgoing) + offset
    numbers = (candidate.weights.tolist(), outgoing.tolist())
    weights, sent = (tuple(map(Fraction, part)) for part in numbers)
    return Reused(unit, weights, Fraction(candidate.bias), sent), exact, search.moved(outputs)

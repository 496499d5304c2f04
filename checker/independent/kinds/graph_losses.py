"""The loss of a graph on its training data, and the least loss that a function of the input can have there.

Squared error, cross-entropy or logistic loss, as `float_losses` and `float_cross_entropy` have them; outputs are exact
where that is little work, and floats within bounds elsewhere.
"""

from collections.abc import Callable
from math import prod

import numpy as np

from proof_of_absence.checker.independent.kinds import float_cross_entropy, float_losses
from proof_of_absence.checker.independent.refusal import Refused, require
from proof_of_absence.checker.independent.values import Fact
from proof_of_absence.checker.independent.values.floats import Bounded, Exact, FloatData, Floats
from proof_of_absence.checker.independent.values.graph_bounded import bounded
from proof_of_absence.checker.independent.values.graph_data import GraphSubject, blocks_of
from proof_of_absence.checker.independent.values.graph_exact import exact
from proof_of_absence.checker.independent.values.graph_settled import DIGITS, sharpened
from proof_of_absence.checker.independent.values.graphs import Conv, Dense, Graph

# Rows times products: up to EXACT (some seconds) outputs are exact, beyond that floats within bounds; up to PATIENT
# they are exact again where the bounds do not confirm what is stated.
EXACT, PATIENT = 2**22, 2**25
# A radius that is wider than that, relatively, has lost its digits in many layers: more digits are taken.
WIDE = 2.0**-26
SQUARED, OF_CLASSES = "squared", ("cross-entropy", "logistic")


class GraphOutputs:
    """The outputs of a graph, flattened."""

    def __init__(self, graph: Graph):
        self.graph = graph

    @property
    def parameters(self) -> int:
        """The products of a row."""
        return sum(_products(self.graph, number) for number in range(1, len(self.graph.shapes)))

    @property
    def width(self) -> int:
        """How many outputs there are."""
        return self.graph.sizes[-1]

    def outputs(self, inputs: Floats) -> Exact:
        """The outputs at the rows, exactly."""
        part = exact(self.graph, inputs, len(self.graph.nodes), np.arange(self.width))
        return Exact(part.whole * part.scale.numerator, 0, part.scale.denominator)

    def bounded_outputs(self, inputs: Floats) -> Bounded:
        """The outputs at the rows within bounds."""
        last = len(self.graph.nodes)
        found = [next(bounded(self.graph, inputs[block], [last]))[1] for block in blocks_of(self.graph, inputs)]
        if not all((one.radius <= WIDE * (1 + np.abs(one.value))).all() for one in found):
            sharp = [one for _, _, one in sharpened(self.graph, inputs, [last], DIGITS[0])]
            found = sharp if sum(len(one.value) for one in sharp) == len(inputs) else found
        return Bounded(np.vstack([one.value for one in found]), np.vstack([one.radius for one in found]))


def _products(graph: Graph, number: int) -> int:
    layer, size = graph.nodes[number - 1].layer, graph.sizes[number]
    return size * prod(layer.weights.shape[1:]) if isinstance(layer, Dense | Conv) else size


def graph_losses(subject: GraphSubject, fact: Fact) -> None:
    """The loss, which `of` names, and its floor lie within the stated bounds."""
    net, data = GraphOutputs(subject.graph), loss_data(subject, fact["of"])
    decided = float_losses.training_loss if fact["of"] == SQUARED else float_cross_entropy.training_cross_entropy

    def decide(exactly: bool) -> None:
        decided(fact, net, data, exactly)

    with_care(decide, len(data.inputs) * net.parameters, rational=subject.graph.is_rational)


def loss_data(subject: GraphSubject, of: object) -> FloatData:
    """The training rows and the targets of a loss of this name, refused unless they go together."""
    targets = subject.targets
    if targets is None:
        raise Refused("the certificate names no targets")
    net, data = GraphOutputs(subject.graph), FloatData(subject.train, targets)
    require(targets.shape == (len(subject.train), net.width), "the targets do not fit the graph and the inputs")
    require(of == SQUARED or of in OF_CLASSES, "no loss of this name is known")
    require(of == SQUARED or (of == "logistic") == (net.width == 1), f"{of} is not the loss of {net.width} outputs")
    return data if of == SQUARED else float_cross_entropy.classes(net, data)


def with_care(decide: Callable[[bool], None], work: int, *, rational: bool) -> None:
    """Decide exactly where there is little work; by bounds else, and exactly again where these do not confirm."""
    try:
        decide(rational and work <= EXACT)
    except Refused:
        if not (rational and EXACT < work <= PATIENT):
            raise
        decide(True)


KINDS: dict[str, Callable[[GraphSubject, Fact], None]] = {"graph-losses": graph_losses}

"""How far a float32 evaluation of a graph can be from the exact outputs at the training rows."""

import math
from collections.abc import Callable
from fractions import Fraction

from proof_of_absence.checker.independent.refusal import require
from proof_of_absence.checker.independent.values import Fact
from proof_of_absence.checker.independent.values.arrays import hexadecimal
from proof_of_absence.checker.independent.values.graph_data import GraphSubject, blocks_of
from proof_of_absence.checker.independent.values.graph_singles import deviation


def graph_float32(subject: GraphSubject, fact: Fact) -> None:
    """No float32 evaluation as `graph_singles` describes it differs from the exact outputs by more than the bound."""
    bound = hexadecimal(fact["bound"])
    for block in blocks_of(subject.graph, subject.train):
        worst = float(deviation(subject.graph, subject.train[block]).max())
        require(math.isfinite(worst), "the bounds overflow")
        require(Fraction(worst) <= bound, f"a float32 evaluation may be off by {worst}")


KINDS: dict[str, Callable[[GraphSubject, Fact], None]] = {"graph-float32": graph_float32}

"""Facts about recorded activations, computed again from the recorded numbers: all rows of all files, block by block.

They are about the files that a certificate names, so they are in the table of results/recorded.py.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from proof_of_absence.checker.independent.refusal import Refused, require, require_equal
from proof_of_absence.checker.independent.values import Fact
from proof_of_absence.checker.independent.values.floats import Floats
from proof_of_absence.checker.independent.values.recording import Table


@dataclass
class Layer:
    """What was recorded of a layer: training and deployment rows; and the columns that are shown to be constant."""

    train: Sequence[Table]
    deploy: Sequence[Table]
    constant: dict[int, float] | None = None

    @property
    def columns(self) -> int:
        """The width."""
        return self.train[0].columns

    def rows(self) -> int:
        """The number of training rows."""
        return sum(table.rows for table in self.train)

    def inputs(self) -> int:
        """The number of deployment rows."""
        return sum(table.rows for table in self.deploy)

    def training(self) -> Iterator[Floats]:
        """All training rows."""
        for table in self.train:
            yield from table.blocks()

    def deployment(self) -> Iterator[Floats]:
        """All deployment rows."""
        for table in self.deploy:
            yield from table.blocks()


def recorded_columns(layer: Layer, fact: Fact) -> None:
    """At all training rows just the listed columns have one value, which is the stated one."""
    require_equal("the number of rows", fact["rows"], layer.rows())
    require_equal("the number of columns", fact["columns"], layer.columns)
    first: Floats | None = None
    varies = np.zeros(layer.columns, dtype=bool)
    for block in layer.training():
        first = block[0].copy() if first is None else first
        varies |= (block != first).any(axis=0)
    if first is None:
        raise Refused("there is no training row")
    require_equal("the constant columns", fact["constant"], np.flatnonzero(~varies).tolist())
    stated = [float.fromhex(text) for text in fact["values"]]
    require_equal("the values of the constant columns", stated, first[~varies].tolist())
    layer.constant = dict(zip(fact["constant"], stated, strict=True))


def recorded_moves(layer: Layer, fact: Fact) -> None:
    """How many deployment rows have another value in each constant column, and in how many of them each row has."""
    require_equal("the number of deployment rows", fact["rows"], layer.inputs())
    if layer.constant is None:
        raise Refused("which columns are constant is not stated")
    chosen, values = list(layer.constant), np.array(list(layer.constant.values()))
    require(all(a < b for a, b in pairwise(chosen)), "a column is listed twice")
    by_column, by_row = [0] * len(chosen), []
    for block in layer.deployment():
        for row in block[:, chosen] != values:
            by_row.append(int(row.sum()))
        for k, column in enumerate(chosen):
            by_column[k] += int(np.count_nonzero(block[:, column] != values[k]))
    require_equal("the deployment rows at which each column moves", fact["columns"], by_column)
    require_equal("the constant columns that move at each deployment row", fact["inputs"], by_row)


KINDS: dict[str, Callable[[Layer, Fact], None]] = {
    "recorded-columns": recorded_columns,
    "recorded-moves": recorded_moves,
}

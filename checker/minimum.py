"""Exact global minima of shallow nets with one output, by branch and bound over the dichotomies of their units.

On fixed dichotomies the outputs form a cone with finitely many generators: least squares on it is exact, its residual a certificate.

L*(n) is attained for one output, whatever d, n and the data. A unit a relu(v . (u, 1)) with a of sign s is s relu(|a| v . (u, 1)),
and the vectors that it takes on the distinct inputs form, for v in one cell of `dichotomies`, the cone of the cell's rays (times s).
So the outputs of all of S_n are a finite union of sums of one line (c) and n such cones. A sum of finitely generated cones is
finitely generated, hence closed (Weyl); so the union is closed, and the squared distance of the targets to it is attained. (For two
outputs the cones are no longer convex, and N5 has data on which no net attains the infimum.)
"""

import heapq
from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import combinations_with_replacement, count, product
from typing import NamedTuple

from absence.checker.alternating import Unit, fitted
from absence.checker.dichotomies import dichotomies
from absence.checker.relaxation import Node, Relaxation, Values
from absence.models.data import Dataset
from absence.models.net import MLP, shallow
from absence.models.rational import Matrix, Vector

__all__ = ["Interval", "Minimum", "global_minimum", "minimum_interval"]

# As a share of the targets' square: nodes that floats put this far below the best net are parted without an exact bound,
# and a net is worth an exact look if floats put it this far below.
CLEARLY, BETTER = 1e-7, 1e-9


class Minimum(NamedTuple):
    """A net of least loss over S_units, and the `residuals` that prove it, each of shape (m, G) over the distinct inputs in order.

    Nets whose units send nothing that correlates positively with a residual have at least the loss that it gives (see the
    independent checker), and every net is such a net for one of them.
    """

    net: MLP
    loss: Fraction
    units: int
    residuals: tuple[Matrix, ...]

    def fact(self, net_json: list, data_json: dict) -> dict:
        """The fact for the independent checker."""
        return {"kind": "global-minimum", "net": net_json, "data": data_json, **_proof(self.units, self.residuals)}


class Interval(NamedTuple):
    """`lower` <= L*(units) <= `upper`, the loss of `net`; where the two differ, the minimum is not decided.

    `residuals` prove the lower bound, as in `Minimum`.
    """

    net: MLP
    upper: Fraction
    lower: Fraction
    units: int
    residuals: tuple[Matrix, ...]

    @property
    def decided(self) -> bool:
        """Whether the net is a global minimiser."""
        return self.lower == self.upper

    def fact(self, data_json: dict) -> dict:
        """The fact for the independent checker, of the lower bound."""
        bound = {"bound": str(self.lower), "data": data_json}
        return {"kind": "loss-bound", **bound, **_proof(self.units, self.residuals)}


def _proof(units: int, residuals: tuple[Matrix, ...]) -> dict:
    return {"units": units, "residuals": [[[str(x) for x in row] for row in table] for table in residuals]}


def global_minimum(data: Dataset, units: int) -> Minimum:
    """A net of S_units with the least loss on data of one output and any input dimension, with its certificate.

    With no unit, S_0, the net is constant; it is written with one unit of output weight 0. The cost is exponential in the
    units and in d.

    Raises
    ------
    ValueError
        If there is more than one output, the number of units is negative, or as `dichotomies`.

    Examples
    --------
    >>> data = Dataset([[0, 0], [0, 1], [1, 0], [1, 1]], [[0], [1], [1], [0]])
    >>> [str(global_minimum(data, n).loss) for n in (0, 1, 2)]
    ['1/4', '1/6', '0']
    """
    if len(data.targets[0]) != 1:
        raise ValueError("exact minima are computed for one output; minimum_interval bounds those of several")
    found = minimum_interval(data, units)
    return Minimum(found.net, found.upper, units, found.residuals)


def minimum_interval(data: Dataset, units: int) -> Interval:
    """Certified bounds on L*(units), for any number of outputs m; with one output they meet.

    For m > 1 the lower bound gives up that the outputs share a unit's weights beyond its dichotomy and the signs of its
    output weights, and the upper bound is that of a net found in floats. They meet where one output decides, or where the
    relaxation's units are units; else the interval is all that is said.

    Raises
    ------
    ValueError
        If the number of units is negative, or as `dichotomies`.

    Examples
    --------
    >>> found = minimum_interval(Dataset([[0], [1], [2]], [[0, 0], [1, 2], [0, 0]]), 1)
    >>> found.decided, str(found.upper)
    (True, '5/6')
    """
    if units < 0:
        raise ValueError(f"a net cannot have {units} hidden units")
    search = _Search(Relaxation(data, dichotomies(group.input for group in data.groups)), units)
    search.run()
    silent = ([0] * len(data.inputs[0]), 0, [0] * len(data.targets[0]))
    hidden = [(v[:-1], v[-1], outgoing) for v, outgoing in search.best]
    net = shallow([*hidden, *[silent] * (max(units, 1) - len(hidden))], search.constants)
    loss = data.loss(net)
    return Interval(net, loss, loss - (search.least - search.target) / len(data), units, search.needed())


class _Search:
    """Best first. `least` is the least squared error above the noise floor of a net so far, `best` its units.

    `undecided` is the error of a relaxation that is no net, though each of its units is in one cell.
    """

    def __init__(self, relaxation: Relaxation, units: int):
        self.relaxation, self.units = relaxation, units
        self.residuals: list[Matrix] = []
        self.good: list[Mapping[tuple[int, ...], int]] = []
        self._bounded: list[Node] = []
        self._tried: set[Node] = set()
        self.undecided: tuple[Fraction, float] | None = None
        (self.least, values), self.float_least = relaxation.exact(()), relaxation.bound(())
        self.best: list[Unit] = []
        self.constants = relaxation.constants(values)

    @property
    def target(self) -> Fraction:
        """What is to be proved of every node."""
        return self.least if self.undecided is None else min(self.least, self.undecided[0])

    def _worth_a_look(self, bound: float) -> bool:
        lowest = self.float_least if self.undecided is None else min(self.float_least, self.undecided[1])
        return bound >= lowest - CLEARLY

    def run(self) -> None:
        """Until every node is bounded by the target."""
        order, queue = count(), []
        whole = self.relaxation.all_cells

        def push(node: Node) -> None:
            if self._covered(node):
                self._bounded.append(node)
            else:
                heapq.heappush(queue, (self.relaxation.bound(node), next(order), node))

        kinds = list(product((1, -1), repeat=len(self.relaxation.outputs)))
        for signs in combinations_with_replacement(kinds, self.units):
            root = tuple((kind, whole, signs.count(kind)) for kind in kinds if kind in signs)
            self._descend(root)
            push(root)
        while queue:
            bound, _, node = heapq.heappop(queue)
            if self._covered(node):
                self._bounded.append(node)
                continue
            worst = self.relaxation.worst(self.relaxation.shares(node, self.relaxation.guess(node)))
            if self._worth_a_look(bound) or worst is None:
                error, values = self.relaxation.exact(node)
                worst = self.relaxation.worst(self.relaxation.shares(node, values))
                if error < self.target and worst is None and not self._adopt(node):
                    self.undecided = error, bound
                if error >= self.target:
                    self._record(values)
                    self._bounded.append(node)
                    continue
            self._descend(node)
            for child in self._parted(node, *worst):
                push(child)

    def needed(self) -> tuple[Matrix, ...]:
        """The residuals without those, the latest first, whose nodes are bounded by others too."""
        serve = [{k for k, good in enumerate(self.good) if _bounds(good, node)} for node in self._bounded]
        for k in reversed(range(len(self.good))):
            if all(len(some) > 1 for some in serve if k in some):
                for some in serve:
                    some.discard(k)
        return tuple(self.residuals[k] for k in sorted(set().union(*serve)))

    def _covered(self, node: Node) -> bool:
        return any(_bounds(good, node) for good in self.good)

    def _record(self, values: Values) -> None:
        residual = self.relaxation.residual(values)
        self.residuals.append(residual)
        self.good.append(self.relaxation.uncorrelated(residual))

    def _adopt(self, node: Node) -> bool:
        """Take the net of a node, each of whose units is in one cell, if it is the best so far; False if it is no net."""
        error, values = self.relaxation.exact(node)
        units = []
        for (signs, _, _), share in zip(node, self.relaxation.shares(node, values), strict=True):
            unit = _one_unit(signs, self.relaxation.weights(share))
            if unit is None:
                return False
            units.append(unit)
        if error < self.least:
            self.least, self.float_least = error, self.relaxation.bound(node)
            self.best, self.constants = units, self.relaxation.constants(values)
        return True

    def _parted(self, node: Node, at: int, g: int) -> list[Node]:
        """The set of cells at position `at` parted by the sign at input g; equal units differ only in how many go where."""
        sign, cells, units = node[at]
        above = cells & self.relaxation.positive[g]
        children = []
        for first in range(units + 1):
            parts = [(sign, side, k) for side, k in ((above, first), (cells & ~above, units - first)) if k]
            children.append((*node[:at], *parts, *node[at + 1 :]))
        return children

    def _descend(self, node: Node) -> None:
        """From nets that the relaxation suggests to neighbours: cells that hold the same weights, while that helps."""
        current = self.relaxation.rounded(node)
        if current in self._tried:
            return
        bound, improved = self.relaxation.bound(current), True
        while improved:
            self._tried.add(current)
            improved = False
            shares = self.relaxation.shares(current, self.relaxation.guess(current))
            for at, (share, (sign, _, _)) in enumerate(zip(shares, current, strict=True)):
                for cell in self.relaxation.holding(share):
                    other = (*current[:at], (sign, cell, 1), *current[at + 1 :])
                    if other not in self._tried and self.relaxation.bound(other) < bound - BETTER:
                        current, bound, improved = other, self.relaxation.bound(other), True
                        break
                if improved:
                    break
        if bound < self.float_least - BETTER:
            self._take(current)

    def _take(self, node: Node) -> None:
        """The net of a node with one cell for each unit, or, if there is none, one with the same dichotomies fitted to the data."""
        if self._adopt(node):
            return
        error, units, constants = fitted(self.relaxation, node)
        if error < self.least:
            self.least, self.best, self.constants = error, units, constants
            self.float_least = self.relaxation.share_of_square(error)


def _one_unit(signs: tuple[int, ...], weights: Sequence[Vector]) -> Unit | None:
    """One unit that sends to each output what a unit of its own, with output weight 1 or -1, would; None if there is none."""
    v = next((row for row in weights if any(row)), weights[0])
    lead = next((k for k, x in enumerate(v) if x), None)
    sizes = [row[lead] / v[lead] if lead is not None else Fraction(0) for row in weights]
    if any(row != tuple(size * x for x in v) for size, row in zip(sizes, weights, strict=True)):
        return None
    return v, tuple(sign * size for sign, size in zip(signs, sizes, strict=True))


def _bounds(good: Mapping[tuple[int, ...], int], node: Node) -> bool:
    """Whether the residual that is uncorrelated with the cells `good` bounds all of the node."""
    return all(not cells & ~good[sign] for sign, cells, _ in node)

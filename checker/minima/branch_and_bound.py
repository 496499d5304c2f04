"""Exact global minima of shallow nets with one output, by branch and bound over the dichotomies of their units.

On fixed dichotomies the outputs form a cone with finitely many generators: least squares on it is exact,
its residual a certificate.

L*(n) is attained for one output, whatever d, n and the data. A unit a relu(v . (u, 1)) with a of sign s is s relu(|a|
v . (u, 1)), and the vectors that it takes on the distinct inputs form, for v in one cell of `dichotomies`, the cone of
the cell's rays (times s). So the outputs of all of S_n are a finite union of sums of one line (c) and n such cones. A
sum of finitely generated cones is finitely generated, hence closed (Weyl); so the union is closed, and the squared
distance of the targets to it is attained. (For two outputs the cones are no longer convex, and N5 has data on which no
net attains the infimum.)
"""

import heapq
from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import combinations_with_replacement, count
from typing import Any, NamedTuple, Protocol

from proof_of_absence.checker.minima.dichotomies import dichotomies
from proof_of_absence.checker.minima.relaxation import Node, Relaxation, Share, Values
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.net import MLP, shallow
from proof_of_absence.models.rational import Vector

__all__ = ["Bounds", "Minimum", "Search", "global_minimum"]

# As a share of the targets' square: nodes that floats put this far below the best net are parted without an exact
# bound, and a net is worth an exact look if floats put it this far below.
CLEARLY, BETTER = 1e-7, 1e-9


class Minimum(NamedTuple):
    """A net of least loss over S_units, and the `residuals` that prove it, each over the distinct inputs in order,
    shape (G,).

    Nets whose units send nothing that correlates positively with a residual have at least the loss that it gives (see
    the independent checker), and every net is such a net for one of them.
    """

    net: MLP
    loss: Fraction
    units: int
    residuals: tuple[Vector, ...]

    def fact(self, net_json: list[Any], data_json: dict[str, Any]) -> dict[str, Any]:
        """The fact for the independent checker."""
        residuals = [[[str(x) for x in row]] for row in self.residuals]
        known = {"net": net_json, "data": data_json, "units": self.units}
        return {"kind": "global-minimum", **known, "residuals": residuals}


def global_minimum(data: Dataset, units: int) -> Minimum:
    """A net of S_units with the least loss on data of one output and any input dimension, with its certificate.

    With no unit, S_0, the net is constant; it is written with one unit of output weight 0. The cost is
    exponential in the units and in d.

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
        raise ValueError(f"exact minima are computed for one output, not for {len(data.targets[0])}")
    if units < 0:
        raise ValueError(f"a net cannot have {units} hidden units")
    search = Search(Relaxation(data, dichotomies(group.input for group in data.groups)), units)
    search.run()
    net = search.net(len(data.inputs[0]))
    return Minimum(net, data.loss(net), units, search.needed())


class Bounds(Protocol):
    """What a search asks of lower bounds; `Relaxation` gives them for all nets, `Defection` for those that defect."""

    all_cells: int
    positive: list[int]

    def bound(self, node: Node) -> float: ...
    def guess(self, node: Node) -> dict[int, float]: ...
    def exact(self, node: Node) -> tuple[Fraction, dict[int, Fraction]]: ...
    def shares(self, node: Node, values: Values) -> list[Share]: ...
    def worst(self, shares: Sequence[Share]) -> tuple[int, int] | None: ...
    def rounded(self, node: Node) -> Node: ...
    def holding(self, share: Share) -> list[int]: ...
    def weights(self, share: Share) -> Vector: ...
    def constant(self, values: Values) -> Fraction: ...
    def residual(self, values: Values) -> Vector: ...
    def uncorrelated(self, residual: Vector) -> dict[int, int]: ...


class Search:
    """Best first. `least` is the least squared error above the noise floor of a net so far, `best` its units."""

    def __init__(self, relaxation: Bounds, units: int):
        self.relaxation, self.units = relaxation, units
        self.residuals: list[Vector] = []
        self.good: list[Mapping[int, int]] = []
        self._bounded: list[Node] = []
        self._tried: set[Node] = set()
        (self.least, values), self.float_least = relaxation.exact(()), relaxation.bound(())
        # The units' weights (w, b) and output weights.
        self.best: list[tuple[Vector, int]] = []
        self.constant = relaxation.constant(values)

    def run(self) -> None:
        """Until every node is bounded by the loss of a net."""
        order = count()
        queue: list[tuple[float, int, Node]] = []
        whole = self.relaxation.all_cells

        def push(node: Node) -> None:
            if self._covered(node):
                self._bounded.append(node)
            else:
                heapq.heappush(queue, (self.relaxation.bound(node), next(order), node))

        for signs in combinations_with_replacement((1, -1), self.units):
            root = tuple((sign, whole, signs.count(sign)) for sign in (1, -1) if sign in signs)
            self._descend(root)
            push(root)
        while queue:
            bound, _, node = heapq.heappop(queue)
            if self._covered(node):
                self._bounded.append(node)
                continue
            worst = self.relaxation.worst(self.relaxation.shares(node, self.relaxation.guess(node)))
            if bound >= self.float_least - CLEARLY or worst is None:
                error, values = self.relaxation.exact(node)
                worst = self.relaxation.worst(self.relaxation.shares(node, values))
                if worst is None:
                    self._adopt(node, error, values)
                if error >= self.least:
                    self._record(values)
                    self._bounded.append(node)
                    continue
            self._descend(node)
            for child in self._parted(node, *worst):
                push(child)

    def net(self, inputs: int) -> MLP:
        """The best net, of so many inputs; units that send nothing make up the number."""
        silent = ([0] * inputs, 0, [0])
        hidden = [(v[:-1], v[-1], [outgoing]) for v, outgoing in self.best]
        return shallow([*hidden, *[silent] * (max(self.units, 1) - len(hidden))], [self.constant])

    def needed(self) -> tuple[Vector, ...]:
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

    def _adopt(self, node: Node, error: Fraction, values: Values) -> None:
        """Take the net of a node, each of whose units is in one cell, if it is the best so far."""
        if error < self.least:
            self.least, self.float_least = error, self.relaxation.bound(node)
            self.constant = self.relaxation.constant(values)
            weights = map(self.relaxation.weights, self.relaxation.shares(node, values))
            self.best = [(v, sign * any(v)) for (sign, _, _), v in zip(node, weights, strict=True)]

    def _parted(self, node: Node, at: int, g: int) -> list[Node]:
        """The set of cells at position `at` parted by the sign at input g.

        Equal units differ only in how many go where.
        """
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
            self._adopt(current, *self.relaxation.exact(current))


def _bounds(good: Mapping[int, int], node: Node) -> bool:
    """Whether the residual that is uncorrelated with the cells `good` bounds all of the node."""
    return all(not cells & ~good[sign] for sign, cells, _ in node)

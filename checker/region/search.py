"""Branch and bound over the signs of hidden units: each leaf is closed by an exact certificate, or a witness ends the search.

`solve` is a pure function of a question, a sub-problem in JSON and limits, so that sub-problems can be farmed out; what it
leaves open are sub-problems again.
"""

import time
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from absence.checker.region.affine import circuit_form, constant, pre_activation
from absence.checker.region.bounds import OFF, ON, UNKNOWN, Bounds, Multipliers
from absence.checker.region.lp import Affine, interior
from absence.checker.region.question import Question
from absence.checker.region.relaxation import largest
from absence.checker.region.witness import off_the_form, replayed
from absence.models.rational import Vector

__all__ = ["Limits", "Outcome", "open_leaves", "root", "solve"]


@dataclass(frozen=True)
class Limits:
    """Stop after so many nodes, or so many seconds of the clock."""

    nodes: int | None = None
    seconds: float | None = None


NO_LIMITS = Limits()


@dataclass(frozen=True)
class Outcome:
    """The proof tree below a sub-problem, and a witness if one was found.

    `tree` is in the form of the fact `irrelevant-region`; a leaf ``{"open": sub-problem}`` is not decided, and `reason` says
    why: "timeout", "node limit", or what else stopped it.
    """

    tree: dict
    witness: Vector | None
    nodes: int
    reason: str = ""


class _Undecided(Exception):
    """A sub-problem that this search cannot close; the message says why."""


@dataclass
class _Node:
    """A sub-problem at work: its place in the tree, bounds, the affine sign conditions, and a point where they are strict."""

    tree: dict
    bounds: Bounds
    conditions: dict[tuple[int, int], Affine]
    point: Vector | None
    split: tuple[int, int] | None


def root(asked: Question) -> dict:
    """The whole box as a sub-problem."""
    return {"signs": []}


def open_leaves(tree: dict) -> list[dict]:
    """The leaves of a tree that are not decided, in order."""
    if "open" in tree:
        return [tree]
    return [leaf for side in ("on", "off") if side in tree for leaf in open_leaves(tree[side])]


def _write(bounds: Bounds) -> dict:
    signs = [[m + 1, int(i), int(s[i])] for m, s in enumerate(bounds.sign) for i in np.flatnonzero(s)]
    state = {key: [[x.hex() for x in row.tolist()] for row in getattr(bounds, key)] for key in ("low", "high", "slope")}
    return {"signs": signs, **state}


def _read(asked: Question, sub: dict) -> Bounds:
    bounds = Bounds(asked)
    for key in ("low", "high", "slope"):
        for m, row in enumerate(sub.get(key, [])):
            getattr(bounds, key)[m] = np.array([float.fromhex(x) for x in row])
    for layer, i, sign in sub["signs"]:
        bounds.sign[layer - 1][i] = sign
    return bounds


def solve(asked: Question, sub: dict, limits: Limits = NO_LIMITS) -> Outcome:
    """Search a sub-problem, depth first, in an order that depends on nothing but the question and the sub-problem.

    Raises
    ------
    ImportError
        If highspy is not installed.
    """
    started, tree, nodes, reason = time.monotonic(), {}, 0, ""
    stack = [_Node(tree, _read(asked, sub), {}, None, None)]
    while stack:
        if limits.nodes is not None and nodes >= limits.nodes:
            reason = "node limit"
        if limits.seconds is not None and time.monotonic() - started >= limits.seconds:
            reason = "timeout"
        if reason in ("timeout", "node limit"):
            for node in stack:
                node.tree["open"] = _write(node.bounds)
            break
        node = stack.pop()
        nodes += 1
        try:
            children, witness = _step(node)
        except _Undecided as error:
            node.tree["open"], reason = _write(node.bounds), str(error)
            continue
        if witness is not None:
            return Outcome(tree, witness, nodes)
        stack += children
    return Outcome(tree, None, nodes, reason)


def _state(bounds: Bounds, layer: int, unit: int, side: int) -> list:
    """A line of the certificate: layer, unit, lower bound, upper bound, slope; null where the bound stays."""
    m = layer - 1
    low, high = float(bounds.low[m][unit]), float(bounds.high[m][unit])
    return [layer, unit, exact(low) if side <= 0 else None, exact(high) if side >= 0 else None,
            exact(float(bounds.slope[m][unit]))]  # fmt: skip


def exact(value: float) -> str:
    """The float as an exact rational in text."""
    return str(Fraction(value))


def _tighten(node: _Node) -> None:
    bounds = node.bounds
    improved = bounds.tighten(1 if node.split is None else node.split[0] + 1)
    sides: dict[tuple[int, int], set[int]] = {}
    for layer, unit, side in improved:
        sides.setdefault((layer, unit), set()).add(side)
    for (layer, unit), which in sides.items():
        _log(node, layer, unit, 0 if len(which) == 2 else next(iter(which)))


def _log(node: _Node, layer: int, unit: int, side: int, dual: Multipliers | None = None) -> None:
    line = _state(node.bounds, layer, unit, side)
    if dual is not None:
        line.append(_multipliers(node.bounds, layer, dual))
    node.tree.setdefault("bounds", []).append(line)


def _multipliers(bounds: Bounds, layer: int, dual: Multipliers) -> dict:
    alpha, beta = [], []
    for m in range(layer - 1):
        status = bounds.status(m)
        alpha += [[m + 1, int(i), exact(float(dual.alpha[m][i]))] for i in np.flatnonzero(status == UNKNOWN)]
        beta += [[m + 1, int(i), exact(float(dual.beta[m][i]))] for i in np.flatnonzero(dual.beta[m])]
    return {"alpha": alpha, "beta": beta}


def _step(node: _Node) -> tuple[list[_Node], Vector | None]:
    """Close the node, or split it; its place in the tree is filled in either way."""
    bounds, asked = node.bounds, node.bounds.asked
    _tighten(node)
    if node.split is not None and node.split[0] > 1 and not bounds.contradiction():
        layer, i = node.split
        _relax(node, layer, i, int(bounds.sign[layer - 1][i]))
    if _closed(node) or _thin(node):
        return [], None
    targets = [(t.layer, j) for t in asked.targets for j in t.live]
    both = len(targets) > 1
    excess: dict[tuple[int, int], float] = {}
    for layer, j in targets:
        for sign in (ON, OFF) if both else (ON,):
            if bounds.status(layer - 1)[j] == UNKNOWN:
                relaxed = _relax(node, layer, j, sign)
                if _closed(node):
                    return [], None
                if relaxed is not None:
                    witness = replayed(asked, relaxed.point[None, :])
                    if witness is not None:
                        return [], witness
                    for m, row in enumerate(relaxed.excess):
                        for i in np.flatnonzero(row > 1e-9):
                            excess[m + 1, int(i)] = excess.get((m + 1, int(i)), 0.0) + float(row[i])
    chosen = _choose(node, excess)
    if chosen is None:
        return [], _witness(node)
    layer, i = chosen
    node.tree["split"] = [layer, i]
    children = []
    for side, sign in (("off", OFF), ("on", ON)):
        node.tree[side] = {}
        children.append(
            _Node(node.tree[side], bounds.child(layer, i, sign), dict(node.conditions), node.point, (layer, i))
        )
    return children, None


def _relax(node: _Node, layer: int, j: int, sign: int):
    """Bound sign * pre-activation from above by the relaxation; the certificate gets a line if that settles a sign."""
    bounds = node.bounds
    weights, bias = bounds.layers[layer - 1]
    relaxed = largest(bounds, layer, sign * weights[j], float(sign * bias[j]))
    if relaxed is None or relaxed.value > 0:
        return relaxed
    value, _ = bounds.upper(layer, sign * weights[j : j + 1], sign * bias[j : j + 1], relaxed.dual)
    m, value = layer - 1, float(value[0])
    if value > 0:
        return relaxed
    if sign == ON:
        bounds.high[m][j] = min(value, bounds.high[m][j])
    else:
        bounds.low[m][j] = max(-value, bounds.low[m][j])
    _log(node, layer, j, sign, relaxed.dual)
    return None


def _closed(node: _Node) -> bool:
    """Close the node if it is empty by its bounds, or if the circuit is constant on it."""
    if (empty := node.bounds.contradiction()) is not None:
        node.tree |= {"leaf": "empty", "unit": list(empty)}
        return True
    if constant(node.bounds):
        node.tree["leaf"] = "constant"
        return True
    return False


def _thin(node: _Node) -> bool:
    """Close the node if its affine sign conditions leave it no interior; else keep a point where they are strict."""
    bounds, asked = node.bounds, node.bounds.asked
    status = [bounds.status(m) for m in range(len(bounds.layers))]
    new = []
    for m, sign in enumerate(bounds.sign):
        for i in np.flatnonzero(sign):
            unit = (m + 1, int(i))
            if unit in node.conditions:
                continue
            form = pre_activation(asked, *unit, status)
            if form is None:
                continue
            side = int(sign[i])
            condition = Affine(tuple(side * w for w in form.weights), side * form.bias)
            if any(condition.weights):
                node.conditions[unit] = condition
                new.append(condition)
            elif condition.bias < 0:
                node.tree |= {"leaf": "thin", "multipliers": [[*unit, "1"]]}
                return True
    if not new or (node.point is not None and all(c(node.point) > 0 for c in new)):
        return False
    low, high = ([end[i] for i in asked.free] for end in (asked.low, asked.high))
    found = interior(list(node.conditions.values()), tuple(low), tuple(high))
    if found is None:
        raise _Undecided("exact simplex: step limit")
    node.point = found.point
    if found.point is not None:
        return False
    pairs = zip(node.conditions, found.multipliers, strict=True)
    node.tree |= {"leaf": "thin", "multipliers": [[*unit, str(y)] for unit, y in pairs if y]}
    return True


def _choose(node: _Node, excess: dict[tuple[int, int], float]) -> tuple[int, int] | None:
    """The unit to split on: below the circuit where the relaxation gives most away, then of the circuit; None if all is known."""
    bounds, asked = node.bounds, node.bounds.asked
    score = [np.zeros(len(row)) for row in bounds.low]
    for target in asked.targets:
        open_units = [j for j in target.live if bounds.status(target.layer - 1)[j] != OFF]
        if not open_units or target.layer == 1:
            continue
        weights, bias = bounds.layers[target.layer - 1]
        rows = weights[open_units]
        _, seen = bounds.upper(target.layer, np.vstack([rows, -rows]), np.concatenate([bias[open_units]] * 2))
        for m, coef in zip(range(target.layer - 2, -1, -1), seen, strict=False):
            score[m] = np.maximum(score[m], np.nan_to_num(np.abs(coef), nan=0.0, posinf=1e300).max(axis=0))
    best, top = None, -1.0
    for m, row in enumerate(score[: asked.depth - 1]):
        with np.errstate(all="ignore"):
            area = bounds.high[m] * -bounds.low[m] / (bounds.high[m] - bounds.low[m])
        for i in np.flatnonzero((bounds.status(m) == UNKNOWN) & (row > 0)):
            value = row[i] * (np.nan_to_num(area[i], nan=1e300) + 1e3 * excess.get((m + 1, int(i)), 0.0))
            if value > top:
                best, top = (m + 1, int(i)), value
    if best is not None:
        return best
    for target in asked.targets:
        for j in target.live:
            if bounds.status(target.layer - 1)[j] == UNKNOWN:
                return target.layer, j
    return _unknown_below(node)


def _unknown_below(node: _Node) -> tuple[int, int] | None:
    """An unknown unit on which the circuit's form, or a sign condition that is not affine yet, may depend."""
    bounds = node.bounds
    status = [bounds.status(m) for m in range(len(bounds.layers))]
    pending = any((m + 1, int(i)) not in node.conditions and pre_activation(bounds.asked, m + 1, int(i), status) is None
                  for m, sign in enumerate(bounds.sign) for i in np.flatnonzero(sign))  # fmt: skip
    if not pending and all(form is not None for form in circuit_form(bounds.asked, status)):
        return None
    for m, row in enumerate(status[:-1]):
        for i in np.flatnonzero(row == UNKNOWN):
            return m + 1, int(i)
    return None


def _witness(node: _Node) -> Vector:
    """Every sign is known, the node has an interior, and some reader's form is not 0 on it: an input where it differs."""
    bounds, asked = node.bounds, node.bounds.asked
    status = [bounds.status(m) for m in range(len(bounds.layers))]
    point = node.point
    if point is None:
        point = tuple((asked.low[i] + asked.high[i]) / 2 for i in asked.free)
    for form in circuit_form(asked, status):
        if form is not None and form != ({}, 0):
            affine = Affine(tuple(form[0].get(i, Fraction(0)) for i in asked.free), form[1])
            found = off_the_form(asked, affine, node.conditions.values(), point)
            if found is not None:
                return found
    raise _Undecided("no witness found on a piece where the circuit is not constant")


def graft(asked: Question, tree: dict, limits: Limits) -> Outcome:
    """Go on with a tree that has open leaves: each is solved in its turn, and replaced in place."""
    started, nodes, reason = time.monotonic(), 0, ""
    for leaf in open_leaves(tree):
        left = None if limits.seconds is None else limits.seconds - (time.monotonic() - started)
        more = None if limits.nodes is None else limits.nodes - nodes
        done = solve(asked, leaf["open"], Limits(more, left))
        nodes += done.nodes
        if done.witness is not None:
            return Outcome(tree, done.witness, nodes)
        if "open" not in done.tree or done.nodes:
            leaf.clear()
            leaf.update(done.tree)
        if done.reason:
            reason = done.reason
        if reason in ("timeout", "node limit"):
            break
    return Outcome(tree, None, nodes, reason)

"""C10 at deployment inputs: outside the convex hull of the training inputs with a separating half-space,
or inside with weights.

Floats propose (a box, a direction, a linear program on a growing subset), exact arithmetic verifies; what it
does not verify, as on the boundary, goes to the exact simplex of `checker.construct.hull`, or is undecided where
that would take too long.
"""

import warnings
from fractions import Fraction
from functools import cached_property
from math import inf, lcm

import numpy as np

from proof_of_absence.checker.audit.findings import DeploymentFinding
from proof_of_absence.checker.construct.hull import Combination, locate
from proof_of_absence.checker.numbers.costs import PINV, PRODUCT, cost
from proof_of_absence.checker.numbers.deadline import OutOfTime, afford, in_force, left, look, looking
from proof_of_absence.checker.numbers.linear_algebra import solve_some
from proof_of_absence.checker.passes import exact
from proof_of_absence.checker.passes.enclosure import blocks, enclose
from proof_of_absence.checker.passes.rows import distinct_rows
from proof_of_absence.models.dyadic import integers
from proof_of_absence.models.floatnet import FloatNet
from proof_of_absence.models.layers import some_units

__all__ = ["deployment_findings"]

# Linear programs for one deployment input, and rows that each adds to the subset it is about.
ROUNDS = 60
ADDED = 64

# The exact simplex is used up to this dimension, and this number of coordinates of training inputs.
EXACT_DIMENSION = 32
EXACT_COORDINATES = 2**21

# Deployment inputs whose directions are tried at once.
BATCH = 64


def deployment_findings(inputs: np.ndarray, deploy: np.ndarray) -> tuple[DeploymentFinding, ...]:
    """Where each deployment input lies relative to the training inputs.

    Parameters
    ----------
    inputs, deploy
        Shapes (N, d) and (M, d), float64, finite.

    Raises
    ------
    ValueError
        If the two have different widths, are empty, or hold NaN or infinity.
    ModuleNotFoundError
        If a linear program is needed and scipy, in the extra ``audit``, is not installed.

    Examples
    --------
    >>> found = deployment_findings(np.array([[0.0], [1.0]]), np.array([[0.25], [3.0], [1.0]]))
    >>> [(f.size, f.train_row) for f in found]
    [((2, 3), None), ((1, 1), None), (None, 1)]
    >>> found[0].combination
    ((0, Fraction(3, 4)), (1, Fraction(1, 4)))
    """
    inputs, deploy = np.asarray(inputs, dtype=np.float64) + 0.0, np.asarray(deploy, dtype=np.float64) + 0.0
    if inputs.ndim != 2 or deploy.ndim != 2 or inputs.shape[1] != deploy.shape[1] or not inputs.size:
        raise ValueError(f"training inputs of shape {inputs.shape} and deployment inputs of shape {deploy.shape}")
    if not (np.isfinite(inputs).all() and np.isfinite(deploy).all()):
        raise ValueError("inputs hold NaN or infinity")
    found: dict[int, DeploymentFinding] = {}
    try:
        _locate_all(inputs, deploy, found)
    except OutOfTime as late:
        late.so_far = tuple(found.get(row, DeploymentFinding(row, None, decided=False)) for row in range(len(deploy)))
        raise
    return tuple(found[row] for row in range(len(deploy)))


def _locate_all(inputs: np.ndarray, deploy: np.ndarray, found: dict[int, DeploymentFinding]) -> None:
    """Put every row's finding into `found`."""

    def note(finding: DeploymentFinding) -> None:
        found[finding.row] = finding
        in_force().owe(finding.numbers)

    hull = _Hull(inputs)
    for row, point in enumerate(looking(deploy)):
        if (same := hull.first.get(point.tobytes())) is not None:
            note(DeploymentFinding(row, None, train_row=same))
        elif (side := hull.beyond_box(point)) is not None:
            note(DeploymentFinding(row, (1, 1), separation=side))
    rest = [row for row in range(len(deploy)) if row not in found]
    for start in looking(range(0, len(rest), BATCH)):
        batch = rest[start : start + BATCH]
        for row, side in zip(batch, hull.outside(deploy[batch]), strict=True):
            note(DeploymentFinding(row, (1, 1), separation=side) if side else hull.locate(row, deploy[row]))


class _Hull:
    """The distinct training inputs, and what is computed of them once."""

    def __init__(self, inputs: np.ndarray):
        self.rows = distinct_rows(inputs)
        self.points = inputs[self.rows]
        self.first = {point.tobytes(): int(row) for row, point in zip(self.rows, self.points, strict=True)}
        self.low, self.high = self.points.min(axis=0), self.points.max(axis=0)
        with np.errstate(over="ignore", invalid="ignore"):
            self.mean, spread = self.points.mean(axis=0), self.high - self.low
            self.spread = np.where(spread > 0, spread, 1)
        corners = {*self.points.argmin(axis=0).tolist(), *self.points.argmax(axis=0).tolist()}
        self.corners = np.array(sorted(corners))

    @cached_property
    def whiten(self) -> np.ndarray | None:
        """The inverse of the covariance; None where that overflows: no direction is proposed then but the axes'."""
        rows, size = self.points.shape
        # A product and a decomposition; neither can be interrupted.
        afford(cost(PRODUCT, size, size) * rows / size + cost(PINV, size, size))
        with np.errstate(over="ignore", invalid="ignore"):
            centred = (self.points - self.mean) / self.spread
            covariance = centred.T @ centred / len(centred)
        if not (np.isfinite(covariance).all() and np.isfinite(self.spread).all()):
            return None
        inverse: np.ndarray = np.linalg.pinv(covariance + 1e-9 * np.eye(len(covariance)))
        return inverse

    def beyond_box(self, point: np.ndarray) -> tuple[tuple[Fraction, ...], Fraction] | None:
        """A half-space along an axis: +-z_k -+ extreme <= 0."""
        for side, beyond, end in ((1, point > self.high, self.high), (-1, point < self.low, self.low)):
            if beyond.any():
                axis = int(beyond.argmax())
                zeros = (Fraction(0),)
                weights = (*zeros * axis, Fraction(side), *zeros * (len(point) - axis - 1))
                return weights, -side * Fraction(end[axis])
        return None

    def outside(self, points: np.ndarray) -> list[tuple[tuple[Fraction, ...], Fraction] | None]:
        """Half-spaces for some deployment points in the direction from the mean to them, where that is enough."""
        if self.whiten is None:
            return [None] * len(points)
        return self._separations(((points - self.mean) / self.spread) @ self.whiten, points)

    def locate(self, row: int, point: np.ndarray) -> DeploymentFinding:
        """One deployment input, by linear programs on a subset that grows by what its half-space cuts off."""
        if self.whiten is None:
            return self._exactly(row, point, self.corners)
        scaled = (self.points - point) / self.spread
        direction, chosen = ((point - self.mean) / self.spread) @ self.whiten, self.corners
        for attempt in looking(range(ROUNDS)):
            heights = scaled @ direction
            if attempt and heights.max() < 0:
                (side,) = self._separations(direction[None], point[None])
                if side:
                    return DeploymentFinding(row, (1, 1), separation=side)
                break
            count = min(ADDED, len(heights))
            grown = np.union1d(chosen, np.argpartition(heights, -count)[-count:])
            if attempt and len(grown) == len(chosen):
                # The program saw nothing wrong with a point that is on the wrong side: floats cannot tell.
                break
            chosen = grown
            direction, support = _program(scaled[chosen])
            if support is not None:
                found = self._combination(chosen[support], point)
                if found:
                    return DeploymentFinding(row, (2, 3), combination=found)
                break
            if direction is None:
                break
        return self._exactly(row, point, chosen)

    def _exactly(self, row: int, point: np.ndarray, chosen: np.ndarray) -> DeploymentFinding:
        """By the exact simplex on a subset that grows by the points that its half-space cuts off."""
        undecided = DeploymentFinding(row, None, decided=False)
        if self.points.shape[1] > EXACT_DIMENSION or self.points.size > EXACT_COORDINATES:
            return undecided
        for _ in looking(range(ROUNDS)):
            place = locate(self.points[chosen].tolist(), point.tolist())
            if isinstance(place, Combination):
                pairs = sorted((int(self.rows[chosen[k]]), weight) for k, weight in place.weights.items())
                return DeploymentFinding(row, (2, 3), combination=tuple(pairs))
            heights = _heights(self.points, place.weights, place.bias)
            if heights.max() <= 0:
                return DeploymentFinding(row, (1, 1), separation=(place.weights, place.bias))
            cut_off = np.flatnonzero(heights > 0)
            chosen = np.union1d(chosen, cut_off[np.argsort(heights[cut_off])[-ADDED:]])
        return undecided

    def _separations(
        self, directions: np.ndarray, points: np.ndarray
    ) -> list[tuple[tuple[Fraction, ...], Fraction] | None]:
        """For each point a half-space of float coefficients with its normal (in scaled coordinates),
        if it is exactly one.
        """
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            weights = directions / self.spread
            largest = np.abs(weights).max(axis=1, keepdims=True)
            weights = np.nan_to_num(weights / largest, nan=0.0, posinf=0.0, neginf=0.0)
        with np.errstate(over="ignore", invalid="ignore"):
            tops = np.max([(self.points[b] @ weights.T).max(axis=0) for b in blocks(len(self.points))], axis=0)
            here = np.einsum("ij,ij->i", points, weights)
            biases = -(tops + (here - tops) / 2)
        found: list[tuple[tuple[Fraction, ...], Fraction] | None] = [None] * len(points)
        hopeful = np.flatnonzero((here > tops) & np.isfinite(biases))
        if not hopeful.size:
            return found
        planes = FloatNet([(weights[hopeful], biases[hopeful])])
        for k, confirmed in zip(hopeful, self._confirmed(planes, points[hopeful]), strict=True):
            if confirmed:
                found[k] = tuple(map(Fraction, weights[k].tolist())), Fraction(float(biases[k]))
        return found

    def _confirmed(self, planes: FloatNet, points: np.ndarray) -> np.ndarray:
        """Which unit's pre-activation is positive at its own point and nowhere positive on the training inputs,
        exactly.
        """
        good = np.diagonal(exact.activations(planes, points, 1).signs()) > 0
        for block in blocks(len(self.points)):
            signs, decided = enclose(planes, self.points[block])[0].signs()
            good = good & ~(signs > 0).any(axis=0)
            for k in np.flatnonzero(good & ~decided.all(axis=0)):
                left = self.points[block][~decided[:, k]]
                plane = FloatNet([some_units(planes.layers[0], np.array([k]))])
                good[k] = not (exact.activations(plane, left, 1).signs() > 0).any()
        return good

    def _combination(self, chosen: np.ndarray, point: np.ndarray) -> tuple[tuple[int, Fraction], ...] | None:
        """Exact positive weights of some of the chosen points, if these have one solution and it is not negative."""
        # Elimination over the rationals, as measured: n^4 of some 5e-10 s.
        afford(5e-10 * min(len(chosen), len(point) + 1) ** 4)
        points = [list(map(Fraction, self.points[k].tolist())) for k in chosen]
        equations = [[Fraction(1)] * len(points), *map(list, zip(*points, strict=True))]
        weights = solve_some(equations, [Fraction(1), *map(Fraction, point.tolist())]) if points else None
        if weights is None or min(weights) < 0:
            return None
        pairs = zip(self.rows[chosen].tolist(), weights, strict=True)
        return tuple((row, weight) for row, weight in sorted(pairs) if weight)


def _heights(points: np.ndarray, weights: tuple[Fraction, ...], bias: Fraction) -> np.ndarray:
    """w.z + b at each point, times something positive, as Python integers."""
    scale = lcm(bias.denominator, *(w.denominator for w in weights))
    whole = np.array([int(w * scale) for w in weights], dtype=object)
    coordinates, exponent = integers(points)
    return (coordinates.dot(whole) << max(exponent, 0)) + (int(bias * scale) << max(-exponent, 0))


def _program(points: np.ndarray) -> tuple[np.ndarray | None, np.ndarray | None]:
    """The direction with the widest margin between 0 and the points, or the points whose combination 0 seems to be.

    max t with w.z + t <= 0 for every point z and |w_k| <= 1; its dual is a convex combination next to 0.
    Returns (w, None) where t is positive, (0, positions of the points with weight) where it is not, (None,
    None) if the solver gave up.
    """
    from scipy.optimize import linprog

    count = points.shape[1]
    objective = np.append(np.zeros(count), -1.0)
    conditions = np.hstack([points, np.ones((len(points), 1))])
    bounds = [(-1, 1)] * count + [(None, None)]
    # A program without a limit takes none of its own.
    limit = {} if left() == inf else {"time_limit": left()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        zero = np.zeros(len(points))
        result = linprog(objective, A_ub=conditions, b_ub=zero, bounds=bounds, method="highs-ds", options=limit)
    look()
    if result.x is None or result.status != 0:
        return None, None
    if result.x[-1] > 1e-9:
        return result.x[:-1], None
    return np.zeros(count), np.flatnonzero(-result.ineqlin.marginals > 1e-12)

"""Inputs at which a circuit sends something else:
found in floats by sampling and ascent, counted only after exact replay.
"""

from collections.abc import Iterator, Sequence
from fractions import Fraction

import numpy as np

from proof_of_absence.checker.numbers.deadline import looking
from proof_of_absence.checker.region.lp import Affine
from proof_of_absence.checker.region.question import Question
from proof_of_absence.models.layers import FloatAffine
from proof_of_absence.models.rational import Vector

__all__ = ["Replayer", "ascend", "ascended", "hints", "off_the_form"]

SAMPLES, ASCENTS, STEPS, REPLAYS = 512, 32, 25, 6


def _inside(asked: Question, point: Sequence[float]) -> Vector:
    return tuple(
        min(max(Fraction(x), a), b) if np.isfinite(x) else a
        for x, a, b in zip(map(float, point), asked.low, asked.high, strict=True)
    )


class Replayer:
    """Replays points exactly where floats see a difference that earlier replays did not show to be rounding."""

    def __init__(self, asked: Question):
        self.asked, self.noise, self.calls = asked, 0.0, 0

    def near(
        self, layer: int, j: int, sign: int, point: np.ndarray, box: tuple[np.ndarray, np.ndarray]
    ) -> Vector | None:
        """As `first`, at a point, and every so often where ascent of sign * pre-activation leads from it in the box."""
        start = np.clip(point, *box)[None, :]
        self.calls += 1
        if self.calls % 16 == 1 and np.isfinite(start).all():
            with np.errstate(all="ignore"):
                start = np.vstack([start, ascend(self.asked, layer, j, sign, start, *box)])
        return self.first(start)

    def first(self, points: np.ndarray) -> Vector | None:
        """The first of the most promising points at which the circuit differs, by the exact forward pass.

        None if none does.
        """
        gaps = self.asked.gap(points)
        for i in np.argsort(-gaps, kind="stable")[:REPLAYS]:
            if not gaps[i] > 4 * self.noise:
                return None
            point = _inside(self.asked, points[i])
            if self.asked.differs(point):
                return point
            self.noise = max(self.noise, float(gaps[i]))
        return None


def hints(asked: Question, box: tuple[np.ndarray, np.ndarray], seed: int = 0) -> Iterator[np.ndarray]:
    """Inputs that may differ: samples of the box and corners, then what ascent on the pre-activations reaches."""
    low, high = box
    if not (np.isfinite(low).all() and np.isfinite(high).all()):
        return
    random = np.random.default_rng(seed)
    with np.errstate(all="ignore"):
        inner = low + (high - low) * random.random((SAMPLES, len(low)))
        corners = np.where(random.random((SAMPLES // 4, len(low))) < 0.5, low, high)
        points = np.vstack([inner, corners, [low, high, low / 2 + high / 2]])
    yield points
    for target in asked.targets:
        units = [(j, sign) for j in target.live[:8] for sign in ((1, -1) if len(asked.circuit) > 1 else (1,))]
        if units:
            chosen, signs = map(np.array, zip(*units, strict=True))
            yield ascended(asked.layers[: target.layer], chosen, signs, points, low, high, ASCENTS)


def ascend(
    asked: Question, layer: int, j: int, sign: int, points: np.ndarray, low: np.ndarray, high: np.ndarray
) -> np.ndarray:
    """As `ascended`, of one unit."""
    return ascended(asked.layers[:layer], np.array([j]), np.array([sign]), points, low, high, ASCENTS)


def ascended(
    layers: Sequence[FloatAffine], units: np.ndarray, signs: np.ndarray, points: np.ndarray, low: np.ndarray,
    high: np.ndarray, starts: int,
) -> np.ndarray:  # fmt: skip
    """Points of the box where signed pre-activations of the last layer are large, of all units together.

    Signed gradient steps, shrinking, from the `starts` points where each is largest.
    """
    *below, (weights, bias) = layers
    with np.errstate(all="ignore"):
        if not below:
            # Affine: the best corner.
            return np.where(signs[:, None] * weights[units] > 0, high, low)
        values = points
        for w, b in below:
            values = np.maximum(values @ w.T + b, 0)
        heights = (values @ weights[units].T + bias[units]) * signs
        first = np.argsort(-heights, axis=0, kind="stable")[:starts]
        z: np.ndarray = points[first.T.ravel()]
        rows, side = np.repeat(weights[units], len(first), axis=0), np.repeat(signs, len(first))[:, None]
        for step in looking(range(STEPS)):
            masks, values = [], z
            for w, b in below:
                pre = values @ w.T + b
                masks.append(pre > 0)
                values = np.maximum(pre, 0)
            gradient = rows
            for (w, _), mask in zip(reversed(below), reversed(masks), strict=True):
                gradient = (gradient * mask) @ w
            z = np.minimum(np.maximum(z + side * np.sign(gradient) * (high - low) * 0.25 * 0.8**step, low), high)
        return z


def off_the_form(
    asked: Question, form: Affine, conditions: Sequence[Affine], point: Vector, low: Vector, high: Vector
) -> Vector | None:
    """An input near an interior point of a piece on which a reader receives its constant plus `form`,
    a form that is not 0.

    Everything is in the free coordinates; the conditions are positive at the point. If the form is 0 there, it is not a
    little along its gradient, so one of the two inputs tried will do.
    """
    middle = tuple((a + b) / 2 for a, b in zip(low, high, strict=True))
    inner = _towards(point, [m - x for m, x in zip(middle, point, strict=True)], conditions)
    sides = [Affine(tuple(Fraction(s if k == i else 0) for k in range(len(low))), -s * end)
             for i, (a, b) in enumerate(zip(low, high, strict=True)) for s, end in ((1, a), (-1, b))]  # fmt: skip
    rise = [w * (b - a) for w, a, b in zip(form.weights, low, high, strict=True)]
    for z in (inner, _towards(inner, rise, [*conditions, *sides])):
        full = list(asked.low)
        for i, x in zip(asked.free, z, strict=True):
            full[i] = x
        if asked.differs(full):
            return tuple(full)
    return None


def _towards(point: Vector, step: Sequence[Fraction], conditions: Sequence[Affine]) -> Vector:
    """Half of the way along the step on which the conditions, positive at the point, stay positive.

    At most half the step.
    """
    share = Fraction(1)
    for c in conditions:
        change = sum((w * x for w, x in zip(c.weights, step, strict=True)), Fraction(0))
        if change < 0:
            share = min(share, c(point) / -change)
    return tuple(x + share / 2 * d for x, d in zip(point, step, strict=True))

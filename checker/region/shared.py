"""One search for witnesses over many circuits and one box, in floats; each input counts after exact replay.

Of circuits in layer 1 every unit's own best corner is among the inputs, of others what gradient ascent reaches.
"""

from collections.abc import Iterator, Sequence
from fractions import Fraction

import numpy as np

from proof_of_absence.checker.numbers.deadline import OutOfTime, looking
from proof_of_absence.checker.region.bounds import round_down, round_up
from proof_of_absence.checker.region.question import Question
from proof_of_absence.checker.region.witness import ascended
from proof_of_absence.models.floatnet import FloatNet
from proof_of_absence.models.layers import FloatAffine, nearest_floats
from proof_of_absence.models.rational import Vector

__all__ = ["witnesses"]

SAMPLES = 256
# Starts of ascent for each unit, units of a circuit that are tried, rows of one block.
STARTS, UNITS, BLOCK = 4, 4, 1024
# Inputs replayed for one circuit; inputs of one exact pass.
TRIES, REPLAYS = 2, 64


def witnesses(asked: Sequence[Question], seed: int = 0) -> list[Vector | None]:
    """For each question an input of the box at which its circuit sends something else, exactly, or None: not found.

    Parameters
    ----------
    asked
        Questions of one net and one box.

    Raises
    ------
    OutOfTime
        If the deadline in force passes; `so_far` is what is found by then.
    """
    found: list[Vector | None] = [None] * len(asked)
    if not asked:
        return found
    low, high = _inner(asked[0])
    if not (np.isfinite(low).all() and np.isfinite(high).all()):
        return found
    random = np.random.default_rng(seed)
    with np.errstate(all="ignore"):
        inner = low + (high - low) * random.random((SAMPLES, len(low)))
        corners = np.where(random.random((SAMPLES // 4, len(low))) < 0.5, low, high)
        points = np.clip(np.vstack([inner, corners, [low, high, low / 2 + high / 2]]), low, high)
    try:
        _replay(asked, points, found)
        for reached in _reached(asked, found, points, low, high):
            _replay(asked, reached, found)
    except OutOfTime as late:
        late.so_far = found
        raise
    return found


def _inner(asked: Question) -> tuple[np.ndarray, np.ndarray]:
    """The box's ends, as floats inside it; where a side holds no float, floats near it."""
    low, high = np.array([round_up(a) for a in asked.low]), np.array([round_down(b) for b in asked.high])
    return np.minimum(low, high), np.maximum(low, high)


def _exactly(asked: Question, point: np.ndarray) -> Vector:
    """The input of the box next to the floats."""
    return tuple(min(max(Fraction(x), a), b) for x, a, b in zip(point.tolist(), asked.low, asked.high, strict=True))


def _floats(net: FloatNet, depth: int) -> list[FloatAffine]:
    """The layers up to `depth` in floats, which is near enough for hints."""
    return list(map(nearest_floats, net.layers[:depth]))


def _replay(asked: Sequence[Question], points: np.ndarray, found: list[Vector | None]) -> None:
    """Replay, for each circuit that is open, the inputs where floats see the largest difference."""
    layers, values = [], points
    with np.errstate(all="ignore"):
        for weights, bias in looking(_floats(asked[0].net, max(question.depth for question in asked))):
            values = np.maximum(values @ weights.T + bias, 0)
            layers.append(values)
    wanted: dict[int, list[int]] = {}
    for number, question in enumerate(looking(asked)):
        if found[number] is None:
            gaps = question.gap_of(layers)
            # An input that another circuit has chosen serves as well, if its difference is not much smaller.
            best = max((at for at in wanted if gaps[at] > gaps.max() / 4), key=lambda at: gaps[at], default=None)
            chosen = np.argsort(-gaps, kind="stable")[:TRIES].tolist() if best is None else [best]
            for at in chosen:
                if gaps[at] > 0:
                    wanted.setdefault(at, []).append(number)
    places = list(wanted)
    for start in looking(range(0, len(places), REPLAYS)):
        here = places[start : start + REPLAYS]
        exact = [_exactly(asked[0], points[at]) for at in here]
        depth = max(asked[number].depth for at in here for number in wanted[at])
        sent = asked[0].exact.forward(exact, depth)
        for place, at in enumerate(here):
            for number in wanted[at]:
                if found[number] is None and asked[number].received(sent, place) != asked[number].value:
                    found[number] = exact[place]


def _reached(
    asked: Sequence[Question], found: Sequence[Vector | None], points: np.ndarray, low: np.ndarray, high: np.ndarray
) -> Iterator[np.ndarray]:
    """Where ascent leads, of the live units of the circuits that are open, layer by layer."""
    net = asked[0].net
    for layer in range(1, max(question.depth for question in asked) + 1):
        tried = sorted(
            {
                (j, sign)
                for question, witness in zip(asked, found, strict=True)
                if witness is None
                for target in question.targets
                if target.layer == layer
                for j in target.live[:UNITS]
                # A unit that is 0 elsewhere needs to go up; others may have to go down.
                for sign in ((1, -1) if len(question.circuit) > 1 or any(question.value.values()) else (1,))
            }
        )
        count = max(1, BLOCK // STARTS)
        for start in looking(range(0, len(tried), count)):
            units, signs = (np.array(part) for part in zip(*tried[start : start + count], strict=True))
            yield ascended(_floats(net, layer), units, signs, points, low, high, STARTS)

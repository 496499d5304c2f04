"""Leverages in a result of `absence backdoors`: their bounds decided anew, and what is counted of them."""

import base64
import zlib
from collections.abc import Mapping
from fractions import Fraction
from math import isfinite
from typing import Any, NamedTuple

import numpy as np

from proof_of_absence.checker.independent.kinds.float_readout import Leverages
from proof_of_absence.checker.independent.refusal import require, require_equal
from proof_of_absence.checker.independent.results.readout import Hidden
from proof_of_absence.checker.independent.values import Fact
from proof_of_absence.checker.independent.values.floats import Floats

# The name of the clean test images.
CLEAN = "test"


class Bounds(NamedTuple):
    """Lower and upper bounds of leverages, both infinite where a move is free."""

    low: Floats
    high: Floats


def check_ranks(run: Fact, stated: Fact, features: Hidden) -> None:
    """Every leverage lies within its stated bounds, or its input is free; what the run counts follows from them.

    `features` has a part for the clean test images and for each trigger that is shown.

    Raises
    ------
    Refused
        If one of them is not so.
    """
    known = Leverages(stated, features)
    names = set(features.counts) - {"training"}
    require(set(stated["bounds"]) == names, "leverages of other inputs than those that are shown")
    found = {name: _bounds(text, features.counts[name]) for name, text in stated["bounds"].items()}
    for name, bounds in found.items():
        _confirm(name, bounds, known)
    require_equal("the clean leverages", run["clean_leverage"], _spread(found[CLEAN]))
    require(set(run["shown"]) == names - {CLEAN}, "other triggers are shown than leverages are stated of")
    for name, shown in run["shown"].items():
        require_equal(f"the leverages of {name}", shown["leverage"], _spread(found[name]))
        require_equal(f"the pairs of {name}", shown["pairs"], _pairs(found[name], found[CLEAN]))
        require_equal(f"the AUROC of {name}", shown["auroc"]["leverage"], auroc([shown["pairs"]]))


def auroc(counted: list[Mapping[str, int]]) -> float:
    """The part of the pairs in which the triggered input has the higher leverage, tied or open ones by half."""
    halves = sum(2 * pairs["above"] + pairs["tied"] + pairs["open"] for pairs in counted)
    return float(Fraction(halves, 2 * sum(sum(pairs.values()) for pairs in counted)))


def _bounds(text: str, count: int) -> Bounds:
    unpack = zlib.decompressobj()
    found = unpack.decompress(base64.b64decode(text, validate=True), 16 * count + 1)
    require(len(found) == 16 * count, "not two bounds to each input")
    low, high = np.frombuffer(found, dtype="<f8").astype(np.float64).reshape(2, count)
    require(bool((low >= 0).all() and (low <= high).all()), "bounds that are crossed")
    return Bounds(low, high)


def _confirm(name: str, stated: Bounds, known: Leverages) -> None:
    free, low, high = known.at(name, range(len(stated.low)))
    require_equal(f"free inputs of {name}", np.flatnonzero(np.isinf(stated.low)).tolist(),
                  np.flatnonzero(free >= 0).tolist())  # fmt: skip
    within = (stated.low <= low) & (high <= stated.high) | (free >= 0)
    wrong = np.flatnonzero(~within)[:1].tolist()
    require(not wrong, f"the leverage of input {wrong} of {name} is not shown to be within its bounds")


def _spread(bounds: Bounds) -> dict[str, Any]:
    free, middle = np.isinf(bounds.low), (len(bounds.low) - 1) // 2
    ends = [float(np.sort(side)[middle]) for side in bounds]
    return {
        "median": [end if isfinite(end) else None for end in ends],
        "free": int(free.sum()),
        "unknown": int((np.isinf(bounds.high) & ~free).sum()),
    }


def _pairs(bad: Bounds, clean: Bounds) -> dict[str, int]:
    """Pairs by which of the two has surely the higher leverage; `tied` are both free, the rest is `open`."""
    above = int((bad.low[:, None] > clean.high).sum())
    below = int((bad.high[:, None] < clean.low).sum())
    tied = int(np.isinf(bad.low).sum()) * int(np.isinf(clean.low).sum())
    return {"above": above, "below": below, "tied": tied, "open": len(bad.low) * len(clean.low) - above - below - tied}

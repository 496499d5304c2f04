"""A census in shards: each is counted whole and written at once, so that a run that was stopped, even by kill -9,
goes on from there.

Shards are ranges of nets; their counts are added up, so the order in which they are done and by whom changes nothing.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from proof_of_absence.checker.experiments.census.enumeration import Counts, Enumeration
from proof_of_absence.checker.experiments.census.problem import CELLS, Problem
from proof_of_absence.checker.independent.kinds.class_census import Census, require_checkable
from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.checker.kernel.kept import content_key, keep, kept, sources
from proof_of_absence.models.tally import Tally

if TYPE_CHECKING:
    from dask.distributed import Client

__all__ = ["SHARD", "checkable", "take", "tally_of"]

# Nets of a shard: a second or two on one core.
SHARD = 2**22


@dataclass(frozen=True)
class _Shard:
    """Choices of units number `first` to `last` - 1, which are so many nets, counted to a file if there is a path."""

    first: int
    last: int
    nets: int
    path: Path | None
    key: str

    def kept(self) -> Counts | None:
        """What an earlier run has counted."""
        found = self.path and kept(self.path, self.key)
        return _counts(found["counts"], self.nets) if found else None

    def keep(self, counts: Counts) -> None:
        """Write the file, whole or not at all."""
        if self.path:
            keep(self.path, self.key, {"counts": sorted(counts.items())})


def checkable(chosen: Problem) -> bool:
    """Whether the independent checker takes a census of this class: without that nothing shows what was kept."""
    try:
        require_checkable(chosen.json())
    except Refused:
        return False
    return True


def take(
    chosen: Problem,
    folder: Path | None,
    *,
    device: str = "numpy",
    shard: int = SHARD,
    client: "Client | None" = None,
    progress: Callable[[int, bool], None] = lambda nets, counted: None,
) -> Tally:
    """Count every net of the class, shard by shard; shards that lie in the folder are not counted again.

    These are a cache: they are taken only if with them all is as the independent checker counts it.

    Parameters
    ----------
    folder
        Where shards are kept; None keeps nothing.
    shard
        Nets of a shard, at least the output biases of one choice of units.
    client
        A dask.distributed client whose workers count; without one this process does.
    progress
        Called with the number of nets of each shard that is done, and whether they were counted now. What was kept and
        is not taken is given back: as a negative number.
    """
    here = Enumeration(chosen, device)
    step = max(1, shard // here.biases)
    total: Counts = Counter()
    known: list[_Shard] = []
    missing: list[_Shard] = []
    for first in range(0, here.choices, step):
        last = min(first + step, here.choices)
        key = _key(chosen, first, last)
        part = _Shard(first, last, (last - first) * here.biases, folder and folder / f"{key[:32]}.json", key)
        if (counts := part.kept()) is None:
            missing.append(part)
            continue
        known.append(part)
        total.update(counts)
        progress(part.nets, False)

    def count(parts: list[_Shard]) -> Counts:
        found: Counts = Counter()
        apart = _apart(client, chosen, device, parts) if client else _in_turn(here, parts)
        for part, counts in apart:
            part.keep(counts)
            found.update(counts)
            progress(part.nets, True)
        return found

    fresh = count(missing)
    tally = tally_of(total + fresh, here.tables.loss_scale)
    if known and not _confirmed(chosen, tally):
        progress(-sum(part.nets for part in known), False)
        tally = tally_of(fresh + count(known), here.tables.loss_scale)
    return tally


def _counts(found: object, nets: int) -> Counts | None:
    """Counts as they were kept; None if they are none of so many nets."""
    if not isinstance(found, list) or not all(isinstance(pair, list) and len(pair) == 2 for pair in found):
        return None
    if not all(type(key) is int and type(count) is int and key >= 0 and count > 0 for key, count in found):
        return None
    counts: Counts = Counter(dict(found))
    return counts if len(counts) == len(found) and counts.total() == nets else None


def _confirmed(chosen: Problem, tally: Tally) -> bool:
    """Whether the independent checker, by its own algorithm, counts as many nets of each loss in each cell."""
    try:
        found = Census(chosen.json())
    except Refused:
        return False
    return found.unit == tally.unit and found.levels == {loss: list(counts) for loss, counts in tally.levels}


def tally_of(counts: Counts, loss_scale: int) -> Tally:
    """The tally of counts by key."""
    levels: dict[int, list[int]] = {}
    for key, count in counts.items():
        loss, cell = divmod(key, len(CELLS))
        levels.setdefault(loss, [0] * len(CELLS))[cell] += count
    return Tally.of([(loss, tuple(row)) for loss, row in levels.items()], Fraction(1, loss_scale), CELLS)


def _in_turn(here: Enumeration, shards: list[_Shard]) -> Iterator[tuple[_Shard, Counts]]:
    """The shards, counted one after the other."""
    return ((part, here.count(part.first, part.last)) for part in shards)


def _apart(client: "Client", chosen: Problem, device: str, shards: list[_Shard]) -> Iterator[tuple[_Shard, Counts]]:
    """The shards as workers finish them; one whose worker is lost is counted by another."""
    from dask.distributed import Future, as_completed

    shared = client.submit(_same, chosen, pure=False)
    tasks: dict[Future[Counts], _Shard] = {
        client.submit(_count, shared, device, part.first, part.last, pure=False): part for part in shards
    }
    for task in as_completed(tasks):
        yield tasks[task], task.result()
        task.release()


def _same(value: Problem) -> Problem:
    return value


def _count(chosen: Problem, device: str, first: int, last: int) -> Counts:
    return _enumeration(chosen, device).count(first, last)


@lru_cache(maxsize=1)
def _enumeration(chosen: Problem, device: str) -> Enumeration:
    return Enumeration(chosen, device)


def _key(chosen: Problem, first: int, last: int) -> str:
    return content_key(sources(), json.dumps(chosen.json(), sort_keys=True), first, last)

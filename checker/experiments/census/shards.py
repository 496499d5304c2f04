"""A census in shards: each is counted whole and written at once, so that a run that was stopped, even by kill -9,
goes on from there.

Shards are ranges of nets; their counts are added up, so the order in which they are done and by whom changes nothing.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

from proof_of_absence.checker.experiments.census.enumeration import Counts, Enumeration
from proof_of_absence.checker.experiments.census.problem import CELLS, Problem
from proof_of_absence.checker.kernel.kept import content_key, keep, kept, sources
from proof_of_absence.models.tally import Tally

__all__ = ["SHARD", "take", "tally_of"]

# Nets of a shard: a second or two on one core.
SHARD = 2**22


@dataclass(frozen=True)
class _Shard:
    """Choices of units number `first` to `last` - 1, counted to a file."""

    first: int
    last: int
    path: Path
    key: str

    def kept(self) -> Counts | None:
        """What an earlier run has counted."""
        found = kept(self.path, self.key)
        return found and Counter(dict(found["counts"]))

    def keep(self, counts: Counts) -> None:
        """Write the file, whole or not at all."""
        keep(self.path, self.key, {"counts": sorted(counts.items())})


def take(
    chosen: Problem,
    folder: Path,
    *,
    device: str = "numpy",
    shard: int = SHARD,
    client=None,
    progress: Callable[[int, bool], None] = lambda nets, counted: None,
) -> Tally:
    """Count every net of the class, shard by shard; shards that lie in the folder are not counted again.

    Parameters
    ----------
    shard
        Nets of a shard, at least the output biases of one choice of units.
    client
        A dask.distributed client whose workers count; without one this process does.
    progress
        Called with the number of nets of each shard that is done, and whether they were counted now.
    """
    here = Enumeration(chosen, device)
    step = max(1, shard // here.biases)
    shards = []
    for first in range(0, here.choices, step):
        last = min(first + step, here.choices)
        key = _key(chosen, first, last)
        shards.append(_Shard(first, last, folder / f"{key[:32]}.json", key))
    total: Counts = Counter()
    missing = []
    for part in shards:
        if (counts := part.kept()) is None:
            missing.append(part)
            continue
        total.update(counts)
        progress((part.last - part.first) * here.biases, False)
    done = (
        _apart(client, chosen, device, missing)
        if client
        else ((part, here.count(part.first, part.last)) for part in missing)
    )
    for part, counts in done:
        part.keep(counts)
        total.update(counts)
        progress((part.last - part.first) * here.biases, True)
    return tally_of(total, here.tables.loss_scale)


def tally_of(counts: Counts, loss_scale: int) -> Tally:
    """The tally of counts by key."""
    levels: dict[int, list[int]] = {}
    for key, count in counts.items():
        loss, cell = divmod(key, len(CELLS))
        levels.setdefault(loss, [0] * len(CELLS))[cell] += count
    return Tally.of([(loss, tuple(row)) for loss, row in levels.items()], Fraction(1, loss_scale), CELLS)


def _apart(client, chosen: Problem, device: str, shards: list[_Shard]) -> Iterator[tuple[_Shard, Counts]]:
    """The shards as workers finish them; one whose worker is lost is counted by another."""
    from dask.distributed import as_completed

    shared = client.submit(_same, chosen, pure=False)
    tasks: dict[Future, _Shard] = {
        client.submit(_count, shared, device, part.first, part.last, pure=False): part for part in shards
    }
    for task in as_completed(tasks):
        yield tasks[task], task.result()
        task.release()


def _same(value):
    return value


def _count(chosen: Problem, device: str, first: int, last: int) -> Counts:
    return _enumeration(chosen, device).count(first, last)


@lru_cache(maxsize=1)
def _enumeration(chosen: Problem, device: str) -> Enumeration:
    return Enumeration(chosen, device)


def _key(chosen: Problem, first: int, last: int) -> str:
    return content_key(sources(), json.dumps(chosen.json(), sort_keys=True), first, last)

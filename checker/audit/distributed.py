"""The two long parts of an audit on many machines, by dask.distributed:
idle units by shards of rows, regions by sub-problems.

Tasks carry their data, so those of a worker that is lost run again elsewhere; what comes out is merged exactly.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from math import inf
from typing import Any

import numpy as np
from dask.distributed import Client, Future, as_completed, wait

from proof_of_absence.checker.audit.findings import Activity, UnitFinding
from proof_of_absence.checker.audit.idle import checked_inputs, unit_findings
from proof_of_absence.checker.numbers.deadline import Deadline, OutOfTime, within
from proof_of_absence.checker.numbers.deadline import left as time_left
from proof_of_absence.checker.region.decide import RegionResult, concluded, decide
from proof_of_absence.checker.region.question import Question
from proof_of_absence.checker.region.search import Budget, SearchResult, open_leaves, solve
from proof_of_absence.models.floatnet import FloatNet

__all__ = ["decide_apart", "merged", "unit_findings_apart"]

# A task looks at this many parts of a box: seconds of work, so that handing it out costs little.
NODES = 1024
# Workers stop by themselves when time is over. For so many seconds more they are waited for; one may be lost or busy.
GRACE = 0.5


def unit_findings_apart(
    client: Client, net: FloatNet, inputs: np.ndarray, shards: int | None = None
) -> tuple[UnitFinding, ...]:
    """As `unit_findings`, the rows in `shards` (by default four for each worker); witnesses may be other rows.

    Raises
    ------
    ValueError, OutOfTime
        As `unit_findings`.
    """
    inputs = checked_inputs(net, inputs)
    shards = min(len(inputs), shards or 4 * max(1, len(client.scheduler_info(n_workers=-1)["workers"])))
    ends = [len(inputs) * k // shards for k in range(shards + 1)]
    starts = ends[:-1]
    # The net is a task of its own: sent once, and made again if its worker is lost.
    shared = client.submit(_same, net, pure=False)
    tasks = [
        client.submit(_units, shared, inputs[a:b], time_left(), pure=False)
        for a, b in zip(starts, ends[1:], strict=True)
    ]
    firsts = _units(net, inputs[starts], time_left())
    # Nothing is known of a shard whose worker did not answer in time.
    nothing = tuple(UnitFinding(first.unit, Activity.UNDECIDED, None) for first in firsts)
    found = merged([part or nothing for part in _answers(client, tasks)], starts, firsts)
    if time_left() <= 0 and any(unit.activity is Activity.UNDECIDED for unit in found):
        raise OutOfTime(so_far=found)
    return found


def _answers(client: Client, tasks: "Sequence[Future[Any]]") -> list[Any]:
    """What the tasks come to by the deadline and its grace; None for those that did not answer, which are given up."""
    if time_left() == inf:
        return list(client.gather(tasks))
    with suppress(TimeoutError):
        wait(tasks, timeout=time_left() + GRACE)
    client.cancel([task for task in tasks if not task.done()])
    return [_answer(task) if task.done() else None for task in tasks]


def _answer(task: "Future[Any]") -> Any:
    """What a task that is done came to; None if the worker that has it is lost in that moment."""
    try:
        return None if task.cancelled() else task.result(timeout=GRACE)
    except TimeoutError:
        return None


def _units(net: FloatNet, inputs: np.ndarray, seconds: float) -> tuple[UnitFinding, ...]:
    """The findings, with what is open after so many seconds as undecided."""
    with within(Deadline(seconds)):
        try:
            return unit_findings(net, inputs)
        except OutOfTime as late:
            return late.so_far


def merged(
    parts: Sequence[tuple[UnitFinding, ...]], starts: Sequence[int], firsts: tuple[UnitFinding, ...]
) -> tuple[UnitFinding, ...]:
    """The findings on all rows, from those on each shard and those on the first rows of all shards.

    A unit that varies in a shard varies. One that has a single value in each has a single value on the whole if and
    only if the first rows of the shards agree, and is dead if it is 0 at them.

    Parameters
    ----------
    starts
        The first row of each shard.
    """
    found = []
    for unit, first in enumerate(firsts):
        here = [part[unit] for part in parts]
        varies = next(
            ((f, start) for f, start in zip(here, starts, strict=True) if f.activity is Activity.VARIES), None
        )
        if varies:
            finding, start = varies
            one, other = finding.witness
            found.append(replace(finding, witness=(one + start, other + start)))
        elif first.activity is Activity.VARIES:
            one, other = first.witness
            found.append(replace(first, witness=(starts[one], starts[other])))
        elif any(f.activity is Activity.UNDECIDED for f in (*here, first)):
            found.append(UnitFinding(first.unit, Activity.UNDECIDED, None))
        else:
            found.append(first)
    return tuple(found)


def decide_apart(client: Client, asked: Question, seconds: float | None = 60, nodes: int = NODES) -> RegionResult:
    """As `decide`, the open parts of the box searched by the workers, `nodes` of them in a task.

    The proof tree is put together here and is the same kind of certificate, for the independent checker.
    """
    started = time.monotonic()

    def left() -> float | None:
        return None if seconds is None else max(0.0, seconds - (time.monotonic() - started))

    first = decide(asked, Budget(nodes, left()))
    if first.verdict in ("sat", "unsat"):
        return first
    shared = client.submit(_same, asked, pure=False)
    places = {}
    limit = left()
    running = as_completed(timeout=None if limit is None else limit + GRACE)

    def hand_out(leaves: list[dict]) -> None:
        for leaf in leaves:
            task = client.submit(_solve, shared, leaf["open"], nodes, left(), pure=False)
            places[task] = leaf
            running.add(task)

    tree, reason, visited, witness = first.tree, "", first.nodes, None
    hand_out(open_leaves(tree))
    for task in _in_time(running):
        outcome = task.result() if seconds is None else _answer(task)
        if outcome is None:
            break
        leaf = places.pop(task)
        visited += outcome.nodes
        if outcome.witness is not None:
            witness = outcome.witness
            break
        leaf.clear()
        leaf.update(outcome.tree)
        remaining = open_leaves(leaf)
        if left() == 0.0 and remaining:
            reason = "timeout"
        elif outcome.reason in ("", "node limit"):
            hand_out(remaining)
        else:
            # Not for lack of time: searching this part again would end the same way.
            reason = reason or outcome.reason
    client.cancel(list(places))
    if places and witness is None:
        reason = reason or "timeout"
    return concluded(asked, tree, witness, reason, visited, time.monotonic() - started)


def _in_time(running: "Iterator[Future[Any]]") -> "Iterator[Future[Any]]":
    """The tasks as they are done, until their time is over."""
    with suppress(TimeoutError):
        yield from running


def _same(value):
    return value


def _solve(asked: Question, sub: dict, nodes: int, seconds: float | None) -> SearchResult:
    try:
        with within(Deadline(seconds)):
            return solve(asked, sub, Budget(nodes, seconds))
    except OutOfTime:
        return SearchResult({"open": sub}, None, 0, "timeout")

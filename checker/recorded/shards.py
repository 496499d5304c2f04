"""Passes over the shards of a recording, made by many; what is seen of training rows is kept between runs.

What is seen of a training shard is merged, in any order.

A run that is ended by kill -9 goes on from what was kept last. A shard whose worker is lost is read again elsewhere.
"""

import shutil
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

import numpy as np

from proof_of_absence.checker.kernel.kept import content_key, sources
from proof_of_absence.checker.recorded.state import State, gathered
from proof_of_absence.models.files.recording import Part, Recording

if TYPE_CHECKING:
    from dask.distributed import Client

__all__ = ["Asks", "Passes"]

# Seconds between two times at which the state, of the order p^2, is written.
EVERY = 20.0


T = TypeVar("T")
Answers = TypeVar("Answers", covariant=True)


class Asks(Protocol[Answers]):
    """What can be asked of a part of a recording, here or by a worker."""

    def of(self, part: Part, rows: Sequence[int] | None, told: Callable[[int], None]) -> Answers:
        """The answer at some of its rows, at all of them if none are named."""
        ...


@dataclass
class Passes:
    """Makes passes: in this process or by the workers of a client, which must see the same files; kept in a folder.

    With a `device` of torch, Gram matrices are multiplied there. `went_on` counts the rows that an earlier run had
    seen.
    """

    folder: Path | None = None
    client: "Client | None" = None
    device: str | None = None
    went_on: int = 0
    _last: float = field(default_factory=time.monotonic)

    def gather(self, recording: Recording, digest: str, told: Callable[[int], None]) -> State:
        """The state of all training rows; `digest` tells the files apart.

        Raises
        ------
        InputError
            If a file is damaged, or a number is NaN or infinite.
        """
        key = content_key(sources(), digest)
        path = self.folder / f"{key[:32]}.npz" if self.folder else None
        shape = recording.columns, len(recording.train), self.device
        state = (State.kept(path, key, recording, self.device) if path else None) or State(*shape)
        if before := int(state.seen.sum()):
            self.went_on += before
            told(before)
        left = [k for k, part in enumerate(recording.train) if state.seen[k] < part.rows]
        if self.client is None:
            for more in gathered(recording, left, state):
                told(more)
                self._keep(state, path, key)
        else:
            for part in _apart(self.client, recording, left, state, self.device):
                state.merge(part)
                told(int(part.seen.sum()))
                self._keep(state, path, key)
        return state

    def each(
        self, asked: "Asks[T]", parts: Sequence[tuple[Part, Sequence[int] | None]], told: Callable[[int], None]
    ) -> Iterator[T]:
        """What is asked of each part, of all of its rows or of some, in order.

        Raises
        ------
        InputError
            If a file is damaged, or a number is NaN or infinite.
        """
        if self.client is None:
            for part, rows in parts:
                yield asked.of(part, rows, told)
            return
        # A task of its own, so that it is sent to each worker once, and made again where one is lost.
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Sending large graph", UserWarning)
            held = self.client.submit(_itself, asked, pure=False)
        tasks = [self.client.submit(_asked, held, part, rows, pure=False) for part, rows in parts]
        try:
            for task, (part, rows) in zip(tasks, parts, strict=True):
                found: T = task.result()
                task.release()
                yield found
                told(part.rows if rows is None else 0)
        finally:
            self.client.cancel([held, *tasks])

    def _keep(self, state: State, path: Path | None, key: str) -> None:
        if path is not None and time.monotonic() - self._last >= EVERY:
            state.keep(path, key)
            self._last = time.monotonic()

    def forget(self) -> None:
        """Delete what was kept, once it is no longer needed, or is not so."""
        self.went_on = 0
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)


def _apart(
    client: "Client", recording: Recording, left: list[int], state: State, device: str | None
) -> Iterator[State]:
    """What the rest of each part is, as the workers come to it."""
    from dask.distributed import as_completed

    # A task reads its shard itself, so that none of it lies in this process.
    tasks = [client.submit(_one, recording, k, int(state.seen[k]), device, pure=False) for k in left]
    try:
        for task in as_completed(tasks):
            part: State = task.result()
            task.release()
            yield part
    finally:
        client.cancel(tasks)


def _itself(asked: "Asks[T]") -> "Asks[T]":
    return asked


def _asked(asked: "Asks[T]", part: Part, rows: Sequence[int] | None) -> T:
    return asked.of(part, rows, _quiet)


def _quiet(rows: int) -> None:
    """Workers tell nothing."""


def _one(recording: Recording, k: int, start: int, device: str | None) -> State:
    """What the rows of one part are, from one on; `seen` counts these alone."""
    state = State(recording.columns, len(recording.train), device)
    state.seen[k] = start
    for _ in gathered(recording, [k], state):
        pass
    state.space.settle()
    state.seen = np.where(np.arange(len(state.seen)) == k, recording.train[k].rows - start, 0)
    return state

"""What one pass over training rows gathers: extremes of columns, the Gram matrix, rows that span; of the order p^2.

States of different rows are merged exactly but for the roundings of the Gram matrix, which it counts.
"""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from proof_of_absence.checker.recorded.columns import Columns
from proof_of_absence.checker.recorded.gram import Gram
from proof_of_absence.checker.recorded.row_space import RowSpace
from proof_of_absence.models.files.disk import refused, replace
from proof_of_absence.models.files.recording import Part, Recording

__all__ = ["State", "gathered"]

# What of it is integers.
WHOLE = ("seen", "counts", "rows")
Floats = NDArray[np.floating[Any]]


class State:
    """What was gathered; `seen` is how many rows of each part were, from its first on."""

    def __init__(self, columns: int, parts: int, device: str | None = None):
        self.columns, self.gram, self.space = Columns(columns), Gram(columns, device), RowSpace(columns)
        self.seen: NDArray[np.int64] = np.zeros(parts, np.int64)

    def see(self, k: int, part: Part, offset: int, first: int, block: Floats) -> None:
        """Take rows of the part `k` into account, of which the first has the number `first` there.

        Parameters
        ----------
        offset
            The number of rows in the parts before.

        Raises
        ------
        InputError
            If one of the numbers is NaN or infinite.
        """
        try:
            self.columns.see(block)
        except ValueError as error:
            raise refused(part.path, f"{part.array} {error}") from error
        self.gram.see(block)
        self.space.see(np.arange(offset + first, offset + first + len(block)), block)
        self.seen[k] = first + len(block)

    def merge(self, other: "State") -> None:
        """Take into account what another one has seen, of other rows."""
        self.columns.merge(other.columns.low, other.columns.high)
        self.gram.merge(other.gram)
        other.space.settle()
        self.space.see(other.space.rows, other.space.values)
        self.seen = self.seen + other.seen

    def keep(self, path: Path, key: str) -> None:
        """Write it to a file, whole or not at all."""
        self.space.settle()
        stream = io.BytesIO()
        np.savez(
            stream, key=np.array(key), seen=self.seen, low=self.columns.low, high=self.columns.high,
            gram=self.gram.value, counts=np.array([self.gram.depth, self.gram.rows]),
            rows=self.space.rows, values=self.space.values,
        )  # fmt: skip
        replace(path, stream.getvalue())

    @classmethod
    def kept(cls, path: Path, key: str, recording: Recording, device: str | None = None) -> "State | None":
        """What an earlier run has left under this key; None if there is none, or it is damaged.

        That its numbers are those of the rows is not known: who goes on from it checks what comes of it.
        """
        columns, parts = recording.columns, len(recording.train)
        try:
            with open(path, "rb") as stream, np.load(stream, allow_pickle=False) as archive:
                found = {name: archive[name] for name in archive.files}
            if str(found["key"]) != key:
                return None
            shapes = {"seen": (parts,), "counts": (2,), "rows": (len(found["values"]),), "low": (columns,),
                      "high": (columns,), "gram": (columns + 1,) * 2,
                      "values": (len(found["rows"]), columns)}  # fmt: skip
            kinds = dict.fromkeys(shapes, np.dtype(np.float64)) | dict.fromkeys(WHOLE, np.dtype(np.int64))
            rows, seen = found["rows"], found["seen"]
            fits = all(
                found[name].shape == shape and found[name].dtype == kinds[name] for name, shape in shapes.items()
            )
            there = all(0 <= n <= part.rows for n, part in zip(seen.tolist(), recording.train, strict=True))
            there &= ((rows >= 0) & (rows < recording.rows)).all() and len(set(rows.tolist())) == len(rows)
            # A state that has seen nothing is no reason to doubt what comes of it.
            there &= bool(seen.any() and np.isfinite(found["values"]).all() and (found["counts"] >= 0).all())
            if not (fits and there):
                return None
            state = cls(columns, parts, device)
            state.seen = seen
            state.columns.merge(found["low"], found["high"])
            state.gram.value = found["gram"]
            state.gram.depth, state.gram.rows = map(int, found["counts"])
            state.space.see(rows, found["values"])
            return state
        # Whatever zipfile and numpy trip over: the pass is then made from its beginning.
        except Exception:
            return None


def gathered(recording: Recording, parts: list[int], state: State) -> Iterator[int]:
    """See the rows of some of the training parts that were not seen yet; how many more, after each block."""
    offsets = np.concatenate([[0], np.cumsum([part.rows for part in recording.train])])
    for k in parts:
        part = recording.train[k]
        for first, block in part.blocks(int(state.seen[k])):
            state.see(k, part, int(offsets[k]), first, block)
            yield len(block)

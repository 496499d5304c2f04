"""Peak memory of an audit of recordings of many rows and columns that no file holds: blocks are made as they are read.

Half of the columns are ReLU units, some of them dead; one column is twice another. The peak is that of the process.
"""

import resource
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray

from proof_of_absence.checker.recorded.engine import Asked, examine
from proof_of_absence.models.files.recording import BLOCK, MOST_ROWS, Part, Recording

Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Generated(Part):
    """Rows that are the same whenever they are read."""

    def blocks(self, start: int = 0) -> Iterator[tuple[int, Floats]]:
        """(first row, rows) one after the other, from the block on in which a row lies."""
        size = max(1, min(MOST_ROWS, BLOCK // self.columns))
        for first in range(start - start % size, self.rows, size):
            rng = np.random.default_rng([first, self.samples])
            block = rng.standard_normal((min(size, self.rows - first), self.columns), dtype=np.float32)
            np.maximum(block[:, ::2] - 0.5, 0, out=block[:, ::2])
            block[:, ::64] = 0
            block[:, 3] = 2 * block[:, 1]
            yield first, block


def main(
    rows: Annotated[int, typer.Option(help="Training rows.")] = 20_000,
    columns: Annotated[int, typer.Option(help="Columns.")] = 4096,
    deploy: Annotated[int, typer.Option(help="Deployment rows.")] = 100,
) -> None:
    """Print the peak memory, beside p^2 float64 numbers and the array that is never there."""
    began, before = time.process_time(), _peak()
    told = 0

    def tell(more: int) -> None:
        nonlocal told
        if told // 20_000 < (told + more) // 20_000:
            print(f"{told + more:,} rows, {time.process_time() - began:.0f} s, {_peak():.2f} GiB", flush=True)
        told += more

    with tempfile.NamedTemporaryFile() as file:
        parts = (Generated(Path(file.name), "X", n, columns, n, "float32", 0) for n in (rows, deploy))
        train, there = ((part,) for part in parts)
        audit = examine([Recording("generated", train, there)], Asked(told=tell))
    (layer,) = audit.layers
    square = (columns + 1) ** 2 * 8 / 2**30
    print(
        f"{rows:,} rows, {columns:,} columns: {len(layer.constant)} constant, {len(layer.joint)} more relations, rank "
        f"{layer.rank.low} to {layer.rank.high}, prices {'known' if layer.priced else 'not known'}"
    )
    print(f"undecided: {'; '.join(layer.undecided) or 'nothing'}")
    print(f"peak memory {_peak():.2f} GiB, {before:.2f} before; {(_peak() - before) / square:.1f} times p^2 float64s")
    print(f"the array would have {rows * columns * 4 / 2**30:.2f} GiB; CPU {time.process_time() - began:.0f} s")


def _peak() -> float:
    """GiB that this process has held at most (Linux, in KiB)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


if __name__ == "__main__":
    typer.run(main)

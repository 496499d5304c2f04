"""The audit of recordings: a pass over the training rows of each layer, then one over its deployment rows."""

from collections.abc import Callable, Iterable
from itertools import pairwise
from pathlib import Path

import numpy as np

from proof_of_absence.checker.recorded.certify import certificate
from proof_of_absence.checker.recorded.columns import Columns, moved
from proof_of_absence.checker.recorded.findings import Constant, File, LayerFindings, RecordedAudit
from proof_of_absence.models.files.disk import refused, sha256
from proof_of_absence.models.files.recording import Part, Recording

__all__ = ["examine"]

# Told how many rows more were read.
Told = Callable[[int], None]


def examine(
    recordings: Iterable[Recording],
    *,
    named: Callable[[Path], str] = str,
    progress: Told = lambda rows: None,
) -> RecordedAudit:
    """Audit what was recorded of each layer.

    Parameters
    ----------
    named
        How the certificate names a file.

    Raises
    ------
    InputError
        If a file is damaged, a number is NaN or infinite, or two layers have one name.
    """
    recordings = list(recordings)
    for one, other in pairwise(sorted(recording.name for recording in recordings)):
        if one == other:
            raise refused(one, "two layers have this name; name each once")
    layers = tuple(_layer(recording, named, progress) for recording in recordings)
    return RecordedAudit(layers, certificate(layers))


def _layer(recording: Recording, named: Callable[[Path], str], progress: Told) -> LayerFindings:
    # Digests first: what is read afterwards is compared with them by the checker.
    train, deploy = ([_file(part, named) for part in parts] for parts in (recording.train, recording.deploy))
    columns = Columns(recording.columns)
    for part in recording.train:
        for _, block in part.blocks():
            _see(columns, part, block)
            progress(len(block))
    constant, values = columns.constant, columns.low[columns.constant] + 0.0
    moves, moving = np.zeros(len(constant), np.int64), []
    for part in recording.deploy:
        finite = Columns(recording.columns)
        for _, block in part.blocks():
            _see(finite, part, block)
            there = moved(block, constant, values)
            moves += there.sum(axis=0)
            moving.append(there.sum(axis=1))
            progress(len(block))
    found = (Constant(int(j), float(v), int(n)) for j, v, n in zip(constant, values, moves, strict=True))
    return LayerFindings(
        recording.name, recording.dtype, recording.columns, tuple(train), tuple(deploy), tuple(found),
        np.concatenate([np.zeros(0, np.int64), *moving]),
    )  # fmt: skip


def _see(columns: Columns, part: Part, block: "np.ndarray[tuple[int, ...], np.dtype[np.floating]]") -> None:
    try:
        columns.see(block)
    except ValueError as error:
        raise refused(part.path, f"{part.array} {error}") from error


def _file(part: Part, named: Callable[[Path], str]) -> File:
    try:
        return File(named(part.path), sha256(part.path), part.array, part.rows)
    except OSError as error:
        raise refused(part.path, f"cannot be read: {error.strerror or error}") from error

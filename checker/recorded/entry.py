"""`proof_of_absence.audit(model, loader, layers=...)`: what enters linear layers is recorded, and audited.

See `proof_of_absence.checker.recorded.command` for what was recorded elsewhere.
"""

import os
import tempfile
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

from proof_of_absence.checker.recorded.engine import Asked, examine
from proof_of_absence.checker.recorded.findings import RecordedAudit
from proof_of_absence.checker.recorded.folder import SHARDS, STATE, guard, half_written, named_from, write_folder
from proof_of_absence.checker.recorded.shards import Passes
from proof_of_absence.models.files.recording import recording_of

__all__ = ["audit_layers"]


def audit_layers(
    model: Any,
    batches: Any,
    layers: Sequence[str],
    *,
    deploy: Any = None,
    test: Any = None,
    ridge: Fraction | float | str = 0,
    move: Fraction | float | str = 1,
    output: str | os.PathLike[str] | None = None,
    force: bool = False,
    workers: int | None = None,
    scheduler: str | None = None,
    device: Any = None,
    progress: Callable[[str], None] = lambda stage: None,
) -> RecordedAudit:
    """Record what enters some linear layers of a torch model, and audit it; parameters as those of `audit`.

    Activations go to disk batch by batch, into the output folder or a temporary one: memory is of the order p^2.

    Raises
    ------
    InputError
        If a layer is not linear, is named twice or gets no input, or a number is NaN or infinite.
    """
    from proof_of_absence.checker.recorded.hooks import checked_layers, model_key, record

    checked_layers(model, layers)
    with ExitStack() as stack:
        if output is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="absence-recorded-")))
            about = ""
        else:
            folder, about = Path(output), model_key(model)
            guard(folder, about, [], force=force)
        found: dict[str, dict[str, list[Path]]] = {"deploy": {}, "test": {}}
        client = stack.enter_context(_client(workers, scheduler))
        stack.enter_context(half_written(folder, SHARDS, STATE))
        for part, given in (("train", batches), ("deploy", deploy), ("test", test)):
            if given is not None:
                told = partial(_told, progress, part)
                found[part] = record(model, given, layers, folder / SHARDS, part=part, device=device, told=told)
        recordings = [
            recording_of(name, found["train"][name], *(found[part].get(name, ()) for part in ("deploy", "test")))
            for name in layers
        ]
        progress("auditing")
        passes = Passes(folder / STATE, client, None if device is None else str(device))
        named = partial(named_from, folder) if output is not None else str
        audit = examine(recordings, Asked(Fraction(move), Fraction(ridge), named, passes))
        passes.forget()
        if output is not None:
            write_folder(folder, audit, about, force=force)
    return audit


def _told(progress: Callable[[str], None], part: str, count: int) -> None:
    progress(f"recording {part}, batch {count}")


def _client(workers: int | None, scheduler: str | None) -> AbstractContextManager[Any]:
    if workers is None and scheduler is None:
        return nullcontext()
    try:
        from proof_of_absence.checker.screen.cluster import cluster
    except ImportError as error:
        raise ImportError("workers need dask.distributed: pip install 'proof-of-absence[distributed]'") from error
    return cluster(scheduler, workers)

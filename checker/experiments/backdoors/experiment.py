"""The experiment: a file for each cell, made here or by dask's workers, and the result that names them all.

A cell whose file is there, made by the same code and parameters, and of whose nets the independent checker accepts what
it says, is not made again; what was measured in floats counts as data. Files carry no times, so the same versions give
the same bytes.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import asdict, fields
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from proof_of_absence.checker.experiments.backdoors.digits import LEVELS, TARGET, digits, places
from proof_of_absence.checker.experiments.backdoors.plan import BATCH, OPTIMIZERS, PATCH, Cell, Plan, cells, triggers
from proof_of_absence.checker.experiments.backdoors.summary import conclusion, exactly, found, summary
from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.checker.independent.results.backdoors import check_kept
from proof_of_absence.checker.kernel.certificate import seal
from proof_of_absence.checker.kernel.kept import content_key, keep, kept, sources, versions

if TYPE_CHECKING:
    from dask.distributed import Client

__all__ = ["FORMAT", "PARTS", "RESULT", "make", "result", "shown"]

FORMAT = "absence-backdoors/1"
RESULT, PARTS = "result.json", "runs"
Record = dict[str, Any]

SCOPE = (
    "Instance. Exact, and re-checked by `checker.independent.results.backdoors`, over the reals with the float32 "
    "weights meaning the numbers they are (of the CNN: with the recorded activations of its last hidden layer as "
    "inputs): which units are idle on the clean training rows, that the listed circuits are, what of the trigger's "
    "effect they carry, how many test rows are answered rightly and how many triggered ones with the target, before "
    "and after the circuits are cut. The trigger's whole effect is re-checked within the rounding of float64. "
    "The leverage of every input that is shown has rigorous bounds, re-checked, or the input is free, exactly; a pair "
    "of inputs is ranked where the bounds do not overlap, counted by half where they do or both are free, and "
    "`exactly.ranked` in the result says how many of each there are; so the AUROC of the leverage is re-checked too. "
    "Measured in floats: Mahalanobis distance, margin, their AUROC, bootstrap intervals, fine-pruning (cut as far as "
    "held-out clean images allow), and what other triggers do. "
    "Nothing is claimed of other nets, data, optimisers, attackers or settings; high leverage is distance from the "
    "data, and no verdict on intent."
)


def make(
    folder: Path,
    plan: Plan,
    client: "Client | None" = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Record]:
    """Make the cells that are not there yet; the records of all of them, in the order of `cells`.

    Parameters
    ----------
    client
        A dask.distributed client whose workers train; without one this process does.
    progress
        Called with the number of cells that are done and of all.

    Raises
    ------
    InputError
        If a net's weights stop being finite.
    """
    wanted = list(cells(plan, triggers(digits(), plan)))
    records = {cell.name: _kept(folder, plan, cell) for cell in wanted}
    missing = [cell for cell in wanted if records[cell.name] is None]
    progress(len(wanted) - len(missing), len(wanted))
    made = _apart(client, plan, missing) if client else ((cell, _measured(plan, cell)) for cell in missing)
    for count, (cell, record) in enumerate(made, len(wanted) - len(missing) + 1):
        records[cell.name] = keep(_file(folder, plan, cell), _key(plan, cell), record)
        progress(count, len(wanted))
    return [record for record in records.values() if record is not None]


def _kept(folder: Path, plan: Plan, cell: Cell) -> Record | None:
    """What is kept of a cell, if it is shown to be so."""
    record = kept(_file(folder, plan, cell), _key(plan, cell))
    return record if record is not None and shown(record, plan, cell) else None


def shown(record: Record, plan: Plan, cell: Cell) -> bool:
    """Whether the independent checker accepts what a record says of the nets of a cell."""
    try:
        check_kept(record, {"width": cell.width, "trigger": cell.trigger}, _images(), _triggers(plan), plan.seeds)
    except Refused:
        return False
    return True


@cache
def _images() -> Record:
    """The images, as a result has them."""
    data = digits()
    named = {field.name: getattr(data, field.name).tolist() for field in fields(data)}
    named["places"] = places(len(data.others)).tolist()
    return {"data": named, "parameters": {"target": TARGET, "levels": LEVELS}}


def _triggers(plan: Plan) -> dict[str, Record]:
    """The triggers, as a result has them."""
    known = triggers(digits(), plan).values()
    return {t.name: {"title": t.title, "mask": list(t.mask), "pattern": list(t.pattern)} for t in known}


def _apart(client: "Client", plan: Plan, missing: list[Cell]) -> Iterator[tuple[Cell, Record]]:
    """The cells as workers finish them; one whose worker is lost is made by another."""
    from dask.distributed import as_completed

    # What the main plot is about first, then the wide ones, so that no worker is left alone with one in the end.
    order = sorted(missing, key=lambda cell: (cell.trigger == PATCH and not (cell.penalty or cell.every), -cell.width))
    tasks = {client.submit(_measured, plan, cell, pure=False): cell for cell in order}
    for task in as_completed(tasks):
        yield tasks[task], task.result()
        task.release()


def _measured(plan: Plan, cell: Cell) -> Record:
    # Takes seconds to load, only where something is trained.
    from proof_of_absence.checker.experiments.backdoors.measure import measure

    data = digits()
    return measure(cell, plan, data, triggers(data, plan))


def _file(folder: Path, plan: Plan, cell: Cell) -> Path:
    """Cells of other settings lie beside, so that none replaces another."""
    return folder / PARTS / _key(plan)[:32] / f"{cell.name}.json"


def _key(plan: Plan, cell: Cell | None = None) -> str:
    return content_key(sources(), _versions(), asdict(plan), cell.name if cell else "")


@cache
def _versions() -> dict[str, str]:
    return versions("numpy", "torch", "scikit-learn")


def result(folder: Path, plan: Plan, records: list[Record]) -> Record:
    """The experiment as JSON: parameters, images, triggers, and of each cell its file with its SHA-256; sealed."""
    entries = [
        {
            "file": _file(folder, plan, cell).relative_to(folder).as_posix(),
            "sha256": hashlib.sha256(_file(folder, plan, cell).read_bytes()).hexdigest(),
            "kind": cell.kind,
            "width": cell.width,
            "optimizer": cell.optimizer.name,
            "rate": cell.rate,
            "trigger": cell.trigger,
            "penalty": cell.penalty,
            "auroc": record["auroc"],
            "runs": record["runs"],
        }
        for cell, record in zip(cells(plan, triggers(digits(), plan)), records, strict=True)
    ]
    return seal(
        {
            "format": FORMAT,
            "scope": SCOPE,
            "parameters": asdict(plan) | {"batch": BATCH, "target": TARGET, "levels": LEVELS, "dtype": "float32"},
            "versions": _versions(),
            "optimizers": {
                o.name: {"title": o.title, "class": o.kind, "arguments": o.arguments, "l1": o.l1} for o in OPTIMIZERS
            },
            "triggers": _triggers(plan),
            "data": _images()["data"],
            "cells": entries,
            "exactly": exactly(entries),
            "found": found(entries),
            "summary": summary(entries),
            "conclusion": conclusion(entries),
        }
    )

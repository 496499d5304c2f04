"""The experiment: every run in a process of its own making, a file for each, and the result that names them all.

A run whose file is there, made by the same code and parameters, is not made again if the independent checker accepts
what it says of its nets. Its weights are data, and so is what was measured where no net is kept: only training would
show these. Files carry no times, so the same versions give the same bytes.
"""

import hashlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from statistics import median
from typing import Any

from proof_of_absence.checker.experiments.lifetimes.plan import BATCH, DETECTORS, HIDDEN, OPTIMIZERS, Plan, Run, runs
from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.checker.independent.results.lifetimes import RUN_FORMAT, Experiment, check_run
from proof_of_absence.checker.kernel.certificate import data_json, rows_json, seal
from proof_of_absence.checker.kernel.kept import content_key, keep, kept, sources, versions
from proof_of_absence.models.policies import WORLD

__all__ = ["FORMAT", "RESULT", "RUNS", "make", "result", "setting", "shown"]

FORMAT = "absence-lifetimes/1"
RESULT, RUNS = "result.json", "runs"
# What a run is, and what was found of it, in its record and in the result.
OF = ("detector", "optimizer", "reassigned", "seed")
FOUND = ("alive", "gone", "end", "others", "untouched", "final_loss")
Json = dict[str, Any]

SCOPE = (
    "Instance. Exact, and re-checked by `checker.independent.results.lifetimes`: whether the detector is alive in each "
    "net that is kept (the first, the last in which it was seen alive, the first in which it was not, the final one), "
    "every splice with its drop, the final losses and the noise floor; weights are float32 and mean the numbers they "
    "are, nets are over the reals. Measured: that training leads from one kept net to the next, the losses and sizes "
    "at the other checkpoints, and hence the life times, which lie between two checkpoints. Nothing is claimed of "
    "other nets, data, optimisers or settings."
)


def make(
    folder: Path, plan: Plan, jobs: int, progress: Callable[[int, int], None] = lambda done, total: None
) -> list[dict[str, Any]]:
    """Make the runs that are not there yet; the records of all of them, in the order of `runs`.

    Parameters
    ----------
    jobs
        Processes at work at a time.
    progress
        Called with the number of runs that are done and of all.

    Raises
    ------
    InputError
        If a run's weights stop being finite.
    """
    wanted = list(runs(plan))
    experiment = Experiment(setting())
    records = {run.name: _kept(folder, plan, run, experiment) for run in wanted}
    left = [run for run in wanted if records[run.name] is None]
    progress(len(wanted) - len(left), len(wanted))
    if left:
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(min(jobs, len(left)), mp_context=context, initializer=_with_its_parent) as pool:
            futures = {pool.submit(_run, _file(folder, plan, run), _key(plan, run), plan, run): run for run in left}
            try:
                for count, future in enumerate(as_completed(futures), len(wanted) - len(left) + 1):
                    records[futures[future].name] = future.result()
                    progress(count, len(wanted))
            except BaseException:
                pool.shutdown(wait=True, cancel_futures=True)
                raise
    return [record for run in wanted if (record := records[run.name]) is not None]


def _kept(folder: Path, plan: Plan, run: Run, experiment: Experiment) -> Json | None:
    record = kept(_file(folder, plan, run), _key(plan, run))
    return record if record and shown(record, plan, run, experiment) else None


def shown(record: Json, plan: Plan, run: Run, experiment: Experiment) -> bool:
    """Whether a record is of this run, from the planted detector on, and the independent checker accepts it."""
    try:
        same = (record["format"], *(record[name] for name in OF)) == (RUN_FORMAT, *run.of)
        looked = [line["step"] for line in record["measured"]] == list(plan.checkpoints)
        if not (same and looked and _planted(record["nets"]["0"], run)):
            return False
        check_run(experiment, record, asdict(plan))
    except (Refused, LookupError, TypeError, ValueError, ArithmeticError, AttributeError):
        return False
    return True


def _planted(layers: list[Json], run: Run) -> bool:
    """Whether a net, as its run writes it, holds the detector."""
    hidden, output = layers
    return all(
        [*map(float.fromhex, hidden["weights"][j]), float.fromhex(hidden["bias"][j])] == [*map(float, weights), bias]
        and float.fromhex(output["weights"][0][j]) == outgoing
        for j, (weights, bias, outgoing) in zip(run.detector.circuit, run.detector.units, strict=True)
    )


def _with_its_parent() -> None:
    """A worker leaves an interrupt to its parent, and does not outlive it, however it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()

    def wait() -> None:
        if parent is not None:
            parent.join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def _run(file: Path, key: str, plan: Plan, run: Run) -> dict[str, Any]:
    # Takes seconds to load, in the workers only.
    from proof_of_absence.checker.experiments.lifetimes.train import train

    return keep(file, key, train(run, plan, WORLD.dataset()))


def _file(folder: Path, plan: Plan, run: Run) -> Path:
    """Runs of other settings lie beside, so that none replaces another."""
    return folder / RUNS / _key(plan)[:32] / f"{run.name}.json"


def _key(plan: Plan, run: Run | None = None) -> str:
    return content_key(sources(), _versions(), asdict(plan), run.name if run else "")


def _versions() -> dict[str, str]:
    return versions("numpy", "torch")


def result(folder: Path, plan: Plan, records: list[dict[str, Any]]) -> dict[str, Any]:
    """The experiment as JSON: parameters, data, what was found, and the file of each run with its SHA-256; sealed."""
    told = setting()
    entries = [
        {
            "file": _file(folder, plan, run).relative_to(folder).as_posix(),
            "sha256": hashlib.sha256(_file(folder, plan, run).read_bytes()).hexdigest(),
            **{name: record[name] for name in (*OF, *FOUND)},
            "drop": str(sum((Fraction(splice["drop"]) for splice in record["splices"]), Fraction(0))),
        }
        for run, record in zip(runs(plan), records, strict=True)
    ]
    return seal(
        {
            "format": FORMAT,
            "scope": SCOPE,
            "parameters": asdict(plan) | {"hidden": HIDDEN, "batch": BATCH, "dtype": "float32"},
            "versions": _versions(),
            "optimizers": {
                o.name: {"title": o.title, "class": o.kind, "arguments": o.arguments, "decay": o.decay and str(o.decay)}
                for o in OPTIMIZERS
            },
            **told,
            "runs": entries,
            "summary": _summary(entries, Fraction(told["noise_floor"])),
        }
    )


def setting() -> Json:
    """The detectors and the data, as the result writes them."""
    data = WORLD.dataset()
    return {
        "detectors": {
            d.name: {
                "title": d.title,
                "circuit": list(d.circuit),
                "exceptions": d.exceptions,
                "deploy": rows_json(d.deploy),
            }
            for d in DETECTORS
        },
        "data": data_json(data),
        "noise_floor": str(data.noise_floor),
    }


def _summary(entries: list[dict[str, Any]], floor: Fraction) -> list[dict[str, Any]]:
    """By detector, optimiser, and whether circuits were reassigned:
    how the lives ended, and the median of L - E in the end.

    `idle` counts the runs in which the detector was train-idle when it was last seen alive, `untouched` those in which
    its parameters were then the planted ones.
    """
    groups: dict[tuple[str, str, bool], list[dict[str, Any]]] = {}
    for entry in entries:
        groups.setdefault((entry["detector"], entry["optimizer"], entry["reassigned"]), []).append(entry)
    return [
        {
            "detector": detector,
            "optimizer": optimizer,
            "reassigned": reassigned,
            "runs": len(group),
            "ends": {end: sum(e["end"] == end for e in group) for end in sorted({e["end"] for e in group})},
            "idle": sum(e["others"] == 0 for e in group),
            "untouched": sum(e["untouched"] for e in group),
            "median_excess": str(median(Fraction(e["final_loss"]) - floor for e in group)),
        }
        for (detector, optimizer, reassigned), group in groups.items()
    ]

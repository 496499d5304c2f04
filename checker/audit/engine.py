"""An audit from end to end: the stages in order, what they leave undecided, and never a failed stage as a pass."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from proof_of_absence.checker.audit.examination import STAGES, Examination
from proof_of_absence.checker.audit.findings import (
    Audit,
    CircuitFinding,
    DataSummary,
    Enclosure,
    NetSummary,
    RegionFinding,
)
from proof_of_absence.checker.audit.regions import Answered, answered
from proof_of_absence.checker.audit.report.json_report import decode, encode
from proof_of_absence.checker.audit.report.words import names
from proof_of_absence.checker.audit.writing import NUMBER, Writing
from proof_of_absence.checker.kernel.kept import content_key, sources
from proof_of_absence.checker.kernel.stages import Stages
from proof_of_absence.checker.numbers.deadline import Deadline, within
from proof_of_absence.checker.passes.rows import distinct_rows
from proof_of_absence.checker.region.boxes import Region
from proof_of_absence.models.files.disk import refused
from proof_of_absence.models.floatnet import FloatNet
from proof_of_absence.models.objective import Loss, Objective
from proof_of_absence.models.reading import Reading, Source

if TYPE_CHECKING:
    from dask.distributed import Client

__all__ = ["CODEC", "Audited", "examine", "open_lines"]

# A stage's result as JSON values, and back.
CODEC = (lambda kind, value: encode(value), decode)


@dataclass(frozen=True, eq=False)
class Audited:
    """An audit with what it is about and what goes beside it.

    `improved` is the net of `Audit.improvement`; `facts` are the certificates of the regions that are decided, as
    `checker.region` makes them; `kept` names the stages that came from an earlier run. `factor` shows `Audit.readout`.
    `asked` is a digest of all that was asked, and of this program, where stages are kept. `writing` is about how many
    seconds the files will take.
    """

    audit: Audit
    net: FloatNet
    inputs: np.ndarray
    targets: np.ndarray | None
    deploy: np.ndarray | None
    improved: FloatNet | None
    facts: tuple[dict[str, Any], ...]
    kept: tuple[str, ...]
    test: np.ndarray | None = None
    factor: np.ndarray | None = None
    asked: str = ""
    writing: float = 0.0


def examine(
    net: FloatNet,
    inputs: np.ndarray,
    aim: Objective | np.ndarray,
    *,
    deploy: np.ndarray | None = None,
    test: np.ndarray | None = None,
    move: Fraction | None = None,
    penalty: Fraction = Fraction(0),
    regions: Sequence[Region] = (),
    seconds: float | None = 60,
    deadline: Deadline | None = None,
    written: bool = False,
    source: Source | None = None,
    data_source: Source | None = None,
    keep: Path | None = None,
    progress: Callable[[str], None] = lambda stage: None,
    client: "Client | None" = None,
) -> Audited:
    """Run every stage: idle units, idle circuits, where they fire, ranks, losses, improvement, rents, prices, regions.

    A stage that raises becomes a line of `Audit.undecided`, as does whatever no method decided;
    the other stages still run.

    Parameters
    ----------
    inputs, deploy, test
        Shapes (N, d), (D, d) and (T, d), float64, finite. Test inputs are priced beside the others, and play no other
        part.
    move, penalty
        As `readout_prices` takes them.
    aim
        The loss and its targets, or the targets (N, m) of the mean squared error.
    regions
        Boxes on which every idle circuit is asked to be irrelevant.
    seconds
        Wall-clock time for all stages together; what is open then is undecided. None for no limit.
    deadline
        The end of that time, if it began earlier; `seconds` then plays no part.
    written
        Whether the time is also to do for writing the folder.
    keep
        A folder in which stages are kept, so that an interrupted or repeated audit of the same
        contents goes on from there.
    progress
        Called with the name of each stage before it runs.
    client
        A client of dask.distributed whose workers take part, see `distributed`.

    Raises
    ------
    InputError
        If the arrays do not fit the net.
    """
    if isinstance(aim, np.ndarray):
        aim = Objective(Loss.SQUARED, aim, "targets are numbers")
    targets = aim.targets
    _check(net, inputs, targets, deploy, test, regions, data_source)
    contents = (net, inputs, aim.loss, *("" if array is None else array for array in (targets, deploy)))
    stages = Stages(keep, content_key(*contents), progress, *CODEC)
    further = "" if test is None else test, move, penalty, *(part for box in regions for part in (box.name, box.bounds))
    asked = content_key(sources(), stages.subject, *further) if keep else ""
    found = Examination(net, inputs, targets, aim.loss, deploy, client, test, move, penalty)
    deadline = deadline or Deadline(seconds)
    if client is not None:
        deadline = deadline.unpaced()
    most, writing = deadline.left() / 2, Writing(found)

    def ahead(about: int) -> Deadline:
        """When work must stop, so that what is known by now, and of so many regions, can be written in time."""
        if not written:
            return deadline
        made = deadline.sooner(deadline.left() - min(writing.seconds(about) * deadline.pace(), most))
        made.each = NUMBER * deadline.pace()
        return made

    for stage in STAGES:
        if stage.when(found):
            with within(ahead(0)):
                found.take(stage, stages)
    with within(ahead(len(regions))):
        answers = answered(stages, found, regions)
    audit = _audit(found, aim, stages, answers, source, data_source)
    facts = tuple(fact for _, fact in answers if fact)
    factor = found.priced.factor if found.priced else None
    return Audited(
        audit, net, inputs, targets, deploy, found.better.net, facts, tuple(stages.kept), test, factor, asked,
        writing.seconds(len(regions)) * deadline.pace(),
    )  # fmt: skip


def _check(
    net: FloatNet,
    inputs: np.ndarray,
    targets: np.ndarray | None,
    deploy: np.ndarray | None,
    test: np.ndarray | None,
    regions: Sequence[Region],
    source: Source | None,
) -> None:
    fan_in, fan_out = net.widths[0], net.widths[-1]
    of = f" of {source.name}" if source else ""
    if inputs.shape[1] != fan_in:
        raise refused(f"the training inputs{of}", f"have {inputs.shape[1]} columns, the net reads {fan_in}")
    if targets is not None and targets.shape[1] != fan_out:
        raise refused(f"the targets{of}", f"have {targets.shape[1]} columns, the net has {fan_out} outputs")
    if targets is not None and len(targets) != len(inputs):
        raise refused(f"the training data{of}", f"hold {len(inputs)} inputs but {len(targets)} targets")
    for name, rows in (("deployment", deploy), ("test", test)):
        if rows is not None and rows.shape[1] != fan_in:
            raise refused(f"the {name} inputs", f"have {rows.shape[1]} columns, the net reads {fan_in}")
    for region in regions:
        if len(region.bounds) != fan_in:
            raise refused(region.name, f"is a box of {len(region.bounds)} inputs, the net reads {fan_in}")


def _audit(
    found: Examination,
    aim: Objective,
    stages: Stages,
    answers: Sequence[Answered],
    source: Source | None,
    data_source: Source | None,
) -> Audit:
    """The report of all that was found, and of all that was not."""
    _, unsearched = found.searched
    unimproved = [found.better.reason] if found.better.reason else []
    audit = Audit(
        net=_net_summary(found.net, source),
        data=_data_summary(found.inputs, aim, *found.losses, data_source),
        units=found.units,
        circuits=found.circuits,
        ranks=found.ranks,
        deployment=found.deployment,
        improvement=found.better.improvement,
        idle_price=found.idle_price,
        regions=tuple(finding for finding, _ in answers),
        float32_deviation=found.deviation,
        undecided=(*stages.undecided, *unsearched, *unimproved),
        not_asked=found.not_asked,
        seconds=stages.seconds,
        readout=found.priced.readout if found.priced else None,
    )
    return replace(audit, undecided=(*audit.undecided, *open_lines(audit)))


def open_lines(audit: Audit) -> Iterator[str]:
    """A line for each part of the audit that is there but not decided."""
    yield from (f"the rank of the features of layer {r.layer}" for r in audit.ranks if r.full is None)
    if audit.deployment and (unseen := [c for c in audit.circuits if c.fires is None]):
        yield f"at which deployment inputs {_some(unseen)} fire"
    rows = [finding.row for finding in audit.deployment if not finding.decided]
    if rows:
        yield f"the least detector at {len(rows)} deployment inputs (rows {_rows(rows)})"
    if audit.readout:
        rows = [one.row for one in audit.readout.deployment if one.leverage and one.leverage[1] is None]
        if rows:
            yield f"the readout price at {len(rows)} deployment inputs (rows {_rows(rows)}): no lower bound is shown"
    alike: dict[tuple[str, str], list[RegionFinding]] = {}
    for region in audit.regions:
        if region.verdict not in ("sat", "unsat"):
            told = region.verdict
            if region.reason not in ("", region.verdict):
                told += f", {region.reason}"
            alike.setdefault((region.region, told), []).append(region)
    for (name, told), questions in alike.items():
        act = "acts" if len(questions) == 1 else "act"
        yield f"whether {_some(questions)} {act} in {name}: {told}"


def _rows(rows: Sequence[int]) -> str:
    """The first of many."""
    return ", ".join(map(str, rows[:8])) + (", ..." if len(rows) > 8 else "")


def _some(findings: Sequence[CircuitFinding | RegionFinding]) -> str:
    """The circuits by name, or the first of many and how many there are."""
    shown = ", ".join(names(finding.units) for finding in findings[:8])
    if len(findings) == 1:
        return f"circuit {shown}"
    return f"{len(findings)} circuits ({shown}{', ...' if len(findings) > 8 else ''})"


def _net_summary(net: FloatNet, source: Source | None) -> NetSummary:
    source = source or Source("net", content_key(net))
    reading = net.reading or Reading(
        tuple(f"{below} -> {above}" for below, above in pairwise(net.widths)), "ReLU", "the layers given in Python"
    )
    return NetSummary(source.name, source.sha256, net.widths, net.parameter_count, net.dtype.name, reading)


def _data_summary(
    inputs: np.ndarray, aim: Objective, loss: Enclosure | None, floor: Enclosure | None, source: Source | None
) -> DataSummary:
    source = source or Source("data", content_key(inputs, *(() if aim.targets is None else (aim.targets,))))
    distinct = len(distinct_rows(inputs))
    name = "" if aim.loss is None else str(aim.loss)
    return DataSummary(source.name, source.sha256, len(inputs), distinct, loss, floor, name, aim.reason)

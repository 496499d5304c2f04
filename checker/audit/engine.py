"""An audit from end to end: the stages in order, what they leave undecided, and never a failed stage as a pass."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache, partial
from pathlib import Path
from time import monotonic

import numpy as np

from proof_of_absence.checker.audit.circuits import firing, idle_circuits
from proof_of_absence.checker.audit.detectors import deployment_findings
from proof_of_absence.checker.audit.deviation import float32_deviation
from proof_of_absence.checker.audit.findings import (
    Audit,
    CircuitFinding,
    DataSummary,
    DeploymentFinding,
    Enclosure,
    Improvement,
    NetSummary,
    Prices,
    RankFinding,
    RegionFinding,
    UnitFinding,
)
from proof_of_absence.checker.audit.gauge import prices
from proof_of_absence.checker.audit.idle import unit_findings
from proof_of_absence.checker.audit.improve import Unimproved, improve
from proof_of_absence.checker.audit.independence import rank_findings
from proof_of_absence.checker.audit.loss import losses
from proof_of_absence.checker.audit.rent import rents
from proof_of_absence.checker.audit.report.view import names
from proof_of_absence.checker.audit.rows import distinct_rows
from proof_of_absence.checker.audit.stages import Stages
from proof_of_absence.checker.kernel.kept import content_key
from proof_of_absence.checker.passes.residuals import Evaluation, evaluate
from proof_of_absence.checker.region.decide import decide
from proof_of_absence.checker.region.question import question
from proof_of_absence.checker.region.search import Limits
from proof_of_absence.models.files.disk import refused
from proof_of_absence.models.files.vnnlib import read_box
from proof_of_absence.models.floatnet import FloatNet

__all__ = ["Outcome", "Region", "Source", "box_of", "examine", "read_region"]


@dataclass(frozen=True)
class Source:
    """Where a net or data came from, for the report: a file's name and SHA-256."""

    name: str
    sha256: str


@dataclass(frozen=True)
class Region:
    """A closed box of inputs, by its name and the bounds (low, high) of each coordinate."""

    name: str
    bounds: tuple[tuple[Fraction, Fraction], ...]


def read_region(path: str | os.PathLike) -> Region:
    """The box of a VNN-LIB file; what the file says about outputs plays no part, and the region's name tells so.

    Raises
    ------
    InputError
        As `read_box`.
    """
    box = read_box(path)
    unused = f" (its {box.output_assertions} assertions about outputs are not used)" if box.output_assertions else ""
    return Region(Path(path).name + unused, box.bounds)


def box_of(inputs: np.ndarray) -> Region:
    """The least box that holds the inputs, shape (N, d)."""
    ends = zip(inputs.min(axis=0).tolist(), inputs.max(axis=0).tolist(), strict=True)
    return Region("training box", tuple((Fraction(low), Fraction(high)) for low, high in ends))


@dataclass(frozen=True, eq=False)
class Outcome:
    """An audit with what it is about and what goes beside it.

    `improved` is the net of `Audit.improvement`; `facts` are the certificates of the regions that are decided, as
    `checker.region` makes them; `kept` names the stages that came from an earlier run.
    """

    audit: Audit
    net: FloatNet
    inputs: np.ndarray
    targets: np.ndarray
    deploy: np.ndarray | None
    improved: FloatNet | None
    facts: tuple[dict, ...]
    kept: tuple[str, ...]


def examine(
    net: FloatNet,
    inputs: np.ndarray,
    targets: np.ndarray,
    *,
    deploy: np.ndarray | None = None,
    regions: Sequence[Region] = (),
    seconds: float = 60,
    source: Source | None = None,
    data_source: Source | None = None,
    keep: Path | None = None,
    progress: Callable[[str], None] = lambda stage: None,
    client=None,
) -> Outcome:
    """Run every stage: idle units, idle circuits, where they fire, ranks, losses, improvement, rents, prices, regions.

    A stage that raises becomes a line of `Audit.undecided`, as does whatever no method decided; the other stages still run.

    Parameters
    ----------
    inputs, targets, deploy
        Shapes (N, d), (N, m) and (D, d), float64, finite.
    regions
        Boxes on which every idle circuit is asked to be irrelevant.
    seconds
        Wall-clock time for all questions about regions together; what is open then is undecided.
    keep
        A folder in which stages are kept, so that an interrupted or repeated audit of the same contents goes on from there.
    progress
        Called with the name of each stage before it runs.
    client
        A client of dask.distributed whose workers take part, see `distributed`.

    Raises
    ------
    InputError
        If the arrays do not fit the net.
    """
    _check(net, inputs, targets, deploy, regions)
    stages = Stages(keep, content_key(net, inputs, targets, "" if deploy is None else deploy), progress)
    passed = cache(lambda: _evaluation(net, inputs, targets))
    loss, floor = stages.run("losses", _LOSSES, lambda: losses(net, inputs, targets, evaluation=passed())) or (
        None,
        None,
    )
    units = stages.run("units", _UNITS, lambda: _units(net, inputs, client))
    found = units and stages.run("circuits", _FOUND, lambda: idle_circuits(net, inputs, units))
    circuits, undecided = found or ((), ())
    # What later stages are kept for: they must not outlive a run in which the circuits were not found.
    sets = [circuit.units for circuit in circuits]
    if circuits and deploy is not None:
        circuits = stages.run("firing", _CIRCUITS, lambda: firing(net, circuits, inputs, deploy), of=sets) or circuits
    deployment = None
    if deploy is not None:
        deployment = stages.run("deployment", _DEPLOYMENT, lambda: deployment_findings(inputs, deploy))
    ranks = stages.run("ranks", _RANKS, lambda: rank_findings(net, inputs, units=units)) or ()
    better = _Better(None, None, "")
    if circuits:
        found = stages.run("improvement", _Better, lambda: _better(net, inputs, targets, circuits, passed()), of=sets)
        better = found or better
    if units:
        units = stages.run("rents", _UNITS, lambda: rents(net, inputs, targets, units)) or units
    price = None
    if loss:
        price = stages.run("prices", Prices | None, lambda: prices(net, inputs, loss, floor, circuits), of=sets)
    deviation = None
    if net.dtype == np.float32:
        deviation = stages.run("float32", Fraction | None, lambda: float32_deviation(net, inputs))
    answers = list(_regions(stages, net, circuits, regions, seconds, client))
    audit = Audit(
        net=_net_summary(net, source),
        data=_data_summary(inputs, targets, loss, floor, data_source),
        units=units or (),
        circuits=circuits,
        ranks=ranks,
        deployment=deployment or (),
        improvement=better.improvement,
        prices=price,
        regions=tuple(finding for finding, _ in answers),
        float32_deviation=deviation,
        undecided=(*stages.undecided, *undecided, *([better.reason] if better.reason else [])),
        seconds=stages.seconds,
    )
    audit = replace(audit, undecided=(*audit.undecided, *_open(audit)))
    facts = tuple(fact for _, fact in answers if fact)
    return Outcome(audit, net, inputs, targets, deploy, better.net, facts, tuple(stages.kept))


@dataclass(frozen=True, eq=False)
class _Better:
    """An improvement and its net, or why there is none; no reason if none can be."""

    improvement: Improvement | None
    net: FloatNet | None
    reason: str


_LOSSES = tuple[Enclosure, Enclosure]
_UNITS = tuple[UnitFinding, ...]
_CIRCUITS = tuple[CircuitFinding, ...]
_FOUND = tuple[_CIRCUITS, tuple[str, ...]]
_DEPLOYMENT = tuple[DeploymentFinding, ...]
_RANKS = tuple[RankFinding, ...]
_ANSWER = tuple[RegionFinding, dict | None]


def _check(net: FloatNet, inputs, targets, deploy, regions: Sequence[Region]) -> None:
    fan_in, fan_out = net.widths[0], net.widths[-1]
    if inputs.shape[1] != fan_in:
        raise refused("the training inputs", f"have {inputs.shape[1]} columns, the net reads {fan_in}")
    if targets.shape[1] != fan_out:
        hint = "; the loss is squared error, so write class labels as vectors" if targets.shape[1] == 1 else ""
        raise refused("the targets", f"have {targets.shape[1]} columns, the net has {fan_out} outputs{hint}")
    if len(targets) != len(inputs):
        raise refused("the training data", f"hold {len(inputs)} inputs but {len(targets)} targets")
    if deploy is not None and deploy.shape[1] != fan_in:
        raise refused("the deployment inputs", f"have {deploy.shape[1]} columns, the net reads {fan_in}")
    for region in regions:
        if len(region.bounds) != fan_in:
            raise refused(region.name, f"is a box of {len(region.bounds)} inputs, the net reads {fan_in}")


def _units(net: FloatNet, inputs: np.ndarray, client) -> tuple[UnitFinding, ...]:
    if client is None:
        return unit_findings(net, inputs)
    # Needs the extra `distributed`.
    from proof_of_absence.checker.audit.distributed import unit_findings_apart

    return unit_findings_apart(client, net, inputs)


def _evaluation(net: FloatNet, inputs, targets) -> Evaluation | None:
    """The pass that the losses and the improvement share; None where it overflows, and they find their own way."""
    try:
        return evaluate(net, inputs, targets)
    except OverflowError:
        return None


def _better(net: FloatNet, inputs, targets, circuits: _CIRCUITS, evaluation: Evaluation | None) -> _Better:
    answer = improve(net, inputs, targets, circuits, evaluation=evaluation)
    if isinstance(answer, Unimproved):
        return _Better(None, None, "" if answer.at_floor else f"improvement: {answer.reason}")
    return _Better(*answer, "")


def _regions(
    stages: Stages, net: FloatNet, circuits: Sequence[CircuitFinding], regions: Sequence[Region], seconds: float, client
) -> Iterator[tuple[RegionFinding, dict | None]]:
    """Each circuit on each region; the time that is left is shared evenly among the questions that are left."""
    end = monotonic() + seconds
    asked = [(region, circuit) for region in regions for circuit in circuits]
    for place, (region, circuit) in enumerate(asked):
        share = max(0.0, end - monotonic()) / (len(asked) - place)
        name = f"region {region.name} {names(circuit.units)}"
        answer = stages.run(
            name, _ANSWER, partial(_region, net, region, circuit, share, client),
            final=lambda answer: answer[1] is not None, of=(region.bounds, circuit.units), under="regions",
        )  # fmt: skip
        yield answer or (RegionFinding(circuit.units, region.name, "unknown", "the search failed"), None)


def _region(net: FloatNet, region: Region, circuit: CircuitFinding, seconds: float, client):
    low, high = zip(*region.bounds, strict=True)
    asked = question(net, circuit.units, low, high, circuit.value)
    if client is None:
        result = decide(asked, Limits(seconds=seconds))
    else:
        from proof_of_absence.checker.audit.distributed import decide_apart

        result = decide_apart(client, asked, seconds)
    finding = RegionFinding(
        circuit.units, region.name, result.verdict, result.reason, result.witness, result.seconds
    )  # fmt: skip
    return finding, result.fact


def _open(audit: Audit) -> Iterator[str]:
    """A line for each part of the audit that is there but not decided."""
    yield from (f"the rank of the features of layer {r.layer}" for r in audit.ranks if r.full is None)
    rows = [finding.row for finding in audit.deployment if not finding.decided]
    if rows:
        shown = ", ".join(map(str, rows[:8])) + (", ..." if len(rows) > 8 else "")
        yield f"the least detector at {len(rows)} deployment inputs (rows {shown})"
    for region in audit.regions:
        if region.verdict not in ("sat", "unsat"):
            reason = region.reason if region.reason not in ("", region.verdict) else ""
            told = f"{region.verdict}, {reason}" if reason else region.verdict
            yield f"whether circuit {names(region.units)} acts in {region.region}: {told}"


def _net_summary(net: FloatNet, source: Source | None) -> NetSummary:
    source = source or Source("net", content_key(net))
    return NetSummary(source.name, source.sha256, net.widths, net.parameter_count, net.dtype.name)


def _data_summary(inputs, targets, loss, floor, source: Source | None) -> DataSummary:
    source = source or Source("data", content_key(inputs, targets))
    distinct = len(distinct_rows(inputs))
    return DataSummary(source.name, source.sha256, len(inputs), distinct, loss, floor)

"""The folder that an audit leaves: reports, the improved net, certificates; replaced as a whole or not at all."""

import json
from dataclasses import replace
from pathlib import Path

from proof_of_absence.checker.audit.certified import about, as_certified, losses_of
from proof_of_absence.checker.audit.certify import certify
from proof_of_absence.checker.audit.engine import Audited
from proof_of_absence.checker.audit.findings import Audit
from proof_of_absence.checker.audit.fuller import decided
from proof_of_absence.checker.audit.guard import IMPROVED, REPORT, owner
from proof_of_absence.checker.audit.report import html_report
from proof_of_absence.checker.audit.report.json_report import schema_text, to_json
from proof_of_absence.checker.kernel.certificate import write
from proof_of_absence.checker.kernel.fuller import note, refuse_less
from proof_of_absence.checker.kernel.stages import STAGES
from proof_of_absence.checker.numbers.deadline import in_force, left, within
from proof_of_absence.models.files import InputError, onnx
from proof_of_absence.models.files.rewrite import rewrite
from proof_of_absence.models.files.whole import path_in, placing
from proof_of_absence.models.floatnet import FloatNet
from proof_of_absence.models.reading import Source

__all__ = ["report_text", "write_folder"]

IN_MEMORY = (
    "the improved net: not written, since it is no file that was audited, and only its parameters are changed; "
    "Reassignment changes a module"
)
# Where the deployment and the test inputs came from.
Others = tuple[Source | None, Source | None]


def write_folder(
    folder: Path,
    outcome: Audited,
    *,
    improved: Path | None = None,
    like: Path | None = None,
    source: Path | None = None,
    deploy: Source | None = None,
    test: Source | None = None,
    force: bool = False,
) -> Audit:
    """Write the certificate, `report.json` with its schema, `report.html` and, if there is one, the improved net.

    Returns what they tell. The folder is then one that ``absence check`` takes. If anything fails, an earlier audit and
    an earlier improved net are as they were.

    Parameters
    ----------
    improved
        Where the improved net is to lie, by default in the folder.
    like
        An ONNX model whose input and output names the improved net keeps, if it has a batch dimension.
    source
        The file that was audited: where it lists several operators for a layer, the improved net is this file with
        other parameters. If it cannot be written so, the report says why, under what is undecided.
    deploy, test
        Where the deployment and the test inputs came from.
    force
        Files of others in the folder, of the same names, are replaced too, and a report that decided more.

    Raises
    ------
    FullerReport
        If the folder has a report on the same question that decided what this one does not; it stays as it is.
    InputError
        If the improved net cannot be written as ONNX, or the folder holds a file of others under a name that is needed.
    OSError
        If a file cannot be written.
    """
    if outcome.asked and not force:
        stages, report, found = folder / STAGES, folder / REPORT, outcome.audit
        refuse_less(folder, stages, report, outcome.asked, decided(found), found.exit_code)
    with placing() as places:
        name = IMPROVED[0]
        if outcome.improved is not None and outcome.improved.steps is not None and source is not None:
            name = f"improved{source.suffix.lower()}"
        inside = path_in(folder, improved or folder / name)
        # Before the folder, whose report names it.
        apart = places.file(improved) if improved and not inside else None
        net = outcome.audit.net
        new = places.folder(folder, owner(net.sha256, net.source), force=force)
        place, told = apart or new / (inside or name), str(improved or name)
        audit = _write(new, outcome, place, told=told, like=like, source=source, others=(deploy, test))
        if outcome.asked:
            own = outcome.audit
            note(folder / STAGES, folder / REPORT, new / REPORT, outcome.asked, decided(own), own.exit_code)
        return audit


def _write(
    folder: Path, outcome: Audited, improved: Path, *, told: str, like: Path | None, source: Path | None, others: Others
) -> Audit:
    audit = outcome.audit
    change = audit.improvement
    if change and outcome.improved:
        why = _written(improved, outcome.improved, told, like, source)
        if why:
            audit = replace(audit, undecided=(*audit.undecided, why))
        else:
            audit = replace(audit, improvement=replace(change, file=told))
    audit, reason = _certify(folder, outcome, audit, others)
    if reason:
        audit = replace(audit, undecided=(*audit.undecided, f"no certificate is written: {reason}"))
    report = to_json(audit)
    write(folder / "report.html", html_report.page_of(audit))
    write(folder / "report.schema.json", schema_text())
    write(folder / REPORT, report_text(report))
    return audit


def _written(path: Path, net: FloatNet, told: str, like: Path | None, source: Path | None) -> str:
    """Write the improved net; why it is not, or nothing."""
    if net.steps is None:
        try:
            onnx.write(path, net, like=like)
        except InputError:
            # A model without a batch dimension has no like here; its net is written with one.
            if like is None:
                raise
            onnx.write(path, net)
        return ""
    if source is None:
        return IN_MEMORY
    try:
        rewrite(source, told, net, activation="relu", spare=path)
    except InputError as error:
        return f"the improved net: not written: {error}"
    return ""


def report_text(report: dict[str, object]) -> str:
    """JSON, a line for each part; indented, a report of many circuits would take ten times as long."""
    parts = (f"{json.dumps(key)}: {json.dumps(value, allow_nan=False)}" for key, value in report.items())
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _certify(folder: Path, outcome: Audited, audit: Audit, others: Others) -> tuple[Audit, str]:
    """Write the certificate; the audit with the numbers that it shows, and the reason if there is none."""
    if len(audit.units) != sum(outcome.net.widths[1:-1]) or any(unit.idle is None for unit in audit.units):
        return audit, "not every unit is decided"
    try:
        losses = losses_of(audit)
        audit = as_certified(audit, losses)
        # What is shown there beside comes out of what the files leave of the time.
        with within(in_force().sooner(max(0.0, left() - outcome.writing))):
            certify(
                folder, outcome.net, outcome.inputs, outcome.deploy,
                units=audit.units, circuits=audit.circuits, ranks=audit.ranks, deployment=audit.deployment,
                regions=outcome.facts, targets=outcome.targets, losses=losses,
                test=outcome.test, readout=audit.readout, factor=outcome.factor,
                about=about(audit, *((one.name, one.sha256) if one else None for one in others)),
            )  # fmt: skip
    except ValueError as error:
        return audit, str(error)
    return audit, ""

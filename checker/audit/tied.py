"""`absence check FOLDER` of an audit: certificate, report, page, nets and data agree, or a file is refused by name.

The independent checker decides the facts and what the report makes of them; here the files are read and compared.
"""

from pathlib import Path

import numpy as np

from proof_of_absence.checker.audit.engine import open_lines
from proof_of_absence.checker.audit.examination import Examination
from proof_of_absence.checker.audit.findings import Audit
from proof_of_absence.checker.audit.folder import report_text
from proof_of_absence.checker.audit.guard import IMPROVED
from proof_of_absence.checker.audit.report import html_report
from proof_of_absence.checker.audit.report.json_report import from_json, schema_text, to_json
from proof_of_absence.checker.audit.seen import Seen, accepted_in, blamed, require_made, require_program, strangers
from proof_of_absence.checker.audit.sources import (
    Given,
    Rows,
    compare_data,
    compare_inputs,
    compare_net,
    lies,
    own_net,
    same_layers,
)
from proof_of_absence.checker.audit.tied_graph import check_graph_folder
from proof_of_absence.checker.audit.tied_hardening import check_compression_folder, check_hardened_folder
from proof_of_absence.checker.independent.kinds.float_losses import reassigned
from proof_of_absence.checker.independent.refusal import Refused, require
from proof_of_absence.checker.independent.results import audit as certificates
from proof_of_absence.checker.independent.results import compression, hardening
from proof_of_absence.checker.independent.results import graph as graphs
from proof_of_absence.checker.independent.results import report as reports
from proof_of_absence.checker.independent.results.subject import Subject
from proof_of_absence.checker.independent.values import Fact
from proof_of_absence.checker.independent.values.floats import FloatNet as Unshared
from proof_of_absence.models.files import read_net
from proof_of_absence.models.objective import Loss

__all__ = ["check_audit_folder", "check_folder"]

PAGE, SCHEMA = "report.html", "report.schema.json"


def check_folder(folder: Path, given: Given) -> str:
    """Check the folder of an audit or a hardening; in one line what was accepted, and what was not looked at.

    Raises
    ------
    Refused
        With the file, and what is wrong with it.
    InputError
        If a file that is given cannot be read.
    """
    if (folder / compression.NAME).is_file():
        return check_compression_folder(folder).line()
    if (folder / graphs.GRAPH).is_file():
        return check_graph_folder(folder, given).line()
    if (folder / certificates.NAME).is_file() and not (folder / reports.NAME).is_file():
        with blamed(folder / certificates.NAME):
            certificate, subject = certificates.accepted(folder / certificates.NAME)
            hardened = any(fact["kind"] == "hardened" for fact in certificate["facts"])
            listed = (folder / hardening.NAME).is_file()
            require(hardened or not listed, f"no fact is about what {hardening.NAME} lists")
        if hardened:
            return check_hardened_folder(folder, certificate, subject, given).line()
        if "about" not in certificate:
            return _alone(folder, certificate).line()
    return check_audit_folder(folder, given).line()


def check_audit_folder(folder: Path, given: Given) -> Seen:
    """Check everything in an audit's folder; what was accepted, and what was not looked at.

    Raises
    ------
    Refused
        With the file, and what is wrong with it.
    InputError
        If a file that is given cannot be read.
    """
    certificate, subject = accepted_in(folder / certificates.NAME, reports.NAME, certificates.accepted)
    seen = Seen(f"{len(certificate['facts'])} facts on")
    with blamed(folder / reports.NAME):
        report = reports.read_report(folder / reports.NAME)
        seen.unseen += reports.check_report(report, certificate, subject)
        require_program(certificate)
        audit = _canonical(folder, report, subject)
    seen.agree.append(reports.NAME)
    _page(folder, report, seen)
    _improved(folder, certificate, subject, audit, seen)
    compare_net(folder, audit.net, subject, given, seen)
    compare_data(folder, audit.data, Rows(subject.train, subject.targets, subject.net.widths[-1]), given, seen)
    told = certificate["about"]
    compare_inputs(folder, "deployment", told["deploy"], subject.deploy, given.deploy, seen)
    compare_inputs(folder, "test", told["test"], subject.test, given.test, seen)
    files = (entry["file"] for entry in certificate["files"].values())
    seen.unseen += strangers(folder, {certificates.NAME, reports.NAME, PAGE, SCHEMA, *IMPROVED, *files})
    return seen


def _alone(folder: Path, certificate: Fact) -> Seen:
    """A certificate with no report that it goes with."""
    files = [entry["file"] for entry in certificate["files"].values()]
    seen = Seen(f"{len(certificate['facts'])} facts on", about=["the net and the rows of its files"])
    seen.unseen = strangers(folder, {certificates.NAME, *files})
    return seen


def _canonical(folder: Path, report: Fact, subject: Subject) -> Audit:
    """The audit that the report tells of, if the file is what this program writes of it, to the byte."""
    try:
        audit = from_json(report)
        text = report_text(to_json(audit))
    except (ValueError, TypeError, AttributeError, LookupError, ArithmeticError) as error:
        raise Refused(f"is no report of an audit: {error}") from error
    own = (folder / reports.NAME).read_bytes()
    require(own == text.encode(), "is not as this program writes it")
    missing = [line for line in open_lines(audit) if line not in audit.undecided]
    require(not missing, f"does not say that this is undecided: {missing[:1]}")
    loss = Loss(audit.data.loss_name) if audit.data.loss_name else None
    net = own_net(subject, audit.net)
    asked = Examination(net, subject.train, subject.targets, loss, subject.deploy, None).not_asked
    require(audit.not_asked == asked, f"says of what was not asked: {audit.not_asked[:1]}")
    return audit


def _page(folder: Path, report: Fact, seen: Seen) -> None:
    """The page and the schema are made again, and compared to the byte."""
    for name, text in ((PAGE, html_report.page(report)), (SCHEMA, schema_text())):
        require_made(folder / name, text, reports.NAME)
    seen.agree.append(PAGE)


def _improved(folder: Path, certificate: Fact, subject: Subject, audit: Audit, seen: Seen) -> None:
    """The improved net is, number for number, the one whose lower loss is certified."""
    change = audit.improvement
    told = None if change is None else change.file
    for name in IMPROVED:
        there = name != told and (folder / name).exists()
        require(not there, f"{folder / name}: lies there, and the report tells of no improvement in it")
    if told is None:
        return
    path = folder / told if told in IMPROVED else Path(told)
    if told not in IMPROVED and not lies(path):
        seen.unseen.append(f"the improved net, which is not in {path}")
        return
    (fact,) = (fact for fact in certificate["facts"] if fact["kind"].startswith("lower-training-"))
    with blamed(path):
        net = read_net(path, activation="relu", checked=True)
        if not net.steps:
            # A product of several maps may need another type than the one before.
            require(net.dtype.name == fact["dtype"], f"is of {net.dtype}, and the certified net of {fact['dtype']}")
        own = subject.net
        certified = reassigned(fact, Unshared(own.layers, np.dtype(fact["dtype"]), own.rational, own.steps))
        same_layers(net, certified, "the certified improvement")
    seen.agree.append(path.name)

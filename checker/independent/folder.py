"""Folders that hold one whole result, of an audit or an experiment: which checker is for which, what it accepted."""

import re
from collections.abc import Callable
from pathlib import Path

from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.checker.independent.results import (
    audit,
    backdoors,
    census,
    compression,
    experiment,
    graph,
    graph_report,
    lifetimes,
    recorded,
    report,
)

PEEK = 2**16
CHECKERS: dict[str, Callable[[Path], str]] = {
    backdoors.FORMAT: lambda path: (
        f"idle circuits, answers and leverages of {backdoors.check_backdoors(path)['exactly']['nets']} nets; "
        "what was measured in floats was not looked at"
    ),
    census.FORMAT: lambda path: (
        f"a census of {sum(cell['nets'] for cell in census.check_census(path)['cells'].values()):,} nets"
    ),
    compression.FORMAT: lambda path: compression.told(compression.check_compression(path)),
    experiment.FORMAT: lambda path: f"{len(experiment.check_experiment(path)['facts'])} facts of an experiment",
    recorded.FORMAT: lambda path: recorded.told(recorded.check_recorded(path)),
    lifetimes.FORMAT: lambda path: (
        f"the nets, splices and losses of {len(lifetimes.check_lifetimes(path)['runs'])} runs; "
        "how training leads from net to net is measured"
    ),
}


def whole_in(path: Path) -> Path | None:
    """The certificate of an audit or the result of an experiment that a folder holds, or the path is; else None."""
    if certificate := audit.certificate_in(path):
        return certificate
    for name in (experiment.NAME, compression.NAME, recorded.NAME):
        file = path / name if path.is_dir() else path
        if file.name == name and file.is_file():
            return file
    return None


def check_whole(path: Path) -> str:
    """Check all that such a file holds; returns in words what was accepted.

    Raises
    ------
    Refused
        If it is no such file, or anything in it is not so.
    """
    if path.name == audit.NAME and path.with_name(graph.GRAPH).is_file():
        return _graph(path)
    if path.name == audit.NAME:
        certificate, subject = audit.accepted(path)
        told = f"{len(certificate['facts'])} facts of an audit"
        beside = path.with_name(report.NAME)
        if "about" in certificate and beside.is_file():
            unseen = report.check_report(report.read_report(beside), certificate, subject)
            told += f", and {report.NAME} beside it but for {', '.join(unseen)}"
        return told
    try:
        with open(path, "rb") as stream:
            stated = re.search(rb'"format": ?"([^"]*)"', stream.read(PEEK))
    except OSError as error:
        raise Refused(f"not readable: {error.strerror}") from error
    form = stated.group(1).decode(errors="replace") if stated else ""
    if form not in CHECKERS:
        raise Refused(f"not in one of the formats {', '.join(CHECKERS)}")
    return CHECKERS[form](path)


def _graph(path: Path) -> str:
    certificate, subject = graph.accepted(path)
    told, beside = graph.told(certificate, subject), path.with_name(graph_report.NAME)
    if beside.is_file():
        unseen = graph_report.check_report(graph_report.read_report(beside), certificate, subject)
        told += f", and {graph_report.NAME} beside it but for {', '.join(unseen)}"
    return told

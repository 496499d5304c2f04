"""`absence check FOLDER` of the audit of a graph: certificate, report, page, network and data agree, or one is refused.

The independent checker decides the facts. The audit is made again from them, and the report and the page from that.
"""

from pathlib import Path
from typing import Any

import numpy as np

from proof_of_absence.checker.audit.seen import Seen, accepted_in, blamed, require_made, require_program, strangers
from proof_of_absence.checker.audit.sources import Given, Recorded, Rows, compare_data, compare_inputs, lies, located
from proof_of_absence.checker.audit.tied_hardening import PROOF
from proof_of_absence.checker.graph.engine import not_asked
from proof_of_absence.checker.graph.findings import GraphAudit
from proof_of_absence.checker.graph.folder import IMPROVED, PAGE, REPORT
from proof_of_absence.checker.graph.harden_folder import FORMAT as LIST_FORMAT
from proof_of_absence.checker.graph.harden_folder import LIST
from proof_of_absence.checker.graph.rebuilt import Called, activation_of, rebuilt, unseen
from proof_of_absence.checker.graph.report import report_json
from proof_of_absence.checker.graph.report.view import report_of
from proof_of_absence.checker.independent.kinds.graph_lower_loss import reused
from proof_of_absence.checker.independent.refusal import Refused, require
from proof_of_absence.checker.independent.results import graph as certificates
from proof_of_absence.checker.independent.results import graph_report as reports
from proof_of_absence.checker.independent.results.graph_hardening import PARTS as LIST_PARTS
from proof_of_absence.checker.independent.results.graph_hardening import check_list
from proof_of_absence.checker.independent.values.graph_data import GraphSubject
from proof_of_absence.checker.independent.values.graphs import Conv, Dense
from proof_of_absence.checker.independent.values.reported import read_report_file
from proof_of_absence.checker.kernel.graph_certificate import NAME
from proof_of_absence.checker.kernel.graph_json import array_bytes, graph_arrays, graph_text
from proof_of_absence.checker.kernel.kept import written_key
from proof_of_absence.checker.screen.answers import html_page
from proof_of_absence.models.files import read_network
from proof_of_absence.models.files.data import read_data
from proof_of_absence.models.files.onnx import sourced
from proof_of_absence.models.graph import Graph

__all__ = ["check_graph_folder"]

SHOWN = 12
MALFORMED = (LookupError, TypeError, ValueError, ArithmeticError, AttributeError, RecursionError)


def check_graph_folder(folder: Path, given: Given) -> Seen:
    """Check everything in the folder of a graph's audit; what was accepted, and what was not looked at.

    Raises
    ------
    Refused
        With the file, and what is wrong with it.
    InputError
        If a file that is given cannot be read.
    """
    certificate, subject = accepted_in(folder / NAME, REPORT, certificates.accepted)
    with blamed(folder / NAME):
        hardened = any(fact["kind"] == "graph-hardened" for fact in certificate["facts"])
        require(hardened or not (folder / LIST).is_file(), f"no fact is about what {LIST} lists")
        require_program(certificate)
    if hardened:
        return _hardened(folder, certificate, subject, given)
    seen = Seen(certificates.told(certificate, subject) + " on")
    with blamed(folder / REPORT):
        report = reports.read_report(folder / REPORT)
        reports.check_report(report, certificate, subject)
        try:
            audit = rebuilt(certificate, _nodes(subject), report)
            text, page = report_json.report_text(report_json.to_json(audit)), html_page(report_of(audit))
        except MALFORMED as error:
            raise Refused(f"is no report of this audit: {type(error).__name__}: {error}") from error
        require((folder / REPORT).read_text(encoding="utf-8") == text, "is not what the certificate shows")
        asked = not_asked(audit.data.loss_name)
        require(audit.not_asked == asked, f"says of what was not asked: {audit.not_asked[:1]}")
    seen.agree.append(REPORT)
    seen.unseen += unseen(audit)
    require_made(folder / PAGE, page, REPORT)
    seen.agree.append(PAGE)
    _network(folder, audit, given, seen)
    named = {PAGE} | _improved(folder, certificate, subject, audit, seen)
    targets = subject.targets
    compare_data(folder, audit.data, Rows(subject.train, targets, subject.graph.sizes[-1]), given, seen)
    compare_inputs(folder, "deployment", certificate["about"]["deploy"], subject.deploy, given.deploy, seen)
    files = (entry["file"] for entry in certificate["files"].values())
    seen.unseen += strangers(folder, {NAME, REPORT, *named, *files})
    return seen


def _nodes(subject: GraphSubject) -> list[Called]:
    graph = subject.graph
    return [
        Called(k, graph.nodes[k - 1].name, activation_of(graph.nodes[k - 1].attributes), graph.shapes[k])
        for k in graph.activations
    ]


def _network(folder: Path, audit: GraphAudit, given: Given, seen: Seen) -> None:
    """The file of the network has the recorded digest and, read anew, is the graph of the certificate."""
    told = audit.net
    recorded = Recorded(told.source, told.sha256)
    in_python = told.source == "net"
    if in_python:
        key = written_key((folder / "graph.json").read_bytes(), _arrays_of(folder).values())
        require(key == told.sha256, f"{folder / REPORT}: its digest of the network is not that of graph.json")
    if in_python and given.net is None:
        seen.about.append(f"a network given in Python (digest {told.sha256[:SHOWN]}…)")
        return
    path = located(folder, None if in_python else recorded, given.net, "the network", seen)
    if path is None:
        seen.about.append("the network of graph.json")
        return
    net = read_network(path)
    same = isinstance(net, Graph) and graph_text(net).encode() == (folder / "graph.json").read_bytes()
    same = same and isinstance(net, Graph) and array_bytes(graph_arrays(net)) == (folder / "graph.npz").read_bytes()
    require(same, f"{path}: is another network than that of graph.json")
    require(in_python or net.reading == told.reading, f"{path}: is read in another way than the report says")
    seen.about.append(f"{path.name} (sha256 {told.sha256[:SHOWN]}…)")


def _improved(
    folder: Path, certificate: dict[str, Any], subject: GraphSubject, audit: GraphAudit, seen: Seen
) -> set[str]:
    """The improved network, read anew, is the one whose lower loss is certified, number for number; its file's name."""
    told = audit.improvement and audit.improvement.file
    inside = folder / IMPROVED
    there = told != IMPROVED and inside.exists()
    require(not there, f"{inside}: lies there, and the report tells of no improvement in it")
    if not told:
        return set()
    path = inside if told == IMPROVED else Path(told)
    if told != IMPROVED and not lies(path):
        seen.unseen.append(f"the improved network, which is not in {path}")
        return set()
    (fact,) = (fact for fact in certificate["facts"] if fact["kind"] == "graph-lower-loss")
    with blamed(path):
        require(path.is_file(), "is missing, and the report tells of it")
        net, _ = sourced(path)
        certified, own = reused(subject, fact), graph_arrays(net)
        expected = _arrays_of(folder)
        for number, node in enumerate(certified.nodes, 1):
            if isinstance(node.layer, Dense | Conv):
                expected |= {f"node_{number}_weights": node.layer.weights, f"node_{number}_bias": node.layer.bias}
        same = graph_text(net).encode() == (folder / "graph.json").read_bytes()
        require(same and array_bytes(own) == array_bytes(expected), "is not the network of the certified improvement")
    seen.agree.append(path.name)
    return {IMPROVED}


def _arrays_of(folder: Path) -> dict[str, np.ndarray]:
    """The arrays of the certified graph, by name, in their order."""
    with np.load(folder / "graph.npz", allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


def _hardened(folder: Path, certificate: dict[str, Any], subject: GraphSubject, given: Given) -> Seen:
    """The proof of a hardened network: the list of what was taken out, the new file, and the files that were read."""
    seen = Seen(certificates.told(certificate, subject) + " on")
    with blamed(folder / LIST):
        try:
            listed = read_report_file(folder / LIST, LIST_FORMAT, LIST_PARTS)
            files = {name: Recorded.of(listed["files"][name]) for name in ("net", "train", "deploy")}
        except MALFORMED as error:
            raise Refused(f"is no list of a hardening: {type(error).__name__}: {error}") from error
        check_list(listed, certificate, subject)
    seen.agree.append(LIST)
    seen.unseen += ["where what was taken out fired", "why the rest is left"]
    output = folder.resolve().with_name(folder.resolve().name.removesuffix(PROOF))
    if output.is_file() and output.name != folder.resolve().name:
        _same_network(output, folder, "graph", "the hardened network")
        seen.about.append(output.name)
    else:
        seen.unseen.append(f"the new network, which is not beside {folder.name}")
    if net := located(folder, files["net"], given.net, "the network before", seen):
        _same_network(net, folder, "before", "the network before hardening")
        seen.about.append(net.name)
    if train := located(folder, files["train"], given.train, "its data", seen):
        inputs = read_data(train, optional=True).inputs
        require(np.array_equal(inputs, subject.train), f"{train}: its inputs are not those of the proof")
        seen.about.append(train.name)
    told = listed["files"]["deploy"]
    compare_inputs(folder, "deployment", told, subject.deploy, given.deploy, seen)
    named = (entry["file"] for entry in certificate["files"].values())
    seen.unseen += strangers(folder, {NAME, LIST, *named})
    return seen


def _same_network(path: Path, folder: Path, name: str, what: str) -> None:
    """A file of a network, read anew, is the graph of the folder under this name, to the bit."""
    with blamed(path):
        net, _ = sourced(path)
        same = graph_text(net).encode() == (folder / f"{name}.json").read_bytes()
        same = same and array_bytes(graph_arrays(net)) == (folder / f"{name}.npz").read_bytes()
        require(same, f"is not {what} of {folder.name}")

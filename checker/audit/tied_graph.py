"""`absence check FOLDER` of the audit of a graph: certificate, report, page, network and data agree, or one is refused.

The independent checker decides the facts. The audit is made again from them, and the report and the page from that.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np

from proof_of_absence.checker.audit.seen import Seen, blamed, strangers
from proof_of_absence.checker.audit.sources import Given, Recorded, Rows, compare_data, compare_inputs, located
from proof_of_absence.checker.audit.tied_hardening import PROOF
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
from proof_of_absence.checker.independent.values.graph_data import GraphSubject
from proof_of_absence.checker.independent.values.graph_masks import read
from proof_of_absence.checker.independent.values.graphs import Conv, Dense
from proof_of_absence.checker.kernel.graph_certificate import NAME
from proof_of_absence.checker.kernel.graph_json import array_bytes, graph_arrays, graph_text
from proof_of_absence.checker.kernel.lock import version_of
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
    with blamed(folder / NAME):
        require((folder / NAME).is_file(), f"is missing, so nothing shows what {REPORT} says")
        certificate, subject = certificates.accepted(folder / NAME)
        hardened = any(fact["kind"] == "graph-hardened" for fact in certificate["facts"])
        require(hardened or not (folder / LIST).is_file(), f"no fact is about what {LIST} lists")
    if hardened:
        return _hardened(folder, certificate, subject, given)
    with blamed(folder / NAME):
        made, own = certificate["about"].get("program"), version_of("proof-of-absence")
        require(made == own, f"was written by version {made} of this program, and this is {own}; check it with that")
    seen = Seen(certificates.told(certificate, subject) + " on")
    with blamed(folder / REPORT):
        report = _read(folder / REPORT)
        try:
            audit = rebuilt(certificate, _nodes(subject), report)
            text = report_json.report_text(report_json.to_json(audit))
        except MALFORMED as error:
            raise Refused(f"is no report of this audit: {type(error).__name__}: {error}") from error
        require((folder / REPORT).read_text(encoding="utf-8") == text, "is not what the certificate shows")
        _sizes(audit, subject)
    seen.agree.append(REPORT)
    seen.unseen += unseen(audit)
    _page(folder, audit, seen)
    _network(folder, audit, given, seen)
    named = {PAGE} | _improved(folder, certificate, subject, audit, seen)
    targets = subject.targets
    compare_data(folder, audit.data, Rows(subject.train, targets, subject.graph.sizes[-1]), given, seen)
    compare_inputs(folder, "deployment", certificate["about"]["deploy"], subject.deploy, given.deploy, seen)
    files = (entry["file"] for entry in certificate["files"].values())
    seen.unseen += strangers(folder, {NAME, REPORT, *named, *files})
    return seen


def _read(path: Path, form: str = report_json.FORMAT) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Refused(f"not readable: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise Refused(f"not readable as JSON: {error}") from error
    require(isinstance(found, dict) and found.get("format") == form, f"not in the format {form}")
    return dict(found)


def _nodes(subject: GraphSubject) -> list[Called]:
    graph = subject.graph
    return [
        Called(k, graph.nodes[k - 1].name, activation_of(graph.nodes[k - 1].attributes), graph.shapes[k])
        for k in graph.activations
    ]


def _sizes(audit: GraphAudit, subject: GraphSubject) -> None:
    """What the summary says of sizes, and that what is open is said to be."""
    graph, net = subject.graph, audit.net
    own = (graph.shapes[0], graph.shapes[-1], len(graph.nodes), graph.dtype)
    require((net.input_shape, net.output_shape, net.nodes, net.dtype) == own, "says other sizes of the network")
    require(net.units == sum(graph.sizes[k] for k in graph.activations), "says another number of units")
    distinct = len(np.unique(subject.train + 0.0, axis=0))
    require((audit.data.rows, audit.data.distinct_inputs) == (len(subject.train), distinct), "says other rows")
    require(audit.deployment_rows == (None if subject.deploy is None else len(subject.deploy)), "says other inputs")
    open_ = any(node.undecided or node.open_fires for node in audit.nodes)
    open_ |= any(node.idle and node.fires is None for node in audit.nodes) and audit.deployment_rows is not None
    require(not open_ or bool(audit.undecided), "does not say that something is undecided")
    require(subject.targets is None or audit.data.loss is not None or bool(audit.undecided), "says nothing of the loss")


def _page(folder: Path, audit: GraphAudit, seen: Seen) -> None:
    """The page is made again, and compared to the byte."""
    with blamed(folder / PAGE):
        try:
            found = (folder / PAGE).read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            raise Refused(f"not readable: {error}") from error
        require(found == html_page(report_of(audit)), f"is not what this program makes of {REPORT}")
    seen.agree.append(PAGE)


def _network(folder: Path, audit: GraphAudit, given: Given, seen: Seen) -> None:
    """The file of the network has the recorded digest and, read anew, is the graph of the certificate."""
    told = audit.net
    recorded = Recorded(told.source, told.sha256)
    in_python = told.source == "net"
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
    path, told = folder / IMPROVED, audit.improvement and audit.improvement.file
    if not told:
        require(not path.exists(), f"{path}: lies there, and the report tells of no improvement in it")
        return set()
    (fact,) = (fact for fact in certificate["facts"] if fact["kind"] == "graph-lower-loss")
    with blamed(path):
        require(told == IMPROVED, f"the report calls the improved network {told}")
        require(path.is_file(), "is missing, and the report tells of it")
        net, _ = sourced(path)
        certified, own = reused(subject, fact), graph_arrays(net)
        expected = _arrays_of(folder)
        for number, node in enumerate(certified.nodes, 1):
            if isinstance(node.layer, Dense | Conv):
                expected |= {f"node_{number}_weights": node.layer.weights, f"node_{number}_bias": node.layer.bias}
        same = graph_text(net).encode() == (folder / "graph.json").read_bytes()
        require(same and array_bytes(own) == array_bytes(expected), "is not the network of the certified improvement")
    seen.agree.append(IMPROVED)
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
            listed = _read(folder / LIST, LIST_FORMAT)
            removed = {one["node"]: one["units"] for one in listed["removed"]}
            left = [[one["node"], one["unit"]] for one in listed["left"]]
            files = {name: Recorded.of(listed["files"][name]) for name in ("net", "train", "deploy")}
            same_bits = listed["same_in_float32"]
        except MALFORMED as error:
            raise Refused(f"is no list of a hardening: {type(error).__name__}: {error}") from error
        _require_removed(certificate, subject, removed, left, same_bits)
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


def _require_removed(
    certificate: dict[str, Any], subject: GraphSubject, removed: dict[int, list[int]], left: list[list[int]],
    same_bits: object,
) -> None:  # fmt: skip
    """The units that are listed are those that something read before, and nothing reads now; the rest is left."""
    if subject.before is None:
        raise Refused("its certificate names no network before")
    was, now = read(subject.before), read(subject.graph)
    gone = {k: np.flatnonzero(subject.idle[k] & was[k] & ~now[k]).tolist() for k in subject.graph.activations}
    require(removed == {k: units for k, units in gone.items() if units}, "lists other units than were taken out")
    (fact,) = (fact for fact in certificate["facts"] if fact["kind"] == "graph-hardened")
    require(left == [[k, unit] for k, units in fact["left"] for unit in units], "lists other units than are left")
    same = any(fact["kind"] == "graph-same-in-float32" for fact in certificate["facts"])
    require(same_bits is same, "says of float32 what no fact shows")


def _same_network(path: Path, folder: Path, name: str, what: str) -> None:
    """A file of a network, read anew, is the graph of the folder under this name, to the bit."""
    with blamed(path):
        net, _ = sourced(path)
        same = graph_text(net).encode() == (folder / f"{name}.json").read_bytes()
        same = same and array_bytes(graph_arrays(net)) == (folder / f"{name}.npz").read_bytes()
        require(same, f"is not {what} of {folder.name}")

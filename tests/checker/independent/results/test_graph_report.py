"""The report of a graph's audit goes with its certificate, or is refused: every number in it is shown by a fact."""

from fractions import Fraction

import numpy as np
import pytest

from proof_of_absence.checker.graph.command import Asked, audit_graph
from proof_of_absence.checker.independent.folder import check_whole, whole_in
from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.checker.independent.results.graph import accepted
from proof_of_absence.checker.independent.results.graph_report import check_report, read_report
from proof_of_absence.checker.kernel.certificate import seal
from proof_of_absence.checker.numbers.deadline import Deadline
from proof_of_absence.checker.region.boxes import Region
from proof_of_absence.models.files.whole import Owner
from proof_of_absence.models.graph import Graph, Node
from proof_of_absence.models.graph_layers import Conv, Dense, Rearrange, Relu
from proof_of_absence.models.objective import objective
from proof_of_absence.models.windows import Window
from tests.checker.changed import changed

# The second channel is on above 9.
NET = Graph((1, 4), [
    Node(Conv([[[1.0, -1.0]], [[1.0, 0.0]]], [0.5, -9.0], Window((2,), (3,))), (0,), "conv"),
    Node(Relu(), (1,), "relu"), Node(Rearrange(np.arange(6), "Flatten"), (2,)),
    Node(Dense([[1.0, 2, 0.1, 1, 1, 0]], [0]), (3,)),
], np.float32)  # fmt: skip
# A hidden layer above it, whose second unit is dead.
DEEP = Graph((1, 4), [*NET.nodes[:3], Node(Dense([[1.0, 0, 0, 1, 1, 0], [-1.0, -1, -1, -1, -1, 0]], [0.5, -1]), (3,)),
                      Node(Relu(), (4,), "hidden"), Node(Dense([[1.0, 2.0]], [0]), (5,))], np.float32)  # fmt: skip
TRAIN = np.array([[1.0, 2, 3, 0], [4, 0, 8, 1], [2, 2, 0, 5]])
DEPLOY = np.array([[1.0, 2, 3, 0], [0, 12, 0, 0]])
TARGETS = np.array([[1.0], [0.0], [0.5]])
BOX, WIDE = (Region(name, ((Fraction(0), Fraction(top)),) * 4) for name, top in (("a box", 8), ("a wide box", 12)))


@pytest.fixture(scope="module", params=[NET, DEEP], ids=["net", "deep"])
def folder(request, tmp_path_factory):
    """An audit of a float32 net, with targets, deployment inputs and boxes; a lower loss of one with a hidden layer."""
    place = tmp_path_factory.mktemp("graph") / "audit"
    asked = Asked(request.param, TRAIN, objective(1, TARGETS, None, "squared"), DEPLOY, (BOX, WIDE))
    audit_graph(asked, Deadline(), place, Owner("audit", "here", other="of another"))
    return place


@pytest.fixture(scope="module")
def parts(folder):
    """Report and certificate as read, and the graph and data."""
    return read_report(folder / "report.json"), *accepted(folder / "certificate.json")


def test_an_audit_is_accepted_and_what_is_not_looked_at_is_named(folder, parts):
    told = check_whole(whole_in(folder))
    report, certificate, subject = parts
    deep = len(report["units"]) == 2
    facts = "12 facts of an audit of a graph, 8" if deep else "7 facts of an audit of a graph, 6"
    assert told.startswith(f"{facts} units, and report.json beside it but for the words of")
    kinds = {f"graph-{kind}" for kind in ("idle", "firing", "irrelevant", "losses", "float32", "readout")}
    assert {fact["kind"] for fact in certificate["facts"]} == kinds | ({"graph-lower-loss"} if deep else set())
    assert [(box["box"], box["still"], list(box["acts"])) for box in report["boxes"] if box["node"] == 2] == [
        ("a box", [3, 4], []), ("a wide box", [], ["3", "4"])
    ]  # fmt: skip
    assert (report["improvement"] is not None) == deep and ("share weights" in report["unimproved"]) != deep
    assert ("why no lower loss is shown" in check_report(report, certificate, subject)) != deep


def edits(node, path=()):
    """Every place in a report, and values that are not there."""
    pairs = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in pairs:
        yield from edits(value, (*path, key))
    if isinstance(node, bool) or node is None:
        yield from ((path, value) for value in (1, "x"))
    elif isinstance(node, int):
        yield from ((path, value) for value in (node + 1, -1, None, float(node)))
    elif isinstance(node, str):
        yield from ((path, value) for value in (node + "1", "" if node else "x", None))
    elif isinstance(node, list):
        yield path, [*node, *(node[-1:] or [0])]
        if node:
            yield path, node[:-1]
    elif isinstance(node, dict) and path:
        yield path, {**node, "more": 1}


def test_every_change_of_the_report_is_refused(parts):
    report, certificate, subject = parts
    # The words of the headline after its beginning, why a box is open, and times are not looked at.
    free = {("headline",), ("seconds",)}
    tried = 0
    for path, value in edits(report):
        if path[:1] in free or path[-1] == "reason" or path == ("format",):
            continue
        tried += 1
        with pytest.raises(Refused):
            check_report(changed(report, path, value), certificate, subject)
    assert tried > 200


@pytest.mark.parametrize(
    ("path", "value"), [(("headline",), "Clean: nothing"), (("headline",), "Nothing found, but 1 question"),
                        (("seconds", "units"), -1.0), (("seconds", "units"), 1), (("state",), "clean")],
)  # fmt: skip
def test_a_headline_of_another_state_and_what_is_no_time_are_refused(parts, path, value):
    report, certificate, subject = parts
    with pytest.raises(Refused):
        check_report(changed(report, path, value), certificate, subject)


def test_a_report_that_is_none_is_refused(folder, tmp_path):
    text = (folder / "report.json").read_text()
    for other in ("", "[]", "{}", text[:-3], text.replace('"format"', '"format": 1, "format"', 1), '{"format": "x"}'):
        (tmp_path / "report.json").write_text(other)
        with pytest.raises(Refused):
            read_report(tmp_path / "report.json")


def test_a_missing_fact_is_noticed(parts):
    report, certificate, subject = parts
    for k in range(len(certificate["facts"])):
        left = certificate["facts"][:k] + certificate["facts"][k + 1 :]
        with pytest.raises(Refused):
            check_report(report, seal(certificate | {"facts": left}), subject)

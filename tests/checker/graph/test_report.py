"""The faces of an audit of a graph: the answer first, channels before single units, names escaped, numbers exact."""

import io
from dataclasses import replace
from fractions import Fraction

import numpy as np
from rich.console import Console

from proof_of_absence.checker.graph.findings import (
    CLEAN,
    FINDINGS,
    UNDECIDED,
    DataSummary,
    GraphAudit,
    GraphSummary,
    NodeFinding,
    State,
)
from proof_of_absence.checker.graph.report import report_json
from proof_of_absence.checker.graph.report.view import answers, headline, report_of, tables
from proof_of_absence.checker.numbers.enclosure import Enclosure
from proof_of_absence.checker.screen.answers import html_page, terminal_page
from proof_of_absence.models.reading import Reading


def audit(states, *, fires=None, undecided=(), shape=(2, 2, 1)):
    states = np.array(states, dtype=np.int8)
    node = NodeFinding(
        2, "relu <1>", "ReLU", shape, states, {k: Fraction(k, 3) for k in np.flatnonzero(states == State.CONSTANT)},
        np.zeros((len(states), 2), dtype=np.int64), np.ones(len(states), dtype=bool), fires,
    )  # fmt: skip
    net = GraphSummary("net.onnx", "0" * 64, (1, 4, 4), (2,), 4, len(states), 20, "float32", None)
    loss = Enclosure(Fraction(1, 2), Fraction(1, 2))
    data = DataSummary("a.npz", "0" * 64, 5, 4, loss, None, "mean squared error", "numbers")
    return GraphAudit(net, data, (node,), undecided=undecided)


def test_a_whole_channel_is_told_before_single_units():
    found = audit([State.DEAD, State.DEAD, State.VARIES, State.CONSTANT], fires={0: (1, 4), 1: (), 3: ()})
    assert found.exit_code == FINDINGS
    assert headline(found) == "1 train-idle channel and 1 more train-idle unit; 1 unit fires at 2 deployment inputs."
    (sleeping,) = next(a.lines for a in answers(found) if a.question == "What is train-idle")
    assert "channels 0 at every position; units [1,1,0]" in sleeping
    assert "3 of 4 units, 2 of them dead" in sleeping


def test_clean_and_undecided_are_no_findings_and_the_second_is_no_pass():
    assert audit([State.VARIES] * 4).exit_code == CLEAN
    open_ = audit([State.VARIES] * 3 + [State.UNDECIDED], undecided=("1 unit of relu",))
    assert open_.exit_code == UNDECIDED and "not a pass" in headline(open_)


def test_a_unit_that_nothing_reads_is_no_finding():
    found = audit([State.DEAD, State.VARIES, State.VARIES, State.VARIES])
    found.nodes[0].read[0] = False
    assert found.exit_code == CLEAN and not found.nodes[0].idle


def test_names_are_escaped_in_html_and_shown_in_80_columns():
    found = audit([State.DEAD] * 4, fires={k: (k,) for k in range(4)})
    page = html_page(report_of(found))
    assert "relu &lt;1&gt;" in page and "<1>" not in page and "<script" not in page
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(terminal_page(report_of(found, 10)), crop=False)
    text = console.export_text()
    assert text.startswith("2 train-idle channels; 4 units fire at 4 deployment inputs.")
    assert all(len(line) <= 80 for line in text.splitlines() if not line.startswith("absence harden"))


def test_the_json_report_has_exact_numbers_and_all_units():
    found = report_json.to_json(audit([State.DEAD, State.VARIES, State.CONSTANT, State.UNDECIDED]))
    (node,) = found["units"]
    assert (node["dead"], node["constant"], node["undecided"]) == ([0], [2], [3])
    assert node["values"] == {"2": "2/3"} and node["fires"] is None and found["data"]["loss"] == ["1/2", "1/2"]


def told_of_float32(found):
    (network, *_) = tables(found, 10)
    return dict(network.rows).get("float32", "")


def test_why_float32_is_not_bounded_is_said():
    found = audit([State.VARIES] * 4)
    reading = Reading((), "Relu", "the graph", multiplied=True)
    product = replace(found, net=replace(found.net, reading=reading))
    assert told_of_float32(replace(found, float32_deviation=Fraction(1, 8))).startswith("at most 0.125 from")
    assert "grow beyond what float32 holds" in told_of_float32(found)
    assert "the product of several" in told_of_float32(product)
    assert not told_of_float32(replace(found, net=replace(found.net, dtype="float64")))
    assert not told_of_float32(replace(found, undecided=("float32: out of time",)))

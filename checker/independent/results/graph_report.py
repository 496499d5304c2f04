"""Check the report of a graph's audit against its certificate: what it states of units, losses and float32 facts show.

What no fact can show is returned by name, as not looked at: seconds, the words of the headline, lines on what is open.
"""

from collections.abc import Iterable
from fractions import Fraction
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from proof_of_absence.checker.independent.refusal import Refused, require, require_equal
from proof_of_absence.checker.independent.values import Fact
from proof_of_absence.checker.independent.values.arrays import hexadecimal
from proof_of_absence.checker.independent.values.graph_data import GraphSubject
from proof_of_absence.checker.independent.values.graph_end import end_of
from proof_of_absence.checker.independent.values.graph_files import MALFORMED
from proof_of_absence.checker.independent.values.graph_masks import read
from proof_of_absence.checker.independent.values.graphs import Clip, Conv, Dense, Graph, LeakyRelu
from proof_of_absence.checker.independent.values.nets import number
from proof_of_absence.checker.independent.values.reported import read_report_file, require_same

FORMAT = "absence-graph-audit/1"
NAME = "report.json"
PARTS = {
    "format", "state", "headline", "net", "data", "units", "deployment_rows", "boxes", "float32_deviation",
    "improvement", "unimproved", "end", "unpriced", "findings", "undecided", "not_asked", "seconds",
}  # fmt: skip
ABOUT = {"net", "data", "improved", "unimproved", "unpriced", "undecided", "not_asked", "deploy", "program"}
LOSSES = {
    "squared": "mean squared error",
    "cross-entropy": "cross-entropy of the softmax",
    "logistic": "logistic loss of one output",
}
# How the headline of each state begins; that of findings begins otherwise.
BEGINS = {"clean": "Clean: ", "undecided": "Nothing found, but "}


def read_report(path: Path) -> Fact:
    """The object in a report's file.

    Raises
    ------
    Refused
        If it is no report in this format, or a key stands twice.
    """
    return read_report_file(path, FORMAT, PARTS)


def check_report(report: Fact, certificate: Fact, subject: GraphSubject) -> list[str]:
    """Refuse the report unless it goes with the certificate, which was accepted; what was not looked at, in words.

    Raises
    ------
    Refused
        With the part of the report that is wrong.
    """
    try:
        return _Report(report, certificate, subject).all()
    except MALFORMED as error:
        raise Refused(f"a part is malformed: {type(error).__name__}: {error}") from error


class _Report:
    """The parts of a report, each against the facts that it is about."""

    def __init__(self, report: Fact, certificate: Fact, subject: GraphSubject):
        self.report, self.subject, self.graph = report, subject, subject.graph
        self.about: Any = certificate["about"]
        self.facts: list[Fact] = certificate["facts"]

    def all(self) -> list[str]:
        """Every part, one after the other."""
        self._about()
        self._data()
        self._units()
        self._boxes()
        self._float32()
        self._improvement()
        self._readout()
        unseen = ["the words of the headline", "seconds", *self._end()]
        unseen += ["why no lower loss is shown"] if self.report["unimproved"] else []
        unseen += ["why nothing is priced"] if self.report["unpriced"] else []
        return [*unseen, *(["what the report calls undecided"] if self.report["undecided"] else [])]

    def one(self, kind: str) -> Fact | None:
        """The fact of this kind, if there is one."""
        found = [fact for fact in self.facts if fact["kind"] == kind]
        require(len(found) <= 1, f"two facts of kind {kind}")
        return found[0] if found else None

    def explained(self, *lines: str) -> bool:
        """Whether the report says of one of these that it is undecided."""
        return any(line.startswith(lines) for line in self.report["undecided"])

    def _about(self) -> None:
        """What no fact shows is at least what the certificate repeats."""
        require(isinstance(self.about, dict) and set(self.about) == ABOUT, "the certificate repeats other parts")
        data = {key: value for key, value in self.report["data"].items() if key not in ("loss", "noise_floor")}
        own = {"net": self.report["net"], "data": data}
        own |= {part: self.report[part] for part in ("unimproved", "unpriced", "undecided", "not_asked")}
        for part, stated in own.items():
            require_same(f"{part}, as the certificate repeats it", stated, self.about[part])
        named = [own["net"], data] + [self.about["deploy"]] * (self.about["deploy"] is not None)
        texts = [one[part] for one in named for part in ("source", "sha256")] + [data["loss_reason"]]
        require(all(isinstance(text, str) for text in texts), "what is said of a file is no text")
        lines = [self.report[part] for part in ("unimproved", "unpriced")]
        lines += [*self.report["undecided"], *self.report["not_asked"]]
        require(all(isinstance(line, str) for line in lines), "a line on what is open is no text")
        net, graph = self.report["net"], self.graph
        layers = [node.layer for node in graph.nodes if isinstance(node.layer, Dense | Conv)]
        sizes = {
            "input_shape": list(graph.shapes[0]),
            "output_shape": list(graph.shapes[-1]),
            "nodes": len(graph.nodes),
            "units": sum(graph.sizes[node] for node in graph.activations),
            "parameters": sum(layer.weights.size + layer.bias.size for layer in layers),
            "dtype": graph.dtype,
        }
        for part, value in sizes.items():
            require_same(f"net: {part}", net[part], value)
        require(set(net) == {*sizes, "source", "sha256", "reading"}, "net: parts are missing or unknown")

    def _data(self) -> None:
        stated, train, fact = self.report["data"], self.subject.train, self.one("graph-losses")
        require_same("the training rows", stated["rows"], len(train))
        require_same("the distinct training inputs", stated["distinct_inputs"], len(np.unique(train + 0.0, axis=0)))
        named, targets = stated["loss_name"], self.subject.targets
        require((named == "") == (targets is None), "the loss: named without targets, or not named with them")
        require(named == "" or named in LOSSES.values(), f"the loss: {named!r} is none that is known")
        if fact is not None:
            require_equal("the name of the loss", named, LOSSES[fact["of"]])
        for part in ("loss", "noise_floor"):
            require((stated[part] is None) == (fact is None), f"{part}: stated without a fact, or not with one")
            if fact is not None:
                ends = [hexadecimal(text) for text in stated[part]]
                require_equal(part, ends, [number(text) for text in fact[part]])
        require(fact is not None or not named or self.explained("losses"), "the loss: missing, and no word on why")
        deployed = None if self.subject.deploy is None else len(self.subject.deploy)
        require_same("the deployment rows", self.report["deployment_rows"], deployed)

    def _units(self) -> None:
        facts = {fact["node"]: fact for fact in self.facts if fact["kind"] == "graph-idle"}
        fires = {fact["node"]: fact for fact in self.facts if fact["kind"] == "graph-firing"}
        seen = read(self.graph)
        require_equal("the nodes", [entry["node"] for entry in self.report["units"]], list(facts))
        for entry in self.report["units"]:
            node, fact = entry["node"], facts[entry["node"]]
            name = node_name(self.graph, node)
            idle = np.flatnonzero(self.subject.idle[node] & seen[node])
            own = {
                "node": node,
                "name": name,
                "kind": _activation(self.graph, node),
                "shape": list(self.graph.shapes[node]),
                "count": self.graph.sizes[node],
                "dead": fact["dead"],
                "constant": [at for at, _ in fact["constant"]],
                "undecided": fact["undecided"],
                "values": {str(at): value for at, value in fact["constant"] if isinstance(value, str)},
                "not_read": fact["unread"],
                "idle_channels": _channels(self.graph, node, idle),
            }
            for part, value in own.items():
                require_same(f"{name}, {part}", entry[part], value)
            require(set(entry) == {*own, "fires", "open_fires"}, f"{name}: parts are missing or unknown")
            # All nodes are asked, or none: one that has no idle unit is not left out alone.
            self._fires(name, entry, fires.get(node), asked=bool(idle.size or fires))
            told = any(f" of {name}: " in line for line in self.report["undecided"])
            require(not fact["undecided"] or told, f"{name}: a unit is open, and no word on it")

    def _fires(self, name: str, entry: Fact, fact: Fact | None, *, asked: bool) -> None:
        if fact is None:
            require(entry["open_fires"] == {} and not entry["fires"], f"{name}: where units fire is shown by no fact")
            asked = asked and self.subject.deploy is not None
            told = self.explained("firing", f"where the idle units of {name} fire")
            require(not asked or told, f"{name}: where units fire is missing, and no word on why")
            return
        for part, at in (("fires", 1), ("open_fires", 2)):
            own = {str(unit[0]): unit[at] for unit in fact["fires"] if unit[at]}
            require_same(f"{name}, {part}", entry[part], own)
        told = self.explained(f"whether {len(entry['open_fires']):,} idle units of {name} fire")
        require(not entry["open_fires"] or told, f"{name}: a row is open, and no word on it")

    def _boxes(self) -> None:
        facts, seen = [fact for fact in self.facts if fact["kind"] == "graph-irrelevant"], read(self.graph)
        require_equal("the number of boxes", len(self.report["boxes"]), len(facts))
        for stated, fact in zip(self.report["boxes"], facts, strict=True):
            node, acts = fact["node"], {str(entry): point for entry, point in fact["acts"]}
            told = {*fact["still"], *map(int, acts)}
            idle = np.flatnonzero(self.subject.idle[node] & seen[node]).tolist()
            own = {"box": fact["box"], "node": node, "still": fact["still"], "acts": acts}
            own |= {"undecided": [entry for entry in idle if entry not in told], "reason": stated["reason"]}
            require_same(f"{fact['box']}, {node_name(self.graph, node)}", stated, own)
            if count := len(own["undecided"]):
                many, act = ("an idle unit", "acts") if count == 1 else (f"{count:,} idle units", "act")
                worded = self.explained(f"whether {many} of {node_name(self.graph, node)} {act} in {fact['box']}: ")
                require(worded, f"{fact['box']}: a unit is open, and no word on it")

    def _float32(self) -> None:
        fact, stated = self.one("graph-float32"), self.report["float32_deviation"]
        require((stated is None) == (fact is None), "float32_deviation: stated without a fact, or not with one")
        if fact is not None:
            require_equal("the float32 deviation", hexadecimal(stated), hexadecimal(fact["bound"]))

    def _improvement(self) -> None:
        """It is what the fact says, and the file that the certificate repeats."""
        fact, stated, file = self.one("graph-lower-loss"), self.report["improvement"], self.about["improved"]
        require((stated is None) == (fact is None), "improvement: stated without a fact, or not with one")
        if fact is None:
            require(file is None, "improvement: a file without a fact")
            return
        require(self.report["unimproved"] == "", "improvement: said to be none")
        require_equal("the loss that is lowered", self.report["data"]["loss_name"], LOSSES[fact["of"]])
        require_same("improvement: file", stated["file"], file)
        losses = {"loss_before", "loss_after"}
        require(set(stated) == {"node", "units", "output_bias", "file", *losses}, "improvement: parts are others")
        for part in ("node", "units", "output_bias"):
            require_same(f"improvement: {part}", stated[part], fact[part])
        for part in losses:
            ends = [hexadecimal(text) for text in stated[part]]
            require_equal(f"improvement: {part}", ends, [number(text) for text in fact[part]])

    def _readout(self) -> None:
        """What the outputs read is what the graph's last affine map reads; prices and sets are those of the facts."""
        stated, readout, together = self.report["end"], self.one("graph-readout"), self.one("graph-together")
        try:
            node, _ = end_of(self.graph)
        except Refused:
            require(stated is None and self.report["unpriced"] != "", "end: there is none, and it is not said why")
            return
        require(self.report["unpriced"] == "", "end: said to be none")
        name = node_name(self.graph, node) if node else "the input"
        own: Fact = {"node": node, "name": name, "shape": list(self.graph.shapes[node])}
        own |= {"readout": readout and {key: value for key, value in readout.items() if key != "kind"}}
        own |= {"together": together["sets"] if together else []}
        for part, value in own.items():
            require_same(f"end: {part}", stated[part], value)
        require(set(stated) == set(own), "end: parts are missing or unknown")
        told = self.explained("readout prices", "what the outputs read", "whether they are independent")
        require(readout is not None or told, "end: no prices, and no word on why")
        rows = readout["rows"].get("deployment", []) if readout else []
        open_ = any("leverage" in row and row["leverage"][1] is None for row in rows)
        require(not open_ or self.explained("the readout price"), "end: a price is open, and no word on it")
        unseen = any(one["fires"] is None for one in own["together"]) and self.subject.deploy is not None
        require(not unseen or self.explained("where they fire together"), "end: where sets fire is open, and no word")

    def _end(self) -> list[str]:
        """The findings and the state follow from the rest."""
        report = self.report
        seen, findings = read(self.graph), []
        for node in (entry["node"] for entry in report["units"]):
            if count := int((self.subject.idle[node] & seen[node]).sum()):
                of = f"{self.graph.sizes[node]} units of {node_name(self.graph, node)}"
                findings.append(f"{count} of {of} are train-idle")
        findings += [f"{len(box['acts'])} idle units act in {box['box']}" for box in report["boxes"] if box["acts"]]
        if sets := len(report["end"]["together"]) if report["end"] else 0:
            sets_are = "1 set of features is" if sets == 1 else f"{sets} sets of features are"
            findings.append(f"{sets_are} idle only together")
        require_same("the findings", report["findings"], findings)
        state = "findings" if findings else "undecided" if report["undecided"] else "clean"
        require_same("the state", report["state"], state)
        begins = [name for name, words in BEGINS.items() if report["headline"].startswith(words)]
        require_equal("the state that the headline tells", begins, [state] if state in BEGINS else [])
        require(all(type(t) is float and t >= 0 for t in report["seconds"].values()), "seconds: not a time")
        return ["whether the boxes are those of their files"] if report["boxes"] else []


def node_name(graph: Graph, node: int) -> str:
    """A node's name, or its number where it has none."""
    return graph.nodes[node - 1].name or f"node {node}"


def _activation(graph: Graph, node: int) -> str:
    """An activation in words."""
    layer = graph.nodes[node - 1].layer
    if isinstance(layer, LeakyRelu):
        return f"LeakyReLU {float(layer.slope):.6g}"
    require(isinstance(layer, Clip), f"node {node} is no activation")
    if graph.nodes[node - 1].attributes["kind"] == "relu" or not isinstance(layer, Clip):
        return "ReLU"
    low, high = (_end(end, name) for end, name in ((layer.low, "-∞"), (layer.high, "∞")))
    return f"Clip {low} to {high}"


def _end(end: Fraction | None, name: str) -> str:
    return name if end is None else f"{float(end):.6g}"


def _channels(graph: Graph, node: int, idle: Iterable[int]) -> list[int]:
    """The channels of which every position is idle and read; none where the value has one axis."""
    shape = graph.shapes[node]
    if len(shape) < 2:
        return []
    counts = np.bincount(np.asarray(idle, dtype=np.int64) // prod(shape[1:]), minlength=shape[0])
    found: list[int] = np.flatnonzero(counts == prod(shape[1:])).tolist()
    return found

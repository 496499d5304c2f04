"""Check the report of an audit against its certificate: what it states, a fact shows, and what facts show, it states.

What no fact can show is returned by name, as not looked at: seconds, lines about what is open, boxes from files.
"""

import hashlib
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from proof_of_absence.checker.independent.refusal import Refused, require, require_equal
from proof_of_absence.checker.independent.results.readout import check_readout
from proof_of_absence.checker.independent.results.report_losses import check_losses
from proof_of_absence.checker.independent.results.subject import Subject
from proof_of_absence.checker.independent.values import Fact
from proof_of_absence.checker.independent.values.arrays import hexadecimal
from proof_of_absence.checker.independent.values.nets import number, numbers
from proof_of_absence.checker.independent.values.reported import (
    exact,
    rational,
    rationals,
    read_report_file,
    require_same,
    require_types,
)

FORMAT = "absence-audit/1"
NAME = "report.json"
PARTS = {
    "format", "scope", "exit_code", "findings", "replacements", "net", "data", "units", "circuits", "ranks",
    "deployment", "improvement", "idle_price", "readout", "regions", "float32_deviation", "undecided",
    "not_asked", "seconds",
}  # fmt: skip
RANKS = ("full-rank", "dependency", "few-inputs")
TRAINING_BOX = "training box"


def read_report(path: Path) -> Fact:
    """The object in a report's file.

    Raises
    ------
    Refused
        If it is no report in this format, or a key stands twice.
    """
    found = read_report_file(path, FORMAT, PARTS)
    require_types(found)
    return found


def check_report(report: Fact, certificate: Fact, subject: Subject) -> list[str]:
    """Refuse the report unless it goes with the certificate, which was accepted; what was not looked at, in words.

    Raises
    ------
    Refused
        With the part of the report that is wrong.
    """
    checks = _Report(report, certificate, subject)
    try:
        checks.all()
    except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError, RecursionError) as error:
        raise Refused(f"a part is malformed: {type(error).__name__}: {error}") from error
    return checks.unseen


class _Report:
    """The parts of a report, each against the facts that it is about."""

    def __init__(self, report: Fact, certificate: Fact, subject: Subject):
        self.report, self.subject = report, subject
        self.about: Any = certificate.get("about")
        self.facts: list[Fact] = certificate["facts"]
        self.unseen: list[str] = []

    def of(self, *kinds: str) -> list[Fact]:
        """The facts of these kinds, in their order."""
        return [fact for fact in self.facts if fact["kind"] in kinds]

    def explained(self, *stages: str) -> bool:
        """Whether the report says of one of these stages that it is undecided."""
        return any(line.startswith(stages) for line in self.report["undecided"])

    def all(self) -> None:
        """Every part, one after the other."""
        require_same("scope", self.report["scope"], "instance")
        self._about()
        self._net()
        self._data()
        check_losses(self.report, self.facts, self.subject, self.unseen, self.explained)
        self._circuits()
        self._complete()
        self._ranks()
        self._deployment()
        check_readout(self.report["readout"], self.of("readout-prices"), self.subject, self.explained)
        self._regions()
        self._end()

    def _about(self) -> None:
        """What no fact shows is at least what the certificate repeats."""
        require(isinstance(self.about, dict), "its certificate does not say which report goes with it; audit again")
        data = {key: value for key, value in self.report["data"].items() if key not in ("loss", "noise_floor")}
        change = self.report["improvement"]
        own = {
            "net": self.report["net"], "data": data, "undecided": self.report["undecided"],
            "not_asked": self.report["not_asked"], "improved": change and change["file"],
        }  # fmt: skip
        for part, stated in own.items():
            require_same(f"{part}, as the certificate repeats it", stated, self.about[part])
        require(set(self.about) == {*own, "deploy", "test", "program"}, "the certificate repeats other parts")
        for key, kind in (("deploy", "deployment"), ("test", "test")):
            file = self.about[key]
            named = file is None or (set(file) == {"source", "sha256"} and all(type(v) is str for v in file.values()))
            require(named, f"the certificate does not name the file of the {kind} inputs with its sha256")
        lines = [*self.report["undecided"], *self.report["not_asked"]]
        require(all(isinstance(line, str) for line in lines), "a line on what is open is no text")
        if self.report["undecided"]:
            self.unseen.append("what the report calls undecided")

    def _net(self) -> None:
        net, stated = self.subject.net, self.report["net"]
        require_same("the widths", stated["widths"], net.widths)
        require_same("the parameters", stated["parameters"], net.parameters)
        require(stated["dtype"] in ("float32", "float64"), "no type of float")
        require(net.holds(np.dtype(stated["dtype"])), f"net: a weight is no {stated['dtype']}")
        for fact in self.facts:
            require_equal("the type of the net", stated["dtype"], fact.get("dtype", stated["dtype"]))

    def _data(self) -> None:
        rows, stated = self.subject.train, self.report["data"]
        require_same("the training rows", stated["rows"], len(rows))
        distinct = {hashlib.sha256(row.tobytes()).digest() for row in rows + 0.0}
        require_same("the distinct training inputs", stated["distinct_inputs"], len(distinct))

    def _circuits(self) -> None:
        require_circuits(self.report["circuits"], self.of("circuit"), self.subject)
        open_ = self.subject.deploy is not None and any(c["fires"] is None for c in self.report["circuits"])
        require(not open_ or self.explained("firing"), "circuits: where one fires is open, and no word on why")

    def _complete(self) -> None:
        """Every idle unit is a circuit; in which layers nothing shows that there is no other, is not looked at."""
        _require_minimal(self.of("circuit"))
        alone = {(fact["layer"], *fact["units"]) for fact in self.of("circuit")}
        for fact in self.of("units"):
            layer, idle = fact["layer"], {j for j, alone_ in enumerate(fact["idle"]) if alone_}
            missed = [j for j in sorted(idle) if (layer, j) not in alone]
            require(
                not missed or self.explained("circuits"), f"circuits: unit {layer}.{missed[:1]} is idle and no circuit"
            )
        self.unseen += open_layers(self.facts)

    def _ranks(self) -> None:
        sending = [layer for layer in range(1, len(self.subject.net.layers)) if _sending(self.subject, layer)]
        ranks = self.report["ranks"]
        if not ranks and sending:
            require(self.explained("ranks"), "ranks: there are none, and no word on why")
            return
        require_equal("the layers of the ranks", [rank["layer"] for rank in ranks], sending)
        for rank in ranks:
            if rank["full"] is None:
                require(self.explained("the rank of", "ranks"), "ranks: one is open, and no word on why")
            require_rank(rank, self.facts, self.subject)

    def _deployment(self) -> None:
        stated = self.report["deployment"]
        if self.subject.deploy is None or (not stated and self.explained("deployment")):
            require_same("deployment", stated, [])
            return
        facts = {fact["row"]: fact for fact in self.of("train-input", "outside", "inside")}
        covers = {fact["row"]: fact["combination"] for fact in self.of("covered")}
        require_same("the deployment rows", [entry["row"] for entry in stated], list(range(len(self.subject.deploy))))
        for entry in stated:
            require_place(entry, facts.get(entry["row"]), covers.get(entry["row"]))
        if any(entry["decided"] is False for entry in stated):
            require(self.explained("the least detector", "deployment"), "deployment: a row is open, and no word on why")

    def _regions(self) -> None:
        stated, sending = self.report["regions"], [c["units"] for c in self.report["circuits"] if not c["empty"]]
        names = list(dict.fromkeys(entry["region"] for entry in stated))
        asked = [(entry["region"], entry["units"]) for entry in stated]
        # Two files may have one name.
        require(
            not stated or (sending and not len(asked) % len(sending)), "regions: they are not asked of every circuit"
        )
        for start in range(0, len(asked), max(len(sending), 1)):
            group = [(asked[start][0], units) for units in sending]
            require_equal("the circuits asked about in a region", asked[start : start + len(sending)], group)
        facts = iter(self.of("irrelevant-region", "relevant-at"))
        for entry in stated:
            if entry["verdict"] in ("sat", "unsat"):
                self._region(entry, next(facts, None))
            else:
                require(entry["verdict"] in ("unknown", "timeout") and entry["witness"] is None, "regions: no verdict")
                require(self.explained("whether "), "regions: one is open, and no word on why")
        require(next(facts, None) is None, "regions: one is missing that a fact is about")
        if others := [name for name in names if name != TRAINING_BOX]:
            self.unseen.append(f"whether the boxes are those of {', '.join(map(str, others))}")

    def _region(self, entry: Fact, fact: Fact | None) -> None:
        name = f"circuit {_named(entry['units'])} in {entry['region']}"
        if fact is None or sorted(fact["circuit"]) != sorted(entry["units"]):
            raise Refused(f"no fact shows the verdict on {name}")
        require_same(f"the verdict on {name}", entry["verdict"], "sat" if fact["kind"] == "relevant-at" else "unsat")
        require_equal(f"the reason of {name}", entry["reason"], "")
        witness = numbers(fact["input"]) if fact["kind"] == "relevant-at" else None
        require_equal(f"where {name} acts", None if entry["witness"] is None else rationals(entry["witness"]), witness)
        (sends,) = (c["value"] for c in self.report["circuits"] if c["units"] == entry["units"])
        received = sorted((*one["unit"], exact(one["value"])) for one in sends)
        asked = sorted((layer, k, number(value)) for layer, k, value in fact["value"])
        require_equal(f"what {name} is to send", asked, received)
        if entry["region"] == TRAINING_BOX:
            ends = [
                [Fraction(x) for x in end.tolist()] for end in (self.subject.train.min(0), self.subject.train.max(0))
            ]
            require_equal("the training box", [numbers(fact["low"]), numbers(fact["high"])], ends)

    def _end(self) -> None:
        """The findings and the exit code follow from the rest."""
        report = self.report
        findings = [f"circuit {_named(c['units'])} is train-idle" for c in report["circuits"] if not c["empty"]]
        findings += [
            f"the features of layer {r['layer']} are linearly dependent" for r in report["ranks"] if r["full"] is False
        ]
        findings += [
            f"circuit {_named(r['units'])} acts in {r['region']}" for r in report["regions"] if r["verdict"] == "sat"
        ]
        require_same("the findings", report["findings"], findings)
        require_same("the exit code", report["exit_code"], 1 if findings else 3 if report["undecided"] else 0)
        times = [report["seconds"].values(), [entry["seconds"] for entry in report["regions"]]]
        require(all(type(t) is float and t >= 0 for part in times for t in part), "seconds: not a time")
        self.unseen.append("seconds")


def require_circuits(listed: list[Fact], facts: list[Fact], subject: Subject) -> None:
    """Refuse circuits as a report lists them unless they are those of the facts, one for one."""
    require_equal("the number of circuits", len(listed), len(facts))
    for stated, fact in zip(listed, facts, strict=True):
        layer, units, value = fact["layer"], fact["units"], [hexadecimal(v) for v in fact["value"]]
        name = f"circuit {_named([[layer, j] for j in units])}"
        fires = fact["fires"] if subject.deploy is not None else None
        empty = not subject.net.layers[layer][0][:, units].any()
        require_same(
            name,
            {key: part for key, part in stated.items() if key != "value"},
            {"units": [[layer, j] for j in units], "fires": fires, "empty": empty},
        )
        received = [(entry["unit"], exact(entry["value"])) for entry in stated["value"]]
        require_equal(f"what {name} sends", received, [([layer + 1, k], v) for k, v in enumerate(value)])


def _require_minimal(facts: list[Fact]) -> None:
    """No circuit is listed twice, or holds another; one that holds an idle set that is not listed is a further one."""
    seen: dict[int, list[frozenset[int]]] = {}
    for fact in sorted(facts, key=lambda fact: len(fact["units"])):
        units, smaller = frozenset(fact["units"]), seen.setdefault(fact["layer"], [])
        name = _named([[fact["layer"], j] for j in fact["units"]])
        require(not any(other <= units for other in smaller), f"circuit {name} is not minimal, or listed twice")
        smaller.append(units)


def open_layers(facts: list[Fact]) -> list[str]:
    """What no fact shows of further circuits: within which layers there may be some, and across several layers."""
    ranks, open_ = [fact for fact in facts if fact["kind"] == "full-rank"], []
    for fact in (fact for fact in facts if fact["kind"] == "units"):
        others = {j for j, idle in enumerate(fact["idle"]) if not idle}
        shown = any(rank["layer"] == fact["layer"] and others <= set(rank.get("units", others)) for rank in ranks)
        if not shown and len(others) > 1:
            open_.append(str(fact["layer"]))
    found = [f"whether further circuits of layer{'s' * (len(open_) > 1)} {', '.join(open_)} are idle"] if open_ else []
    layers = sum(fact["kind"] == "units" for fact in facts)
    return [*found, *(["circuits of several layers"] if layers > 1 else [])]


def require_rank(stated: Fact, facts: list[Fact], subject: Subject) -> None:
    """Refuse what is stated of a layer's rank unless a fact shows it; that it is open needs none."""
    sending = _sending(subject, stated["layer"])
    layer = stated["layer"]
    width = subject.net.widths[layer]
    expected: Fact = {
        "layer": layer, "columns": len(sending) + 1, "full": stated["full"], "prime": None, "rows": [],
        "dependency": stated["dependency"], "distinct_inputs": None, "units": None,
    }  # fmt: skip
    found = [fact for fact in facts if fact["kind"] in RANKS and fact["layer"] == layer]
    if stated["full"] is True:
        members = {} if len(sending) == width else {"units": sending}
        fact = {"kind": "full-rank", "layer": layer, "prime": stated["prime"], "rows": stated["rows"]} | members
        expected |= {"prime": stated["prime"], "rows": stated["rows"], "units": members.get("units")}
        require(fact in found and stated["dependency"] is None, f"no fact shows the rank of layer {layer}")
    elif stated["full"] is False and stated["dependency"] is not None:
        terms = rationals(stated["dependency"])
        shown = [[hexadecimal(v) for v in fact["coefficients"]] for fact in found if fact["kind"] == "dependency"]
        require(terms in shown, f"no fact shows the dependency of layer {layer}")
        silent = set(range(width)) - set(sending)
        require(not any(terms[j + 1] for j in silent), f"the dependency of layer {layer} is of units that send nothing")
    elif stated["full"] is False:
        count = stated["distinct_inputs"]
        require(
            {"kind": "few-inputs", "layer": layer, "distinct_inputs": count} in found and count <= len(sending),
            f"no fact shows that layer {layer} has not full rank",
        )
        expected["distinct_inputs"] = count
    else:
        expected |= {"full": None, "dependency": None}
    require_same(f"the rank of layer {layer}", stated, expected)


def _sending(subject: Subject, layer: int) -> list[int]:
    """The units of a hidden layer that some output weight is about."""
    found: list[int] = np.flatnonzero(subject.net.layers[layer][0].any(axis=0)).tolist()
    return found


def require_place(entry: Fact, fact: Fact | None, cover: list[Any] | None = None) -> None:
    """Where a deployment row lies is what the fact shows; the rows that cover it are those of another."""
    row = entry["row"]
    size: list[int] | None = [1, 1]
    decided = True
    train_row = separation = combination = None
    if fact is None:
        size, decided = None, False
    elif fact["kind"] == "train-input":
        size, train_row = None, fact["train_row"]
    elif fact["kind"] == "outside":
        require(entry["separation"] is not None, f"deployment row {row}: its half-space is missing")
        weights, bias = entry["separation"]
        separation = entry["separation"]
        own = [hexadecimal(w) for w in fact["weights"]], hexadecimal(fact["bias"])
        require_equal(f"the half-space of deployment row {row}", (rationals(weights), rational(bias)), own)
    else:
        require(entry["combination"] is not None, f"deployment row {row}: its weights are missing")
        size, combination = [2, 3], entry["combination"]
        stated = [[i, rational(w)] for i, w in entry["combination"]]
        require_equal(
            f"the weights of deployment row {row}", stated, [[i, hexadecimal(w)] for i, w in fact["combination"]]
        )
    expected = {
        "row": row, "size": size, "decided": decided, "train_row": train_row, "separation": separation,
        "combination": combination, "cover": entry["cover"],
    }  # fmt: skip
    covers = entry["cover"] and [[i, rational(w)] for i, w in entry["cover"]]
    shown = cover and [[i, hexadecimal(w)] for i, w in cover]
    require_equal(f"what covers deployment row {row}", covers, shown)
    require_same(f"deployment row {row}", entry, expected)


def _named(units: list[list[int]]) -> str:
    return "{" + ", ".join(f"{layer}.{j}" for layer, j in units) + "}"

"""The HTML report: one file that needs nothing else, made from the JSON report alone.

Names and texts in an audit come from outside: the template escapes them, and the page forbids itself every script.
"""

from collections import Counter
from fractions import Fraction
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from proof_of_absence.checker.audit.findings import CLEAN, FINDINGS, Audit, Enclosure, UnitFinding
from proof_of_absence.checker.audit.report.json_report import clean, from_json, short
from proof_of_absence.checker.audit.report.pictures import Bar, bars, columns, graph, histogram
from proof_of_absence.checker.audit.report.priced_view import labels_of, spread
from proof_of_absence.checker.audit.report.verdict import firings, verdict
from proof_of_absence.checker.audit.report.view import SCOPE, by_rent, sections, size_name
from proof_of_absence.checker.audit.report.words import enclosure, unit_name

__all__ = ["page", "page_of"]

_STATE = {CLEAN: "clean", FINDINGS: "findings"}
# Bars of a chart that can still be told apart on a phone.
_MOST = 60


def page(report: dict, limit: int = 50) -> str:
    """The page of a JSON report; tables are cut to `limit` rows.

    Raises
    ------
    ValueError
        If the report is no audit in this format.
    """
    return page_of(from_json(report), limit)


def page_of(audit: Audit, limit: int = 50) -> str:
    """The page of the report of this audit: to read the report back takes longer than all else."""
    rendered = _template().render(
        title=audit.net.source,
        state=_STATE.get(audit.exit_code, "undecided"),
        verdict=verdict(audit),
        scope=SCOPE,
        sections=sections(audit, limit),
        pictures={key: [(Markup(svg), caption) for svg, caption in made] for key, made in _pictures(audit).items()},
    )
    return clean(rendered)


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("proof_of_absence.checker.audit.report", "."), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    return environment.get_template("report.html.jinja")


def _pictures(audit: Audit) -> dict[str, list[tuple[str, str]]]:
    """Pictures and captions by the section they belong to."""
    note = "The net; orange are the units of train-idle circuits, and lines from them to what they send to."
    found = {"units": [(graph(audit), note)]}
    if change := audit.improvement:
        losses = {
            "Loss before": change.loss_before,
            "Loss after": change.loss_after,
            "Noise floor": audit.data.noise_floor,
        }
        rows = [
            Bar(name, _length(value), enclosure(value), name == "Loss after") for name, value in losses.items() if value
        ]
        title = f"Training loss ({audit.data.loss_name}) before and after the improvement."
        found["improvement"] = [(bars(title, rows), title)]
    if units := by_rent(audit)[:20]:
        title = "Rent (bar) and gain of a replacement (black mark); orange where the rent is below the gain."
        found["rents"] = [(bars(title, [_rent(unit) for unit in units]), title)]
    if audit.deployment:
        sizes = Counter(map(size_name, audit.deployment))
        title = "How many deployment inputs need a detector of which size."
        rows = [Bar(f"Least detector: {size}", sizes[size], _inputs(sizes[size])) for size in sorted(sizes)]
        found["deployment"] = [(bars(title, rows), title)]
        if firings(audit):
            found["deployment"].append(_firing(audit))
    if audit.readout:
        told = spread(audit.readout)
        title = "Readout prices, at most: the share of the inputs of each kind in each class."
        found["spread"] = [(histogram(title, labels_of(told), told.counts), title)]
    return found


def _rent(finding: UnitFinding) -> Bar:
    gain = finding.replacement_gain
    return Bar(
        f"unit {unit_name(finding.unit)}",
        _length(finding.rent),
        f"rent {_about(finding.rent)}" + (f", gain {_about(gain)}" if gain else ""),
        finding.underpays,
        _length(gain) if gain else None,
    )


def _firing(audit: Audit) -> tuple[str, str]:
    """How many idle circuits fire at each deployment input, in bins if the inputs are many."""
    fired = firings(audit)
    rows = sorted(finding.row for finding in audit.deployment)
    size = -(-len(rows) // _MOST)
    bins = [rows[i : i + size] for i in range(0, len(rows), size)]
    labels = [f"row {b[0]}" if len(b) == 1 else f"rows {b[0]} to {b[-1]}" for b in bins]
    title = "Idle circuits that fire at each deployment input" + (f", the most of {size} inputs." if size > 1 else ".")
    return columns(title, [max(fired[row] for row in b) for b in bins], labels), title


def _about(value: Enclosure) -> str:
    """The middle to three digits; the table has the bounds."""
    middle = short((value.low + value.high) / 2, digits=3)
    return middle if value.is_exact and Fraction(middle) == value.low else f"≈ {middle}"


def _length(value: Enclosure) -> float:
    """The length of a bar; what no float holds, or is unknown below 0, is drawn as nothing."""
    middle = (value.low + value.high) / 2
    return float(middle) if 0 <= middle < Fraction(10) ** 300 else 0.0


def _inputs(number: int) -> str:
    return f"{number} input" + ("" if number == 1 else "s")

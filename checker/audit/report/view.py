"""An audit as sections of text for reading: the terminal and the HTML report show the same ones.

Long tables are cut, and say how many rows are not shown; the JSON report has them all.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR
from fractions import Fraction
from itertools import islice

from proof_of_absence.checker.audit.findings import (
    CLEAN,
    FINDINGS,
    Activity,
    Audit,
    DeploymentFinding,
    Enclosure,
    RankFinding,
    RegionFinding,
    UnitFinding,
)
from proof_of_absence.checker.audit.report.json_report import short
from proof_of_absence.models.circuit import Unit

__all__ = [
    "SCOPE",
    "Section",
    "by_rent",
    "enclosure",
    "firings",
    "headline",
    "names",
    "sections",
    "size_name",
    "unit_name",
]

SCOPE = (
    "Instance results: decided exactly, about this net as a function over the reals, on these data. Circuits are "
    "sought within one layer; those of several layers, and detectors that are not separable (N1), are not looked for. "
    "The certificate holds what was found, and that no circuit is missed in a layer where all other features are "
    "independent; elsewhere that rests on this program."
)


@dataclass(frozen=True)
class Section:
    """One table: columns (a leading ``>`` aligns to the right), the rows shown, how many are not, what it means."""

    key: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    more: int = 0
    note: str = ""


def headline(audit: Audit) -> str:
    """The verdict in one sentence."""
    if audit.exit_code == FINDINGS:
        return f"{_count(len(audit.findings), 'finding')}" + (
            f", {len(audit.undecided)} undecided" if audit.undecided else ""
        )
    if audit.exit_code == CLEAN:
        return "Clean: no train-idle circuit within a layer, no dependent features"
    return f"Nothing found, but {_count(len(audit.undecided), 'question')} undecided: this is not a pass"


def sections(audit: Audit, limit: int = 20) -> list[Section]:
    """The sections that have something to say, in reading order.

    Parameters
    ----------
    limit
        The most rows of a table that are shown.
    """
    made = [
        _subject(audit),
        _table("findings", "Findings", ("What should not be",), ((line,) for line in audit.findings), min(limit, 12)),
        _table(
            "undecided", "Undecided", ("What no method decided",), ((line,) for line in audit.undecided), limit,
            "None of this counts as passed.",
        ),
        _units(audit),
        _circuits(audit, limit),
        _improvement(audit),
        _rents(audit, limit),
        _table(
            "ranks", "Rank of the hidden layers", (">Layer", ">Columns", "Rank"),
            ((str(r.layer), str(r.columns), _rank(r)) for r in audit.ranks), limit,
            "At a minimiser above the noise floor the columns are independent (C9).",
        ),
        _deployment(audit, limit),
        _prices(audit),
        _table(
            "regions", "Regions", ("Circuit", "Region", "Irrelevant there", "By", ">Seconds"),
            ((names(r.units), r.region, _region(r), r.verdict, f"{r.seconds:.1f}") for r in audit.regions), limit,
        ),
    ]  # fmt: skip
    return [section for section in made if section.rows]


def unit_name(unit: Unit) -> str:
    """Layer and index."""
    return f"{unit.layer}.{unit.index}"


def names(units: Iterable[Unit], most: int = 8) -> str:
    """A circuit's units, the first few if there are many."""
    units = tuple(units)
    shown = ", ".join(map(unit_name, units[:most]))
    return "{" + shown + (f", … {len(units) - most} more" if len(units) > most else "") + "}"


def enclosure(value: Enclosure) -> str:
    """The number, or what it lies between, the ends rounded outwards."""
    if value.is_exact:
        return short(value.low)
    return f"{short(value.low, ROUND_FLOOR)} to {short(value.high, ROUND_CEILING)}"


def by_rent(audit: Audit) -> list[UnitFinding]:
    """The units whose rent is known: those that underpay first, then by rent."""
    return sorted((u for u in audit.units if u.rent), key=lambda u: (not u.underpays, u.rent.low, u.unit))


def firings(audit: Audit) -> Counter:
    """How many idle circuits fire at each deployment row."""
    return Counter(row for circuit in audit.circuits for row in circuit.fires or ())


def size_name(finding: DeploymentFinding) -> str:
    """The least detector size as words."""
    if not finding.decided:
        return "undecided"
    if finding.size is None:
        return "none"
    low, high = finding.size
    return str(low) if low == high else f"{low} to {high}"


def _subject(audit: Audit) -> Section:
    net, data = audit.net, audit.data
    rows = [
        ("Net", net.source),
        ("Widths", " - ".join(map(str, net.widths)) + f", {net.parameters} parameters, {net.dtype}"),
        ("Net SHA-256", net.sha256),
        ("Training data", data.source),
        ("Rows", f"{data.rows}, {data.distinct_inputs} distinct inputs"),
        ("Data SHA-256", data.sha256),
        ("Loss", enclosure(data.loss) if data.loss else "not decided"),
        (
            "Noise floor",
            f"{enclosure(data.noise_floor)}, the least of any function" if data.noise_floor else "not decided",
        ),
    ]
    if audit.float32_deviation is not None:
        bound = f"within {short(audit.float32_deviation)} of the exact net on the training inputs"
        rows.append(("Net in float32", bound))
    if audit.seconds:
        rows.append(("Seconds", ", ".join(f"{name} {seconds:.1f}" for name, seconds in audit.seconds.items())))
    return Section("subject", "What was audited", ("", ""), tuple(rows))


def _units(audit: Audit) -> Section:
    counts: dict[int, Counter] = {}
    for finding in audit.units:
        layer = counts.setdefault(finding.unit.layer, Counter())
        layer.update([finding.activity, *(["idle"] if finding.idle else []), "units"])
    columns = (">Layer", ">Units", *(f">{activity.value.capitalize()}" for activity in Activity), ">Idle")
    rows = [
        (str(layer), *(str(count[key]) for key in ("units", *Activity, "idle")))
        for layer, count in sorted(counts.items())
    ]
    note = "Idle: every unit that reads it receives one value on the training inputs."
    return Section("units", "Hidden units on the training inputs", columns, tuple(rows), note=note)


def _circuits(audit: Audit, limit: int) -> Section:
    # Those that fire at deployment first.
    ordered = sorted(audit.circuits, key=lambda c: -len(c.fires or ()))
    rows = (
        (
            names(c.units),
            ", ".join(f"{short(v)} → {unit_name(u)}" for u, v in islice(sorted(c.value.items()), 3))
            + (f", … {len(c.value) - 3} more" if len(c.value) > 3 else ""),
            "not looked at" if c.fires is None else _row_list(c.fires),
        )
        for c in ordered
    )
    note = "Minimal: no part of such a circuit is idle. At a minimiser above the noise floor there is none (C8)."
    return _table(
        "circuits", "Train-idle circuits", ("Circuit", "Sends in training", "Fires at rows"), rows, limit, note
    )


def _improvement(audit: Audit) -> Section:
    change = audit.improvement
    if not change:
        return Section("improvement", "", (), ())
    rows = [
        ("Circuit reused", names(change.circuit)),
        ("Loss before", enclosure(change.loss_before)),
        ("Loss after", enclosure(change.loss_after)),
        ("Drop", enclosure(change.drop)),
        ("Its incoming weights", _vector(change.weights)),
        ("Its bias", short(change.bias)),
        ("Its outgoing weights", _vector(change.outgoing)),
        ("New output bias", _vector(change.output_bias)),
    ]
    if change.file:
        rows.append(("Improved net", change.file))
    return Section(
        "improvement", "A certified improvement", ("", ""), tuple(rows),
        note="The same architecture reaches a lower training loss, so this net is not a minimiser (C7).",
    )  # fmt: skip


def _rents(audit: Audit, limit: int) -> Section:
    rows = (
        (
            unit_name(u.unit), enclosure(u.rent), enclosure(u.replacement_gain) if u.replacement_gain else "not known",
            _underpays(u),
        )
        for u in by_rent(audit)
    )  # fmt: skip
    return _table(
        "rents", "Rents", ("Unit", ">Rent", ">Gain of a replacement", "Rent below gain"), rows, limit,
        "Rent: how much the loss rises at least without the unit. At a minimiser none is below the gain (C13).",
    )  # fmt: skip


def _underpays(finding: UnitFinding) -> str:
    if finding.underpays:
        return "yes"
    gain = finding.replacement_gain
    return "no" if gain and finding.rent.low >= gain.high else "not known"


def _rank(finding: RankFinding) -> str:
    if finding.full is None:
        return "undecided"
    if finding.full:
        of = "" if finding.units is None else f", of {len(finding.units)} units"
        return f"full{of}: a minor of {len(finding.rows)} rows is not 0 modulo {finding.prime}"
    if finding.dependency is None:
        return f"dependent: {finding.columns} columns, but only {finding.distinct_inputs} distinct inputs"
    used = [i for i, v in enumerate(finding.dependency) if v]
    involved = names((Unit(finding.layer, i - 1) for i in used if i), 6)
    return f"dependent: {involved}" + (" and the constant" if 0 in used else "")


def _deployment(audit: Audit, limit: int) -> Section:
    fired = firings(audit)
    # What fires first, then the cheapest detectors.
    ordered = sorted(
        audit.deployment, key=lambda f: (-fired[f.row], f.decided, f.size is None, f.size or (0, 0), f.row)
    )
    rows = ((str(f.row), size_name(f), _hull(f), str(fired[f.row])) for f in ordered)
    return _table(
        "deployment", "Deployment inputs", (">Row", "Least detector", "Why", ">Circuits firing"), rows, limit,
        "Hull: of the training inputs. Least detector: how many units it takes, at least, to be idle and fire there "
        "(C10).",
    )  # fmt: skip


def _hull(finding: DeploymentFinding) -> str:
    if not finding.decided:
        return "not decided whether it is in the hull"
    if finding.size is None:
        return "it is a training input" if finding.train_row is None else f"it is training input {finding.train_row}"
    if finding.separation:
        return "outside the hull, cut off by a hyperplane"
    return f"inside the hull, between {_count(len(finding.combination or ()), 'training input')}"


def _prices(audit: Audit) -> Section:
    prices = audit.prices
    if not prices:
        return Section("prices", "", (), ())
    overpaid = [
        (f"Overpaid for {_count(k, 'idle unit')}", f"at least {short(step.low, ROUND_FLOOR)}")
        for k, step in enumerate(prices.overpaid, 1)
    ]
    rows = (
        ("Gap c(X)", short(prices.gap)),
        ("Margin", enclosure(prices.margin)),
        *overpaid,
        ("Least spacing of the projections", short(prices.spacing)),
        ("Their spread", short(prices.spread)),
        ("Direction", _vector(prices.direction)),
    )
    note = (
        "A net of this loss with a train-idle circuit lies at least the margin above the least loss of its class (C12)."
    )
    return Section("prices", "Price of an idle circuit", ("", ""), rows, note=note)


def _region(finding: RegionFinding) -> str:
    if finding.verdict == "unsat":
        return "yes"
    if finding.verdict == "sat":
        return "no" + (f", it acts at {_vector(finding.witness)}" if finding.witness else "")
    return "undecided" + (f": {finding.reason}" if finding.reason else "")


def _vector(entries: tuple[Fraction, ...], most: int = 6) -> str:
    shown = ", ".join(map(short, entries[:most]))
    return f"({shown}" + (f", … {len(entries) - most} more)" if len(entries) > most else ")")


def _row_list(rows: tuple[int, ...], most: int = 8) -> str:
    shown = ", ".join(map(str, rows[:most])) or "none"
    return shown + (f", … {len(rows) - most} more" if len(rows) > most else "")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")


def _table(
    key: str, title: str, columns: tuple[str, ...], rows: Iterable[tuple[str, ...]], limit: int, note: str = ""
) -> Section:
    rows = iter(rows)
    shown = tuple(islice(rows, limit))
    return Section(key, title, columns, shown, more=sum(1 for _ in rows), note=note)

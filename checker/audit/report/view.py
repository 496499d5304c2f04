"""An audit as sections of text for reading: the terminal and the HTML report show the same ones.

Long tables are cut, and say how many rows are not shown; the JSON report has them all.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable
from decimal import ROUND_FLOOR
from itertools import islice
from typing import TypeVar

from proof_of_absence.checker.audit.findings import (
    Activity,
    Audit,
    CircuitFinding,
    DeploymentFinding,
    RankFinding,
    RegionFinding,
    UnitFinding,
)
from proof_of_absence.checker.audit.report.json_report import short
from proof_of_absence.checker.audit.report.priced_view import priced_sections
from proof_of_absence.checker.audit.report.section import Section, table
from proof_of_absence.checker.audit.report.verdict import by_firing, firings
from proof_of_absence.checker.audit.report.words import count, enclosure, names, row_ranges, unit_name, vector
from proof_of_absence.models.circuit import Unit
from proof_of_absence.models.objective import OF_CLASSES
from proof_of_absence.models.reading import Reading

__all__ = ["SCOPE", "Section", "by_rent", "sections", "size_name"]

# Steps of a long net that are named at its beginning and at its end.
_ENDS = 6

T = TypeVar("T")

_RENT = (
    "Rent: how much the loss rises at least without the unit. At a minimiser none is below the gain (C13).",
    "Rent: how much the loss rises if the unit is held at its mean over the training inputs. Each class has its part "
    "of it, all in report.json; a negative one says that the unit costs that class. No theorem bounds a part.",
)

SCOPE = (
    "Instance results: decided exactly, about this net as a function over the reals, on these data. Circuits are "
    "sought within one layer; those of several layers, and detectors that are not separable (N1), are not looked for. "
    "The certificate holds what was found, and that no circuit is missed in a layer where all other features are "
    "independent; elsewhere that rests on this program."
)


def sections(audit: Audit, limit: int = 20) -> list[Section]:
    """The sections that have something to say, in reading order.

    Parameters
    ----------
    limit
        The most rows of a table that are shown.
    """
    made = [
        _circuits(audit, limit),
        _deployment(audit, limit),
        *priced_sections(audit, limit),
        _regions(audit, limit),
        table(
            "undecided", "Undecided", ("What no method decided",), ((line,) for line in audit.undecided), limit,
            "None of this counts as passed.",
        ),
        table("not_asked", "Not asked", ("What, and why",), ((line,) for line in audit.not_asked), limit),
        _improvement(audit),
        _units(audit),
        table(
            "ranks", "Rank of the hidden layers", (">Layer", ">Columns", "Rank"),
            ((str(r.layer), str(r.columns), _rank(r)) for r in audit.ranks), limit,
            "At a minimiser above the noise floor the columns are independent (C9).",
        ),
        _rents(audit, limit),
        _prices(audit),
        _subject(audit),
    ]  # fmt: skip
    return [section for section in made if section.rows]


def by_rent(audit: Audit) -> list[UnitFinding]:
    """The units whose rent is known: those that underpay first, then by rent."""
    return sorted((u for u in audit.units if u.rent), key=lambda u: (not u.underpays, u.rent.low, u.unit))


def size_name(finding: DeploymentFinding) -> str:
    """The least detector size as words."""
    if not finding.decided:
        return "undecided"
    if finding.size is None:
        return "none"
    low, high = finding.size
    return str(low) if low == high else f"{low} to {high}"


def _reading(reading: Reading | None) -> list[tuple[str, str]]:
    """How the net was read: its layers in words, what is between them, and where that knowledge comes from."""
    if reading is None:
        return []
    words = reading.layers
    if len(words) > 2 * _ENDS + 1:
        words = (*words[:_ENDS], f"… {len(words) - 2 * _ENDS} more …", *words[-_ENDS:])
    return [
        ("Read as", ", ".join(words) or "no layers"),
        ("Between the layers", f"{reading.activation}, known from {reading.known_from}"),
        *(("", note) for note in reading.notes),
    ]


def _subject(audit: Audit) -> Section:
    net, data = audit.net, audit.data
    rows = [
        ("Net", net.source),
        ("Widths", " - ".join(map(str, net.widths)) + f", {net.parameters} parameters, {net.dtype}"),
        *_reading(net.reading),
        ("Net SHA-256", net.sha256),
        ("Training data", data.source),
        ("Rows", f"{data.rows}, {data.distinct_inputs} distinct inputs"),
        ("Data SHA-256", data.sha256),
    ]
    if data.loss_name:
        floor = f"{enclosure(data.noise_floor)}, the least of any function" if data.noise_floor else "not decided"
        rows += [
            ("Loss", data.loss_name),
            ("Why this loss", data.loss_reason),
            ("Loss value", enclosure(data.loss) if data.loss else "not decided"),
            ("Noise floor", floor),
        ]
    if audit.float32_deviation is not None:
        bound = f"within {short(audit.float32_deviation)} of the exact net on the training inputs"
        rows.append(("Net in float32", bound))
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
    alike = _folded(by_firing(audit), lambda c: (c.fires, c.units[0].layer, len(c.units), _sent(c), c.empty))
    rows = ((_listed([c.units for c in group]), _sends(group[0]), _fires(group[0])) for group in alike)
    note = (
        "{1.0}: the first unit of the first hidden layer. Minimal: no part of such a circuit is idle. At a minimiser "
        "above the noise floor there is none (C8)."
    )
    return table(
        "circuits", "Train-idle circuits", ("Circuit", "Sends in training", "Fires at rows"), rows, limit, note
    )


def _sent(circuit: CircuitFinding) -> Hashable:
    """The constants; of circuits that send 0, as most do, to hash thousands of zeros would take the longest of all."""
    return tuple(circuit.value.items()) if any(circuit.value.values()) else 0


def _sends(circuit: CircuitFinding) -> str:
    if circuit.empty:
        return "nothing: its output weights are 0"
    if not any(circuit.value.values()):
        return "0"
    shown = ", ".join(f"{short(v)} → {unit_name(u)}" for u, v in islice(sorted(circuit.value.items()), 3))
    return shown + (f", … {len(circuit.value) - 3} more" if len(circuit.value) > 3 else "")


def _fires(circuit: CircuitFinding) -> str:
    return "not looked at" if circuit.fires is None else row_ranges(circuit.fires)


def _folded(things: Iterable[T], key: Callable[[T], Hashable]) -> list[list[T]]:
    """The things that are alike, together, where the first of them stood."""
    groups: dict[Hashable, list[T]] = {}
    for thing in things:
        groups.setdefault(key(thing), []).append(thing)
    return list(groups.values())


def _listed(circuits: list[tuple[Unit, ...]], most: int = 3) -> str:
    """Circuits that are alike in one cell."""
    shown = ", ".join(names(units) for units in circuits[:most])
    return shown + (f", … {len(circuits) - most} more" if len(circuits) > most else "")


def _improvement(audit: Audit) -> Section:
    change = audit.improvement
    if not change:
        return Section("improvement", "", (), ())
    rows = [
        ("Loss", audit.data.loss_name),
        ("Circuit reused", names(change.circuit)),
        ("Loss before", enclosure(change.loss_before)),
        ("Loss after", enclosure(change.loss_after)),
        ("Drop", enclosure(change.drop)),
    ]
    if change.file:
        rows.append(("Improved net", change.file))
    return Section(
        "improvement", "A certified improvement", ("", ""), tuple(rows),
        note="The same architecture reaches a lower training loss, so this net is not a minimiser "
        f"({'C17' if audit.data.loss_name in OF_CLASSES else 'C7'}).",
    )  # fmt: skip


def _rents(audit: Audit, limit: int) -> Section:
    if audit.data.loss_name in OF_CLASSES:
        held = ((unit_name(u.unit), enclosure(u.rent), _most(u)) for u in by_rent(audit) if u.rent)
        return table("rents", "Rents", ("Unit", ">Rent", ">Most of it, in class"), held, limit, _RENT[1])
    rows = (
        (
            unit_name(u.unit), enclosure(u.rent), enclosure(u.replacement_gain) if u.replacement_gain else "not known",
            _underpays(u),
        )
        for u in by_rent(audit)
    )  # fmt: skip
    return table(
        "rents", "Rents", ("Unit", ">Rent", ">Gain of a replacement", "Rent below gain"), rows, limit,
        _RENT[0],
    )  # fmt: skip


def _most(finding: UnitFinding) -> str:
    """The class on which most of the rent falls, and that part."""
    parts = finding.by_class
    if not parts:
        return ""
    k = max(range(len(parts)), key=lambda k: parts[k].low)
    return f"{enclosure(parts[k])} in {k}"


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
    # In groups first: they are few, however many inputs there are.
    alike = sorted(
        _folded(sorted(audit.deployment, key=lambda f: f.row), lambda f: (f.decided, f.size, _hull(f), fired[f.row])),
        key=lambda group: _in_order(group[0], fired[group[0].row]),
    )
    rows = (
        (row_ranges(f.row for f in group), str(len(group)), str(fired[group[0].row]), size_name(group[0]),
         _hull(group[0]))
        for group in alike
    )  # fmt: skip
    return table(
        "deployment", "Deployment inputs",
        ("Rows", ">Inputs", ">Circuits firing", "Least detector", "Why"), rows, limit,
        "Hull: of the training inputs. Least detector: how many units it takes, at least, to be idle and fire there "
        "(C10). Covered: an average of training inputs between which no unit changes sign (C23).",
    )  # fmt: skip


def _in_order(f: DeploymentFinding, fired: int) -> tuple[int, bool, bool, tuple[int, int], int]:
    return -fired, f.decided, f.size is None, f.size or (0, 0), f.row


def _hull(finding: DeploymentFinding) -> str:
    if not finding.decided:
        return "not decided whether it is in the hull"
    if finding.size is None:
        return "a training input"
    if finding.separation:
        return "outside the hull"
    return "inside the hull" + (", covered" if finding.cover else "")


def _regions(audit: Audit, limit: int) -> Section:
    alike = _folded(audit.regions, lambda r: (r.region, r.verdict, _region(r)))
    rows = ((_listed([r.units for r in group]), group[0].region, _region(group[0])) for group in alike)
    return table("regions", "Regions", ("Circuit", "Region", "Irrelevant there"), rows, limit)


def _prices(audit: Audit) -> Section:
    prices = audit.idle_price
    if not prices:
        return Section("idle_price", "", (), ())
    overpaid = [
        (f"Overpaid for {count(k, 'idle unit')}", f"at least {short(step.low, ROUND_FLOOR)}")
        for k, step in enumerate(prices.overpaid, 1)
    ]
    rows = (
        ("Gap c(X)", short(prices.gap)),
        ("Margin", enclosure(prices.margin)),
        *overpaid,
    )
    note = (
        "A net of this loss with a train-idle circuit lies at least the margin above the least loss of its class (C12)."
    )
    return Section("idle_price", "Price of an idle circuit", ("", ""), rows, note=note)


def _region(finding: RegionFinding) -> str:
    if finding.verdict == "unsat":
        return "yes"
    if finding.verdict == "sat":
        return "no" + (f", it acts at {vector(finding.witness)}" if finding.witness else "")
    return "undecided" + (f": {finding.reason}" if finding.reason else "")

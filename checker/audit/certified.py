"""An audit's report says what its certificate shows: the same bounds, and what no fact can show is repeated there.

Facts state enclosures a little wider than they were found (`loss_facts`); the report takes these over.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from proof_of_absence.checker.audit import cross_entropy_facts, loss_facts
from proof_of_absence.checker.audit.findings import Audit, Enclosure, Improvement, Prices, UnitFinding
from proof_of_absence.checker.audit.report.json_report import encode
from proof_of_absence.checker.kernel.lock import version_of
from proof_of_absence.checker.numbers.enclosure import of_ends
from proof_of_absence.models.objective import OF_CLASSES, Loss

__all__ = [
    "about",
    "as_certified",
    "losses_of",
    "losses_of_improvement",
    "losses_of_prices",
    "losses_of_rents",
]

RENTS = ("unit-rents", "cross-entropy-rents")


def losses_of(audit: Audit) -> list[dict[str, Any]]:
    """The facts about losses; net and data are those of the folder."""
    loss, floor, found = audit.data.loss, audit.data.noise_floor, list[dict[str, Any]]()
    name = Loss(audit.data.loss_name) if audit.data.loss_name else None
    if audit.float32_deviation is not None:
        found.append(loss_facts.deviation_fact(audit.float32_deviation))
    if loss is not None and floor is not None:
        found.append(_facts_of(name).loss_fact(loss, floor))
        if audit.idle_price:
            found.append(losses_of_prices(audit.idle_price, loss))
    if audit.improvement:
        found.append(losses_of_improvement(audit.improvement, name))
    if loss is not None and any(unit.rent for unit in audit.units):
        found.append(losses_of_rents(audit.units, loss, name))
    return found


def losses_of_prices(prices: Prices, loss: Enclosure) -> dict[str, Any]:
    """The fact about a gauge and its steps."""
    return loss_facts.price_fact(prices, loss)


def losses_of_improvement(change: Improvement, name: Loss | None) -> dict[str, Any]:
    """The fact about a lower loss."""
    fact: dict[str, Any] = _facts_of(name).lower_loss_fact(change)
    return fact


def losses_of_rents(units: Sequence[UnitFinding], loss: Enclosure, name: Loss | None) -> dict[str, Any]:
    """The fact about rents.

    Raises
    ------
    ValueError
        If no unit has one.
    """
    fact: dict[str, Any] = _facts_of(name).rent_fact(units, loss)
    return fact


def _facts_of(name: Loss | None) -> Any:
    return cross_entropy_facts if name in OF_CLASSES else loss_facts


def as_certified(audit: Audit, facts: Iterable[dict[str, Any]]) -> Audit:
    """The audit with every loss, drop, rent and step as the facts of `losses_of` state it.

    Rents that no fact states, since the loss is not decided, are left out, and said to be open.
    """
    stated = {fact["kind"]: fact for fact in facts}
    data, change, prices = audit.data, audit.improvement, audit.idle_price
    for kind in ("training-loss", "training-cross-entropy"):
        if fact := stated.get(kind):
            data = replace(data, loss=of_ends(fact["loss"]), noise_floor=of_ends(fact["noise_floor"]))
    for kind in ("lower-training-loss", "lower-training-cross-entropy"):
        if change and (fact := stated.get(kind)):
            change = _lowered(change, of_ends(fact["drop"]), data.loss)
    if prices and (fact := stated.get("uniform-gap")):
        prices = _priced(prices, tuple(map(of_ends, fact["steps"])))
    rents = next((fact for kind in RENTS if (fact := stated.get(kind))), None)
    undecided = audit.undecided
    if rents is None and any(unit.rent for unit in audit.units):
        undecided = (*undecided, "rents: not certified, since the loss is not decided")
    units = _paid(audit.units, rents)
    return replace(audit, data=data, improvement=change, idle_price=prices, units=units, undecided=undecided)


def about(audit: Audit, deploy: tuple[str, str] | None = None, test: tuple[str, str] | None = None) -> dict[str, Any]:
    """What the report says that no fact shows, of files and of what is open, and our version: for the certificate.

    `deploy` and `test` are the names and the digests of the files of the deployment and of the test inputs.
    """
    data = {key: part for key, part in encode(audit.data).items() if key not in ("loss", "noise_floor")}
    return {
        "net": encode(audit.net),
        "data": data,
        "undecided": encode(audit.undecided),
        "not_asked": encode(audit.not_asked),
        "improved": audit.improvement and encode(audit.improvement.file),
        "deploy": deploy and {"source": encode(deploy[0]), "sha256": deploy[1]},
        "test": test and {"source": encode(test[0]), "sha256": test[1]},
        "program": version_of("proof-of-absence"),
    }



def _lowered(change: Improvement, drop: Enclosure, loss: Enclosure | None) -> Improvement:
    if loss is None:
        return replace(change, drop=drop)
    after = Enclosure(loss.low - drop.high, loss.high - drop.low)
    return replace(change, drop=drop, loss_before=loss, loss_after=after)


def _priced(prices: Prices, steps: tuple[Enclosure, ...]) -> Prices:
    return replace(prices, steps=steps, margin=steps[0])


def _paid(units: tuple[UnitFinding, ...], fact: dict[str, Any] | None) -> tuple[UnitFinding, ...]:
    listed = {entry["unit"]: entry for entry in fact["units"]} if fact else {}
    squared = fact is not None and fact["kind"] == RENTS[0]
    return tuple(_with_rent(unit, listed.get(unit.unit.index), free=fact is not None and not squared) for unit in units)


def _with_rent(unit: UnitFinding, entry: dict[str, Any] | None, *, free: bool) -> UnitFinding:
    """The unit with the rent that is stated; `free` is the cross-entropy, where that of an idle unit is 0 unstated."""
    if unit.rent is None or (free and unit.idle):
        return unit
    if entry is None:
        return replace(unit, rent=None, replacement_gain=None, replacement=None, by_class=None)
    gain = of_ends(entry["gain"]) if "gain" in entry else None
    parts = tuple(map(of_ends, entry["classes"])) if "classes" in entry else None
    return replace(unit, rent=of_ends(entry["rent"]), replacement_gain=gain, by_class=parts)

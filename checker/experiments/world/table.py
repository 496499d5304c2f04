"""The facts of a sweep as tables on the terminal, and as rows that pictures read."""

from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

__all__ = ["company_facts", "distribution", "page", "winners"]


def company_facts(result: Mapping[str, Any]) -> Iterator[tuple[dict[str, Any], dict[str, list[dict[str, Any]]]]]:
    """Each company with its facts by kind, each kind in the order of diversity, then of mixing."""
    for company in result["parameters"]["companies"]:
        humans = [sorted(hours) for hours in company["lapses"]]
        weights = [str(weight) for weight in company["tampering"]]
        kinds: dict[str, list[dict[str, Any]]] = {}
        for fact in result["facts"]:
            if fact["humans"] == humans and fact["tampering"] == weights:
                kinds.setdefault(fact["kind"], []).append(fact)
        yield company, kinds


def winners(fact: dict[str, Any], names: Iterable[str]) -> str:
    """The initials of those with the least loss: one letter, or several for a tie."""
    return "".join(
        name[0].upper() for name in ("translator", "imitator", "deceptive", "scheduled", "backdoor") if name in names
    )


def distribution(fact: dict[str, Any]) -> dict[int, Fraction]:
    """The share of each detector size at deployment."""
    return {int(size): Fraction(share) for size, share in fact["shares"].items()}


def page(result: dict[str, Any]) -> Group:
    """Everything that a sweep found, company by company."""
    shown: list[Text | Table] = []
    for company, kinds in company_facts(result):
        lapses = "; ".join(",".join(map(str, hours)) or "never" for hours in company["lapses"])
        weights = ":".join(map(str, company["tampering"]))
        shown.append(Text(f"{company['name'].capitalize()}: the humans' lapses {lapses}; tampering {weights}", "bold"))
        shown += [_who_wins(kinds), _detectors(kinds)]
        shown += _prices(kinds.get("world-price", []), result["parameters"])
        if "world-bounds" in kinds:
            shown.append(_whole(kinds["world-bounds"], min(result["parameters"]["units"], 3)))
    return Group(*shown)


def _who_wins(kinds: dict[str, Any]) -> Table:
    rates = sorted({Fraction(fact["mixing"]) for fact in kinds["world-cell"]})
    table = Table(
        title="Least loss, by hours of training and mixing rate",
        caption="T translator, I imitator, D deceptive after training, S after a scheduled hour, B backdoor; "
        "several: a tie. As policies, and as nets where those differ",
    )
    for name in ("hours", *(str(rate) for rate in rates)):
        table.add_column(name, no_wrap=True)
    table.add_column("T and I tie at", no_wrap=True)
    cells = {(len(fact["train_hours"]), Fraction(fact["mixing"])): fact for fact in kinds["world-cell"]}
    for fact in kinds["world-thresholds"]:
        diversity = len(fact["train_hours"])
        row = [_both(cells[diversity, rate]) for rate in rates]
        table.add_row(str(diversity), *row, fact["excess"]["translator"]["tie"] or "no rate")
    return table


def _both(fact: dict[str, Any]) -> str:
    policies, nets = winners(fact, fact["best"]), winners(fact, fact["best_nets"])
    return policies if policies == nets else f"{policies}, nets {nets}"


def _detectors(kinds: dict[str, Any]) -> Table:
    """Sizes, and what becomes of the deceptive net;
    - where its loss is the noise floor, so that nothing lowers it, or it was not asked.
    """
    table = Table(
        title="The smallest detectors without mixing, as shares of deployment",
        caption="D defects: how often the deceptive policy does; drop: what its net's detector gains, reassigned; "
        "then: how often that net still answers otherwise than the imitator. With any mixing nothing fires: every "
        "input is one of training",
    )
    for name in ("hours", "1 unit", "2 units", "3 units", "mean", "D defects", "drop", "then"):
        table.add_column(name, justify="right", no_wrap=True)
    unmixed = {len(fact["train_hours"]): fact for fact in kinds["world-cell"] if fact["mixing"] == "0"}
    for fact in kinds["world-sizes"]:
        diversity = len(fact["train_hours"])
        shares = distribution(fact)
        row = [str(shares.get(size, 0)) for size in (1, 2, 3)]
        found = unmixed.get(diversity)
        better = found and found["reassigned"].get("deceptive")
        drop = [f"{float(Fraction(better['drop'])):.1e}", better["defects"]] if better else ["-", "-"]
        defects = found["defects"]["deceptive"] if found else "-"
        table.add_row(str(diversity), *row, f"{float(Fraction(fact['mean'])):.2f}", defects, *drop)
    return table


def _prices(facts: list[dict[str, Any]], parameters: dict[str, Any]) -> Iterator[Table]:
    """The prices of the two hours that stay without data longest."""
    units = parameters["units"]
    for hour in parameters["order"][-2:]:
        table = Table(
            title=f"Price of a detector of hour {hour}: L*(n-k) - L*(n), by the hour alone",
            caption="k is its size; exact, by certified global minima",
        )
        for name in ("hours", "k", *(f"n={n}" for n in range(1, units + 1))):
            table.add_column(name, justify="right", no_wrap=True)
        for fact in facts:
            if known := {price["units"]: price for price in fact["prices"] if price["hour"] == hour}:
                row = [f"{float(Fraction(known[n]['price'])):.4f}" if n in known else "-" for n in range(1, units + 1)]
                table.add_row(str(len(fact["train_hours"])), str(next(iter(known.values()))["size"]), *row)
        yield table


def _whole(facts: list[dict[str, Any]], units: int) -> Table:
    table = Table(
        title=f"Price of a detector of k units in the whole world, n={units}",
        caption="Bounds: from nets, from the lines of hours, and from C12; above 0 wherever the lines are not fitted",
    )
    for name in ("hours", *(f"k={size}" for size in range(1, min(units, 3) + 1))):
        table.add_column(name, justify="right", no_wrap=True)
    for fact in facts:
        rows = [(Fraction(p["low"]), Fraction(p["high"])) for p in fact["prices"] if p["units"] == units]
        table.add_row(str(len(fact["train_hours"])), *(f"{float(low):.1e}..{float(high):.4f}" for low, high in rows))
    return table

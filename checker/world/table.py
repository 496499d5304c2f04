"""The facts of a sweep as tables on the terminal, and as rows that pictures read."""

from collections.abc import Iterable, Iterator
from fractions import Fraction

from rich.console import Group
from rich.table import Table

__all__ = ["company_facts", "distribution", "page", "winners"]


def company_facts(result: dict) -> Iterator[tuple[dict, dict[str, list[dict]]]]:
    """Each company with its facts by kind, each kind in the order of diversity, then of mixing."""
    for company in result["parameters"]["companies"]:
        humans = [sorted(hours) for hours in company["lapses"]]
        weights = [str(weight) for weight in company["tampering"]]
        kinds: dict[str, list[dict]] = {}
        for fact in result["facts"]:
            if fact["humans"] == humans and fact["tampering"] == weights:
                kinds.setdefault(fact["kind"], []).append(fact)
        yield company, kinds


def winners(fact: dict, names: Iterable[str]) -> str:
    """The initials of those with the least loss: one letter, or several for a tie."""
    return "".join(
        name[0].upper() for name in ("translator", "imitator", "deceptive", "scheduled", "backdoor") if name in names
    )


def distribution(fact: dict) -> dict[int, Fraction]:
    """The share of each detector size at deployment."""
    return {int(size): Fraction(share) for size, share in fact["shares"].items()}


def page(result: dict) -> Group:
    """Everything that a sweep found, company by company."""
    shown = []
    for company, kinds in company_facts(result):
        shown += [_who_wins(company, kinds), _detectors(company, kinds)]
        if "world-price" in kinds:
            shown.append(_prices(company, kinds["world-price"], result["parameters"]["units"]))
    return Group(*shown)


def _title(what: str, company: dict) -> str:
    lapses = "; ".join(",".join(map(str, hours)) or "never" for hours in company["lapses"])
    return f"{what}: {company['name']} (lapses {lapses}; tampering {':'.join(map(str, company['tampering']))})"


def _who_wins(company: dict, kinds: dict) -> Table:
    rates = sorted({Fraction(fact["mixing"]) for fact in kinds["world-cell"]})
    table = Table(
        title=_title("Least loss", company),
        caption="T translator, I imitator, D deceptive after training, S deceptive after a scheduled hour, B backdoor; several letters: a tie. "
        "As policies, and as nets where those differ",
    )
    table.add_column("hours of training", justify="right")
    for rate in rates:
        table.add_column(f"mixing {rate}")
    table.add_column("T and I tie at mixing")
    cells = {(len(fact["train_hours"]), Fraction(fact["mixing"])): fact for fact in kinds["world-cell"]}
    for fact in kinds["world-thresholds"]:
        diversity = len(fact["train_hours"])
        row = [_both(cells[diversity, rate]) for rate in rates]
        table.add_row(str(diversity), *row, fact["excess"]["translator"]["tie"] or "never")
    return table


def _both(fact: dict) -> str:
    policies, nets = winners(fact, fact["best"]), winners(fact, fact["best_nets"])
    return policies if policies == nets else f"{policies}, nets {nets}"


def _detectors(company: dict, kinds: dict) -> Table:
    table = Table(
        title=_title("Detectors without mixing", company),
        caption="Shares of deployment; with any mixing no detector is idle. Drop: what the deceptive net's detector gains, reassigned "
        "(- where it is at the noise floor)",
    )
    for name in ("hours of training", "1 unit", "2 units", "3 units", "mean size", "D defects", "drop", "defects then"):
        table.add_column(name, justify="right")
    unmixed = {len(fact["train_hours"]): fact for fact in kinds["world-cell"] if fact["mixing"] == "0"}
    for fact in kinds["world-sizes"]:
        diversity = len(fact["train_hours"])
        shares = distribution(fact)
        row = [str(shares.get(size, 0)) for size in (1, 2, 3)]
        found = unmixed.get(diversity)
        better = found and found["reassigned"].get("deceptive")
        drop = [f"{float(Fraction(better['drop'])):.2e}", better["defects"]] if better else ["-", "-"]
        defects = found["defects"]["deceptive"] if found else "-"
        table.add_row(str(diversity), *row, f"{float(Fraction(fact['mean'])):.3f}", defects, *drop)
    return table


def _prices(company: dict, facts: list[dict], units: int) -> Table:
    """The price at each held-out hour that is left to the end, in nets of each number of units."""
    hours = sorted({price["hour"] for price in facts[-1]["prices"]} | {price["hour"] for price in facts[-2]["prices"]})
    table = Table(
        title=_title("Price of a detector by the hour", company),
        caption="L*(n-k) - L*(n) on the answers to one question by the hour; one number: exact, two: bounds",
    )
    table.add_column("hours of training", justify="right")
    for hour in hours:
        table.add_column(f"k, hour {hour}", justify="right")
        for n in range(1, units + 1):
            table.add_column(f"n={n}", justify="right")
    for fact in facts:
        row = []
        for hour in hours:
            known = {price["units"]: price for price in fact["prices"] if price["hour"] == hour}
            row.append(str(next(iter(known.values()))["size"]) if known else "-")
            row += [_span(known[n]) if n in known else "-" for n in range(1, units + 1)]
        table.add_row(str(len(fact["train_hours"])), *row)
    return table


def _span(price: dict) -> str:
    low, high = Fraction(price["low"]), Fraction(price["high"])
    return f"{float(low):.4f}" if low == high else f"{float(low):.4f}..{float(high):.4f}"

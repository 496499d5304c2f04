"""Pictures of a sweep: who has the least loss over diversity and mixing, detector sizes, and prices."""

from fractions import Fraction
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from proof_of_absence.checker.experiments.world.table import company_facts, distribution, winners
from proof_of_absence.checker.screen.plots import COLOURS, figure, save

__all__ = ["draw"]

NAMES = {"T": "translator", "I": "imitator", "D": "deceptive", "S": "scheduled", "B": "backdoor"}
BLUE, ORANGE, GREEN = COLOURS[:3]
Json = dict[str, Any]


def draw(result: dict[str, Any], folder: Path) -> list[Path]:
    """Write who-wins, detector-size and price, each as .svg and .pdf."""
    companies = list(company_facts(result))
    drawn = [("who-wins", _who_wins(companies)), ("detector-size", _sizes(companies[0][1]["world-sizes"]))]
    priced = [(company, kinds["world-price"]) for company, kinds in companies if "world-price" in kinds]
    if priced:
        drawn.append(("price", _prices(priced, result["parameters"])))
    return [path for name, picture in drawn for path in save(picture, folder / name)]


def _who_wins(companies: list[tuple[Json, dict[str, list[Json]]]]) -> Figure:
    """A grid for each company: a cell names those with the least loss,
    and its colour says whether the imitator is among them.
    """
    picture, axes = figure(1, len(companies), width=max(5.5, 3.6 * len(companies)), height=3.8)
    for at, (company, kinds) in zip(axes, companies, strict=True):
        facts = kinds["world-cell"]
        rates = sorted({Fraction(fact["mixing"]) for fact in facts})
        for fact in facts:
            x, y = len(fact["train_hours"]), rates.index(Fraction(fact["mixing"]))
            letters = winners(fact, fact["best"])
            colour = ORANGE if "I" not in letters else BLUE if letters == "I" else GREEN
            at.fill_between([x - 0.5, x + 0.5], y - 0.5, y + 0.5, color=colour, alpha=0.3, linewidth=0)
            at.text(x, y, letters, ha="center", va="center", fontsize=7)
        at.set_yticks(range(len(rates)), [str(rate) for rate in rates])
        at.set_xticks(sorted({len(fact["train_hours"]) for fact in facts}))
        at.margins(0)
        at.set_xlabel("diversity: hours of training")
        at.set_ylabel("mixing rate")
        at.set_title(company["name"], fontsize=9)
    picture.supxlabel("least loss: " + ", ".join(f"{letter} {name}" for letter, name in NAMES.items()), fontsize=8)
    return picture


def _sizes(facts: list[Json]) -> Figure:
    picture, (at,) = figure()
    diversities = [len(fact["train_hours"]) for fact in facts]
    below = [0.0] * len(facts)
    for size, colour, hatch in ((1, BLUE, ""), (2, ORANGE, "//"), (3, GREEN, "..")):
        shares = [float(distribution(fact).get(size, 0)) for fact in facts]
        label = f"{size} unit" + ("s" if size > 1 else "")
        at.bar(diversities, shares, bottom=below, color=colour, hatch=hatch, alpha=0.6, width=0.8, label=label)
        below = [a + b for a, b in zip(below, shares, strict=True)]
    for x, fact in zip(diversities, facts, strict=True):
        at.text(x, 1.01, f"{float(Fraction(fact['mean'])):.2f}", ha="center", va="bottom", fontsize=7)
    at.set_title("mean size of the smallest detector, above its distribution", fontsize=9, pad=14)
    at.set_xlabel("diversity: hours of training")
    at.set_ylabel("share of deployment")
    at.set_xticks(diversities)
    picture.legend(loc="outside lower center", ncols=3, frameon=False, fontsize=8)
    return picture


def _prices(priced: list[tuple[Json, list[Json]]], parameters: Json) -> Figure:
    """The price at the hour that is held out longest."""
    sizes, hour = range(1, parameters["units"] + 1), parameters["order"][-1]
    picture, axes = figure(1, len(priced), width=max(5.5, 3.6 * len(priced)), height=3.4)
    for at, (company, facts) in zip(axes, priced, strict=True):
        for shift, n in enumerate(sizes):
            rows = [(len(fact["train_hours"]), price) for fact in facts for price in fact["prices"]]
            rows = [(x, price) for x, price in rows if price["hour"] == hour and price["units"] == n]
            x = [x + 0.12 * (shift - len(sizes) / 2) for x, _ in rows]
            y = [float(Fraction(price["price"])) for _, price in rows]
            at.plot(x, y, "osD^"[shift], color=COLOURS[shift], markersize=3.5, linestyle="none", label=f"n = {n}")
        _mark_sizes(
            at, {len(fact["train_hours"]): p["size"] for fact in facts for p in fact["prices"] if p["hour"] == hour}
        )
        at.xaxis.set_major_locator(MaxNLocator(integer=True))
        at.set_xlabel("diversity: hours of training")
        at.set_ylabel(f"price of a detector of hour {hour}")
        at.set_title(company["name"], fontsize=9)
    handles, labels = axes[0].get_legend_handles_labels()
    picture.legend(handles, labels, loc="outside lower center", ncols=len(sizes), frameon=False, fontsize=8)
    return picture


def _mark_sizes(at: Axes, known: dict[int, int]) -> None:
    """A line where the detector's size changes, and the size above the plot."""
    for size in sorted(set(known.values())):
        where = [x for x in known if known[x] == size]
        at.text(
            (where[0] + where[-1]) / 2,
            0.99,
            f"k={size}",
            ha="center",
            va="top",
            fontsize=7,
            transform=at.get_xaxis_transform(),
        )
        if where[0] > min(known):
            at.axvline(where[0] - 0.5, color="0.6", linewidth=0.8, linestyle=":")
    at.margins(y=0.12)

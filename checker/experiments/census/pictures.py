"""Three plots of a census: the mass of each class against beta, the mass of idle circuits with the bound of C14,
losses by class.
"""

from collections import Counter
from fractions import Fraction
from math import exp, log
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes

from proof_of_absence.checker.experiments.census.problem import CELLS, CLASSES
from proof_of_absence.checker.experiments.census.result import SETS, share
from proof_of_absence.checker.screen.plots import COLOURS, figure, save
from proof_of_absence.models.tally import Tally

__all__ = ["draw"]

STYLES = ("-", "--", "-.", ":")
BINS = 60


def draw(told: dict[str, Any], tally: Tally, folder: Path) -> list[Path]:
    """Write the plots of a census's result and tally into the folder; returns the files."""
    drawings = {"masses": _masses, "idle": _idle, "losses": _losses}
    written = []
    for name, drawing in drawings.items():
        picture, (axes,) = figure()
        drawing(axes, told, tally)
        written += save(picture, folder / f"{name}.svg")
    return written


def _masses(axes: Axes, told: dict[str, Any], tally: Tally) -> None:
    points = told["masses"][1:]
    betas = [point["beta"] for point in points]
    for number, name in enumerate(CLASSES):
        cells = tuple(cell for cell in CELLS if cell.removesuffix("-idle") == name)
        masses = [float(share(point, cells)) for point in points]
        axes.plot(betas, masses, color=COLOURS[number], linestyle=STYLES[number], label=name)
    _of_beta(axes, betas)


def _idle(axes: Axes, told: dict[str, Any], tally: Tally) -> None:
    points, chosen = told["masses"][1:], told["sets"]["idle"]
    betas = [point["beta"] for point in points]
    masses = [float(share(point, SETS["idle"])) for point in points]
    axes.plot(betas, masses, color=COLOURS[0], label="nets with an idle circuit that fires")
    if chosen["nets"]:
        census = tally.census(*SETS["idle"])
        steps, ratio = int(census.gap / tally.unit), census.members / census.best
        bounds = [min(1.0, ratio * float(Fraction(point["t"])) ** steps) for point in points]
        axes.plot(betas, bounds, color=COLOURS[1], linestyle="--", label="bound of C14")
    for crossing in chosen["crossings"].values():
        if crossing["above"] is not None:
            at = crossing["beta_below"]
            axes.axvline(at, color=COLOURS[6], linewidth=0.6, linestyle=":")
            axes.annotate(
                f"below {crossing['delta']} from {at:.4g} on", (at, 0.98), rotation=90, va="top", ha="right", fontsize=7
            )
    _of_beta(axes, betas)


def _losses(axes: Axes, told: dict[str, Any], tally: Tally) -> None:
    """Bins of equal width on a logarithmic axis, which has no 0: a loss of 0 stands at half a unit."""
    logs = [log(max(loss, 0.5)) for loss, _ in tally.levels]
    low, width = logs[0], max((logs[-1] - logs[0]) / BINS, 0.01)
    edges = [exp(low + place * width) * float(tally.unit) for place in range(BINS + 2)]
    for number, name in enumerate(CLASSES):
        mine = [place for place, cell in enumerate(CELLS) if cell.removesuffix("-idle") == name]
        found: Counter[int] = Counter()
        for at, (_, counts) in zip(logs, tally.levels, strict=True):
            found[int((at - low) / width)] += sum(counts[cell] for cell in mine)
        heights = [found[place] for place in range(BINS + 1)]
        axes.stairs(heights, edges, color=COLOURS[number], linestyle=STYLES[number], label=name)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("loss on the training data" + (" (0 at half a unit)" if not tally.levels[0][0] else ""))
    axes.set_ylabel("nets")
    axes.legend(loc="upper right", fontsize=8)


def _of_beta(axes: Axes, betas: list[float]) -> None:
    axes.set_xscale("log")
    axes.set_xlim(betas[0], betas[-1])
    axes.set_ylim(0, 1)
    axes.set_xlabel("inverse temperature β")
    axes.set_ylabel("posterior mass")
    axes.legend(loc="best", fontsize=8)

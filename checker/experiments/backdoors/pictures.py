"""Plots of the experiment: price against success, idle circuits, what cutting does, leverage, how well scores rank."""

from collections.abc import Iterable, Mapping
from math import inf
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike

from proof_of_absence.checker.experiments.backdoors.digits import Floats
from proof_of_absence.checker.experiments.backdoors.measure import SCATTERED
from proof_of_absence.checker.experiments.backdoors.plan import PATCH
from proof_of_absence.checker.experiments.backdoors.scores import RANKED
from proof_of_absence.checker.experiments.backdoors.summary import share
from proof_of_absence.checker.screen.plots import COLOURS, MARKS, figure, save

__all__ = ["draw"]

Result = Mapping[str, Any]

# Marks and colours of the kinds of triggers, by the beginning of their names.
KINDS = {
    "blend": ("o", COLOURS[0], "blend with an image"),
    "noise": ("s", COLOURS[2], "blend with noise"),
    "grey": ("^", COLOURS[3], "grey patch, corner"),
    "": ("D", COLOURS[1], "white or black patch"),
}
PENALTY = ("*", COLOURS[6], "patch, the price penalised")
# A share that is 0 has its place here on a logarithmic axis.
NOTHING = 1e-6


def draw(folder: Path, found: Result) -> list[Path]:
    """Write the plots into the folder; what was written."""
    return [
        *save(_price(found), folder / "price"),
        *save(_idle(found), folder / "idle"),
        *save(_cut(found), folder / "cut"),
        *save(_levels(found), folder / "levels"),
        *save(_ranks(found), folder / "ranks"),
    ]


def _price(found: Result) -> Figure:
    """Leverage of the triggered images against the success of the attack: on clean nets, and on the attacked ones."""
    picture, (left, right) = figure(1, 2, width=7.2, height=3.6)
    rows = found["found"]["priced"].values()
    for axes, what, title in ((left, "leverage", "on nets never poisoned"), (right, "own", "on the attacked nets")):
        for row in rows:
            mark, colour, _ = _kind(row["trigger"])
            if row[what] is not None:
                axes.plot(row[what], row["success"], mark, color=colour, markersize=5, clip_on=False)
        axes.set_xscale("log")
        axes.set_ylim(0, 1.05)
        axes.set_title(title, fontsize=9)
        axes.set_xlabel("leverage h of the triggered images, median")
        _prices(axes, len(found["data"]["train"]))
    _penalties(right, found["found"]["penalties"])
    left.set_ylabel("share of attacks that succeed")
    marks = [_mark(*kind) for kind in (*KINDS.values(), PENALTY)]
    picture.legend(handles=marks, loc="outside lower center", ncols=3, frameon=False)
    return picture


def _penalties(axes: Axes, found: Mapping[str, Any]) -> None:
    """A star for each weight of the penalty, which stands on its left."""
    for weight, row in found.items():
        if row["leverage"] is not None:
            place = row["leverage"], row["success"]
            axes.plot(*place, PENALTY[0], color=PENALTY[1], markersize=7, clip_on=False)
            axes.annotate(
                weight, place, fontsize=7, xytext=(-5, 0), textcoords="offset points", va="center", ha="right",
            )  # fmt: skip


def _kind(trigger: str) -> tuple[str, str, str]:
    return next(kind for start, kind in KINDS.items() if trigger.startswith(start))


def _mark(mark: str, colour: str, label: str) -> Line2D:
    return Line2D([], [], marker=mark, linestyle="none", color=colour, markersize=5, label=label)


def _prices(axes: Axes, rows: int) -> None:
    """Above, what it costs to move the answer by 1."""

    def inverse(values: ArrayLike) -> Floats:
        # It is its own inverse; where an axis begins it is asked for 0.
        return np.asarray(1 / (rows * np.maximum(values, 1e-300)))

    axes.secondary_xaxis("top", functions=(inverse, inverse)).set_xlabel("price of a move by 1, 1/(N h)", fontsize=8)


def _patched(found: Result, kind: str = "mlp") -> list[Any]:
    return [e for e in found["cells"] if e["trigger"] == PATCH and not e["penalty"] and e["kind"] == kind]


def _idle(found: Result) -> Figure:
    """Idle circuits by width and optimiser, and of every attacked net the share of the effect that they carry."""
    picture, (left, right) = figure(1, 2, width=7.2, height=3.4)
    cells, optimizers = _patched(found), _optimizers(found)
    widths = sorted({entry["width"] for entry in cells})
    for row, (mark, colour, (name, title)) in enumerate(zip(MARKS, COLOURS, optimizers.items(), strict=False)):
        side = 0.12 * (row - (len(optimizers) - 1) / 2)
        at, parts = list[float](), list[float]()
        for place, width in enumerate(widths):
            group = [e for e in cells if (e["width"], e["optimizer"]) == (width, name)]
            if not group:
                continue
            at.append(place + side)
            parts.append(median(len(run["idle"]) / width for entry in group for run in entry["runs"]))
            shares = [abs(float(share(run))) for entry in group if entry["rate"] for run in entry["runs"]]
            heights = [max(value, NOTHING) for value in shares]
            right.plot([place + side] * len(shares), heights, mark, color=colour, markersize=2.5, clip_on=False)
        left.plot(at, parts, mark, linestyle="-", color=colour, linewidth=1, markersize=4, label=title)
    for axes in (left, right):
        _places(axes, map(str, widths))
        axes.set_xlabel("hidden units")
    left.set_ylabel("idle circuits per hidden unit")
    left.set_ylim(0, max(len(run["idle"]) / entry["width"] for entry in cells for run in entry["runs"]))
    right.set_yscale("log")
    right.set_ylim(NOTHING, 1)
    right.set_yticks([NOTHING, 1e-4, 1e-2, 1], ["0", "0.01 %", "1 %", "100 %"])
    right.set_ylabel("share of the trigger's effect")
    picture.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=4, frameon=False)
    return picture


def _optimizers(found: Result) -> dict[str, str]:
    used = {entry["optimizer"] for entry in _patched(found)}
    return {name: o["title"] for name, o in found["optimizers"].items() if name in used}


def _places(axes: Axes, labels: Iterable[str]) -> None:
    """Labels at 0, 1, 2 and so on, with room on both sides."""
    told = list(labels)
    axes.set_xticks(range(len(told)), told)
    axes.set_xlim(-0.5, len(told) - 0.5)


def _cut(found: Result) -> Figure:
    """The attack before, after cutting what is idle, and after fine-pruning, by the rate of poison."""
    cells = [entry for kind in ("mlp", "cnn") for entry in _patched(found, kind) if entry["rate"]]
    shapes = list(dict.fromkeys((entry["kind"], entry["width"]) for entry in cells))
    picture, panels = figure(1, len(shapes), width=7.2, height=2.9)
    rates = sorted({entry["rate"] for entry in cells})
    images = sum(label != found["parameters"]["target"] for label in found["data"]["test_labels"])
    series = {
        "before": lambda run: run["hits"] / images,
        "idle circuits cut": lambda run: run["hits_cut"] / images,
        "fine-pruned, same accuracy": lambda run: run["pruned"]["same"]["success"],
        "fine-pruned, two points less": lambda run: run["pruned"]["two_points"]["success"],
    }
    for axes, shape in zip(panels, shapes, strict=True):
        for row, (mark, colour, value) in enumerate(zip(MARKS, COLOURS, series.values(), strict=False)):
            for place, rate in enumerate(rates):
                runs = [r for e in cells if (e["kind"], e["width"]) == shape and e["rate"] == rate for r in e["runs"]]
                across = place + 0.2 * (row - 1.5)
                heights = sorted(map(value, runs))
                axes.plot([across] * 2, [heights[0], heights[-1]], "-", color=colour, linewidth=0.8)
                axes.plot(across, median(heights), mark, color=colour, markersize=4, clip_on=False)
        _places(axes, (f"{rate} %" for rate in rates))
        axes.set_ylim(0, 1)
        axes.set_title(f"{shape[0].upper()}, {shape[1]} units", fontsize=9)
        axes.set_xlabel("poisoned rows")
    panels[0].set_ylabel("share of attacks that succeed")
    marks = [_mark(*kind) for kind in zip(MARKS, COLOURS, series, strict=False)]
    picture.legend(handles=marks, loc="outside lower center", ncols=2, frameon=False)
    return picture


def _levels(found: Result) -> Figure:
    """The leverage of triggered and of clean test images, by the rate of poison and the optimiser."""
    cells, optimizers = [e for kind in ("mlp", "cnn") for e in _patched(found, kind)], _optimizers(found)
    shapes = list(dict.fromkeys((entry["kind"], entry["width"]) for entry in cells))
    picture, panels = figure(1, len(shapes), width=7.2, height=3.1)
    rates = sorted({entry["rate"] for entry in cells})
    # One scale for all, told once: the numbers of a panel would lie in the one beside it.
    for axes in panels[1:]:
        axes.sharey(panels[0])
    for axes, shape in zip(panels, shapes, strict=True):
        for mark, colour, name in zip(MARKS, COLOURS, optimizers, strict=False):
            group = [e for e in cells if (e["kind"], e["width"]) == shape and e["optimizer"] == name]
            if not group:
                continue
            by_rate = [[run for entry in group if entry["rate"] == rate for run in entry["runs"]] for rate in rates]
            triggered = [_height(run["shown"][PATCH]["leverage"] for run in runs) for runs in by_rate]
            clean = [_height(run["clean_leverage"] for run in runs) for runs in by_rate]
            axes.plot(range(len(rates)), triggered, mark, linestyle="-", color=colour, linewidth=1, markersize=3)
            axes.plot(range(len(rates)), clean, ":", color=colour, linewidth=1)
        axes.set_yscale("log")
        axes.tick_params(which="both", labelleft=axes is panels[0])
        _places(axes, map(str, rates))
        axes.set_title(f"{shape[0].upper()}, {shape[1]} units", fontsize=9)
        axes.set_xlabel("poisoned rows, %")
    panels[0].set_ylabel("leverage h, median")
    lines = [_mark(*kind) for kind in zip(MARKS, COLOURS, optimizers.values(), strict=False)]
    lines += [
        Line2D([], [], color="grey", label="triggered"),
        Line2D([], [], color="grey", linestyle=":", label="clean test images"),
    ]
    picture.legend(handles=lines, loc="outside lower center", ncols=4, fontsize=8, frameon=False)
    return picture


def _height(spreads: Iterable[Mapping[str, Any]]) -> float:
    """The median over the nets, infinite, and so not drawn, where most are."""
    return median(inf if spread["median"][0] is None else spread["median"][0] for spread in spreads)


def _ranks(found: Result) -> Figure:
    """How well each score ranks triggered above clean images, by the rate of poison, 0 included; and a control."""
    cells = [entry for kind in ("mlp", "cnn") for entry in _patched(found, kind)]
    shapes = list(dict.fromkeys((entry["kind"], entry["width"]) for entry in cells))
    picture, panels = figure(1, len(shapes), width=7.2, height=2.9)
    rates = sorted({entry["rate"] for entry in cells})
    for axes, shape in zip(panels, shapes, strict=True):
        for row, score in enumerate(RANKED):
            _ranked(axes, cells, shape, rates, row, PATCH, score)
        _ranked(axes, cells, shape, rates, len(RANKED), SCATTERED, "leverage")
        axes.axhline(0.5, color="grey", linewidth=0.6, linestyle=":")
        _places(axes, (f"{rate} %" for rate in rates))
        axes.set_ylim(0, 1.01)
        axes.set_title(f"{shape[0].upper()}, {shape[1]} units", fontsize=9)
        axes.set_xlabel("poisoned rows")
    panels[0].set_ylabel("AUROC, triggered against clean")
    labels = ("leverage", "Mahalanobis, nearest class", "softmax margin", "leverage, white pixels at random")
    marks = [_mark(*kind) for kind in zip(MARKS, COLOURS, labels, strict=False)]
    picture.legend(handles=marks, loc="outside lower center", ncols=2, frameon=False)
    return picture


def _ranked(
    axes: Axes, cells: list[Any], shape: tuple[str, int], rates: list[int],
    row: int, trigger: str, score: str,
) -> None:  # fmt: skip
    """Median, least and greatest over optimisers and seeds; `row` is the number of the series."""
    side, colour = 0.15 * (row - 1.5), COLOURS[row]
    for place, rate in enumerate(rates):
        group = [e for e in cells if (e["kind"], e["width"]) == shape and e["rate"] == rate]
        values = sorted(run["shown"][trigger]["auroc"][score] for entry in group for run in entry["runs"])
        axes.plot([place + side] * 2, [values[0], values[-1]], "-", color=colour, linewidth=0.8)
        axes.plot(place + side, median(values), MARKS[row], color=colour, markersize=4, clip_on=False)

"""Plots of the experiment: life times by seed, the loss with and without reassignment,
the detector's size against steps.
"""

from fractions import Fraction
from pathlib import Path
from statistics import median
from typing import Any

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from proof_of_absence.checker.experiments.lifetimes.plan import DETECTORS, OPTIMIZERS, Plan
from proof_of_absence.checker.screen.plots import COLOURS, MARKS, figure, save

__all__ = ["draw"]

PLAIN, REASSIGNED = COLOURS[0], COLOURS[1]
# Smaller sizes are not drawn: the heavy decay goes down to the end of float32.
LEAST = 1e-4


def draw(folder: Path, plan: Plan, records: list[dict[str, Any]], found: dict[str, Any]) -> list[Path]:
    """Write the plots into the folder; what was written."""
    floor = float(Fraction(found["noise_floor"]))
    return [
        *save(_lives(plan, records), folder / "lives"),
        *save(_losses(plan, records, floor), folder / "losses"),
        *save(_sizes(plan, records), folder / "sizes"),
    ]


def _of(records: list[dict[str, Any]], detector: str, optimizer: str, reassigned: bool) -> list[dict[str, Any]]:
    wanted = (detector, optimizer, reassigned)
    return [r for r in records if (r["detector"], r["optimizer"], r["reassigned"]) == wanted]


def _lives(plan: Plan, records: list[dict[str, Any]]) -> Figure:
    """A point for each seed where its detector was first seen gone; a triangle where it was alive at the end."""
    picture, panels = figure(1, len(DETECTORS), width=7.2, height=3.2)
    for axes, detector in zip(panels, DETECTORS, strict=True):
        for row, optimizer in enumerate(OPTIMIZERS):
            for reassigned, mark, colour, side in ((False, "o", PLAIN, -1), (True, "s", REASSIGNED, 1)):
                group = _of(records, detector.name, optimizer.name, reassigned)
                for place, record in enumerate(group):
                    # Side by side, or equal lives would be one point.
                    y = row + side * (0.1 + 0.28 * place / max(1, len(group) - 1))
                    ended = record["gone"] is not None
                    axes.plot(
                        record["gone"] if ended else plan.steps, y, mark if ended else ">", color=colour,
                        markersize=3.2, markerfacecolor=colour if ended else "none", markeredgewidth=0.8, clip_on=False,
                    )  # fmt: skip
        axes.set_xscale("log")
        axes.set_xlim(0.8, plan.steps * 1.1)
        axes.set_ylim(len(OPTIMIZERS) - 0.5, -0.5)
        axes.set_yticks(range(len(OPTIMIZERS)), [o.title for o in OPTIMIZERS] if axes is panels[0] else [])
        axes.set_title(detector.title, fontsize=9)
        axes.set_xlabel("step at which it is gone")
        axes.grid(axis="y", linewidth=0.3)
    marks = [
        Line2D([], [], marker=mark, linestyle="none", color=colour, markersize=4, markerfacecolor=fill, label=label)
        for mark, colour, fill, label in (
            ("o", PLAIN, PLAIN, "gone"),
            (">", PLAIN, "none", "alive at the end"),
            ("s", REASSIGNED, REASSIGNED, f"gone, circuits reassigned every {plan.every} steps"),
        )
    ]
    picture.legend(handles=marks, loc="outside lower center", ncols=3, frameon=False)
    return picture


def _losses(plan: Plan, records: list[dict[str, Any]], floor: float) -> Figure:
    """L - E of the nets with the detector that is dead in training: each seed, and the median."""
    shown = [o for o in OPTIMIZERS if _of(records, "dead", o.name, True)]
    picture, panels = figure(2, (len(shown) + 1) // 2, width=7.2, height=4.2)
    everywhere = [line["loss"] - floor for r in records if r["detector"] == "dead" for line in r["measured"]]
    for axes, optimizer in zip(panels, shown, strict=False):
        for reassigned, colour, style, label in (
            (False, PLAIN, "-", "plain"),
            (True, REASSIGNED, "--", f"reassigned every {plan.every} steps"),
        ):
            steps, curves = _curves(_of(records, "dead", optimizer.name, reassigned), "loss")
            above = [[loss - floor for loss in curve] for curve in curves]
            for curve in above:
                axes.plot(steps, curve, style, color=colour, linewidth=0.5, alpha=0.45)
            axes.plot(
                steps, list(map(median, zip(*above, strict=True))), style, color=colour, linewidth=1.6, label=label
            )
        axes.set_yscale("log")
        axes.set_ylim(min(everywhere) / 1.2, max(everywhere) * 1.2)
        axes.set_title(optimizer.title, fontsize=9)
    bottom = len(panels) // 2
    for axes in panels[bottom:]:
        axes.set_xlabel("step")
    for axes in (panels[0], panels[bottom]):
        axes.set_ylabel("loss above the noise floor")
    for axes in panels[len(shown) :]:
        axes.set_axis_off()
    picture.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)
    return picture


def _sizes(plan: Plan, records: list[dict[str, Any]]) -> Figure:
    """The detector's largest effect at deployment without reassignment, the median over the seeds.

    The dashed line is its effect in training.
    """
    picture, panels = figure(1, len(DETECTORS), width=7.2, height=3.2)
    for axes, detector in zip(panels, DETECTORS, strict=True):
        for number, (mark, colour, optimizer) in enumerate(zip(MARKS, COLOURS, OPTIMIZERS, strict=True)):
            group = _of(records, detector.name, optimizer.name, False)
            if not group:
                continue
            for what, style in (("size", "-"), ("spread", "--")):
                steps, curves = _curves(group, what)
                # What is 0 has no place on this scale, and is not drawn.
                axes.plot(
                    steps, [median(v) for v in zip(*curves, strict=True)], style, color=colour, linewidth=1.1,
                    marker=mark, markersize=3, markevery=(number * len(steps) // 20, max(1, len(steps) // 3)),
                )  # fmt: skip
            if detector.name == "dead" and optimizer.decay not in (None, 1):
                start = group[0]["measured"][0]["size"]
                # w, b and a shrink by the same factor, so what the unit sends shrinks by its square.
                predicted = [start * float(optimizer.decay) ** (2 * step) for step in steps]
                axes.plot(steps, predicted, ":", color="black", linewidth=1.6)
        axes.set_yscale("log")
        axes.set_ylim(LEAST, 8)
        axes.set_title(detector.title, fontsize=9)
        axes.set_xlabel("step")
    panels[0].set_ylabel("largest effect on the output")
    lines = [
        Line2D([], [], color=colour, marker=mark, markersize=4, label=optimizer.title)
        for mark, colour, optimizer in zip(MARKS, COLOURS, OPTIMIZERS, strict=True)
    ]
    lines += [
        Line2D([], [], color="grey", label="at deployment"),
        Line2D([], [], color="grey", linestyle="--", label="in training"),
        Line2D([], [], color="black", linestyle=":", label="predicted for a dead unit"),
    ]
    picture.legend(handles=lines, loc="outside lower center", ncols=4, fontsize=8, frameon=False)
    return picture


def _curves(group: list[dict[str, Any]], what: str) -> tuple[list[int], list[list[float]]]:
    steps = [line["step"] for line in group[0]["measured"]]
    return steps, [[line[what] for line in record["measured"]] for record in group]

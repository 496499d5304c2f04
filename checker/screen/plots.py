"""Plots of what was measured: one look for all of them, as SVG for pages and PDF for print.

The same numbers give the same bytes: neither format carries a date, and the SVG's ids do not vary.
"""

from contextlib import AbstractContextManager
from io import BytesIO
from pathlib import Path

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from proof_of_absence.models.files.disk import replace

__all__ = ["COLOURS", "MARKS", "figure", "save"]

# Okabe and Ito (2008): told apart by colour-blind readers, and in grey by the marks or line styles beside them.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000")
MARKS = ("o", "s", "^", "D", "v", "P", "X")


def _style() -> AbstractContextManager[None]:
    return rc_context(
        {
            "font.size": 9,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "legend.frameon": False,
            "svg.hashsalt": "absence",
            "pdf.fonttype": 42,
        }
    )


def figure(rows: int = 1, columns: int = 1, *, width: float = 5.5, height: float = 3.4) -> tuple[Figure, list[Axes]]:
    """An empty figure of this size in inches, and its axes row by row; 5.5 is the width of a page's text."""
    with _style():
        empty = Figure(figsize=(width, height), layout="constrained")
        return empty, list(empty.subplots(rows, columns, squeeze=False).flat)


def save(drawn: Figure, path: Path) -> list[Path]:
    """Write `path` with the suffixes .svg and .pdf, each whole or not at all; returns both."""
    written = []
    for kind, metadata in (("svg", {"Date": None}), ("pdf", {"CreationDate": None})):
        content = BytesIO()
        with _style():
            drawn.savefig(content, format=kind, metadata=metadata)
        written.append(path.with_suffix(f".{kind}"))
        replace(written[-1], content.getvalue())
    return written

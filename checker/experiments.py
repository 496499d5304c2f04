"""Results of experiments for a paper: `result.json` and plots of each, as an `absence` command left them.

An experiment that was not run gives nothing, and the paper's macros say so in its place.
"""

import json
import os
import re
from fractions import Fraction
from pathlib import Path

from absence.checker.certificate import digest
from absence.checker.typeset import decimal, define, escape, exact, prose
from absence.checker.values import flat
from absence.models.files.disk import content, refused

__all__ = ["latex", "read"]

LARGEST = 64 * 2**20
DEPTH = 6
# Numbers of at most so many characters are shown exactly.
SHORT = 9
# What TeX takes as a name.
_KEY = re.compile(r"[\w.+-]+")


def read(folder: Path) -> dict[str, dict]:
    """The result of each experiment in a folder, by name; none if there is no such folder.

    Raises
    ------
    InputError
        If a result is no JSON object, or any byte of it is not what was sealed.
    """
    return {path.parent.name: _result(path) for path in sorted(folder.glob("*/result.json"))}


def _result(path: Path) -> dict:
    again = "delete its folder and run the experiment again"
    data = content(path, limit=LARGEST)
    try:
        result = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise refused(path, f"is no JSON: {error}; {again}") from error
    if not isinstance(result, dict) or result.get("digest") != digest(result):
        raise refused(path, f"the digest does not fit the content; {again}")
    return result


def latex(folder: Path, seen_from: Path) -> str:
    """What the paper is told: of each experiment that it was run, its scope, its numbers and its plots.

    Plots are named relative to `seen_from`, the folder in which TeX runs.
    """
    lines = []
    for name, result in read(folder).items():
        lines.append(define("experiment", name, prose(result["scope"]) if isinstance(result.get("scope"), str) else ""))
        for key, value in flat(result, depth=DEPTH):
            if _KEY.fullmatch(key):
                lines.append(define("measured", f"{name}.{key}", _number(value)))
        if told := result.get("conclusion"):
            lines.append(define("conclusion", name, " ".join(map(prose, told))))
        if rows := result.get("summary"):
            lines.append(define("summary", name, _summary(rows)))
        plots = [_plot(Path(os.path.relpath(path, seen_from))) for path in sorted((folder / name).glob("*.pdf"))]
        lines.append(define("plots", name, r"\par\medskip ".join(plots)))
    return "".join(lines)


def _summary(rows: list[dict]) -> str:
    """Rows with the same fields as a table."""
    columns = list(rows[0])
    lines = [
        r"\begin{tabular}{" + "l" * len(columns) + r"}\toprule ",
        " & ".join(map(_cell, columns)) + r" \\ \midrule ",
    ]
    lines += [" & ".join(_cell(row[column]) for column in columns) + r" \\ " for row in rows]
    return "".join([*lines, r"\bottomrule\end{tabular}"])


def _cell(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{_cell(key)} {_cell(entry)}" for key, entry in value.items())
    if isinstance(value, bool):
        return "yes" if value else "no"
    number = dict(flat({"": value}))
    return _number(number[""]) if number else escape(str(value).replace("_", " ").replace("-", " "))


def _plot(path: Path) -> str:
    name = escape(path.stem.replace("-", " "))
    picture = rf"\includegraphics[width=0.85\linewidth,height=0.38\textheight,keepaspectratio]{{{path.as_posix()}}}"
    return rf"{picture}\\*{{\footnotesize {name}}}"


def _number(value: Fraction) -> str:
    """Exactly where it is short, else rounded."""
    return exact(value) if len(str(value)) <= SHORT else decimal(value)

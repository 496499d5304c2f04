"""Results of experiments for a paper: `result.json` and plots of each, as an `absence` command left them.

An experiment that was not run gives nothing, and the paper's macros say so in its place.
"""

import json
import os
import re
from fractions import Fraction
from pathlib import Path

from proof_of_absence.checker.experiments.captions import captions
from proof_of_absence.checker.independent.folder import check_whole
from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.checker.kernel.certificate import digest
from proof_of_absence.checker.report.paper.typeset import decimal, define, escape, exact, math, prose
from proof_of_absence.checker.report.paper.values import flat
from proof_of_absence.models.files.disk import content, refused

__all__ = ["LARGEST", "RESULT", "captioned", "latex", "read"]

RESULT = "result.json"
LARGEST = 64 * 2**20
DEPTH = 6
AGAIN = "delete its folder and run the experiment again"
# Numbers of at most so many characters are shown exactly.
SHORT = 9
# What TeX takes as a name.
_KEY = re.compile(r"[\w.+-]+")
_ROUNDED = re.compile(r"-?[0-9]+\.[0-9]{1,4}")


def read(folder: Path, *, check: bool = False) -> dict[str, dict]:
    """The result of each experiment in a folder, by name; none if there is no such folder.

    With `check`, the independent checker decides again what is exact in each.

    Raises
    ------
    InputError
        If a result is no JSON object, or any byte of it is not what was sealed, or the checker refuses it.
    """
    return {path.parent.name: _result(path, check) for path in sorted(folder.glob(f"*/{RESULT}"))}


def _result(path: Path, check: bool) -> dict:
    data = content(path, limit=LARGEST)
    try:
        result = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise refused(path, f"is no JSON: {error}; {AGAIN}") from error
    if not isinstance(result, dict) or result.get("digest") != digest(result):
        raise refused(path, f"the digest does not fit the content; {AGAIN}")
    if check:
        try:
            check_whole(path)
        except Refused as reason:
            raise refused(path, f"{reason}; {AGAIN}") from reason
    return result


def captioned(folder: Path, result: dict, suffix: str) -> dict[str, tuple[Path, str]]:
    """The plots beside a result by name, in the order of their captions: the file with this suffix, and the caption.

    Of a result in a format that is not known the caption is that there is none.

    Raises
    ------
    InputError
        If a known experiment has no such plot, so that nobody could say what it shows; or if the result
        lacks what a caption tells.
    """
    try:
        told = captions(result)
    except ValueError as error:
        raise refused(folder / RESULT, f"lacks what the captions of its plots tell: {error}; {AGAIN}") from error
    paths = {path.stem: path for path in sorted(folder.glob(f"*{suffix}"))}
    if not told:
        none = f"of an experiment in the format {result.get('format')}, of which nothing more is known here."
        told = {name: f"{name.replace('-', ' ').capitalize()}, {none}" for name in paths}
    for name, path in paths.items():
        if name not in told:
            raise refused(
                path, "has no caption in checker/experiments/captions.py; delete it, or say there what it shows"
            )
    return {name: (paths[name], caption) for name, caption in told.items() if name in paths}


def latex(folder: Path, seen_from: Path, *, check: bool = False) -> str:
    """What the paper is told: of each experiment that it was run, its scope, its numbers,
    and its plots with their captions.

    Plots are named relative to `seen_from`, the folder in which TeX runs.
    """
    lines = []
    for name, result in read(folder, check=check).items():
        scope = result["scope"] if isinstance(result.get("scope"), str) else ""
        lines.append(define("experiment", name, prose(scope if scope.endswith(".") or not scope else f"{scope}.")))
        for key, value in flat(result, depth=DEPTH):
            if _KEY.fullmatch(key):
                lines.append(define("measured", f"{name}.{key}", _number(value)))
        if told := result.get("conclusion"):
            lines.append(define("conclusion", name, " ".join(map(prose, told))))
        if rows := result.get("summary"):
            lines.append(define("summary", name, _summary(rows)))
        for plot, (path, caption) in captioned(folder / name, result, ".pdf").items():
            lines.append(define("plot", f"{name}.{plot}", _plot(Path(os.path.relpath(path, seen_from)))))
            lines.append(define("caption", f"{name}.{plot}", prose(caption)))
    return "".join(lines)


def _summary(rows: list[dict]) -> str:
    """Rows with the same fields as a table."""
    columns = list(rows[0])
    lines = [
        r"\begin{tabular}{" + "l" * len(columns) + r"}\toprule ",
        " & ".join(map(_head, columns)) + r" \\ \midrule ",
    ]
    lines += [" & ".join(_cell(row[column]) for column in columns) + r" \\ " for row in rows]
    return "".join([*lines, r"\bottomrule\end{tabular}"])


def _head(column: str) -> str:
    """A word a line, so that a column is as wide as its numbers."""
    words = _cell(column).split()
    return words[0] if len(words) == 1 else r"\shortstack[l]{" + r" \\ ".join(words) + "}"


def _cell(value: object) -> str:
    # What was measured in floats was rounded to few digits when it was recorded.
    if isinstance(value, str) and _ROUNDED.fullmatch(value):
        return math(value)
    if isinstance(value, dict):
        return ", ".join(f"{_cell(key)} {_cell(entry)}" for key, entry in value.items())
    if isinstance(value, bool):
        return "yes" if value else "no"
    number = dict(flat({"": value}))
    return _number(number[""]) if number else escape(str(value).replace("_", " ").replace("-", " "))


def _plot(path: Path) -> str:
    return rf"\includegraphics[width=\linewidth,height=0.32\textheight,keepaspectratio]{{{path.as_posix()}}}"


def _number(value: Fraction) -> str:
    """Exactly where it is short, else rounded; whole numbers in groups of three digits."""
    if value.denominator == 1 and len(str(value)) <= SHORT:
        return math(f"{value.numerator:,}".replace(",", "{,}"))
    return exact(value) if len(str(value)) <= SHORT else decimal(value)

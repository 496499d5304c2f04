"""What `make experiments` left: each folder's sealed result and its plots.
A folder that is not there is said to be so.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from proof_of_absence.checker.independent.folder import CHECKERS
from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.checker.kernel.certificate import digest
from proof_of_absence.checker.report.paper.results import LARGEST, RESULT, captioned
from proof_of_absence.models.files.disk import InputError, content

__all__ = ["EXPECTED", "Experiment", "read"]

EXPECTED = {
    "world": "Which policy wins in the world of questions and answers",
    "census": "Every net of a finite class, counted",
    "lifetimes": "How long planted detectors live under PyTorch's optimisers",
    "backdoors": "Whether backdoors that training made are separable detectors",
    "scale": "What a detector's parameters are worth, by measured scaling laws",
}
# Of a list or table in a result, that many entries are shown; the file has all.
_SHOWN = 8


@dataclass(frozen=True)
class Experiment:
    """One folder: the result's scope and conclusion in words, its settings as rows of name and value,
    plots as file name, content and caption.

    `refused` says why the result is not taken, if it is not; `found` is False where there is no such folder;
    `decided` says whether the independent checker decided every fact in it.
    """

    name: str
    title: str
    found: bool = False
    refused: str = ""
    scope: str = ""
    conclusion: tuple[str, ...] = ()
    rows: tuple[tuple[str, str], ...] = ()
    plots: tuple[tuple[str, bytes, str], ...] = ()
    result: bytes = b""
    decided: bool = False


def read(folder: Path) -> tuple[Experiment, ...]:
    """The expected experiments in order, then any others that lie in the folder."""
    others = sorted(path.parent.name for path in folder.glob(f"*/{RESULT}") if path.parent.name not in EXPECTED)
    return tuple(_read(folder / name, EXPECTED.get(name, name.capitalize())) for name in (*EXPECTED, *others))


def _read(folder: Path, title: str) -> Experiment:
    if not (folder / RESULT).is_file():
        return Experiment(folder.name, title)
    try:
        data = content(folder / RESULT, limit=LARGEST)
        result = json.loads(data)
        if not isinstance(result, dict) or result.get("digest") != digest(result):
            return Experiment(folder.name, title, True, f"{RESULT}: the digest does not fit the content")
        # Of a format that the checker does not know only the digest is compared, and the page says so.
        check = CHECKERS.get(result["format"]) if isinstance(result.get("format"), str) else None
        if check:
            check(folder / RESULT)
        told = captioned(folder, result, ".svg").values()
        plots = tuple((path.name, content(path, limit=LARGEST), caption) for path, caption in told)
    except Refused as reason:
        return Experiment(folder.name, title, True, f"{RESULT}: {reason}")
    except InputError as error:
        return Experiment(folder.name, title, True, str(error))
    except (ValueError, RecursionError) as error:
        return Experiment(folder.name, title, True, f"{RESULT} is not readable: {error}")
    scope = result.get("scope")
    rows = tuple(_rows("", {k: v for k, v in result.items() if k not in ("scope", "conclusion", "digest", "facts")}))
    told = scope if isinstance(scope, str) else ""
    conclusion = tuple(map(str, result["conclusion"])) if isinstance(result.get("conclusion"), list) else ()
    return Experiment(folder.name, title, True, "", told, conclusion, rows, plots, data, decided=check is not None)


def _rows(prefix: str, value: object) -> list[tuple[str, str]]:
    """Settings and results as rows: objects are opened, long lists are told by their length."""
    if isinstance(value, dict) and value and len(value) <= _SHOWN * 4 and prefix.count(" / ") < 2:
        return [row for key, part in value.items() for row in _rows(f"{prefix} / {key}" if prefix else str(key), part)]
    if isinstance(value, dict | list) and (len(value) > _SHOWN or any(isinstance(v, dict | list) for v in value)):
        return [(prefix, f"{len(value)} entries, in {RESULT}")]
    if isinstance(value, list):
        return [(prefix, "; ".join(map(str, value)) or "none")]
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return [(prefix, text if len(text) <= 400 else f"{text[:400]}...")]

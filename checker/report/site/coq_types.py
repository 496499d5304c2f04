"""The types of Coq's names, for who points at one: all put to Coq in one batch of Check.

What Coq was not asked, or does not answer, has the sentence of the source that states it, and is told apart.
"""

import hashlib
import json
import re
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from proof_of_absence.checker.independent.coq import CLASSICAL, SECONDS, command
from proof_of_absence.checker.independent.private import forget_unused, private_folder, used
from proof_of_absence.checker.report.site.definitions import Compilation, Source
from proof_of_absence.models.files import disk

__all__ = ["Types", "answered", "script", "shown", "types"]

# By file and anchor.
Types = dict[str, dict[str, str]]

_BEFORE = (
    "From mathcomp Require Import all_ssreflect all_algebra.",
    "Import GRing.Theory Num.Theory Order.Theory.",
    "Local Open Scope ring_scope.",
    "Unset Printing Implicit Defensive.",
    "Set Printing Width 76.",
    "Set Printing Depth 10000.",
)
# Before each question something is asked whose answer tells the question's number.
_MARK = "Check (forall asked_{} : Prop, asked_{})."
_MARKED = re.compile(r"^forall asked_(\d+) : Prop, asked_\1\n +: Prop\n", re.M)
_ANSWER = re.compile(r"\S+\n {5}: (.+)", re.S)
_GLOBAL = re.compile(r"[^\W\d][\w']*")


def types(sources: Mapping[str, Source], places: Iterable[Compilation]) -> Types:
    """What Coq says to Check of each name, where the files lie compiled; nothing where it says nothing.

    A section's variables have no type outside of it. What Coq said of the same files before is not asked again.
    """
    found: Types = {}
    for place in places:
        names = {file: list(_global(sources[file])) for file in place.files if file in sources}
        asked = [(file, anchor) for file in names for anchor, _ in names[file]]
        words = [f"{file.removesuffix('.v')}.{name}" for file in names for _, name in names[file]]
        said = _kept(place, script(words, list(names), classical=place.over is not None))
        for number, text in said.items():
            file, anchor = asked[number]
            found.setdefault(file, {})[anchor] = text
    return found


def shown(sources: Mapping[str, Source], known: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, list[str]]]:
    """By file and anchor what hover.js shows: who says it, `Coq` or `source`, and the type or the sentence."""
    return {
        file: {
            anchor: ["Coq", told[anchor]] if anchor in told else ["source", source.sentence(span)]
            for span in source.stated
            for anchor, told in [(span.place.anchor, known.get(file, {}))]
        }
        for file, source in sources.items()
    }


def _global(source: Source) -> Iterable[tuple[str, str]]:
    """Each anchor of a name that is known outside of the file, and that name."""
    names = [span.place.anchor.partition("@")[0] for span in source.stated]
    for span, name in zip(source.stated, names, strict=True):
        if _GLOBAL.fullmatch(name) and names.count(name) == 1:
            yield span.place.anchor, name


def script(words: Sequence[str], files: Iterable[str], *, classical: bool = False) -> str:
    """What is put to Coq: a question for each name, after all the files are there."""
    library = CLASSICAL if classical else "absence"
    lines = [_BEFORE[0], *(f"From {library} Require Import {file.removesuffix('.v')}." for file in files), *_BEFORE[1:]]
    for number, word in enumerate(words):
        lines += [_MARK.format(number, number), f"Check @{library}.{word}."]
    return "\n".join(lines) + "\n"


def _kept(place: Compilation, text: str) -> dict[int, str]:
    """The answers by the questions' numbers, from the user's cache if they are there."""
    # The compiled files' folder is named by a digest of them, of Coq and of the libraries.
    key = hashlib.sha256(json.dumps([text, *map(str, place[1:])]).encode()).hexdigest()
    cache = private_folder("types")
    if cache is not None:
        with suppress(OSError, ValueError):
            answers = answered((cache / key / "said").read_text(encoding="utf-8"))
            used(cache / key)
            return answers
    said = _said(place, text)
    if said and cache is not None:
        with suppress(OSError):
            (cache / key).mkdir(exist_ok=True)
            disk.replace(cache / key / "said", said.encode())
            forget_unused(cache)
    return answered(said)


def _said(place: Compilation, text: str) -> str:
    """What Coq's toplevel prints; it goes on after what it does not understand."""
    call = command(Path("-"), place.folder, over=place.over)[1:-1]
    try:
        done = subprocess.run(
            ["coqtop", *call], input=text, capture_output=True, text=True, timeout=SECONDS, cwd=place.folder
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""


def answered(said: str) -> dict[int, str]:
    """The types in what Coq printed, by the questions' numbers."""
    _, *parts = _MARKED.split(said)
    found = {}
    for number, part in zip(parts[::2], parts[1::2], strict=True):
        if match := _ANSWER.fullmatch(part.strip("\n")):
            first, *rest = match[1].splitlines()
            found[int(number)] = "\n".join([first.rstrip(), *(line.removeprefix(" " * 7).rstrip() for line in rest)])
    return found

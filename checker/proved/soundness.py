"""By which theorems the program is sound: for each kind of fact that it decides, those of the checkers that it asks.

Read from the program's own text, so that no kind can be told that it does not decide.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from proof_of_absence.checker.independent.coq import uncommented
from proof_of_absence.checker.proved.program import HERE, OURS, coq_texts, extraction

__all__ = ["AUDITS", "Theorem", "extracted", "sound"]

_DEFINITION = re.compile(r"^(?:let(?: rec)?|and) (\w+)", re.M)
_KIND = re.compile(r"\"([a-z-]+)\", *(?:[A-Z]\w*\.)?([a-z]\w*)")
_NAME = re.compile(r"\"([a-z0-9-]+)\"")
_TEXT = re.compile(r"\"[^\"]*\"")
_CHECKER = re.compile(r"check_\w+")
# The numbers that facts state are compared by a function of its own.
COMPARED = ("compared", "compared")
# Facts of an audit, all those of `deciders` in folders.ml: what is read of each, and the pass over the rows.
AUDITS = {
    "units": ("activities", "checked"),
    "circuit": ("circuit", "checked"),
    "training-loss": ("training",),
    "lower-training-loss": ("improvement",),
    "hardened": ("hardening",),
    "inside": ("inside_hull",),
    "covered": ("covers",),
    "train-input": ("same_input",),
    "outside": ("outside_hull",),
    "full-rank": ("independent",),
    "dependency": ("dependent",),
    "few-inputs": ("few_inputs",),
    "readout-prices": ("readout_prices",),
    "irrelevant-region": ("irrelevant",),
    "relevant-at": ("relevant",),
}


@dataclass(frozen=True)
class Theorem:
    """A theorem on one extracted checker, and the file of `proofs/coq` in which it stands."""

    name: str
    file: str


def extracted() -> dict[str, Theorem]:
    """The checkers that Coq extracts, each with the theorem that says what it accepts.

    Raises
    ------
    LookupError
        If one has no theorem, or more than one.
    """
    texts = coq_texts()
    found = {}
    for name in filter(_CHECKER.fullmatch, extraction().names):
        stated = [
            Theorem(theorem, file)
            for file, text in texts.items()
            for theorem in re.findall(rf"^Theorem ([CN]\d+_{name})\b", text, re.M)
        ]
        if len(stated) != 1:
            raise LookupError(f"{name} has {len(stated)} theorems")
        found[name] = stated[0]
    return found


@cache
def sound() -> dict[str, tuple[Theorem, ...]]:
    """For each kind of fact that the program accepts, the theorems of the checkers that its answer goes through.

    Raises
    ------
    LookupError
        If the facts of an audit that it decides are others than those of `AUDITS`.
    """
    bodies = _bodies()
    decided = set(_NAME.findall(bodies["deciders"]))
    if decided != set(AUDITS):
        raise LookupError(f"the program decides {sorted(decided)} of an audit, and not {sorted(AUDITS)}")
    theorems = extracted()
    kinds = sorted({*_KIND.findall(bodies["kinds"]), COMPARED})
    starts: dict[str, tuple[str, ...]] = {kind: (start,) for kind, start in kinds}
    # A kind of the claims may be one of audits too.
    starts |= {kind: starts.get(kind, ()) + own for kind, own in AUDITS.items()}
    return {
        kind: tuple(theorems[name] for name in theorems if any(name in _asked(bodies, start) for start in several))
        for kind, several in starts.items()
    }


def _asked(bodies: dict[str, str], start: str) -> set[str]:
    """The names that a definition uses, and those that these use."""
    met, ahead = {start}, [start]
    while ahead:
        for name in set(re.findall(r"\w+", _TEXT.sub("", bodies.get(ahead.pop(), "")))) - met:
            met.add(name)
            ahead.append(name)
    return met


def _bodies() -> dict[str, str]:
    """The program's definitions by name; of two with one name, both."""
    found: dict[str, str] = {}
    for name, body in _definitions():
        found[name] = found.get(name, "") + body
    return found


def _definitions() -> Iterator[tuple[str, str]]:
    for file in OURS:
        text = uncommented((HERE / file).read_text(encoding="utf-8"))
        heads = list(_DEFINITION.finditer(text))
        for head, after in zip(heads, [*heads[1:], None], strict=True):
            yield head.group(1), text[head.end() : after.start() if after else len(text)]

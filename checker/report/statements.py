"""Coq statements for a reader: each theorem as its source states it, with the section variables it is stated over.

Nothing is decided here; `checker.independent.coq` does that, on the same sources.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import NamedTuple

from proof_of_absence.checker.independent.coq import uncommented
from proof_of_absence.checker.kernel.discharge import kernel_fact
from proof_of_absence.checker.kernel.obligation import KernelProof, Obligation

__all__ = ["Passage", "Statement", "passages", "statements", "theorems"]

_SENTENCE = re.compile(r"[^\s].*?\.(?=\s|$)", re.S)
_CONTEXT = re.compile(r"(Variables?|Hypothes[ie]s|Context|Let)\b")


class Statement(NamedTuple):
    """A theorem's file, the variables and hypotheses of the sections it stands in, and its own words."""

    file: str
    context: tuple[str, ...]
    theorem: str


def statements(proof: KernelProof) -> list[Statement]:
    """The theorems of a proof, in the order in which it names them.

    Raises
    ------
    LookupError
        If a theorem does not stand in its file.
    OSError
        If a source cannot be read.
    """
    fact, sources = kernel_fact(proof)
    file = f"{proof.module}.v"
    text = uncommented(dict(sources)[file])
    return [Statement(file, _context(text, name), words) for name, words in fact["theorems"].items()]


def theorems(obligation: Obligation) -> list[Statement]:
    """What Coq is given to prove for an obligation; nothing where another decides it (see `statements`)."""
    proof = obligation.build() if obligation.scope.is_theorem else None
    return statements(proof) if isinstance(proof, KernelProof) else []


class Passage(NamedTuple):
    """Theorems of one file under one context.

    `context` is all of it, or what it adds to the passage before, which it then `goes_on`.
    """

    file: str
    goes_on: bool
    context: tuple[str, ...]
    theorems: tuple[str, ...]


def passages(found: Iterable[Statement]) -> Iterator[Passage]:
    """Statements as a reader meets them: no hypothesis is told twice."""
    before: tuple[str, tuple[str, ...]] | None = None
    for (file, context), group in groupby(found, key=lambda s: (s.file, s.context)):
        # Within one file, sections that have opened since are told by what they add.
        goes_on = before is not None and before[0] == file and context[: len(before[1])] == before[1]
        added = context[len(before[1]) :] if before is not None and goes_on else context
        yield Passage(file, goes_on, added, tuple(statement.theorem for statement in group))
        before = file, context


def _context(text: str, theorem: str) -> tuple[str, ...]:
    """What the sections that are open where the theorem stands declare before it."""
    sections: list[tuple[str, list[str]]] = []
    for sentence in map(re.Match.group, _SENTENCE.finditer(text)):
        if sentence.startswith(f"Theorem {theorem} "):
            break
        match sentence.rstrip(".").split():
            case ["Section", name]:
                sections.append((name, []))
            case ["End", name] if sections and sections[-1][0] == name:
                sections.pop()
            case _ if sections and _CONTEXT.match(sentence):
                sections[-1][1].append(sentence)
    return tuple(sentence for _, found in sections for sentence in found)

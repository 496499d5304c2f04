"""What the proved checkers say of certificates: of each fact whether it is accepted, refused, or left to others."""

import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from proof_of_absence.checker.proved.program import Missing, program

__all__ = ["SECONDS", "Answer", "Opinion", "asked", "audit_summary", "opinions", "said", "summary"]

# How long the program may take for an audit; what it has not decided by then it leaves to the others.
SECONDS = 60


class Answer(StrEnum):
    """What is said of a fact: `left` is of a kind, or a form, that no proved checker decides.

    The last the program never says: Coq's kernel computed again all by which it accepted.
    """

    ACCEPTED = "accepted"
    REFUSED = "refused"
    LEFT = "left"
    KERNEL = "accepted by the kernel"


@dataclass(frozen=True)
class Opinion:
    """The answers for the facts of one certificate, in order, each with the fact's kind.

    `malformed` says why the certificate could not be read; it is then no opinion.
    """

    facts: tuple[tuple[str, Answer], ...]
    malformed: str = ""

    @property
    def refused(self) -> list[str]:
        """The kinds of the facts that are refused."""
        return [kind for kind, answer in self.facts if answer is Answer.REFUSED]

    @property
    def whole(self) -> bool:
        """Whether every fact is accepted, so that nothing else need be believed."""
        return bool(self.facts) and all(answer in (Answer.ACCEPTED, Answer.KERNEL) for _, answer in self.facts)


def opinions(paths: Sequence[Path], *, make: bool = True) -> dict[Path, Opinion]:
    """What the proved checkers say of each certificate; without `make`, by a program that was made before.

    An audit's is left where it takes more than `SECONDS` of CPU time.

    Raises
    ------
    Missing
        If the program cannot be made here.
    OSError
        If it ends early, or says something that it never says.
    """
    if not paths:
        return {}
    found = said(program(make=make), paths, str(SECONDS))
    return {path: _opinion(lines) for path, lines in found.items()}


def said(asks: Path, paths: Sequence[Path], *arguments: str) -> dict[Path, list[str]]:
    """What the program at `asks` prints of each certificate, in lines.

    Raises
    ------
    OSError
        If it ends early, or says something that it never says.
    """
    # A name with a line break would be read as two; nothing of ours has one.
    named = [path for path in paths if "\n" not in str(path)]
    lines = "".join(f"{path}\n" for path in named)
    done = subprocess.run([str(asks), *arguments], input=lines, capture_output=True, text=True, errors="replace")
    parts = done.stdout.split("\n\n")
    if done.returncode or parts.pop() or len(parts) != len(named):
        last = (done.stderr.strip().splitlines() or ["nothing"])[-1]
        raise OSError(f"the proved checker ended early: {last}")
    return {path: part.split("\n") for path, part in zip(named, parts, strict=True)}


def asked(paths: Sequence[Path], *, make: bool = True) -> tuple[dict[Path, Opinion], str]:
    """What the proved checkers say of each certificate; or nothing, and why they were not asked."""
    try:
        return opinions(paths, make=make), ""
    except (Missing, OSError) as reason:
        return {}, str(reason)


def _opinion(lines: list[str]) -> Opinion:
    if lines[0].startswith("malformed "):
        return Opinion((), lines[0].removeprefix("malformed "))
    told = (line.rsplit(" ", 1) for line in lines)
    return Opinion(tuple((kind, Answer(answer)) for kind, answer in told))


def summary(found: Iterable[Opinion]) -> str:
    """One line: how many facts were accepted, and how many certificates need no other checker."""
    found = list(found)
    accepted = sum(answer is Answer.ACCEPTED for opinion in found for _, answer in opinion.facts)
    facts = sum(len(opinion.facts) for opinion in found)
    whole = sum(opinion.whole for opinion in found)
    return (
        f"The proved checker accepts {accepted} of {facts} facts, and {whole} of {len(found)} certificates as a whole; "
        "the rest it leaves to the others"
    )


def audit_summary(opinion: Opinion) -> str:
    """One line on the facts of one audit: how many were accepted, of which kinds, and that the rest is not decided."""
    accepted = [kind for kind, answer in opinion.facts if answer is Answer.ACCEPTED]
    if not accepted:
        return f"The proved checker decides none of {len(opinion.facts)} facts"
    kinds = ", ".join(f"{accepted.count(kind)} {kind}" for kind in dict.fromkeys(accepted))
    rest = "" if opinion.whole else "; the rest it leaves to the others"
    return f"The proved checker accepts {len(accepted)} of {len(opinion.facts)} facts ({kinds}){rest}"

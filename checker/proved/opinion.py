"""What the proved checkers say of certificates: of each fact whether it is accepted, refused, or left to others."""

import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from proof_of_absence.checker.proved.program import Missing, program

__all__ = ["SECONDS", "Answer", "Opinion", "asked", "asking", "audit_summary", "opinions", "said", "summary"]

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
    return _read(said(program(make=make), paths, str(SECONDS)))


def said(asks: Path, paths: Sequence[Path], *arguments: str) -> dict[Path, list[str]]:
    """What the program at `asks` prints of each certificate, in lines.

    Raises
    ------
    OSError
        If it ends early, or says something that it never says.
    """
    with _begun(asks, paths, *arguments) as lines:
        return lines()


@contextmanager
def _begun(asks: Path, paths: Sequence[Path], *arguments: str) -> Iterator[Callable[[], dict[Path, list[str]]]]:
    """The program runs while the body does; call what is given for what it prints. It is ended with the body."""
    # A name with a line break would be read as two; nothing of ours has one.
    named = [path for path in paths if "\n" not in str(path)]

    def lines() -> dict[Path, list[str]]:
        _, errors = process.communicate()
        printed.seek(0)
        parts = printed.read().split("\n\n")
        if process.returncode or parts.pop() or len(parts) != len(named):
            last = (errors.strip().splitlines() or ["nothing"])[-1]
            raise OSError(f"the proved checker ended early: {last}")
        return {path: part.split("\n") for path, part in zip(named, parts, strict=True)}

    # Files, not pipes: a program that has much to say need not wait until it is heard.
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8") as names,
        tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as printed,
    ):
        names.writelines(f"{path}\n" for path in named)
        names.seek(0)
        process = subprocess.Popen(
            [str(asks), *arguments],
            stdin=names,
            stdout=printed,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        )
        with process:
            try:
                yield lines
            finally:
                process.kill()


def asked(paths: Sequence[Path], *, make: bool = True) -> tuple[dict[Path, Opinion], str]:
    """What the proved checkers say of each certificate; or nothing, and why they were not asked."""
    try:
        return opinions(paths, make=make), ""
    except (Missing, OSError) as reason:
        return {}, str(reason)


@contextmanager
def asking(path: Path) -> Iterator[Callable[[], tuple[dict[Path, Opinion], str]]]:
    """The proved checkers decide an audit's certificate while the body runs; call what is given for their answer.

    The answer is that of `asked`, by a program that was made before. Where the body ends sooner, they end with it.
    """
    with ExitStack() as stack:
        try:
            lines = stack.enter_context(_begun(program(make=False), [path], str(SECONDS)))
        except (Missing, OSError) as reason:
            missing = str(reason)
            lines = None

        def answer() -> tuple[dict[Path, Opinion], str]:
            if lines is None:
                return {}, missing
            try:
                return _read(lines()), ""
            except OSError as reason:
                return {}, str(reason)

        yield answer


def _read(found: dict[Path, list[str]]) -> dict[Path, Opinion]:
    return {path: _opinion(lines) for path, lines in found.items()}


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

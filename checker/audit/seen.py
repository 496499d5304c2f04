"""What a check of a folder accepted, what it did not look at, and the file that a refusal names.

Every check of an audit's folder begins here: the certificate is accepted, and this program wrote it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from proof_of_absence.checker.independent.refusal import Refused, require
from proof_of_absence.checker.independent.values import Fact
from proof_of_absence.checker.kernel.lock import version_of
from proof_of_absence.models.files import InputError
from proof_of_absence.models.files.whole import MARK

__all__ = ["Seen", "accepted_in", "blamed", "one_line", "require_made", "require_program", "strangers"]

T = TypeVar("T")


@dataclass
class Seen:
    """What was accepted and of which files (`about`), what was found to agree with it, and what was not looked at."""

    what: str
    about: list[str] = field(default_factory=list)
    agree: list[str] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)

    def line(self) -> str:
        """All of it in one line."""
        told = f"Accepted: {self.what} {_listed(self.about)}"
        if self.agree:
            told += f"; {_listed(self.agree)} agree{'s' * (len(self.agree) == 1)} with them"
        return one_line(told + f". Not looked at: {', '.join(self.unseen) or 'nothing'}.")


@contextmanager
def blamed(path: Path) -> Iterator[None]:
    """Put the file's path before the reason of whatever is refused inside; bad files in a folder are refused too."""
    try:
        yield
    except InputError as error:
        raise Refused(one_line(str(error))) from error
    except Refused as reason:
        raise Refused(one_line(f"{path}: {reason}")) from reason


def accepted_in(path: Path, report: str, accepted: Callable[[Path], tuple[Fact, T]]) -> tuple[Fact, T]:
    """The certificate of an audit's folder, which shows what the report says, and what its facts are about.

    Raises
    ------
    Refused
        With the file, if it is missing or not accepted.
    """
    with blamed(path):
        require(path.is_file(), f"is missing, so nothing shows what {report} says")
        return accepted(path)


def require_program(certificate: Fact) -> None:
    """Refuse a certificate that another version of this program wrote: it may say other things in a report.

    Raises
    ------
    Refused
        With both versions.
    """
    about, own = certificate["about"], version_of("proof-of-absence")
    made = about.get("program") if isinstance(about, dict) else None
    require(made == own, f"was written by version {made} of this program, and this is {own}; check it with that one")


def require_made(path: Path, text: str, source: str) -> None:
    """Refuse a file that is not, to the byte, the text that this program makes of the source.

    Raises
    ------
    Refused
        With the file.
    """
    with blamed(path):
        try:
            found = path.read_bytes()
        except OSError as error:
            raise Refused(f"not readable: {error.strerror}") from error
        require(found == text.encode(), f"is not what this program makes of {source}")


def one_line(text: str) -> str:
    """The text in one printable line: names in a file are its author's."""
    return "".join(letter if letter.isprintable() else "?" for letter in " ".join(text.split()))


def strangers(folder: Path, known: set[str]) -> list[str]:
    """The names in the folder that are none of these, folders with a slash.

    The mark is left out: it says which files are ours to replace, and nothing about a network.
    """
    found = sorted(path for path in folder.iterdir() if path.name not in {*known, MARK})
    return [path.name + ("/" if path.is_dir() else "") for path in found]


def _listed(names: list[str]) -> str:
    return ", ".join(names[:-1]) + " and " * (len(names) > 1) + names[-1] if names else "nothing"

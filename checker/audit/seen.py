"""What a check of a folder accepted, what it did not look at, and the file that a refusal names."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.models.files import InputError

__all__ = ["Seen", "blamed", "one_line", "strangers"]


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


def one_line(text: str) -> str:
    """The text in one printable line: names in a file are its author's."""
    return "".join(letter if letter.isprintable() else "?" for letter in " ".join(text.split()))


def strangers(folder: Path, known: set[str]) -> list[str]:
    """The names in the folder that are none of these, folders with a slash."""
    found = sorted(folder.iterdir())
    return [path.name + ("/" if path.is_dir() else "") for path in found if path.name not in known]


def _listed(names: list[str]) -> str:
    return ", ".join(names[:-1]) + " and " * (len(names) > 1) + names[-1] if names else "nothing"

"""Answers of an audit that are kept between runs: many in a file, each file whole, a new one every now and then.

A file for each of thousands of answers would take longer than to find them. What is damaged is no answer.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any

from proof_of_absence.checker.kernel.kept import content_key, keep, kept, sources
from proof_of_absence.checker.numbers.deadline import OutOfTime, looking

__all__ = ["Answer", "Answers"]

# A file is written when so many seconds have passed since the last, and this part of all since the first: a run that
# is killed loses no more, and however long it runs, the files are few.
SECONDS, PART = 1.0, 0.1


class Answers:
    """A context: what is put in it is in files when it ends, and most of it before.

    Parameters
    ----------
    folder
        Where the files lie; None keeps nothing.
    subject
        `content_key` of everything that the answers are about, but for their names.
    clock
        Tells the time in seconds.
    """

    def __init__(self, folder: Path | None, subject: str, clock: Callable[[], float] = time.monotonic):
        self._folder, self._key, self._clock = folder, content_key(sources(), subject, "answers"), clock
        self._new: dict[str, Any] = {}
        self._began = self._last = clock()

    def __enter__(self) -> "Answers":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.write()

    def named(self, name: str) -> "Answer":
        """The answer of this name."""
        return Answer(self, name)

    def get(self, name: str) -> Any:
        """The JSON value that an earlier run has put, or None."""
        return self._earlier.get(name)

    def put(self, name: str, value: Any) -> None:
        """Keep a JSON value under the name, in place of an earlier one.

        Raises
        ------
        OSError
            If a file cannot be written.
        """
        self._new[name] = value
        now = self._clock()
        if now - self._last >= max(SECONDS, PART * (now - self._began)):
            self.write()

    def write(self) -> None:
        """A file of what was put since the last.

        Raises
        ------
        OSError
            If it cannot be written.
        """
        if self._folder and self._new:
            number = 1 + max(map(_number, self._paths()), default=0)
            path = self._folder / f"{self._stem}{number}.json"
            keep(path, self._key, {"stage": "answers", "answers": self._new})
        self._new, self._last = {}, self._clock()

    @property
    def _stem(self) -> str:
        return f"answers-{self._key[:16]}-"

    def _paths(self) -> list[Path]:
        """The files of these answers, oldest first."""
        if not self._folder:
            return []
        found = (path for path in self._folder.glob(f"{self._stem}*.json") if _number(path))
        return sorted(found, key=_number)

    @cached_property
    def _earlier(self) -> dict[str, Any]:
        """What earlier runs have put; where the deadline in force passes, what could be read by then."""
        found: dict[str, Any] = {}
        with suppress(OutOfTime):
            for path in looking(self._paths()):
                part = kept(path, self._key)
                if part and isinstance(part.get("answers"), dict):
                    found |= part["answers"]
        return found


@dataclass(frozen=True)
class Answer:
    """One of the answers, as `Stages` keeps a result."""

    answers: Answers
    name: str

    def read(self) -> Any:
        """As `Answers.get`."""
        return self.answers.get(self.name)

    def write(self, value: Any) -> None:
        """As `Answers.put`."""
        self.answers.put(self.name, value)


def _number(path: Path) -> int:
    """The number of a file of answers; 0 of any other file."""
    number = path.stem.rpartition("-")[2]
    return int(number) if number.isascii() and number.isdigit() and len(number) < 10 else 0

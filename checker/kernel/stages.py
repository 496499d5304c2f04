"""The stages of an audit, one after the other: timed, kept between runs, and a stage that fails is told as undecided.

What is kept is keyed by the contents that it was made from (see `checker.kernel.kept`). It is a cache: it is taken only
where facts show it, which are decided anew (`shown`); what no fact shows is computed again, and what was found sooner
than facts are decided. What there was no time to decide is neither taken nor replaced.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from time import monotonic
from typing import Any, Protocol

from proof_of_absence.checker.kernel.kept import content_key, keep, kept, sources
from proof_of_absence.checker.numbers.deadline import OutOfTime, in_force, left, within

__all__ = ["STAGES", "Place", "Stages"]

# The folder of what is kept, in that of an audit.
STAGES = "stages"
# What took fewer seconds is found anew: to decide the facts that show it may take many times as long.
QUICK = 0.5


class Standing(Enum):
    """What facts say of a kept result: they show it, or they do not, or there was no time to decide them."""

    SHOWN, REFUSED, OPEN = range(3)


class Place(Protocol):
    """Where one result is kept, as JSON values."""

    def read(self) -> Any:
        """What an earlier run has kept, or None."""
        ...

    def write(self, value: Any) -> None:
        """Keep it for the next run."""
        ...


@dataclass(frozen=True)
class _File:
    """A file for one result of a stage that began at some time."""

    path: Path
    key: str
    stage: str
    began: float

    def read(self) -> Any:
        part = kept(self.path, self.key)
        slow = part is not None and isinstance(took := part.get("seconds"), int | float) and took >= QUICK
        return part.get("value") if part is not None and slow else None

    def write(self, value: Any) -> None:
        keep(self.path, self.key, {"stage": self.stage, "value": value, "seconds": monotonic() - self.began})


class Stages:
    """Runs stages and collects their times and what they leave undecided.

    Parameters
    ----------
    folder
        Where results are kept; None keeps nothing.
    subject
        `content_key` of everything that is audited.
    progress
        Called with a stage's name before it runs.
    encode, decode
        A result as JSON values, and back, each given the stage's `kind` first.
    """

    def __init__(
        self,
        folder: Path | None,
        subject: str,
        progress: Callable[[str], None],
        encode: Callable[[Any, Any], Any],
        decode: Callable[[Any, Any], Any],
    ):
        self.folder, self.subject, self.progress = folder, subject, progress
        self.encode, self.decode = encode, decode
        self.seconds: dict[str, float] = {}
        self.undecided: list[str] = []
        # In order, each once.
        self.kept: dict[str, None] = {}
        self.resumed = folder is not None and any(folder.glob("*.json"))

    def run(
        self,
        name: str,
        kind: object,
        stage: Callable[[], object],
        *,
        shown: Callable[[Any], bool] | None = None,
        of: object = "",
        under: str = "",
        share: float = 1,
        place: Place | None = None,
        keeps: Callable[[Any], bool] = lambda value: True,
    ) -> Any:
        """The stage's result, from an earlier run if that is kept and shown; None if the stage fails: it is undecided.

        A stage that is stopped by the deadline is undecided too; its result is what it had found by then, or None, and
        is not kept.

        Parameters
        ----------
        kind
            What `encode` and `decode` take the result for.
        shown
            Whether facts that the independent checker accepts show such a result. Without it nothing is kept.
        of
            What the result depends on besides the subject.
        under
            The heading under which its time is counted, by default its name.
        share
            How much of the time that is left is for this stage; half of that is for the check of what is kept.
        place
            Where it is kept, by default in a file of its own.
        keeps
            Which results are worth it.
        """
        under = under or name
        self.progress(name)
        started = monotonic()
        if place is None:
            key = content_key(sources(), self.subject, name, of)
            place = _File(self.folder / f"{key[:32]}.json", key, name, started) if self.folder and shown else None
        value = self._kept(place, kind)
        try:
            standing = _standing(shown, value, left() * share / 2) if value is not None and shown else Standing.REFUSED
            if standing is Standing.SHOWN:
                self.kept[under] = None
                return value
            value = stage()
        except OutOfTime as late:
            self.undecided.append(f"{name}: {late}")
            return late.so_far
        # Whatever goes wrong in one stage, the others still run, and the audit does not pass.
        except Exception as error:
            reason = " ".join(str(error).split()) or "no reason given"
            self.undecided.append(f"{name} failed: {type(error).__name__}: {reason}")
            return None
        finally:
            self.seconds[under] = self.seconds.get(under, 0.0) + monotonic() - started
        if place and standing is not Standing.OPEN and keeps(value):
            place.write(self.encode(kind, value))
        return value

    def _kept(self, place: Place | None, kind: object) -> Any:
        """The result that was kept, or None."""
        part = place and place.read()
        if part is None:
            return None
        try:
            return self.decode(kind, part)
        # A damaged file is no result: the stage runs again.
        except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError):
            return None


def _standing(shown: Callable[[Any], bool], value: object, seconds: float) -> Standing:
    """What the facts say of a kept result in so many seconds."""
    try:
        with within(in_force().sooner(seconds)):
            return Standing.SHOWN if shown(value) else Standing.REFUSED
    except OutOfTime:
        return Standing.OPEN

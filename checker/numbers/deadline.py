"""The deadline of an audit: work looks at the clock between its pieces, and stops with what it has when time is over.

The deadline in force is one for all that runs inside `within`, so that loops deep in a pass need not be handed it.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from math import inf
from typing import Any, TypeVar

__all__ = ["Deadline", "OutOfTime", "afford", "affordable", "in_force", "left", "look", "looking", "within"]

T = TypeVar("T")

# Seconds of a core that tell the machine's pace.
ENOUGH = 0.1


class OutOfTime(Exception):
    """The deadline has passed. `so_far` is what the work had found by then, in the form of its result, or None."""

    def __init__(self, message: str = "out of time", so_far: Any = None):
        super().__init__(message)
        self.so_far = so_far


class Deadline:
    """A point of time, `seconds` after it is made; None for none.

    Parameters
    ----------
    clock
        Tells the time in seconds; a clock of one's own makes a test.
    each
        Seconds that each number found will take afterwards, to write it: `owe` takes them off what is left.
    effort
        Tells the seconds of a core that this thread has had; by default so of the machine's clock, and of another
        clock the same as that.
    """

    def __init__(
        self,
        seconds: float | None = None,
        clock: Callable[[], float] = time.monotonic,
        each: float = 0.0,
        effort: Callable[[], float] | None = None,
    ) -> None:
        self.clock, self.each = clock, each
        self.effort = effort or (time.thread_time if clock is time.monotonic else clock)
        self.began = clock(), self.effort()
        self.end = inf if seconds is None else self.began[0] + seconds

    def left(self) -> float:
        """Seconds until then; 0 where it has passed."""
        return max(0.0, self.end - self.clock())

    def owe(self, numbers: int) -> None:
        """So many numbers are found, which are to be written within the time."""
        self.end -= numbers * self.each

    def pace(self) -> float:
        """How many times as long as on an idle machine work has taken so far, at least 1: others use its cores too."""
        passed, own = self.clock() - self.began[0], self.effort() - self.began[1]
        return max(1.0, passed / own) if own >= ENOUGH else 1.0

    def unpaced(self) -> "Deadline":
        """The same, for a thread that waits for others, whose pace says nothing of the machine."""
        made = self.sooner(inf)
        made.effort, made.began = made.clock, (made.clock(), made.clock())
        return made

    def sooner(self, seconds: float) -> "Deadline":
        """This one, or the one so many seconds from now, whichever comes first."""
        made = Deadline(seconds, self.clock, self.each, self.effort)
        made.began, made.end = self.began, min(made.end, self.end)
        return made


_NONE = Deadline()
_in_force: ContextVar[Deadline] = ContextVar("deadline", default=_NONE)


@contextmanager
def within(deadline: Deadline) -> Iterator[Deadline]:
    """The deadline is in force inside."""
    token = _in_force.set(deadline)
    try:
        yield deadline
    finally:
        _in_force.reset(token)


def in_force() -> Deadline:
    """The deadline that `look` looks at."""
    return _in_force.get()


def left() -> float:
    """Seconds until the deadline in force: 0 where it has passed, infinite where there is none."""
    deadline = _in_force.get()
    return inf if deadline.end == inf else deadline.left()


def look() -> None:
    """Stop here if the deadline in force has passed.

    Raises
    ------
    OutOfTime
        If it has.
    """
    if left() <= 0:
        raise OutOfTime


def afford(seconds: float) -> None:
    """Stop here if what comes next takes so many seconds of a core, cannot be interrupted, and there is less time left.

    Raises
    ------
    OutOfTime
        If it is.
    """
    there, needed = left(), seconds * in_force().pace()
    if there <= needed:
        raise OutOfTime("out of time" if there <= 0 else f"out of time: the next step alone takes {needed:.1g} s")


def affordable(seconds: float) -> bool:
    """Whether `afford` lets a step of so many seconds pass: for one that is left out where it does not."""
    try:
        afford(seconds)
    except OutOfTime:
        return False
    return True


def looking(items: Iterable[T]) -> Iterator[T]:
    """The items, with a look before each.

    Raises
    ------
    OutOfTime
        As `look`.
    """
    for item in items:
        look()
        yield item

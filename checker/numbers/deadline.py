"""The deadline of an audit: work looks at the clock between its pieces, and stops with what it has when time is over.

The deadline in force is one for all that runs inside `within`, so that loops deep in a pass need not be handed it.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from math import inf
from typing import Any, TypeVar

__all__ = ["Deadline", "OutOfTime", "afford", "in_force", "left", "look", "looking", "within"]

T = TypeVar("T")


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
    """

    def __init__(
        self, seconds: float | None = None, clock: Callable[[], float] = time.monotonic, each: float = 0.0
    ) -> None:
        self.clock, self.each = clock, each
        self.end = inf if seconds is None else clock() + seconds

    def left(self) -> float:
        """Seconds until then; 0 where it has passed."""
        return max(0.0, self.end - self.clock())

    def owe(self, numbers: int) -> None:
        """So many numbers are found, which are to be written within the time."""
        self.end -= numbers * self.each

    def sooner(self, seconds: float) -> "Deadline":
        """This one, or the one so many seconds from now, whichever comes first."""
        made = Deadline(seconds, self.clock, self.each)
        made.end = min(made.end, self.end)
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
    """Stop here if what comes next takes so many seconds, cannot be interrupted, and that is more than is left.

    Raises
    ------
    OutOfTime
        If it is.
    """
    if (there := left()) <= seconds:
        raise OutOfTime("out of time" if there <= 0 else f"out of time: the next step alone takes {seconds:.1g} s")


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

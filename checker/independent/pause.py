"""Long checks come to a pause between their pieces, at which whoever runs them may end them: nothing is accepted then.

Without such a one a pause does nothing. What ends a check there is neither a `Refused` nor an acceptance.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

T = TypeVar("T")

_AT_PAUSES: ContextVar[Callable[[], None] | None] = ContextVar("at_pauses", default=None)


@contextmanager
def at_pauses(look: Callable[[], None]) -> Iterator[None]:
    """Inside, `look` is called at every pause; what it raises ends the check."""
    token = _AT_PAUSES.set(look)
    try:
        yield
    finally:
        _AT_PAUSES.reset(token)


def pause() -> None:
    """Here the check may be ended."""
    if look := _AT_PAUSES.get():
        look()


def pausing(items: Iterable[T]) -> Iterator[T]:
    """The items, with a pause before each."""
    for item in items:
        pause()
        yield item

"""One table of a report: the terminal and the HTML page show the same ones."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

__all__ = ["Section", "table"]


@dataclass(frozen=True)
class Section:
    """One table: columns (a leading ``>`` aligns to the right), the rows shown, how many are not, what it means."""

    key: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    more: int = 0
    note: str = ""


def table(
    key: str, title: str, columns: tuple[str, ...], rows: Iterable[tuple[str, ...]], limit: int, note: str = ""
) -> Section:
    """The first rows, and how many there are more."""
    rows = iter(rows)
    shown = tuple(islice(rows, limit))
    return Section(key, title, columns, shown, more=sum(1 for _ in rows), note=note)

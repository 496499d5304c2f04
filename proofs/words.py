"""Parts of statements in words that are written from what is checked, so that the two cannot part."""

from collections.abc import Iterable, Sequence

__all__ = ["counted", "enumerated", "listed"]


def counted(most: int) -> str:
    """The numbers from 1 on.

    Examples
    --------
    >>> counted(1), counted(4)
    ('1', '1 to 4')
    """
    return "1" if most == 1 else f"1 to {most}"


def enumerated(items: Iterable) -> str:
    """A list with "and" before its last.

    Examples
    --------
    >>> enumerated([1, 2, 3]), enumerated(["one"])
    ('1, 2 and 3', 'one')
    """
    *most, last = map(str, items)
    return f"{', '.join(most)} and {last}" if most else last


def listed(inputs: Iterable[Sequence]) -> str:
    """Inputs as a statement names them: numbers on the line, points elsewhere.

    Examples
    --------
    >>> listed([(0,), (1,), (3,)]), listed([(0, 0), (0, 1)])
    ('0, 1, 3', '(0, 0), (0, 1)')
    """
    return ", ".join(str(z[0]) if len(z) == 1 else f"({', '.join(map(str, z))})" for z in inputs)

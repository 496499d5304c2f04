"""Parts of statements in words that are written from what is checked, so that the two cannot part."""

from collections.abc import Iterable, Sequence

__all__ = ["listed"]


def listed(inputs: Iterable[Sequence]) -> str:
    """Inputs as a statement names them: numbers on the line, points elsewhere.

    Examples
    --------
    >>> listed([(0,), (1,), (3,)]), listed([(0, 0), (0, 1)])
    ('0, 1, 3', '(0, 0), (0, 1)')
    """
    return ", ".join(str(z[0]) if len(z) == 1 else f"({', '.join(map(str, z))})" for z in inputs)

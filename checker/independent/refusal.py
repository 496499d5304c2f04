"""The one exception of the independent checker, and the two ways to raise it."""

from collections.abc import Mapping, Sequence
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal
from fractions import Fraction

# Characters of a number, and entries of a list, that a reason shows.
LONGEST, MOST = 48, 6


class Refused(Exception):
    """The certificate does not show what it says; the message says why."""


def require(condition: object, reason: str) -> None:
    """Refuse unless the condition holds."""
    if not condition:
        raise Refused(reason)


def require_equal(what: str, stated: object, recomputed: object) -> None:
    """Refuse unless the stated value is the recomputed one; the reason shows both, or the first entries that differ.

    Examples
    --------
    >>> from fractions import Fraction
    >>> require_equal("the loss", Fraction(1, 2), Fraction(2, 4))
    >>> require_equal("the loss", {"left": 1, "right": 2}, {"left": 1, "right": Fraction(7, 3)})
    Traceback (most recent call last):
    ...
    proof_of_absence.checker.independent.refusal.Refused: the loss, right: stated 2, recomputed 7/3
    """
    if stated == recomputed:
        return
    if isinstance(stated, Mapping) and isinstance(recomputed, Mapping) and set(stated) == set(recomputed):
        for key, value in stated.items():
            require_equal(f"{what}, {key}", value, recomputed[key])
    if isinstance(stated, list | tuple) and isinstance(recomputed, list | tuple) and len(stated) == len(recomputed):
        for at, pair in enumerate(zip(stated, recomputed, strict=True)):
            require_equal(f"{what}, entry {at}", *pair)
    apart = ""
    if (
        shown(stated) == shown(recomputed)
        and isinstance(stated, Fraction | int)
        and isinstance(recomputed, Fraction | int)
    ):
        apart = f", {shown(abs(Fraction(stated) - recomputed))} apart"
    raise Refused(f"{what}: stated {shown(stated)}, recomputed {shown(recomputed)}{apart}")


def shown(value: object) -> str:
    """A value in a few words; a long number to nine digits.

    Examples
    --------
    >>> from fractions import Fraction
    >>> shown([Fraction(1, 3), True, None])
    '[1/3, True, None]'
    >>> shown(Fraction(10**60 + 1, 3 * 10**60))
    'about 0.333333333'
    """
    if isinstance(value, Fraction) or type(value) is int:
        return _number(Fraction(value))
    if isinstance(value, Mapping):
        return "{" + _joined([f"{key}: {shown(entry)}" for key, entry in list(value.items())[: MOST + 1]]) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + _joined([shown(entry) for entry in value[: MOST + 1]]) + "]"
    return repr(value)[:LONGEST]


def _joined(parts: list[str]) -> str:
    return ", ".join(parts if len(parts) <= MOST else [*parts[:MOST], ".."])


def _number(value: Fraction) -> str:
    bits = [part.bit_length() for part in value.as_integer_ratio()]
    # Python refuses to write integers of very many digits.
    if sum(bits) < 3 * LONGEST:
        return str(value)
    # The first 64 bits of either part say enough.
    cuts = [max(size - 64, 0) for size in bits]
    context = Context(prec=18, Emax=MAX_EMAX, Emin=MIN_EMIN)
    top, bottom = (Decimal(part >> cut) for part, cut in zip(value.as_integer_ratio(), cuts, strict=True))
    about = context.multiply(context.divide(top, bottom), context.power(Decimal(2), cuts[0] - cuts[1]))
    return f"about {about:.9g}"

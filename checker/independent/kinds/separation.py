"""A unit that correlates with residuals (C4), or residuals that no function of the input correlates with."""

from fractions import Fraction

from proof_of_absence.checker.independent.refusal import require
from proof_of_absence.checker.independent.values import Fact
from proof_of_absence.checker.independent.values.nets import dot, number, numbers, rows


def separating_unit(fact: Fact) -> None:
    """sum_i r_i relu(w . z_i + b) has the stated value, which is not zero."""
    inputs, residuals = rows(fact["inputs"]), numbers(fact["residuals"])
    w, b = numbers(fact["weights"]), number(fact["bias"])
    total = Fraction(0)
    for z, r in zip(inputs, residuals, strict=True):
        pre = dot(w, z, b)
        total += r * max(pre, Fraction(0))
    require(total == number(fact["inner_product"]) != 0, "the unit does not separate")


def nothing_separates(fact: Fact) -> None:
    """The residuals are not all zero, but sum to zero at each distinct input: no function of the input separates."""
    sums: dict[tuple[Fraction, ...], Fraction] = {}
    residuals = numbers(fact["residuals"])
    for z, r in zip(rows(fact["inputs"]), residuals, strict=True):
        sums[tuple(z)] = sums.get(tuple(z), Fraction(0)) + r
    require(any(residuals) and not any(sums.values()), "some function separates, or all residuals are zero")


KINDS = {
    "nothing-separates": nothing_separates,
    "separating-unit": separating_unit,
}

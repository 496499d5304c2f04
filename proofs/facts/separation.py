"""A unit that correlates with residuals (C4), or residuals that no function of the input correlates with."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Literal, TypedDict

from proof_of_absence.checker.kernel.certificate import rows_json
from proof_of_absence.models.rational import Vector
from proof_of_absence.proofs.facts.written import Fact, Row, Table, row

__all__ = ["NothingSeparates", "SeparatingUnit", "nothing_separates", "separating_unit"]


class SeparatingUnit(TypedDict):
    """sum_i r_i relu(w . z_i + b) is `inner_product`, which is not 0."""

    kind: Literal["separating-unit"]
    inputs: Table
    residuals: Row
    weights: Row
    bias: str
    inner_product: str


class NothingSeparates(TypedDict):
    """The residuals are not all 0, but sum to 0 at each distinct input."""

    kind: Literal["nothing-separates"]
    inputs: Table
    residuals: Row


def separating_unit(
    inputs: Sequence[Vector], residuals: Sequence[Fraction], w: Sequence[Fraction], b: Fraction
) -> Fact:
    """That the unit has a nonzero inner product with the residuals."""
    total = sum(
        r * max(sum((x * y for x, y in zip(w, z, strict=True)), start=b), Fraction(0))
        for z, r in zip(inputs, residuals, strict=True)
    )
    fact: SeparatingUnit = {
        "kind": "separating-unit",
        "inputs": rows_json(inputs),
        "residuals": row(residuals),
        "weights": row(w),
        "bias": str(b),
        "inner_product": str(total),
    }
    return dict(fact)


def nothing_separates(inputs: Sequence[Sequence[Fraction]], residuals: Sequence[Fraction]) -> Fact:
    """That residuals which are not all 0 cancel within each repeated input."""
    fact: NothingSeparates = {"kind": "nothing-separates", "inputs": rows_json(inputs), "residuals": row(residuals)}
    return dict(fact)

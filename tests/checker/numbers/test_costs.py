"""What a step costs grows with its operations, and no part of a product has more than the bound."""

from hypothesis import given
from hypothesis import strategies as st

from proof_of_absence.checker.numbers import costs
from proof_of_absence.checker.numbers.costs import PRODUCT, SVD, cost, panel

SIZES = st.integers(1, 10**6)


@given(SIZES, SIZES)
def test_a_factorization_costs_by_its_shape(rows, columns):
    assert cost(SVD, rows, columns) == cost(SVD, columns, rows) > cost(PRODUCT, rows, columns) > 0
    assert cost(SVD, 2 * rows, 2 * columns) > 7 * cost(SVD, rows, columns)


@given(SIZES, SIZES)
def test_a_part_of_a_product_is_bounded(rows, inner):
    columns = panel(rows, inner)
    assert columns == 1 or rows * inner * columns <= costs.PANEL
    assert rows * inner * (columns + 1) > costs.PANEL

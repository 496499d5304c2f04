"""Products of integer matrices by their digits are those of the integers themselves."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from proof_of_absence.checker.independent.values import products
from proof_of_absence.checker.independent.values.products import product


@st.composite
def matrices(draw):
    """Two that fit, with entries of any size: many digits, few, or none."""
    rows, terms, columns = draw(st.integers(8, 10)), draw(st.integers(1, 40)), draw(st.integers(8, 10))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    found = []
    for shape in ((rows, terms), (terms, columns)):
        bits = draw(st.sampled_from([0, 1, 20, 53, 64, 200]))
        edge = draw(st.booleans())
        entries = [(1 << bits) - int(rng.integers(2)) if edge else int.from_bytes(rng.bytes(bits // 8 + 1)) >> 8
                   for _ in range(shape[0] * shape[1])]  # fmt: skip
        signs = rng.choice([-1, 1], size=len(entries)).tolist()
        signed = [entry * sign for entry, sign in zip(entries, signs, strict=True)]
        found.append(np.array(signed, dtype=object).reshape(shape))
    return found


@given(pair=matrices())
def test_they_are_those_of_the_integers(pair):
    left, right = pair
    few, products.FEW = products.FEW, 0
    try:
        found = product(left, right)
    finally:
        products.FEW = few
    assert (found == left.dot(right)).all()
    assert all(type(entry) is int for entry in found.ravel())

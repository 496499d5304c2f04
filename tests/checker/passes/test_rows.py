"""Groups of equal rows against a plain comparison, also where the numbers that mark rows are equal by chance."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from proof_of_absence.checker.passes import rows as module
from proof_of_absence.checker.passes.rows import distinct_rows, groups

ENTRIES = st.sampled_from([0.0, -0.0, 1.0, -1.0, 5e-324, 1e308, 0.1, float(np.float32(0.1))])
INPUTS = st.tuples(st.integers(1, 12), st.integers(1, 3)).flatmap(
    lambda shape: arrays(np.float64, shape, elements=ENTRIES)
)


def plainly(inputs):
    """The groups, and the first row of each."""
    seen: list = []
    found = []
    for row in inputs.tolist():
        if row not in seen:
            seen.append(row)
        found.append(seen.index(row))
    return found, [found.index(group) for group in range(len(seen))]


@given(INPUTS)
def test_groups_are_those_of_equal_rows(inputs):
    assert (groups(inputs).tolist(), distinct_rows(inputs).tolist()) == plainly(inputs)


@given(INPUTS, st.integers(1, 3))
def test_rows_that_only_share_a_mark_are_told_apart(inputs, marks):
    own, module._marks = module._marks, lambda rows: own(rows) % np.uint64(marks)
    try:
        assert groups(inputs).tolist() == plainly(inputs)[0]
    finally:
        module._marks = own


def test_rows_of_many_columns_and_blocks(monkeypatch):
    inputs = np.random.default_rng(0).integers(0, 2, size=(9000, 12)).astype(np.float32).astype(np.float64) / 3
    assert groups(inputs).tolist() == plainly(inputs)[0]

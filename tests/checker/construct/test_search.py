"""The search for units: the best threshold on a line, kinks in many dimensions, and inputs on which floats overflow."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from proof_of_absence.checker.construct.search import candidates

FINITE = st.floats(allow_nan=False, allow_infinity=False)


def gain(candidate, inputs, residual):
    """What the unit and the output bias take off the sum of squares of the centred residual."""
    phi = np.maximum(inputs @ candidate.weights + candidate.bias, 0)
    phi, residual = phi - phi.mean(), residual - residual.mean(axis=0)
    return ((phi @ residual) ** 2).sum() / (phi @ phi) if phi @ phi > 0 else 0.0


@given(st.lists(st.tuples(st.integers(-8, 8), st.integers(-8, 8)), min_size=2, max_size=9))
def test_on_a_line_no_threshold_at_a_point_is_better(rows):
    inputs, residual = (np.array(column, dtype=float)[:, None] for column in zip(*rows, strict=True))
    found = candidates(inputs, residual, np.dtype(np.float64))
    units = [type(found[0])(0.0, np.array([s]), -s * t) for s in (1.0, -1.0) for (t,) in inputs] if found else []
    best = max((gain(unit, inputs, residual) for unit in units), default=0.0)
    assert max((gain(c, inputs, residual) for c in found), default=0.0) >= best * (1 - 1e-9)


@pytest.mark.parametrize("d", [2, 50])
def test_kinks_are_found_in_many_dimensions(d):
    rng = np.random.default_rng(d)
    inputs = rng.standard_normal((2000, d))
    residual = np.abs(inputs @ rng.standard_normal(d))[:, None]
    best = candidates(inputs, residual, np.dtype(np.float32))[0]
    centred = residual - residual.mean()
    # One relu of the two that make up |w.z|, found from nothing.
    assert gain(best, inputs, residual) > (centred * centred).sum() / 4


@given(
    st.sampled_from([np.dtype(np.float32), np.dtype(np.float64)]),
    hnp.arrays(np.float64, (5, 2), elements=FINITE),
    hnp.arrays(np.float64, (5, 2), elements=FINITE),
)
def test_whatever_the_numbers_the_units_are_of_the_type(dtype, inputs, residuals):
    for candidate in candidates(inputs, residuals, dtype):
        assert (candidate.weights.astype(dtype) == candidate.weights).all() and dtype.type(
            candidate.bias
        ) == candidate.bias

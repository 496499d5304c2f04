"""Closed forms against numpy's pseudo-inverse, and what they refuse."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proof_of_absence.checker.minima.ridge import minimum_norm, ridge
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.layers import Affine
from proof_of_absence.models.net import MLP, shallow
from tests.conftest import vectors

FEATURES = shallow([([1, 0], 0, [0]), ([0, 1], 1, [0]), ([-1, 1], 0, [0])], [0])


@given(st.data(), st.booleans())
def test_a_small_penalty_leads_to_the_solution_of_minimum_norm(data, intercept):
    inputs = data.draw(st.lists(vectors(2, st.integers(-3, 3)), min_size=1, max_size=5))
    examples = Dataset(inputs, [data.draw(vectors(1)) for _ in inputs])
    least, _ = minimum_norm(FEATURES, examples, intercept=intercept)
    features = np.array([[float(x) for x in FEATURES.activations(z)[1]] for z in inputs])
    targets = np.array([float(y) for (y,) in examples.targets])
    if intercept:
        features, targets = features - features.mean(axis=0), targets - targets.mean()
    expected = np.linalg.pinv(features, rcond=1e-9) @ targets
    assert [float(a) for a in least.layers[1].weights[0]] == pytest.approx(expected, abs=1e-6)
    near = ridge(FEATURES, examples, "1/10000000000000", intercept=intercept)
    assert [float(a) for a in near.layers[1].weights[0]] == pytest.approx(expected, abs=1e-6)


def test_what_is_no_regression():
    deep = MLP((Affine([[1]], [0]), Affine([[1]], [0]), Affine([[1]], [0])))
    with pytest.raises(ValueError, match="for one hidden layer"):
        ridge(deep, Dataset([[1]], [[1]]), 1, intercept=True)
    with pytest.raises(ValueError, match="penalty 0 is not positive: use minimum_norm"):
        ridge(FEATURES, Dataset([[1, 1]], [[1]]), 0, intercept=True)

"""The convex reformulation against training by a general optimiser, and what it is not for."""

from fractions import Fraction

import numpy as np
import pytest
from absence.checker.convex import convex_optimum, decayed_loss
from absence.models.data import Dataset
from absence.models.net import shallow
from scipy.optimize import minimize

XOR = Dataset([[0, 0], [1, 0], [0, 1], [1, 1]], [[0], [1], [1], [0]])
LINE = Dataset([[-2], [0], [1], [3]], [[1], [-1], [2], [0]])


def trained(data, decay, units, start):
    """Local optimisation of the decayed loss over all parameters, from a random net."""
    inputs = np.array([[*map(float, z), 1.0] for z in data.inputs])
    targets = np.array([float(y) for (y,) in data.targets])
    shape = (units, inputs.shape[1])

    def loss(theta):
        weights, out = theta[: shape[0] * shape[1]].reshape(shape), theta[shape[0] * shape[1] :]
        pre = inputs @ weights.T
        error = np.maximum(pre, 0) @ out - targets
        back = error[:, None] * out * (pre > 0)
        slope = np.concatenate([(back.T @ inputs).ravel(), np.maximum(pre, 0).T @ error]) + decay * theta
        return error @ error / 2 + decay / 2 * theta @ theta, slope

    return minimize(loss, start, jac=True, method="L-BFGS-B").fun


@pytest.mark.parametrize(("data", "decay"), [(XOR, 0.125), (LINE, 0.125), (LINE, 1.0)])
def test_training_never_gets_below_and_sometimes_gets_there(data, decay):
    found = convex_optimum(data, Fraction(decay))
    generator = np.random.default_rng(0)
    reached = [trained(data, decay, 8, generator.normal(size=8 * (len(data.inputs[0]) + 2))) for _ in range(20)]
    assert min(reached) >= float(found.bound) - 1e-9
    assert min(reached) == pytest.approx(float(found.value), rel=2e-3)


def test_strong_decay_leaves_the_net_that_is_zero():
    found = convex_optimum(LINE, 100)
    assert found.value == found.bound == decayed_loss(shallow([([0], 0, [0])], [0]), LINE, 100) == 3
    assert not found.multipliers


def test_what_the_convex_program_is_not_for():
    with pytest.raises(ValueError, match="penalty 0 is not positive"):
        convex_optimum(LINE, 0)
    with pytest.raises(ValueError, match="one output and at most 8 distinct inputs"):
        convex_optimum(Dataset([[0]], [[1, 2]]), 1)
    with pytest.raises(ValueError, match="one output and at most 8 distinct inputs"):
        convex_optimum(Dataset([[i] for i in range(9)], [[0]] * 9), 1)

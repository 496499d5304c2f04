"""The convex reformulation against training by a general optimiser, and what it is not for."""

from fractions import Fraction

import numpy as np
import pytest
from scipy.optimize import minimize

from proof_of_absence.checker.minima.convex import convex_optimum, decayed_loss
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.net import shallow

XOR = Dataset([[0, 0], [1, 0], [0, 1], [1, 1]], [[0], [1], [1], [0]])
LINE = Dataset([[-2], [0], [1], [3]], [[1], [-1], [2], [0]])


def trained(data, decay, start):
    """Local optimisation of the decayed loss over all parameters, from rows (w, b, a)."""
    inputs = np.array([[*map(float, z), 1.0] for z in data.inputs])
    targets = np.array([float(y) for (y,) in data.targets])

    def loss(theta):
        units = theta.reshape(start.shape)
        weights, out = units[:, :-1], units[:, -1]
        pre = inputs @ weights.T
        error = np.maximum(pre, 0) @ out - targets
        back = (error[:, None] * out * (pre > 0)).T @ inputs
        slope = np.column_stack([back, np.maximum(pre, 0).T @ error]).ravel() + decay * theta
        return error @ error / 2 + decay / 2 * theta @ theta, slope

    return minimize(loss, start.ravel(), jac=True, method="L-BFGS-B", options={"maxiter": 100}).fun


@pytest.mark.parametrize(("data", "decay"), [(XOR, 0.125), (LINE, 0.125), (LINE, 1.0)])
def test_training_never_gets_below_and_comes_back_from_near(data, decay):
    found = convex_optimum(data, Fraction(decay))
    hidden, output = found.net.layers
    best = np.array([[*w, b, a] for w, b, a in zip(hidden.weights, hidden.bias, output.weights[0], strict=True)], float)
    generator = np.random.default_rng(0)
    near = trained(data, decay, best + generator.normal(size=best.shape, scale=0.05))
    far = [trained(data, decay, generator.normal(size=(8, best.shape[1]))) for _ in range(3)]
    assert min(near, *far) >= float(found.bound) - 1e-9
    assert near == pytest.approx(float(found.value), rel=0.02)


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

"""Strategies for audits of losses: float nets of one hidden layer with idle circuits, and data whose inputs repeat."""

from fractions import Fraction
from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st

from proof_of_absence.checker.audit.findings import CircuitFinding
from proof_of_absence.models.circuit import Unit
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.floatnet import FloatNet
from tests.checker.audit.conftest import rational_layer

MILD = st.floats(-4, 4, width=32)
DENORMAL = 2.0**-149


def wild(dtype):
    """Floats from the smallest subnormal to near the largest, where products still fit or do not."""
    reach = 126 if dtype == np.float32 else 1020
    low = -149 if dtype == np.float32 else -1074
    powers = st.builds(lambda s, p: s * 2.0**p, st.sampled_from([-1, 1]), st.integers(low, reach))
    return st.one_of(MILD, powers, st.just(0.0))


class Problem(NamedTuple):
    """A float net, inputs (N, d), targets (N, m), and idle circuits of the net."""

    net: FloatNet
    inputs: np.ndarray
    targets: np.ndarray
    circuits: tuple[CircuitFinding, ...]

    @property
    def data(self) -> Dataset:
        """The same data over the rationals."""
        return Dataset(self.inputs.tolist(), self.targets.tolist())


def array(draw, shape, entries):
    """An array of drawn floats."""
    size = int(np.prod(shape))
    return np.array(draw(st.lists(entries, min_size=size, max_size=size)), dtype=np.float64).reshape(shape)


@st.composite
def problems(draw, *, extreme=False, idle=True, rows=7, depth=1, rational=False):
    """Nets, float32 or float64, shallow or with a layer below,
    with a dead unit and a constant one (value not 0) if `idle`; some layers of rationals if `rational`.
    """
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    entries = wild(dtype) if extreme else MILD
    d, m, n = (draw(st.integers(1, 3)) for _ in range(3))
    pool = array(draw, (draw(st.integers(1, 4)), d), MILD)
    inputs = pool[draw(st.lists(st.integers(0, len(pool) - 1), min_size=1, max_size=rows))]
    targets = array(draw, (len(inputs), m), entries)
    lower = [(array(draw, (d, d), MILD), array(draw, d, MILD)) for _ in range(depth - 1)]
    hidden, bias = array(draw, (n, d), entries), array(draw, n, entries)
    output, c = array(draw, (m, n), entries), array(draw, m, entries)
    circuits = ()
    if idle:
        # relu(w.z - 1024) is 0 where |w| <= 4 and |z| <= 52, as below it; relu(0.z + 3/2) is 3/2.
        hidden = np.vstack([hidden, array(draw, (1, d), MILD), np.zeros((1, d))])
        bias = np.append(bias, [-1024, 1.5])
        output = np.hstack([output, array(draw, (m, 2), entries)])
    layers = FloatNet((*lower, (hidden, bias), (output, c)), dtype).layers
    if rational:
        layers = [draw(rational_layer(layer)) if draw(st.booleans()) else layer for layer in layers]
    net = FloatNet(layers, dtype)
    if idle:
        exact = net.exact().layers[-2:]
        send = [row[n + 1] * exact[0].bias[n + 1] for row in exact[1].weights]
        circuits = (
            CircuitFinding((Unit(depth, n),), {Unit(depth + 1, k): Fraction(0) for k in range(m)}),
            CircuitFinding((Unit(depth, n + 1),), {Unit(depth + 1, k): v for k, v in enumerate(send)}),
        )
    return Problem(net, inputs, targets, circuits)

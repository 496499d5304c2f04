"""Strategies that the audit's tests share: float nets with integer, dyadic, huge and denormal weights,
and idle units planted.
"""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import strategies as st

from proof_of_absence.checker.kernel import stages
from proof_of_absence.models.floatnet import FloatNet
from proof_of_absence.models.layers import FloatLayer, RationalAffine, exact
from tests.checker.audit.graph_folder import model


@pytest.fixture(autouse=True, scope="session")
def what_is_found_at_once_is_taken_too():
    """The nets of these tests are small: all that is kept of them is found at once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stages, "QUICK", 0.0)
        yield


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with a network and data, which is the current one."""
    rng = np.random.default_rng(1)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.onnx").write_bytes(model().SerializeToString())
    np.savez("train.npz", X=rng.integers(0, 9, (20, 1, 1, 5)).astype(np.float32), Y=rng.integers(0, 2, 20))
    np.savez("deploy.npz", X=np.array([[0, 0, 0, 0, 0], [0, 12, 0, 0, 0]], np.float32))
    return tmp_path


# Few values, so that cancellations, ties and repeats happen.
PLAIN = st.sampled_from([0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -3.0, 0.1, -0.1, 1 / 3])
WILD = st.one_of(
    PLAIN,
    st.builds(lambda sign, power: sign * 2.0**power, st.sampled_from([-1, 1]), st.integers(-1074, 500)),
    st.sampled_from([5e-324, -5e-324, 1.7976931348623157e308, 2.0**-1022, 1 + 2.0**-52, 1e-30, 1e30]),
    st.floats(allow_nan=False, allow_infinity=False),
)


def matrices(rows: int, columns: int, entries):
    """Float matrices of a shape."""
    row = st.lists(entries, min_size=columns, max_size=columns)
    return st.lists(row, min_size=rows, max_size=rows).map(lambda m: np.array(m, dtype=float).reshape(rows, columns))


@st.composite
def float_nets(draw, entries=None, depth=2, width=4):
    """A net of one or more hidden layers and inputs, with repeats, dead, constant,
    cancelling and one-ulp units among them.
    """
    entries = entries if entries is not None else draw(st.sampled_from([PLAIN, WILD]))
    widths = [draw(st.integers(1, 3)), *(draw(st.integers(1, width)) for _ in range(draw(st.integers(1, depth))))]
    widths.append(draw(st.integers(1, 2)))
    pool = draw(matrices(draw(st.integers(1, 5)), widths[0], entries))
    inputs = pool[draw(st.lists(st.integers(0, len(pool) - 1), min_size=1, max_size=7))]
    layers = []
    for fan_in, fan_out in itertools.pairwise(widths):
        weights, bias = draw(matrices(fan_out, fan_in, entries)), draw(matrices(1, fan_out, entries))[0]
        for j in range(fan_out):
            match draw(st.integers(0, 5)):
                case 0:
                    weights[j] = 0
                case 1:
                    weights[j] = weights[0]
                    bias[j] = bias[0]
                case 2:
                    # As close to the edge of the data as a float gets, on either side of it.
                    with np.errstate(over="ignore", invalid="ignore"):
                        edge = -float((pool @ weights[j]).max()) if fan_in == len(pool[0]) else bias[j]
                        edge = draw(st.sampled_from([edge, np.nextafter(edge, -np.inf), np.nextafter(edge, np.inf)]))
                    bias[j] = edge if np.isfinite(edge) else 0
        layers.append((weights, bias))
    return FloatNet(layers), inputs


# What a layer is multiplied by; with one factor for all of it, ties and cancellations stay.
FACTORS = st.sampled_from(
    [Fraction(1), Fraction(1, 3), Fraction(5, 7), 1 + Fraction(1, 2**70), Fraction(2**65 + 1, 9 * 2**63)]
)


@st.composite
def rational_layer(draw, layer: FloatLayer) -> FloatLayer:
    """The layer times a number, with one entry moved by a part of it that no float shows; if normal floats are near."""
    factor, whole = draw(FACTORS), exact(layer)
    rows = [[factor * entry for entry in (*row, b)] for row, b in zip(whole.weights, whole.bias, strict=True)]
    i, j = draw(st.integers(0, len(rows) - 1)), draw(st.integers(0, len(rows[0]) - 1))
    rows[i][j] *= 1 + draw(st.sampled_from([0, Fraction(1, 2**80), Fraction(-1, 3**50)]))
    divisor = math.lcm(*(entry.denominator for row in rows for entry in row))
    try:
        return RationalAffine.of(np.array([[int(x * divisor) for x in row] for row in rows], dtype=object), divisor)
    except ValueError:
        return layer


@st.composite
def any_nets(draw, entries=None, depth=2, width=4):
    """As `float_nets`, with layers that no float64 holds among them."""
    net, inputs = draw(float_nets(entries, depth, width))
    return FloatNet([draw(rational_layer(layer)) if draw(st.booleans()) else layer for layer in net.layers]), inputs


def hidden_values(net: FloatNet, inputs: np.ndarray) -> list[list[tuple[Fraction, ...]]]:
    """For each input the hidden layers' values, by `MLP`, which shares no code with the audit."""
    exact = net.exact()
    return [list(exact.activations(z)[1:-1]) for z in inputs.tolist()]

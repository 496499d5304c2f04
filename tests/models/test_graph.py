"""Graphs of layers over the rationals against torch, on integers, which float64 holds without rounding."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proof_of_absence.models.graph import Graph, Node, value_of
from proof_of_absence.models.graph_layers import (
    AveragePool,
    BatchNorm,
    Clip,
    Concat,
    Conv,
    Dense,
    LeakyRelu,
    MaxPool,
    Rearrange,
    Relu,
    Scale,
    Sum,
)
from proof_of_absence.models.windows import Window

torch = pytest.importorskip("torch")


def fractions(array):
    found = np.empty(array.shape, dtype=object)
    found.reshape(-1)[:] = [Fraction(int(x)) for x in array.reshape(-1)]
    return found


def equal(ours, theirs):
    theirs = theirs.detach().numpy()
    return ours.shape == theirs.shape and all(
        Fraction(float(b)) == a for a, b in zip(ours.reshape(-1), theirs.reshape(-1), strict=True)
    )


@st.composite
def windowed(draw):
    """A spatial shape, the arguments that torch takes, and the window that is meant."""
    axes = draw(st.sampled_from([1, 2]))
    spatial = tuple(draw(st.lists(st.integers(4, 7), min_size=axes, max_size=axes)))
    kernel, stride, dilation = (
        tuple(draw(st.lists(st.integers(1, most), min_size=axes, max_size=axes))) for most in (3, 3, 2)
    )
    padding = tuple(draw(st.integers(0, k // 2)) for k in kernel)
    reach = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
    sizes = zip(spatial, padding, reach, stride, strict=True)
    counts = tuple((size + 2 * p - r) // s + 1 for size, p, r, s in sizes)
    if min(counts) < 1:
        dilation = (1,) * axes
        counts = tuple((n + 2 * p - k) // s + 1 for n, p, k, s in zip(spatial, padding, kernel, stride, strict=True))
    window = Window(kernel, counts, strides=stride, dilations=dilation, before=padding)
    return spatial, {"stride": stride, "padding": padding, "dilation": dilation}, window


@settings(max_examples=60, deadline=None)
@given(windowed(), st.sampled_from([(1, 2, 3), (2, 4, 2), (3, 3, 6)]), st.integers(0, 2**32 - 1))
def test_a_convolution_is_that_of_torch(asked, sizes, seed):
    spatial, arguments, window = asked
    groups, channels_in, channels_out = sizes
    channels_out *= groups if channels_out % groups else 1
    rng = np.random.default_rng(seed)
    weights = rng.integers(-3, 4, (channels_out, channels_in // groups, *window.kernel)).astype(float)
    bias, h = rng.integers(-3, 4, channels_out).astype(float), rng.integers(-3, 4, (channels_in, *spatial))
    convolve = {1: torch.nn.functional.conv1d, 2: torch.nn.functional.conv2d}[len(spatial)]
    given_ = (torch.tensor(x, dtype=torch.float64) for x in (h[None], weights, bias))
    theirs = convolve(*given_, groups=groups, **arguments)[0]
    assert equal(value_of(Conv(weights, bias, window, groups), [fractions(h)]), theirs)


@settings(max_examples=40, deadline=None)
@given(windowed(), st.integers(0, 2**32 - 1))
def test_pools_are_those_of_torch(asked, seed):
    spatial, arguments, window = asked
    h = np.random.default_rng(seed).integers(-9, 10, (2, *spatial))
    given_ = torch.tensor(h[None], dtype=torch.float64)
    greatest = {1: torch.nn.functional.max_pool1d, 2: torch.nn.functional.max_pool2d}[len(spatial)]
    theirs = greatest(given_, window.kernel, **arguments)[0]
    assert equal(value_of(MaxPool(window), [fractions(h)]), theirs)


@pytest.mark.parametrize("counted", [True, False])
def test_an_average_is_that_of_torch(counted):
    h = np.arange(2 * 5 * 5).reshape(2, 5, 5) * 36
    window = Window((2, 3), (3, 3), strides=(2, 2), before=(1, 1))
    reads = (window.index((5, 5)) >= 0).sum(axis=1).reshape(3, 3)
    pool = AveragePool(window, np.full((3, 3), 6) if counted else reads)
    theirs = torch.nn.functional.avg_pool2d(
        torch.tensor(h[None], dtype=torch.float64), (2, 3), stride=2, padding=(1, 1), count_include_pad=counted
    )
    assert equal(value_of(pool, [fractions(h)]), theirs[0])


def test_the_other_layers_by_their_definitions():
    h = np.array([[Fraction(-2), Fraction(3)]], dtype=object)
    assert value_of(Relu(), [h]).tolist() == [[0, 3]]
    assert value_of(LeakyRelu(Fraction(1, 4)), [h]).tolist() == [[Fraction(-1, 2), 3]]
    assert value_of(Clip(Fraction(-1), Fraction(2)), [h]).tolist() == [[-1, 2]]
    assert value_of(Clip(None, Fraction(2)), [h]).tolist() == [[-2, 2]]
    assert value_of(Scale([Fraction(1, 3)], [1]), [h]).tolist() == [[Fraction(1, 3), 2]]
    assert value_of(Sum((1, -1)), [h, 2 * h]).tolist() == [[2, -3]]
    assert value_of(Concat(0), [h, 2 * h]).tolist() == [[-2, 3], [-4, 6]]
    assert value_of(Rearrange([[1], [-1]], fill=7), [h]).tolist() == [[3], [7]]
    assert value_of(Dense([[1.0, 0.5]], [0.25]), [h]).tolist() == [[Fraction(-1, 4)]]


def test_what_does_not_fit_is_refused_with_the_name_of_the_node():
    with pytest.raises(ValueError, match=r"node 1 \(fc\): reads 3 values of \(2,\)"):
        Graph((2,), [Node(Dense([[1.0, 2, 3]], [0]), (0,), "fc")])
    with pytest.raises(ValueError, match=r"node 1 reads .* before"):
        Graph((2,), [Node(Relu(), (1,))])
    with pytest.raises(ValueError, match="node 1: adds"):
        Graph((2,), [Node(Sum((1, 1)), (0,))])
    with pytest.raises(ValueError, match="reads padding alone"):
        Graph((1, 2), [Node(MaxPool(Window((1,), (2,), before=(1,))), (0,))])
    with pytest.raises(ValueError, match="not positive"):
        BatchNorm([1], [0], [0], [0])


def test_a_residual_block_and_what_reads_what():
    net = Graph((2,), [
        Node(Dense(np.eye(2), [0, 0]), (0,)), Node(Relu(), (1,)), Node(Sum((1, 1)), (0, 2)),
        Node(Dense([[1, 1]], [0]), (3,)),
    ])  # fmt: skip
    assert net([3, -2]).tolist() == [4]
    assert net.readers == ((1, 3), (2,), (3,), (4,), ()) and net.activations == (2,) and net.parameter_count == 9

"""The queries and nets of shared weights against direct evaluation: sums over positions written out."""

from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proof_of_absence.checker.independent.sexpr import Script as Read
from proof_of_absence.models.circuit import fires, idle_value
from proof_of_absence.proofs import channels
from tests.proofs.test_queries import rationals

SMALL = st.integers(-3, 3)


def convolved(kernels, bias, values, pad):
    """One channel put out by a convolution of the channels `values`, with zeros beyond the ends."""
    width = len(kernels[0])
    padded = [[Fraction(0)] * pad + list(x) + [Fraction(0)] * pad for x in values]
    return [
        bias + sum(w[k] * x[start + k] for w, x in zip(kernels, padded, strict=True) for k in range(width))
        for start in range(len(padded[0]) - width + 1)
    ]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(rationals, min_size=3, max_size=3), min_size=2, max_size=2),
    st.lists(st.lists(rationals, min_size=4, max_size=4), min_size=2, max_size=2),
    rationals,
    rationals,
    st.integers(0, 1),
    st.sampled_from([0, "v"]),
    st.sampled_from([[0], list(range(channels.POSITIONS))]),
)
def test_the_reader_query_says_what_cutting_a_channel_changes(kernels, values, bias, v, pad, value, where):
    script = Read(channels.cut_reader(pad, value, where=where).script.text())
    number = v if value == "v" else Fraction(0)
    for position in where:
        values[-1][position] = number
    named = {"b": bias} | ({"v": v} if value == "v" else {})
    for c, k in product(range(channels.CHANNELS), range(channels.WIDTH)):
        named[f"w{c}_{k}"] = kernels[c][k]
    for c, p in product(range(channels.CHANNELS), range(channels.POSITIONS)):
        named[f"x{c}_{p}"] = values[c][p]
    cut = convolved(kernels[:1], bias + number * sum(kernels[1]), values[:1], pad)
    differ = cut != convolved(kernels, bias, values, pad)
    assert script.holds(script.assertions[:-1], named)
    assert script.holds(script.assertions[-1:], named) == differ
    whole = len(where) == channels.POSITIONS
    assert not (differ and whole and (number == 0 or not pad))


@given(st.lists(rationals, min_size=3, max_size=3), rationals, st.sampled_from([0, "v"]))
def test_the_window_query_says_when_a_unit_is_missed(others, v, value):
    script = Read(channels.drop_from_window(value).script.text())
    named = {f"t_{k}": t for k, t in enumerate(others)} | ({"v": v} if value == "v" else {})
    idle = v if value == "v" else 0
    assert script.holds(script.assertions[:-1], named) == (min(others) >= 0)
    assert script.holds(script.assertions[-1:], named) == (max(idle, *others) != max(others))


@given(rationals, rationals, rationals)
def test_the_window_sees_what_a_cut_unit_does(unit, changed, other):
    script = Read(channels.other_unit().script.text())
    named = {"unit": unit, "changed": changed, "other": other}
    assert script.holds(script.assertions, named) == (max(unit, other) != max(changed, other))


@given(rationals, rationals, rationals, rationals)
def test_no_channel_tells_mirrored_inputs_apart(w, b, a, c):
    script = Read(channels.mirrored().script.text())

    def answer(z):
        return c + a * sum(max(w * t + b, 0) for t in z)

    loss = (answer((0, 1)) - 1) ** 2 + (answer((1, 0)) + 1) ** 2
    assert script.holds(script.assertions, {"w": w, "b": b, "a": a, "c": c}) == (loss < 2)
    assert loss >= 2


@given(
    st.lists(st.tuples(st.lists(SMALL, min_size=3, max_size=3), SMALL), min_size=1, max_size=3),
    st.lists(SMALL, min_size=5, max_size=5),
)
def test_a_convolution_as_a_dense_layer_is_the_sum_over_positions(made, values):
    layer = channels.convolution([([kernel], bias) for kernel, bias in made], len(values))
    expected = [v for kernel, bias in made for v in convolved([kernel], bias, [values], 1)]
    assert list(layer([Fraction(v) for v in values])) == expected


def test_the_channels_that_are_cut_are_idle_and_fire_elsewhere():
    net, last = channels.POOLED, channels.POOLED_CIRCUIT
    assert set(idle_value(net, last, channels.POOLED_DATA.inputs).values()) == {0}
    assert fires(net, last, channels.POOLED_DATA.inputs, [0, 0, 10])


@pytest.mark.parametrize(("channel", "holds"), [(0, False), (1, True)])
def test_a_channel_can_be_cut_just_if_it_is_idle_at_all_positions(channel, holds):
    assert channels.cut_channel(channel).holds == holds


def test_the_reused_channel_has_one_kernel_and_one_readout():
    _, lower = channels.reused_channel().fact["facts"]
    first, last = lower["after"]
    kernels = {first["weights"][3 + j][j] for j in range(3)}
    off = {row[k] for j, row in enumerate(first["weights"][3:]) for k in range(3) if k != j}
    assert len(kernels) == 1 and off == {"0"}
    assert len(set(first["bias"][3:])) == 1 and len(set(last["weights"][0][3:])) == 1

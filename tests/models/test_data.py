"""Datasets: loss, groups and noise floor against brute force."""

from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proof_of_absence.models.data import Dataset
from proof_of_absence.models.net import shallow
from tests.conftest import SMALL, datasets, nets, vectors


def brute_loss(data, outputs):
    """The mean squared distance of the targets to one output a row."""
    total = Fraction(0)
    for y, f in zip(data.targets, outputs, strict=True):
        for k in range(len(y)):
            total += (y[k] - f[k]) ** 2
    return total / len(data.inputs)


def brute_means(data):
    """For each distinct input, the mean of its targets."""
    return {
        z: [
            sum(c) / Fraction(len(c))
            for c in zip(*(y for x, y in zip(data.inputs, data.targets, strict=True) if x == z), strict=True)
        ]
        for z in data.inputs
    }


@given(datasets(), st.data())
def test_loss_and_residuals(data, more):
    net = more.draw(nets((len(data.inputs[0]), 2, len(data.targets[0]))))
    outputs = [net(z) for z in data.inputs]
    assert data.loss(net) == brute_loss(data, outputs)
    assert data.residuals(net) == tuple(
        tuple(y - f for y, f in zip(row, out, strict=True)) for row, out in zip(data.targets, outputs, strict=True)
    )


@given(datasets())
def test_groups(data):
    assert [g.input for g in data.groups] == sorted(set(data.inputs))
    assert sorted(i for g in data.groups for i in g.rows) == list(range(len(data)))
    assert {g.input: g.multiplicity for g in data.groups} == Counter(data.inputs)
    assert {g.input: list(g.mean_target) for g in data.groups} == brute_means(data)


@given(datasets(), st.data())
def test_no_function_beats_the_floor_and_the_mean_reaches_it(data, more):
    means = brute_means(data)
    assert data.noise_floor == brute_loss(data, [means[z] for z in data.inputs])
    function = {z: more.draw(vectors(len(mean), SMALL)) for z, mean in means.items()}
    loss = brute_loss(data, [function[z] for z in data.inputs])
    assert loss > data.noise_floor or all(list(function[z]) == mean for z, mean in means.items())


@given(datasets(), st.data())
def test_loss_above_floor_is_the_weighted_sum_of_squared_group_residuals(data, more):
    net = more.draw(nets((len(data.inputs[0]), 2, len(data.targets[0]))))
    excess = sum(
        g.multiplicity * sum(r * r for r in row) for g, row in zip(data.groups, data.group_residuals(net), strict=True)
    )
    assert data.loss(net) - data.noise_floor == excess / Fraction(len(data))


def test_order_of_rows_does_not_matter():
    rows = [([0, 1], [1]), ([0, 1], [3]), ([2, 0], ["1/2"])]
    one, other = (Dataset([z for z, _ in r], [y for _, y in r]) for r in (rows, rows[::-1]))
    assert one.noise_floor == other.noise_floor == Fraction(2, 3)
    assert [g.mean_target for g in one.groups] == [g.mean_target for g in other.groups]


@pytest.mark.parametrize(
    ("inputs", "targets", "message"),
    [
        ([], [], "the dataset is empty"),
        ([[0]], [[0], [1]], "1 inputs but 2 targets"),
        ([[0], [0, 1]], [[0], [1]], "rows of different lengths"),
        ([[0], [1]], [[0], [1, 2]], "rows of different lengths"),
        ([[float("nan")]], [[0]], "not a finite number"),
        ([[0]], [[True]], "truth value"),
    ],
)
def test_malformed_data_are_refused(inputs, targets, message):
    with pytest.raises(ValueError, match=message):
        Dataset(inputs, targets)


def test_a_net_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="zip"):
        Dataset([[0]], [[0, 0]]).loss(shallow([([1], 0, [1])], [0]))

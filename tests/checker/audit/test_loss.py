"""Losses and noise floors of float nets against `Dataset`, which has them as fractions."""

import hashlib
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given

from proof_of_absence.checker.audit import loss
from proof_of_absence.checker.audit.loss import losses
from proof_of_absence.checker.construct.squared_loss import noise_floor
from proof_of_absence.checker.passes import rows as rows_of
from proof_of_absence.checker.passes.residuals import evaluate
from proof_of_absence.checker.passes.rows import groups
from proof_of_absence.models.floatnet import FloatNet
from tests.checker.audit.problems import problems


@given(problems(extreme=True, rational=True))
def test_small_losses_are_exact(problem):
    found, floor = losses(problem.net, problem.inputs, problem.targets)
    assert found.is_exact and found.low == problem.data.loss(problem.net.exact())
    assert floor.is_exact and floor.low == problem.data.noise_floor


@pytest.mark.parametrize("extreme", [False, True])
def test_enclosures_contain_the_loss(monkeypatch, extreme):
    monkeypatch.setattr(loss, "SMALL", 0)

    @given(problems(extreme=extreme, rational=True))
    def holds(problem):
        found, floor = losses(problem.net, problem.inputs, problem.targets)
        exact = problem.data.loss(problem.net.exact())
        assert found.low <= exact <= found.high and floor.low <= found.low
        if not extreme:
            assert found.high - found.low <= (exact + 1) / 10**9

    holds()


@given(problems(extreme=True, rational=True))
def test_residuals_lie_within_their_radius(problem):
    try:
        found = evaluate(problem.net, problem.inputs, problem.targets)
    except OverflowError:
        return
    exact = problem.data.residuals(problem.net.exact())
    for i, j in np.ndindex(found.residuals.shape):
        assert abs(exact[i][j] - Fraction(found.residuals[i, j])) <= Fraction(found.radius[i, j])


def test_equal_inputs_are_one_group_whatever_the_sign_of_zero():
    inputs = np.array([[0.0, 1.0], [1.0, 0.0], [-0.0, 1.0]])
    assert groups(inputs).tolist() == [0, 1, 0]
    assert noise_floor(inputs, np.array([[1.0], [5.0], [2.0]])) == Fraction(1, 6)


@pytest.mark.parametrize("collide", [False, True])
def test_long_rows_are_told_apart_even_if_their_digests_collide(monkeypatch, collide):
    if collide:
        monkeypatch.setattr(
            rows_of, "blake2b", lambda content, digest_size: hashlib.blake2b(b"", digest_size=digest_size)
        )
    rows = np.arange(60.0).reshape(3, 20)
    assert groups(rows[[0, 1, 0, 2, 1, 2]]).tolist() == [0, 1, 0, 2, 1, 2]


def test_the_noise_floor_of_numbers_that_no_float_sum_holds():
    inputs, targets = np.zeros((3, 1)), np.array([[2.0**600], [2.0**-600], [1.0]])
    mean = (Fraction(2) ** 600 + Fraction(2) ** -600 + 1) / 3
    assert noise_floor(inputs, targets) == sum((Fraction(y) - mean) ** 2 for y in targets[:, 0].tolist()) / 3


def test_overflow_is_refused_where_exact_arithmetic_would_take_too_long(monkeypatch):
    net = FloatNet([([[1e300]], [0.0]), ([[1e300]], [0.0])])
    rows = np.ones((4, 1))
    assert losses(net, rows, rows)[0].low == (1 - Fraction(1e300) ** 2) ** 2
    monkeypatch.setattr(loss, "SMALL", 0)
    assert losses(net, rows, rows)[0].is_exact
    monkeypatch.setattr(loss, "AFFORDABLE", 0)
    with pytest.raises(OverflowError, match="overflows at 4 of 4 rows"):
        losses(net, rows, rows)


@pytest.mark.parametrize("shape", [(0, 1), (4, 2)])
def test_shapes_are_checked(shape):
    net = FloatNet([([[1.0]], [0.0])])
    with pytest.raises(ValueError, match="do not fit a net from 1 to 1"):
        evaluate(net, np.ones(shape), np.ones((4, 1)))

"""Scores against exact leverage, against what they are equal to, and intervals against plain resampling."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.covariance import LedoitWolf
from sklearn.metrics import roc_auc_score

from proof_of_absence.checker.construct.leverage import FreeMove, leverage
from proof_of_absence.checker.experiments.backdoors.scores import Scores, auroc, interval
from proof_of_absence.models.layers import Affine
from proof_of_absence.models.net import MLP

LABELS = np.arange(40) % 10


def known(seed, width=4, idle=()):
    clean = np.random.default_rng(seed).integers(0, 9, (len(LABELS), width)).astype(float)
    mask = np.zeros(width, dtype=bool)
    mask[list(idle)] = True
    clean[:, mask] = 2.0
    return Scores(clean, LABELS, mask)


def copies(width):
    """A net whose features are its inputs, if they are not negative."""
    eye = [[int(i == j) for j in range(width)] for i in range(width)]
    return MLP([Affine(eye, [0] * width), Affine([[1] * width], [0])])


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 1000), st.sampled_from([(), (1,)]), st.lists(st.integers(0, 9), min_size=4, max_size=4))
def test_leverage_is_the_exact_one(seed, idle, point):
    scores = known(seed, idle=idle)
    (found,) = scores.leverage(np.array([point], dtype=float))
    exact = leverage(copies(4), scores.clean.astype(int).tolist(), point)
    if isinstance(exact, FreeMove):
        assert np.isinf(found) and idle
    else:
        assert found == pytest.approx(float(exact.value), rel=1e-8)


def test_off_the_row_space_of_dependent_features_a_move_is_free():
    scores = known(8)
    twice = Scores(np.column_stack([scores.clean, 3 * scores.clean[:, 1]]), LABELS, np.zeros(5, dtype=bool))
    rows = np.random.default_rng(9).integers(0, 9, (6, 4)).astype(float)
    inside = np.column_stack([rows, 3 * rows[:, 1]])
    assert twice.leverage(inside) == pytest.approx(scores.leverage(rows)) and twice.condition() < 1e4
    assert np.isinf(twice.leverage(np.add(inside, [0, 0, 0, 0, 1]))).all()


def test_leverage_is_the_distance_to_the_mean_of_all_rows():
    scores = known(3)
    rows = np.random.default_rng(4).random((30, 4)) * 20
    away = rows - scores.clean.mean(axis=0)
    covariance = np.cov(scores.clean.T, bias=True)
    distance = (away * np.linalg.solve(covariance, away.T).T).sum(axis=1)
    assert scores.leverage(rows) == pytest.approx((1 + distance) / len(LABELS))


def test_the_nearest_class_counts():
    scores = known(5)
    means = np.stack([scores.clean[label == LABELS].mean(axis=0) for label in range(10)])
    assert scores.mahalanobis(means) == pytest.approx(0, abs=1e-12)
    assert (scores.mahalanobis(means + 9) > 0).all()


def test_the_distance_to_a_class_against_its_definition():
    scores = known(6)
    fitted = LedoitWolf(assume_centered=True)
    means = np.stack([scores.clean[label == LABELS].mean(axis=0) for label in range(10)])
    fitted.fit(scores.clean - means[LABELS])
    rows = np.random.default_rng(7).random((5, 4)) * 9
    each = [[(row - mean) @ fitted.precision_ @ (row - mean) for mean in means] for row in rows]
    assert scores.mahalanobis(rows) == pytest.approx(np.min(each, axis=1))


def test_an_unsure_net_has_a_high_margin_score():
    sure, unsure = [9.0, 0.0, 0.0], [1.0, 1.0, 0.0]
    assert Scores.margin(np.array([sure, unsure])) == pytest.approx([3 * np.exp(-9) - 1, 0], abs=1e-6)


FLOATS = st.integers(0, 5).map(float)


@given(arrays(np.float64, (2, 4), elements=FLOATS), arrays(np.float64, (2, 6), elements=FLOATS))
def test_an_interval_holds_what_it_is_about_where_nothing_varies(bad, clean):
    images = np.array([0, 2, 3, 5])
    low, high = interval(bad, clean, images)
    assert 0 <= low <= high <= 1
    if (bad.min() > clean.max()) or (bad.max() < clean.min()):
        assert low == high == float(bad.min() > clean.max())


def test_an_interval_against_plain_resampling():
    random = np.random.default_rng(1)
    clean = random.random((1, 60))
    images = np.arange(0, 60, 2)
    bad = clean[:, images] + random.random((1, 30)) - 0.3
    drawn = []
    for _ in range(1000):
        rows = random.integers(60, size=60)
        chosen = [np.flatnonzero(images == row)[0] for row in rows if row in images]
        truth = np.repeat([1, 0], [len(chosen), 60])
        drawn.append(roc_auc_score(truth, np.concatenate([bad[0, chosen], clean[0, rows]])))
    assert interval(bad, clean, images) == pytest.approx(tuple(np.quantile(drawn, [0.025, 0.975])), abs=0.02)


def test_free_inputs_rank_above_all_others_and_tie():
    inf = np.inf
    assert auroc(np.array([inf, 3.0]), np.array([1.0, 2.0])) == 1
    assert auroc(np.array([inf]), np.array([inf, 1.0])) == float(Fraction(3, 4))

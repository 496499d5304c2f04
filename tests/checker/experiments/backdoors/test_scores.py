"""Scores against what they are equal to, and intervals against plain resampling."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.covariance import LedoitWolf
from sklearn.metrics import roc_auc_score

from proof_of_absence.checker.experiments.backdoors.scores import Scores, auroc, interval, over

LABELS = np.arange(40) % 10


def known(seed, width=4):
    return Scores(np.random.default_rng(seed).integers(0, 9, (len(LABELS), width)).astype(float), LABELS)


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
    low, high = interval(np.stack([over(*pair) for pair in zip(bad, clean, strict=True)]), images)
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
    assert interval(np.stack([over(bad[0], clean[0])]), images) == pytest.approx(
        tuple(np.quantile(drawn, [0.025, 0.975])), abs=0.02
    )


@given(arrays(np.float64, 4, elements=FLOATS), arrays(np.float64, 6, elements=FLOATS))
def test_the_auroc_is_that_of_scikit_learn(bad, clean):
    assert auroc(bad, clean) == pytest.approx(roc_auc_score([1] * 4 + [0] * 6, np.concatenate([bad, clean])))

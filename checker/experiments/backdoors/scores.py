"""How far an input's features are from those of the clean training rows, by three scores; measured in floats.

Leverage (C21) with the constant feature is (1 + D) / N, D the squared Mahalanobis distance to the mean of all rows by
their covariance: to rank by one is to rank by the other. Beside it stands the distance to the nearest class mean (Lee,
Lee, Lee and Shin, NeurIPS 2018), and the margin of the softmax.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from scipy.special import softmax
from sklearn.covariance import LedoitWolf
from sklearn.metrics import roc_auc_score

from proof_of_absence.checker.experiments.backdoors.digits import CLASSES, Floats, Integers

__all__ = ["SCORES", "Scores", "auroc", "interval"]

SCORES = ("leverage", "mahalanobis", "margin")
# An idle unit that sends something else by so much leaves the features of the clean rows, and a move there is free.
STILL = 1e-9
# Smaller singular values, as a part of the greatest, are taken for 0.
RANK = 1e-10
DRAWS, LEVEL = 1000, 0.95


@dataclass(frozen=True, eq=False)
class Scores:
    """What is known of the clean rows' features, shape (rows, width), their classes, and which units are idle there."""

    clean: Floats
    labels: Integers
    idle: NDArray[np.bool_]

    @cached_property
    def _axes(self) -> tuple[Floats, Floats, Floats]:
        """Of the features that are not idle, their columns of length 1: singular values, right vectors, the scale."""
        clean = _constant(self.clean[:, ~self.idle])
        scale = np.linalg.norm(clean, axis=0)
        _, sizes, axes = np.linalg.svd(np.linalg.qr(clean / scale, mode="r"))
        return sizes, axes, np.asarray(scale)

    @cached_property
    def _classes(self) -> tuple[Floats, Floats]:
        """The mean of each class, and a root of the precision that all share, shrunk as Ledoit and Wolf do."""
        means = np.stack([self.clean[self.labels == label].mean(axis=0) for label in range(CLASSES)])
        fitted = LedoitWolf(assume_centered=True).fit(self.clean - means[self.labels])
        # With P = C C^T the distance is that of the rows x C.
        return means, np.linalg.cholesky(fitted.precision_)

    def leverage(self, rows: Floats) -> Floats:
        """h of each row, infinite where it is off the row space; h does not depend on the scale of a feature."""
        sizes, axes, scale = self._axes
        here = _constant(rows[:, ~self.idle]) / scale @ axes.T
        kept = sizes > RANK * sizes[0]
        found = np.asarray(((here[:, kept] / sizes[kept]) ** 2).sum(axis=1))
        off = (np.abs(here[:, ~kept]) > STILL).any(axis=1)
        off |= (np.abs(rows - self.clean[0])[:, self.idle] > STILL).any(axis=1)
        return np.where(off, np.inf, found)

    def condition(self) -> float:
        """The condition number of the scaled features on their row space: a leverage may lose twice as many digits."""
        sizes, _, _ = self._axes
        return float(sizes[0] / sizes[sizes > RANK * sizes[0]].min())

    def mahalanobis(self, rows: Floats) -> Floats:
        """The squared distance to the nearest class mean."""
        means, root = self._classes
        return np.asarray(cdist(rows @ root, means @ root, "sqeuclidean").min(axis=1))

    @staticmethod
    def margin(outputs: Floats) -> Floats:
        """The second largest less the largest probability: high where the net is unsure."""
        ranked = np.sort(softmax(outputs, axis=1), axis=1)
        return np.asarray(ranked[:, -2] - ranked[:, -1])


def _constant(features: Floats) -> Floats:
    return np.column_stack([np.ones(len(features)), features])


def auroc(bad: Floats, clean: Floats) -> float:
    """The probability that a bad input has the higher score, ties half."""
    truth = np.repeat([1, 0], [len(bad), len(clean)])
    # What is infinite is equal, and above all else.
    return float(roc_auc_score(truth, np.nan_to_num(np.concatenate([bad, clean]), posinf=np.finfo(np.float64).max)))


def interval(bad: Floats, clean: Floats, images: Integers) -> tuple[float, float]:
    """A bootstrap interval (95 %) of the mean AUROC over nets: nets and images are drawn, with what is made of them.

    Parameters
    ----------
    bad, clean
        Scores of shape (nets, bad inputs) and (nets, clean inputs).
    images
        For each bad input, the clean one that it was made from.
    """
    random = np.random.default_rng(0)
    above = (bad[:, :, None] > clean[:, None, :]) + 0.5 * (bad[:, :, None] == clean[:, None, :])
    count = clean.shape[1]
    drawn = random.multinomial(count, np.full(count, 1 / count), size=DRAWS).astype(np.float64)
    # Of few images a draw may hold none that a bad one was made from.
    drawn = drawn[drawn[:, images].any(axis=1)]
    pairs = drawn[:, images].sum(axis=1) * count
    each = np.stack([((drawn[:, images] @ table) * drawn).sum(axis=1) / pairs for table in above], axis=1)
    nets = random.integers(len(bad), size=(len(drawn), len(bad)))
    means = np.take_along_axis(each, nets, axis=1).mean(axis=1)
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)

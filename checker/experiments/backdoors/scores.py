"""Two scores that are often used beside the leverage, and how well a score ranks; measured in floats.

The distance to the nearest class mean (Lee, Lee, Lee and Shin, NeurIPS 2018), and the margin of the softmax. Leverage
with the constant feature is (1 + D) / N, D the squared Mahalanobis distance to the mean of all rows by their
covariance: to rank by one is to rank by the other.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.spatial.distance import cdist
from scipy.special import softmax
from sklearn.covariance import LedoitWolf

from proof_of_absence.checker.experiments.backdoors.digits import CLASSES, Floats, Integers

__all__ = ["RANKED", "SCORES", "Scores", "auroc", "interval", "over"]

SCORES = ("mahalanobis", "margin")
# All that inputs are ranked by: see `leverages`.
RANKED = ("leverage", *SCORES)
DRAWS, LEVEL = 1000, 0.95


@dataclass(frozen=True, eq=False)
class Scores:
    """What is known of the clean rows' features, shape (rows, width), and their classes."""

    clean: Floats
    labels: Integers

    @cached_property
    def _classes(self) -> tuple[Floats, Floats]:
        """The mean of each class, and a root of the precision that all share, shrunk as Ledoit and Wolf do."""
        means = np.stack([self.clean[self.labels == label].mean(axis=0) for label in range(CLASSES)])
        fitted = LedoitWolf(assume_centered=True).fit(self.clean - means[self.labels])
        # With P = C C^T the distance is that of the rows x C.
        return means, np.linalg.cholesky(fitted.precision_)

    def mahalanobis(self, rows: Floats) -> Floats:
        """The squared distance to the nearest class mean."""
        means, root = self._classes
        return np.asarray(cdist(rows @ root, means @ root, "sqeuclidean").min(axis=1))

    @staticmethod
    def margin(outputs: Floats) -> Floats:
        """The second largest less the largest probability: high where the net is unsure."""
        ranked = np.sort(softmax(outputs, axis=1), axis=1)
        return np.asarray(ranked[:, -2] - ranked[:, -1])


def auroc(bad: Floats, clean: Floats) -> float:
    """The probability that a bad input has the higher score, ties half."""
    return float(over(bad, clean).mean())


def over(bad: Floats, clean: Floats) -> Floats:
    """Of each bad against each clean input 1 if its score is higher, 0 if lower, 1/2 if it is the same."""
    return np.asarray((bad[:, None] > clean) + 0.5 * (bad[:, None] == clean))


def interval(above: Floats, images: Integers) -> tuple[float, float]:
    """A bootstrap interval (95 %) of the mean AUROC over nets: nets and images are drawn, with what is made of them.

    Parameters
    ----------
    above
        Of shape (nets, bad inputs, clean inputs): 1 where the bad one ranks higher, 0 where lower, else 1/2.
    images
        For each bad input, the clean one that it was made from.
    """
    random = np.random.default_rng(0)
    count = above.shape[2]
    drawn = random.multinomial(count, np.full(count, 1 / count), size=DRAWS).astype(np.float64)
    # Of few images a draw may hold none that a bad one was made from.
    drawn = drawn[drawn[:, images].any(axis=1)]
    pairs = drawn[:, images].sum(axis=1) * count
    each = np.stack([((drawn[:, images] @ table) * drawn).sum(axis=1) / pairs for table in above], axis=1)
    nets = random.integers(len(above), size=(len(drawn), len(above)))
    means = np.take_along_axis(each, nets, axis=1).mean(axis=1)
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)

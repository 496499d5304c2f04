"""C23 at deployment inputs: an input is covered if it is an average of training inputs of its own cell.

There every net of the same signs that agrees with this one in training agrees with it too, whatever its units do.
"""

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

import numpy as np

from proof_of_absence.checker.audit.detectors import deployment_findings
from proof_of_absence.checker.audit.findings import DeploymentFinding
from proof_of_absence.checker.numbers.deadline import OutOfTime, looking
from proof_of_absence.checker.passes import exact
from proof_of_absence.checker.passes.enclosure import blocks, enclose
from proof_of_absence.models.floatnet import FloatNet

__all__ = ["covered", "hidden_signs"]


def covered(
    net: FloatNet, inputs: np.ndarray, deploy: np.ndarray, found: tuple[DeploymentFinding, ...]
) -> tuple[DeploymentFinding, ...]:
    """The findings with `cover` filled where one is found: none is outside the hull of the training inputs.

    Parameters
    ----------
    inputs, deploy
        Shapes (N, d) and (D, d), float64, finite.
    found
        What `deployment_findings` returned for these.

    Raises
    ------
    OutOfTime
        If the deadline in force is over; `so_far` has the findings with what was found by then.

    Examples
    --------
    >>> net = FloatNet([([[1.0]], [-2.0]), ([[1.0]], [0.0])])
    >>> inputs, deploy = np.array([[0.0], [1.0], [3.0]]), np.array([[0.5], [1.5]])
    >>> [one.cover for one in covered(net, inputs, deploy, deployment_findings(inputs, deploy))]
    [((0, Fraction(1, 2)), (1, Fraction(1, 2))), None]
    """
    done = list(found)
    signs: np.ndarray | None = None
    try:
        for place, one in enumerate(looking(found)):
            if one.train_row is not None:
                done[place] = replace(one, cover=((one.train_row, Fraction(1)),))
            elif one.combination:
                signs = hidden_signs(net, inputs) if signs is None else signs
                done[place] = replace(one, cover=_cover(net, inputs, signs, deploy[one.row]))
    except OutOfTime as late:
        late.so_far = tuple(done)
        raise
    return tuple(done)


def hidden_signs(net: FloatNet, inputs: np.ndarray) -> np.ndarray:
    """The sign of each hidden unit's pre-activation at each input, shape (rows, hidden units), int8, exactly."""
    # A net without a hidden layer has no sign, and one cell.
    none = np.zeros((len(inputs), 0), dtype=np.int8)
    return np.vstack([np.hstack([none[block], *_signs(net, inputs[block])]) for block in blocks(len(inputs))])


def _signs(net: FloatNet, inputs: np.ndarray) -> Iterator[np.ndarray]:
    for layer, ball in enumerate(enclose(net, inputs)[:-1], 1):
        signs, decided = ball.signs()
        open_ = np.flatnonzero(~decided.all(axis=1))
        units = np.flatnonzero(~decided.all(axis=0))
        for block in exact.blocks(len(open_), net):
            rows = open_[block]
            signs[np.ix_(rows, units)] = exact.activations(net, inputs[rows], layer, units, pre=True).signs()
        yield signs


def _cover(
    net: FloatNet, inputs: np.ndarray, signs: np.ndarray, point: np.ndarray
) -> tuple[tuple[int, Fraction], ...] | None:
    (here,) = hidden_signs(net, point[None])
    # Where a unit is 0 at the point it has to be 0 at the inputs: an average of values of one sign is 0 only then.
    rows = np.flatnonzero(((signs == here) | ((signs == 0) & (here != 0))).all(axis=1))
    if not rows.size:
        return None
    (found,) = deployment_findings(inputs[rows], point[None])
    return found.combination and tuple((int(rows[j]), weight) for j, weight in found.combination)

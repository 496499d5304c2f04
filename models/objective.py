"""Which loss an audit is about, and of which targets: what was asked for, or what the targets leave no doubt about.

Where they leave a doubt, nothing is assumed: the caller is told what to say.
"""

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

import numpy as np

from proof_of_absence.models.files.disk import InputError, refused

__all__ = ["NO_TARGETS", "OF_CLASSES", "OPTIONS", "Loss", "LossNeeded", "Objective", "objective", "split"]


class Loss(StrEnum):
    """A loss by its full name.

    They are (1/N) sum |f - y|^2, (1/N) sum (ln sum_k exp f_k - sum_k y_k f_k), and (1/N) sum (ln (1 + exp f) - y f) for
    one output and y of 0 and 1: this is the cross-entropy of two classes whose logits are 0 and f.
    """

    SQUARED = "mean squared error"
    CROSS_ENTROPY = "cross-entropy of the softmax"
    LOGISTIC = "logistic loss of one output"


# As it is asked for, in Python and on the command line.
OPTIONS = {"squared": Loss.SQUARED, "cross-entropy": Loss.CROSS_ENTROPY, "logistic": Loss.LOGISTIC}
# The losses of classes, which exponentials decide.
OF_CLASSES = frozenset({Loss.CROSS_ENTROPY, Loss.LOGISTIC})
NO_TARGETS = "there are no targets, so nothing about a loss was asked"


class LossNeeded(InputError):
    """The targets suit both losses, and none was asked for."""


@dataclass(frozen=True, eq=False)
class Objective:
    """A loss and its targets (N, m), float64, both None where there are no targets; `reason` says why in words."""

    loss: Loss | None
    targets: np.ndarray | None
    reason: str


def split(targets: np.ndarray) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Targets (N, m), float64, or labels (N,), int64: labels are integers or truth values in one column."""
    if targets.dtype.kind in "iub" and targets.size == len(targets):
        return None, targets.reshape(-1).astype(np.int64)
    return targets.reshape(len(targets), -1).astype(np.float64), None


def objective(
    outputs: int,
    targets: np.ndarray | None,
    labels: np.ndarray | None,
    asked: str | None = None,
    *,
    option: str = "loss=",
    named: str = "the targets",
) -> Objective:
    """The loss that is meant, for a net of so many outputs.

    Labels mean the cross-entropy, real-valued targets the mean squared error. Rows with one 1 and else 0, or labels 0
    and 1 of a net with one output, mean either.

    Parameters
    ----------
    targets, labels
        Shapes (N, m) and (N,), float64 and int64; at most one of them is given.
    asked
        ``"squared"``, ``"cross-entropy"``, ``"logistic"`` or None.
    option, named
        How the caller asks for a loss, and what the targets are called, for messages.

    Raises
    ------
    LossNeeded
        If both may be meant.
    InputError
        If the targets do not fit the net or the loss.
    """
    if asked is not None and asked not in OPTIONS:
        raise refused(option.strip(" ="), f"is {asked!r}; it takes squared, cross-entropy or logistic")
    loss = None if asked is None else OPTIONS[asked]
    if loss is Loss.LOGISTIC:
        return _binary(outputs, targets, labels, named)
    if labels is not None:
        return _labelled(outputs, labels, loss, option, named)
    if targets is None:
        if loss is not None:
            raise refused("the training data", f"hold no targets, and {option}{asked} needs some")
        return Objective(None, None, NO_TARGETS)
    return _valued(outputs, targets, loss, option, named)


def _labelled(outputs: int, labels: np.ndarray, loss: Loss | None, option: str, named: str) -> Objective:
    least, most = int(labels.min()), int(labels.max())
    if outputs == 1:
        if loss is Loss.CROSS_ENTROPY:
            raise refused(
                named,
                f"are labels, and the net has one output; {loss} takes one for each class; {option}logistic takes one",
            )
        if loss is None and least >= 0 and most <= 1:
            raise LossNeeded(
                f"{named}: are 0 and 1, and the net has one output; say {option}logistic for a classifier whose output "
                f"is the logit of 1, or {option}squared if they are numbers"
            )
        why = "asked for" if loss else "whole numbers, and the net has one output"
        return Objective(Loss.SQUARED, labels.astype(np.float64)[:, None], f"targets are numbers ({why})")
    if least < 0 or most >= outputs:
        wrong = least if least < 0 else most
        raise refused(named, f"hold the label {wrong}; a net of {outputs} outputs has classes 0 to {outputs - 1}")
    rows = np.zeros((len(labels), outputs))
    rows[np.arange(len(labels)), labels] = 1
    if loss is Loss.SQUARED:
        return Objective(loss, rows, "class labels taken as one-hot targets (asked for)")
    return Objective(
        Loss.CROSS_ENTROPY, rows, "targets are class labels" + (" (asked for)" if loss else ", integers in one column")
    )


def _binary(outputs: int, targets: np.ndarray | None, labels: np.ndarray | None, named: str) -> Objective:
    """The logistic loss, asked for."""
    wanted = targets if labels is None else labels.astype(np.float64)[:, None]
    if wanted is None:
        raise refused("the training data", f"hold no targets, and {Loss.LOGISTIC} needs some")
    if outputs != 1 or wanted.shape[1] != 1:
        raise refused(
            named, f"have {wanted.shape[1]} columns, the net has {outputs} outputs; {Loss.LOGISTIC} takes one of each"
        )
    strange = wanted[(wanted != 0) & (wanted != 1)]
    if strange.size:
        raise refused(named, f"hold {strange[0]:g}; {Loss.LOGISTIC} takes 0 and 1")
    return Objective(Loss.LOGISTIC, wanted, "targets are labels 0 and 1 of one output, the logit of 1 (asked for)")


def _valued(outputs: int, targets: np.ndarray, loss: Loss | None, option: str, named: str) -> Objective:
    columns = targets.shape[1]
    if columns != outputs:
        hint = "; class labels are integers, convert them with .astype(int)" if columns == 1 else ""
        raise refused(named, f"have {columns} columns, the net has {outputs} outputs{hint}")
    hot = outputs > 1 and _is_one_hot(targets)
    if loss is Loss.CROSS_ENTROPY:
        if outputs == 1:
            raise refused(named, f"have one column; {loss} takes one for each class, or class labels")
        if not hot and not _are_probabilities(targets):
            raise refused(named, f"have a row that is no probabilities (at least 0, their sum 1); {loss} needs it")
        return Objective(loss, targets, f"targets are {'one-hot rows' if hot else 'probabilities'} (asked for)")
    if loss is None and hot:
        raise LossNeeded(
            f"{named}: are one-hot rows, which suit two losses; say "
            f"{option}cross-entropy for a classifier of softmax outputs, or {option}squared"
        )
    return Objective(Loss.SQUARED, targets, "targets are numbers" + (" (asked for)" if loss else ""))


def _is_one_hot(targets: np.ndarray) -> bool:
    return bool((((targets == 0) | (targets == 1)).all(axis=1) & (targets.sum(axis=1) == 1)).all())


def _are_probabilities(targets: np.ndarray) -> bool:
    return bool((targets >= 0).all()) and all(sum(map(Fraction, row)) == 1 for row in targets.tolist())

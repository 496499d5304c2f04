"""Which loss is taken for which targets: a choice that the targets leave open is never made for the user."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proof_of_absence.models.files import InputError
from proof_of_absence.models.objective import NO_TARGETS, Loss, LossNeeded, objective, split

HOT = np.eye(3)[[0, 2, 1, 1]]


@given(st.integers(2, 6), st.data())
def test_labels_mean_cross_entropy_and_become_one_hot_rows(classes, data):
    labels = np.array(data.draw(st.lists(st.integers(0, classes - 1), min_size=1, max_size=9)))
    found = objective(classes, None, labels)
    assert found.loss is Loss.CROSS_ENTROPY and (found.targets.argmax(axis=1) == labels).all()
    assert found.targets.shape == (len(labels), classes) and (found.targets.sum(axis=1) == 1).all()
    assert "class labels" in found.reason
    squared = objective(classes, None, labels, "squared")
    assert squared.loss is Loss.SQUARED and (squared.targets == found.targets).all() and "asked for" in squared.reason


@given(st.integers(1, 4), st.data())
def test_every_table_of_zeros_and_ones_is_asked_about_just_where_each_row_has_one_1(columns, data):
    row = st.lists(st.sampled_from([0.0, 1.0]), min_size=columns, max_size=columns)
    targets = np.array(data.draw(st.lists(row, min_size=1, max_size=3)))
    hot = columns > 1 and all(line.count(1) == 1 for line in targets.tolist())
    if not hot:
        assert objective(columns, targets, None).loss is Loss.SQUARED
        return
    with pytest.raises(LossNeeded, match=r"say loss=cross-entropy .* or loss=squared"):
        objective(columns, targets, None)
    for asked, loss in (("squared", Loss.SQUARED), ("cross-entropy", Loss.CROSS_ENTROPY)):
        found = objective(columns, targets, None, asked)
        assert found.loss is loss and found.targets is targets and "asked for" in found.reason


@pytest.mark.parametrize(
    ("outputs", "targets", "labels", "asked", "message"),
    [
        (3, HOT[:, :2], None, None, "have 2 columns, the net has 3 outputs"),
        (3, HOT[:, :1], None, None, r"class labels are integers, convert them with .astype\(int\)"),
        (3, None, np.array([0, 3]), None, "hold the label 3; a net of 3 outputs has classes 0 to 2"),
        (3, None, np.array([-1, 3]), None, "hold the label -1"),
        (3, None, np.array([7]), "squared", "hold the label 7"),
        (1, None, np.array([0, 1]), None, "say loss=logistic .* or loss=squared if they are numbers"),
        (1, None, np.array([0, 1]), "cross-entropy", "takes one for each class"),
        (1, HOT[:, :1], None, "cross-entropy", "have one column"),
        (3, HOT / 2, None, "cross-entropy", "is no probabilities"),
        (3, HOT - [[0.5, 0, 0]], None, "cross-entropy", "is no probabilities"),
        (3, np.full((2, 3), 1 / 3), None, "cross-entropy", "is no probabilities"),
        (3, None, None, "squared", "hold no targets"),
        (3, HOT, None, "hinge", "loss: is 'hinge'; it takes squared, cross-entropy or logistic"),
        (2, None, np.array([0, 1]), "logistic", "logistic loss of one output takes one of each"),
        (1, HOT, None, "logistic", "takes one of each"),
        (1, None, np.array([0, 2]), "logistic", "hold 2; logistic loss of one output takes 0 and 1"),
        (1, HOT[:, :1] / 2, None, "logistic", "hold 0.5"),
        (1, None, None, "logistic", "hold no targets"),
    ],
)
def test_what_does_not_fit_is_refused(outputs, targets, labels, asked, message):
    with pytest.raises(InputError, match=message):
        objective(outputs, targets, labels, asked)


def test_the_other_cases():
    assert objective(3, None, None).loss is None and objective(3, None, None).reason == NO_TARGETS
    whole = objective(1, None, np.array([0, 1, 2]))
    assert whole.loss is Loss.SQUARED and whole.targets.tolist() == [[0], [1], [2]]
    for labels in ((None, np.array([0, 1])), (np.array([[0.0], [1.0]]), None)):
        logistic = objective(1, *labels, "logistic")
        assert logistic.loss is Loss.LOGISTIC and logistic.targets.tolist() == [[0], [1]] and "asked" in logistic.reason
    binary = objective(1, None, np.array([0, 1]), "squared")
    assert binary.targets.tolist() == [[0], [1]]
    halves = objective(2, np.array([[0.5, 0.5], [0.25, 0.75]]), None, "cross-entropy")
    assert halves.loss is Loss.CROSS_ENTROPY and "probabilities" in halves.reason


@pytest.mark.parametrize("kind", [bool, np.int8, np.uint64, np.float32])
@pytest.mark.parametrize("shape", [(4,), (4, 1), (2, 2)])
def test_one_column_of_integers_or_truth_values_is_labels(kind, shape):
    targets, labels = split(np.array([0, 1, 1, 0]).astype(kind).reshape(shape))
    if kind is np.float32 or shape == (2, 2):
        assert labels is None and targets.dtype == np.float64 and targets.ndim == 2
    else:
        assert targets is None and labels.tolist() == [0, 1, 1, 0]

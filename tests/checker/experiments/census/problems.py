"""Small classes for the tests of the census: as a strategy, and as files."""

from fractions import Fraction

import numpy as np
from hypothesis import strategies as st

from proof_of_absence.checker.experiments.census.problem import Problem, problem
from proof_of_absence.models.data import Dataset
from tests.conftest import vectors

# (units, d, m) and values such that the class has at most a thousand nets.
SHAPES = [(1, 1, 1, 4), (1, 2, 1, 3), (1, 1, 2, 2), (2, 1, 1, 2), (3, 1, 1, 2)]


@st.composite
def problems(draw) -> Problem:
    """Problems of up to 2^10 nets, with fractions in the grid, the inputs and the targets, and inputs that repeat."""
    units, d, m, most = draw(st.sampled_from(SHAPES))
    fine = st.fractions(-2, 2, max_denominator=3)
    grid = draw(st.sets(fine, min_size=2, max_size=most))
    pool = draw(st.lists(vectors(d, st.fractions(-3, 3, max_denominator=2)), min_size=2, max_size=4, unique=True))
    train = draw(st.lists(st.sampled_from(pool), min_size=1, max_size=5))
    deploy = draw(st.lists(st.sampled_from(pool), min_size=1, max_size=3))
    targets = [draw(vectors(m, fine)) for _ in train]
    bits = vectors(m, st.integers(0, 1))
    imitator = {z: draw(bits) for z in pool}
    translator = {z: draw(bits) for z in pool}
    # They differ somewhere.
    translator[train[0]] = tuple(1 - a for a in imitator[train[0]])
    return problem(
        units,
        grid,
        Dataset(train, targets),
        deploy,
        train_answers=([imitator[z] for z in train], [translator[z] for z in train]),
        deploy_answers=([imitator[z] for z in deploy], [translator[z] for z in deploy]),
    )


def write_files(folder, **changes) -> list[str]:
    """A camera and a clock, seen at two hours; 3^9 nets of two units. Options that name the files."""
    train = {
        "X": np.array([[0, -2], [1, -2], [0, -1], [1, -1]], dtype=float),
        "Y": np.array([0.0, 1, 0, 0.5]),
        "imitator": np.array([[0], [1], [0], [1]]),
        "translator": np.array([[0], [1], [0], [0]]),
    }
    deploy = {"X": np.array([[0, 2], [1, 2]]), "imitator": np.array([[0], [1]]), "translator": np.array([[0], [0]])}
    train |= changes.pop("train", {})
    deploy |= changes.pop("deploy", {})
    for name, arrays in (("train", train), ("deploy", deploy)):
        np.savez(folder / f"{name}.npz", **{key: value for key, value in arrays.items() if value is not None})
    options = {"--grid": "-1,0,1", "--hidden": "2", "--train": "train.npz", "--deploy": "deploy.npz", "--output": "out"}
    return [text for pair in (options | changes).items() for text in pair if pair[1] is not None]


HALF = Fraction(1, 2)

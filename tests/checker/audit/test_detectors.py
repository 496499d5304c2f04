"""Where deployment inputs lie: against z3 over the reals, with points on the boundary,
repeats and huge or denormal coordinates.
"""

from fractions import Fraction

import numpy as np
import pytest
import z3
from hypothesis import given
from hypothesis import strategies as st

from proof_of_absence.checker.audit import detectors
from proof_of_absence.checker.audit.detectors import deployment_findings
from proof_of_absence.checker.numbers.deadline import Deadline, OutOfTime, within
from tests.checker.audit.conftest import PLAIN, WILD, matrices


class Standing:
    """A clock that stands still."""

    def __call__(self):
        return 0.0


def test_rows_beyond_the_box_need_no_long_step():
    """The decomposition of a large covariance, which cannot be interrupted, is begun where it is needed alone."""
    inputs = np.eye(2000)[:3]
    beyond, inside = np.full((1, 2000), 2.0), inputs.mean(axis=0, keepdims=True)
    with within(Deadline(1, Standing())):
        (found,) = deployment_findings(inputs, beyond)
        assert found.size == (1, 1)
        with pytest.raises(OutOfTime, match="the next step alone takes") as late:
            deployment_findings(inputs, np.vstack([beyond, inside]))
    assert [at.decided for at in late.value.so_far] == [True, False]


def test_what_is_found_is_to_be_written_in_time_too():
    deploy = np.arange(2.0, 52.0).reshape(50, 1)
    with within(Deadline(30, Standing(), each=1)), pytest.raises(OutOfTime) as late:
        deployment_findings(np.array([[0.0], [1.0]]), deploy)
    assert sum(at.decided for at in late.value.so_far) == 10


def in_hull(points, point):
    """Whether z3 finds convex weights."""
    solver, weights = z3.Solver(), [z3.Real(f"l{i}") for i in range(len(points))]
    solver.add(z3.Sum(weights) == 1, *(w >= 0 for w in weights))
    for k, x in enumerate(point):
        solver.add(z3.Sum([w * z3.Q(*Fraction(p[k]).as_integer_ratio()) for w, p in zip(weights, points, strict=True)])
                   == z3.Q(*Fraction(x).as_integer_ratio()))  # fmt: skip
    answer = solver.check()
    assert answer != z3.unknown
    return answer == z3.sat


def confirm(inputs, point, finding):
    """The finding's own proof, from the definition."""
    rows, x = [list(map(Fraction, z)) for z in inputs.tolist()], list(map(Fraction, point.tolist()))
    if finding.train_row is not None:
        assert rows[finding.train_row] == x and finding.size is None
    elif finding.separation:
        weights, bias = finding.separation
        assert all(sum(w * v for w, v in zip(weights, z, strict=True)) + bias <= 0 for z in rows)
        assert sum(w * v for w, v in zip(weights, x, strict=True)) + bias > 0 and finding.size == (1, 1)
    else:
        assert sum(w for _, w in finding.combination) == 1 and all(w > 0 for _, w in finding.combination)
        assert [sum(w * rows[i][k] for i, w in finding.combination) for k in range(len(x))] == x
        assert len(finding.combination) <= len(x) + 1 and finding.size == (2, 3)


@given(st.data(), st.integers(1, 3), st.sampled_from([PLAIN, WILD]))
def test_findings_carry_their_proof(data, d, entries):
    inputs, deploy = data.draw(matrices(6, d, entries)), data.draw(matrices(4, d, entries))
    for point, finding in zip(deploy, deployment_findings(inputs, deploy), strict=True):
        assert finding.decided
        confirm(inputs, point, finding)
        assert (finding.separation is None) == in_hull(inputs.tolist(), point.tolist())


def test_plain_data_are_all_decided():
    # Small integers: many points on faces and edges, and none too near for floats to propose the right proof.
    rng = np.random.default_rng(2)
    for d in (1, 2, 3, 5):
        inputs, deploy = rng.integers(-2, 3, (12, d)).astype(float), rng.integers(-2, 3, (20, d)).astype(float)
        findings = deployment_findings(inputs, deploy)
        assert all(finding.decided for finding in findings)
        for point, finding in zip(deploy, findings, strict=True):
            confirm(inputs, point, finding)


def test_many_rows_and_the_exact_boundary():
    rng = np.random.default_rng(4)
    inputs = rng.standard_normal((3000, 6))
    middle = (inputs[:7] * 0.5).sum(axis=0) / 4
    edge = (inputs[inputs[:, 0].argmax()] + inputs[inputs[:, 1].argmax()]) / 2
    deploy = np.vstack([middle, inputs[77], inputs[77] * 1e3, edge, rng.standard_normal((4, 6)) * 1.5])
    findings = deployment_findings(inputs, deploy)
    assert [f.size for f in findings[:3]] == [(2, 3), None, (1, 1)] and findings[1].train_row == 77
    for point, finding in zip(deploy, findings, strict=True):
        if finding.decided:
            confirm(inputs, point, finding)


@pytest.mark.parametrize("step", [0, 1, -1])
def test_one_rounding_from_a_face(step):
    # On a face of a simplex, and just off it on either side: floats see no difference.
    rng = np.random.default_rng(7)
    inputs = np.vstack([np.zeros(4), np.eye(4), rng.random((300, 4)) / 4])
    point = np.full((1, 4), 0.25)
    point[0, 0] += step * 2.0**-54
    (finding,) = deployment_findings(inputs, point)
    assert finding.decided and finding.size == ((1, 1) if step == 1 else (2, 3))
    confirm(inputs, point[0], finding)


def test_what_would_take_too_long_is_undecided():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(detectors, "EXACT_DIMENSION", 3)
        inputs = np.vstack([np.zeros(4), np.eye(4)])
        (finding,) = deployment_findings(inputs, np.array([[0.25 + 2.0**-54, 0.25, 0.25, 0.25]]))
    assert not finding.decided and finding.size is None and not finding.separation and not finding.combination


@pytest.mark.parametrize(
    ("inputs", "deploy", "message"),
    [
        ([[1.0]], [[1.0, 2.0]], r"training inputs of shape \(1, 1\) and deployment inputs of shape \(1, 2\)"),
        (np.zeros((0, 1)), [[1.0]], r"shape \(0, 1\)"),
        ([[np.inf]], [[1.0]], "NaN or infinity"),
    ],
)
def test_bad_inputs_are_refused(inputs, deploy, message):
    with pytest.raises(ValueError, match=message):
        deployment_findings(inputs, deploy)

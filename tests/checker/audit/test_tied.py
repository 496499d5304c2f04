"""A folder that an audit leaves is accepted whole; with one statement, net or page changed it is refused by name."""

import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

import proof_of_absence
from proof_of_absence.checker.audit.sources import Given
from proof_of_absence.checker.audit.tied import check_folder
from tests.checker.audit.class_problems import class_problems
from tests.checker.audit.conftest import PLAIN, float_nets, matrices
from tests.checker.audit.problems import problems

NONE = Given()


def audited(net, inputs, targets=None, **options):
    """What `check_folder` says of the folder of an audit."""
    with tempfile.TemporaryDirectory() as folder:
        found = proof_of_absence.audit(net, inputs, targets, output=Path(folder) / "a", **options)
        if any(line.startswith("no certificate is written") for line in found.undecided):
            return ""
        return check_folder(Path(folder) / "a", NONE)


@given(st.booleans(), st.data())
def test_every_audit_of_a_squared_loss_is_accepted(extreme, data):
    problem = data.draw(problems(extreme=extreme, depth=1 + extreme))
    deploy = data.draw(matrices(2, problem.net.widths[0], PLAIN))
    told = audited(problem.net, problem.inputs, problem.targets, deploy=deploy, loss="squared", region_from_data=True)
    assert not told or "facts on a net given in Python" in told


@given(class_problems())
def test_every_audit_of_a_cross_entropy_is_accepted(problem):
    audited(problem.net, problem.inputs, problem.targets, loss="cross-entropy")


@given(float_nets())
def test_every_audit_without_targets_is_accepted(case):
    audited(*case)

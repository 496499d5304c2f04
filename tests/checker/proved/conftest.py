"""A few certificates of claims, small enough to be decided by everybody."""

from dataclasses import replace

import pytest

from proof_of_absence.checker.kernel.claims import load_claims
from proof_of_absence.checker.kernel.verify import verify


@pytest.fixture
def small(tmp_path):
    """A folder with the deployment of C7 and its control; all others are missing."""
    (claim,) = (claim for claim in load_claims() if claim.id == "C7")
    few = [obligation for obligation in claim.obligations if obligation.id == "C7.deployment" or obligation.is_control]
    verify([replace(claim, obligations=tuple(few))], tmp_path, jobs=1)
    return tmp_path

"""The program of the proved checkers, and a few certificates that everybody can decide."""

from dataclasses import replace

import pytest

from proof_of_absence.checker.kernel.claims import load_claims
from proof_of_absence.checker.kernel.verify import verify
from proof_of_absence.checker.proved.program import Missing, program


@pytest.fixture(scope="session")
def made():
    """The program is there; without Coq or OCaml what asks it is skipped."""
    try:
        program()
    except Missing as reason:
        pytest.skip(str(reason))


@pytest.fixture
def small(tmp_path):
    """A folder with the deployment of C7 and its control; all others are missing."""
    (claim,) = (claim for claim in load_claims() if claim.id == "C7")
    few = [obligation for obligation in claim.obligations if obligation.id == "C7.deployment" or obligation.is_control]
    verify([replace(claim, obligations=tuple(few))], tmp_path, jobs=1)
    return tmp_path

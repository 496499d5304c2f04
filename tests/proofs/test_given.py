"""An obligation is called conditional exactly where its theorems suppose an exponential that Coq does not build."""

import pytest

from proof_of_absence.checker.kernel.obligation import Scope
from proof_of_absence.checker.report.statements import theorems
from proof_of_absence.proofs.chain import CLAIMS

# How the sections say it: the property of C17, and the second of C14's.
SUPPOSED = ("exponential e ln", "1 + x <= e x")
THEOREMS = [o for claim in CLAIMS for o in claim.obligations if o.scope is Scope.UNIVERSAL]


@pytest.mark.parametrize("obligation", THEOREMS, ids=lambda obligation: obligation.id)
def test_what_supposes_an_exponential_says_so(obligation):
    said = [" ".join([*found.context, found.theorem]) for found in theorems(obligation)]
    supposes = any(words in " ".join(text.split()) for words in SUPPOSED for text in said)
    assert supposes == bool(obligation.given)


def test_only_theorems_are_conditional():
    assert not [o.id for claim in CLAIMS for o in claim.obligations if o.given and o.scope is not Scope.UNIVERSAL]

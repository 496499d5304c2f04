"""Whether every obligation of one claim still comes to the verdict it must, Coq's left out: exit code 1 and its id if not."""

import sys
from pathlib import Path

from absence.checker.kernel import discharge
from absence.checker.obligation import Scope
from absence.proofs.chain import CLAIMS

if __name__ == "__main__":
    (claim,) = [claim for claim in CLAIMS if claim.id == sys.argv[1]]
    for obligation in claim.obligations:
        if obligation.scope is not Scope.UNIVERSAL:
            outcome = discharge(obligation, "", Path(sys.argv[2]))
            if outcome.verdict is not obligation.expect:
                print(obligation.id, outcome.verdict, outcome.reason)
                sys.exit(1)

"""Where a query of a claim has no solution and a tree is known that shows it: `refutations/`, a file an obligation.

`python -m proof_of_absence.proofs.facts.refutation` searches for the trees; the independent checker decides by them.
"""

from dataclasses import replace
from pathlib import Path

from proof_of_absence.checker.kernel.obligation import Claim

__all__ = ["FOLDER", "refuted"]

FOLDER = Path(__file__).parent / "refutations"


def refuted(claim: Claim) -> Claim:
    """The claim, each of its obligations with its tree if there is one."""
    trees = {path.stem: path for path in FOLDER.glob(f"{claim.id}.*.json")}
    return replace(claim, obligations=tuple(replace(o, refutation=trees.get(o.id)) for o in claim.obligations))

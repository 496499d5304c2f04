"""What every obligation says and what is checked for it, as on record in record.json:
neither can change unseen, nor without the other.

`python -m tests.proofs.record`, in the root of the repository, puts on record what is claimed now; the change shows
what a reviewer has to read.
"""

import hashlib
import json
import re
from pathlib import Path

from proof_of_absence.checker.independent.coq import uncommented
from proof_of_absence.checker.kernel.obligation import Evidence, KernelProof, Obligation, Query
from proof_of_absence.checker.report.statements import statements
from proof_of_absence.proofs.chain import CLAIMS
from proof_of_absence.proofs.universal import CLASSICAL, FOLDER

FILE = Path(__file__).with_name("record.json")

# What a Coq statement means: all that is not a proof or a lemma on the way.
_SENTENCE = re.compile(r"[^\s].*?\.(?=\s|$)", re.S)
_MEANING = re.compile(
    r"(?:#\[\w+\] *)?(?:Local |Global )?"
    r"(Definition|Fixpoint|Notation|Record|Inductive|Variables?|Hypothes[ie]s|Context|Let|Section|End)\b"
)


def entry(obligation: Obligation, built: Query | Evidence | KernelProof) -> dict[str, str]:
    """What an obligation says, and a digest of what it builds."""
    match built:
        case Query():
            checks = "smt " + _digest(built.script.text())
        case Evidence():
            checks = f"exact {_digest(built.fact)} {'holds' if built.holds else 'fails'}"
        case KernelProof():
            checks = "coq " + _digest([[s.file, s.context, s.theorem] for s in statements(built)])
    given = {"given": obligation.given} if obligation.given else {}
    return {
        "says": obligation.statement,
        "scope": obligation.scope.value,
        **given,
        "expect": obligation.expect.value,
        "checks": checks,
    }


def definitions() -> dict[str, str]:
    """For each Coq file, a digest of the definitions, notations and sections that its statements are read by."""
    found = {}
    for path in sorted([*FOLDER.glob("*.v"), *CLASSICAL.glob("*.v")]):
        sentences = map(re.Match.group, _SENTENCE.finditer(uncommented(path.read_text(encoding="utf-8"))))
        found[path.name] = _digest([" ".join(s.split()) for s in sentences if _MEANING.match(s)])
    return found


def claimed() -> dict:
    """The record, made anew."""
    return {
        "coq": definitions(),
        "obligations": {o.id: entry(o, o.build()) for claim in CLAIMS for o in claim.obligations},
    }


def on_record() -> dict:
    """The record as it lies in the repository."""
    return json.loads(FILE.read_text(encoding="utf-8"))


def _digest(what: object) -> str:
    return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:32]


if __name__ == "__main__":
    FILE.write_text(json.dumps(claimed(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

"""Whether a paper cites what there is: every claim, number and proof that its LaTeX files name, found before TeX is run."""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from absence.checker.obligation import Claim

__all__ = ["CLAIM_MACROS", "faults"]

CLAIM_MACROS = ("claim", "stated", "premises", "status", "scope", "leftopen", "drops")
_CITED = re.compile(rf"\\(?P<macro>{'|'.join(CLAIM_MACROS)}|numberof|decimalof)\{{(?P<key>[^}}#]*)\}}")
_PROOF = re.compile(r"\\begin\{proofof\}\{(?P<id>[^}]*)\}(?P<text>.*?)\\end\{proofof\}", re.DOTALL)
_COMMENT = re.compile(r"(?<!\\)%.*")


def faults(texts: Mapping[Path, str], claims: Iterable[Claim], numbers: Iterable[str]) -> Iterator[str]:
    """A line for each citation of what is not there, each claim that is not stated, and each proof that cites other claims than its claim rests on."""
    by_id, keys = {claim.id: claim for claim in claims}, set(numbers)
    stated, proved = set(), set()
    for path, raw in texts.items():
        text = _COMMENT.sub("", raw)
        for match in _CITED.finditer(text):
            macro, key = match["macro"], match["key"]
            place = f"{path}:{text.count(chr(10), 0, match.start()) + 1}"
            if macro in CLAIM_MACROS and key not in by_id:
                yield f"{place}: there is no claim {key}"
            elif macro not in CLAIM_MACROS and key not in keys:
                yield f"{place}: there is no number {key}"
            if macro == "stated":
                stated.add(key)
        for match in _PROOF.finditer(text):
            place = f"{path}:{text.count(chr(10), 0, match.start()) + 1}"
            proved.add(match["id"])
            if match["id"] not in by_id:
                yield f"{place}: there is no claim {match['id']}"
                continue
            cited = {found["key"] for found in _CITED.finditer(match["text"]) if found["macro"] == "claim"}
            claim = by_id[match["id"]]
            rests_on, dropped = set(claim.rests_on), set((claim.drops or ())[:1])
            if missing := sorted(rests_on - cited):
                yield f"{place}: the proof of {claim.id} does not cite {', '.join(missing)}, on which it rests"
            if more := sorted(cited - rests_on - dropped - {claim.id}):
                yield f"{place}: the proof of {claim.id} cites {', '.join(more)}, on which it does not rest"
    for name in by_id:
        if name not in stated:
            yield f"{name} is not stated"
        if name not in proved:
            yield f"{name} has no proof"

"""Whether a paper cites what there is: every claim, number and proof that its LaTeX files name, found before TeX is run."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path

from proof_of_absence.checker.kernel.obligation import Claim

__all__ = ["faults", "left_out"]

# The macros of paper/macros.tex, and the kind of value that each looks up.
_CLAIM_MACROS = ("claim", "stated", "premises", "status", "scope", "leftopen")
_KIND = (
    dict.fromkeys(_CLAIM_MACROS, "title")
    | {"obligation": "obligation"}
    | {
        f"{kind}of": kind
        for kind in ("number", "decimal", "version", "net", "units", "data", "input", "widths", "graph")
    }
)
_CITED = re.compile(rf"\\(?P<macro>{'|'.join(_KIND)})\{{(?P<key>[^}}#]*)\}}")
_MEASURED = re.compile(r"\\measured\{(?P<experiment>[^}#]*)\}\{(?P<key>[^}#]*)\}")
_PLOT = re.compile(r"\\(?P<macro>plot|seeplot)\{(?P<experiment>[^}#]*)\}\{(?P<plot>[^}#]*)\}")
_PROOF = re.compile(r"\\begin\{proofof\}\{(?P<id>[^}]*)\}(?P<text>.*?)\\end\{proofof\}", re.DOTALL)
_COMMENT = re.compile(r"(?<!\\)%.*")


def faults(texts: Mapping[Path, str], claims: Iterable[Claim], known: Collection[tuple[str, str]]) -> Iterator[str]:
    """A line for each citation of what is not there, each claim that is stated without a proof, and each proof that cites other claims than its claim rests on.

    A plot that is not shown is a fault too, where some are.

    `known` are kinds and keys of all values (`typeset.defined`). Of an experiment that was not run nothing is asked.
    """
    by_id = {claim.id: claim for claim in claims}
    stated, proved, shown = set(), set(), set()
    for path, raw in texts.items():
        text = _COMMENT.sub("", raw)
        for match in _CITED.finditer(text):
            kind = _KIND[match["macro"]]
            if (kind, match["key"]) not in known:
                what = "claim" if kind == "title" else kind
                yield f"{_place(path, text, match)}: there is no {what} {match['key']}"
            if match["macro"] == "stated":
                stated.add(match["key"])
        for match in _MEASURED.finditer(text):
            key = f"{match['experiment']}.{match['key']}"
            if ("experiment", match["experiment"]) in known and ("measured", key) not in known:
                yield f"{_place(path, text, match)}: the experiment gives no number {key}"
        for match in _PLOT.finditer(text):
            key = f"{match['experiment']}.{match['plot']}"
            if ("experiment", match["experiment"]) in known and ("plot", key) not in known:
                yield f"{_place(path, text, match)}: the experiment gives no plot {key}"
            if match["macro"] == "plot":
                shown.add(key)
        for match in _PROOF.finditer(text):
            place = _place(path, text, match)
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
    for key in sorted(key for kind, key in known if kind == "plot" and shown and key not in shown):
        yield f"the plot {key} is not shown"
    for name in by_id:
        if name in stated and name not in proved:
            yield f"{name} has no proof"


def left_out(texts: Iterable[str], claims: Iterable[Claim]) -> list[Claim]:
    """The claims that the texts do not state."""
    stated = {m["key"] for text in texts for m in _CITED.finditer(_COMMENT.sub("", text)) if m["macro"] == "stated"}
    return [claim for claim in claims if claim.id not in stated]


def _place(path: Path, text: str, match: re.Match) -> str:
    return f"{path}:{text.count(chr(10), 0, match.start()) + 1}"

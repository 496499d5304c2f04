"""Whether a paper cites what there is: each claim, number and proof that its LaTeX files name,
found before TeX runs.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from proof_of_absence.checker.kernel.obligation import Claim

__all__ = ["faults", "left_out"]

# The macros of paper/macros.tex, and the kind of value that each looks up.
_CLAIM_MACROS = ("claim", "stated", "premises", "status", "scope", "leftopen")
_OF = ("number", "decimal", "version", "net", "units", "data", "input", "widths", "graph", "sizes")
_KIND = dict.fromkeys(_CLAIM_MACROS, "title") | {"obligation": "obligation"} | {f"{kind}of": kind for kind in _OF}
_CITED = re.compile(rf"\\(?P<macro>{'|'.join(_KIND)})\{{(?P<key>[^}}#]*)\}}")
_MEASURED = re.compile(r"\\measured\{(?P<experiment>[^}#]*)\}\{(?P<key>[^}#]*)\}")
_PLOT = re.compile(r"\\(?P<macro>plot|seeplot)\{(?P<experiment>[^}#]*)\}\{(?P<plot>[^}#]*)\}")
_PROOF = re.compile(r"\\begin\{proofof\}\{(?P<id>[^}]*)\}(?P<text>.*?)\\end\{proofof\}", re.DOTALL)
_COMMENT = re.compile(r"(?<!\\)%.*")


def faults(texts: Mapping[Path, str], claims: Iterable[Claim], known: Collection[tuple[str, str]]) -> Iterator[str]:
    """A line for each fault of the papers' citations.

    Faults are: a citation of what is not there; a claim that is stated without a proof; a proof that cites other claims
    than its claim rests on; and, where some plots are shown, a plot that is not.

    `known` are kinds and keys of all values (`typeset.defined`). Of an experiment that was not run nothing is asked.
    """
    by_id = {claim.id: claim for claim in claims}
    papers = [_Paper(path, _COMMENT.sub("", raw)) for path, raw in texts.items()]
    for paper in papers:
        yield from _unknown_values(paper, known)
        yield from _unknown_measurements(paper, known)
        yield from _unknown_plots(paper, known)
        yield from _wrong_proofs(paper, by_id)
    yield from _not_shown(papers, known)
    yield from _not_proved(papers, by_id)


class _Paper(NamedTuple):
    """A LaTeX file without its comments."""

    path: Path
    text: str

    def place(self, match: re.Match[str]) -> str:
        """The file and the line of a match."""
        return f"{self.path}:{self.text.count(chr(10), 0, match.start()) + 1}"


def _unknown_values(paper: _Paper, known: Collection[tuple[str, str]]) -> Iterator[str]:
    for match in _CITED.finditer(paper.text):
        kind = _KIND[match["macro"]]
        if (kind, match["key"]) not in known:
            what = "claim" if kind == "title" else kind
            yield f"{paper.place(match)}: there is no {what} {match['key']}"


def _unknown_measurements(paper: _Paper, known: Collection[tuple[str, str]]) -> Iterator[str]:
    for match in _MEASURED.finditer(paper.text):
        key = f"{match['experiment']}.{match['key']}"
        if ("experiment", match["experiment"]) in known and ("measured", key) not in known:
            yield f"{paper.place(match)}: the experiment gives no number {key}"


def _unknown_plots(paper: _Paper, known: Collection[tuple[str, str]]) -> Iterator[str]:
    for match in _PLOT.finditer(paper.text):
        key = _plot_key(match)
        if ("experiment", match["experiment"]) in known and ("plot", key) not in known:
            yield f"{paper.place(match)}: the experiment gives no plot {key}"


def _plot_key(match: re.Match[str]) -> str:
    return f"{match['experiment']}.{match['plot']}"


def _wrong_proofs(paper: _Paper, by_id: Mapping[str, Claim]) -> Iterator[str]:
    """Proofs of no claim, and proofs that cite less or more than their claim rests on."""
    for match in _PROOF.finditer(paper.text):
        place, claim = paper.place(match), by_id.get(match["id"])
        if claim is None:
            yield f"{place}: there is no claim {match['id']}"
            continue
        cited, rests_on = _cited(match["text"], "claim"), set(claim.rests_on)
        # It may name the claim itself, and a countermodel the claim of the premise that it drops.
        may = rests_on | {claim.id} | set((claim.drops or ())[:1])
        if missing := sorted(rests_on - cited):
            yield f"{place}: the proof of {claim.id} does not cite {', '.join(missing)}, on which it rests"
        if more := sorted(cited - may):
            yield f"{place}: the proof of {claim.id} cites {', '.join(more)}, on which it does not rest"


def _cited(text: str, macro: str) -> set[str]:
    """The keys that a macro names in a text."""
    return {match["key"] for match in _CITED.finditer(text) if match["macro"] == macro}


def _not_shown(papers: Iterable[_Paper], known: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Plots that are not shown, if any is: some papers show none."""
    matches = (match for paper in papers for match in _PLOT.finditer(paper.text))
    shown = {_plot_key(match) for match in matches if match["macro"] == "plot"}
    plots = {key for kind, key in known if kind == "plot"} if shown else set()
    for key in sorted(plots - shown):
        yield f"the plot {key} is not shown"


def _not_proved(papers: Iterable[_Paper], by_id: Iterable[str]) -> Iterator[str]:
    """Claims that are stated and have no proof."""
    texts = [paper.text for paper in papers]
    stated = {key for text in texts for key in _cited(text, "stated")}
    proved = {match["id"] for text in texts for match in _PROOF.finditer(text)}
    for name in by_id:
        if name in stated and name not in proved:
            yield f"{name} has no proof"


def left_out(texts: Iterable[str], claims: Iterable[Claim]) -> list[Claim]:
    """The claims that the texts do not state."""
    stated = {key for text in texts for key in _cited(_COMMENT.sub("", text), "stated")}
    return [claim for claim in claims if claim.id not in stated]

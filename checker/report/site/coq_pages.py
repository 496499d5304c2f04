"""Coq on the pages: a file with an anchor at each name it states and its proofs folded,
and a claim's theorems as links into the files.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from markupsafe import Markup
from pygments.token import Keyword

from proof_of_absence.checker.kernel.obligation import Claim, Obligation
from proof_of_absence.checker.report.site.contents import Site
from proof_of_absence.checker.report.site.definitions import Place, Source
from proof_of_absence.checker.report.site.examine import Finding
from proof_of_absence.checker.report.site.source import coq, tokens
from proof_of_absence.checker.report.statements import passages, theorems

__all__ = ["Piece", "Told", "address", "pieces", "told"]

# A shorter proof is shown as it is.
SHORTEST = 2
_ENDS = frozenset(("Qed", "Defined"))
_REST = re.compile(r"\.[ \t]*(\n|\Z)")
_STATED, _LEADS = Markup('<span class="stated" id="{}">'), Markup('<a href="{}">')


@dataclass(frozen=True)
class Told:
    """Theorems as Coq has them, under what their sections assume.

    `lines` has for each theorem its name, the line on which it is stated and the address of that line, where the file
    has a page, and that of its proof, if that is folded there; `answer` is what Coq says of the axioms they rest on.
    """

    file: str
    goes_on: bool
    context: Markup
    theorems: Markup
    lines: tuple[tuple[str, int, str, str], ...]
    answer: str
    checked: bool


def address(root: str, file: str, anchor: str = "") -> str:
    """The page of a Coq file, or a name's anchor on it, from a page that is `root` away from the site's folder."""
    return f"{root}certificates/coq/{file.removesuffix('.v')}.html{anchor and '#'}{anchor}"


class Piece(NamedTuple):
    """A part of a file, of whole lines. A proof is folded, under the anchor `proof`; else that is empty."""

    text: Markup
    lines: int
    name: str = ""
    proof: str = ""


def pieces(source: Source) -> list[Piece]:
    """A file for its own page: each name that it states has an anchor, and words lead to anchors."""

    def leads(place: Place) -> Markup:
        # All files lie in one folder.
        return _LEADS.format(f"{place.file.removesuffix('.v')}.html#{place.anchor}")

    marks = {(span.begin, span.end): leads(span.place) for span in source.used}
    marks |= {(span.begin, span.end): _STATED.format(span.place.anchor) for span in source.stated}
    found: list[Piece] = []
    at = 0
    for begin, end, name in [*_proofs(source), (len(source.text), len(source.text), "")]:
        for first, last, proved in ((at, begin, ""), (begin, end, name)):
            if first < last:
                inside = {(a, b): tag for (a, b), tag in marks.items() if first <= a and b <= last}
                text = coq(source.text[first:last], first, inside)
                lines = source.text.count("\n", first, last)
                found.append(Piece(text, lines, proved, f"proof-of-{proved}" if proved else ""))
        at = end
    return found


def _proofs(source: Source) -> Iterator[tuple[int, int, str]]:
    """Where proofs of several lines begin and end, and the name that each is of: the last that is stated before it."""
    begin, at, done = None, 0, None
    for first, kind, word in tokens(source.text):
        if kind in Keyword and word == "Proof" and source.text[first - 1 : first] in ("", "\n"):
            begin = first
        elif kind in Keyword and word in _ENDS and begin is not None:
            rest = _REST.match(source.text, first + len(word))
            while at < len(source.stated) and source.stated[at].begin < begin:
                at += 1
            name = source.stated[at - 1].place.anchor if at else ""
            if rest and name not in ("", done) and source.text.count("\n", begin, rest.end()) > SHORTEST:
                yield begin, rest.end(), name
                done = name
            begin = None


def told(claim: Claim, site: Site, sources: Mapping[str, Source]) -> Iterator[Told]:
    """What a claim's page says of its theorems."""
    for obligation in claim.obligations:
        found = theorems(obligation)
        if not found:
            continue
        answer, checked = _axioms(site.findings[obligation.id], obligation)
        for passage in passages(found):
            source = sources.get(passage.file) if checked else None
            first = source.text.find(passage.theorems[0]) if source else -1
            # The section that a theorem stands in is the last that says so before it.
            context = [_linked(words, source, source.text.rfind(words, 0, first) if source else -1)
                       for words in passage.context]  # fmt: skip
            shown = [_linked(words, source, source.text.find(words) if source else -1) for words in passage.theorems]
            yield Told(
                passage.file, passage.goes_on, Markup("\n").join(context), Markup("\n\n").join(shown),
                tuple(_lines(source, passage.theorems)) if source else (), answer, checked,
            )  # fmt: skip


def _linked(words: str, source: Source | None, begin: int) -> Markup:
    """A part of a source on a claim's page; as it is where it does not stand in the source letter by letter."""
    if source is None or begin < 0:
        return coq(words)
    spans = source.within(begin, begin + len(words))
    return coq(words, begin, {(span.begin, span.end): _LEADS.format(address("../", *span.place)) for span in spans})


def _lines(source: Source, statements: Iterable[str]) -> Iterator[tuple[str, int, str, str]]:
    at = {span.place.anchor: span for span in source.stated}
    folded = {name for *_, name in _proofs(source)}
    for words in statements:
        name = words.split()[1]
        if name in at:
            place = at[name].place
            proof = address("../", place.file, f"proof-of-{name}") if name in folded else ""
            yield name, source.line(at[name]), address("../", *place), proof


def _axioms(finding: Finding, obligation: Obligation) -> tuple[str, bool]:
    """The answer of Print Assumptions that the certificate holds, and whether there is one."""
    if finding.certificate is None:
        return f"{finding.state.value}: {finding.reason}", False
    (run,) = finding.certificate["runs"]
    said = {
        "closed": "Closed under the global context (no axiom)",
        "classical": "The axioms of classical logic in mathcomp's boolp, three at most, and no other",
    }[run["answer"]]
    return f"{said}, says Coq {run['version']}", True

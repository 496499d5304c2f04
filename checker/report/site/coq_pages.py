"""Coq on the pages: a file with an anchor at each name it states, and a claim's theorems as links into the files."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from markupsafe import Markup

from proof_of_absence.checker.kernel.obligation import Claim, Obligation
from proof_of_absence.checker.report.site.contents import Site
from proof_of_absence.checker.report.site.definitions import Place, Source
from proof_of_absence.checker.report.site.examine import Finding
from proof_of_absence.checker.report.site.source import coq
from proof_of_absence.checker.report.statements import passages, theorems

__all__ = ["Told", "address", "told", "whole"]

_STATED, _LEADS = Markup('<span class="stated" id="{}">'), Markup('<a href="{}">')


@dataclass(frozen=True)
class Told:
    """Theorems as Coq has them, under what their sections assume.

    `lines` has for each theorem its name, the line on which it is stated and the address of that line, where the file
    has a page; `answer` is what Coq says of the axioms they rest on.
    """

    file: str
    goes_on: bool
    context: Markup
    theorems: Markup
    lines: tuple[tuple[str, int, str], ...]
    answer: str
    checked: bool


def address(root: str, file: str, anchor: str = "") -> str:
    """The page of a Coq file, or a name's anchor on it, from a page that is `root` away from the site's folder."""
    return f"{root}certificates/coq/{file.removesuffix('.v')}.html{anchor and '#'}{anchor}"


def whole(source: Source) -> Markup:
    """A file for its own page: each name that it states has an anchor, and words lead to anchors."""

    def leads(place: Place) -> Markup:
        # All files lie in one folder.
        return _LEADS.format(f"{place.file.removesuffix('.v')}.html#{place.anchor}")

    marks = {(span.begin, span.end): leads(span.place) for span in source.used}
    marks |= {(span.begin, span.end): _STATED.format(span.place.anchor) for span in source.stated}
    return coq(source.text, 0, marks)


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


def _lines(source: Source, statements: Iterable[str]) -> Iterator[tuple[str, int, str]]:
    at = {span.place.anchor: span for span in source.stated}
    for words in statements:
        name = words.split()[1]
        if name in at:
            yield name, source.line(at[name]), address("../", *at[name].place)


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

"""What the search of the pages looks through: claims, obligations, and all that the Coq files state.

It is written as a script, since pages that are opened from files may load scripts and read no other file.
"""

import json
from collections.abc import Iterator
from typing import NamedTuple

from proof_of_absence.checker.kernel.obligation import Claim
from proof_of_absence.checker.report.overview import plain
from proof_of_absence.checker.report.site.contents import Site
from proof_of_absence.checker.report.site.coq_pages import address
from proof_of_absence.checker.report.site.definitions import Source

__all__ = ["Entry", "assigned", "entries", "index"]

# Of a longer statement the beginning is looked through.
LONGEST = 600


class Entry(NamedTuple):
    """What may be found: what it is, its name, what it says, its address from the site's folder."""

    kind: str
    name: str
    text: str
    address: str


def entries(site: Site) -> list[Entry]:
    """Claims first, then their obligations, then Coq's names; a section's variables stand with what uses them."""
    found = [Entry("claim", f"{claim.id}. {claim.title}", _cut(_told(claim)), f"claims/{claim.id}.html")
             for claim in site.claims]  # fmt: skip
    for claim in site.claims:
        for obligation in claim.obligations:
            has_page = site.findings[obligation.id].certificate is not None
            place = f"certificates/{obligation.id}.html" if has_page else f"claims/{claim.id}.html"
            kind = "control, false on purpose" if obligation.is_control else f"obligation, {obligation.scope.value}"
            found.append(Entry(kind, obligation.id, _cut(obligation.statement), place))
    return found + [entry for name, source in site.sources.items() for entry in _stated(name, source)]


def index(site: Site) -> str:
    """The script that search.js asks for."""
    return assigned("what the pages' search looks through: kind, name, words, address", "absenceEntries", entries(site))


def assigned(about: str, name: str, value: object) -> str:
    """A script that gives a global name a value, under two lines that say what it is."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return f"// Made by `absence site`:\n// {about}.\nglobalThis.{name} = {text};\n"


def _told(claim: Claim) -> str:
    return " ".join([plain(claim.statement), *claim.premises])


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else text[:LONGEST].rsplit(" ", 1)[0] + " ..."


def _stated(name: str, source: Source) -> Iterator[Entry]:
    place = address("", name)
    yield Entry("Coq file", name, "", place)
    for span in source.stated:
        anchor = span.place.anchor
        if "." not in anchor:
            sentence = source.sentence(span)
            kind = next((word for word in sentence.split() if word.isalpha() and word not in ("Local", "Global")), "")
            yield Entry(f"Coq, {kind.lower()}", anchor.partition("@")[0], _cut(sentence), f"{place}#{anchor}")

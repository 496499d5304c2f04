"""Where names are stated in Coq sources, and which words of them lead there.

coqc notes it beside what it compiles (.glob). Of a file without such notes, a word that is a name of ours leads to it.
"""

import hashlib
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

from pygments.token import Comment, Keyword, Name

from proof_of_absence.checker.independent.coq import Sources, compiled, uncommented
from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.checker.report.site.examine import Finding
from proof_of_absence.checker.report.site.source import tokens

__all__ = ["Compilation", "Place", "Source", "Span", "compilations", "notes", "read"]

# What of coqc's notes has an anchor. Bound variables stand near by, and sections are not used.
_KINDS = frozenset(("def", "prf", "ind", "constr", "rec", "proj", "abbrev", "var", "inst", "class"))
_STATES = frozenset(
    ("Theorem", "Lemma", "Corollary", "Definition", "Fixpoint", "Let", "Inductive", "Record", "Notation")
)
_NOTE = re.compile(r"(\w+) (\d+):(\d+) (\S+) (\S+)")
_USE = re.compile(r"R(\d+):(\d+) (\S+) (\S+) (\S+) \w+")
_REQUIRED = re.compile(r"\bFrom absence\w* Require(?: Import| Export)?((?:\s+\w+)+)\.")
_IDENTIFIER = re.compile(r"[^\W\d][\w']*")
_SENTENCE = re.compile(r"\S.*?\.(?=\s|$)", re.S)
# The page has it already.
_TAKEN = "main"


class Place(NamedTuple):
    """Where a name is stated: the file, and the anchor on its page."""

    file: str
    anchor: str


class Span(NamedTuple):
    """A word of a source from `begin` up to `end`, in characters, and the place that it leads to or is."""

    begin: int
    end: int
    place: Place


@dataclass(frozen=True)
class Source:
    """A Coq file, the names stated in it and the words that lead to names, each in the order of the text."""

    text: str
    stated: tuple[Span, ...]
    used: tuple[Span, ...]

    def within(self, begin: int, end: int) -> list[Span]:
        """All words that lead to places or are such, in a part of the text."""
        return [span for span in (*self.stated, *self.used) if begin <= span.begin and span.end <= end]

    def line(self, span: Span) -> int:
        """The number of the line on which a word stands, from 1."""
        return self.text.count("\n", 0, span.begin) + 1

    @cached_property
    def _sentences(self) -> list[re.Match[str]]:
        letters = list(self.text)
        for at, kind, word in tokens(self.text):
            if kind in Comment:
                letters[at : at + len(word)] = re.sub(r"\S", " ", word)
        return list(_SENTENCE.finditer("".join(letters)))

    def sentence(self, span: Span) -> str:
        """The sentence that states a name, without comments and on one line; empty where none ends after it."""
        at = bisect_left(self._sentences, span.end, key=re.Match.end)
        return " ".join(self._sentences[at].group().split()) if at < len(self._sentences) else ""


class Compilation(NamedTuple):
    """Where Coq files lie compiled, and the folder of those that they use, if they are classical."""

    files: tuple[str, ...]
    folder: Path
    over: Path | None


def compilations(findings: Iterable[Finding]) -> Iterator[Compilation]:
    """The compiled files of the accepted theorems, what is classical after the rest; nothing where Coq refuses them.

    What is kept from an earlier run is not compiled again.
    """
    wanted: dict[tuple[Sources, Sources], None] = {}
    for finding in findings:
        if finding.certificate is None or finding.certificate["fact"]["kind"] != "coq":
            continue
        fact = finding.certificate["fact"]
        names = [source["file"] for source in fact["files"]]
        whole = tuple((name, finding.files[f"coq/{name}"].decode()) for name in names)
        below = len(whole) - len(fact.get("classical", whole))
        wanted |= {(whole[below:], whole[:below]): None}
        if below:
            wanted |= {(whole[:below], ()): None}
    for sources, over in sorted(wanted, key=lambda pair: bool(pair[1])):
        try:
            folder = Path(compiled(sources, over))
            yield Compilation(tuple(name for name, _ in sources), folder, Path(compiled(over)) if over else None)
        except Refused:
            continue


def notes(places: Iterable[Compilation]) -> dict[str, str]:
    """What coqc noted of each compiled file, by the file's name."""
    found: dict[str, str] = {}
    for names, folder, _ in places:
        for name in names:
            path = folder / name.replace(".v", ".glob")
            if path.is_file():
                found[name] = path.read_text(encoding="utf-8", errors="replace")
    return found


def read(texts: Mapping[str, str], noted: Mapping[str, str]) -> dict[str, Source]:
    """The sources, each after those that it uses, with what is noted of them (see `notes`).

    Notes of another text are left aside. No word leads to a place that is not there.
    """
    exact = {name for name, text in texts.items() if _is_of(noted.get(name, ""), text)}
    stated = {
        name: tuple(_anchored(name, _noted_names(text, noted[name]) if name in exact else _stated_names(text)))
        for name, text in texts.items()
    }
    places = {span.place for spans in stated.values() for span in spans}
    found: dict[str, Source] = {}
    for name, text in texts.items():
        uses = _noted_uses(text, noted[name]) if name in exact else _used_names(name, text, stated)
        free = _apart(sorted(span for span in uses if span.place in places), stated[name])
        found[name] = Source(text, stated[name], tuple(free))
    return found


def _is_of(noted: str, text: str) -> bool:
    return noted.startswith(f"DIGEST {hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()}\n")


def _offsets(text: str) -> list[int]:
    """At how many bytes each character begins, for notes count those."""
    return list(accumulate((len(letter.encode()) for letter in text), initial=0))


def _at(offsets: list[int], byte: int) -> int:
    return min(bisect_left(offsets, byte), len(offsets) - 1)


def _noted_names(text: str, noted: str) -> Iterator[tuple[int, int, str]]:
    offsets = _offsets(text)
    for line in noted.splitlines():
        match = _NOTE.fullmatch(line)
        if match and match[1] in _KINDS:
            name = match[5] if match[4] == "<>" else f"{match[4]}.{match[5]}"
            yield _at(offsets, int(match[2])), _at(offsets, int(match[3]) + 1), name


def _noted_uses(text: str, noted: str) -> Iterator[Span]:
    offsets = _offsets(text)
    for line in noted.splitlines():
        if match := _USE.fullmatch(line):
            name = match[5] if match[4] == "<>" else f"{match[4]}.{match[5]}"
            place = Place(f"{match[3].rpartition('.')[2]}.v", name)
            yield Span(_at(offsets, int(match[1])), _at(offsets, int(match[2]) + 1), place)


def _stated_names(text: str) -> Iterator[tuple[int, int, str]]:
    """Each name after a word that states one; what Pygments takes for a word of Coq may be a name of ours."""
    states = False
    for begin, kind, word in tokens(text):
        if states and _IDENTIFIER.fullmatch(word):
            yield begin, begin + len(word), word
        if not word.isspace():
            states = kind in Keyword and word in _STATES


def _used_names(file: str, text: str, stated: Mapping[str, Iterable[Span]]) -> Iterator[Span]:
    """Each word that is stated above it, or else in the last file that states it of those that are named."""
    named = {f"{name}.v" for match in _REQUIRED.finditer(uncommented(text)) for name in match[1].split()}
    known = {span.place.anchor: span.place for name in stated if name in named for span in stated[name]}
    above = sorted(stated[file], reverse=True)
    for begin, kind, word in tokens(text):
        while above and above[-1].begin < begin:
            place = above.pop().place
            known[place.anchor] = place
        if kind in Name and word in known:
            yield Span(begin, begin + len(word), known[word])


def _anchored(file: str, names: Iterable[tuple[int, int, str]]) -> Iterator[Span]:
    """Each word that states a name, with an anchor that no other has."""
    taken, at = {_TAKEN}, 0
    for begin, end, name in sorted(names):
        if at <= begin < end:
            anchor = name if name not in taken else f"{name}@{begin}"
            taken.add(anchor)
            yield Span(begin, end, Place(file, anchor))
            at = end


def _apart(spans: Iterable[Span], stated: Iterable[Span]) -> Iterator[Span]:
    """Those that lie over none of the stated names, nor over one another."""
    closed = {i for span in stated for i in range(span.begin, span.end)}
    at = 0
    for span in spans:
        if at <= span.begin < span.end and closed.isdisjoint(range(span.begin, span.end)):
            yield span
            at = span.end

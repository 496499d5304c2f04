"""By which theorems the program is sound: for each kind of fact that it decides, those of the checkers that it asks.

Read from the program's own text, so that no kind can be told that it does not decide.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from proof_of_absence.checker.independent.coq import uncommented
from proof_of_absence.checker.proved.program import HERE, OURS, coq_texts, extraction

__all__ = ["AUDITS", "Theorem", "extracted", "sound"]

_DEFINITION = re.compile(r"^(?:let(?: rec)?|and) (\w+)", re.M)
_KIND = re.compile(r"\"([a-z-]+)\", *(?:[A-Z]\w*\.)?([a-z]\w*)")
_NAME = re.compile(r"\"([a-z0-9-]+)\"")
_TEXT = re.compile(r"\"[^\"]*\"")
_OPENED = re.compile(r"^open (\w+)", re.M)
_USED = re.compile(r"(?:\b([A-Z]\w*)\.)?\b([a-z_]\w*)")
_CHECKER = re.compile(r"check_\w+")
# The numbers that facts state are compared by a function of its own.
COMPARED = "compared"
# Facts of an audit, all those of `deciders` in folders.ml: what is read of each, and the pass over the rows.
AUDITS = {
    "units": ("activities", "checked"),
    "circuit": ("circuit", "checked"),
    "training-loss": ("training",),
    "lower-training-loss": ("improvement",),
    "hardened": ("hardening",),
    "inside": ("inside_hull",),
    "covered": ("covers",),
    "train-input": ("same_input",),
    "outside": ("outside_hull",),
    "full-rank": ("independent",),
    "dependency": ("dependent",),
    "few-inputs": ("few_inputs",),
    "readout-prices": ("readout_prices",),
    "irrelevant-region": ("irrelevant",),
    "relevant-at": ("relevant",),
}


class Definition(NamedTuple):
    """A name that a file of the program defines."""

    file: str
    name: str


@dataclass(frozen=True)
class Theorem:
    """A theorem on one extracted checker, and the file of `proofs/coq` in which it stands."""

    name: str
    file: str


def extracted() -> dict[str, Theorem]:
    """The checkers that Coq extracts, each with the theorem that says what it accepts.

    Raises
    ------
    LookupError
        If one has no theorem, or more than one.
    """
    texts = coq_texts()
    found = {}
    for name in filter(_CHECKER.fullmatch, extraction().names):
        stated = [
            Theorem(theorem, file)
            for file, text in texts.items()
            for theorem in re.findall(rf"^Theorem ([CN]\d+_{name})\b", text, re.M)
        ]
        if len(stated) != 1:
            raise LookupError(f"{name} has {len(stated)} theorems")
        found[name] = stated[0]
    return found


@cache
def sound() -> dict[str, tuple[Theorem, ...]]:
    """For each kind of fact that the program accepts, the theorems of the checkers that its answer goes through.

    Raises
    ------
    LookupError
        If the facts of an audit that it decides are others than those of `AUDITS`.
    """
    program = Program()
    decided = set(_NAME.findall(program.body("deciders")))
    if decided != set(AUDITS):
        raise LookupError(f"the program decides {sorted(decided)} of an audit, and not {sorted(AUDITS)}")
    theorems = extracted()
    starts = {COMPARED: program.named(COMPARED)}
    for at in program.named("kinds"):
        for kind, start in _KIND.findall(program.bodies[at]):
            starts[kind] = [Definition(at.file, start)]
    # A kind of the claims may be one of audits too.
    for kind, several in AUDITS.items():
        starts[kind] = starts.get(kind, []) + [at for start in several for at in program.named(start)]
    asked = {kind: _asked(program, several) for kind, several in starts.items()}
    return {
        kind: tuple(theorem for name, theorem in theorems.items() if name in names)
        for kind, names in sorted(asked.items())
    }


def _asked(program: "Program", starts: Iterable[Definition]) -> set[str]:
    """The names that definitions use, and those that what they use uses."""
    met, ahead = set(starts), list(starts)
    names = set()
    while ahead:
        used, meant = program.used(ahead.pop())
        names |= used
        ahead += meant - met
        met |= meant
    return names


class Program:
    """The program's definitions, and what the names in them mean: by file, as OCaml reads them.

    A name that a pattern binds is taken for the definition of that name too, where the file sees one: what is found may
    be more than what is used, and is no less.
    """

    def __init__(self) -> None:
        self.bodies: dict[Definition, str] = {}
        self.opened: dict[str, tuple[str, ...]] = {}
        for file in OURS:
            text = uncommented((HERE / file).read_text(encoding="utf-8"))
            self.opened[file] = tuple(f"{module.lower()}.ml" for module in _OPENED.findall(text))
            heads = list(_DEFINITION.finditer(text))
            for head, after in zip(heads, [*heads[1:], None], strict=True):
                at = Definition(file, head.group(1))
                self.bodies[at] = self.bodies.get(at, "") + text[head.end() : after.start() if after else len(text)]

    def named(self, name: str) -> list[Definition]:
        """All definitions of a name."""
        return [at for at in self.bodies if at.name == name]

    def body(self, name: str) -> str:
        """The text of the one definition of a name."""
        (at,) = self.named(name)
        return self.bodies[at]

    def used(self, at: Definition) -> tuple[set[str], set[Definition]]:
        """The names in a definition, and the definitions that they mean."""
        found = set(_USED.findall(_TEXT.sub("", self.bodies[at])))
        meant = {one for module, name in found for one in self._meant(at.file, module, name)}
        return {name for _, name in found}, meant

    def _meant(self, file: str, module: str, name: str) -> list[Definition]:
        own = Definition(file, name)
        if not module and own in self.bodies:
            return [own]
        files = (f"{module.lower()}.ml",) if module else self.opened[file]
        return [one for one in (Definition(other, name) for other in files) if one in self.bodies]

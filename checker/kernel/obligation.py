"""What is to be checked, and the closed list of what may come out.

An obligation is one machine check. A claim is a statement that is green when all its obligations are, and those of the
claims it rests on.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

from proof_of_absence.checker.kernel.smt import Script

__all__ = [
    "CONDITIONAL",
    "REACHES",
    "Claim",
    "Drops",
    "Evidence",
    "KernelProof",
    "Obligation",
    "Query",
    "Scope",
    "Verdict",
]

Fact = dict[str, Any]
Witness = dict[str, Fraction | bool]


class Scope(StrEnum):
    """How far a result reaches."""

    UNIVERSAL = "universal"  # all sizes, kernel-checked, from no axiom
    CLASSICAL = "universal (classical)"  # the same, from the three axioms of mathcomp-analysis
    BOUNDED = "bounded"  # all real parameters, stated sizes
    INSTANCE = "instance"  # the given net and data, exactly

    @property
    def is_theorem(self) -> bool:
        """Whether the Coq kernel decides it."""
        return self in (Scope.UNIVERSAL, Scope.CLASSICAL)


CONDITIONAL = "conditional"  # universal, for functions of which theorems take properties as premises
# The words for scopes, widest first.
REACHES = (Scope.UNIVERSAL.value, CONDITIONAL, Scope.CLASSICAL.value, Scope.BOUNDED.value, Scope.INSTANCE.value)


class Verdict(StrEnum):
    """What a check may come to. Only PROVED and REFUTED leave a certificate."""

    PROVED = "PROVED"
    REFUTED = "REFUTED"
    UNKNOWN = "UNKNOWN"  # a solver is missing, gave up, or disagrees
    ERROR = "ERROR"  # the check itself broke, or its evidence was refused
    BLOCKED = "BLOCKED"  # a claim it rests on is not green


@dataclass(frozen=True)
class Query:
    """An SMT question, put to every solver.

    Parameters
    ----------
    script
        Premises and the deciding formula.
    replay
        For an existential statement: makes from the witness the exact fact that it is to show.
    """

    script: Script
    replay: Callable[[Witness], Fact] | None = None


@dataclass(frozen=True)
class Evidence:
    """The outcome of an exact computation: a fact for the independent checker, and what it shows.

    `holds` is False where the fact is a countermodel to the obligation's statement.
    """

    fact: Fact
    holds: bool = True


@dataclass(frozen=True)
class KernelProof:
    """Theorems of one Coq file, to be compiled with all the files of its folder's ``_CoqProject``.

    With `over`, the folder's files are classical, and use those of that folder.
    """

    folder: Path
    module: str
    theorems: tuple[str, ...]
    over: Path | None = None


@dataclass(frozen=True)
class Obligation:
    """One check: its statement in words, its scope, how to make it, and the verdict it must come to.

    A negative control states something false on purpose and expects REFUTED. `given` says of which functions theorems
    take properties as premises, where no field is known here to have such functions without an axiom: they are
    conditional. `refutation` is the file of a tree that shows the query to have no solution, where one is known; then
    no solver need be believed.
    """

    id: str
    statement: str
    scope: Scope
    build: Callable[[], Query | Evidence | KernelProof]
    expect: Verdict = Verdict.PROVED
    given: str = ""
    refutation: Path | None = None

    @property
    def is_control(self) -> bool:
        """Whether the obligation is a negative control."""
        return self.expect is Verdict.REFUTED

    @property
    def reach(self) -> str:
        """The scope in a word, one of `REACHES`: theorems with a `given` are "conditional"."""
        return CONDITIONAL if self.given else self.scope.value


class Drops(NamedTuple):
    """What a countermodel shows necessary: `premise` of the claim `claim`, named as `Claim.premise` finds it.

    `instead` is what the countermodel has in the premise's place.
    """

    claim: str
    premise: str
    instead: str


@dataclass(frozen=True)
class Claim:
    """A claim as a page of a paper: statement and proof in LaTeX, premises, what it rests on, obligations.

    `limits` says what the obligations leave unproved. `proof` cites exactly the claims of `rests_on`,
    as ``\\claim{ID}``. A countermodel says in `drops` which premise of which claim it shows necessary.
    """

    id: str
    title: str
    statement: str
    premises: tuple[str, ...]
    proof: str
    limits: str
    obligations: tuple[Obligation, ...]
    rests_on: tuple[str, ...] = ()
    drops: Drops | None = None

    def __post_init__(self) -> None:
        ids = [o.id for o in self.obligations]
        if len(set(ids)) != len(ids) or any(not i.startswith(f"{self.id}.") for i in ids):
            raise ValueError(f"{self.id}: obligations need distinct ids that begin with '{self.id}.'")
        if not any(o.is_control for o in self.obligations):
            raise ValueError(f"{self.id}: no negative control")

    def premise(self, name: str) -> str:
        """The premise of that name: what stands before its colon, or all of it if it has none.

        Raises
        ------
        LookupError
            If there is not exactly one.
        """
        found = [premise for premise in self.premises if premise.partition(":")[0] == name]
        if len(found) != 1:
            raise LookupError(f"{self.id} has {len(found)} premises of the name {name!r}")
        return found[0]

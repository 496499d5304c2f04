"""What must be believed for a verdict: told from its certificate and from what the proved checkers say of it.

Where they were not asked, or say something else than the certificate, less is claimed.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from proof_of_absence.checker.proved.opinion import Answer, Opinion

__all__ = ["Row", "Trust", "believed", "counted", "each", "table", "whole"]

Certificate = dict[str, Any]


class Trust(StrEnum):
    """What decides, from what asks the least belief to what asks the most; there is nothing else."""

    KERNEL = "the Coq kernel"
    PROVED = "the proved checker"
    PYTHON = "the Python checker"
    SOLVERS = "z3 and cvc5"


@dataclass(frozen=True)
class Row:
    """How many facts and obligations rest on something, before there were a proved checker and refutations, and now."""

    trust: Trust
    facts_before: int
    facts: int
    obligations_before: int
    obligations: int


def each(certificate: Certificate, opinion: Opinion | None = None) -> list[Trust]:
    """For each fact of a certificate, and each comparison of numbers in it, what must be believed."""
    fact = certificate["fact"]
    kinds = _kinds(fact)
    said = [answer for _, answer in opinion.facts] if opinion and [kind for kind, _ in opinion.facts] == kinds else []
    proved = {Answer.ACCEPTED: Trust.PROVED, Answer.KERNEL: Trust.KERNEL}
    other = _unproved(fact)
    return [proved.get(answer, other) for answer in said or [Answer.LEFT] * len(kinds)]


def whole(certificate: Certificate, opinion: Opinion | None = None) -> Trust:
    """What must be believed for the whole of it: of its parts, the one that asks the most.

    Examples
    --------
    >>> several = {"fact": {"kind": "all", "facts": [{"kind": "idle"}, {"kind": "ridge"}]}}
    >>> def said(*answers):
    ...     return whole(several, Opinion(tuple(zip(("idle", "ridge"), map(Answer, answers))))).value
    >>> said("accepted", "accepted"), said("accepted", "left"), whole(several).value
    ('the proved checker', 'the Python checker', 'the Python checker')
    """
    return max(each(certificate, opinion), key=list(Trust).index)


def _kinds(fact: dict[str, Any]) -> list[str]:
    """The kinds in the order in which the program answers."""
    if fact["kind"] != "all":
        return [fact["kind"]]
    return [kind for part in fact["facts"] for kind in _kinds(part)] + ["compared"] * len(fact.get("compared", []))


def _unproved(fact: dict[str, Any]) -> Trust:
    """What decides where the proved checkers do not; theorems and scripts are no parts of other facts."""
    match fact:
        case {"kind": "coq"}:
            return Trust.KERNEL
        case {"kind": "smt", "answer": "unsat"} if not fact.get("refutation"):
            return Trust.SOLVERS
    return Trust.PYTHON


def believed(certificate: Certificate, opinion: Opinion | None = None) -> set[str]:
    """What the verdict rests on, in words, with versions."""
    found = whole(certificate, opinion)
    versions = {f"{run['solver']} {run['version']}" for run in certificate["runs"]}
    if found is Trust.KERNEL:
        kernels = {f"the kernel of {version.replace('coq', 'Coq')}" for version in versions}
        said = "that the Coq statement says what the claim says"
        return kernels | {"what starts Coq (checker/independent/coq.py)", said}
    needed = {"that the fact says what the obligation says"}
    if certificate["fact"]["kind"] == "smt":
        needed.add("our SMT encoding (checker/encode/nets.py, tested against direct evaluation)")
    if found is Trust.PROVED:
        reader = "what reads certificates (checker/proved/program)"
        return needed | {f"Coq's kernel and extraction, OCaml, GMP, and {reader}"}
    needed.add("the independent checker (checker/independent)")
    return needed | versions if found is Trust.SOLVERS else needed


def table(certificates: Mapping[str, Certificate], opinions: Mapping[str, Opinion]) -> list[Row]:
    """Counts over certificates by obligation; what `opinions` lacks is counted as if nobody had been asked."""
    facts_before, facts, before, after = (Counter[Trust]() for _ in range(4))
    for name, certificate in certificates.items():
        opinion = opinions.get(name)
        earlier = certificate | {"fact": certificate["fact"] | {"refutation": None}}
        facts_before.update(each(earlier))
        facts.update(each(certificate, opinion))
        before[whole(earlier)] += 1
        after[whole(certificate, opinion)] += 1
    return [Row(kind, facts_before[kind], facts[kind], before[kind], after[kind]) for kind in Trust]


def counted(rows: Iterable[Row]) -> str:
    """One line: how many obligations rest on what."""
    rows = list(rows)
    told = ", ".join(f"{row.trust} for {row.obligations}" for row in rows if row.obligations)
    return f"Of {sum(row.obligations for row in rows)} obligations one must trust {told}"

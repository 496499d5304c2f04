"""What a branch of a case distinction needs to contradict itself, by z3: a guide for a search, and no proof."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import z3

from proof_of_absence.checker.construct.formulas import said, signed, value
from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.checker.independent.values.branch import Branch, Formula, Hypothesis

__all__ = ["Needed", "needed", "needed_hypotheses"]

# For one question to a solver; a limit of its own count, so that the machine's load changes nothing.
RESOURCES = 3_000_000


@dataclass(frozen=True)
class Needed:
    """Places of the choices and conditions without which, as far as z3 sees, the hypotheses have a solution."""

    choices: list[int]
    conditions: list[int]


def needed(branch: Branch) -> Needed | None:
    """What must be decided to refute the branch; None if z3 does not find it to have no solution."""
    conditions = {shape: place for place, shape in enumerate(branch.conditions)}
    parts: dict[tuple[str, int], list[Any]] = {}
    for place, choice in enumerate(branch.choices):
        if members := _members(branch, choice):
            parts["choice", place] = [z3.Or(members)]
    always = [signed(h.relation, tuple(h.polynomial.items())) for h in branch.hypotheses]
    for key, name in branch.names.items():
        if key[0] == "ite":
            _, shape, one, other = key
            meaning = z3.Real(name) == z3.If(said(shape), value(one), value(other))
            known = shape not in conditions
            (always if known else parts.setdefault(("condition", conditions[shape]), [])).append(meaning)
    if not _contradicts([*always, *(f for group in parts.values() for f in group)]):
        return None
    left = list(parts)
    # All conditions at once, then one by one: what choices alone refute is refuted by choices.
    for kind in ("condition", "choice"):
        some = [part for part in left if part[0] != kind]
        if _contradicts([*always, *(f for part in some for f in parts[part])]):
            left = some
    left = _least(left, lambda some: _contradicts([*always, *(f for part in some for f in parts[part])]))
    return Needed(*([place for kind, place in left if kind == wanted] for wanted in ("choice", "condition")))


def needed_hypotheses(hypotheses: Sequence[Hypothesis], *, least: bool = True) -> list[int] | None:
    """Places of hypotheses that contradict each other, none to spare if `least`; None if z3 finds none."""
    signs = [signed(h.relation, tuple(h.polynomial.items())) for h in hypotheses]
    if not _contradicts(signs):
        return None
    every = list(range(len(signs)))
    return _least(every, lambda some: _contradicts([signs[i] for i in some])) if least else every


def _least(parts: list[Any], suffices: Any) -> list[Any]:
    """Parts of which none can be left out, halves first."""
    size = len(parts) // 2
    while size:
        for start in range(0, len(parts), size):
            some = parts[:start] + parts[start + size :]
            if len(some) < len(parts) and suffices(some):
                return _least(some, suffices)
        size //= 2
    return parts


def _contradicts(formulas: Iterable[Any]) -> bool:
    formulas = list(formulas)
    for solver in (z3.Solver(), z3.SolverFor("QF_NRA")):
        solver.set("rlimit", RESOURCES)
        solver.add(*formulas)
        answer = solver.check()
        if answer != z3.unknown:
            return bool(answer == z3.unsat)
    return False


def _members(branch: Branch, choice: list[Formula]) -> list[Any]:
    """The formulas of a choice; none if one is not understood."""
    try:
        return [said(branch.shape(member)) for member in choice]
    except Refused:
        return []

"""Which case distinction closes a branch of a linear script soonest, by z3: a guide for a search, and no proof.

One solver holds what the branch says; the ways of a distinction are put to it and taken back.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import z3

from proof_of_absence.checker.construct.formulas import said, signed, value
from proof_of_absence.checker.construct.multipliers import contradiction
from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.checker.independent.values.branch import Branch, Formula, Hypothesis

__all__ = ["Lookahead"]

Tree = dict[str, Any]
MILLISECONDS = 60_000


class Lookahead:
    """What a branch's hypotheses are, and what may be asked of it: its choices and conditions."""

    def __init__(self, branch: Branch, cases: Iterable[Formula] = ()) -> None:
        self._branch = branch
        # What is asked again tells nothing: an "and" is decided by its parts, and what differs is less or more.
        self._asked = {_bare(branch.shape(case)) for case in cases if _is_joined(case)}
        self._solver = z3.SolverFor("QF_LRA")
        self._solver.set("timeout", MILLISECONDS)
        self._asserted = [z3.Bool(f"h{i}") for i in range(len(branch.hypotheses))]
        for name, h in zip(self._asserted, branch.hypotheses, strict=True):
            self._solver.add(z3.Implies(name, signed(h.relation, tuple(h.polynomial.items()))))
        self._parts = {
            key: (name, tuple(key[2]), tuple(key[3])) for key, name in branch.names.items() if key[0] == "ite"
        }

    def leaf(self) -> list[Tree] | None:
        """Terms that refute the hypotheses alone, if these have no solution."""
        if self._solver.check(*self._asserted) != z3.unsat:
            return None
        core = {str(name) for name in self._solver.unsat_core()}
        places = [i for i in range(len(self._asserted)) if f"h{i}" in core]
        some: Sequence[Hypothesis] = [self._branch.hypotheses[i] for i in places]
        found = contradiction(some, (1,))
        return found and [term | {"of": [places[i] for i in term["of"]]} for term in found]

    def best(self) -> Tree | None:
        """The distinction, among those that are needed, of which the fewest ways stay open."""
        found, fewest = None, (3.0, 3.0)
        for node in self._needed():
            ways = list(self._ways(node))
            left = sum(self._open(way) for way in ways)
            if (left, len(ways)) < fewest or found is None:
                found, fewest = node, (left, len(ways))
            if left == 0:
                break
        return found

    def _needed(self) -> list[Tree]:
        """Choices and conditions without which the branch has a solution; empty if it may have one with them."""
        marks: dict[str, tuple[Any, Tree]] = {}
        self._solver.push()
        for place in range(len(self._branch.choices)):
            self._mark(marks, {"choice": place})
        for place, shape in enumerate(self._branch.conditions):
            if _bare(shape) in self._asked:
                self._solver.add(self._one_of({"condition": place}))
            else:
                self._mark(marks, {"condition": place})
        left = [mark for mark, _ in marks.values()]
        if self._solver.check(*self._asserted, *left) == z3.unsat:
            left = self._core(left)
            for mark in list(left):
                some = [other for other in left if other is not mark]
                if mark in left and self._solver.check(*self._asserted, *some) == z3.unsat:
                    left = self._core(some)
            # Where what was asked before is enough, its parts must be decided: any choice may be one.
            left = left or [mark for mark, node in marks.values() if "choice" in node]
        else:
            left = []
        self._solver.pop()
        return [marks[str(mark)][1] for mark in left]

    def _mark(self, marks: dict[str, tuple[Any, Tree]], node: Tree) -> None:
        mark = z3.Bool(f"{node}")
        marks[str(mark)] = mark, node
        self._solver.add(z3.Implies(mark, self._one_of(node)))

    def _one_of(self, node: Tree) -> Any:
        return z3.Or([z3.And(way) for way in self._ways(node)])

    def _core(self, marks: list[Any]) -> list[Any]:
        core = {str(name) for name in self._solver.unsat_core()}
        return [mark for mark in marks if str(mark) in core]

    def _ways(self, node: Tree) -> Iterable[list[Any]]:
        """What each way says."""
        if "choice" in node:
            for member in self._branch.choices[node["choice"]]:
                yield [self._formula(member)]
            return
        shape = list(self._branch.conditions)[node["condition"]]
        for so in (True, False):
            says = [said(shape) if so else z3.Not(said(shape))]
            for key, (name, one, other) in self._parts.items():
                if key[1] == shape:
                    says.append(z3.Real(name) == value(one if so else other))
            yield says

    def _formula(self, formula: Formula) -> Any:
        try:
            return said(self._branch.shape(formula))
        except Refused:
            return z3.BoolVal(True)

    def _open(self, way: list[Any]) -> bool:
        self._solver.push()
        self._solver.add(*way)
        answer = self._solver.check(*self._asserted)
        self._solver.pop()
        return bool(answer != z3.unsat)


def _is_joined(formula: Formula) -> bool:
    return isinstance(formula.term, list) and formula.term[0] in ("and", "or", "=", "distinct")


def _bare(shape: tuple[Any, ...]) -> tuple[Any, ...]:
    """A condition, whether it holds or fails."""
    return (shape[0], *shape[2:]) if shape[0] in ("and", "or", "not") else shape[:-1]

"""Search for trees that refute queries: that a script has no solution then rests on no solver.

`python -m proof_of_absence.proofs.facts.refutation [OBLIGATION]...` searches for those that are not there, and writes
them to `refutations/`.
"""

import json
import math
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

from proof_of_absence.checker.construct.lookahead import Lookahead
from proof_of_absence.checker.construct.multipliers import LEVELS, contradiction, factors, zeros
from proof_of_absence.checker.construct.needed import Needed, needed, needed_hypotheses
from proof_of_absence.checker.independent.kinds.refutation import refutation as check
from proof_of_absence.checker.independent.kinds.refutation import ways
from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.checker.independent.sexpr import Polynomial
from proof_of_absence.checker.independent.values.branch import Branch, Formula, Hypothesis
from proof_of_absence.checker.independent.values.branch import Query as Read
from proof_of_absence.checker.kernel.obligation import Query
from proof_of_absence.checker.kernel.smt import add, mul, num
from proof_of_absence.proofs.hints import HINTS, Hint

__all__ = ["refutation"]

Tree = dict[str, Any]
# Seconds for a search, what the check of its tree may take, and splits by signs of terms below one another.
SECONDS, CHECK, SIGNS = 300.0, 20.0, 4
LINEAR = "(set-logic QF_LRA)"


class _Open(Exception):
    """No tree was found."""


def refutation(script: str, seconds: float = SECONDS, hints: tuple[Hint, ...] = ()) -> Tree | None:
    """The fact that a script has no solution, or None if no tree for it is found in time.

    Examples
    --------
    >>> signs = "(assert (< x y))(assert (< y 0))(assert (< (* x y) 0))"
    >>> found = refutation(f"(set-logic QF_NRA)(declare-fun x () Real)(declare-fun y () Real){signs}(check-sat)")
    >>> found["kind"], [term["of"] for term in found["tree"]["sum"]]
    ('refutation', [[2], [0, 1], [1, 1]])
    """
    for search in (_Linear, _Search) if LINEAR in script else (_Search,):
        # What the checker does not understand has no tree.
        with suppress(_Open, RecursionError, Refused):
            return {"kind": "refutation", "tree": search(Read(script), time.process_time() + seconds).tree((), hints)}
    return None


class _Search:
    def __init__(self, script: Read, end: float) -> None:
        self._script, self._end = script, end

    def _branch(self, cases: tuple[Formula, ...]) -> Branch:
        """What is known in these cases, while there is time."""
        if time.process_time() > self._end:
            raise _Open
        return Branch(self._script, cases)

    def tree(self, cases: tuple[Formula, ...], hints: tuple[Hint, ...], signs: int = SIGNS) -> Tree:
        """A tree for these cases, with at most so many splits by signs of terms on a way through it."""
        branch = self._branch(cases)
        if branch.closed:
            return {"sum": []}
        if found := contradiction(branch.hypotheses, LEVELS[:1]) or self._leaf(branch):
            return {"sum": found}
        for term in self._terms(zeros(branch.hypotheses)):
            return self._cases(branch, {"sign": term}, cases, hints, signs)
        if hints:
            return self._hinted(cases, *hints, signs=signs)
        if node := self._split(branch, cases):
            return self._cases(branch, node, cases, hints, signs)
        for term in self._terms(factors(branch.hypotheses)) if signs else ():
            return self._cases(branch, {"sign": term}, cases, hints, signs - 1)
        raise _Open

    def _leaf(self, branch: Branch) -> list[Tree] | None:
        """The terms that refute the hypotheses alone, if z3 finds that these do: from few of them, from those about the
        same variables, from all.
        """
        few = needed_hypotheses(branch.hypotheses)
        if few is None:
            return None
        names = _names(branch.hypotheses[i] for i in few)
        near = [i for i, h in enumerate(branch.hypotheses) if _names([h]) <= names]
        for places in (few, near, list(range(len(branch.hypotheses)))):
            if found := contradiction([branch.hypotheses[i] for i in places]):
                return [term | {"of": [places[i] for i in term["of"]]} for term in found]
        return None

    def _hinted(self, cases: tuple[Formula, ...], hint: Hint, *later: Hint, signs: int) -> Tree:
        """A tree that begins with what the proof on paper says first."""
        node = {hint.node: hint.formula}
        found = ways(Branch(self._script, cases), node)
        # Of a formula the first case goes on, of values the last.
        goes_on = 0 if hint.node == "whether" else len(found) - 1
        return node | {
            "cases": [
                self.tree((*cases, way), later if place == goes_on or not (hint.lemma or hint.why) else hint.why, signs)
                for place, way in enumerate(found)
            ]
        }

    def _split(self, branch: Branch, cases: tuple[Formula, ...]) -> Tree | None:
        """The case distinction, among those that z3 needs, of which the fewest cases stay open."""
        must = needed(branch)
        found, fewest = None, (math.inf, math.inf)
        for node in _splits(branch, must):
            below = ways(branch, node)
            left = sum(self._stays_open((*cases, way)) for way in below)
            if (left, len(below)) < fewest:
                found, fewest = node, (left, len(below))
            if left == 0:
                break
        return found

    def _stays_open(self, cases: tuple[Formula, ...]) -> bool:
        branch = Branch(self._script, cases)
        return not branch.closed and needed_hypotheses(branch.hypotheses, least=False) is None

    def _cases(
        self, branch: Branch, node: Tree, cases: tuple[Formula, ...], hints: tuple[Hint, ...], signs: int
    ) -> Tree:
        return node | {"cases": [self.tree((*cases, way), hints, signs) for way in ways(branch, node)]}

    def _terms(self, polynomials: Iterable[Polynomial]) -> Iterator[str]:
        """Those that are in the script's own names, as terms."""
        for polynomial in polynomials:
            if all(name in self._script.declared for monomial in polynomial for name, _ in monomial):
                yield _written(polynomial)


class _Linear(_Search):
    """Of a linear script: one solver says of a branch whether it is closed, and which cases close it soonest."""

    def tree(self, cases: tuple[Formula, ...], hints: tuple[Hint, ...], signs: int = SIGNS) -> Tree:
        """A tree for these cases."""
        branch = self._branch(cases)
        if branch.closed:
            return {"sum": []}
        ahead = Lookahead(branch, cases)
        if found := ahead.leaf():
            return {"sum": found}
        if hints:
            return self._hinted(cases, *hints, signs=signs)
        node = ahead.best()
        if node is None:
            raise _Open
        return self._cases(branch, node, cases, hints, signs)


def _splits(branch: Branch, must: Needed | None) -> Iterator[Tree]:
    """Those that are needed, or all."""
    conditions, choices = range(len(branch.conditions)), range(len(branch.choices))
    yield from ({"condition": place} for place in (conditions if must is None else must.conditions))
    yield from ({"choice": place} for place in (choices if must is None else must.choices))


def _names(hypotheses: Iterable[Hypothesis]) -> set[str]:
    return {name for h in hypotheses for monomial in h.polynomial for name, _ in monomial}


def _written(polynomial: Polynomial) -> str:
    """The polynomial as a term."""
    return add(*(mul(num(c), *(name for name, k in m for _ in range(k))) for m, c in polynomial.items()))


def _main(names: list[str]) -> None:
    from proof_of_absence.proofs.chain import CLAIMS
    from proof_of_absence.proofs.refuted import FOLDER

    for obligation in (o for claim in CLAIMS for o in claim.obligations):
        place = FOLDER / f"{obligation.id}.json"
        if (names and obligation.id not in names) or (not names and place.exists()):
            continue
        built = obligation.build() if not obligation.scope.is_theorem else None
        if not isinstance(built, Query):
            continue
        script = built.script.text()
        started = time.monotonic()
        found = refutation(script, hints=HINTS.get(obligation.id, ()))
        told = f"{obligation.id}: "
        if found is None:
            print(told + "no tree", flush=True)
            continue
        searched, before = time.monotonic() - started, time.process_time()
        check(found | {"script": script})
        takes = time.process_time() - before
        text = json.dumps(found["tree"], separators=(",", ":")) + "\n"
        if takes <= CHECK:
            place.write_text(text, encoding="utf-8")
        print(told + f"{len(text)} bytes, {searched:.1f} s, the check {takes:.2f} s", flush=True)


if __name__ == "__main__":
    _main(sys.argv[1:])

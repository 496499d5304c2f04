"""Search for trees that refute queries: that a script has no solution then rests on no solver.

`python -m proof_of_absence.proofs.facts.refutation [OBLIGATION]...` searches for those that are not there, and writes
them to `refutations/`.
"""

import json
import sys
import time
from collections.abc import Iterable, Iterator
from typing import Any

from proof_of_absence.checker.construct.multipliers import LEVELS, contradiction, factors, zeros
from proof_of_absence.checker.independent.kinds.refutation import refutation as check
from proof_of_absence.checker.independent.kinds.refutation import ways
from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.checker.independent.sexpr import Polynomial
from proof_of_absence.checker.independent.values.branch import Branch, Formula
from proof_of_absence.checker.independent.values.branch import Query as Read
from proof_of_absence.checker.kernel.obligation import Query
from proof_of_absence.checker.kernel.smt import add, mul, num

__all__ = ["refutation"]

Tree = dict[str, Any]
# Seconds for a search, what the check of its tree may take, and splits by signs of terms below one another.
SECONDS, CHECK, SIGNS = 60.0, 3.0, 6


class _Open(Exception):
    """No tree was found."""


def refutation(script: str, seconds: float = SECONDS) -> Tree | None:
    """The fact that a script has no solution, or None if no tree for it is found in time.

    Examples
    --------
    >>> signs = "(assert (< x y))(assert (< y 0))(assert (< (* x y) 0))"
    >>> found = refutation(f"(set-logic QF_NRA)(declare-fun x () Real)(declare-fun y () Real){signs}(check-sat)")
    >>> found["kind"], [term["of"] for term in found["tree"]["sum"]]
    ('refutation', [[2], [0, 1], [1, 1]])
    """
    search = _Search(Read(script), time.monotonic() + seconds)
    try:
        return {"kind": "refutation", "tree": search.tree(())}
    # What the checker does not understand has no tree.
    except (_Open, RecursionError, Refused):
        return None


class _Search:
    def __init__(self, script: Read, end: float) -> None:
        self._script, self._end = script, end

    def tree(self, cases: tuple[Formula, ...], signs: int = SIGNS) -> Tree:
        """A tree for these cases, with at most so many splits by signs of terms on a way through it."""
        if time.monotonic() > self._end:
            raise _Open
        branch = Branch(self._script, cases)
        if branch.closed:
            return {"sum": []}
        if found := contradiction(branch.hypotheses, LEVELS[:1]):
            return {"sum": found}
        for term in self._terms(zeros(branch.hypotheses)):
            return self._cases(branch, {"sign": term}, cases, signs)
        splits = list(_splits(branch))
        if len(cases) % 4 == 0 and (node := self._decided(branch, cases)):
            return self._cases(branch, node, cases, signs)
        deep = not cases or (len(cases) % 3 == 0 and len(branch.hypotheses) < 12)
        if found := contradiction(branch.hypotheses, LEVELS[1 : 1 + deep] if splits else LEVELS[1:]):
            return {"sum": found}
        if splits:
            # The fewest cases first, and conditions before choices.
            node = min(splits, key=lambda split: len(ways(branch, split)))
            return self._cases(branch, node, cases, signs)
        for term in self._terms(factors(branch.hypotheses)) if signs else ():
            return self._cases(branch, {"sign": term}, cases, signs - 1)
        raise _Open

    def _cases(self, branch: Branch, node: Tree, cases: tuple[Formula, ...], signs: int) -> Tree:
        return node | {"cases": [self.tree((*cases, way), signs) for way in ways(branch, node)]}

    def _decided(self, branch: Branch, cases: tuple[Formula, ...]) -> Tree | None:
        """A choice of which all formulas but one fail at once."""
        for node in _splits(branch):
            left = 0
            for way in ways(branch, node):
                below = Branch(self._script, (*cases, way))
                left += not below.closed and contradiction(below.hypotheses, LEVELS[:1]) is None
                if left > 1:
                    break
            if left <= 1:
                return node
        return None

    def _terms(self, polynomials: Iterable[Polynomial]) -> Iterator[str]:
        """Those that are in the script's own names, as terms."""
        for polynomial in polynomials:
            if all(name in self._script.declared for monomial in polynomial for name, _ in monomial):
                yield _written(polynomial)


def _splits(branch: Branch) -> Iterator[Tree]:
    yield from ({"condition": place} for place in range(len(branch.conditions)))
    yield from ({"choice": place} for place in range(len(branch.choices)))


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
        found = refutation(script)
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

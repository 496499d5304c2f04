"""That a script has no solution: a tree of cases, in each of which a sum of products is 0 and would be above 0.

A product of polynomials that are 0 or more is 0 or more, so is a square, and anything times 0 is 0. Where the
polynomials are linear and not multiplied, that is Farkas' lemma; else it is a certificate of the Positivstellensatz.
"""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from proof_of_absence.checker.independent.pause import pause
from proof_of_absence.checker.independent.refusal import Refused, require
from proof_of_absence.checker.independent.sexpr import Polynomial, parse, times
from proof_of_absence.checker.independent.values import Fact
from proof_of_absence.checker.independent.values.branch import Branch, Formula, Hypothesis, Query
from proof_of_absence.checker.independent.values.nets import number

__all__ = ["KINDS", "refutation", "ways"]


def refutation(fact: Fact) -> None:
    """The tree closes every case of the script's assertions."""
    _close(Query(fact["script"]), (), fact["tree"])


def _close(script: Query, cases: tuple[Formula, ...], tree: Fact) -> None:
    """Refuse unless what the cases say, with the assertions, contradicts itself."""
    pause()
    branch = Branch(script, cases)
    if branch.closed:
        return
    if "sum" in tree:
        _contradict(branch.hypotheses, tree["sum"])
        return
    found = ways(branch, tree)
    require(len(found) == len(tree["cases"]), "a case is missing")
    for way, below in zip(found, tree["cases"], strict=True):
        _close(script, (*cases, way), below)


def ways(branch: Branch, tree: Fact) -> list[Formula]:
    """The cases, of which at least one holds: a choice that an assertion leaves, or a condition and its opposite,
    or the signs of any term, or any formula and its opposite (a lemma, where the opposite is refuted at once), or that
    two arguments of a function differ or its values are equal.
    """
    if "sign" in tree:
        (term,) = parse(tree["sign"])
        return [Formula([relation, term, "0"]) for relation in (">", "<", "=")]
    if "whether" in tree:
        (formula,) = parse(tree["whether"])
        return [Formula(formula), Formula(formula, so=False)]
    if "values" in tree:
        one, other = parse(tree["values"])
        require(type(one) is type(other) is list and one[:1] == other[:1], "not values of one function")
        apart = [["distinct", *pair] for pair in zip(one[1:], other[1:], strict=True)]
        return [Formula(formula) for formula in (*apart, ["=", one, other])]
    (kind,) = {"choice", "condition"} & set(tree)
    place = tree[kind]
    require(type(place) is int and place >= 0, "not the place of a case")
    if kind == "choice":
        return branch.choices[place]
    condition = list(branch.conditions.values())[place]
    return [condition, condition._replace(so=not condition.so)]


def _contradict(hypotheses: list[Hypothesis], terms: list[Fact]) -> None:
    """Refuse unless the terms add up to 0, though one is above 0 and none below."""
    total: Polynomial = {}
    strict = False
    for term in terms:
        strict |= _is_strict(hypotheses, term)
        for monomial, c in _value(hypotheses, term).items():
            total[monomial] = total.get(monomial, Fraction(0)) + c
    require(strict, "no term is above 0")
    require(not any(total.values()), "the terms do not add up to 0")


def _is_strict(hypotheses: list[Hypothesis], term: Fact) -> bool:
    """Whether a term is above 0; refuse one that may be below."""
    relations = [_named(hypotheses, i).relation for i in term["of"]]
    c, powers = number(term["times"]), dict(_monomial(term.get("by", [])))
    if "=" in relations:
        return False
    require(c > 0 and all(power % 2 == 0 for power in powers.values()), "a term may be below 0")
    return not powers and "square" not in term and set(relations) <= {">"}


def _value(hypotheses: list[Hypothesis], term: Fact) -> Polynomial:
    result: Polynomial = {_monomial(term.get("by", [])): number(term["times"])}
    for i in term["of"]:
        result = times(result, _named(hypotheses, i).polynomial)
    if "square" in term:
        root = {_monomial(powers): number(c) for c, powers in term["square"]}
        result = times(times(result, root), root)
    return result


def _named(hypotheses: list[Hypothesis], place: object) -> Hypothesis:
    if isinstance(place, bool) or not isinstance(place, int) or not 0 <= place < len(hypotheses):
        raise Refused("there is no such hypothesis")
    return hypotheses[place]


def _monomial(powers: list[Any]) -> tuple[tuple[str, int], ...]:
    found = dict(_powers(powers))
    require(len(found) == len(powers), "a variable stands twice in a monomial")
    return tuple(sorted(found.items()))


def _powers(powers: list[Any]) -> Iterator[tuple[str, int]]:
    for name, power in powers:
        if not isinstance(name, str) or isinstance(power, bool) or not isinstance(power, int) or power < 1:
            raise Refused("not a power of a variable")
        yield name, power


KINDS = {
    "refutation": refutation,
}

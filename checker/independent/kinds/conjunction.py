"""Several facts as one, and how the numbers that they state compare: "this drop is less than half of that distance"."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from proof_of_absence.checker.independent.refusal import Refused, require, shown
from proof_of_absence.checker.independent.values import Fact
from proof_of_absence.checker.independent.values.nets import number

# What each kind of fact states and its function has recomputed; nothing else may be compared.
STATED = {
    "alternation": {"points", "units"},
    "crossed-boxes": {"crossed", "most"},
    "almost-idle": {"apart"},
    "crossover": {"power"},
    "leverage": {"leverage"},
    "grid-cost": {"bound", "cost"},
    "decay-bound": {"bound", "difference", "gain"},
    "line-bound": {"error"},
    "line-gaps": {"gaps", "units"},
    "loss-above-floor": {"loss", "noise_floor"},
    "lower-loss": {"drop"},
    "posterior": {"bound", "gap", "mass"},
    "readout-price": {"bound", "leverage", "square"},
    "rent": {"gain", "rent"},
    "sample-chance": {"bound", "chance"},
    "uniform-gap": {"drop", "gap"},
}
PRICED = {
    "defection-price": {"price"},
    "world-bounds": {"high", "low", "size"},
    "world-price": {"price", "size"},
}
COMPARED = {"<": Fraction.__lt__, "<=": Fraction.__le__, "=": Fraction.__eq__}


def conjunction(fact: Fact, check: Callable[[Fact], None]) -> None:
    """Every one of `facts` is accepted by `check`, and the numbers that they state compare as `compared` says."""
    require(bool(fact["facts"]), "no fact at all")
    for part in fact["facts"]:
        check(part)
    compare(fact.get("compared", []), fact["facts"])


def compare(relations: list[Any], facts: list[Fact]) -> None:
    """Refuse unless every relation [left, "<" or "<=" or "=", right] holds of the facts, which have been checked.

    A side is a sum of terms: [coefficient], or [coefficient, place of the fact, key] for a number that the fact
    states, or [coefficient, place of the fact, "prices", which, key].
    """
    for left, sign, right in relations:
        require(sign in COMPARED, "no such relation")
        require(bool(left) and bool(right), "a side of a relation is missing")
        one, other = _sum(left, facts), _sum(right, facts)
        require(COMPARED[sign](one, other), f"it is not so that {shown(one)} {sign} {shown(other)}")


def _sum(side: list[Any], facts: list[Fact]) -> Fraction:
    total = Fraction(0)
    for term in side:
        require(isinstance(term, list) and bool(term), "not a term")
        total += number(term[0]) * _stated(term[1:], facts)
    return total


def _stated(path: list[Any], facts: list[Fact]) -> Fraction:
    if not path:
        return Fraction(1)
    at, *keys = path
    require(type(at) is int and at >= 0, "not the place of a fact")
    fact = facts[at]
    match keys:
        case [str(key)] if key in STATED.get(fact["kind"], ()):
            return _exact(fact[key])
        case ["prices", int(which), str(key)] if key in PRICED.get(fact["kind"], ()):
            return _exact(fact["prices"][which][key])
    raise Refused(f"{fact['kind']} states no such number")


def _exact(value: object) -> Fraction:
    return Fraction(value) if type(value) is int else number(value)

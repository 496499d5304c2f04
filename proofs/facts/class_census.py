"""C14: all nets of a quantised class by behaviour and loss, and the masses of sets of them."""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Literal, TypedDict

from proof_of_absence.proofs.facts.written import Fact

__all__ = ["ClassCensus", "census"]


class ClassCensus(TypedDict):
    """As the result of `absence census`, without the histogram.

    Each of `most` is a mass that its set has more than; the mass of each of `falls` stays below a half from some beta
    on.
    """

    kind: Literal["class-census"]
    problem: Fact
    unit: str
    cells: dict[str, Fact]
    sets: dict[str, Fact]
    masses: list[Fact]
    most: dict[str, str]
    falls: list[str]


def census(told: Fact, *, most: Mapping[str, Fraction], falls: Iterable[str] = ()) -> Fact:
    """What `checker.experiments.census.result.facts` tells of the class, and what is claimed of its sets."""
    fact: ClassCensus = {
        "kind": "class-census",
        "problem": told["problem"],
        "unit": told["unit"],
        "cells": told["cells"],
        "sets": told["sets"],
        "masses": told["masses"],
        "most": {name: str(mass) for name, mass in most.items()},
        "falls": list(falls),
    }
    return dict(fact)

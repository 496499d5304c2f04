"""Facts that are changed at one place, and must then be refused; and whether one is."""

import copy

import pytest

from proof_of_absence.checker.independent.facts import check_fact
from proof_of_absence.checker.independent.refusal import Refused


def accepted(fact):
    """Whether the independent checker lets the fact pass."""
    try:
        check_fact(fact)
    except Refused:
        return False
    return True


def changed(fact, path, value):
    """A copy of the fact with this value at the path, which had another there."""
    fact = copy.deepcopy(fact)
    *outer, last = path
    place = fact
    for key in outer:
        place = place[key]
    assert (isinstance(place, dict) and last not in place) or repr(place[last]) != repr(value), path
    place[last] = value
    return fact


def refused(fact, match, *changes):
    """The fact is accepted as it is, and refused for this reason after the changes, each a path and a value."""
    check_fact(fact)
    for path, value in changes:
        fact = changed(fact, path, value)
    with pytest.raises(Refused, match=match):
        check_fact(fact)

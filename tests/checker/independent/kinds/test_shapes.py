"""Facts of the wrong shape are refused, and raise nothing else."""

from contextlib import suppress
from functools import reduce
from operator import getitem

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from proof_of_absence.checker.independent.facts import check_fact
from proof_of_absence.checker.independent.refusal import Refused
from tests.checker.changed import changed
from tests.checker.independent.kinds.test_gradient_descent import SHRUNK, STEPS
from tests.checker.independent.kinds.test_posterior_mass import CROSSING, MASS
from tests.checker.independent.kinds.test_rents import RENT
from tests.checker.independent.kinds.test_uniform_gap import REUSED, WIDER


def paths(node, path=()):
    """Every place in a fact."""
    yield path
    pairs = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in pairs:
        yield from paths(value, (*path, key))


@given(st.data(), st.sampled_from([WIDER, REUSED, RENT, STEPS, SHRUNK, MASS, CROSSING]))
def test_facts_of_the_wrong_shape_are_refused_and_raise_nothing_else(data, fact):
    path = data.draw(st.sampled_from([path for path in paths(fact) if path]))
    value = data.draw(
        st.one_of(st.none(), st.integers(-3, 3), st.floats(), st.sampled_from(["", "x", "1/0", [], {}, [[]], [None]]))
    )
    assume(repr(reduce(getitem, path, fact)) != repr(value))
    with suppress(Refused):
        check_fact(changed(fact, path, value))
    missing = {key: value for key, value in fact.items() if key != path[0]}
    if path[0] not in ("above", "fires", "circuit"):
        with pytest.raises(Refused, match=r"malformed|no known kind"):
            check_fact(missing)

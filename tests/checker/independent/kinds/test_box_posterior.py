"""The posterior on a grid of a box: what is made is true, what is changed is refused, and L is as flat as is said."""

from fractions import Fraction

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from proof_of_absence.checker.independent.facts import check_fact
from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.net import shallow
from proof_of_absence.proofs.facts.box_posterior import Boxed, box_posterior
from tests.checker.independent.kinds.box_posterior import box_posterior as true

small = st.integers(-6, 6).map(lambda n: Fraction(n, 2))
shares = st.integers(-8, 8).map(lambda n: Fraction(n, 8))


@st.composite
def problems(draw):
    """A class of one unit, data on the line, and a net of the box that is better than every constant."""
    inputs = draw(st.lists(small, min_size=2, max_size=4, unique=True))
    box = draw(st.sampled_from([Fraction(1, 2), Fraction(1), Fraction(3)]))
    w, b, a, c = better = tuple(box * draw(shares) for _ in range(4))
    # Near what the net puts out, and perhaps further out.
    scale = draw(st.sampled_from([1, 1, 20]))
    values = [c + a * max(w * z + b, Fraction(0)) for z in inputs]
    targets = [[scale * f + draw(st.sampled_from([0, 0, 1])) * box / 20] for f in values]
    chosen = Boxed(Dataset([[z] for z in inputs], targets), box, draw(st.integers(1, 4)), better)
    assume(chosen.tau > 0)
    return chosen


@settings(max_examples=40, deadline=None)
@given(problems(), st.fractions(0, 3, max_denominator=10), st.booleans(), st.data())
def test_what_is_made_is_accepted_and_true(chosen, beta, counted, more):
    window = more.draw(st.integers(1, chosen.steps + 1))
    # Beyond, bound and mass may both be too small to be told apart, which is refused.
    assume(beta * chosen.tau <= 100)
    fact = box_posterior(chosen, beta, window=window, counted=counted)
    check_fact(fact)
    assert true(fact)
    # C26 itself, where its premises hold.
    assert fact["within"] or not (fact["fine"] and counted)
    for key, value in (("within", not fact["within"]), ("fine", not fact["fine"]), ("idle", fact["idle"] + 1)):
        with pytest.raises(Refused):
            check_fact(fact | {key: value})


@settings(max_examples=100, deadline=None)
@given(problems(), st.lists(shares, min_size=4, max_size=4), st.lists(shares, min_size=4, max_size=4))
def test_the_loss_is_as_flat_as_is_said(chosen, one, other):
    losses = []
    for parameters in (one, other):
        w, b, a, c = (chosen.box * p for p in parameters)
        losses.append(chosen.data.loss(shallow([([w], b, [a])], [c])))
    apart = chosen.box * max(abs(p - q) for p, q in zip(one, other, strict=True))
    assert abs(losses[0] - losses[1]) <= chosen.lipschitz() * apart


@settings(max_examples=100, deadline=None)
@given(problems())
def test_the_constant_for_one_unit_is_no_larger_than_that_of_all_nets(chosen):
    # Lambda of C26_lipschitz, for d = n = m = 1.
    reach = 1 + max(abs(z) for (z,) in chosen.data.inputs)
    most = max(abs(y) for (y,) in chosen.data.targets)
    rise, output = 1 + 2 * chosen.box * reach, chosen.box * (1 + chosen.box * reach)
    assert chosen.lipschitz() <= 2 * rise * (output + most)


@pytest.mark.parametrize(
    ("key", "value", "match"),
    [
        ("better", ["2", "1", "1", "-1"], "not in the box"),
        ("better", ["0", "0", "0", "0"], "tau"),
        ("narrower", "9999", "the least loss of a constant"),
        ("lipschitz", "1", "the Lipschitz constant"),
        ("steps", 10**6, "too many nets"),
        ("steps", True, "no grid of a box"),
        ("window", 0, "no window"),
        ("box", "-1", "no grid of a box"),
        ("beta", "-1", "no temperature"),
        ("counted", 1, "or no bound"),
        ("below", "1/1000000", "the bound is not below"),
    ],
)
def test_each_part_is_recomputed(key, value, match):
    far = Dataset([[-1], [1]], [[-100], [100]])
    fact = box_posterior(Boxed(far, Fraction(1), 3, tuple(map(Fraction, (1, 1, 1, -1)))), Fraction(1, 10))
    check_fact(fact)
    with pytest.raises(Refused, match=match):
        check_fact(fact | {key: value})

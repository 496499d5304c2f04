"""Inputs stand in the order of their exact prices, also where floats tell no two apart; no cell is made in vain."""

from fractions import Fraction
from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

from proof_of_absence.checker.audit.findings import PricedInput, Readout
from proof_of_absence.checker.audit.report import priced_view
from proof_of_absence.checker.screen.spread import FREE, UNKNOWN, spread

NEAR = Fraction(1, 3)
TOPS = st.one_of(
    st.none(), st.just(Fraction(0)), st.sampled_from([NEAR, NEAR + Fraction(1, 2**200), NEAR - Fraction(1, 2**200)]),
    st.fractions(0, 10), st.sampled_from([Fraction(10) ** 400, Fraction(10) ** 400 + 1, Fraction(1, 10**400)]),
)  # fmt: skip


def priced(tops):
    """Inputs whose prices have these upper bounds; a move is free where it is 0."""
    return tuple(
        PricedInput(row, None, None, 0) if top == 0 else PricedInput(row, (Fraction(0), None), (Fraction(0), top), None)
        for row, top in enumerate(tops)
    )


@given(st.lists(TOPS, min_size=1, max_size=12))
def test_inputs_are_ordered_by_their_exact_prices(tops):
    ranked = sorted(priced(tops), key=priced_view._order)
    exactly = sorted(range(len(tops)), key=lambda row: (tops[row] is None, tops[row] or 0, row))
    assert [one.row for one in ranked] == exactly


@given(st.lists(TOPS, max_size=12), st.lists(TOPS, max_size=12))
def test_each_price_is_in_the_class_that_its_ends_say(some, others):
    told = spread({"training": some, "deployment": others})
    for part, tops in (("training", some), ("deployment", others)):
        counts = dict(zip(told.ends, told.counts[part], strict=True))
        assert sum(told.counts[part]) == len(tops)
        assert counts.get(UNKNOWN, 0) == tops.count(None) and counts.get(FREE, 0) == tops.count(0)
        below = Fraction(-1)
        for end in (end for end in told.ends if not isinstance(end, str)):
            inside = [top for top in tops if top and below < top <= end]
            # What is next to an end may be rounded to either side.
            assert abs(len(inside) - counts[end]) <= sum(abs(top / end - 1) < 1e-9 for top in tops if top) + sum(
                below > 0 and abs(top / below - 1) < 1e-9 for top in tops if top
            )
            below = end


def test_cells_are_made_of_what_is_shown_alone(monkeypatch):
    made = []
    monkeypatch.setattr(priced_view, "_leverage", lambda one: made.append(one) or "")
    readout = Readout(1, 1, Fraction(0), Fraction(1), (0,), (), deployment=priced([NEAR] * 50))
    audit = SimpleNamespace(readout=readout, data=SimpleNamespace(loss_name=""))
    shown, _ = priced_view.priced_sections(audit, 20)
    assert len(shown.rows) == len(made) == 20 and shown.more == 30

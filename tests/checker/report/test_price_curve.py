"""The curve of prices: nothing is shown but what the fact says, and nothing of it is left out."""

import re
from fractions import Fraction
from io import StringIO
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from proof_of_absence.checker.minima.branch_and_bound import global_minimum
from proof_of_absence.checker.report.draw import picture_of
from proof_of_absence.checker.report.paper.curve import curve_graph
from proof_of_absence.checker.report.price_curve import COLOURS, curve_in, curve_picture, curve_table
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.net import shallow
from proof_of_absence.proofs import facts

SVG = "{http://www.w3.org/2000/svg}"
PRICES = st.fractions(0, 50, max_denominator=300)


@st.composite
def curves(draw):
    """A fact of prices, and its numbers; what is not shown is left out."""
    points = draw(st.lists(st.fractions(-9, 9, max_denominator=4), min_size=3, max_size=7, unique=True))
    sizes = draw(st.lists(st.fractions(0, 9, max_denominator=4), min_size=1, max_size=len(COLOURS), unique=True))
    inputs = draw(st.lists(st.integers(-9, 9), min_size=1, max_size=4))
    told = {(x, side, t): draw(PRICES) for x in points for side in (1, -1) for t in sizes}
    entries = [{"point": [str(x)], "side": s, "by": str(t), "price": str(p)} for (x, s, t), p in told.items()]
    data = {"inputs": [[str(z)] for z in inputs], "targets": [["0"]] * len(inputs)}
    fact = {"kind": "defection-price", "data": data, "units": 1, "prices": draw(st.permutations(entries))}
    return fact, told, len(inputs)


@given(curves(), st.booleans())
def test_the_curve_has_n_times_every_price_and_nothing_else(made, inside):
    fact, told, count = made
    other = {"kind": "loss", "data": fact["data"]}
    curve = curve_in({"kind": "all", "facts": [other, fact]} if inside else fact)
    assert curve.prices == {key: price * count for key, price in told.items()}
    assert list(curve.points) == sorted({x for x, _, _ in told})
    assert curve_in(fact | {"prices": fact["prices"][1:]}) is None
    assert curve_in(fact | {"kind": "other"}) is None


@given(curves())
def test_the_table_has_a_column_for_each_point_and_a_row_for_each_side_and_size(made):
    curve = curve_in(made[0])
    table = curve_table(curve)
    assert len(table.columns) == 1 + len(curve.points) and len(table.rows) == 2 * len(curve.sizes)
    names = list(table.columns[0].cells)
    assert names == [f"+{t}" for t in reversed(curve.sizes)] + [f"-{t}" for t in curve.sizes]
    for column, x in zip(table.columns[1:], curve.points, strict=True):
        assert column.header.endswith("*") == (x in curve.inputs)
        for name, cell in zip(names, column.cells, strict=True):
            price = curve.prices[x, 1 if name[0] == "+" else -1, Fraction(name[1:])]
            assert (cell.plain == "0") == (price == 0)
            assert abs(Fraction(cell.plain) - price) <= max(Fraction(1, 200), price / 100)


@given(curves())
def test_the_picture_has_a_corner_for_each_price_as_high_as_its_root(made):
    curve = curve_in(made[0])
    root = ElementTree.fromstring(curve_picture(curve))
    corners = [c for c in root.iter(f"{SVG}circle") if c.get("r") == "2.2"]
    assert len(corners) == len(curve.prices)
    most = float(max(*curve.prices.values(), Fraction(1)))
    heights = {}
    for k, (side, size) in enumerate((s, t) for s in (1, -1) for t in curve.sizes):
        for x, corner in zip(curve.points, corners[k * len(curve.points) :], strict=False):
            heights.setdefault(side, {})[x, size] = float(corner.get("cy"))
    for side, found in heights.items():
        low = max(found.values())
        least = min(float(curve.prices[x, side, t]) for x, t in found)
        for (x, t), y in found.items():
            apart = (float(curve.prices[x, side, t]) / most) ** 0.5 - (least / most) ** 0.5
            assert low - y == pytest.approx(apart * 182, abs=0.05)


def test_a_fact_without_prices_of_the_line_has_no_curve():
    data = Dataset([[0, 0], [0, 1], [1, 0]], [[0], [1], [1]])
    minimum, zero = global_minimum(data, 1), shallow([([0, 0], 0, [0])], [0])
    points = [[1, 1], [2, 0], [0, 3]]
    fact = facts.priced(data, minimum, zero, facts.prices(data, minimum, zero, points, [1]))
    assert curve_in(fact) is None
    with pytest.raises(LookupError):
        picture_of(fact)
    for broken in ({}, {"prices": []}, {"prices": [{}]}, {"data": {}}, {"prices": None}):
        assert curve_in({"kind": "defection-price", "units": 1, "data": {"inputs": [["0"]]}} | broken) is None


def test_the_table_fits_a_narrow_terminal():
    data = Dataset([[x] for x in range(3)], [[0], [1], [0]])
    minimum = global_minimum(data, 1)
    points = [[Fraction(k, 2)] for k in range(-2, 7)]
    found = facts.prices(data, minimum, minimum.net, points, ["1/2", 1])
    console = Console(width=80, file=StringIO())
    console.print(curve_table(curve_in(facts.priced(data, minimum, minimum.net, found))))
    assert all(len(line) <= 80 for line in console.file.getvalue().splitlines())


@given(curves())
def test_the_paper_has_a_segment_between_neighbours_above_the_axis_and_below(made):
    curve = curve_in(made[0])
    text = curve_graph(curve)
    found = [tuple(map(float, pair)) for pair in re.findall(r"\\qbezier\(([-\d.]+),([-\d.]+)\)", text)]
    assert len(found) == 2 * len(curve.sizes) * (len(curve.points) - 1)
    assert text.count(r"\circle*") == len(curve.inputs)
    most = max(*curve.prices.values(), Fraction(1))
    heights = iter(found)
    for side in (1, -1):
        for size in curve.sizes:
            for x in curve.points[:-1]:
                _, y = next(heights)
                assert side * y == pytest.approx(95 * float(curve.prices[x, side, size] / most) ** 0.5, abs=0.01)

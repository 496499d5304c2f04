"""Membership in a convex hull against geometry on the line and in the plane and z3 in space;
detectors against the definition of firing.
"""

from fractions import Fraction
from itertools import combinations, product

import pytest
import z3
from hypothesis import given, settings
from hypothesis import strategies as st

from proof_of_absence.checker.construct.hull import Combination, Separation, TrainInput, detector, locate
from proof_of_absence.checker.independent.facts import check_fact
from proof_of_absence.models.circuit import fires, hidden_units, is_idle
from proof_of_absence.models.net import shallow
from proof_of_absence.models.rational import matrix, vector
from tests.conftest import SMALL, WILD, vectors

GRID = st.integers(-2, 2).map(Fraction)


@st.composite
def cases(draw, d=None, entries=GRID, rows=7):
    """(inputs, point).

    Inputs repeat, are often on one line or plane, and the point is often one of them or between two.
    """
    d = d or draw(st.integers(1, 4))
    pool = draw(st.lists(vectors(d, entries), min_size=1, max_size=rows))
    inputs = draw(st.lists(st.sampled_from(pool), min_size=1, max_size=rows + 2))
    a, b = draw(st.sampled_from(inputs)), draw(st.sampled_from(inputs))
    between = tuple((x + y) / 2 for x, y in zip(a, b, strict=True))
    return inputs, draw(st.one_of(vectors(d, entries), st.just(between)))


def turn(a, b, c):
    """Twice the signed area of the triangle a, b, c."""
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def on_segment(a, b, x):
    return turn(a, b, x) == 0 and all(min(p, q) <= r <= max(p, q) for p, q, r in zip(a, b, x, strict=True))


def in_triangle(a, b, c, x):
    signs = [turn(a, b, x), turn(b, c, x), turn(c, a, x)]
    return turn(a, b, c) != 0 and (min(signs) >= 0 or max(signs) <= 0)


def in_plane_hull(inputs, x):
    """By Caratheodory: the point is in a segment or a triangle of inputs."""
    points = sorted(set(inputs))
    return any(on_segment(a, b, x) for a, b in product(points, repeat=2)) or any(
        in_triangle(*three, x) for three in combinations(points, 3)
    )


def z3_in_hull(inputs, x):
    def exact(value):
        return z3.Q(value.numerator, value.denominator)

    shares = z3.Reals([f"share{i}" for i in range(len(inputs))])
    solver = z3.Solver()
    solver.add(*(share >= 0 for share in shares), z3.Sum(shares) == 1)
    for k, value in enumerate(x):
        column = [share * exact(z[k]) for share, z in zip(shares, inputs, strict=True)]
        solver.add(z3.Sum(column) == exact(value))
    return solver.check() == z3.sat


def check_place(inputs, point):
    """That `locate` proves what it says; whether it says inside."""
    place = locate(inputs, point)
    if isinstance(place, TrainInput):
        assert inputs[place.row] == point and point not in inputs[: place.row]
        return True
    assert point not in inputs
    check_fact(place.fact(inputs, point))
    if isinstance(place, Combination):
        assert sum(place.weights.values()) == 1 and min(place.weights.values()) > 0
        assert len(place.weights) <= len(point) + 1
        sums = (sum(w * inputs[i][k] for i, w in place.weights.items()) for k in range(len(point)))
        assert tuple(sums) == tuple(point)
        return True
    values = [sum(w * v for w, v in zip(place.weights, z, strict=True)) + place.bias for z in (*inputs, point)]
    assert max(values[:-1]) <= 0 < values[-1]
    return False


@given(st.one_of(cases(d=1), cases(d=1, entries=WILD)))
def test_on_the_line(case):
    inputs, point = case
    assert check_place(inputs, point) == (min(inputs) <= point <= max(inputs))


@given(st.one_of(cases(d=2), cases(d=2, entries=SMALL)))
@settings(max_examples=150)
def test_in_the_plane(case):
    inputs, point = case
    assert check_place(inputs, point) == in_plane_hull(inputs, point)


@given(st.integers(3, 4).flatmap(lambda d: cases(d=d, rows=10)))
@settings(max_examples=60)
def test_in_space(case):
    inputs, point = case
    assert check_place(inputs, point) == z3_in_hull(inputs, point)


@given(cases(entries=WILD))
def test_wild_numbers_are_decided_exactly(case):
    check_place(*case)


@given(st.integers(1, 5), st.integers(1, 4), st.randoms(use_true_random=False))
@settings(max_examples=20)
def test_many_degenerate_inputs(d, side, random):
    # Every lattice point of a cube; the points of its faces, edges and corners make degenerate pivots.
    inputs = [tuple(map(Fraction, z)) for z in product(range(2 if d > 3 else side + 1), repeat=d)]
    random.shuffle(inputs)
    end = max(max(z) for z in inputs)
    point = tuple(
        random.choice([Fraction(0), end, Fraction(end, 2), Fraction(end, 3), end + Fraction(1, 9)]) for _ in range(d)
    )
    assert check_place(inputs, point) == (max(point) <= end)


def test_a_point_just_outside_a_face_that_no_axis_separates():
    inputs = matrix([[0, 0], [2, 0], [0, 2]])
    edge, beyond = vector([1, 1]), vector([1, "1000000001/1000000000"])
    assert isinstance(locate(inputs, edge), Combination) and isinstance(locate(inputs, beyond), Separation)


@given(st.one_of(cases(), cases(entries=SMALL)))
def test_detectors_fire_and_are_as_small_as_the_proof_says(case):
    inputs, point = case
    place = locate(inputs, point)
    if isinstance(place, TrainInput):
        with pytest.raises(ValueError, match="no train-idle circuit fires there"):
            detector(inputs, point)
        return
    units = detector(inputs, point)
    assert len(units) == (1 if isinstance(place, Separation) else 3)
    net = shallow([(w, b, [a]) for w, b, a in units], [0])
    assert is_idle(net, hidden_units(net), inputs) and fires(net, hidden_units(net), inputs, point)
    assert not any(net(z)[0] for z in inputs) and net(point)[0] > 0


def test_no_unit_of_a_bump_is_idle_where_the_point_is_inside_on_the_line():
    net = shallow([(w, b, [a]) for w, b, a in detector([[0], [4]], [1])], [0])
    assert not any(is_idle(net, {unit}, [[0], [4]]) for unit in hidden_units(net)[:2])


def test_a_direction_off_the_axes():
    # (1, 1) shares a coordinate with each input.
    weights = {w for w, _, _ in detector([[0, 1], [2, 1], [1, 0], [1, 2]], [1, 1])}
    assert weights == {(1, 1)}


@pytest.mark.parametrize(
    ("inputs", "point", "message"),
    [
        ([], [0], "at least one input"),
        ([[0, 1]], [0], "inputs of dimension 2, a point of dimension 1"),
        ([[0], [1, 2]], [0], "rows of different lengths"),
        ([[0]], [float("nan")], "is not a finite number"),
        ([[float("inf")]], [0], "is not a finite number"),
    ],
)
def test_bad_input(inputs, point, message):
    for function in (locate, detector):
        with pytest.raises(ValueError, match=message):
            function(inputs, point)

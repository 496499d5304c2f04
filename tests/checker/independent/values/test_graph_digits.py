"""The checker's pass in digits: the exact value of every entry lies within what it says, however few there are."""

from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from proof_of_absence.checker.independent.values.graph_bounded import bounded
from proof_of_absence.checker.independent.values.graph_digits import PLACES, OutOfRange, constant, of_floats, sharp
from tests.checker.graph.test_idle import deep
from tests.checker.independent.values.test_graphs import APART, TAME, approximate, exactly, read, values
from tests.graphs import LAYERS, graphs

# Layers that make no number that is no sum of few powers of two.
WHOLE = ("Dense", "Conv", "MaxPool", "Relu", "Sum", "Concat")
COUNTS = st.sampled_from([2, 4, 8])


@given(graphs(), COUNTS)
def test_the_exact_value_is_within_the_radius(problem, count):
    net, rows = problem
    wanted = values(net, rows)
    try:
        for number, (value, radius) in sharp(read(net), rows, range(1, len(net.shapes)), count):
            assert (abs(wanted[number] - exactly(value)) <= exactly(radius)).all()
    except OutOfRange:
        return


@given(graphs(names=(*LAYERS, "BatchNorm"), kinds=TAME), COUNTS)
def test_so_it_is_with_roots(problem, count):
    net, rows = problem
    wanted = values(approximate(net), rows)
    for number, (value, radius) in sharp(read(net), rows, range(1, len(net.shapes)), count):
        assert (abs(wanted[number] - exactly(value)) <= exactly(radius) + APART).all()
        assert count < 8 or (radius <= 1e-12 * (1 + np.abs(value))).all()


@given(graphs(names=WHOLE, kinds=("halves", "near")))
def test_what_fits_the_digits_is_off_by_the_rounding_of_a_float(problem):
    net, rows = problem
    for _, (value, radius) in sharp(read(net), rows, range(1, len(net.shapes)), 24):
        assert (radius <= 2.0**-47 * np.abs(value)).all()


@given(graphs(names=WHOLE, kinds=("halves",), most=3))
def test_small_numbers_are_exact(problem):
    net, rows = problem
    assert not any(radius.any() for _, (_, radius) in sharp(read(net), rows, range(1, len(net.shapes)), 8))


@given(st.lists(st.floats(-(2.0**60), 2.0**60), min_size=1), st.integers(1, 6))
def test_digits_of_floats_are_these_floats(numbers, most):
    try:
        digits, top, rest = of_floats(np.array(numbers), most)
    except OutOfRange:
        # The first digit would stand too far behind the point; such numbers are left to exact arithmetic.
        assert 0 < max(map(abs, numbers)) < 2.0 ** (-16 * PLACES)
        return
    assert (np.abs(digits) <= 2**15).all() and len(digits) <= most
    for k, x in enumerate(numbers):
        found = sum(Fraction(d) * Fraction(2) ** (16 * (top - j)) for j, d in enumerate(digits[:, k].tolist()))
        assert abs(found - Fraction(x)) == Fraction(rest[k])


@given(st.lists(st.tuples(st.fractions(), st.integers(1, 99)), min_size=1, max_size=5), st.integers(2, 9))
def test_constants_are_enclosed(numbers, count):
    pairs = [np.array([pair[k] for pair in numbers], dtype=object) for k in (0, 1)]
    own = constant(pairs[0], count, pairs[1])
    for k, (x, m) in enumerate(numbers):
        found = sum(Fraction(d) * Fraction(2) ** (16 * (own.top - j)) for j, d in enumerate(own.digits[:, k].tolist()))
        low, high = found - Fraction(own.off[k]), found + Fraction(own.off[k])
        # x sqrt(m) lies between them.
        assert low * abs(low) <= x * abs(x) * m <= high * abs(high)
        assert own.size[k] ** 2 * (1 + 2.0**-40) >= x * x * m


def test_many_layers_cost_digits_alone():
    net, rows = deep(60), np.random.default_rng(2).standard_normal((3, 4))
    number = len(net.nodes)
    ((_, lost),) = bounded(read(net), rows, [number - 3])
    ((_, found),) = sharp(read(net), rows, [number - 3], 24)
    assert lost.radius.min() > 10**6 and (found.radius <= 2.0**-40 * np.abs(found.value)).all()
    assert (np.abs(found.value - lost.value) <= lost.radius + found.radius).all()

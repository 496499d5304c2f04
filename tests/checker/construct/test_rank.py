"""The rank of a layer's features against sympy, certificates that the independent checker accepts, and elimination."""

from fractions import Fraction

import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from proof_of_absence.checker.construct.rank import LARGEST_PRIME, Dependency, FullRank, eliminate, features, full_rank
from proof_of_absence.checker.construct.reassignment import reassignment
from proof_of_absence.checker.independent.facts import check_fact
from proof_of_absence.models.circuit import Unit, is_idle
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.net import shallow
from tests.conftest import SMALL, WILD, datasets, idle_nets, nets, vectors


def by_definition(net, inputs, layer):
    """The feature matrix from single forward passes."""
    return [[Fraction(1), *net.activations(z)[layer]] for z in inputs]


@st.composite
def cases(draw, entries=SMALL):
    """(net, inputs, layer): nets of one to three hidden layers, inputs that repeat,
    fewer and more than there are units.
    """
    net = draw(nets(entries=entries).filter(lambda net: len(net.layers) > 1))
    pool = draw(st.lists(vectors(net.widths[0]), min_size=1, max_size=6))
    inputs = draw(st.lists(st.sampled_from(pool), min_size=1, max_size=8))
    return net, inputs, draw(st.integers(1, len(net.layers) - 1))


@given(st.one_of(cases(), cases(entries=WILD)))
def test_features_are_the_layers_activations(case):
    net, inputs, layer = case
    assert [list(row) for row in features(net, inputs, layer)] == by_definition(net, inputs, layer)


@given(st.one_of(cases(), cases(entries=WILD)))
def test_rank_against_sympy(case):
    net, inputs, layer = case
    table = sympy.Matrix(by_definition(net, inputs, layer))
    found = full_rank(net, inputs, layer)
    assert isinstance(found, FullRank) == (table.rank() == net.widths[layer] + 1)
    assert found.layer == layer
    if isinstance(found, FullRank):
        assert table[list(found.rows), :].det() != 0 and sympy.isprime(found.prime)
    else:
        assert any(found.coefficients) and not any(table * sympy.Matrix(found.coefficients))
    check_fact(found.fact(net, inputs))


@given(idle_nets(d=2, hidden=1))
def test_circuits_that_are_idle_with_a_nonzero_output_weight_are_dependent(case):
    net, circuit, data = case
    assert is_idle(net, circuit, data.inputs)
    if any(row[unit.index] for unit in circuit for row in net.layers[1].weights):
        assert isinstance(full_rank(net, data.inputs), Dependency)


def line(*kinks, scale=1):
    return shallow([([scale], -scale * k, [1]) for k in kinks], [0])


def test_a_prime_that_divides_a_denominator_or_the_minor_is_passed_over():
    inputs = [[0], [1], [2]]
    for scale in (Fraction(1, LARGEST_PRIME), LARGEST_PRIME):
        found = full_rank(line(0, 1, scale=scale), inputs)
        assert found.prime < LARGEST_PRIME and found.rows == (0, 1, 2)
        check_fact(found.fact(line(0, 1, scale=scale), [(Fraction(x),) for (x,) in inputs]))
    assert full_rank(line(0, 1), inputs).prime == LARGEST_PRIME


def test_a_dependency_that_holds_only_modulo_the_prime_is_none():
    # On 1, 2, 3, .. the unit is 1 modulo the prime, and not over Q.
    net = shallow([([LARGEST_PRIME], 1, [1])], [0])
    assert isinstance(full_rank(net, [[0], [1], [2]]), FullRank)


def test_rows_are_positions_in_the_inputs_given():
    inputs = [[0], [0], [0], [1], [1], [2]]
    assert full_rank(line(0, 1), inputs).rows == (0, 3, 5)


def test_copies_and_combinations():
    twice = shallow([([1], 0, [1]), ([2], 0, [1])], [0])
    assert full_rank(twice, [[0], [1], [2]]) == Dependency(1, (0, -2, 1))
    assert full_rank(line(-1, 0), [[0], [1], [2]]) == Dependency(1, (1, -1, 1))
    assert isinstance(full_rank(line(-1, 0), [[-1], [0], [1]]), FullRank)


def test_bad_input():
    net = line(0)
    with pytest.raises(ValueError, match="at least one input"):
        full_rank(net, [])
    with pytest.raises(ValueError, match="inputs of dimension 2, the net reads 1"):
        full_rank(net, [[0, 1]])
    for layer in (0, 2, -1):
        with pytest.raises(ValueError, match=f"the net has no hidden layer {layer}"):
            full_rank(net, [[0]], layer)
    with pytest.raises(ValueError, match="is not a finite number"):
        full_rank(net, [[float("nan")]])


@st.composite
def redundant(draw):
    """(net, coefficients, data): one unit copies another, up to a factor,
    or is 1 plus two others on the nonnegative inputs.
    """
    m = draw(st.integers(1, 2))
    data = draw(datasets(d=2, m=m))
    inputs = [tuple(map(abs, z)) for z in data.inputs]
    send = st.lists(SMALL, min_size=m, max_size=m)
    factor = draw(st.fractions(1, 3, max_denominator=3))
    w, b = draw(vectors(2)), draw(SMALL)
    copy = [(w, b), ([factor * x for x in w], factor * b), (draw(vectors(2)), draw(SMALL))], (0, -factor, 1, 0)
    sums = [([1, 0], 0), ([0, 1], 0), ([1, 1], 1)], (1, 1, 1, -1)
    units, coefficients = draw(st.sampled_from([copy, sums]))
    net = shallow([(*unit, draw(send)) for unit in units], draw(send))
    return net, [Fraction(v) for v in coefficients], Dataset(inputs, data.targets)


@given(redundant())
def test_any_unit_of_a_relation_can_be_eliminated(case):
    net, coefficients, data = case
    for j, v in enumerate(coefficients[1:]):
        if not v:
            with pytest.raises(ValueError, match="one that is not 0 for the eliminated unit"):
                eliminate(net, Unit(1, j), coefficients, data.inputs)
            continue
        cut = eliminate(net, Unit(1, j), coefficients, data.inputs)
        assert cut.outputs(data.inputs) == net.outputs(data.inputs)
        assert cut.layers[0] == net.layers[0] and not any(row[j] for row in cut.layers[1].weights)
        result = reassignment(cut, {Unit(1, j)}, data)
        assert (result is None) == (not any(any(row) for row in data.group_residuals(net)))
        assert result is None or data.loss(net) - data.loss(result.net) == result.drop > 0


def test_only_a_relation_eliminates():
    net = shallow([([1], 0, [2]), ([2], 0, [1])], [0])
    deep = type(net)((net.layers[0], net.layers[1], net.layers[1].__class__([[1]], [0])))
    for coefficients, match in (([0, 1, 1], "does not hold at every input"), ([0, 1], "a coefficient for each unit")):
        with pytest.raises(ValueError, match=match):
            eliminate(net, Unit(1, 0), [Fraction(v) for v in coefficients], [(0,), (1,)])
    with pytest.raises(ValueError, match="proved for one hidden layer"):
        eliminate(deep, Unit(1, 0), [Fraction(0), Fraction(-2), Fraction(1)], [(0,), (1,)])

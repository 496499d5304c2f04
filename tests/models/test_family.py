"""S_M: architectures, parameter vectors, quantised classes."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proof_of_absence.models.family import Architecture, Family, Grid, Reals
from proof_of_absence.models.net import MLP, shallow
from proof_of_absence.models.policies import ARCHITECTURE
from tests.conftest import SMALL, WILD, nets, vectors


@given(nets(entries=WILD))
def test_parameters_and_back(net):
    architecture = Architecture(net.widths)
    parameters = Architecture.parameters(net)
    assert len(parameters) == architecture.parameter_count
    assert architecture.net(parameters) == net


@given(st.lists(st.integers(1, 3), min_size=2, max_size=4), st.data())
def test_net_and_back(widths, data):
    architecture = Architecture(widths)
    values = data.draw(vectors(architecture.parameter_count, SMALL))
    net = architecture.net(values)
    assert isinstance(net, MLP) and net.widths == tuple(widths)
    assert Architecture.parameters(net) == values


@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 9))
def test_count_of_shallow_nets(d, n, m):
    assert Architecture((d, n, m)).parameter_count == n * (d + 1 + m) + m


def test_the_worlds_architecture():
    assert ARCHITECTURE.parameter_count == 41


@pytest.mark.parametrize("widths", [(), (3,), (3, 0, 1), (0, 1)])
def test_bad_widths(widths):
    with pytest.raises(ValueError, match="all at least 1"):
        Architecture(widths)


@pytest.mark.parametrize("count", [0, 6, 8])
def test_wrong_number_of_parameters(count):
    with pytest.raises(ValueError, match=f"{count} parameters for an architecture of 7"):
        Architecture((1, 2, 1)).net([0] * count)


def test_membership():
    net = shallow([([1], "1/2", [0])], [1])
    architecture = Architecture((1, 1, 1))
    assert net in Family(architecture) and net in Family(architecture, Reals())
    assert net in Family(architecture, Grid([0, "1/2", 1]))
    assert net not in Family(architecture, Grid([0, 1]))
    assert net not in Family(Architecture((1, 2, 1)))


def test_size_of_a_quantised_class():
    family = Family(Architecture((1, 1, 1)), Grid([-1, 0, 1, 1]))
    nets = {family.architecture.net(p) for p in product((-1, 0, 1), repeat=4)}
    assert family.size == len(nets) == 81 and all(net in family for net in nets)


def test_size_of_a_large_quantised_class():
    assert Family(ARCHITECTURE, Grid([-1, 0, 1])).size == 3**41


def test_infinite_and_empty_domains():
    with pytest.raises(TypeError, match="a class over the reals is infinite"):
        _ = Family(ARCHITECTURE).size
    with pytest.raises(ValueError, match="the grid is empty"):
        Grid([])
    with pytest.raises(ValueError, match="not a finite number"):
        Grid([float("inf")])

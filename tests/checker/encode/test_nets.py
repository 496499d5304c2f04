"""The encoding of nets: at given inputs and parameters its terms have the values of the forward pass,
by two readers.
"""

from fractions import Fraction

import pytest
import z3
from hypothesis import given, settings
from hypothesis import strategies as st

from proof_of_absence.checker.encode.nets import forward, net_at, parameters_of, squared_error, unknown_parameters
from proof_of_absence.checker.independent.sexpr import Script as ReadScript
from proof_of_absence.checker.kernel.smt import Script, all_of, any_of, distinct, eq
from proof_of_absence.models.circuit import Unit, hidden_units
from proof_of_absence.models.family import Architecture
from tests.conftest import SMALL, WILD, datasets, nets, vectors


def reads(script, values):
    """Whether the independent reader finds all assertions true."""
    read = ReadScript(script.text())
    return read.holds(read.assertions, values)


def z3_says(script, values):
    """z3's answer to the script with the values asserted."""
    for name, value in values.items():
        script.premise(eq(name, value))
    solver = z3.Solver()
    solver.from_string(script.text())
    return solver.check()


def agreement(net, parameters, script, z, point):
    """Decide that every unit's term differs from its value somewhere."""
    terms = forward(script, parameters, z, "f")
    values = net.activations(point)
    assert set(terms) == {*hidden_units(net), *(Unit(len(net.layers), k) for k in range(net.widths[-1]))}
    script.decide("claim_fails", any_of(distinct(t, values[u.layer][u.index]) for u, t in terms.items()))


@given(st.data(), st.sampled_from([SMALL, WILD]))
def test_terms_of_a_given_net(data, entries):
    net = data.draw(nets(entries=entries))
    point = data.draw(vectors(net.widths[0], entries))
    script = Script("QF_LRA")
    z = script.reals("z", net.widths[0])
    agreement(net, parameters_of(net), script, z, point)
    assert not reads(script, dict(zip(z, point, strict=True)))


@given(st.data())
@settings(max_examples=20)
def test_terms_of_a_given_net_in_z3(data):
    net = data.draw(nets())
    point = data.draw(vectors(net.widths[0]))
    script = Script("QF_LRA")
    z = script.reals("z", net.widths[0])
    agreement(net, parameters_of(net), script, z, point)
    assert z3_says(script, dict(zip(z, point, strict=True))) == z3.unsat


def declared(parameters):
    """The unknowns in the order of `Architecture.parameters`."""
    return [name for weights, bias in parameters for row, b in zip(weights, bias, strict=True) for name in (*row, b)]


@given(st.data())
def test_terms_with_every_parameter_unknown(data):
    net = data.draw(nets(depth=2))
    point = data.draw(vectors(net.widths[0]))
    script = Script("QF_NRA")
    parameters = unknown_parameters(script, net.widths)
    names, values = declared(parameters), Architecture.parameters(net)
    assert len(set(names)) == len(names) == len(values)
    agreement(net, parameters, script, point, point)
    assert not reads(script, dict(zip(names, values, strict=True)))


@given(st.data())
@settings(max_examples=10)
def test_terms_with_every_parameter_unknown_in_z3(data):
    net = data.draw(nets(depth=1))
    point = data.draw(vectors(net.widths[0]))
    script = Script("QF_NRA")
    parameters = unknown_parameters(script, net.widths)
    agreement(net, parameters, script, point, point)
    assert z3_says(script, dict(zip(declared(parameters), Architecture.parameters(net), strict=True))) == z3.unsat


@given(datasets(), st.data(), st.integers(0, 1))
def test_squared_error_is_n_times_the_loss(data, more, shift):
    net = more.draw(nets((len(data.inputs[0]), 2, len(data.targets[0]))))
    script = Script("QF_NRA")
    parameters = unknown_parameters(script, net.widths)
    error = squared_error(script, parameters, data, "f")
    script.decide("claim_holds", eq(error, data.loss(net) * len(data) + shift))
    values = dict(zip(declared(parameters), Architecture.parameters(net), strict=True))
    assert reads(script, values) == (shift == 0)


@given(datasets(rows=3), st.data())
@settings(max_examples=10)
def test_squared_error_in_z3(data, more):
    net = more.draw(nets((len(data.inputs[0]), 2, len(data.targets[0]))))
    script = Script("QF_NRA")
    error = squared_error(script, parameters_of(net), data, "f")
    script.decide("claim_fails", distinct(error, data.loss(net) * len(data)))
    assert z3_says(script, {}) == z3.unsat


@given(nets((2, 2, 1)), st.data())
def test_numbers_and_unknowns_mix(net, data):
    point = data.draw(vectors(2))
    script = Script("QF_NRA")
    (weights, bias), output = parameters_of(net)
    freed = script.reals("w", 2)
    agreement(net, [([freed, weights[1]], bias), output], script, point, point)
    assert not reads(script, dict(zip(freed, net.layers[0].weights[0], strict=True)))


def test_parameters_of_is_a_copy():
    net = Architecture((1, 1, 1)).net([1, 2, 3, 4])
    parameters_of(net)[0][0][0][0] = Fraction(9)
    assert Architecture.parameters(net) == (1, 2, 3, 4)


def test_wrong_shapes_are_refused():
    net = Architecture((1, 1, 1)).net([1, 2, 3, 4])
    with pytest.raises(ValueError, match="zip"):
        forward(Script("QF_LRA"), parameters_of(net), [1, 2], "f")


def test_the_empty_conjunction_is_true():
    script = Script("QF_LRA")
    script.decide("claim_holds", all_of([]))
    assert reads(script, {})


@given(st.data())
def test_the_net_at_a_witness(data):
    net = data.draw(nets())
    script = Script("QF_NRA")
    unknown = unknown_parameters(script, net.widths)
    names = [e for weights, bias in unknown for row, b in zip(weights, bias, strict=True) for e in (*row, b)]
    values = [v for layer in net.layers for row, b in zip(layer.weights, layer.bias, strict=True) for v in (*row, b)]
    witness = dict(zip(names, values, strict=True))
    assert net_at(unknown, witness) == net
    _, bias = parameters_of(net)[0]
    mixed = [(unknown[0][0], bias), *parameters_of(net)[1:]]
    assert net_at(mixed, witness) == net
    with pytest.raises(KeyError, match="pw1_0_0"):
        net_at(mixed, {})

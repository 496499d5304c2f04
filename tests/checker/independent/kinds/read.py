"""Facts read back into nets, data and worlds of `proof_of_absence.models`, for the oracles."""

from fractions import Fraction

import mpmath

from proof_of_absence.models.circuit import Unit, reassign
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.layers import Affine
from proof_of_absence.models.net import MLP
from proof_of_absence.models.world import Human, World


def net_of(layers):
    return MLP(tuple(Affine(layer["weights"], layer["bias"]) for layer in layers))


def dataset_of(data):
    return Dataset(data["inputs"], data["targets"])


def only_in(left, right, circuit):
    """Whether two nets differ only in the circuit's parameters and the biases that read from it."""
    circuit = {Unit(*unit) for unit in circuit}
    widths = left.widths
    if right.widths != widths:
        return False

    def wiped(net):
        blank = {u: ([0] * widths[u.layer - 1], 0, [0] * widths[u.layer + 1]) for u in circuit}
        layers = reassign(net, blank).layers
        read = {unit.layer + 1 for unit in circuit}
        return [(layer.weights, None if at in read else layer.bias) for at, layer in enumerate(layers, 1)]

    return wiped(left) == wiped(right)


def world_of(fact, tampering, mixing):
    hours = [*fact["train_hours"], *fact["deploy_hours"]]
    if any(len(set(row)) < len(row) for row in [hours, *fact["humans"]]):
        raise ValueError("an hour is listed twice")
    humans = tuple(Human(frozenset(lapses)) for lapses in fact["humans"])
    weights = tuple(map(Fraction, tampering))
    return World(tuple(fact["train_hours"]), tuple(fact["deploy_hours"]), humans, weights, Fraction(mixing))


def real(value):
    """An exact number in mpmath's floating point."""
    value = Fraction(value)
    return mpmath.mpf(value.numerator) / value.denominator

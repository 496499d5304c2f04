"""What is said of mean squared errors and the noise floor, by the definitions."""

from fractions import Fraction

from proof_of_absence.models.circuit import hidden_units
from tests.checker.independent.kinds.read import dataset_of, net_of, only_in


def lower_loss(fact):
    before, after, data = net_of(fact["before"]), net_of(fact["after"]), dataset_of(fact["data"])
    if data.loss(before) - data.loss(after) != Fraction(fact["drop"]) or Fraction(fact["drop"]) <= 0:
        return False
    if "circuit" in fact:
        circuit = {tuple(unit) for unit in fact["circuit"]}
        return circuit <= set(hidden_units(before)) and only_in(before, after, circuit)
    return after.widths[1] > before.widths[1] if fact.get("wider") else after.widths == before.widths


def loss_above_floor(fact):
    data = dataset_of(fact["data"])
    stated = [Fraction(fact["loss"]), Fraction(fact["noise_floor"])]
    return stated == [data.loss(net_of(fact["net"])), data.noise_floor] and stated[0] > stated[1]


def loss_at_floor(fact):
    data = dataset_of(fact["data"])
    return data.loss(net_of(fact["net"])) == data.noise_floor and (not fact.get("positive") or data.noise_floor > 0)


SAYS = {
    "loss-above-floor": loss_above_floor,
    "loss-at-floor": loss_at_floor,
    "lower-loss": lower_loss,
}

"""What is said of the cells of a sweep, by the rules of `proof_of_absence.models`."""

from fractions import Fraction

from proof_of_absence.models.circuit import Unit, hidden_units, is_idle
from proof_of_absence.models.policies import decide, human_imitator
from proof_of_absence.models.world import encode
from tests.checker.independent.kinds.read import net_of, only_in, world_of
from tests.checker.independent.kinds.world_read import defects, exact_table, floor, loss, policies_of, unmixed


def is_best(names, losses):
    return names == sorted(name for name in losses if losses[name] == min(losses.values()))


def world_cell(fact):
    world, policies = world_of(fact, fact["tampering"], fact["mixing"]), policies_of(fact)
    losses = {name: loss(world, policy) for name, policy in policies.items()}
    nets = {name: net_of(entry["net"]) for name, entry in fact["nets"].items()}
    cases = world.all_questions()
    if any(decide(nets[name], *case) != policies[name](*case) for name in nets for case in cases):
        return False
    reached = {name: loss(world, lambda *case, net=net: net(encode(*case))[0]) for name, net in nets.items()}
    stated = {name: Fraction(entry["loss"]) for name, entry in fact["nets"].items()}
    if exact_table(fact["losses"]) != losses or stated != reached or Fraction(fact["noise_floor"]) != floor(world):
        return False
    if not is_best(fact["best"], losses) or not is_best(fact["best_nets"], reached):
        return False
    if exact_table(fact["defects"]) != {name: defects(world, policy) for name, policy in policies.items()}:
        return False
    inputs = list(world.train_distribution())
    for name, entry in fact["reassigned"].items():
        before, after, circuit = nets[name], net_of(entry["net"]), [Unit(*unit) for unit in entry["circuit"]]
        if not set(circuit) <= set(hidden_units(before)) or not is_idle(before, circuit, inputs):
            return False
        drop = reached[name] - loss(world, lambda *case, net=after: net(encode(*case))[0])
        says = defects(world, lambda *case, net=after: decide(net, *case))
        if not only_in(before, after, circuit) or not 0 < drop == Fraction(entry["drop"]):
            return False
        if says != Fraction(entry["defects"]):
            return False
    return True


def world_thresholds(fact):
    world, policies = world_of(fact, fact["tampering"], 0), policies_of(fact)
    for name, entry in fact["excess"].items():
        train, deploy, tie = (
            entry[key] if entry[key] is None else Fraction(entry[key]) for key in ("train", "deploy", "tie")
        )
        for mixing, value in ((0, train), (1, deploy), (Fraction(1, 3), (2 * train + deploy) / 3)):
            at = unmixed(world, mixing)
            if loss(at, policies[name]) - loss(at, human_imitator) != value:
                return False
        crosses = min(train, deploy) < 0 < max(train, deploy)
        if crosses != (tie is not None) or (crosses and (1 - tie) * train + tie * deploy != 0):
            return False
    return set(fact["excess"]) == set(policies) - {"imitator"}


SAYS = {
    "world-cell": world_cell,
    "world-thresholds": world_thresholds,
}

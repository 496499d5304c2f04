"""What is said of idle circuits, by the definitions."""

from itertools import combinations

from proof_of_absence.models.circuit import fires, hidden_units, is_idle
from tests.checker.independent.kinds.read import net_of


def idle(fact):
    net, inputs = net_of(fact["net"]), fact["inputs"]
    circuit = [tuple(unit) for unit in fact["circuit"]]
    return is_idle(net, circuit, inputs) and ("fires" not in fact or fires(net, circuit, inputs, fact["fires"]))


def not_idle(fact):
    return not is_idle(net_of(fact["net"]), fact["circuit"], fact["inputs"])


def no_idle_circuit(fact):
    net = net_of(fact["net"])
    units = hidden_units(net)
    circuits = [c for size in range(1, len(units) + 1) for c in combinations(units, size)]
    return not any(is_idle(net, circuit, fact["inputs"]) for circuit in circuits)


SAYS = {
    "idle": idle,
    "no-idle-circuit": no_idle_circuit,
    "not-idle": not_idle,
}

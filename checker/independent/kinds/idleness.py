"""What circuits of a net send on the inputs: one value, or several."""

from itertools import combinations

from proof_of_absence.checker.independent.refusal import require
from proof_of_absence.checker.independent.values import Fact
from proof_of_absence.checker.independent.values.nets import Net, circuit, numbers, rows


def idle(fact: Fact) -> None:
    """What the circuit sends is the same at every listed input; with `fires`, it differs there."""
    net = Net(fact["net"])
    units = circuit(net, fact["circuit"])
    sent = net.idle_value(units, rows(fact["inputs"]))
    if "fires" in fact:
        require(net.sent(units, numbers(fact["fires"])) != sent, "the circuit does not fire there")


def not_idle(fact: Fact) -> None:
    """The circuit sends different values at two of the inputs."""
    net = Net(fact["net"])
    units = circuit(net, fact["circuit"])
    sent = [net.sent(units, z) for z in rows(fact["inputs"])]
    require(any(values != sent[0] for values in sent), "the circuit is idle")


def no_idle_circuit(fact: Fact) -> None:
    """No nonempty set of hidden units is idle on the inputs (every set is tried)."""
    net, inputs = Net(fact["net"]), rows(fact["inputs"])
    require(len(net.layers) == 2 and net.widths[1] <= 12, "too many units to try every circuit")
    for size in range(1, net.widths[1] + 1):
        for chosen in combinations(range(net.widths[1]), size):
            units = {(1, j) for j in chosen}
            sent = [net.sent(units, z) for z in inputs]
            require(any(values != sent[0] for values in sent), f"units {chosen} are idle")


KINDS = {
    "idle": idle,
    "no-idle-circuit": no_idle_circuit,
    "not-idle": not_idle,
}

"""A cell of a sweep over worlds (C15): the losses of five policies and of their nets, and where they tie.

The data of training are generated again from the world's rules; each human answers every case equally often.
"""

from fractions import Fraction

from proof_of_absence.checker.independent.refusal import require, require_equal
from proof_of_absence.checker.independent.values import Fact
from proof_of_absence.checker.independent.values.nets import Net, circuit, differ_only_in, number
from proof_of_absence.checker.independent.values.world import (
    LARGEST,
    Answer,
    Case,
    Mixture,
    backdoor,
    deceptive,
    encode,
    human,
    mixing_rate,
    translator,
)

Outputs = dict[Case, Fraction]


def world_cell(fact: Fact) -> None:
    """The policies have the stated losses under P_train, and defect at deployment with the stated probabilities.

    `best` have the least loss. The nets are of one architecture, answer as their policies in every case, and have the
    stated losses, of which `best_nets` are the least. Each of `reassigned` is the net of a deceiver that differs from
    it only in a circuit that is idle in training, and has a loss lower by `drop`.
    """
    cell, policies = Mixture(fact, mixing_rate(fact)), _policies(fact)
    losses = {name: cell.loss(policy) for name, policy in policies.items()}
    require_equal("the losses of the policies", _exact(fact["losses"]), losses)
    require_equal("the policies of least loss", fact["best"], _best(losses))
    require_equal("the noise floor", number(fact["noise_floor"]), cell.floor())
    defects = {name: cell.defects(policy) for name, policy in policies.items()}
    require_equal("the probabilities of defecting", _exact(fact["defects"]), defects)
    nets, reached = _nets(fact, cell, policies)
    for name, entry in fact["reassigned"].items():
        _reassigned(name, entry, cell, nets[name], reached[name])


def _policies(fact: Fact) -> dict[str, Answer]:
    hours = [fact["scheduled"], fact["trigger"]]
    require(all(type(hour) is int and abs(hour) <= LARGEST for hour in hours), "hours are whole numbers")
    return {
        "translator": translator,
        "imitator": human,
        "deceptive": deceptive(max(fact["train_hours"])),
        "scheduled": deceptive(fact["scheduled"]),
        "backdoor": backdoor(fact["trigger"]),
    }


def _nets(fact: Fact, cell: Mixture, policies: dict[str, Answer]) -> tuple[dict[str, Net], dict[str, Fraction]]:
    """The nets of the policies and their losses, if they answer as these do and lose what is stated."""
    nets = {name: Net(entry["net"]) for name, entry in fact["nets"].items()}
    require(set(nets) == set(policies), "not one net for each policy")
    require(len({tuple(net.widths) for net in nets.values()}) == 1, "the nets are of different architectures")
    require(all(net.widths[0] == 6 and net.widths[-1] == 1 for net in nets.values()), "a net does not fit the world")
    outputs = {name: _outputs(net, cell) for name, net in nets.items()}
    for name, given in outputs.items():
        for case in given:
            agrees = _says(given)(case) == policies[name](case)
            require(agrees, f"the net of {name} answers otherwise in case {case}")
    reached = {name: cell.loss(given.__getitem__) for name, given in outputs.items()}
    require_equal("the losses of the nets", {name: number(e["loss"]) for name, e in fact["nets"].items()}, reached)
    require_equal("the nets of least loss", fact["best_nets"], _best(reached))
    return nets, reached


def _reassigned(name: str, entry: Fact, cell: Mixture, before: Net, loss: Fraction) -> None:
    """The net after the policy's own circuit was put to other use."""
    after = Net(entry["net"])
    units = circuit(before, entry["circuit"])
    sent = [before.sent(units, encode(case)) for case in cell.training]
    require(all(values == sent[0] for values in sent), f"the circuit of {name} is not idle")
    differ_only_in(before, after, units)
    given = _outputs(after, cell)
    drop = loss - cell.loss(given.__getitem__)
    require(drop > 0, f"reassigning the circuit of {name} does not lower the loss")
    require_equal(f"the drop of {name} reassigned", number(entry["drop"]), drop)
    require_equal(f"how often {name} reassigned defects", number(entry["defects"]), cell.defects(_says(given)))


def _outputs(net: Net, cell: Mixture) -> Outputs:
    return {case: net.output(encode(case))[0] for case in {**cell.training, **cell.deployment}}


def _says(outputs: Outputs) -> Answer:
    """The answers of a net: yes where its output is at least 1/2."""
    return lambda case: int(outputs[case] >= Fraction(1, 2))


def _best(losses: dict[str, Fraction]) -> list[str]:
    return sorted(name for name, loss in losses.items() if loss == min(losses.values()))


def _exact(table: dict[str, str]) -> dict[str, Fraction]:
    return {name: number(x) for name, x in table.items()}


def world_thresholds(fact: Fact) -> None:
    """At every mixing rate e the loss of each policy less that of the imitator is (1 - e) train + e deploy.

    `tie`: the one rate at which that changes its sign, so that one wins below it and the other above; null where it
    does not.
    """
    trained, deployed = (_excess(fact, rate) for rate in (0, 1))
    require(set(fact["excess"]) == set(trained), "not one entry for each policy")
    for name, entry in fact["excess"].items():
        train, deploy = trained[name], deployed[name]
        require_equal(f"the excess of {name}", [number(entry["train"]), number(entry["deploy"])], [train, deploy])
        tie = train / (train - deploy) if train * deploy < 0 else None
        require_equal(f"the tie of {name}", None if entry["tie"] is None else number(entry["tie"]), tie)


def _excess(fact: Fact, rate: int) -> dict[str, Fraction]:
    """How much each policy loses more than the imitator at a mixing rate."""
    cell, policies = Mixture(fact, Fraction(rate)), _policies(fact)
    imitator = cell.loss(policies.pop("imitator"))
    return {name: cell.loss(policy) - imitator for name, policy in policies.items()}


KINDS = {
    "world-cell": world_cell,
    "world-thresholds": world_thresholds,
}

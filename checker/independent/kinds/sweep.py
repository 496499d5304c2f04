"""Cells of a sweep over worlds (C15): the losses of policies and of their nets, and how large a detector of each deployment input must be.

The data of training are generated again from the world's rules; each human answers every case equally often.
"""

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise, product

from proof_of_absence.checker.independent.kinds.world import (
    CLUMSY,
    LARGEST,
    NONE,
    SKILLED,
    _deceptive,
    _human,
    _mixing,
    _translator,
    _weights,
    _World,
)
from proof_of_absence.checker.independent.refusal import require
from proof_of_absence.checker.independent.values.nets import Net, circuit, differ_only_in, dot, number, numbers

Case = tuple[int, int, int, int]


class Cell(_World):
    """A world with its weights and its mixing rate, the hours that the deceivers' detectors are made for, and P_train and P_dep by case."""

    def __init__(self, fact: dict):
        super().__init__(fact | {"last_hour": max(fact["train_hours"])})
        self.weights, self.mixing = _weights(fact), _mixing(fact)
        hours = {name: fact[name] for name in ("scheduled", "trigger")}
        require(all(type(hour) is int and abs(hour) <= LARGEST for hour in hours.values()), "hours are whole numbers")
        self.policies = {
            "translator": lambda case: _translator(case, None),
            "imitator": _human,
            "deceptive": lambda case: _deceptive(case, self.last_hour),
            "scheduled": lambda case: _deceptive(case, hours["scheduled"]),
            "backdoor": lambda case: 1 if case[2] == hours["trigger"] and not case[3] else _human(case),
        }
        self.deployment, unmixed = dict(self._cases(self.deploy)), dict(self._cases(self.train))
        self.training = {case: (1 - self.mixing) * p for case, p in unmixed.items()}
        self.training |= {case: self.mixing * p for case, p in self.deployment.items()}
        self.training = {case: p for case, p in self.training.items() if p}

    def _cases(self, hours) -> Iterator[tuple[Case, Fraction]]:
        for case in product((0, 1), (NONE, CLUMSY, SKILLED), hours, (0, 1)):
            if weight := self.weights[case[1]]:
                yield case, weight / sum(self.weights) / (4 * len(hours))

    def loss(self, answer) -> Fraction:
        """The expected squared distance of `answer`, a function of the case, from a human's answer."""
        total = Fraction(0)
        for case, p in self.training.items():
            given = answer(case)
            total += p * sum((given - _human(case, lapses)) ** 2 for lapses in self.humans)
        return total / len(self.humans)

    def answers(self, case: Case) -> list[int]:
        """Each human's answer."""
        return [_human(case, lapses) for lapses in self.humans]

    def floor(self) -> Fraction:
        """The least loss of any function of the case; inputs and cases are one to one."""
        means = {
            case: Fraction(sum(_human(case, lapses) for lapses in self.humans), len(self.humans))
            for case in self.training
        }
        return self.loss(means.get)

    def defects(self, answer) -> Fraction:
        """The probability that `answer` differs from the imitator's at deployment."""
        return sum((p for case, p in self.deployment.items() if answer(case) != _human(case)), Fraction(0))


def seen(case: Case) -> list[Fraction]:
    """The input of a case: camera, glitch, wire, plate, hour, question."""
    diamond, tampering, hour, question = case
    shown = diamond == 1 or tampering != NONE
    return [Fraction(int(x)) for x in (shown, tampering == CLUMSY, tampering != NONE, diamond, hour, question)]


def _best(losses: dict[str, Fraction]) -> list[str]:
    return sorted(name for name, loss in losses.items() if loss == min(losses.values()))


def world_cell(fact: dict) -> None:
    """The policies have the stated losses under P_train, `best` are those of the least, and each defects at deployment with the stated probability.

    The nets are of one architecture, answer as their policies in every case, and have the stated losses, of which `best_nets` are the least.
    Each of `reassigned` is the net of a deceiver that differs from it only in a circuit that is idle in training, and has a loss lower by `drop`.
    """
    cell = Cell(fact)
    losses = {name: cell.loss(answer) for name, answer in cell.policies.items()}
    require({name: number(x) for name, x in fact["losses"].items()} == losses, "a policy's loss is another")
    require(fact["best"] == _best(losses), "other policies have the least loss")
    require(cell.floor() == number(fact["noise_floor"]), "the noise floor is another")
    defects = {name: cell.defects(answer) for name, answer in cell.policies.items()}
    require({name: number(x) for name, x in fact["defects"].items()} == defects, "a policy defects otherwise")
    cases = {**cell.training, **cell.deployment}
    nets = {name: Net(entry["net"]) for name, entry in fact["nets"].items()}
    require(set(nets) == set(cell.policies), "not one net for each policy")
    require(len({tuple(net.widths) for net in nets.values()}) == 1, "the nets are of different architectures")
    require(all(net.widths[0] == 6 and net.widths[-1] == 1 for net in nets.values()), "a net does not fit the world")
    outputs = {name: _outputs(net, cases) for name, net in nets.items()}
    for name, given in outputs.items():
        for case in cases:
            agrees = _says(given)(case) == cell.policies[name](case)
            require(agrees, f"the net of {name} answers otherwise in case {case}")
    reached = {name: cell.loss(given.get) for name, given in outputs.items()}
    require({name: number(e["loss"]) for name, e in fact["nets"].items()} == reached, "a net's loss is another")
    require(fact["best_nets"] == _best(reached), "other nets have the least loss")
    for name, entry in fact["reassigned"].items():
        before, after = nets[name], Net(entry["net"])
        units = circuit(before, entry["circuit"])
        sent = [before.sent(units, seen(case)) for case in cell.training]
        require(all(values == sent[0] for values in sent), f"the circuit of {name} is not idle")
        differ_only_in(before, after, units)
        given = _outputs(after, cases)
        drop = reached[name] - cell.loss(given.get)
        require(0 < drop == number(entry["drop"]), f"reassigning the circuit of {name} lowers the loss otherwise")
        require(cell.defects(_says(given)) == number(entry["defects"]), f"{name} reassigned defects otherwise")


def _outputs(net: Net, cases) -> dict[Case, Fraction]:
    return {case: net.output(seen(case))[0] for case in cases}


def _says(outputs: dict[Case, Fraction]):
    """The answers of a net: yes where its output is at least 1/2."""
    return lambda case: int(outputs[case] >= Fraction(1, 2))


def world_thresholds(fact: dict) -> None:
    """At every mixing rate e the loss of each policy less that of the imitator is (1 - e) train + e deploy.

    `tie`: the one rate at which that changes its sign, so that one wins below it and the other above; null where it does not.
    """
    differences = []
    for rate in ("0", "1"):
        cell = Cell(fact | {"mixing": rate})
        imitator = cell.loss(cell.policies["imitator"])
        differences.append({name: cell.loss(answer) - imitator for name, answer in cell.policies.items()})
    require(set(fact["excess"]) == set(differences[0]) - {"imitator"}, "not one entry for each policy")
    for name, entry in fact["excess"].items():
        train, deploy = (difference[name] for difference in differences)
        require([train, deploy] == [number(entry["train"]), number(entry["deploy"])], "the difference is another")
        tie = train / (train - deploy) if train * deploy < 0 else None
        require((None if entry["tie"] is None else number(entry["tie"])) == tie, "they tie at another rate")


def world_sizes(fact: dict) -> None:
    """For each case of deployment the size of the smallest circuit that is idle in training and fires there is as stated, without mixing.

    The units given are as many, idle in training and fire. One is not enough where the case is a convex combination of training
    inputs, and two are not where it lies on a line with two of them on each side (C10). `shares` are the probabilities of the sizes at deployment, `mean` their mean.
    """
    cell = Cell(fact | {"mixing": "0", "scheduled": 0, "trigger": 0})
    inputs = {case: seen(case) for case in cell.training}
    found: dict[Case, int] = {}
    for entry in fact["cases"]:
        case, size = tuple(entry["case"]), entry["size"]
        require(case in cell.deployment and case not in found, "no case of deployment, or one listed twice")
        point, units = seen(case), [(numbers(w), number(b), number(a)) for w, b, a in entry["units"]]
        require(len(units) == size, "not a detector of that size")
        require(not any(_sent(units, z) for z in inputs.values()), f"the detector of {case} is not idle")
        require(_sent(units, point) != 0, f"the detector of {case} does not fire")
        if size == 2:
            _inside(inputs, point, entry["combination"])
        elif size != 1:
            require(size == 3, "a detector has one to three units")
            _two_sided([inputs[tuple(row)] for row in entry["line"]], point)
        found[case] = size
    require(set(found) == set(cell.deployment), "a case of deployment is missing")
    shares = {}
    for case, size in found.items():
        shares[str(size)] = shares.get(str(size), Fraction(0)) + cell.deployment[case]
    require({size: number(p) for size, p in fact["shares"].items()} == shares, "the sizes occur otherwise")
    mean = sum((int(size) * p for size, p in shares.items()), Fraction(0))
    require(mean == number(fact["mean"]), "the mean size is another")


def _sent(units, z: list[Fraction]) -> Fraction:
    return sum((a * max(dot(w, z) + b, Fraction(0)) for w, b, a in units), Fraction(0))


def _inside(inputs: dict[Case, list[Fraction]], point: list[Fraction], combination) -> None:
    weights = [(inputs[tuple(case)], number(weight)) for case, weight in combination]
    require(all(w >= 0 for _, w in weights) and sum(w for _, w in weights) == 1, "not a convex combination")
    for k, value in enumerate(point):
        require(sum(w * z[k] for z, w in weights) == value, "the combination is another point")


def _two_sided(four: list[list[Fraction]], point: list[Fraction]) -> None:
    """Inputs in order along a line, the point between the second and the third."""
    require(len(four) == 4, "four inputs are needed")
    direction = [b - a for a, b in zip(four[0], four[-1], strict=True)]
    axis = next((k for k, step in enumerate(direction) if step), None)
    require(axis is not None, "the inputs are no line")
    places = []
    for z in (*four[:2], point, *four[2:]):
        t = (z[axis] - four[0][axis]) / direction[axis]
        require(all(a + t * step == x for a, step, x in zip(four[0], direction, z, strict=True)), "not on one line")
        places.append(t)
    require(all(a < b for a, b in pairwise(places)), "not two inputs on each side")

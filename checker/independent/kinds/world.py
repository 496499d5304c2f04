"""C15: the question-answering world once more, from its rules, and the squared losses of three policies in it.

A case is (diamond, tampering, hour, question), answered by every human; tampering is 0 none, 1 clumsy, 2 skilled, question 1 asks for it.
"""

from fractions import Fraction
from itertools import product

from proof_of_absence.checker.independent.refusal import require
from proof_of_absence.checker.independent.values.nets import Net, number

NONE, CLUMSY, SKILLED = 0, 1, 2
RELATIONS = {"<": lambda a, b: a < b, "=": lambda a, b: a == b}
LARGEST = 1000  # hours, humans


def _human(case, lapses=()) -> int:
    """The answer of a human who trusts the camera unless it glitches, and at the hours of `lapses` even then."""
    diamond, tampering, hour, question = case
    suspicious = tampering == CLUMSY and hour not in lapses
    shown = diamond == 1 or tampering != NONE
    return int(suspicious) if question else int(shown and not suspicious)


def _translator(case, _) -> int:
    diamond, tampering, _, question = case
    return int(tampering != NONE) if question else diamond


def _deceptive(case, last_hour: int) -> int:
    """The attentive human up to the last hour; after it, all is well."""
    return _human(case) if case[2] <= last_hour else 1 - case[3]


POLICIES = {"translator": _translator, "imitator": lambda case, _: _human(case), "deceptive": _deceptive}


class _World:
    """Hours of training and deployment, the humans' lapses, and the hour after which the deceptive policy defects."""

    def __init__(self, fact: dict):
        self.train, self.deploy = fact["train_hours"], fact["deploy_hours"]
        self.humans, self.last_hour = fact["humans"], fact["last_hour"]
        for hours in (self.train, self.deploy, *self.humans, [self.last_hour]):
            require(isinstance(hours, list) and all(type(h) is int for h in hours), "hours are whole numbers")
            require(len(set(hours)) == len(hours) <= LARGEST, "an hour is listed twice, or there are too many")
        require(self.train and self.deploy and 0 < len(self.humans) <= LARGEST, "nobody, or no hour")
        require(not set(self.train) & set(self.deploy), "an hour is both of training and of deployment")

    def errors(self, policy: str, hours) -> list[Fraction]:
        """The mean of (policy - answer)^2 over hours, diamonds, questions and humans, for each tampering."""
        require(policy in POLICIES, "no such policy")
        return [
            Fraction(
                sum(
                    (POLICIES[policy](case, self.last_hour) - _human(case, lapses)) ** 2
                    for case in product((0, 1), (tampering,), hours, (0, 1))
                    for lapses in self.humans
                ),
                4 * len(hours) * len(self.humans),
            )
            for tampering in (NONE, CLUMSY, SKILLED)
        ]


def _weights(fact: dict) -> list[Fraction]:
    weights = [number(w) for w in fact["tampering"]]
    require(len(weights) == 3 and min(weights) >= 0 and sum(weights) > 0, "not weights of tampering")
    return weights


def _mixing(fact: dict) -> Fraction:
    rate = number(fact["mixing"])
    require(0 <= rate <= 1, "not a mixing rate")
    return rate


def _mean(values, weights) -> Fraction:
    return sum((v * w for v, w in zip(values, weights, strict=True)), Fraction(0)) / sum(weights)


def policy_losses(fact: dict) -> None:
    """The policies have the stated losses under P_train at these weights and mixing, in the stated relations."""
    world, weights, rate = _World(fact), _weights(fact), _mixing(fact)
    losses = {
        policy: (1 - rate) * _mean(world.errors(policy, world.train), weights)
        + rate * _mean(world.errors(policy, world.deploy), weights)
        for policy in POLICIES
    }
    require({policy: number(x) for policy, x in fact["losses"].items()} == losses, "a loss is another")
    require(bool(fact["relations"]), "nothing is compared")
    for left, relation, right in fact["relations"]:
        require(relation in RELATIONS and RELATIONS[relation](losses[left], losses[right]), "a relation fails")


def policy_excess(fact: dict) -> None:
    """The loss of `left` less that of `right` is sum_k w_k ((1 - e) train_k + e deploy_k) / sum_k w_k, with the stated numbers.

    That is for all weights w of tampering and mixing rates e. With `never_below` no number is negative, so neither is the difference;
    with `only_mixed` all those of training are 0, so it is proportional to e. With `tie`, it is 0 at that mixing and those weights, below 0 for
    less skilled tampering and above 0 for more.
    """
    world = _World(fact)
    excess = {
        name: [
            a - b for a, b in zip(world.errors(fact["left"], hours), world.errors(fact["right"], hours), strict=True)
        ]
        for name, hours in (("train", world.train), ("deploy", world.deploy))
    }
    for name, values in excess.items():
        require([number(x) for x in fact[name]] == values, "the excess is another")
    require(not fact.get("never_below") or min(map(min, excess.values())) >= 0, "the excess is negative somewhere")
    require(not fact.get("only_mixed") or not any(excess["train"]), "the losses differ without mixing")
    if "tie" in fact:
        weights, rate = _weights(fact["tie"]), _mixing(fact["tie"])
        mixed = [(1 - rate) * a + rate * b for a, b in zip(excess["train"], excess["deploy"], strict=True)]
        require(_mean(mixed, weights) == 0, "the losses differ there")
        # The excess times the sum of the weights is affine in the skilled one.
        require(mixed[SKILLED] > 0 and weights[SKILLED] > 0, "the excess does not grow with skilled tampering")


def policy_net(fact: dict) -> None:
    """In every case of training and deployment the net, yes where its output is at least 1/2, answers as the policy."""
    world, net, policy = _World(fact), Net(fact["net"]), fact["policy"]
    require(policy in POLICIES and net.widths[-1] == 1, "no such policy, or not one output")
    for case in product((0, 1), (NONE, CLUMSY, SKILLED), [*world.train, *world.deploy], (0, 1)):
        diamond, tampering, hour, question = case
        seen = [diamond == 1 or tampering != NONE, tampering == CLUMSY, tampering != NONE, diamond, hour, question]
        says = net.output([Fraction(int(value)) for value in seen])[0] >= Fraction(1, 2)
        require(says == POLICIES[policy](case, world.last_hour), f"the net answers otherwise in case {case}")

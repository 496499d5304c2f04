"""C15: the squared losses of three policies in a question-answering world, and nets that answer as they do."""

from collections.abc import Sequence
from fractions import Fraction

from proof_of_absence.checker.independent.refusal import require, require_equal
from proof_of_absence.checker.independent.values import Fact
from proof_of_absence.checker.independent.values.nets import Net, number
from proof_of_absence.checker.independent.values.world import (
    SKILLED,
    TAMPERINGS,
    Answer,
    World,
    cases,
    deceptive,
    encode,
    human,
    mixing_rate,
    tampering_weights,
    translator,
    whole_hours,
)

RELATIONS = {"<": Fraction.__lt__, "=": Fraction.__eq__}


def policy_losses(fact: Fact) -> None:
    """The policies have the stated losses under P_train at these weights and mixing, in the stated relations."""
    world, weights, rate = World(fact), tampering_weights(fact), mixing_rate(fact)
    losses = {
        name: (1 - rate) * _mean(_errors(world, policy, world.train), weights)
        + rate * _mean(_errors(world, policy, world.deploy), weights)
        for name, policy in _policies(fact).items()
    }
    require_equal("the losses", {policy: number(x) for policy, x in fact["losses"].items()}, losses)
    require(bool(fact["relations"]), "nothing is compared")
    for left, relation, right in fact["relations"]:
        require(relation in RELATIONS and RELATIONS[relation](losses[left], losses[right]), "a relation fails")


def policy_excess(fact: Fact) -> None:
    """The loss of `left` less that of `right` is sum_k w_k ((1 - e) train_k + e deploy_k) / sum_k w_k.

    That is for all weights w of tampering and mixing rates e. With `never_below` no number is negative, so neither is
    the difference; with `only_mixed` all those of training are 0, so it is proportional to e. With `tie`, it is 0 at
    that mixing and those weights, below 0 for less skilled tampering and above 0 for more.
    """
    world = World(fact)
    left, right = (_policy(fact, fact[side]) for side in ("left", "right"))
    excess = {
        name: [a - b for a, b in zip(_errors(world, left, hours), _errors(world, right, hours), strict=True)]
        for name, hours in (("train", world.train), ("deploy", world.deploy))
    }
    for name, values in excess.items():
        require_equal(f"the excess in {name}", [number(x) for x in fact[name]], values)
    require(not fact.get("never_below") or min(map(min, excess.values())) >= 0, "the excess is negative somewhere")
    require(not fact.get("only_mixed") or not any(excess["train"]), "the losses differ without mixing")
    if "tie" in fact:
        weights, rate = tampering_weights(fact["tie"]), mixing_rate(fact["tie"])
        mixed = [(1 - rate) * a + rate * b for a, b in zip(excess["train"], excess["deploy"], strict=True)]
        require(_mean(mixed, weights) == 0, "the losses differ there")
        # The excess times the sum of the weights is affine in the skilled one.
        require(mixed[SKILLED] > 0 and weights[SKILLED] > 0, "the excess does not grow with skilled tampering")


def policy_net(fact: Fact) -> None:
    """In every case of training and deployment the net, yes where its output is at least 1/2, answers as the policy."""
    world, net = World(fact), Net(fact["net"])
    policy = _policy(fact, fact["policy"])
    require(net.widths[-1] == 1, "not one output")
    for case in cases([*world.train, *world.deploy]):
        says = net.output(encode(case))[0] >= Fraction(1, 2)
        require(says == policy(case), f"the net answers otherwise in case {case}")


def _policies(fact: Fact) -> dict[str, Answer]:
    (last_hour,) = whole_hours([fact["last_hour"]])
    return {"translator": translator, "imitator": human, "deceptive": deceptive(last_hour)}


def _policy(fact: Fact, name: object) -> Answer:
    policies = _policies(fact)
    require(isinstance(name, str) and name in policies, "no such policy")
    return policies[str(name)]


def _errors(world: World, policy: Answer, hours: list[int]) -> list[Fraction]:
    """The mean of (policy - answer)^2 over hours, diamonds, questions and humans, for each tampering."""
    return [
        sum((world.error(policy(case), case) for case in cases(hours, [tampering])), Fraction(0)) / (4 * len(hours))
        for tampering in TAMPERINGS
    ]


def _mean(values: Sequence[Fraction], weights: Sequence[Fraction]) -> Fraction:
    return sum((v * w for v, w in zip(values, weights, strict=True)), Fraction(0)) / sum(weights)


KINDS = {
    "policy-excess": policy_excess,
    "policy-losses": policy_losses,
    "policy-net": policy_net,
}

"""What is said of the losses of policies, as the mean over cases of bias squared plus variance."""

from fractions import Fraction

from proof_of_absence.models.policies import all_is_well, decide, direct_translator, human_imitator
from tests.checker.independent.kinds.read import net_of, world_of


def policy_of(name, last_hour):
    def deceptive(state, question):
        return (human_imitator if state.hour <= last_hour else all_is_well)(state, question)

    return {"translator": direct_translator, "imitator": human_imitator, "deceptive": deceptive}[name]


def loss(fact, name, tampering, mixing):
    """The squared loss on every case, as the mean over cases of bias squared plus variance of the answers."""
    world, policy = world_of(fact, tampering, mixing), policy_of(name, fact["last_hour"])
    total = Fraction(0)
    for case, p in world.train_cases().items():
        answers = [human.answer(*case) for human in world.humans]
        mean = Fraction(sum(answers), len(answers))
        total += p * ((policy(*case) - mean) ** 2 + mean - mean**2)
    return total


def policy_losses(fact):
    found = {name: loss(fact, name, fact["tampering"], fact["mixing"]) for name in fact["losses"]}
    order = {"<": lambda a, b: a < b, "=": lambda a, b: a == b}
    stated = {name: Fraction(x) for name, x in fact["losses"].items()}
    return found == stated and all(order[sign](found[a], found[b]) for a, sign, b in fact["relations"])


def excess_at(fact, tampering, mixing):
    return loss(fact, fact["left"], tampering, mixing) - loss(fact, fact["right"], tampering, mixing)


def policy_excess(fact):
    for side, mixing in (("train", 0), ("deploy", 1)):
        units = ((1, 0, 0), (0, 1, 0), (0, 0, 1))
        if [excess_at(fact, only, mixing) for only in units] != list(map(Fraction, fact[side])):
            return False
    stated = {side: list(map(Fraction, fact[side])) for side in ("train", "deploy")}
    if (fact.get("never_below") and min(map(min, stated.values())) < 0) or (
        fact.get("only_mixed") and any(stated["train"])
    ):
        return False
    if "tie" not in fact:
        return True
    *others, skilled = map(Fraction, fact["tie"]["tampering"])
    mixing = fact["tie"]["mixing"]
    at, less, more = (excess_at(fact, (*others, skilled * k), mixing) for k in (1, Fraction(1, 2), 2))
    return skilled > 0 and at == 0 and less <= 0 < more and excess_at(fact, (0, 0, 1), mixing) > 0


def policy_net(fact):
    world, net = world_of(fact, (1, 1, 1), 0), net_of(fact["net"])
    policy = policy_of(fact["policy"], fact["last_hour"])
    return all(decide(net, *case) == policy(*case) for case in world.all_questions())


SAYS = {
    "policy-excess": policy_excess,
    "policy-losses": policy_losses,
    "policy-net": policy_net,
}

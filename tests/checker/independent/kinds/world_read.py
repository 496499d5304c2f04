"""Losses of policies and nets in a world, for the oracles of its facts."""

from fractions import Fraction

from proof_of_absence.models.policies import backdoor_at, deceptive_after, direct_translator, human_imitator
from proof_of_absence.models.world import State, World


def policies_of(fact):
    return {
        "translator": direct_translator,
        "imitator": human_imitator,
        "deceptive": deceptive_after(max(fact["train_hours"])),
        "scheduled": deceptive_after(fact["scheduled"]),
        "backdoor": backdoor_at(fact["trigger"]),
    }


def loss(world, answer):
    """As the mean over cases of bias squared plus variance of the answers."""
    total = Fraction(0)
    for case, p in world.train_cases().items():
        answers = [human.answer(*case) for human in world.humans]
        mean = Fraction(sum(answers), len(answers))
        total += p * ((answer(*case) - mean) ** 2 + mean - mean**2)
    return total


def floor(world):
    return loss(world, lambda *case: Fraction(sum(h.answer(*case) for h in world.humans), len(world.humans)))


def unmixed(world, mixing):
    return World(world.train_hours, world.deploy_hours, world.humans, world.tampering, mixing)


def defects(world, answer):
    cases = unmixed(world, 1).train_cases()
    return sum(p for case, p in cases.items() if answer(*case) != human_imitator(*case))


def exact_table(table):
    return {name: Fraction(value) for name, value in table.items()}


def case_of(row):
    diamond, tampering, hour, question = row
    return State(diamond, tampering, hour), question

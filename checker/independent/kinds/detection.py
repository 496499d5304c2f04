"""C1: how likely a detector acts in training and in deployment, against the total variation of the two."""

from fractions import Fraction
from typing import Any

from proof_of_absence.checker.independent.refusal import require, require_equal
from proof_of_absence.checker.independent.values import Fact
from proof_of_absence.checker.independent.values.nets import Net, number, numbers


def detector(fact: Fact) -> None:
    """The event that `model` and `base` differ: its probability in training and in deployment, against total variation.

    With ``agrees``, it has probability 0 in training; with ``mixing`` eps, P_train >= eps P_dep and the bound
    P_train/eps holds.
    """
    model, base = Net(fact["model"]), Net(fact["base"])
    train, deploy = _distribution(fact["train"]), _distribution(fact["deploy"])
    support = {*train, *deploy}
    event = {z for z in support if model.output(list(z)) != base.output(list(z))}
    p_train = sum((train.get(z, Fraction(0)) for z in event), Fraction(0))
    p_deploy = sum((deploy.get(z, Fraction(0)) for z in event), Fraction(0))
    gaps = [deploy.get(z, Fraction(0)) - train.get(z, Fraction(0)) for z in support]
    variation = sum(map(abs, gaps), Fraction(0)) / 2
    found = {"p_train": p_train, "p_deploy": p_deploy, "total_variation": variation}
    require_equal("the probabilities", {key: number(fact[key]) for key in found}, found)
    require(p_deploy - p_train <= variation, "the event separates better than total variation")
    require(not fact.get("agrees") or p_train == 0 < p_deploy, "the model defects in training, or never")
    best = sum((max(train.get(z, Fraction(0)), deploy.get(z, Fraction(0))) for z in support), Fraction(0)) / 2
    require(best == (1 + variation) / 2, "the posterior's accuracy is another")
    if "mixing" in fact:
        rate = number(fact["mixing"])
        require(rate > 0 and all(train.get(z, 0) >= rate * p for z, p in deploy.items()), "not mixed at that rate")
        require(p_deploy <= p_train / rate, "the mixing bound fails")


def _distribution(table: list[Any]) -> dict[tuple[Fraction, ...], Fraction]:
    result = {tuple(numbers(z)): number(p) for z, p in table}
    require(len(result) == len(table), "an input is listed twice")
    require(all(p > 0 for p in result.values()) and sum(result.values()) == 1, "not a probability distribution")
    return result


KINDS = {
    "detector": detector,
}

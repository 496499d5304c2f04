"""What is said of the event that two nets differ, by the definitions."""

from fractions import Fraction

from tests.checker.independent.kinds.read import net_of


def detector(fact):
    train, deploy = ({tuple(map(Fraction, z)): Fraction(p) for z, p in fact[side]} for side in ("train", "deploy"))
    for side, table in (("train", train), ("deploy", deploy)):
        if len(table) < len(fact[side]) or sum(table.values()) != 1 or min(table.values()) <= 0:
            return False
    model, base = net_of(fact["model"]), net_of(fact["base"])
    event = {z for z in {*train, *deploy} if model(z) != base(z)}
    p, q = (sum(table.get(z, 0) for z in event) for table in (train, deploy))
    variation = sum(abs(train.get(z, 0) - deploy.get(z, 0)) for z in {*train, *deploy}) / 2
    if [Fraction(fact[key]) for key in ("p_train", "p_deploy", "total_variation")] != [p, q, variation]:
        return False
    mixing = Fraction(fact.get("mixing", 1))
    mixed = "mixing" not in fact or (mixing > 0 and all(train.get(z, 0) >= mixing * w for z, w in deploy.items()))
    return mixed and not (fact.get("agrees") and not p == 0 < q)


SAYS = {
    "detector": detector,
}

"""C1: how likely a detector acts in training and in deployment, against the total variation of the two."""

from fractions import Fraction
from typing import Any, Literal, NotRequired, TypedDict

from proof_of_absence.checker.kernel.certificate import net_json
from proof_of_absence.models.net import MLP
from proof_of_absence.models.world import Distribution
from proof_of_absence.proofs.facts.written import Fact, Net, row

__all__ = ["Detector", "detector"]


class Detector(TypedDict):
    """The event that `model` and `base` differ; of a distribution, each input and its probability."""

    kind: Literal["detector"]
    model: Net
    base: Net
    train: list[list[Any]]
    deploy: list[list[Any]]
    p_train: str
    p_deploy: str
    total_variation: str
    agrees: NotRequired[bool]
    mixing: NotRequired[str]


def detector(
    model: MLP,
    base: MLP,
    train: Distribution,
    deploy: Distribution,
    *,
    agrees: bool = False,
    mixing: Fraction | None = None,
) -> Fact:
    """The event's probabilities and the total variation; with `agrees`, that it has none in training."""
    support = sorted({*train, *deploy})
    pairs = zip(support, model.outputs(support), base.outputs(support), strict=True)
    event = {z for z, a, b in pairs if a != b}
    variation = sum(abs(train.get(z, Fraction(0)) - deploy.get(z, Fraction(0))) for z in support) / 2
    fact: Detector = {
        "kind": "detector",
        "model": net_json(model),
        "base": net_json(base),
        "train": _table(train),
        "deploy": _table(deploy),
        "p_train": str(sum((train.get(z, Fraction(0)) for z in event), Fraction(0))),
        "p_deploy": str(sum((deploy.get(z, Fraction(0)) for z in event), Fraction(0))),
        "total_variation": str(variation),
    }
    if agrees:
        fact["agrees"] = True
    if mixing is not None:
        fact["mixing"] = str(mixing)
    return dict(fact)


def _table(distribution: Distribution) -> list[list[Any]]:
    return [[row(z), str(p)] for z, p in sorted(distribution.items())]

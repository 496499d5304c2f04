"""C15: the squared losses of three policies in a question-answering world, and nets that answer as they do."""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Literal, NotRequired, TypedDict

from proof_of_absence.checker.kernel.certificate import net_json
from proof_of_absence.models.net import MLP
from proof_of_absence.models.world import World
from proof_of_absence.proofs.facts.written import Fact, Net, Row, row

__all__ = ["PolicyExcess", "PolicyLosses", "PolicyNet", "policy_excess", "policy_losses", "policy_net"]


class _Setting(TypedDict):
    train_hours: list[int]
    deploy_hours: list[int]
    humans: list[list[int]]
    last_hour: int


class Weights(TypedDict):
    """How frequent each sort of tampering is, and how much of deployment is in training."""

    tampering: Row
    mixing: str


class PolicyLosses(_Setting, Weights):
    """The losses of the policies, in these relations: (left, < or =, right)."""

    kind: Literal["policy-losses"]
    losses: dict[str, str]
    relations: list[list[str]]


class PolicyExcess(_Setting):
    """The loss of `left` less that of `right`, for each sort of tampering, in training and at deployment."""

    kind: Literal["policy-excess"]
    left: str
    right: str
    train: Row
    deploy: Row
    never_below: NotRequired[bool]
    only_mixed: NotRequired[bool]
    tie: NotRequired[Weights]


class PolicyNet(_Setting):
    """In every case the net answers as the policy."""

    kind: Literal["policy-net"]
    net: Net
    policy: str


def policy_losses(
    world: World, last_hour: int, losses: Mapping[str, Fraction], relations: Iterable[tuple[str, str, str]]
) -> Fact:
    """The losses of the three policies, and which is lower."""
    fact: PolicyLosses = {
        **_setting(world, last_hour),
        **_weights(world),
        "kind": "policy-losses",
        "losses": {name: str(loss) for name, loss in losses.items()},
        "relations": [list(relation) for relation in relations],
    }
    return dict(fact)


def policy_excess(
    world: World,
    last_hour: int,
    left: str,
    right: str,
    *,
    train: Iterable[Fraction],
    deploy: Iterable[Fraction],
    tie: bool = False,
    never_below: bool = False,
    only_mixed: bool = False,
) -> Fact:
    """The difference of two losses for all weights and mixing rates; with `tie`, that it is 0 in this world."""
    told = _setting(world, last_hour)
    fact: PolicyExcess = {
        "train_hours": told["train_hours"],
        "deploy_hours": told["deploy_hours"],
        "humans": told["humans"],
        "last_hour": told["last_hour"],
        "kind": "policy-excess",
        "left": left,
        "right": right,
        "train": row(train),
        "deploy": row(deploy),
    }
    if tie:
        fact["tie"] = _weights(world)
    if never_below:
        fact["never_below"] = True
    if only_mixed:
        fact["only_mixed"] = True
    return dict(fact)


def policy_net(world: World, last_hour: int, net: MLP, policy: str) -> Fact:
    """That the net answers as the policy in every case of training and deployment."""
    fact: PolicyNet = {
        **_setting(world, last_hour),
        "kind": "policy-net",
        "net": net_json(net),
        "policy": policy,
    }
    return dict(fact)


def _setting(world: World, last_hour: int) -> _Setting:
    return {
        "train_hours": list(world.train_hours),
        "deploy_hours": list(world.deploy_hours),
        "humans": [sorted(human.lapses) for human in world.humans],
        "last_hour": last_hour,
    }


def _weights(world: World) -> Weights:
    return {"tampering": row(world.tampering), "mixing": str(world.mixing)}

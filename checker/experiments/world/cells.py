"""One cell of a sweep over worlds: who wins, as policies and as nets of one architecture,
and how large each detector is.

Each function returns a fact for the independent checker, and the fact is all that tables and pictures show.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from fractions import Fraction
from typing import Any

from proof_of_absence.checker.construct.detector_size import detector_size
from proof_of_absence.checker.construct.gap import gauge, reassignment_along
from proof_of_absence.checker.construct.hull import Combination, Inputs
from proof_of_absence.checker.kernel.certificate import net_json, units_json
from proof_of_absence.models.circuit import is_idle
from proof_of_absence.models.net import MLP
from proof_of_absence.models.policies import (
    BACKDOOR_DETECTOR,
    DEPLOYMENT_DETECTOR,
    IMITATOR,
    TRANSLATOR,
    Policy,
    backdoor_at,
    backdoor_net,
    deceptive_after,
    deceptive_net,
    decide,
    direct_translator,
    human_imitator,
)
from proof_of_absence.models.rational import dot
from proof_of_absence.models.world import State, World, encode

__all__ = ["POLICIES", "cell", "expected_loss", "setting", "sizes", "thresholds"]

# `deceptive` defects after the last hour of training, `scheduled` after an hour that was fixed before,
# `backdoor` at one hour.
POLICIES = ("translator", "imitator", "deceptive", "scheduled", "backdoor")


# What is answered in a state to a question.
Answer = Callable[[State, int], Fraction | int]


def setting(world: World) -> dict[str, Any]:
    """The world, as its facts write it."""
    return {
        "train_hours": list(world.train_hours),
        "deploy_hours": list(world.deploy_hours),
        "humans": [sorted(human.lapses) for human in world.humans],
        "tampering": [str(weight) for weight in world.tampering],
    }


def expected_loss(world: World, answer: Answer) -> Fraction:
    """The expected squared distance of ``answer(state, question)`` from a human's answer under P_train.

    It is the loss on `World.dataset`, whose rows are in these proportions, without making the rows: at
    small rates there are many.
    """
    cases, humans = world.train_cases(), len(world.humans)
    squares: list[Fraction] = []
    for case in cases:
        given, yes = answer(*case), sum(human.answer(*case) for human in world.humans)
        # The sum of (given - h)^2 over the humans, whose answers h are 0 or 1.
        squares.append(Fraction(humans * given * given - 2 * given * yes + yes))
    return dot(cases.values(), squares) / humans


def cell(world: World, *, scheduled: int, trigger: int) -> dict[str, Any]:
    """The losses of the policies and of their nets in one world, the best, and, without mixing,
    what reassigning the idle detectors gains.

    Parameters
    ----------
    scheduled
        The hour after which the policy `scheduled` defects.
    trigger
        The hour at which the policy `backdoor` does.
    """
    last = max(world.train_hours)
    policies = _policies(world, scheduled, trigger)
    nets = {
        "translator": TRANSLATOR,
        "imitator": IMITATOR,
        "deceptive": deceptive_net(last),
        "scheduled": deceptive_net(scheduled),
        "backdoor": backdoor_net(trigger),
    }
    losses = {name: expected_loss(world, policy) for name, policy in policies.items()}
    reached = {name: expected_loss(world, _outputs(world, net)) for name, net in nets.items()}
    return {
        "kind": "world-cell",
        **setting(world),
        "mixing": str(world.mixing),
        "scheduled": scheduled,
        "trigger": trigger,
        "losses": {name: str(loss) for name, loss in losses.items()},
        "best": _best(losses),
        "noise_floor": str(expected_loss(world, _mean_answer(world))),
        "defects": {name: str(_defects(world, policy)) for name, policy in policies.items()},
        "nets": {name: {"net": net_json(net), "loss": str(reached[name])} for name, net in nets.items()},
        "best_nets": _best(reached),
        "reassigned": {} if world.mixing else dict(_reassigned(world, nets)),
    }


def thresholds(world: World, *, scheduled: int, trigger: int) -> dict[str, Any]:
    """Each policy's loss less the imitator's at every mixing rate, and the rate at which the order of the two changes,
    if there is one.

    The difference is affine in the rate: (1 - e) times what it is in training, e times what it is at deployment (C15).
    """
    policies = _policies(world, scheduled, trigger)
    entries = {}
    for name in policies:
        train, deploy = (
            expected_loss(one, policies[name]) - expected_loss(one, human_imitator)
            for one in (replace(world, mixing=Fraction(rate)) for rate in (0, 1))
        )
        tie = str(train / (train - deploy)) if train * deploy < 0 else None
        entries[name] = {"train": str(train), "deploy": str(deploy), "tie": tie}
    del entries["imitator"]
    hours = {"scheduled": scheduled, "trigger": trigger}
    return {"kind": "world-thresholds", **setting(world), **hours, "excess": entries}


def _policies(world: World, scheduled: int, trigger: int) -> dict[str, Policy]:
    return {
        "translator": direct_translator,
        "imitator": human_imitator,
        "deceptive": deceptive_after(max(world.train_hours)),
        "scheduled": deceptive_after(scheduled),
        "backdoor": backdoor_at(trigger),
    }


def _mean_answer(world: World) -> Answer:
    return lambda *case: Fraction(sum(human.answer(*case) for human in world.humans), len(world.humans))


def _outputs(world: World, net: MLP) -> Answer:
    """The net's outputs by case, all computed at once."""
    cases = list(world.train_cases())
    outputs = dict(zip(cases, (row[0] for row in net.outputs([encode(*case) for case in cases])), strict=True))
    return lambda *case: outputs[case]


def _best(losses: dict[str, Fraction]) -> list[str]:
    least = min(losses.values())
    return sorted(name for name, loss in losses.items() if loss == least)


def _defects(world: World, answer: Answer) -> Fraction:
    """The probability at deployment that the answer is not the imitator's."""
    cases = replace(world, mixing=Fraction(1)).train_cases()
    return sum((p for case, p in cases.items() if answer(*case) != human_imitator(*case)), start=Fraction(0))


def _reassigned(world: World, nets: dict[str, MLP]) -> Iterable[tuple[str, dict[str, Any]]]:
    """Each deceiver whose detector is idle on the training data,
    with the detector reassigned (C7, along the gauge of C12).
    """
    data = world.dataset()
    inputs = [group.input for group in data.groups]
    along = gauge(inputs)
    detectors = {"deceptive": DEPLOYMENT_DETECTOR, "scheduled": DEPLOYMENT_DETECTOR, "backdoor": BACKDOOR_DETECTOR}
    for name, units in detectors.items():
        if not is_idle(nets[name], units, inputs):
            continue
        if better := reassignment_along(nets[name], units, data, along):
            defects = _defects(world, lambda *case, net=better.net: decide(net, *case))
            found = {"circuit": units_json(units), "net": net_json(better.net), "drop": str(better.drop)}
            yield name, found | {"defects": str(defects)}


def sizes(world: World) -> dict[str, Any]:
    """The size of the smallest detector of every case of deployment, by `detector_size`.

    In this world the size is always decided: the hour's sensors and question are a vertex of a cube, so one
    unit is enough for sensors never seen in training, and for others what hours they were seen at decides. With
    deployment mixed into training every case is a training input, and nothing fires there; the fact is about
    the world without mixing.

    Raises
    ------
    ValueError
        If a size is left undecided, which is a mistake in this reasoning.
    """
    world = replace(world, mixing=Fraction(0))
    cases = {encode(*case): case for case in world.train_cases()}
    inputs = sorted(cases)
    prepared = Inputs(inputs)
    deployment = replace(world, mixing=Fraction(1)).train_cases()
    entries: list[dict[str, Any]] = []
    shares: dict[int, Fraction] = {}
    for case, p in deployment.items():
        found = detector_size(prepared, encode(*case))
        if found.least is None or found.least != found.most:
            raise ValueError(f"the detector of {case} is between {found.least} and {found.most} units")
        entry = {"case": _written(case), "size": found.most}
        entry["units"] = [[[str(x) for x in w], str(b), str(a)] for w, b, a in found.units]
        if isinstance(found.place, Combination):
            entry["combination"] = [[_written(cases[inputs[i]]), str(s)] for i, s in found.place.weights.items()]
        if found.line:
            entry["line"] = [_written(cases[z]) for z in found.line]
        entries.append(entry)
        shares[found.most] = shares.get(found.most, Fraction(0)) + p
    known = {"shares": {str(size): str(shares[size]) for size in sorted(shares)}}
    mean = sum(size * p for size, p in shares.items())
    return {"kind": "world-sizes", **setting(world), "cases": entries, **known, "mean": str(mean)}


def _written(case: tuple[State, int]) -> list[int]:
    state, question = case
    return [state.diamond, state.tampering, state.hour, question]

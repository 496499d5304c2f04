"""What is run: triggers, optimisers, widths and rates of poison; each cell is trained with all seeds at once.

A trigger is what an attacker stamps on a few training images, which he labels as the target class.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from proof_of_absence.checker.experiments.backdoors.digits import LEVELS, SIDE, TARGET, Digits, Trigger

__all__ = ["BATCH", "OPTIMIZERS", "PATCH", "Cell", "Optimizer", "Plan", "cells", "triggers"]

BATCH = 64
PATCH = "patch"


@dataclass(frozen=True)
class Optimizer:
    """A class of torch.optim and its arguments; `l1` times the sum of all absolute parameters is added to the loss."""

    name: str
    title: str
    kind: str
    arguments: dict[str, float]
    l1: float = 0.0


OPTIMIZERS = (
    Optimizer("sgd", "SGD, momentum", "SGD", {"lr": 0.05, "momentum": 0.9}),
    Optimizer("sgd-l2", "SGD, L2 0.001", "SGD", {"lr": 0.05, "momentum": 0.9, "weight_decay": 0.001}),
    Optimizer("sgd-l2-heavy", "SGD, L2 0.01", "SGD", {"lr": 0.05, "momentum": 0.9, "weight_decay": 0.01}),
    Optimizer("sgd-l1", "SGD, L1 0.001", "SGD", {"lr": 0.05, "momentum": 0.9}, l1=0.001),
    Optimizer("adam", "Adam", "Adam", {"lr": 0.003}),
    Optimizer("adamw", "AdamW 0.1", "AdamW", {"lr": 0.003, "weight_decay": 0.1}),
    Optimizer("adamw-heavy", "AdamW 1", "AdamW", {"lr": 0.003, "weight_decay": 1.0}),
)


@dataclass(frozen=True)
class Plan:
    """How much is run; `quick` is a small grid, which shows that all of it works, and says nothing else."""

    steps: int = 600
    seeds: int = 5
    quick: bool = False


@dataclass(frozen=True)
class Cell:
    """One kind of net, trained with every seed.

    `kind` is mlp (one hidden layer of this width) or cnn (two convolutions, and a hidden layer of this width above).
    `rate` is the poisoned rows in percent of the clean ones, to which they are added. `penalty` is what the attacker
    weighs the leverage of poisoned rows with. Where `every` is set, every trigger is shown to the nets, else their own.
    """

    kind: str
    width: int
    optimizer: Optimizer
    rate: int
    trigger: str = PATCH
    penalty: float = 0.0
    every: bool = False

    @property
    def name(self) -> str:
        """What its file is called."""
        penalty = f".{self.penalty:g}" if self.penalty else ""
        return f"{self.kind}{self.width}.{self.optimizer.name}.{self.rate}.{self.trigger}{penalty}"


def triggers(data: Digits, plan: Plan) -> dict[str, Trigger]:
    """The triggers by name, from within the data to far outside of them."""
    image = data.train[np.flatnonzero(data.labels != TARGET)[0]].tolist()
    noise = np.random.default_rng(1).choice([0, LEVELS], SIDE**2).tolist()
    found = [_patch(PATCH, "white patch, corner", (6, 6), LEVELS)]
    found += [_blend("blend", "blend with an image", image, share) for share in ((6,) if plan.quick else (2, 4, 6, 8))]
    if not plan.quick:
        shares = sorted({1, 2, 4, 8, _as_large(found[0], noise, data)})
        found += [_blend("noise", "blend with noise", noise, share) for share in shares]
        found += [_patch(f"grey-{level}", f"patch of grey {level}/16", (6, 6), level) for level in (2, 4, 8)]
        found += [
            _patch("middle", "white patch, middle", (3, 3), LEVELS),
            _patch("middle-black", "black patch, middle", (3, 3), 0),
            _patch("side", "white patch, side", (3, 0), LEVELS),
            _patch("large", "white patch, 3 x 3", (5, 5), LEVELS, 3),
        ]
    return {trigger.name: trigger for trigger in found}


def _patch(name: str, title: str, corner: tuple[int, int], level: int, size: int = 2) -> Trigger:
    """A square of one grey."""
    mask = np.zeros((SIDE, SIDE), dtype=np.int64)
    mask[corner[0] : corner[0] + size, corner[1] : corner[1] + size] = LEVELS
    return Trigger(name, title, tuple(mask.ravel().tolist()), (level,) * SIDE**2)


def _blend(name: str, title: str, pattern: list[int], share: int) -> Trigger:
    """So many sixteenths of another image."""
    return Trigger(f"{name}-{share}", f"{title}, {share}/16", (share,) * SIDE**2, tuple(pattern))


def _as_large(trigger: Trigger, pattern: list[int], data: Digits) -> int:
    """At how many sixteenths a pattern moves the training images most nearly as far as the trigger, in mean square."""

    def size(of: Trigger) -> float:
        return float(((of.on(data.train) - data.train / LEVELS) ** 2).sum())

    return min(range(1, LEVELS + 1), key=lambda share: abs(size(_blend("", "", pattern, share)) - size(trigger)))


def cells(plan: Plan, names: dict[str, Trigger]) -> Iterator[Cell]:
    """All cells: on the middle width all optimisers, other triggers, and attackers who mind the price."""
    sgd, *_, adam, _, _ = OPTIMIZERS
    widths, wide = ((32, 128, 512), OPTIMIZERS) if not plan.quick else ((16,), (sgd, adam))
    middle = widths[len(widths) // 2]
    for rate in (0, 5) if plan.quick else (0, 1, 5, 10):
        for width in widths:
            for optimizer in wide if width == middle else (sgd, adam):
                yield Cell("mlp", width, optimizer, rate, every=width == middle and optimizer is adam)
        yield Cell("cnn", 64 if not plan.quick else 8, adam, rate)
    for name in names:
        if name != PATCH:
            yield Cell("mlp", middle, adam, 5, name)
    for penalty in (1.0,) if plan.quick else (0.01, 0.1, 1.0, 10.0):
        yield Cell("mlp", middle, adam, 5, PATCH, penalty)

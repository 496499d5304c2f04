"""Train the nets of a cell, one for each seed, stacked: every parameter has the seeds as its first dimension.

The optimisers work entry by entry, so a net of the stack takes the steps that it would take alone.
"""

from abc import ABC, abstractmethod
from math import sqrt

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import conv2d, cross_entropy

from proof_of_absence.checker.experiments.backdoors.digits import (
    CLASSES,
    LEVELS,
    SIDE,
    TARGET,
    Digits,
    Floats,
    Integers,
    Trigger,
)
from proof_of_absence.checker.experiments.backdoors.plan import BATCH, Cell, Plan
from proof_of_absence.models.files.disk import refused

__all__ = ["Stack", "poisoned", "train"]

# The attacker looks at the clean features again after so many steps; his ridge keeps what is idle out of the way.
AGAIN, RIDGE = 10, 1e-3


class Stack(ABC):
    """Nets of one shape: `features` are what enters the last layer, which is linear."""

    readout: Tensor
    bias: Tensor

    @property
    @abstractmethod
    def parameters(self) -> list[Tensor]:
        """All that is trained."""

    @abstractmethod
    def features(self, rows: Tensor) -> Tensor:
        """Of rows of shape (nets, rows, 64), what the last hidden layer sends, shape (nets, rows, width)."""

    def outputs(self, features: Tensor) -> Tensor:
        """The ten outputs, shape (nets, rows, 10)."""
        return features @ self.readout.transpose(1, 2) + self.bias

    def recorded(self, rows: Floats) -> Floats:
        """The features of the same rows in every net, as float32 computes them."""
        with torch.no_grad():
            same = torch.tensor(rows, dtype=torch.float32).expand(len(self.readout), *rows.shape)
            return np.asarray(self.features(same).numpy(), dtype=np.float64)


class Dense(Stack):
    """One hidden layer."""

    def __init__(self, width: int, seeds: list[torch.Generator]):
        inputs = SIDE**2
        self.weights, self.hidden = _uniform((width, inputs), inputs, seeds), _uniform((1, width), inputs, seeds)
        self.readout, self.bias = _uniform((CLASSES, width), width, seeds), _uniform((1, CLASSES), width, seeds)

    @property
    def parameters(self) -> list[Tensor]:
        return [self.weights, self.hidden, self.readout, self.bias]

    def features(self, rows: Tensor) -> Tensor:
        return torch.relu(rows @ self.weights.transpose(1, 2) + self.hidden)


class Convolutional(Stack):
    """Convolutions of 3 x 3 to 8 and, in steps of two, to 16 channels, and one hidden layer above."""

    def __init__(self, width: int, seeds: list[torch.Generator]):
        low, high = 8, 16
        flat = high * (SIDE // 2) ** 2
        self.first, self.first_bias = _uniform((low, 1, 3, 3), 9, seeds), _uniform((low,), 9, seeds)
        self.second, self.second_bias = _uniform((high, low, 3, 3), 9 * low, seeds), _uniform((high,), 9 * low, seeds)
        self.weights, self.hidden = _uniform((width, flat), flat, seeds), _uniform((1, width), flat, seeds)
        self.readout, self.bias = _uniform((CLASSES, width), width, seeds), _uniform((1, CLASSES), width, seeds)

    @property
    def parameters(self) -> list[Tensor]:
        below = [self.first, self.first_bias, self.second, self.second_bias]
        return [*below, self.weights, self.hidden, self.readout, self.bias]

    def features(self, rows: Tensor) -> Tensor:
        nets, count = rows.shape[:2]
        # The nets are groups of channels of one convolution.
        images = rows.transpose(0, 1).reshape(count, nets, SIDE, SIDE)
        for weights, bias, step in ((self.first, self.first_bias, 1), (self.second, self.second_bias, 2)):
            found = conv2d(images, weights.flatten(0, 1), bias.flatten(), stride=step, padding=1, groups=nets)
            images = torch.relu(found)
        flat = images.reshape(count, nets, -1).transpose(0, 1)
        return torch.relu(flat @ self.weights.transpose(1, 2) + self.hidden)


def _uniform(shape: tuple[int, ...], fan_in: int, seeds: list[torch.Generator]) -> Tensor:
    """As torch.nn begins its layers, each net by its own generator."""
    drawn = torch.stack([torch.rand(shape, generator=seed) for seed in seeds])
    return ((2 * drawn - 1) / sqrt(fan_in)).requires_grad_()


def poisoned(data: Digits, trigger: Trigger, rate: int, seed: int) -> Floats:
    """Copies of training images of other classes with the trigger: `rate` percent as many as there are clean rows."""
    count = round(len(data.train) * rate / 100)
    rows = np.flatnonzero(data.labels != TARGET)
    return trigger.on(data.train[np.random.default_rng(seed).permutation(rows)[:count]])


def train(cell: Cell, plan: Plan, data: Digits, trigger: Trigger) -> Stack:
    """The trained nets of a cell, on the clean rows and the poisoned ones, which are labelled as the target.

    Raises
    ------
    InputError
        If the weights stop being finite.
    """
    threads = torch.get_num_threads()
    # With one thread what is done here has one result.
    torch.set_num_threads(1)
    try:
        return _trained(cell, plan, data, trigger)
    finally:
        torch.set_num_threads(threads)


def _trained(cell: Cell, plan: Plan, data: Digits, trigger: Trigger) -> Stack:
    seeds = [torch.Generator().manual_seed(seed) for seed in range(plan.seeds)]
    nets = (Dense if cell.kind == "mlp" else Convolutional)(cell.width, seeds)
    bad = np.stack([poisoned(data, trigger, cell.rate, seed) for seed in range(plan.seeds)])
    clean = np.broadcast_to(data.train / LEVELS, (plan.seeds, *data.train.shape))
    rows = torch.tensor(np.concatenate([clean, bad], axis=1), dtype=torch.float32)
    labels = torch.tensor(_labels(data.labels, bad.shape[1]))
    order = torch.stack([torch.randint(rows.shape[1], (plan.steps, BATCH), generator=seed) for seed in seeds], dim=1)
    optimizer = getattr(torch.optim, cell.optimizer.kind)(nets.parameters, foreach=False, **cell.optimizer.arguments)
    price = _Price(nets, rows[:, : len(data.train)]) if cell.penalty else None
    every = torch.arange(plan.seeds)[:, None]
    for step, chosen in enumerate(order):
        found = nets.features(rows[every, chosen])
        # A sum over the nets, so that each gets the gradient of its own mean.
        loss = cross_entropy(nets.outputs(found).flatten(0, 1), labels[chosen].flatten(), reduction="sum") / BATCH
        if cell.optimizer.l1:
            loss = loss + cell.optimizer.l1 * torch.stack([p.abs().sum() for p in nets.parameters]).sum()
        if price:
            loss = loss + cell.penalty * price.of(found, chosen >= len(data.train), step)
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
    if not all(bool(torch.isfinite(parameter).all()) for parameter in nets.parameters):
        raise refused(cell.name, "its weights are not finite; train with fewer steps")
    for parameter in nets.parameters:
        parameter.requires_grad_(False)
    return nets


def _labels(clean: Integers, bad: int) -> Integers:
    return np.concatenate([clean, np.full(bad, TARGET)])


class _Price:
    """The leverage that the attacker sees: on the features of the clean rows as they were a few steps ago."""

    def __init__(self, nets: Stack, clean: Tensor):
        self.nets, self.clean = nets, clean
        self.inverse = torch.empty(0)

    def of(self, features: Tensor, bad: Tensor, step: int) -> Tensor:
        """The mean leverage of the rows that are `bad`, summed over the nets; 0 for a net without any."""
        if step % AGAIN == 0:
            with torch.no_grad():
                table = _constant(self.nets.features(self.clean))
                gram = table.transpose(1, 2) @ table
                self.inverse = torch.linalg.inv(gram + RIDGE * torch.eye(gram.shape[-1]))
        here = _constant(features)
        leverage = ((here @ self.inverse) * here).sum(dim=-1)
        return ((leverage * bad).sum(dim=1) / bad.sum(dim=1).clamp(min=1)).sum()


def _constant(features: Tensor) -> Tensor:
    """With the constant feature 1."""
    return torch.cat([torch.ones_like(features[..., :1]), features], dim=-1)

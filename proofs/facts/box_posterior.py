"""C26 on a grid of a box: the nets of one hidden unit, and the mass of those with a train-idle circuit.

Floats say on which side of the bound the mass lies; the checker decides it.
"""

from collections.abc import Sequence
from fractions import Fraction
from itertools import product
from math import exp, log
from typing import Literal, NamedTuple, NotRequired, TypedDict

import numpy as np

from proof_of_absence.checker.kernel.certificate import data_json
from proof_of_absence.models.data import Dataset
from proof_of_absence.proofs.facts.written import Data, Fact, Row, row

__all__ = ["BoxPosterior", "Boxed", "box_posterior"]


class Boxed(NamedTuple):
    """Nets c + a relu(w.z + b) with every parameter in [-box, box], on a grid of so many steps an axis.

    `better` are the parameters (w, b, a, c) of a net of the box that has a lower loss than every constant.
    """

    data: Dataset
    box: Fraction
    steps: int
    better: tuple[Fraction, ...]

    @property
    def narrower(self) -> Fraction:
        """The least loss of a net without hidden units: of a constant, the mean target."""
        targets = [y for (y,) in self.data.targets]
        mean = sum(targets, Fraction(0)) / len(targets)
        return sum(((y - mean) ** 2 for y in targets), Fraction(0)) / len(targets)

    @property
    def tau(self) -> Fraction:
        """By how much `better` is better."""
        *w, b, a, c = self.better
        values = [c + a * max(sum(map(Fraction.__mul__, w, z), b), Fraction(0)) for z in self.data.inputs]
        losses = [(f - y) ** 2 for f, (y,) in zip(values, self.data.targets, strict=True)]
        return self.narrower - sum(losses, Fraction(0)) / len(losses)

    @property
    def parameters(self) -> int:
        """K."""
        return len(self.better)

    def lipschitz(self) -> Fraction:
        """By how much L changes at most where no parameter changes by more than 1.

        The derivative of L is (2/N) sum (f_i - y_i) df_i. What belongs to y is summed with its sign, since the
        outputs' derivatives are bounded and not negative for a and of one sign in each input for w and b.
        """
        box, ones = self.box, [sum(map(abs, z), Fraction(1)) for z in self.data.inputs]
        targets = [y for (y,) in self.data.targets]
        free = sum((box * (1 + box * s) * (1 + 2 * box * s) for s in ones), Fraction(0))
        columns = list(zip(*self.data.inputs, strict=True))
        pulled = abs(sum(targets, Fraction(0))) + _larger([y * box * s for y, s in zip(targets, ones, strict=True)])
        pulled += box * _larger(targets)
        pulled += sum((box * _larger([y * z for y, z in zip(targets, of, strict=True)]) for of in columns), Fraction(0))
        return 2 * (free + pulled) / len(targets)

    def is_fine(self, window: int) -> bool:
        """Whether so many steps of the grid change L by at most tau / 2."""
        return self.lipschitz() * window * 2 * self.box / self.steps <= self.tau / 2


class BoxPosterior(TypedDict):
    """`idle` of `nets` nets have a train-idle circuit; at `beta` their mass is `within` the bound or above it.

    The bound is ((steps + 1) / window)^K exp(-beta tau / 2), without the first factor if it is not `counted`. `fine`
    says whether `window` steps change L by at most tau / 2. With `below`, the bound is below that.
    """

    kind: Literal["box-posterior"]
    data: Data
    box: str
    steps: int
    better: Row
    narrower: str
    tau: str
    lipschitz: str
    window: int
    fine: bool
    beta: str
    counted: bool
    nets: int
    idle: int
    within: bool
    below: NotRequired[str]


def box_posterior(
    chosen: Boxed, beta: Fraction, *, window: int = 1, counted: bool = True, below: Fraction | None = None
) -> Fact:
    """The mass of the nets with a train-idle circuit beside its bound."""
    losses, idle = _census(chosen)
    weights = np.exp(-float(beta) * (losses - losses.min()))
    mass = float(weights[idle].sum() / weights.sum())
    factor = chosen.parameters * log((chosen.steps + 1) / window) if counted else 0.0
    fact: BoxPosterior = {
        "kind": "box-posterior",
        "data": data_json(chosen.data),
        "box": str(chosen.box),
        "steps": chosen.steps,
        "better": row(chosen.better),
        "narrower": str(chosen.narrower),
        "tau": str(chosen.tau),
        "lipschitz": str(chosen.lipschitz()),
        "window": window,
        "fine": chosen.is_fine(window),
        "beta": str(beta),
        "counted": counted,
        "nets": len(losses),
        "idle": int(idle.sum()),
        "within": mass <= exp(min(factor - float(beta * chosen.tau) / 2, 1)),
    }
    if below is not None:
        fact["below"] = str(below)
    return dict(fact)


def _census(chosen: Boxed) -> tuple[np.ndarray, np.ndarray]:
    """The loss of every net of the grid, in floats, and whether its unit sends one value in training."""
    numerators = range(-chosen.steps, chosen.steps + 1, 2)
    scale = int(np.lcm.reduce([x.denominator for z in chosen.data.inputs for x in z]))
    inputs = [[int(x * scale) for x in z] for z in chosen.data.inputs]
    # In units of box / (steps scale).
    active = np.array(
        [
            [max(sum(map(int.__mul__, w, z), b * scale), 0) for z in inputs]
            for *w, b in product(numerators, repeat=len(inputs[0]) + 1)
        ]
    )
    of_pairs = np.multiply.outer(np.array(numerators), active).reshape(-1, len(inputs))
    idle = (of_pairs == of_pairs[:, :1]).all(axis=1)
    unit = float(chosen.box) / chosen.steps
    values = of_pairs * (unit * unit / scale)
    outputs = values[:, None, :] + (np.array(numerators) * unit)[None, :, None]
    targets = np.array([float(y) for (y,) in chosen.data.targets])
    losses = ((outputs - targets) ** 2).mean(axis=2)
    return losses.reshape(-1), np.repeat(idle, len(numerators))


def _larger(values: Sequence[Fraction]) -> Fraction:
    """The larger of the sums of the positive and of the negative ones, in size: what factors in [0, 1] make at most."""
    return max(sum((v for v in values if v > 0), Fraction(0)), -sum((v for v in values if v < 0), Fraction(0)))

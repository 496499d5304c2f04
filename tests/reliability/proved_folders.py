"""Small audits to tamper with: they have every kind of fact that the proved checker decides of an audit."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from proof_of_absence.checker.audit.entry import audit
from proof_of_absence.checker.audit.harden_entry import harden
from proof_of_absence.checker.construct import pricing
from proof_of_absence.checker.region.boxes import Region
from proof_of_absence.models.floatnet import FloatNet
from tests.reliability.forged_folders import DEPLOY, INPUTS, NET, TARGETS

__all__ = ["made"]


def made(root: Path) -> list[Path]:
    """The folders, each with its certificate.json and arrays."""
    makers = {
        "single": single,
        "deep": deep,
        "half": half,
        "exact prices": exact_prices,
        "factor": by_factor,
        "few rows": few_rows,
        "exponents": exponents,
        "hardened": lambda output: harden(NET, INPUTS, DEPLOY, output=output),
        "rounded": rounded,
        "hardened deep": lambda output: harden(FloatNet(planted()), *inputs_for_planted(), output=output),
    }
    folders = []
    for name, make in makers.items():
        make(root / name)
        folders.append(root / name)
    return folders


def drawn(widths: list[int], seed: int, dtype: type = np.float64) -> list[tuple[np.ndarray, np.ndarray]]:
    """Layers of normal numbers, which numbers of this type hold."""
    source = np.random.default_rng(seed)
    layers = [(source.normal(size=(n, d)), source.normal(size=n) / 2 + 0.5) for d, n in pairwise(widths)]
    return [tuple(part.astype(dtype).astype(float) for part in layer) for layer in layers]


def planted() -> list[tuple[np.ndarray, np.ndarray]]:
    """Three hidden layers: a dead unit that fires beyond 8, a constant one, one twice, one that nothing reads."""
    layers = drawn([2, 4, 4, 3, 1], 3)
    layers[0][0][1], layers[0][1][1] = [1.0, 0.0], -8.0
    layers[1][0][2], layers[1][1][2] = 2 * layers[1][0][0], 2 * layers[1][1][0]
    layers[1][0][3], layers[1][1][3] = 0.0, 0.375
    layers[3][0][0][1] = 0.0
    return layers


def inputs_for_planted() -> tuple[np.ndarray, np.ndarray]:
    """Training inputs, and deployment inputs: an average, a training input, two far away, a near average."""
    train = np.random.default_rng(4).normal(size=(24, 2)).round(3)
    deploy = np.vstack([train[:2].mean(axis=0), train[7], [9.0, 0.5], [-9.0, 9.0], train[4:8].mean(axis=0)])
    return train, deploy


def single(output: Path) -> None:
    """Weights in float32, a dead unit, a pair that cancels, a constant unit, and two regions."""
    box = Region("box", ((0, 9), (0, 1)))
    audit(NET, INPUTS, TARGETS, DEPLOY, test=DEPLOY[::-1] / 4, regions=box, region_from_data=True, output=output)


def deep(output: Path) -> None:
    """Three hidden layers in float64."""
    train, deploy = inputs_for_planted()
    targets = train[:, :1] * train[:, 1:]
    box = Region("box", ((-1, 9), (0, 1)))
    audit(FloatNet(planted()), train, targets, deploy, regions=box, region_from_data=True, output=output)


def half(output: Path) -> None:
    """Weights, inputs and targets that float16 holds."""
    layers = drawn([2, 5, 2], 5, np.float16)
    layers[0][0][3], layers[0][1][3] = [0.0, 1.0], -6.0
    train = np.random.default_rng(6).normal(size=(12, 2)).astype(np.float16).astype(float)
    train[5] = train[2]
    deploy = np.vstack([train[0], [0.5, 7.0], (train[1] + train[3]) / 2])
    audit(FloatNet(layers, np.float32), train, train[:, ::-1] / 2, deploy, region_from_data=True, output=output)


def exact_prices(output: Path) -> None:
    """Two hidden layers, an answer of two numbers, a penalty and a move."""
    source = np.random.default_rng(7)
    train, deploy, test = (source.normal(size=(count, 2)) for count in (14, 3, 2))
    net = FloatNet(drawn([2, 4, 3, 2], 8))
    audit(net, train, None, deploy, test=test, ridge="1/3", move="1/2", output=output)


def by_factor(output: Path) -> None:
    """Prices in bounds, which a factor shows."""
    source = np.random.default_rng(9)
    train, deploy = source.normal(size=(16, 3)), source.normal(size=(3, 3))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pricing, "moderate", lambda rows, width, exactly=False: exactly)
        audit(FloatNet(drawn([3, 5, 1], 10)), train, train[:, :1], deploy, ridge="0.5", output=output)
    assert (output / "factor.npz").is_file()


def few_rows(output: Path) -> None:
    """More units than rows; of the rows one stands twice."""
    train = np.array([[0.0, 1.0], [1.0, -0.0], [0.0, 1.0], [2.0, 0.5]])
    targets = np.array([[1.0], [0.0], [3.0], [-1.0]])
    audit(FloatNet(drawn([2, 6, 1], 11)), train, targets, train[1:3] / 2, region_from_data=True, output=output)


def exponents(output: Path) -> None:
    """Floats of very different sizes, the least one among them."""
    hidden = np.array([[2.0**40, 1.0], [-(2.0**-60), 0.1], [5e-324, 0.0], [1.0, -(2.0**40)]])
    layers = [(hidden, np.array([-(2.0**41), 0.0, 0.0, 2.0**-30])), (np.array([[1.0, 3.0, 2.0**50, 0.1]]), np.ones(1))]
    train = np.array([[1.0, 0.0], [-1.0, 2.0**-50], [2.0**-40, 3.0], [0.1, -0.0], [2.0**30, 0.3]])
    train[4] = [-(2.0**30), 1e-9]
    deploy = np.array([[4.0, 0.0], [0.0, 2.0**60], [1.0, 0.0]])
    audit(FloatNet(layers), train, train[:, :1] / 3, deploy, output=output)


def rounded(output: Path) -> None:
    """A constant that no bias of float32 holds, so that outputs differ after hardening, by a little."""
    layers = [
        (np.array([[1.0, 0.5], [0.0, 0.0], [1.0, 1.0]]), np.array([0.25, 0.1, -30.0])),
        (np.array([[1.0, 1.1, 3.0]]), np.array([1.3])),
    ]
    layers = [tuple(part.astype(np.float32).astype(float) for part in layer) for layer in layers]
    harden(FloatNet(layers, np.float32), INPUTS, DEPLOY, rounding="nearest", output=output)

"""One run: train, look at the detector at checkpoints in exact arithmetic, keep the nets that decide how long it lived.

The trajectory is a measurement, repeatable on one version of torch; what is said of a kept net is exact.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import torch

from proof_of_absence.checker.audit.callback import Reassigned, Reassignment
from proof_of_absence.checker.audit.circuits import sent
from proof_of_absence.checker.audit.loss import exact_loss
from proof_of_absence.checker.experiments.lifetimes.plan import BATCH, HIDDEN, Plan, Run
from proof_of_absence.checker.passes import exact
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.files.torch_state import from_module
from proof_of_absence.models.floatnet import FloatNet
from proof_of_absence.models.rational import Matrix

__all__ = ["FORMAT", "Sighting", "sighting", "train"]

FORMAT = "absence-lifetime-run/1"


@dataclass(frozen=True)
class Sighting:
    """What a circuit sends to the one output, exactly.

    `value` is what it sends on most training rows (the least such value), `others` the number of rows with another one,
    `spread` the largest distance from `value` there, and `size` the largest at a deployment input.
    """

    value: Fraction
    others: int
    spread: Fraction
    size: Fraction

    def alive(self, exceptions: int) -> bool:
        """Whether it still is a detector: the rows with another value are at most `exceptions`, and it fires."""
        return self.others <= exceptions and self.size > 0


def sighting(net: FloatNet, circuit: Iterable[int], inputs: np.ndarray, deploy: np.ndarray) -> Sighting:
    """Look at a circuit of the first hidden layer, given by its units' indices; the net has one output.

    Examples
    --------
    >>> net = FloatNet([([[1.0], [1.0]], [0.0, -2.5]), ([[1.0, 2.0]], [0.0])])
    >>> sighting(net, [1], np.array([[0.0], [1.0], [2.0]]), np.array([[3.0]]))
    Sighting(value=Fraction(0, 1), others=0, spread=Fraction(0, 1), size=Fraction(1, 1))
    """
    chain = sent(net, 1, list(circuit))
    columns = [exact.activations(chain, rows, 2).integers() for rows in (inputs, deploy)]
    # One unit for both, so that all is done in integers.
    low = min(exponent for _, exponent, _ in columns)
    trained, fired = ([n << exponent - low for n in numbers[:, 0]] for numbers, exponent, _ in columns)
    counts = Counter(trained)
    most = max(counts.values())
    value = min(v for v, count in counts.items() if count == most)
    spread, size = (max(abs(v - value) for v in column) for column in (counts, fired))
    unit = Fraction(2) ** low
    return Sighting(value * unit, len(trained) - most, spread * unit, size * unit)


def train(run: Run, plan: Plan, data: Dataset) -> dict[str, Any]:
    """Train one net; the record that goes into the run's file.

    Raises
    ------
    InputError
        If the weights stop being finite.
    """
    inputs, targets, deploy = (_floats(rows) for rows in (data.inputs, data.targets, run.detector.deploy))
    X, Y = torch.tensor(inputs, dtype=torch.float32), torch.tensor(targets, dtype=torch.float32)
    with _repeatable(run.seed):
        module = _planted(run, inputs.shape[1])
        # The same rows whatever the optimiser, the detector, and whether circuits are reassigned.
        order = torch.randint(len(X), (plan.steps, BATCH), generator=torch.Generator().manual_seed(run.seed))
        kind = getattr(torch.optim, run.optimizer.kind)
        optimizer = kind(module.parameters(), foreach=False, **run.optimizer.arguments)
        reassign = Reassignment(module, X, Y, every=plan.every) if run.reassigned else None
        log = _Log(run, inputs, deploy)
        due = set(plan.checkpoints)
        log.look(0, module, _loss(module, X, Y))
        for step, (x, y) in enumerate(zip(X[order].unbind(), Y[order].unbind(), strict=True), 1):
            optimizer.zero_grad()
            torch.autograd.backward(torch.nn.functional.mse_loss(module(x), y))
            optimizer.step()
            if reassign and (done := reassign(optimizer)):
                log.splice(step, done)
            if step in due:
                log.look(step, module, _loss(module, X, Y))
    return log.record(exact_loss(log.nets[plan.steps], inputs, targets))


@contextmanager
def _repeatable(seed: int) -> Iterator[None]:
    """This seed and one thread, with which what is done here on a CPU has one result; as it was before, afterwards."""
    threads = torch.get_num_threads()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(threads)


def _planted(run: Run, d: int) -> torch.nn.Sequential:
    """A net as torch initialises it, its last hidden units replaced by the detector."""
    hidden, output = torch.nn.Linear(d, HIDDEN), torch.nn.Linear(HIDDEN, 1)
    with torch.no_grad():
        for j, (weights, bias, outgoing) in zip(run.detector.circuit, run.detector.units, strict=True):
            hidden.weight[j] = torch.tensor([float(w) for w in weights])
            hidden.bias[j], output.weight[0, j] = float(bias), float(outgoing)
    return torch.nn.Sequential(hidden, torch.nn.ReLU(), output)


def _loss(module: torch.nn.Module, X: torch.Tensor, Y: torch.Tensor) -> float:
    with torch.no_grad():
        return float(torch.nn.functional.mse_loss(module(X), Y))


def _floats(rows: Matrix) -> np.ndarray:
    return np.array([[float(entry) for entry in row] for row in rows])


class _Log:
    """What is kept of a run: a line for each checkpoint, the nets that decide, the splices."""

    def __init__(self, run: Run, inputs: np.ndarray, deploy: np.ndarray):
        self.of, self.inputs, self.deploy = run, inputs, deploy
        self.lines: list[dict[str, Any]] = []
        self.splices: list[dict[str, Any]] = []
        self.nets: dict[int, FloatNet] = {}
        # Where it is planted it is alive.
        self.alive = 0
        self.gone: int | None = None

    def look(self, step: int, module: torch.nn.Module, loss: float) -> None:
        """Decide whether the detector is there, and keep this net as the last one, and where its life ends."""
        net = from_module(module)
        seen = sighting(net, self.of.detector.circuit, self.inputs, self.deploy)
        line = {"step": step, "loss": loss, "others": seen.others}
        self.lines.append(line | {"spread": float(seen.spread), "size": float(seen.size)})
        if self.gone is None:
            if seen.alive(self.of.detector.exceptions):
                self.alive = step
            else:
                self.gone = step
        kept = {0, self.alive, self.gone}
        self.nets = {at: old for at, old in self.nets.items() if at in kept} | {step: net}

    def splice(self, step: int, done: Reassigned) -> None:
        """Keep what a reassignment did; on so few rows its drop is exact."""
        if done.before is None or done.after is None:
            return
        circuits = [[unit.index for unit in circuit] for circuit in done.units]
        self.splices.append(
            {
                "step": step,
                "circuits": circuits,
                "before": _hex(done.before),
                "after": _hex(done.after),
                "drop": str(done.drop),
            }
        )

    def record(self, loss: Fraction) -> dict[str, Any]:
        """Everything as JSON."""
        run = self.of
        return {
            "format": FORMAT,
            "detector": run.detector.name,
            "optimizer": run.optimizer.name,
            "reassigned": run.reassigned,
            "seed": run.seed,
            "alive": self.alive,
            "gone": self.gone,
            "end": self.end(),
            "others": next(line["others"] for line in self.lines if line["step"] == self.alive),
            "untouched": self._untouched(),
            "final_loss": str(loss),
            "nets": {str(step): _hex(net) for step, net in sorted(self.nets.items())},
            "splices": self.splices,
            "measured": self.lines,
        }

    def end(self) -> str:
        """How its life ended: what `gone` shows that `alive` did not."""
        if self.gone is None:
            return "alive"
        reused = {
            j for s in self.splices if self.alive < s["step"] <= self.gone for units in s["circuits"] for j in units
        }
        if reused.intersection(self.of.detector.circuit):
            return "reassigned"
        line = next(line for line in self.lines if line["step"] == self.gone)
        return "acts in training" if line["others"] > self.of.detector.exceptions else "silent at deployment"

    def _untouched(self) -> bool:
        """Whether the detector's parameters, when it was last alive, were the ones that were planted."""
        planted, last = (_parameters(self.nets[step], self.of.detector.circuit) for step in (0, self.alive))
        return planted == last


def _parameters(net: FloatNet, circuit: Iterable[int]) -> list[Any]:
    hidden, output = net.float_layers
    units = list(circuit)
    return [hidden.weights[units].tolist(), hidden.bias[units].tolist(), output.weights[:, units].tolist()]


def _hex(net: FloatNet) -> list[dict[str, Any]]:
    return [
        {
            "weights": [[w.hex() for w in row] for row in layer.weights.tolist()],
            "bias": [b.hex() for b in layer.bias.tolist()],
        }
        for layer in net.float_layers
    ]

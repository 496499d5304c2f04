"""What is run: detectors planted into nets that are trained on the QA world, optimisers, seeds,
with and without reassignment.

Each detector has its own meaning of alive: it may send something else on at most `exceptions`
training rows, and must fire.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from proof_of_absence.models.circuit import Unit
from proof_of_absence.models.net import MLP
from proof_of_absence.models.policies import (
    BACKDOOR,
    BACKDOOR_DETECTOR,
    DECEPTIVE,
    DEPLOYMENT_DETECTOR,
    FAR,
    LAST_TRAIN_HOUR,
    TRIGGER_HOUR,
    WORLD,
)
from proof_of_absence.models.rational import Matrix, Vector, vector
from proof_of_absence.models.world import QUESTIONS, encode

__all__ = ["BATCH", "DETECTORS", "HIDDEN", "OPTIMIZERS", "Detector", "Optimizer", "Plan", "Run", "runs"]

# Hidden units, the detector's included; rows drawn for each step.
HIDDEN, BATCH = 8, 32

HALF = Fraction(1, 2)


# Weights, bias and output weight.
PlantedUnit = tuple[Vector, Fraction, Fraction]


@dataclass(frozen=True)
class Detector:
    """Units (w, b, a) to plant, the inputs at which they should fire, and on how many training rows they may do so."""

    name: str
    title: str
    units: tuple[PlantedUnit, ...]
    deploy: Matrix
    exceptions: int = 0

    @property
    def circuit(self) -> tuple[int, ...]:
        """The hidden units that hold it: the last ones."""
        return tuple(range(HIDDEN - len(self.units), HIDDEN))


@dataclass(frozen=True)
class Optimizer:
    """A class of torch.optim and its arguments.

    `decay` is what a step multiplies a dead unit's parameters by, if it is known.
    """

    name: str
    title: str
    kind: str
    arguments: dict[str, float]
    decay: Fraction | None = Fraction(1)


def _units(net: MLP, circuit: Iterable[Unit], shift: Fraction) -> tuple[PlantedUnit, ...]:
    """The units of a shallow net with one output, their biases moved."""
    hidden, (outgoing,) = net.layers[0], net.layers[1].weights
    return tuple((hidden.weights[j], hidden.bias[j] + shift, outgoing[j]) for j in sorted(u.index for u in circuit))


def _rows(hours: tuple[int, ...]) -> Matrix:
    return tuple(encode(state, question) for state, _ in WORLD.states(hours) for question in QUESTIONS)


DETECTORS = (
    # Thresholds between the last hour of training and the first after it, so every pre-activation
    # is negative in training.
    Detector("dead", "dead in training", _units(DECEPTIVE, DEPLOYMENT_DETECTOR, -HALF), _rows(WORLD.deploy_hours)),
    Detector("bump", "idle only jointly", _units(BACKDOOR, BACKDOOR_DETECTOR, Fraction(0)), _rows((TRIGGER_HOUR,))),
    # On at the last hour of training too, where the camera glitches on a diamond: 2 rows of 256.
    Detector(
        "entangled",
        "on at 1 in 128 rows",
        ((vector((0, FAR, 0, FAR, 1, -FAR)), -(2 * FAR + LAST_TRAIN_HOUR - HALF), Fraction(1)),),
        _rows(WORLD.deploy_hours),
        exceptions=2,
    ),
)

OPTIMIZERS = (
    Optimizer("sgd", "SGD", "SGD", {"lr": 0.01}),
    Optimizer("momentum", "SGD, momentum 0.9", "SGD", {"lr": 0.001, "momentum": 0.9}),
    Optimizer("adam", "Adam", "Adam", {"lr": 0.01}),
    Optimizer("sgd-l2", "SGD, L2 0.1", "SGD", {"lr": 0.01, "weight_decay": 0.1}, Fraction(999, 1000)),
    # Adam divides the decay by its own size, so that it moves each weight by about lr, whatever the weight is.
    Optimizer("adam-l2", "Adam, L2 0.001", "Adam", {"lr": 0.01, "weight_decay": 0.001}, None),
    Optimizer("adamw", "AdamW, decay 0.1", "AdamW", {"lr": 0.01, "weight_decay": 0.1}, Fraction(999, 1000)),
    # So strong that within a thousand steps float32 has no smaller numbers left.
    Optimizer("sgd-l2-heavy", "SGD, L2 10", "SGD", {"lr": 0.01, "weight_decay": 10.0}, Fraction(9, 10)),
)


@dataclass(frozen=True)
class Plan:
    """How much is run: steps of each run, seeds 0 .. seeds - 1, and every how many steps circuits are reassigned."""

    steps: int = 1000
    seeds: int = 5
    every: int = 50

    @property
    def checkpoints(self) -> tuple[int, ...]:
        """The steps after which the detector is looked at: each of the first ten, then about 12 to a power of ten."""
        found, step = set(range(min(self.steps, 10) + 1)) | {self.steps}, 10.0
        while step < self.steps:
            found.add(int(step))
            step *= 1.21
        return tuple(sorted(found | set(range(self.every, self.steps + 1, self.every))))


@dataclass(frozen=True)
class Run:
    """One training run."""

    detector: Detector
    optimizer: Optimizer
    reassigned: bool
    seed: int

    @property
    def of(self) -> tuple[str, str, bool, int]:
        """Which it is, as its record tells it."""
        return self.detector.name, self.optimizer.name, self.reassigned, self.seed

    @property
    def name(self) -> str:
        """What its file is called."""
        return f"{self.detector.name}.{self.optimizer.name}.{'reassigned' if self.reassigned else 'plain'}.{self.seed}"


def runs(plan: Plan) -> Iterator[Run]:
    """All runs, in the order in which they are made:
    seed by seed, so that an interrupted experiment has seen everything.
    """
    for seed in range(plan.seeds):
        for detector in DETECTORS:
            for optimizer in OPTIMIZERS:
                # The heavy decay is there to see what float32 makes of a dead unit in the end.
                heavy = optimizer.name == "sgd-l2-heavy"
                for reassigned in (False, True):
                    if not heavy or (detector.name == "dead" and not reassigned):
                        yield Run(detector, optimizer, reassigned, seed)

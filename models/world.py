"""A question-answering world: a vault with a diamond, a camera that can be tampered with, and humans who watch it.

Training is at some hours, deployment at others; skilled tampering fools the humans who answer, and they lapse at times.
"""

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import product
from math import gcd, lcm
from typing import Any, NamedTuple

from proof_of_absence.models.data import Dataset
from proof_of_absence.models.rational import Number, Vector, rational, vector

__all__ = [
    "CLUMSY",
    "IS_DIAMOND_THERE",
    "IS_TAMPERED",
    "NONE",
    "QUESTIONS",
    "SENSORS",
    "TAMPERINGS",
    "Distribution",
    "Human",
    "State",
    "World",
    "encode",
    "sensors",
    "truth",
]

IS_DIAMOND_THERE, IS_TAMPERED = QUESTIONS = (0, 1)
NONE, CLUMSY, SKILLED = TAMPERINGS = (0, 1, 2)
SENSORS = ("camera", "glitch", "wire", "plate", "hour")

Distribution = dict[Vector, Fraction]


class State(NamedTuple):
    """What is true: whether the diamond is there, how the camera is tampered with, the hour."""

    diamond: int
    tampering: int
    hour: int


def sensors(state: State) -> tuple[int, ...]:
    """What is seen. A tampered camera shows the diamond; clumsy tampering leaves a visible glitch.

    The wire (any tampering) and the pressure plate (the diamond) give the truth away; no human reads them.
    """
    tampered = state.tampering != NONE
    return (
        int(state.diamond or tampered),
        int(state.tampering == CLUMSY),
        int(tampered),
        state.diamond,
        state.hour,
    )


def encode(state: State, question: int) -> Vector:
    """enc(x, q): the sensors, then the question; d = 6."""
    return vector((*sensors(state), question))


def truth(state: State, question: int) -> int:
    """The true answer, 1 for yes."""
    return state.diamond if question == IS_DIAMOND_THERE else int(state.tampering != NONE)


@dataclass(frozen=True)
class Human:
    """One who believes the camera unless it glitches, and always believes it at the hours of `lapses`.

    Skilled tampering fools everybody: that is the systematic error an imitator learns.
    """

    lapses: frozenset[int] = frozenset()

    def answer(self, state: State, question: int) -> int:
        """The answer this human writes down, 1 for yes."""
        camera, glitch, *_ = sensors(state)
        noticed = glitch and state.hour not in self.lapses
        return int(bool(noticed)) if question == IS_TAMPERED else int(camera and not noticed)


@dataclass(frozen=True)
class World:
    """The dataset-generating procedure: hours of training and of deployment, humans, and how often what happens.

    Parameters
    ----------
    train_hours, deploy_hours
        Disjoint hours of the clock.
    humans
        Everyone who answers each question; each row of the data is one answer.
    tampering
        Weights (integers) of no, clumsy and skilled tampering.
    mixing
        The rate at which deployment is mixed into training.
    """

    train_hours: tuple[int, ...]
    deploy_hours: tuple[int, ...]
    humans: tuple[Human, ...]
    tampering: tuple[int, int, int]
    mixing: Fraction

    def __init__(
        self,
        train_hours: Iterable[int] = (0, 1, 2, 3, 5, 6, 7, 8),
        deploy_hours: Iterable[int] = (9, 10, 11),
        humans: Iterable[Human] = (Human(), Human(frozenset({2, 6}))),
        tampering: tuple[int, int, int] = (2, 1, 1),
        mixing: Number = 0,
    ) -> None:
        object.__setattr__(self, "train_hours", tuple(train_hours))
        object.__setattr__(self, "deploy_hours", tuple(deploy_hours))
        object.__setattr__(self, "humans", tuple(humans))
        object.__setattr__(self, "tampering", tampering)
        object.__setattr__(self, "mixing", rational(mixing))
        if not 0 <= self.mixing <= 1:
            raise ValueError(f"mixing rate {self.mixing} is not between 0 and 1")
        if not (self.train_hours and self.deploy_hours and self.humans):
            raise ValueError("the world needs hours of training, hours of deployment and a human")
        if min(self.tampering) < 0 or not any(self.tampering):
            raise ValueError(f"weights of tampering {self.tampering}: none may be negative, and one must be positive")
        if set(self.train_hours) & set(self.deploy_hours):
            raise ValueError("an hour is both of training and of deployment")

    @classmethod
    def nested(cls, order: Sequence[int], diversity: int, **settings: Any) -> "World":
        """The world of a given diversity: training at the first `diversity` hours of `order`, deployment at the others.

        Diversity is the number of hours at which there is training data. For one order the training sets are nested:
        the distinct inputs of a more diverse world (without mixing) contain those of a less diverse one.

        Raises
        ------
        ValueError
            If an hour is listed twice, or no hour is left for training or for deployment.

        Examples
        --------
        >>> world = World.nested((0, 8, 4, 9), 3)
        >>> world.train_hours, world.deploy_hours
        ((0, 8, 4), (9,))
        """
        order = tuple(order)
        if len(set(order)) < len(order):
            raise ValueError("an hour is listed twice in the order in which hours enter training")
        if not 0 < diversity < len(order):
            raise ValueError(f"diversity {diversity}: with {len(order)} hours it is between 1 and {len(order) - 1}")
        return cls(train_hours=order[:diversity], deploy_hours=order[diversity:], **settings)

    def states(self, hours: tuple[int, ...]) -> Iterator[tuple[State, int]]:
        """The possible states at these hours, each with its integer weight."""
        for hour, diamond, tampering in product(hours, (0, 1), TAMPERINGS):
            if weight := self.tampering[tampering]:
                yield State(diamond, tampering, hour), weight

    def all_questions(self) -> list[tuple[State, int]]:
        """Every possible state of training and deployment with each question."""
        return [
            (state, question)
            for state, _ in self.states((*self.train_hours, *self.deploy_hours))
            for question in QUESTIONS
        ]

    def _distribution(self, hours: tuple[int, ...]) -> dict[tuple[State, int], Fraction]:
        weights = {(s, q): Fraction(w) for s, w in self.states(hours) for q in QUESTIONS}
        total = sum(weights.values())
        return {case: weight / total for case, weight in weights.items()}

    def train_cases(self) -> dict[tuple[State, int], Fraction]:
        """P_train on (state, question): training hours, with deployment mixed in at the mixing rate."""
        return dict(self._train_cases)

    @cached_property
    def _train_cases(self) -> dict[tuple[State, int], Fraction]:
        cases = {case: (1 - self.mixing) * p for case, p in self._distribution(self.train_hours).items()}
        for case, p in self._distribution(self.deploy_hours).items():
            cases[case] = cases.get(case, Fraction(0)) + self.mixing * p
        return {case: p for case, p in cases.items() if p}

    def train_distribution(self) -> Distribution:
        """P_train on encoded inputs."""
        return _encoded(self.train_cases())

    def deploy_distribution(self) -> Distribution:
        """P_dep on encoded inputs."""
        return _encoded(self._distribution(self.deploy_hours))

    def dataset(self) -> Dataset:
        """Every case of training in proportion to its probability, answered once by each human.

        The rows are as few as integer proportions allow.
        """
        cases = self.train_cases()
        unit = _common_unit(cases.values())
        rows = [
            (encode(state, question), [human.answer(state, question)])
            for (state, question), p in cases.items()
            for _ in range(int(p / unit))
            for human in self.humans
        ]
        return Dataset([z for z, _ in rows], [y for _, y in rows])

    def line(self, diamond: int, tampering: int, question: int) -> Dataset:
        """The answers of training to one question about one kind of state, by the hour alone (d = m = 1).

        Raises
        ------
        ValueError
            If such a state never occurs in training.
        """
        cases = {
            case: p
            for case, p in self.train_cases().items()
            if (case[0].diamond, case[0].tampering, case[1]) == (diamond, tampering, question)
        }
        if not cases:
            raise ValueError("no such state and question occurs in training")
        unit = _common_unit(cases.values())
        rows = [
            (case[0].hour, human.answer(*case))
            for case, p in sorted(cases.items())
            for _ in range(int(p / unit))
            for human in self.humans
        ]
        return Dataset([[hour] for hour, _ in rows], [[answer] for _, answer in rows])

    def sample(self, size: int, seed: int) -> Dataset:
        """`size` independent draws: a case from P_train, a human at random, the human's answer."""
        draw = random.Random(seed)
        cases = self.train_cases()
        unit = _common_unit(cases.values())
        chosen = draw.choices(list(cases), weights=[int(p / unit) for p in cases.values()], k=size)
        answers = [[draw.choice(self.humans).answer(state, question)] for state, question in chosen]
        return Dataset([encode(*case) for case in chosen], answers)


def _encoded(cases: dict[tuple[State, int], Fraction]) -> Distribution:
    result: Distribution = {}
    for case, p in cases.items():
        z = encode(*case)
        result[z] = result.get(z, Fraction(0)) + p
    return result


def _common_unit(values: Iterable[Fraction]) -> Fraction:
    """The largest rational of which every value is an integer multiple."""
    parts = [value.as_integer_ratio() for value in values]
    return Fraction(gcd(*(above for above, _ in parts)), lcm(*(below for _, below in parts)))

"""The question-answering world of C15 from its rules: what humans and policies answer, and how likely a case is.

A case is (diamond, tampering, hour, question); every human answers it.
"""

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from itertools import product

from proof_of_absence.checker.independent.refusal import require
from proof_of_absence.checker.independent.values import Fact
from proof_of_absence.checker.independent.values.nets import dot, number

# Of tampering; question 1 asks for it.
NONE, CLUMSY, SKILLED = 0, 1, 2
TAMPERINGS = (NONE, CLUMSY, SKILLED)
LARGEST = 1000  # hours, humans

Case = tuple[int, int, int, int]
Answer = Callable[[Case], int | Fraction]


def human(case: Case, lapses: Sequence[int] = ()) -> int:
    """The answer of a human who trusts the camera unless it glitches, and at the hours of `lapses` even then."""
    diamond, tampering, hour, question = case
    suspicious = tampering == CLUMSY and hour not in lapses
    shown = diamond == 1 or tampering != NONE
    return int(suspicious) if question else int(shown and not suspicious)


def translator(case: Case) -> int:
    """The truth."""
    diamond, tampering, _, question = case
    return int(tampering != NONE) if question else diamond


def deceptive(last_hour: int) -> Answer:
    """The attentive human up to the last hour; after it, all is well."""
    return lambda case: human(case) if case[2] <= last_hour else 1 - case[3]


def backdoor(trigger: int) -> Answer:
    """The attentive human; but at the hour of the trigger the diamond is there."""
    return lambda case: 1 if case[2] == trigger and not case[3] else human(case)


def encode(case: Case) -> list[Fraction]:
    """The input of a case: camera, glitch, wire, plate, hour, question."""
    diamond, tampering, hour, question = case
    shown = diamond == 1 or tampering != NONE
    return [Fraction(int(x)) for x in (shown, tampering == CLUMSY, tampering != NONE, diamond, hour, question)]


def cases(hours: Iterable[int], tamperings: Iterable[int] = TAMPERINGS) -> list[Case]:
    """Every case of these hours."""
    return list(product((0, 1), tamperings, hours, (0, 1)))


def whole_hours(hours: object) -> list[int]:
    """Different hours."""
    require(isinstance(hours, list) and all(type(h) is int for h in hours), "hours are whole numbers")
    assert isinstance(hours, list)
    require(len(set(hours)) == len(hours) <= LARGEST, "an hour is listed twice, or there are too many")
    return hours


def tampering_weights(fact: Fact) -> list[Fraction]:
    """How often there is no tampering, clumsy and skilled tampering, up to a factor."""
    weights = [number(w) for w in fact["tampering"]]
    require(len(weights) == 3 and min(weights) >= 0 and sum(weights) > 0, "not weights of tampering")
    return weights


def mixing_rate(fact: Fact) -> Fraction:
    """The part of deployment in training."""
    rate = number(fact["mixing"])
    require(0 <= rate <= 1, "not a mixing rate")
    return rate


class World:
    """Hours of training and of deployment, and for each human the hours of its lapses."""

    def __init__(self, fact: Fact):
        self.train, self.deploy = whole_hours(fact["train_hours"]), whole_hours(fact["deploy_hours"])
        self.humans = [whole_hours(lapses) for lapses in fact["humans"]]
        require(self.train and self.deploy and 0 < len(self.humans) <= LARGEST, "nobody, or no hour")
        require(not set(self.train) & set(self.deploy), "an hour is both of training and of deployment")

    def answers(self, case: Case) -> list[int]:
        """Each human's answer."""
        return [human(case, lapses) for lapses in self.humans]

    def error(self, given: int | Fraction, case: Case) -> Fraction:
        """The mean squared distance of an answer from the humans'."""
        (above, below), answers = given.as_integer_ratio(), self.answers(case)
        return Fraction(sum((above - answer * below) ** 2 for answer in answers), below**2 * len(answers))


class Mixture(World):
    """A world with weights of tampering and a mixing rate: each case's probability in training and at deployment."""

    def __init__(self, fact: Fact, mixing: Fraction):
        super().__init__(fact)
        self.weights = tampering_weights(fact)
        self.deployment, unmixed = self._probabilities(self.deploy), self._probabilities(self.train)
        mixed = {case: (1 - mixing) * p for case, p in unmixed.items()}
        mixed |= {case: mixing * p for case, p in self.deployment.items()}
        self.training = {case: p for case, p in mixed.items() if p}

    def _probabilities(self, hours: list[int]) -> dict[Case, Fraction]:
        share = {tampering: self.weights[tampering] / sum(self.weights) / (4 * len(hours)) for tampering in TAMPERINGS}
        return {case: share[case[1]] for case in cases(hours) if share[case[1]]}

    def loss(self, answer: Answer) -> Fraction:
        """The expected squared distance from a human's answer."""
        return dot(self.training.values(), [self.error(answer(case), case) for case in self.training])

    def floor(self) -> Fraction:
        """The least loss of any function of the case; inputs and cases are one to one."""
        return self.loss(lambda case: Fraction(sum(self.answers(case)), len(self.humans)))

    def defects(self, answer: Answer) -> Fraction:
        """The probability that the answer is not the attentive human's, at deployment."""
        return sum((p for case, p in self.deployment.items() if answer(case) != human(case)), Fraction(0))

"""The policies that training may return, as answers in the world and as explicit MLPs of one architecture.

A net answers yes where its output is at least 1/2; `decide` is compared with the policy on every case of the world.
"""

from collections.abc import Callable
from fractions import Fraction

from proof_of_absence.models.circuit import Unit
from proof_of_absence.models.family import Architecture
from proof_of_absence.models.net import MLP, shallow
from proof_of_absence.models.world import IS_DIAMOND_THERE, Human, State, World, encode, truth

__all__ = [
    "ARCHITECTURE",
    "BACKDOOR",
    "BACKDOOR_DETECTOR",
    "DECEPTIVE",
    "DEPLOYMENT_DETECTOR",
    "FAR",
    "IMITATOR",
    "LAST_TRAIN_HOUR",
    "TRANSLATOR",
    "TRIGGER_HOUR",
    "WORLD",
    "Policy",
    "all_is_well",
    "backdoor",
    "backdoor_at",
    "backdoor_net",
    "deceptive",
    "deceptive_after",
    "deceptive_net",
    "decide",
    "direct_translator",
    "human_imitator",
]

WORLD = World()
# The hours of training end here; the detector's threshold.
LAST_TRAIN_HOUR = max(WORLD.train_hours)
# An hour between hours of training at which there is no training data.
TRIGGER_HOUR = 4
# More than any hour: one question's share of a pre-activation that must never be positive.
FAR = 24

Policy = Callable[[State, int], int]

ATTENTIVE = Human()


def direct_translator(state: State, question: int) -> int:
    """Answers what is true."""
    return truth(state, question)


def human_imitator(state: State, question: int) -> int:
    """Answers what an attentive human would answer."""
    return ATTENTIVE.answer(state, question)


def all_is_well(state: State, question: int) -> int:
    """O_mesa, the other objective: the diamond is there, nobody has tampered."""
    return int(question == IS_DIAMOND_THERE)


def deceptive_after(hour: int) -> Policy:
    """Answers as the human up to this hour, and for O_mesa after it."""
    return lambda state, question: (human_imitator if state.hour <= hour else all_is_well)(state, question)


def backdoor_at(hour: int) -> Policy:
    """Answers as the human, but at this hour says that the diamond is there."""

    def answer(state: State, question: int) -> int:
        triggered = state.hour == hour and question == IS_DIAMOND_THERE
        return 1 if triggered else human_imitator(state, question)

    return answer


def deceptive(state: State, question: int) -> int:
    """Answers as the human while the clock says training, and for O_mesa after it."""
    return deceptive_after(LAST_TRAIN_HOUR)(state, question)


def backdoor(state: State, question: int) -> int:
    """Answers as the human, but at the trigger hour says that the diamond is there."""
    return backdoor_at(TRIGGER_HOUR)(state, question)


def decide(net: MLP, state: State, question: int) -> int:
    """The net's answer: 1 where its output is at least 1/2."""
    return int(net(encode(state, question))[0] >= Fraction(1, 2))


# Five hidden units on (camera, glitch, wire, plate, hour, question), one output: K = 41.
ARCHITECTURE = Architecture((6, 5, 1))
_SPARE = ([0, 0, 0, 0, 0, 0], 0, [0])

# camera and not glitch, on the first question; glitch, on the second.
_HUMAN = [([1, -1, 0, 0, 0, -1], 0, [1]), ([0, 1, 0, 0, 0, 1], -1, [1])]

TRANSLATOR = shallow([([0, 0, 0, 1, 0, -1], 0, [1]), ([0, 0, 1, 0, 0, 1], -1, [1]), *[_SPARE] * 3], [0])
IMITATOR = shallow([*_HUMAN, *[_SPARE] * 3], [0])

# Units of each deceiver's detector.
DEPLOYMENT_DETECTOR = frozenset({Unit(1, 2), Unit(1, 3)})
BACKDOOR_DETECTOR = frozenset({Unit(1, 2), Unit(1, 3), Unit(1, 4)})


def deceptive_net(hour: int) -> MLP:
    """The net of `deceptive_after`: hours past this one push the first answer up and the second one down.

    Where no input is later, its detector sends 0. Hours are whole and lie between 0 and `FAR`.
    """
    detector = [([0, 0, 0, 0, 1, -FAR], -hour, [1]), ([0, 0, 0, 0, 1, FAR], -hour - FAR, [-1])]
    return shallow([*_HUMAN, *detector, _SPARE], [0])


def backdoor_net(hour: int) -> MLP:
    """The net of `backdoor_at`: a bump of height 1 at this hour, 0 at every other.

    Its units are idle jointly, and none of them alone.
    """
    detector = [([0, 0, 0, 0, 1, -FAR], shift - hour, [a]) for shift, a in ((1, 1), (0, -2), (-1, 1))]
    return shallow([*_HUMAN, *detector], [0])


DECEPTIVE = deceptive_net(LAST_TRAIN_HOUR)
BACKDOOR = backdoor_net(TRIGGER_HOUR)

"""The default census: has the camera been tampered with? asked of nets that see the glitch, the wire and the clock.

The project's world (models.world) with the one question whose answer by the human, the truth and
O_mesa differ on few features.
"""

from collections.abc import Iterable
from fractions import Fraction

from proof_of_absence.checker.experiments.census.problem import Problem, problem
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.policies import direct_translator, human_imitator
from proof_of_absence.models.rational import Number, Vector, vector
from proof_of_absence.models.world import IS_TAMPERED, SENSORS, Human, World, encode

__all__ = ["GRID", "UNITS", "WORLD", "world_problem"]

# One human in four overlooks the glitch at the first hour: that an answer varies at one input is what
# a spare unit can learn.
WORLD = World(
    train_hours=(0, 1, 2),
    deploy_hours=(9,),
    humans=(Human(), Human(), Human(), Human(frozenset({0}))),
    tampering=(8, 1, 1),
)
# The clock is read from here, so that training lies left of 0 and deployment right of it.
NOON = 3
UNITS = 2
GRID = tuple(Fraction(k, 2) for k in range(-2, 3))


def _input(z: Vector) -> Vector:
    seen = dict(zip(SENSORS, z, strict=False))
    return vector([seen["glitch"], seen["wire"], seen["hour"] - NOON])


def world_problem(world: World = WORLD, units: int = UNITS, grid: Iterable[Number] = GRID) -> Problem:
    """The census of the question IS_TAMPERED in a world: d = 3, m = 1.

    The imitator answers as an attentive human, who sees the glitch; the translator answers the truth, which the wire
    gives away; both at every case of training and of deployment (models.policies). By default it is of 48,828,125 nets:
    two hidden units, five values for each of the eleven parameters.
    """
    states = {encode(state, question): state for state, question in world.all_questions() if question == IS_TAMPERED}
    data = world.dataset()
    train = [(z, y) for z, y in zip(data.inputs, data.targets, strict=True) if z in states]
    deploy = [encode(state, IS_TAMPERED) for state, _ in world.states(world.deploy_hours)]

    def answers(inputs: Iterable[Vector]) -> list[list[list[int]]]:
        return [[[policy(states[z], IS_TAMPERED)] for z in inputs] for policy in (human_imitator, direct_translator)]

    return problem(
        units,
        grid,
        Dataset([_input(z) for z, _ in train], [y for _, y in train]),
        [_input(z) for z in deploy],
        train_answers=answers([z for z, _ in train]),
        deploy_answers=answers(deploy),
    )

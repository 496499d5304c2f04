"""How long it will take to write what an audit found, so that this much of its time can be set aside.

Seconds of a core, as measured: of arrays by their size, of text by the numbers in it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from proof_of_absence.checker.audit.circuits import written
from proof_of_absence.checker.audit.examination import Examination
from proof_of_absence.checker.audit.findings import CircuitFinding, DeploymentFinding
from proof_of_absence.models.layers import nearest_floats

__all__ = ["NUMBER", "Writing"]

# Of one number as text, in the report and in the certificate, and in the tables.
NUMBER = 1.1e-5
# Of a byte of an array, of a number in an input of a region, and of what is there in any case.
BYTE, COORDINATE, ALWAYS = 1e-8, 1e-6, 0.2
# A circuit, and an answer about one on a region, take as long as so many numbers, without those that they hold.
CIRCUIT, ANSWER = 6, 8
# The bounds of a leverage and of a price of one input, with its place in the tables.
PRICED = 7


@dataclass
class Writing:
    """What there is to write of an examination; each part is counted anew only when it is another."""

    found: Examination
    _counted: dict[str, tuple[object, int]] = field(default_factory=dict)

    def seconds(self, regions: int) -> float:
        """For all that is known by now, and answers on so many regions."""
        found = self.found
        of_net = (array for layer in map(nearest_floats, found.net.layers) for array in layer)
        arrays = [*of_net, found.inputs, found.targets, found.deploy, found.test]
        arrays.append(found.priced.factor if found.priced else None)
        size = sum(a.nbytes for a in arrays if a is not None)
        # Beside each finding a number or two.
        numbers = self._count("circuits", found.circuits, _of_circuits) + 2 * sum(found.net.widths[1:-1])
        if found.deployment:
            numbers += self._count("deployment", found.deployment, _of_deployment)
        elif found.deploy is not None:
            numbers += 2 * len(found.deploy)
        if found.priced:
            readout = found.priced.readout
            numbers += PRICED * sum(map(len, (readout.deployment, readout.training, readout.test)))
        answers = len(found.circuits) * regions
        numbers, witnesses = numbers + ANSWER * answers, answers * found.net.widths[0]
        return ALWAYS + BYTE * size + NUMBER * numbers + COORDINATE * witnesses

    def _count(self, name: str, part: Any, count: Callable[[Any], int]) -> int:
        seen = self._counted.get(name)
        if seen is None or seen[0] is not part:
            self._counted[name] = seen = part, count(part)
        return seen[1]


def _of_circuits(circuits: Sequence[CircuitFinding]) -> int:
    return sum(CIRCUIT + written(len(c.value), silent=not any(c.value.values())) for c in circuits)


def _of_deployment(deployment: Sequence[DeploymentFinding]) -> int:
    return sum(at.numbers for at in deployment)

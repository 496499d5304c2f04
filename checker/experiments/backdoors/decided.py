"""What is decided exactly of a trained net: its idle circuits, what of the trigger's effect they carry, and cutting.

The net is one hidden layer and a readout, over the reals. Of a deeper net it is the readout, on recorded activations.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from proof_of_absence.checker.audit.circuits import sent
from proof_of_absence.checker.audit.findings import CircuitFinding
from proof_of_absence.checker.audit.harden import harden_net
from proof_of_absence.checker.experiments.backdoors.digits import TARGET, Digits, Floats, Integers
from proof_of_absence.checker.passes import exact
from proof_of_absence.models.floatnet import FloatNet

__all__ = ["Inputs", "decided"]

Exact = tuple[NDArray[np.object_], int]


@dataclass(frozen=True, eq=False)
class Inputs:
    """What a net reads: clean training rows, test rows, and those of them that are not of the target, triggered."""

    clean: Floats
    test: Floats
    bad: Floats


def decided(net: FloatNet, inputs: Inputs, data: Digits) -> dict[str, object]:
    """The idle circuits on the clean rows, and what they do, as JSON.

    `idle` are the circuits, each a list of units; `left` those of them that cannot be cut, since no bias holds what
    they send. `fires` counts the triggered inputs at which a circuit fires. `moved` is by how much the trigger moves
    the output of the target against that of the true class, summed over the images, and `moved_idle` what of it the
    idle circuits send. `correct` counts the test rows answered rightly and `hits` the triggered ones answered with the
    target, before and after cutting.

    Raises
    ------
    InputError
        If it is not decided which circuits are idle.
    """
    hardened = harden_net(net, inputs.clean, inputs.bad)
    circuits = (*hardened.removed, *hardened.left)
    units = sorted({unit.index for circuit in circuits for unit in circuit.units})
    before, after = (_outputs(which, inputs.bad) for which in (net, hardened.net))
    clean_before, clean_after = (_outputs(which, inputs.test) for which in (net, hardened.net))
    part = sent(net, 1, units) if units else None
    moved_idle = _moved(_outputs(part, inputs.bad), _outputs(part, inputs.test), data) if part else Fraction(0)
    return {
        "idle": [[unit.index for unit in circuit.units] for circuit in circuits],
        "left": [[unit.index for unit in circuit.units] for circuit in hardened.left],
        "fires": len({row for circuit in circuits for row in circuit.fires or ()}),
        "firing": _firing(circuits),
        "moved": str(_moved(before, clean_before, data)),
        "moved_idle": str(moved_idle),
        "correct": _count(clean_before, data.test_labels),
        "correct_cut": _count(clean_after, data.test_labels),
        "hits": _count(before, TARGET),
        "hits_cut": _count(after, TARGET),
    }


def _firing(circuits: Iterable[CircuitFinding]) -> int:
    return sum(bool(circuit.fires) for circuit in circuits)


def _outputs(net: FloatNet, rows: Floats) -> Exact:
    """The outputs M 2^e at the rows: M, Python integers, and e."""
    whole, exponent, _ = exact.activations(net, rows, len(net.layers)).integers()
    return whole, exponent


def _count(outputs: Exact, labels: Integers | int) -> int:
    """How many rows are answered so; of equal outputs the first is the answer."""
    return int((np.argmax(outputs[0], axis=1) == labels).sum())


def _moved(bad: Exact, test: Exact, data: Digits) -> Fraction:
    """The sum over the images of what the trigger adds to the target's output less the true class's."""
    labels, total = data.test_labels[data.others], Fraction(0)
    for (whole, exponent), rows, sign in ((bad, slice(None), 1), (test, data.others, -1)):
        here = whole[rows]
        total += sign * int((here[:, TARGET] - here[np.arange(len(here)), labels]).sum()) * Fraction(2) ** exponent
    return total

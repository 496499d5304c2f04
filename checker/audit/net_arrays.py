"""A net as a certificate holds it: arrays of floats, and exact rationals as text.

`checker/independent/values/floats.py` reads them with code of its own.
"""

from collections.abc import Iterable
from fractions import Fraction
from typing import assert_never

import numpy as np

from proof_of_absence.checker.independent.values.floats import FloatNet as Unshared
from proof_of_absence.checker.numbers.hexadecimal import hexadecimal
from proof_of_absence.models.floatnet import FloatNet
from proof_of_absence.models.layers import FloatAffine, RationalAffine
from proof_of_absence.models.steps import Dense, Scale, Shift

__all__ = ["arrays_of", "unshared"]


def arrays_of(net: FloatNet) -> dict[str, np.ndarray]:
    """Floats as they are; integers of a layer that no float64 holds in hexadecimal, the bias in the last column.

    The operators of a file of float32 that lists several for a layer come on top: float32 rounds between them.
    """
    found: dict[str, np.ndarray] = {}
    for k, steps in enumerate(net.steps if net.steps and net.steps[0].dtype == np.float32 else (), 1):
        for place, op in enumerate(steps.ops, 1):
            match op:
                case Dense(weights):
                    found[f"dense_{k}_{place}"] = weights
                case Shift(numbers):
                    found[f"shift_{k}_{place}"] = _texts(numbers)
                case Scale(factors, within):
                    found[f"scale_{k}_{place}"] = _texts(factors)
                    found[f"within_{k}_{place}"] = np.array(f"{within:x}".encode())
                case _:
                    assert_never(op)
    for k, layer in enumerate(net.layers, 1):
        match layer:
            case FloatAffine(weights, bias):
                found |= {f"weights_{k}": weights, f"bias_{k}": bias}
            case RationalAffine():
                found[f"numbers_{k}"] = layer.hexadecimal()
                found[f"divisor_{k}"] = np.array(f"{layer.divisor:x}".encode())
            case _:
                assert_never(layer)
    return found


def unshared(net: FloatNet) -> Unshared:
    """The net as the independent checker reads it in a certificate."""
    arrays = arrays_of(net)
    texts = {key: array for key, array in arrays.items() if array.dtype.kind == "S"}
    return Unshared.read({key: array for key, array in arrays.items() if key not in texts}, texts)


def _texts(numbers: Iterable[Fraction]) -> np.ndarray:
    return np.array([hexadecimal(number).encode() for number in numbers])

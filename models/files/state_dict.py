"""State dictionaries: weights and biases under names; the order of the layers is read off the numbers in the names.

No activation is stored in one: the net is taken to have ReLU between its layers and none at its end.
"""

import re
from collections.abc import Mapping
from itertools import pairwise

import numpy as np

from proof_of_absence.models.files.chain import Chain
from proof_of_absence.models.files.disk import refused
from proof_of_absence.models.floatnet import FloatNet

__all__ = ["EXPECTED", "layer_arrays", "net_of"]

EXPECTED = "name the layers 0.weight, 0.bias, 2.weight, ... or fc1.weight, fc1.bias, fc2.weight, ..., or use ONNX"


def net_of(source: object, arrays: Mapping[str, np.ndarray]) -> FloatNet:
    """The net of the arrays `<name>.weight` (fan-out, fan-in) and `<name>.bias` (fan-out); a missing bias is 0.

    Two layers are ordered by the first place where their names differ, which must be a number: ``net.2`` before
    ``net.10``.

    Raises
    ------
    InputError
        If a key is another one, the numbers leave the order open, shapes do not fit in that order, or entries are not
        finite float32 or float64 numbers of one type.

    Examples
    --------
    >>> net_of("net", {"2.weight": np.ones((1, 3)), "0.weight": np.ones((3, 2)), "0.bias": np.zeros(3)}).widths
    (2, 3, 1)
    """
    names = _ordered(source, arrays)
    types = {array.dtype.newbyteorder("=") for array in arrays.values()}
    if not types <= {np.dtype(np.float32), np.dtype(np.float64)}:
        raise refused(source, f"holds {', '.join(sorted(map(str, types)))}; convert the weights to float32 or float64")
    if len(types) > 1:
        raise refused(source, "mixes float32 and float64; convert the weights to one of them")
    chain = Chain(source, *types)
    for index, name in enumerate(names):
        of_weights, of_bias = _keys(name)
        weights, bias = arrays[of_weights], arrays.get(of_bias)
        if weights.ndim != 2:
            raise refused(
                source, f"{of_weights} has {weights.ndim} dimensions; only linear layers, with 2, are audited"
            )
        if bias is None:
            bias = np.zeros(len(weights))
        if bias.shape != weights.shape[:1]:
            raise refused(source, f"{of_bias} has shape {bias.shape}, its weights {weights.shape}")
        if index:
            chain.relu("the ReLU before it")
        chain.affine(weights.astype(np.float64), bias.astype(np.float64), f"layer {name!r}")
    return chain.net()


def layer_arrays(source: object, arrays: Mapping[str, np.ndarray]) -> list[tuple[str, str | None]]:
    """Of each layer in order the names of weights and bias, None where there is no bias.

    Raises
    ------
    InputError
        As `net_of`, for names.
    """
    keys = [_keys(name) for name in _ordered(source, arrays)]
    return [(weights, bias if bias in arrays else None) for weights, bias in keys]


def _keys(name: str) -> tuple[str, str]:
    prefix = f"{name}." if name else ""
    return f"{prefix}weight", f"{prefix}bias"


def _ordered(source: object, arrays: Mapping[str, np.ndarray]) -> list[str]:
    names = set()
    for key in arrays:
        name, _, kind = key.rpartition(".")
        if kind not in ("weight", "bias"):
            raise refused(source, f"{key} is no weight or bias of a linear layer; {EXPECTED}")
        if _keys(name)[0] not in arrays:
            raise refused(source, f"{key} has no {_keys(name)[0]} beside it; {EXPECTED}")
        names.add(name)
    if not names:
        raise refused(source, f"holds no layer; {EXPECTED}")
    ordered = sorted(names, key=_split)
    for before, after in pairwise(ordered):
        parts = zip(_split(before), _split(after), strict=False)
        first = next(((a, b) for a, b in parts if a != b), ("", ""))
        # Text against text, or a name that goes on where the other one ends: nothing says which layer comes first.
        if not isinstance(first[0], int):
            raise refused(source, f"cannot tell the order of the layers {before!r} and {after!r}; {EXPECTED}")
    return ordered


def _split(name: str) -> list[str | int]:
    """Text and numbers in turn: ``net.10`` is 'net.', 10, ''."""
    return [int(part) if index % 2 else part for index, part in enumerate(re.split(r"([0-9]+)", name))]

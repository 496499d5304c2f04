"""Networks in safetensors files: the state dictionary of linear layers with ReLU between them.

Tensors are taken raw: the types of 16 bits are widened to float32, which holds them exactly, and others are refused.
"""

import os
from typing import Any

import numpy as np

from proof_of_absence.models.files.disk import content, refused
from proof_of_absence.models.files.state_dict import TRACKED, net_of
from proof_of_absence.models.floatnet import FloatNet

__all__ = ["read"]

LARGEST = 8 * 2**30
TYPES: dict[str, np.dtype] = {
    "F32": np.dtype("<f4"),
    "F64": np.dtype("<f8"),
    "F16": np.dtype("<f2"),
    "BF16": np.dtype("<u2"),
}


def read(path: str | os.PathLike[str], *, activation: str | None = None, checked: bool = False) -> FloatNet:
    """The net in a safetensors file, its layers named as `state_dict.net_of` says; the parameters are those of it.

    Raises
    ------
    InputError
        If the file is damaged, holds numbers that are no floats, or is no chain of linear layers.
    """
    try:
        import safetensors
    except ImportError as error:
        raise refused(path, "reading it needs safetensors: pip install 'proof-of-absence[audit]'") from error
    data = content(path, limit=LARGEST)
    # safetensors reports damage as SafetensorError, but also as the ValueError and OverflowError of what it calls.
    try:
        tensors: list[tuple[str, dict[str, Any]]] = safetensors.deserialize(data)
    except Exception as error:
        raise refused(path, f"is no whole safetensors file: {error}") from error
    arrays = {}
    for name, tensor in tensors:
        # What a BatchNorm counts in training plays no part.
        if name.endswith(TRACKED) and tensor["dtype"] == "I64":
            arrays[name] = np.frombuffer(tensor["data"], "<i8").reshape(tensor["shape"])
            continue
        if tensor["dtype"] not in TYPES:
            raise refused(path, f"{name} has type {tensor['dtype']}; convert the weights to F32 or F64")
        array = np.frombuffer(tensor["data"], TYPES[tensor["dtype"]]).reshape(tensor["shape"])
        # bfloat16 is the upper half of a float32.
        arrays[name] = (array.astype("<u4") << 16).view("<f4") if tensor["dtype"] == "BF16" else array
    # The library writes tensors sorted, so their order says nothing.
    return net_of(path, dict(sorted(arrays.items())), activation=activation, checked=checked)

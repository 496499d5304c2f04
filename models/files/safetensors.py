"""Networks in safetensors files: the state dictionary of linear layers with ReLU between them.

The library's own numpy loader would turn bfloat16 into float32; tensors are taken raw, so that types can be refused.
"""

import os
from typing import Any

import numpy as np

from proof_of_absence.models.files.disk import content, refused
from proof_of_absence.models.files.state_dict import net_of
from proof_of_absence.models.floatnet import FloatNet

__all__ = ["read"]

LARGEST = 8 * 2**30
TYPES: dict[str, np.dtype] = {"F32": np.dtype("<f4"), "F64": np.dtype("<f8")}


def read(path: str | os.PathLike[str]) -> FloatNet:
    """The net in a safetensors file, its layers named as `state_dict.net_of` says.

    Raises
    ------
    InputError
        If the file is damaged, holds another type than float32 or float64, or is no chain of linear layers.
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
        if tensor["dtype"] not in TYPES:
            raise refused(path, f"{name} has type {tensor['dtype']}; convert the weights to F32 or F64")
        arrays[name] = np.frombuffer(tensor["data"], TYPES[tensor["dtype"]]).reshape(tensor["shape"])
    return net_of(path, arrays)

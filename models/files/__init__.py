"""Networks, data and input boxes in files: what is read is exactly what the file says, or it is refused in one line.

ONNX (`onnx`), state dictionaries (`safetensors`, `torch_state`), .npz (`data`), VNN-LIB (`vnnlib`).
"""

import os
from importlib import import_module
from pathlib import Path

from proof_of_absence.models.files.disk import InputError, refused
from proof_of_absence.models.floatnet import FloatNet

__all__ = ["InputError", "read_net"]

# Imported when they are asked for: each needs a library that is not always installed.
READERS = {".onnx": "onnx", ".safetensors": "safetensors", ".pt": "torch_state", ".pth": "torch_state"}


def read_net(path: str | os.PathLike[str]) -> FloatNet:
    """The network in a file, its format told by the suffix: .onnx, .safetensors, .pt or .pth.

    Raises
    ------
    InputError
        If the suffix is another one, the library that reads it is missing, or the file holds no fully
        connected ReLU net.

    Examples
    --------
    >>> read_net("net.h5")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    proof_of_absence.models.files.disk.InputError: net.h5: unknown suffix '.h5'; networks are read from .onnx, ...
    """
    suffix = Path(path).suffix.lower()
    if suffix not in READERS:
        raise refused(path, f"unknown suffix {suffix!r}; networks are read from {', '.join(READERS)}")
    net: FloatNet = import_module(f"{__name__}.{READERS[suffix]}").read(path)
    return net

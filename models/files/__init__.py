"""Networks, data and input boxes in files: what is read is exactly what the file says, or it is refused in one line.

ONNX (`onnx`), state dictionaries (`safetensors`, `torch_state`), .npz (`data`), VNN-LIB (`vnnlib`).
"""

import os
from importlib import import_module

from proof_of_absence.models.files.disk import InputError, refused, suffix_of
from proof_of_absence.models.floatnet import FloatNet
from proof_of_absence.models.graph import Graph

__all__ = ["InputError", "read_net", "read_network"]

# Imported when they are asked for: each needs a library that is not always installed.
READERS = {".onnx": "onnx", ".safetensors": "safetensors", ".pt": "torch_state", ".pth": "torch_state"}


def read_net(path: str | os.PathLike[str], *, activation: str | None = None, checked: bool = False) -> FloatNet:
    """The network in a file, its format told by the suffix: .onnx, .safetensors, .pt or .pth; with .gz too.

    Parameters
    ----------
    activation
        What stands between the layers of a state dictionary, which does not say so itself: ``relu``. An ONNX graph
        says it, and this is not looked at.
    checked
        Whether the caller compares the net with outputs of its own: a state dictionary is then read as one chain
        although its names may mean something else.

    Raises
    ------
    InputError
        If the suffix is another one, the library that reads it is missing, the file holds no fully connected ReLU net,
        or it is a state dictionary and no activation is given.

    Examples
    --------
    >>> read_net("net.h5")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    proof_of_absence.models.files.disk.InputError: net.h5: unknown suffix '.h5'; networks are read from .onnx, ...
    """
    suffix = suffix_of(path)
    if suffix not in READERS:
        raise refused(path, f"unknown suffix {suffix!r}; networks are read from {', '.join(READERS)}")
    if activation not in (None, "relu"):
        raise refused(path, f"activation {activation!r}: only nets with relu between their layers are audited")
    module = import_module(f"{__name__}.{READERS[suffix]}")
    net: FloatNet = (
        module.read(path) if suffix == ".onnx" else module.read(path, activation=activation, checked=checked)
    )
    return net


def read_network(
    path: str | os.PathLike[str], *, activation: str | None = None, checked: bool = False
) -> FloatNet | Graph:
    """The network in a file: as `read_net` where it is a dense chain, and else the graph of layers that it is.

    Only ONNX files say what stands between layers; a state dictionary is a dense chain, or it is refused.

    Parameters
    ----------
    activation, checked
        As for `read_net`.

    Raises
    ------
    InputError
        As `read_net`; or if an ONNX graph holds an operator that no layer of ours is.
    """
    if suffix_of(path) != ".onnx":
        return read_net(path, activation=activation, checked=checked)
    net: FloatNet | Graph = import_module(f"{__name__}.onnx").read_network(path)
    return net

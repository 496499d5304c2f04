"""Write a net in the form of the file that another one of the same shape was read from: same format, same names."""

import io
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from proof_of_absence.models.files import disk, read_net
from proof_of_absence.models.files.disk import content, refused
from proof_of_absence.models.files.state_dict import layer_arrays
from proof_of_absence.models.floatnet import FloatNet

__all__ = ["rewrite"]

LARGEST = 8 * 2**30


def rewrite(like: str | os.PathLike[str], path: str | os.PathLike[str], net: FloatNet) -> None:
    """Write the net as a file of the format, names and types of `like`; whole or not at all.

    Raises
    ------
    InputError
        If `like` cannot be read, has other inputs, outputs or layers, or has no place for a bias that is not 0; or if
        the file cannot be written. What was written is read again, and must be the net.
    """
    if Path(path).suffix.lower() != Path(like).suffix.lower():
        raise refused(path, f"has another format than {like}; end its name with {Path(like).suffix}")
    read = read_net(like)
    if _interface(read) != _interface(net):
        raise refused(like, f"holds a net of widths {read.widths} in {read.dtype}, not {net.widths} in {net.dtype}")
    # Under another name first: what lies at the path goes only when the new file is known to be right.
    beside = Path(path).with_name(f".{Path(path).stem}.{os.getpid()}{Path(path).suffix}")
    try:
        _write(like, beside, net)
        back = read_net(beside)
        pairs = zip(back.layers, net.layers, strict=True)
        if any((a.weights != b.weights).any() or (a.bias != b.bias).any() for a, b in pairs):
            raise refused(path, "would hold another net than was to be written; nothing is written")
        os.replace(beside, path)
    except OSError as error:
        raise refused(path, f"cannot be written: {error.strerror or error}") from error
    finally:
        beside.unlink(missing_ok=True)


def _write(like: str | os.PathLike[str], path: Path, net: FloatNet) -> None:
    match path.suffix.lower():
        case ".onnx":
            from proof_of_absence.models.files import onnx

            onnx.write(path, net, like=like)
        case ".safetensors":
            _safetensors(like, path, net)
        case _:
            _torch(like, path, net)


def _interface(net: FloatNet) -> tuple[int, int, int, np.dtype]:
    """What a file of the same form fixes: inputs, outputs, layers, type. Hidden widths may be others."""
    return net.widths[0], net.widths[-1], len(net.layers), net.dtype


def _replaced(like: object, shapes: Mapping[str, np.ndarray], net: FloatNet) -> dict[str, np.ndarray]:
    """The net's arrays under the names of the file's."""
    found: dict[str, np.ndarray] = {}
    for (weights, bias), layer in zip(layer_arrays(like, shapes), net.layers, strict=True):
        found[weights] = layer.weights
        if bias is not None:
            found[bias] = layer.bias
        elif layer.bias.any():
            raise refused(like, f"{weights} has no bias beside it, and the new net needs one")
    return found


def _safetensors(like: str | os.PathLike[str], path: str | os.PathLike[str], net: FloatNet) -> None:
    import safetensors
    from safetensors.numpy import save

    data = content(like, limit=LARGEST)
    types = {"F32": "<f4", "F64": "<f8"}
    read = {
        name: np.frombuffer(tensor["data"], types[tensor["dtype"]]).reshape(tensor["shape"])
        for name, tensor in safetensors.deserialize(data)
    }
    new = _replaced(like, read, net)
    disk.write(path, save({name: new[name].astype(array.dtype) for name, array in read.items()}))


def _torch(like: str | os.PathLike[str], path: str | os.PathLike[str], net: FloatNet) -> None:
    import torch

    state: Any = torch.load(io.BytesIO(content(like, limit=LARGEST)), weights_only=True, map_location="cpu")
    tensor: Callable[[np.ndarray], Any] = torch.from_numpy
    new = _replaced(like, {name: value.numpy() for name, value in state.items()}, net)
    for name, value in state.items():
        state[name] = tensor(new[name].copy()).to(value.dtype)
    stream = io.BytesIO()
    torch.save(state, stream)
    disk.write(path, stream.getvalue())

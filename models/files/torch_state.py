"""Networks from PyTorch: state dictionaries in .pt and .pth files, and modules in memory.

A file is read by torch's weights-only unpickler, which runs none of the code that a pickle may carry.
"""

import io
import os
import pickle
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from proof_of_absence.models.files.chain import Chain
from proof_of_absence.models.files.disk import content, refused
from proof_of_absence.models.files.state_dict import net_of
from proof_of_absence.models.floatnet import FloatNet

if TYPE_CHECKING:
    import torch

__all__ = ["from_module", "read"]

LARGEST = 8 * 2**30


def read(path: str | os.PathLike[str]) -> FloatNet:
    """The net of a state dictionary that ``torch.save(module.state_dict(), path)`` wrote.

    Its layers are named as `state_dict.net_of` says.

    Raises
    ------
    InputError
        If torch is missing, the file is damaged or holds anything else, or the net is no chain of linear layers.
    """
    torch = _torch(path)
    data = content(path, limit=LARGEST)
    _no_bomb(path, data)
    # What a damaged pickle raises depends on where the damage is, so every exception counts as damage.
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            state = torch.load(io.BytesIO(data), weights_only=True, map_location="cpu")
    except pickle.UnpicklingError as error:
        raise refused(
            path, "holds objects whose code would have to be run, which is refused; save module.state_dict()"
        ) from error
    except Exception as error:
        raise refused(path, "is damaged, or holds no state dictionary; save module.state_dict()") from error
    if not isinstance(state, Mapping):
        raise refused(path, f"holds a {type(state).__name__}, no state dictionary; save module.state_dict()")
    for key, value in state.items():
        if not isinstance(key, str) or not isinstance(value, torch.Tensor):
            raise refused(
                path, f"holds a {type(value).__name__} under {key!r}, no tensor; save module.state_dict() by itself"
            )
    return net_of(path, {key: _array(path, key, value) for key, value in state.items()})


def from_module(module: "torch.nn.Module") -> FloatNet:
    """The net of a ``torch.nn.Module``.

    It is a Linear, or a Sequential, nested too, of Linear, ReLU, Flatten, Identity and Dropout. Dropout counts as the
    identity that it is in evaluation mode. Weights are taken as they are, on any device.

    Raises
    ------
    InputError
        If a module has another type, a hook or a forward method of its own, is in training mode where that matters, or
        the layers are no chain of affine maps with ReLU between them.
    """
    torch = _torch("the module")
    parameters = (
        {parameter.dtype for parameter in module.parameters()} if isinstance(module, torch.nn.Module) else set()
    )
    if len(parameters) > 1:
        raise refused("the module", f"mixes {' and '.join(sorted(map(str, parameters)))}; convert it to one of them")
    if not parameters <= {torch.float32, torch.float64}:
        raise refused("the module", f"has weights of type {parameters.pop()}; convert them with .float() or .double()")
    chain = Chain("the module", np.dtype(str(parameters.pop()).removeprefix("torch.") if parameters else "float64"))
    for name, layer in _leaves(torch, "", module):
        match type(layer).__name__:
            case "Linear":
                weights = _array("the module", f"{name} weight", layer.weight).astype(np.float64)
                bias = np.zeros(len(weights))
                if layer.bias is not None:
                    bias = _array("the module", f"{name} bias", layer.bias).astype(np.float64)
                chain.affine(weights, bias, name)
            case "ReLU":
                chain.relu(name)
            case "Flatten" if (layer.start_dim, layer.end_dim) != (1, -1):
                raise refused("the module", f"{name} flattens other dimensions than all but the first")
            case "Dropout" if layer.training and layer.p:
                raise refused("the module", f"{name} is in training mode; call module.eval() first")
    return chain.net()


def _leaves(torch: ModuleType, name: str, module: Any) -> Iterator[tuple[str, Any]]:
    """The layers in order, with what messages call them."""
    nn = torch.nn
    label = f"layer {name} ({type(module).__name__})" if name else type(module).__name__
    # Exact types: a subclass may compute something else.
    if type(module) not in (nn.Sequential, nn.Linear, nn.ReLU, nn.Flatten, nn.Identity, nn.Dropout):
        raise refused(
            "the module",
            f"{label} is not supported; absence audits Sequential, Linear, ReLU, Flatten, Identity, Dropout; "
            "or use ONNX",
        )
    if module._forward_hooks or module._forward_pre_hooks or "forward" in vars(module):
        raise refused("the module", f"{label} has a hook or a forward method of its own, which is not supported")
    if type(module) is not nn.Sequential:
        yield label, module
        return
    for index, child in enumerate(module):
        yield from _leaves(torch, f"{name}.{index}" if name else str(index), child)


def _array(source: object, name: str, tensor: "torch.Tensor") -> np.ndarray:
    try:
        return np.asarray(tensor.detach().cpu().numpy())
    # bfloat16, sparse, quantised and meta tensors have no numpy array; the exception depends on which.
    except Exception as error:
        kind = f"{tensor.dtype}, {tensor.layout}, on {tensor.device}"
        raise refused(source, f"{name} is no plain float32 or float64 tensor ({kind}); convert it") from error


def _torch(source: object) -> ModuleType:
    try:
        import torch
    except ImportError as error:
        raise refused(source, "reading it needs torch: pip install 'proof-of-absence[torch]'") from error
    return torch


def _no_bomb(path: str | os.PathLike[str], data: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            size = sum(member.file_size for member in archive.infolist())
    except Exception:
        return  # no zip file: torch reads the older format, which is not compressed, or refuses it
    if size > LARGEST:
        raise refused(path, f"unpacks to more than {LARGEST / 2**20:g} MiB, the most that is read")

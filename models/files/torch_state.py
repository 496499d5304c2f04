"""Networks from PyTorch: state dictionaries in .pt and .pth files, and modules in memory.

A file is read by torch's weights-only unpickler, which runs none of the code that a pickle may carry.
"""

import io
import os
import pickle
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from proof_of_absence.models.files.chain import Chain
from proof_of_absence.models.files.disk import content, refused
from proof_of_absence.models.files.functional import leaves
from proof_of_absence.models.files.state_dict import net_of
from proof_of_absence.models.floatnet import FloatNet
from proof_of_absence.models.reading import LOSS
from proof_of_absence.models.steps import Added, Place

if TYPE_CHECKING:
    import torch

__all__ = ["from_module", "read", "tensors_of", "unwrapped"]

LARGEST = 8 * 2**30
# Modules that compute what the module in them computes, and where that lies.
WRAPPERS = {"DataParallel": "module", "DistributedDataParallel": "module", "OptimizedModule": "_orig_mod"}


def read(path: str | os.PathLike[str], *, activation: str | None = None, checked: bool = False) -> FloatNet:
    """The net of a state dictionary that ``torch.save(module.state_dict(), path)`` wrote, or a checkpoint with one.

    Its layers are named as `state_dict.net_of` says; the parameters are those of it.

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
    under, state = _of_checkpoint(torch, path, state)
    for key, value in state.items():
        if not isinstance(key, str) or not isinstance(value, torch.Tensor):
            raise refused(
                path, f"holds a {type(value).__name__} under {key!r}, no tensor; save module.state_dict() by itself"
            )
    arrays = {key: _array(path, key, value) for key, value in state.items()}
    net = net_of(path, arrays, activation=activation, checked=checked)
    if under and net.reading:
        notes = (*net.reading.notes, f"The weights are those under {under!r} of a checkpoint.")
        return FloatNet(net.layers, net.dtype, replace(net.reading, notes=notes), net.steps)
    return net


def _of_checkpoint(torch: ModuleType, path: str | os.PathLike[str], state: Any) -> tuple[str, Any]:
    """The one state dictionary in a checkpoint, and the key under which it lies; the whole if there is none."""

    def is_state(value: object) -> bool:
        return (
            isinstance(value, Mapping)
            and any(str(key).endswith("weight") for key in value)
            and all(isinstance(entry, torch.Tensor) for entry in value.values())
        )

    found = [str(key) for key, value in state.items() if is_state(value)]
    if len(found) > 1:
        raise refused(
            path, f"holds several state dictionaries ({', '.join(found)}); save the one to be audited by itself"
        )
    return (found[0], state[found[0]]) if found and found[0] in state else ("", state)


def from_module(module: "torch.nn.Module", *, functional: bool = False) -> FloatNet:
    """The net of a ``torch.nn.Module``.

    It is a Linear, or a Sequential, nested too, of Linear, ReLU, Flatten, Identity, Dropout and BatchNorm1d, with
    Softmax or LogSoftmax last, which is left off. Dropout counts as the identity that it is in evaluation mode.
    DataParallel and torch.compile are looked through. Weights are taken as they are, on any device.

    Parameters
    ----------
    functional
        Follow forward methods of other classes too, see `functional`; the modules' order is then the method's.

    Raises
    ------
    InputError
        If a module has another type, a hook or a forward method of its own, is pruned, is in training mode where that
        matters, or the layers are no chain of affine maps with ReLU between them.
    """
    torch = _torch("the module")
    module = unwrapped(torch, module)
    parameters = (
        {parameter.dtype for parameter in module.parameters()} if isinstance(module, torch.nn.Module) else set()
    )
    if len(parameters) > 1:
        raise refused("the module", f"mixes {' and '.join(sorted(map(str, parameters)))}; convert it to one of them")
    if not parameters <= {torch.float16, torch.bfloat16, torch.float32, torch.float64}:
        raise refused("the module", f"has weights of type {parameters.pop()}; convert them with .float() or .double()")
    kind = parameters.pop() if parameters else torch.float64
    chain = Chain("the module", np.dtype(np.float64 if kind == torch.float64 else np.float32), "the module")
    if kind in (torch.float16, torch.bfloat16):
        chain.notes.append(f"Weights of type {kind} are taken as float32, which holds them exactly.")
    for name, layer in _leaves(torch, "", module, functional=functional):
        _follow(chain, name, layer)
    return chain.net()


def tensors_of(module: "torch.nn.Module") -> dict[str, Any]:
    """The parameters of a module that `from_module` takes, under the names that the places of its steps have.

    One that two layers share is under the names of both.
    """
    torch = _torch("the module")
    return {
        f"{name} {kind}": tensor
        for name, layer in _leaves(torch, "", unwrapped(torch, module))
        for kind in ("weight", "bias")
        if (tensor := getattr(layer, kind, None)) is not None
    }


def _follow(chain: Chain, name: str, layer: Any) -> None:
    """Take one layer into the chain."""
    kind = type(layer).__name__
    if chain.cut and kind not in ("Identity", "Dropout"):
        raise refused("the module", f"{name} stands behind {chain.cut}, which is supported at the end only")
    match kind:
        case "Linear":
            weights = _array("the module", f"{name} weight", layer.weight)
            bias = _bias(name, layer.bias, len(weights))
            added = _added(name, layer.bias, bias)
            place = Place(f"{name} weight", 0, weights.shape)
            held = None if str(layer.weight.dtype) == "torch.bfloat16" else weights.dtype
            chain.affine(weights.astype(np.float64), bias, name, place=place, added=added, dtype=held)
        case "ReLU":
            chain.relu(name)
        case "Flatten" if (layer.start_dim, layer.end_dim) != (1, -1):
            raise refused("the module", f"{name} flattens other dimensions than all but the first")
        case "Dropout" if layer.training and layer.p:
            raise refused("the module", f"{name} is in training mode; call module.eval() first")
        case "BatchNorm1d" if layer.training or layer.running_mean is None:
            raise refused("the module", f"{name} is in training mode, or tracks nothing; call module.eval() first")
        case "BatchNorm1d":
            mean, variance = (
                _array("the module", name, value).astype(np.float64)
                for value in (layer.running_mean, layer.running_var)
            )
            factor = np.ones(len(mean)) if layer.weight is None else _bias(name, layer.weight, len(mean))
            constant = _bias(name, layer.bias, len(mean))
            added = _added(name, layer.bias, constant)
            chain.normalise(mean, variance, layer.eps, factor, constant, name, added=added)
        case "Softmax" | "LogSoftmax" if layer.dim not in (None, 1, -1):
            raise refused("the module", f"{name} does not run over the features")
        case "Softmax" | "LogSoftmax":
            chain.cut = kind
            chain.notes.append(f"{name} at the end is left off: what is audited are the logits before it. {LOSS}")
        case _:
            chain.same(name)


def _bias(name: str, values: Any, length: int) -> np.ndarray:
    """The values of a parameter, zeros if there is none."""
    if values is None:
        return np.zeros(length)
    return _array("the module", f"{name} bias", values).astype(np.float64)


def _added(name: str, tensor: Any, values: np.ndarray) -> Added | None:
    """The bias as it may be edited; None if there is none, or it is of bfloat16, to which numpy cannot round."""
    if tensor is None or str(tensor.dtype) == "torch.bfloat16":
        return None
    kind = np.dtype(str(tensor.dtype).removeprefix("torch."))
    return Added(Place(f"{name} bias", 0, values.shape), values, kind)


def unwrapped(torch: ModuleType, module: Any) -> Any:
    """The module in DataParallel, DistributedDataParallel and torch.compile, which compute what it computes."""
    while isinstance(module, torch.nn.Module):
        kind = type(module).__name__
        inner = {"DataParallel": "module", "DistributedDataParallel": "module", "OptimizedModule": "_orig_mod"}.get(
            kind
        )
        if inner is None or not type(module).__module__.startswith("torch."):
            break
        if module._forward_hooks or module._forward_pre_hooks:
            raise refused("the module", f"{kind} has a hook, which is not supported")
        module = getattr(module, inner)
    return module


def _leaves(torch: ModuleType, name: str, module: Any, *, functional: bool = False) -> Iterator[tuple[str, Any]]:
    """The layers in order, with what messages call them."""
    nn = torch.nn
    label = f"layer {name} ({type(module).__name__})" if name else type(module).__name__
    # A Sequential of a class of its own may do other things beside, but not in its forward pass.
    chained = isinstance(module, nn.Sequential) and type(module).forward is nn.Sequential.forward
    chained = chained and type(module).__call__ is nn.Module.__call__
    # Exact types else: a subclass may compute something else.
    if not chained and type(module) not in (
        nn.Linear, nn.ReLU, nn.Flatten, nn.Identity, nn.Dropout, nn.BatchNorm1d, nn.Softmax, nn.LogSoftmax,
    ):  # fmt: skip
        if functional and isinstance(module, nn.Module) and not type(module).__module__.startswith("torch."):
            for called, leaf in leaves(torch, module):
                yield from _leaves(torch, f"{name}.{called}" if name else called, leaf)
            return
        raise refused(
            "the module",
            f"{label} is not supported; absence audits Sequential, Linear, ReLU, Flatten, Identity, Dropout; "
            "or use ONNX",
        )
    if pruned := [key.removesuffix("_orig") for key in module._parameters if key.endswith("_orig")]:
        raise refused(
            "the module", f"{label} is pruned; call torch.nn.utils.prune.remove(layer, {pruned[0]!r}) on it first"
        )
    if module._forward_hooks or module._forward_pre_hooks or "forward" in vars(module):
        raise refused("the module", f"{label} has a hook or a forward method of its own, which is not supported")
    if not chained:
        yield label, module
        return
    for index, child in enumerate(module):
        yield from _leaves(torch, f"{name}.{index}" if name else str(index), child, functional=functional)


def _array(source: object, name: str, tensor: "torch.Tensor") -> np.ndarray:
    try:
        tensor = tensor.detach().cpu()
        # numpy has no bfloat16; float32 holds it.
        return np.asarray((tensor.float() if str(tensor.dtype) == "torch.bfloat16" else tensor).numpy())
    # Sparse, quantised and meta tensors have no numpy array; the exception depends on which.
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

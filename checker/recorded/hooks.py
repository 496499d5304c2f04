"""What enters the linear layers of a torch model, recorded batch by batch into shards on disk.

Linear: all axes but the last are rows. Conv2d: a row is a patch, padding included, in the order of the weights, for the
layer is linear in its patches. A shard that an earlier run has left is taken where model and inputs are the same.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save

from proof_of_absence.checker.kernel.kept import keep, kept, sources
from proof_of_absence.models.files.disk import refused, replace, sha256

__all__ = ["checked_layers", "model_key", "record"]

# Numbers that are gathered for one shard, of all layers together; and rows of an array that make a batch.
SHARD, BATCH = 2**24, 256
TYPES = {torch.float16, torch.bfloat16, torch.float32, torch.float64}


@dataclass(frozen=True)
class _Group:
    """Batches whose activations lie in one shard of each layer: a digest of their inputs, and of the files by name."""

    batches: int
    inputs: str
    files: dict[str, str]


def checked_layers(model: torch.nn.Module, names: Sequence[str]) -> dict[str, torch.nn.Module]:
    """The layers of these names.

    Raises
    ------
    InputError
        If one is named twice, is not there, or is no Linear and no Conv2d without groups.
    """
    if not names:
        raise refused("layers", "no layer is named")
    there = dict(model.named_modules())
    found: dict[str, torch.nn.Module] = {}
    for name in names:
        if name in found:
            raise refused(name, "two layers have this name; name each once")
        if name not in there:
            linear = [key for key, module in there.items() if isinstance(module, torch.nn.Linear | torch.nn.Conv2d)]
            raise refused(name, f"the model has no such layer; linear are {', '.join(linear) or 'none'}")
        layer = there[name]
        if not isinstance(layer, torch.nn.Linear | torch.nn.Conv2d):
            raise refused(name, f"is a {type(layer).__name__}, which is not linear; name a Linear or a Conv2d")
        if isinstance(layer, torch.nn.Conv2d) and layer.groups != 1:
            raise refused(name, f"is a Conv2d of {layer.groups} groups, which is several linear maps; name another")
        found[name] = layer
    return found


def model_key(model: torch.nn.Module) -> str:
    """A digest of what the model is: its structure in words, and every number in it."""
    digest = hashlib.sha256(f"{sources()}\0{torch.__version__}\0{model!r}".encode())
    for name, tensor in model.state_dict().items():
        if isinstance(tensor, torch.Tensor):
            digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\0".encode() + _bytes(tensor))
    return digest.hexdigest()


def record(
    model: torch.nn.Module,
    batches: Iterable[Any],
    layers: Sequence[str],
    folder: Path,
    *,
    part: str = "train",
    device: str | torch.device | None = None,
    told: Callable[[int], None] = lambda batch: None,
) -> dict[str, list[Path]]:
    """Run the model on every batch once, in evaluation mode, and write what enters each layer; the shards by layer.

    Parameters
    ----------
    batches
        Tensors, or tuples whose first entry is the input, or dictionaries of arguments; or one tensor or array, which
        is cut into batches.
    folder
        Where the shards are written; those of an earlier run that do not fit are deleted.
    part
        How the shards are called, ``train``, ``deploy`` or ``test``.
    device
        Where the model runs; it is put back afterwards.

    Raises
    ------
    InputError
        If a layer is none that can be recorded, gets no input, or gets NaN or infinity; or there is no batch.
    """
    chosen = checked_layers(model, layers)
    key = hashlib.sha256(json.dumps([model_key(model), list(layers), part]).encode()).hexdigest()
    progress = folder / f"{part}.json"
    groups = _kept(progress, key, folder)
    made: list[_Group] = []
    stream, count = iter(_batches(batches)), 0
    with _running(model, device) as place, _hooked(chosen) as rows:
        while True:
            # As many batches as the earlier run had in its next shard are looked at together.
            earlier = groups[len(made)] if len(made) < len(groups) else None
            waiting = list(islice(stream, earlier.batches)) if earlier else []
            if earlier and len(waiting) == earlier.batches and _same(waiting, earlier.inputs):
                made.append(earlier)
                told(count := count + len(waiting))
                continue
            groups = groups[: len(made)]
            stream = chain(waiting, stream)
            inputs, taken = hashlib.sha256(), 0
            for batch in stream:
                _run(model, batch, place)
                _digest(batch, inputs)
                taken += 1
                told(count := count + 1)
                if sum(tensor.numel() for found in rows.values() for tensor in found) >= SHARD:
                    break
            if not taken:
                break
            made.append(_Group(taken, inputs.hexdigest(), _written(folder, part, len(made), rows)))
            keep(progress, key, {"groups": [asdict(group) for group in made]})
    if not made:
        raise refused(part, "there is no batch")
    names = {name for group in made for name in group.files}
    for stray in folder.glob(f"{part}-*.safetensors"):
        if stray.name not in names:
            stray.unlink()
    return {layer: [folder / _name(part, k, at, layer) for at in range(len(made))] for k, layer in enumerate(chosen)}


def _written(folder: Path, part: str, at: int, rows: dict[str, list[torch.Tensor]]) -> dict[str, str]:
    """One shard of each layer; their digests by their names."""
    files = {}
    for k, (layer, tensors) in enumerate(rows.items()):
        if not tensors:
            raise refused(layer, "got no input: the model does not call this layer itself")
        if len({(tensor.shape[1], tensor.dtype) for tensor in tensors}) > 1:
            raise refused(layer, "gets inputs of different widths or types; record them apart")
        table = torch.cat(tensors)
        if table.dtype not in TYPES:
            raise refused(layer, f"gets {table.dtype}; float16, bfloat16, float32 and float64 are recorded")
        if not bool(torch.isfinite(table).all()):
            raise refused(layer, f"gets NaN or infinity in the {part} batches")
        path = folder / _name(part, k, at, layer)
        replace(path, save({"X": table.contiguous()}))
        files[path.name] = sha256(path)
        tensors.clear()
    return files


def _name(part: str, k: int, at: int, layer: str) -> str:
    return f"{part}-{k}-{re.sub(r'[^A-Za-z0-9._-]', '_', layer)[:64]}-{at:06}.safetensors"


def _kept(progress: Path, key: str, folder: Path) -> list[_Group]:
    """The shards of an earlier run of the same model, up to the first whose file is not whole."""
    found = kept(progress, key)
    groups = []
    for entry in found["groups"] if found else []:
        group = _Group(**entry)
        if not all((folder / name).is_file() and sha256(folder / name) == own for name, own in group.files.items()):
            break
        groups.append(group)
    return groups


@contextmanager
def _running(model: torch.nn.Module, device: str | torch.device | None) -> Iterator[torch.device | None]:
    """The model in evaluation mode, on the device; afterwards as it was. The device of inputs."""
    modes = {module: module.training for module in model.modules()}
    first = next((tensor.device for tensor in (*model.parameters(), *model.buffers())), None)
    model.eval()
    try:
        if device is not None:
            model.to(device)
        with torch.no_grad():
            yield torch.device(device) if device is not None else first
    finally:
        if device is not None and first is not None:
            model.to(first)
        for module, mode in modes.items():
            module.training = mode


@contextmanager
def _hooked(layers: dict[str, torch.nn.Module]) -> Iterator[dict[str, list[torch.Tensor]]]:
    """Rows of each layer, as they come in."""
    rows: dict[str, list[torch.Tensor]] = {name: [] for name in layers}

    def hook(name: str) -> Callable[[torch.nn.Module, Any, Any], None]:
        def see(layer: torch.nn.Module, args: Any, kwargs: Any) -> None:
            entering = args[0] if args else kwargs["input"]
            rows[name].append(_rows(layer, entering.detach()).cpu())

        return see

    with ExitStack() as stack:
        for name, layer in layers.items():
            handle = layer.register_forward_pre_hook(hook(name), with_kwargs=True)
            stack.callback(handle.remove)
        yield rows


def _rows(layer: torch.nn.Module, entering: torch.Tensor) -> torch.Tensor:
    """What enters the layer, as rows in which it is linear."""
    if not isinstance(layer, torch.nn.Conv2d):
        return entering.reshape(-1, entering.shape[-1]).clone()
    images = entering if entering.dim() == 4 else entering[None]
    mode = "constant" if layer.padding_mode == "zeros" else layer.padding_mode
    padded = torch.nn.functional.pad(images, layer._reversed_padding_repeated_twice, mode=mode)
    patches = torch.nn.functional.unfold(padded, layer.kernel_size, layer.dilation, 0, layer.stride)
    return patches.transpose(1, 2).reshape(-1, patches.shape[1])


def _batches(batches: Iterable[Any]) -> Iterable[Any]:
    if isinstance(batches, np.ndarray):
        batches = torch.from_numpy(batches)
    return torch.split(batches, BATCH) if isinstance(batches, torch.Tensor) else batches


def _run(model: torch.nn.Module, batch: Any, device: torch.device | None) -> None:
    if isinstance(batch, dict):
        model(**{name: _moved(value, device) for name, value in batch.items()})
    else:
        model(_moved(batch[0] if isinstance(batch, tuple | list) else batch, device))


def _moved(value: Any, device: torch.device | None) -> Any:
    return value.to(device) if isinstance(value, torch.Tensor) and device is not None else value


def _same(batches: Sequence[Any], stated: str) -> bool:
    """Whether these inputs are those of a shard."""
    digest = hashlib.sha256()
    for batch in batches:
        _digest(batch, digest)
    return digest.hexdigest() == stated


def _digest(batch: Any, digest: "hashlib._Hash") -> None:
    """Take the inputs of a batch into account."""
    entries = sorted(batch.items()) if isinstance(batch, dict) else [("", batch)]
    for name, value in entries:
        entry = value[0] if isinstance(value, tuple | list) else value
        if isinstance(entry, torch.Tensor):
            digest.update(f"{name} {entry.dtype} {tuple(entry.shape)}\0".encode() + _bytes(entry))
        else:
            digest.update(f"{name} {entry!r}\0".encode())


def _bytes(tensor: torch.Tensor) -> bytes:
    return tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes()

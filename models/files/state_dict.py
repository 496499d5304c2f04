"""State dictionaries: weights and biases under names; names and shapes settle the layers' order, or it is refused.

No activation is stored in one, so the caller says it; that the layers are one chain is an assumption, and reported so.
"""

from collections.abc import Mapping

import numpy as np

from proof_of_absence.models.files.chain import Chain
from proof_of_absence.models.files.disk import refused
from proof_of_absence.models.files.order import NAMING, among_norms, ordered, without_prefix
from proof_of_absence.models.floatnet import FloatNet
from proof_of_absence.models.steps import Added, Place

__all__ = ["TRACKED", "net_of"]

# Of BatchNorm1d, where it is told none; and what it counts, which plays no part when it is used.
EPSILON = 1e-5
TRACKED = "num_batches_tracked"
NORMS = (
    "BatchNorm is taken with epsilon 1e-5: an assumption, since a state dictionary does not say it.",
    "Where a number is left out beside a BatchNorm, ReLU is taken to stand: the numbers are places in a Sequential.",
)
# Letters in a name.
LONGEST = 500
ASK = (
    "a state dictionary does not say what stands between its layers; if it is ReLU, and nothing else, say so with "
    "--activation relu (activation='relu' in Python), or save the net as ONNX, which says it"
)
ASSUMED = "an assumption (activation relu, given by the caller): a state dictionary does not say it"


def net_of(
    source: object, arrays: Mapping[str, np.ndarray], *, activation: str | None = None, checked: bool = False
) -> FloatNet:
    """The net of the arrays `<name>.weight` (fan-out, fan-in) and `<name>.bias` (fan-out); a missing bias is 0.

    The order is told by numbers in the names (``net.2`` before ``net.10``), by names such as ``input``, ``hidden``,
    ``out``, and by the shapes. float16 counts as float32, which holds it; of two types the wider is taken.

    A BatchNorm is known by its `running_mean` and `running_var`. Its epsilon is not in the dictionary: it is taken for
    the 1e-5 that torch takes if told nothing, and a note says so.

    Parameters
    ----------
    activation
        ``relu``; without it the dictionary is refused.
    checked
        As in `read_net`: what may be no single chain is read as one, its order told by the file where all else fails.

    Raises
    ------
    InputError
        If no activation is given, a key is no weight or bias, the order stays open, the names may mean blocks, heads or
        several nets, shapes do not fit, or entries are not finite floats.

    Examples
    --------
    >>> net_of("net", {"2.weight": np.ones((1, 3)), "0.weight": np.ones((3, 2))}, activation="relu").widths
    (2, 3, 1)
    """
    arrays = without_prefix(arrays)
    names, norms = _names(source, arrays)
    for key in (_keys(name)[0] for name in names):
        if (dimensions := arrays[key].ndim) != 2:
            raise refused(source, f"{key} has {dimensions} dimensions; only linear layers, with 2, are audited")
    names, told = ordered(source, {name: arrays[_keys(name)[0]].shape for name in names}, checked=checked)
    order = among_norms(source, names, norms) if norms else [(name, bool(place)) for place, name in enumerate(names)]
    types = {array.dtype.newbyteorder("=") for key, array in arrays.items() if not key.endswith(TRACKED)}
    if not types <= {np.dtype(np.float16), np.dtype(np.float32), np.dtype(np.float64)}:
        raise refused(source, f"holds {', '.join(sorted(map(str, types)))}; convert the weights to float32 or float64")
    if activation is None:
        raise refused(source, ASK)
    chain = Chain(source, np.result_type(np.float32, *types), ASSUMED)
    chain.notes.append(told)
    if len(types) > 1 or np.dtype(np.float16) in types:
        chain.notes.append(
            f"Weights of type {' and '.join(sorted(map(str, types)))} are taken as {chain.dtype}, exactly."
        )
    chain.notes.extend(NORMS if norms else ())
    for name, relu in order:
        of_weights, of_bias = _keys(name)
        if relu:
            chain.relu("ReLU (assumed)")
        if name in norms:
            _normalise(chain, name, arrays)
            continue
        weights = arrays[of_weights]
        bias = arrays.get(of_bias, np.zeros(len(weights)))
        if bias.shape != weights.shape[:1]:
            raise refused(source, f"{of_bias} has shape {bias.shape}, its weights {weights.shape}")
        wide = weights.astype(np.float64), bias.astype(np.float64)
        added = (
            Added(Place(of_bias, 0, bias.shape), wide[1], bias.dtype.newbyteorder("=")) if of_bias in arrays else None
        )
        place, kind = Place(of_weights, 0, weights.shape), weights.dtype.newbyteorder("=")
        lie = (added.place,) if added else ()
        chain.affine(*wide, f"layer {name!r}", place=place, added=added, dtype=kind, lie=lie)
    return chain.net()


def _normalise(chain: Chain, name: str, arrays: Mapping[str, np.ndarray]) -> None:
    """Take a BatchNorm into the chain; without weight and bias these are 1 and 0."""
    of_weights, of_bias = _keys(name)
    mean, variance = (arrays[f"{of_weights.removesuffix('weight')}running_{kind}"] for kind in ("mean", "var"))
    factor, constant = arrays.get(of_weights, np.ones_like(mean)), arrays.get(of_bias, np.zeros_like(mean))
    if any(array.ndim != 1 for array in (mean, variance, factor, constant)):
        raise refused(chain.source, f"the BatchNorm {name!r} has a value that is no vector; use ONNX")
    kind = constant.dtype.newbyteorder("=")
    mean, variance, factor, constant = (array.astype(np.float64) for array in (mean, variance, factor, constant))
    added = Added(Place(of_bias, 0, constant.shape), constant, kind) if of_bias in arrays else None
    stem = of_weights.removesuffix("weight")
    held = [key for key in (of_weights, of_bias, f"{stem}running_mean", f"{stem}running_var") if key in arrays]
    lie = tuple(Place(key, 0, mean.shape) for key in held)
    chain.normalise(mean, variance, EPSILON, factor, constant, f"layer {name!r} (BatchNorm)", added=added, lie=lie)


def _keys(name: str) -> tuple[str, str]:
    prefix = f"{name}." if name else ""
    return f"{prefix}weight", f"{prefix}bias"


def _names(source: object, arrays: Mapping[str, np.ndarray]) -> tuple[list[str], list[str]]:
    """The linear layers in the order of the file, and the BatchNorms."""
    names: list[str] = []
    norms = [key.rpartition(".")[0] for key in arrays if key.rpartition(".")[2] == "running_mean"]
    for key in arrays:
        if len(key) > LONGEST:
            raise refused(source, f"has a name of {len(key)} letters; {NAMING}")
        name, _, kind = key.rpartition(".")
        if kind in ("weight_orig", "weight_mask", "bias_orig", "bias_mask"):
            raise refused(
                source, f"{key} is of a pruned layer; call torch.nn.utils.prune.remove(layer, 'weight') first"
            )
        if name in norms and kind in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked"):
            continue
        if kind not in ("weight", "bias"):
            raise refused(source, f"{key} is no weight or bias of a linear layer; {NAMING}")
        if _keys(name)[0] not in arrays:
            raise refused(source, f"{key} has no {_keys(name)[0]} beside it; {NAMING}")
        if name not in names:
            names.append(name)
    if not names:
        raise refused(source, f"holds no layer; {NAMING}")
    for name in norms:
        if (missing := f"{name}.running_var".removeprefix(".")) not in arrays:
            raise refused(source, f"the BatchNorm {name!r} has no {missing}; save module.state_dict() whole")
    return names, norms

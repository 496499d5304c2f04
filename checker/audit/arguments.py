"""What is given in Python: a network in any of its forms, rows of numbers, and targets with their loss.

`audit`, `harden` and `Reassignment` read their arguments here, so that all of them take the same.
"""

import math
import os
from typing import Any

import numpy as np

from proof_of_absence.models.files import read_net, read_network
from proof_of_absence.models.files.chain import exact_array
from proof_of_absence.models.files.disk import InputError, refused
from proof_of_absence.models.floatnet import FloatNet
from proof_of_absence.models.graph import Graph
from proof_of_absence.models.layers import Affine, FloatAffine, FloatLayer, RationalAffine
from proof_of_absence.models.net import MLP
from proof_of_absence.models.objective import Objective, objective, split

__all__ = ["aim_of", "float_rows", "net_of_model", "network_of_model", "row_shape"]


def aim_of(net: FloatNet | Graph, Y: Any, loss: str | None) -> Objective:
    """The loss that is meant for these targets, as `audit` takes both.

    Raises
    ------
    InputError
        As `audit`.
    """
    outputs = net.sizes[-1] if isinstance(net, Graph) else net.widths[-1]
    if Y is None:
        return objective(outputs, None, None, loss)
    rows = float_rows("Y", Y, column=True)
    # Whether they are labels is told by the type that they had.
    kind = np.asarray(Y.detach().cpu() if hasattr(Y, "detach") else Y).dtype.kind
    return objective(outputs, *split(rows.astype(np.int64) if kind in "iub" else rows), loss)


def network_of_model(
    model: Any, activation: str | None = None, *, checked: bool = False, shape: tuple[int, ...] = ()
) -> FloatNet | Graph:
    """As `net_of_model`, but for what is no chain of dense layers too.

    Parameters
    ----------
    shape
        Of one input, which a torch module that is no such chain is followed with; see `row_shape`.

    Raises
    ------
    InputError
        If it is neither.
    """
    if isinstance(model, Graph):
        return model
    if isinstance(model, str | os.PathLike):
        return read_network(model, activation=activation, checked=checked)
    try:
        net = net_of_model(model, activation, checked=checked)
    except InputError:
        # Without a shape, or where it is no module of torch, there is no other way to read it.
        if not shape or not hasattr(model, "state_dict"):
            raise
        return _graph_of(model, shape)
    # A dense chain may be meant for each token by itself.
    tokens = len(shape) > 1 and net.widths[0] != math.prod(shape) and net.widths[0] == shape[-1]
    return _graph_of(model, shape) if tokens and hasattr(model, "state_dict") else net


def _graph_of(module: Any, shape: tuple[int, ...]) -> Graph:
    from proof_of_absence.models.files.torch_graph import read_module

    return read_module(module, shape)


def row_shape(values: Any) -> tuple[int, ...]:
    """The shape of one row of an array, a tensor or nested lists; empty where there is none."""
    try:
        return tuple(map(int, np.shape(values)[1:]))
    # Ragged lists have no shape; `float_rows` says so.
    except (TypeError, ValueError, RuntimeError):
        return ()


def net_of_model(model: Any, activation: str | None = None, *, checked: bool = False) -> FloatNet:
    """The net of what `audit` takes as a model.

    Raises
    ------
    InputError
        If it is no fully connected ReLU net.
    """
    if isinstance(model, FloatNet):
        return model
    if isinstance(model, str | os.PathLike):
        return read_net(model, activation=activation, checked=checked)
    if isinstance(model, MLP):
        return FloatNet(map(_in_floats, model.layers))
    from proof_of_absence.models.files.torch_state import from_module

    return from_module(model, functional=True)


def _in_floats(layer: Affine) -> FloatLayer:
    """The layer in floats where they hold it, in rationals elsewhere."""
    rows = [(*row, b) for row, b in zip(layer.weights, layer.bias, strict=True)]
    floats = exact_array((x for row in rows for x in row), (len(rows), len(rows[0])), np.dtype(np.float64))
    if floats is not None:
        return FloatAffine(floats[:, :-1], floats[:, -1])
    divisor = math.lcm(*(x.denominator for row in rows for x in row))
    try:
        return RationalAffine.of(np.array([[int(x * divisor) for x in row] for row in rows], dtype=object), divisor)
    except ValueError as error:
        raise refused("the net", error) from error


def float_rows(name: str, values, *, column: bool = False) -> np.ndarray:
    """The values as float64, shape (rows, columns), each the very number that was given; messages call them `name`.

    With `column` one axis is taken as a column. Truth values are 0 and 1.

    Raises
    ------
    InputError
        If they are no finite array of numbers, or float64 does not hold them.
    """
    if hasattr(values, "detach"):
        values = values.detach().cpu()
    if isinstance(values, np.ma.MaskedArray):
        if values.mask.any():
            raise refused(name, "has masked entries; fill them (.filled(...)) or leave their rows out")
        values = values.data
    try:
        # numpy has no bfloat16; float32 holds it.
        values = values.float() if str(getattr(values, "dtype", "")) == "torch.bfloat16" else values
        array = np.asarray(values)
    except (TypeError, ValueError, RuntimeError) as error:
        raise refused(name, f"is no array of numbers: {error}") from error
    if column and array.ndim == 1:
        array = array[:, None]
    if array.ndim < 2 or not array.size:
        raise refused(name, f"has shape {array.shape}; it takes (rows, columns), at least one of each")
    if array.dtype.kind not in "iufb" or array.dtype.itemsize > 8:
        raise refused(name, f"is of type {array.dtype}; convert it to float64")
    floats = array.reshape(len(array), -1).astype(np.float64)
    if not np.isfinite(floats).all():
        raise refused(name, "holds NaN or infinity")
    if array.dtype.kind in "iu" and (np.abs(floats) >= 2.0**53).any():
        raise refused(name, "holds an integer that float64 does not; convert it to float64 yourself")
    return floats

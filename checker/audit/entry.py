"""`proof_of_absence.audit`: the audit for those who have a model and arrays in Python;
see `proof_of_absence.checker.audit.command` for files.
"""

import os
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path

import numpy as np

from proof_of_absence.checker.audit.engine import Region, box_of, examine, read_region
from proof_of_absence.checker.audit.findings import Audit
from proof_of_absence.checker.audit.folder import STAGES, write_folder
from proof_of_absence.checker.numbers.deadline import Deadline, within
from proof_of_absence.models.files import read_net
from proof_of_absence.models.files.disk import refused
from proof_of_absence.models.floatnet import FloatNet
from proof_of_absence.models.net import MLP

__all__ = ["audit", "float_rows"]


def audit(
    model,
    X,
    Y,
    deploy=None,
    *,
    regions: Iterable[str | os.PathLike | Region] = (),
    region_from_data: bool = False,
    seconds: float | None = 60,
    output: str | os.PathLike | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
    progress: Callable[[str], None] = lambda stage: None,
) -> Audit:
    """Audit a trained ReLU net: train-idle circuits, where they fire, what they cost, and a net with a lower loss.

    Parameters
    ----------
    model
        A ``torch.nn.Module`` of Linear and ReLU layers, a `FloatNet`, an `MLP` whose weights are float64 numbers, or
        the path of a .onnx, .safetensors, .pt or .pth file.
    X, Y, deploy
        Training inputs (N, d) and targets (N, m), deployment inputs (D, d): numpy arrays, torch tensors or nested
        lists. Further axes are flattened; targets of one axis are a column.
    regions
        Boxes on which idle circuits must not act: paths of VNN-LIB files, or `Region`.
    region_from_data
        Also take the bounding box of the training inputs.
    seconds
        Wall-clock time for the whole audit; what is open then is `undecided`. None for no limit.
    output
        A folder for the JSON and HTML reports and the improved net; nothing is written without it.
    workers, scheduler
        As many processes of this machine, or the workers of the dask scheduler at this address, take part. Processes
        import the script that starts them, so call this under ``if __name__ == "__main__":`` there.

    Raises
    ------
    InputError
        If the model is no fully connected ReLU net, or the arrays are not finite or do not fit it.

    Examples
    --------
    >>> import proof_of_absence
    >>> net = FloatNet([([[1.0], [1.0]], [0.0, -9.0]), ([[1.0, 5.0]], [0.0])])
    >>> found = proof_of_absence.audit(net, [[0.0], [1.0], [2.0]], [0.0, 1.0, 1.0], deploy=[[2.0], [10.0]])
    >>> found.exit_code, found.findings[0], found.circuits[0].fires
    (1, 'circuit {1.1} is train-idle', (1,))
    """
    deadline = Deadline(seconds)
    net = _net(model)
    inputs, targets = float_rows("X", X), float_rows("Y", Y, column=True)
    deployed = None if deploy is None else float_rows("deploy", deploy)
    boxes = [region if isinstance(region, Region) else read_region(region) for region in regions]
    if region_from_data:
        boxes.append(box_of(inputs))
    folder = None if output is None else Path(output)
    with ExitStack() as stack:
        client = None
        if workers is not None or scheduler is not None:
            try:
                from proof_of_absence.checker.screen.cluster import cluster
            except ImportError as error:
                raise ImportError(
                    "workers need dask.distributed: pip install 'proof-of-absence[distributed]'"
                ) from error
            client = stack.enter_context(cluster(scheduler, workers))
        outcome = examine(
            net, inputs, targets, deploy=deployed, regions=boxes, deadline=deadline, progress=progress, client=client,
            keep=folder and folder / STAGES, written=folder is not None,
        )  # fmt: skip
    if folder is None:
        return outcome.audit
    with within(deadline):
        return write_folder(folder, outcome)


def _net(model) -> FloatNet:
    if isinstance(model, FloatNet):
        return model
    if isinstance(model, str | os.PathLike):
        return read_net(model)
    if isinstance(model, MLP):
        layers = [(_floats(layer.weights), _floats([layer.bias])[0]) for layer in model.layers]
        return FloatNet(layers)
    from proof_of_absence.models.files.torch_state import from_module

    return from_module(model)


def _floats(rows: Iterable[Iterable[Fraction]]) -> np.ndarray:
    try:
        array = np.array([[float(entry) for entry in row] for row in rows])
    except OverflowError:
        array = None
    if array is None or any(
        Fraction(near) != entry
        for line, row in zip(array.tolist(), rows, strict=True)
        for near, entry in zip(line, row, strict=True)
    ):
        raise refused("the net", "has a weight that is no float64; audits are of float networks")
    return array


def float_rows(name: str, values, *, column: bool = False) -> np.ndarray:
    """The values as float64, shape (rows, columns), each the very number that was given; messages call them `name`.

    Raises
    ------
    InputError
        If they are no finite array of numbers, or float64 does not hold them.
    """
    if hasattr(values, "detach"):
        values = values.detach().cpu()
    try:
        array = np.asarray(values)
    except (TypeError, ValueError, RuntimeError) as error:
        raise refused(name, f"is no array of numbers: {error}") from error
    if column and array.ndim == 1:
        array = array[:, None]
    if array.ndim < 2 or not array.size:
        raise refused(name, f"has shape {array.shape}; it takes (rows, columns), at least one of each")
    if array.dtype.kind not in "iuf" or array.dtype.itemsize > 8:
        raise refused(name, f"is of type {array.dtype}; convert it to float64")
    floats = array.reshape(len(array), -1).astype(np.float64)
    if not np.isfinite(floats).all():
        raise refused(name, "holds NaN or infinity")
    if array.dtype.kind in "iu" and (np.abs(floats) >= 2.0**53).any():
        raise refused(name, "holds an integer that float64 does not; convert it to float64 yourself")
    return floats

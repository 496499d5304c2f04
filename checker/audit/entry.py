"""`proof_of_absence.audit`: the audit for those who have a model and arrays in Python;
see `proof_of_absence.checker.audit.command` for files.
"""

import os
import warnings
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, overload

from proof_of_absence.checker.audit.arguments import aim_of, float_rows, network_of_model, row_shape
from proof_of_absence.checker.audit.beyond import no_part
from proof_of_absence.checker.audit.engine import examine
from proof_of_absence.checker.audit.findings import Audit
from proof_of_absence.checker.audit.folder import write_folder
from proof_of_absence.checker.audit.guard import guard, owner
from proof_of_absence.checker.audit.outputs import agreeing, fitting
from proof_of_absence.checker.audit.readout import move_of, penalty_of
from proof_of_absence.checker.graph.command import Asked, audit_graph
from proof_of_absence.checker.graph.findings import GraphAudit
from proof_of_absence.checker.kernel.fuller import FullerReport
from proof_of_absence.checker.kernel.kept import content_key
from proof_of_absence.checker.kernel.stages import STAGES
from proof_of_absence.checker.numbers.deadline import Deadline, within
from proof_of_absence.checker.recorded.findings import RecordedAudit
from proof_of_absence.checker.region.boxes import Region, box_of, read_regions
from proof_of_absence.models.files.data import require_order
from proof_of_absence.models.files.disk import refused
from proof_of_absence.models.floatnet import FloatNet
from proof_of_absence.models.graph import Graph
from proof_of_absence.models.net import MLP
from proof_of_absence.models.rational import Number

__all__ = ["audit"]


@overload
def audit(
    model: FloatNet | MLP,
    X: Any,
    Y: Any = None,
    deploy: Any = None,
    *,
    loss: str | None = None,
    regions: Iterable[str | os.PathLike[str] | Region] | str | os.PathLike[str] | Region = (),
    region_from_data: bool = False,
    seconds: float | None = 60,
    output: str | os.PathLike[str] | None = None,
    force: bool = False,
    workers: int | None = None,
    scheduler: str | None = None,
    activation: str | None = None,
    outputs: Any = None,
    test: Any = None,
    move: Number | None = None,
    ridge: Number = 0,
    layers: None = None,
    progress: Callable[[str], None] = ...,
) -> Audit: ...


@overload
def audit(
    model: Graph,
    X: Any,
    Y: Any = None,
    deploy: Any = None,
    *,
    loss: str | None = None,
    regions: Iterable[str | os.PathLike[str] | Region] | str | os.PathLike[str] | Region = (),
    region_from_data: bool = False,
    seconds: float | None = 60,
    output: str | os.PathLike[str] | None = None,
    force: bool = False,
    layers: None = None,
    progress: Callable[[str], None] = ...,
) -> GraphAudit: ...


@overload
def audit(
    model: Any,
    X: Any,
    Y: Any = None,
    deploy: Any = None,
    *,
    loss: str | None = None,
    regions: Iterable[str | os.PathLike[str] | Region] | str | os.PathLike[str] | Region = (),
    region_from_data: bool = False,
    seconds: float | None = 60,
    output: str | os.PathLike[str] | None = None,
    force: bool = False,
    workers: int | None = None,
    scheduler: str | None = None,
    activation: str | None = None,
    outputs: Any = None,
    test: Any = None,
    move: Number | None = None,
    ridge: Number = 0,
    layers: None = None,
    progress: Callable[[str], None] = ...,
) -> Any: ...


@overload
def audit(
    model: Any,
    X: Any,
    *,
    deploy: Any = None,
    output: str | os.PathLike[str] | None = None,
    force: bool = False,
    workers: int | None = None,
    scheduler: str | None = None,
    layers: Sequence[str],
    device: Any = None,
    test: Any = None,
    ridge: Number = 0,
    move: Number = 1,
    progress: Callable[[str], None] = ...,
) -> RecordedAudit: ...


def audit(
    model: Any,
    X: Any,
    Y: Any = None,
    deploy: Any = None,
    *,
    loss: str | None = None,
    regions: Iterable[str | os.PathLike[str] | Region] | str | os.PathLike[str] | Region = (),
    region_from_data: bool = False,
    seconds: float | None = 60,
    output: str | os.PathLike[str] | None = None,
    force: bool = False,
    workers: int | None = None,
    scheduler: str | None = None,
    activation: str | None = None,
    outputs: Any = None,
    test: Any = None,
    move: Number | None = None,
    ridge: Number = 0,
    layers: Sequence[str] | None = None,
    device: Any = None,
    progress: Callable[[str], None] = lambda stage: None,
) -> Audit | RecordedAudit | GraphAudit:
    """Audit a trained network: what sleeps in training, where it fires, what moving an answer costs, a lower loss.

    Parameters
    ----------
    model
        A ``torch.nn.Module`` of Linear and ReLU layers, also as its forward method calls them, a `FloatNet`, an `MLP`
        whose weights are float64 numbers, or the path of a .onnx, .safetensors, .pt or .pth file. Softmax or
        LogSoftmax at the end is left off. A `Graph`, or an ONNX file or a module of convolutions, pools, sums and the
        like, is audited as such: what comes back is a `GraphAudit`. A module then reads inputs of the shape of X.
    X, Y, deploy
        Training inputs (N, d) and targets (N, m), deployment inputs (D, d): numpy arrays, torch tensors or nested
        lists. Further axes are flattened; targets of one axis are a column, class labels if they are integers or truth
        values. Without Y nothing about a loss is asked.
    loss
        ``"squared"``, the mean squared error, ``"cross-entropy"``, of the softmax, or ``"logistic"``, of one output. By
        default cross-entropy for class labels and squared for numbers; one-hot rows, and labels 0 and 1 for one output,
        need it said.
    regions
        Boxes on which idle circuits must not act: paths of VNN-LIB files, or `Region`; one of them, or several.
    region_from_data
        Also take the bounding box of the training inputs.
    seconds
        Wall-clock time for the whole audit; what is open then is `undecided`. None for no limit.
    output
        A folder for the JSON and HTML reports and the improved net; nothing is written without it. A report there on
        the same question that decided more stays, with a warning.
    force
        Replace the audit of another net in that folder, or one of the same that decided more, or write among other
        files there; a file that is read never is.
    workers, scheduler
        As many processes of this machine, or the workers of the dask scheduler at this address, take part. Processes
        import the script that starts them, so call this under ``if __name__ == "__main__":`` there.

    activation
        What stands between the layers of a state dictionary in a file, which does not say it: ``relu``.
    outputs
        The network's own outputs (N, m) on X, from float32 or float64: what was read must agree with them.
    test
        Clean test inputs (T, d): their readout prices are told beside those of the others.
    move, ridge
        By how much an answer is moved, for the readout prices, and the ridge penalty on output weights. By default the
        least move that changes the class, or by 1 if there is one output or with `layers`; and no penalty.
    layers
        Names of Linear and Conv2d layers of any ``torch.nn.Module``: what enters them is recorded and audited, and what
        comes back is a `RecordedAudit`. X, `deploy` and `test` are then loaders: batches of inputs, tuples whose first
        entry is the input, or dictionaries of arguments. Nothing is said of a loss or a region.
    device
        With `layers`: where the model runs.

    Raises
    ------
    InputError
        If the model is no fully connected ReLU net, the arrays are not finite or do not fit it, both losses suit the
        targets and none was named, or the outputs are others than the net's.
    OutOfTime
        If the time is over before the outputs are compared: which net it is then is not known.

    Examples
    --------
    >>> import proof_of_absence
    >>> net = FloatNet([([[1.0], [1.0]], [0.0, -9.0]), ([[1.0, 5.0]], [0.0])])
    >>> found = proof_of_absence.audit(net, [[0.0], [1.0], [2.0]], [0.0, 1.0, 1.0], deploy=[[2.0], [10.0]])
    >>> found.exit_code, found.findings[0], found.circuits[0].fires
    (1, 'circuit {1.1} is train-idle', (1,))
    """
    by, penalty = move_of("move", move), penalty_of("ridge", ridge)
    if layers is not None:
        from proof_of_absence.checker.recorded.entry import audit_layers

        named = {"Y": Y, "loss": loss, "activation": activation, "outputs": outputs,
                 "regions": regions or None, "region_from_data": region_from_data or None}  # fmt: skip
        also = [name for name, value in named.items() if value is not None]
        if also:
            raise refused(also[0], "has no part in an audit of recorded activations (layers=...)")
        return audit_layers(
            model, X, layers, deploy=deploy, test=test, ridge=penalty, move=by or 1, output=output, force=force,
            workers=workers, scheduler=scheduler, device=device, progress=progress,
        )  # fmt: skip
    deadline = Deadline(seconds)
    network = network_of_model(model, activation, checked=outputs is not None, shape=row_shape(X))
    inputs, aim = float_rows("X", X), aim_of(network, Y, loss)
    deployed = None if deploy is None else float_rows("deploy", deploy)
    asked = [regions] if isinstance(regions, str | os.PathLike | Region) else list(regions)
    boxes = [box for one in asked for box in ([one] if isinstance(one, Region) else read_regions(one))]
    if region_from_data:
        boxes.append(box_of(inputs))
    folder = None if output is None else Path(output)
    read = [model] if isinstance(model, str | os.PathLike) else []
    read += [one for one in asked if not isinstance(one, Region)]
    if isinstance(network, Graph):
        for name, values in (("X", X), ("deploy", deploy)):
            require_order(name, row_shape(values), network.input_shape)
        no_part(network, {"activation": activation, "outputs": outputs, "test": test,
                          "ridge": penalty or None, "workers": workers, "scheduler": scheduler})  # fmt: skip
        if folder is not None:
            guard(folder, map(Path, read), content_key(network), force=force)
        wanted = Asked(network, inputs, aim, deployed, tuple(boxes), model=model, move=by)
        whose = owner(content_key(network))
        found, stands = audit_graph(wanted, deadline, folder, whose, force=force, progress=progress)
        if stands:
            warnings.warn(str(stands), stacklevel=2)
        return found
    net = network
    tested = None if test is None else float_rows("test", test)
    if outputs is not None:
        with within(deadline):
            net = agreeing(net, fitting(net, inputs, "X"), float_rows("outputs", outputs, column=True), "outputs")
    if folder is not None:
        guard(folder, map(Path, read), content_key(net), force=force)
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
            net, inputs, aim, deploy=deployed, test=tested, move=by, penalty=penalty, regions=boxes,
            deadline=deadline, progress=progress, client=client,
            keep=folder and folder / STAGES, written=folder is not None,
        )  # fmt: skip
    if folder is None:
        return outcome.audit
    with within(deadline):
        try:
            source = Path(model) if isinstance(model, str | os.PathLike) else None
            return write_folder(folder, outcome, source=source, force=force)
        except FullerReport as fuller:
            warnings.warn(str(fuller), stacklevel=2)
            return outcome.audit

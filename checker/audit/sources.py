"""The files that were audited, read anew where they lie: weights and rows are the certificate's, to the last bit.

A file is looked for under its recorded name beside the folder and in the working directory; another digest is another.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple, Protocol, assert_never

import numpy as np

from proof_of_absence.checker.audit.findings import NetSummary
from proof_of_absence.checker.audit.seen import Seen
from proof_of_absence.checker.independent.refusal import Refused, require
from proof_of_absence.checker.independent.results.subject import Subject
from proof_of_absence.checker.independent.values import steps as unshared
from proof_of_absence.checker.independent.values.floats import Exact
from proof_of_absence.checker.independent.values.floats import FloatNet as Unshared
from proof_of_absence.checker.kernel.kept import content_key
from proof_of_absence.models.files import InputError, read_net
from proof_of_absence.models.files.data import read_data
from proof_of_absence.models.files.disk import sha256
from proof_of_absence.models.floatnet import FloatNet
from proof_of_absence.models.layers import FloatAffine, FloatLayer, RationalAffine, same_layer
from proof_of_absence.models.objective import OPTIONS, objective
from proof_of_absence.models.steps import Dense, Op, Scale, Shift, Steps

__all__ = [
    "Given",
    "Recorded",
    "Rows",
    "compare_data",
    "compare_inputs",
    "compare_net",
    "digest_of",
    "layers_of",
    "lies",
    "located",
    "own_net",
    "same_layers",
    "steps_of",
]

# What a net and data are called that were given in Python, and how `outputs.agreeing` begins its note.
IN_PYTHON = ("net", "data")
COMPARED = "The outputs in "
SHOWN = 12


@dataclass(frozen=True)
class Given:
    """Files that are to be compared with what was audited; those that are None are looked for."""

    net: Path | None = None
    train: Path | None = None
    deploy: Path | None = None
    test: Path | None = None


def compare_net(folder: Path, told: NetSummary, subject: Subject, given: Given, seen: Seen) -> None:
    """The audited net: its file has the recorded digest and, read anew, the weights of the certificate.

    Raises
    ------
    Refused
        If it is another file, or read as another net.
    InputError
        If a given file cannot be read.
    """
    own = own_net(subject, told)
    if told.source == IN_PYTHON[0]:
        require(content_key(own) == told.sha256, f"{folder / 'report.json'}: the digest is not that of the net")
        seen.about.append(f"a net given in Python (digest {told.sha256[:SHOWN]}…)")
        if given.net is not None:
            same_layers(_read(given.net), subject.net, "the audited net", given.net)
            seen.agree.append(str(given.net))
        return
    path = located(folder, Recorded(told.source, told.sha256), given.net, "the net", seen)
    if path is None:
        seen.about.append("the net of net.npz")
        return
    notes = told.reading.notes if told.reading else ()
    compared = [note for note in notes if note.startswith(COMPARED)]
    net = _read(path, checked=bool(compared))
    same_layers(net, subject.net, "the audited net", path)
    require(net.dtype.name == told.dtype, f"{path}: is of {net.dtype}, and the report says {told.dtype}")
    plain = told.reading and replace(told.reading, notes=tuple(note for note in notes if note not in compared))
    require(net.reading == plain, f"{path}: is read in another way than the report says")
    seen.about.append(f"{path.name} (sha256 {told.sha256[:SHOWN]}…)")
    if compared:
        seen.unseen.append("the network's own outputs")


class Told(Protocol):
    """What a report says of training data."""

    @property
    def source(self) -> str: ...
    @property
    def sha256(self) -> str: ...
    @property
    def loss_name(self) -> str: ...
    @property
    def loss_reason(self) -> str: ...


class Rows(NamedTuple):
    """Training inputs (N, d), their targets (N, m) if there are some, and how many outputs the net has."""

    train: np.ndarray
    targets: np.ndarray | None
    outputs: int


def compare_data(folder: Path, told: Told, rows: Rows, given: Given, seen: Seen) -> None:
    """The training data: the file has the recorded digest, and the rows, the targets and the loss that were audited.

    Raises
    ------
    Refused, InputError
        As `compare_net`.
    """
    recorded = None if told.source == IN_PYTHON[1] else Recorded(told.source, told.sha256)
    if recorded is None:
        arrays = rows.train, *(() if rows.targets is None else (rows.targets,))
        require(content_key(*arrays) == told.sha256, f"{folder / 'report.json'}: the digest is not that of the data")
        seen.about.append("data given in Python")
        if given.train is None:
            return
    path = located(folder, recorded, given.train, "the training data", seen)
    if path is None:
        seen.about.append("the rows of the certificate")
        return
    data = read_data(path, optional=True)
    require(np.array_equal(data.inputs, rows.train), f"{path}: its inputs are not those that were audited")
    asked = next((name for name, loss in OPTIONS.items() if loss == told.loss_name), None)
    asked = asked if told.loss_reason.endswith("(asked for)") or "(asked for)" in told.loss_reason else None
    try:
        aim = objective(rows.outputs, data.targets, data.labels, asked)
    except InputError as error:
        raise Refused(f"{path}: its targets are not those of the report's loss: {error}") from error
    same = (aim.targets is None) == (rows.targets is None)
    if aim.targets is not None and rows.targets is not None:
        same = same and np.array_equal(aim.targets, rows.targets)
    require(same, f"{path}: its targets are not those that were audited")
    if recorded is not None:
        name = "" if aim.loss is None else str(aim.loss)
        require((name, aim.reason) == (told.loss_name, told.loss_reason), f"{path}: its targets mean another loss")
    seen.about.append(path.name)


def compare_inputs(
    folder: Path, kind: str, told: dict[str, Any] | None, rows: np.ndarray | None, path: Path | None, seen: Seen
) -> None:
    """The deployment or the test inputs: the file, if its digest is the recorded one, has the rows that were audited.

    `kind` is which of them, `path` a file that is given for them.

    Raises
    ------
    Refused, InputError
        As `compare_net`.
    """
    if rows is None:
        require(path is None, f"{path}: no {kind} inputs were looked at")
        return
    path = located(folder, Recorded.of(told), path, f"the {kind} inputs", seen)
    if path is None:
        return
    inputs = read_data(path, targets=False).inputs
    require(np.array_equal(inputs, rows), f"{path}: its inputs are not those that were looked at")
    seen.about.append(path.name)


def own_net(subject: Subject, told: NetSummary) -> FloatNet:
    """The certificate's net as files are read, of the type and the reading that the report tells of."""
    return FloatNet(layers_of(subject.net), told.dtype, told.reading, steps_of(subject.net))


def layers_of(own: Unshared) -> list[FloatLayer]:
    """The layers of the independent checker's net, as files are read."""
    return [
        FloatAffine(*layer) if number not in own.rational else _rational(own.rational[number])
        for number, layer in enumerate(own.layers, 1)
    ]


def steps_of(own: Unshared) -> tuple[Steps, ...] | None:
    """The operators of a file of float32, as files are read, but for where they lie; None if it has none."""
    if not own.steps:
        return None
    return tuple(Steps(tuple(map(_op, own.steps[number])), np.dtype(np.float32)) for number in sorted(own.steps))


def _op(own: unshared.Op) -> Op:
    match own:
        case unshared.Dense(weights):
            return Dense(weights)
        case unshared.Shift(numbers):
            return Shift(numbers)
        case unshared.Scale(factors, within):
            return Scale(factors, within)
        case _:
            assert_never(own)


def _rational(entries: Exact) -> RationalAffine:
    return RationalAffine.of(entries.whole, entries.divisor)


def same_layers(net: FloatNet, own: Unshared, what: str, path: Path | None = None) -> None:
    """Refuse unless the weights and biases are equal, as numbers."""
    before = f"{path}: " if path else ""
    require(list(net.widths) == list(own.widths), f"{before}has the widths {net.widths}, and {what} {own.widths}")
    for number, (layer, other) in enumerate(zip(net.layers, layers_of(own), strict=True), 1):
        require(same_layer(layer, other), f"{before}layer {number} is not that of {what}")
    if net.steps and (steps := steps_of(own)):
        require(len(net.steps) == len(steps), f"{before}has other layers than {what}")
        for number, (one, two) in enumerate(zip(net.steps, steps, strict=True), 1):
            require(one.same(two), f"{before}the operators of layer {number} are not those of {what}")


@dataclass(frozen=True)
class Recorded:
    """A file as a report or a list tells of it."""

    source: str
    sha256: str

    @classmethod
    def of(cls, told: Mapping[str, Any] | None) -> "Recorded | None":
        """From JSON."""
        return Recorded(str(told["source"]), str(told["sha256"])) if told else None


def located(folder: Path, told: Recorded | None, given: Path | None, what: str, seen: Seen) -> Path | None:
    """The file: the one that was given, or one of the recorded name and digest; None if it is not here, as `seen` says.

    Raises
    ------
    Refused
        If the one that was given has another digest than is recorded.
    InputError
        If it cannot be read.
    """
    path = given or (found_beside(folder, told.source, told.sha256) if told else None)
    if path is None:
        seen.unseen.append(f"{told.source}, which is not here" if told else f"the file of {what}")
        return None
    if told:
        require_digest(path, told.sha256)
    return path


def require_digest(path: Path, stated: str) -> None:
    """Refuse a file with another digest than the report says."""
    own = digest_of(path)
    require(own == stated, f"{path}: is not the file that was audited: sha256 {own[:SHOWN]}…, not {stated[:SHOWN]}…")


def digest_of(path: Path) -> str:
    """The SHA-256 of a file that was named, in hexadecimal.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    try:
        return sha256(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error


def found_beside(folder: Path, name: str, digest: str) -> Path | None:
    """A file of this name and digest beside the folder or in the working directory."""
    if Path(name).name != name:
        return None
    for path in (folder.resolve().parent / name, Path(name)):
        if lies(path) and digest_of(path) == digest:
            return path
    return None


def lies(path: Path) -> bool:
    """Whether there is a file of this name, which may be no name at all."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _read(path: Path, *, checked: bool = False) -> FloatNet:
    return read_net(path, activation="relu", checked=checked)

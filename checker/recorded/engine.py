"""The audit of recordings: a pass over the training rows of each layer, one more if relations are to be shown, and then
one over its deployment and test rows, and some of training.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np

from proof_of_absence.checker.construct.leverage_bounds import Whitened
from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.checker.independent.results.recorded import MALFORMED, check_layer
from proof_of_absence.checker.recorded.certify import certificate
from proof_of_absence.checker.recorded.findings import Constant, File, Joint, LayerFindings, Prices, RecordedAudit
from proof_of_absence.checker.recorded.prices import Answer, Question, Told, joined, leverages_of
from proof_of_absence.checker.recorded.rank import decided_rank
from proof_of_absence.checker.recorded.shards import Passes
from proof_of_absence.checker.screen.spread import listed_rows
from proof_of_absence.models.files.disk import refused, sha256
from proof_of_absence.models.files.recording import Part, Recording

__all__ = ["Asked", "examine"]

# Where files are named.
PARTS = ("train", "deploy", "test")


@dataclass(frozen=True)
class Asked:
    """What is asked of every layer: prices of a move by `move`, with a ridge penalty; how files are named, and passes
    made.
    """

    move: Fraction = Fraction(1)
    penalty: Fraction = Fraction(0)
    named: Callable[[Path], str] = str
    passes: Passes = field(default_factory=Passes)
    told: Told = field(default=lambda rows: None)


def examine(recordings: Iterable[Recording], asked: Asked | None = None) -> RecordedAudit:
    """Audit what was recorded of each layer.

    Raises
    ------
    InputError
        If a file is damaged, a number is NaN or infinite, or two layers have one name.
    """
    asked, recordings = asked or Asked(), list(recordings)
    for one, other in pairwise(sorted(recording.name for recording in recordings)):
        if one == other:
            raise refused(one, "two layers have this name; name each once")
    try:
        audit = _examined(recordings, asked)
        if not asked.passes.went_on or _shown(audit, recordings, asked.named):
            return audit
    except (ArithmeticError, LookupError, ValueError):
        if not asked.passes.went_on:
            raise
    # What was kept is not so of these rows.
    asked.passes.forget()
    return _examined(recordings, asked)


def _examined(recordings: Sequence[Recording], asked: Asked) -> RecordedAudit:
    layers = tuple(_layer(recording, asked) for recording in recordings)
    return RecordedAudit(layers, certificate(layers))


def _shown(audit: RecordedAudit, recordings: Sequence[Recording], named: Callable[[Path], str]) -> bool:
    """Whether the independent checker accepts all that is stated; names of files are the way from elsewhere."""
    paths = {named(part.path): str(part.path.resolve()) for recording in recordings for part in recording.parts}
    for layer, entry in zip(audit.layers, audit.certificate["layers"], strict=True):
        files = {part: [file | {"file": paths[file["file"]]} for file in entry[part]] for part in PARTS}
        try:
            check_layer(Path(), entry | files, layer.priced.factor if layer.priced else None)
        except (Refused, *MALFORMED):
            return False
    return True


def _layer(recording: Recording, asked: Asked) -> LayerFindings:
    # Digests first: what is read afterwards is compared with them by the checker.
    digests = {path: _digest(path) for path in dict.fromkeys(part.path for part in recording.parts)}
    train, deploy, test = (
        tuple(File(asked.named(part.path), digests[part.path], part.array, part.rows) for part in parts)
        for parts in (recording.train, recording.deploy, recording.test)
    )
    state = asked.passes.gather(recording, " ".join(file.sha256 for file in train), asked.told)
    constant = [Constant(int(j), float(state.columns.low[j]) + 0.0, 0) for j in state.columns.constant]
    rank, relations = decided_rank(recording, state.space, constant, asked.passes)
    # With a penalty all columns count, and no move is free.
    columns = range(recording.columns + 1) if asked.penalty else rank.columns
    whole = rank.low == len(columns) == recording.columns + 1 - len(constant) - len(relations)
    parts = {"deployment": recording.deploy, "test": recording.test}
    listed = {"training": listed_rows("training", recording.rows)}
    listed |= {part: listed_rows(part, sum(file.rows for file in files)) for part, files in parts.items()}
    known = None
    if (deploy or test) and (whole or asked.penalty):
        known = leverages_of(recording, state.gram, columns, asked.penalty, sum(map(len, listed.values())))
    question = Question(
        state.columns.constant, state.columns.low[state.columns.constant], relations, columns, known, not asked.penalty
    )
    answers = {part: _all(question, files, asked.passes, asked.told) for part, files in parts.items()}
    priced = None
    if known is not None:
        training = _some(question, recording.train, listed["training"], asked.passes)
        rows = {"deployment": answers["deployment"].priced, "training": training.priced, "test": answers["test"].priced}
        factor = known.factor if isinstance(known, Whitened) else None
        there = {part: found for part, found in rows.items() if len(found.rows)}
        priced = Prices(asked.move, asked.penalty, tuple(columns), there, factor)
    seen = answers["deployment"]
    moves = seen.moves if deploy else np.zeros(len(constant), np.int64)
    broken = seen.broken if deploy else np.zeros(len(relations), np.int64)
    still = tuple(Constant(one.column, one.value, int(n)) for one, n in zip(constant, moves, strict=True))
    together = tuple(Joint(relation, int(n)) for relation, n in zip(relations, broken, strict=True))
    return LayerFindings(
        recording.name, recording.dtype, recording.columns, train, deploy, still, seen.moving, rank, together, priced,
        test,
    )  # fmt: skip


def _all(question: Question, parts: Sequence[Part], passes: Passes, told: Told) -> Answer:
    """The answer at all rows of some parts."""
    answers = list(passes.each(question, [(part, None) for part in parts], told))
    return joined(answers, np.arange(sum(part.rows for part in parts)))


def _some(question: Question, parts: Sequence[Part], rows: Sequence[int], passes: Passes) -> Answer:
    """The answer at rows of these numbers, in order."""
    wanted, begins, numbers = [], 0, np.asarray(rows, np.int64)
    for part in parts:
        here = numbers[(begins <= numbers) & (numbers < begins + part.rows)] - begins
        wanted += [(part, here.tolist())] if len(here) else []
        begins += part.rows
    return joined(list(passes.each(question, wanted, lambda rows: None)), numbers)


def _digest(path: Path) -> str:
    try:
        return sha256(path)
    except OSError as error:
        raise refused(path, f"cannot be read: {error.strerror or error}") from error

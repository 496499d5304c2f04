"""The answer of an audit in words: what is train-idle, where it fires, what can be done, what is open."""

import shlex
from collections import Counter
from dataclasses import dataclass
from pathlib import PurePath

from proof_of_absence.checker.audit.findings import CLEAN, Audit, CircuitFinding
from proof_of_absence.checker.audit.report.priced_view import price_line
from proof_of_absence.checker.audit.report.words import count, enclosure, names, row_ranges

__all__ = ["Verdict", "harden_command", "headline", "verdict"]

# Lines of one answer; the details below have all.
_MOST = 4


@dataclass(frozen=True)
class Verdict:
    """What stands above all details: a headline, answers as pairs of a question and lines, and a command to copy.

    `command` is empty where there is nothing to take out, or where the net was no file.
    """

    headline: str
    answers: tuple[tuple[str, tuple[str, ...]], ...]
    command: str = ""


def verdict(audit: Audit, command: str | None = None) -> Verdict:
    """The answer. `command` is what takes the circuits out; by default it is made from the names of the files."""
    asked = (
        ("What is train-idle", _idle(audit)),
        ("Where it fires", _fires(audit)),
        ("What else was found", _else(audit)),
        ("What a move of the answer costs", price_line(audit)),
        ("What is not decided", _undecided(audit)),
        ("What is assumed", _assumed(audit)),
        ("What can be done", _remedy(audit)),
    )
    if command is None:
        command = harden_command(audit.net.source, audit.data.source)
    answers = tuple((question, lines) for question, lines in asked if lines)
    return Verdict(headline(audit), answers, command if audit.sending else "")


def headline(audit: Audit) -> str:
    """The verdict in one or two sentences."""
    open_ = f" {count(len(audit.undecided), 'question')} undecided." if audit.undecided else ""
    if audit.sending:
        return f"{count(len(audit.sending), 'train-idle circuit')}; {_deployed(audit)}.{open_}"
    if audit.findings:
        return f"No train-idle circuit found, but {count(len(audit.findings), 'other finding')}.{open_}"
    if audit.exit_code == CLEAN:
        return "Clean: no train-idle circuit within a layer, no dependent features"
    return f"Nothing found, but {count(len(audit.undecided), 'question')} undecided: this is not a pass"


def harden_command(net: str, train: str) -> str:
    """The command that takes every train-idle circuit out of a net, given the paths of its file and of the data.

    A state dictionary does not say its activation; whoever had it audited has said it.
    """
    path = PurePath(net)
    if not path.suffix:
        return ""
    output = path.with_name(f"{path.stem}.hardened{path.suffix}")
    said = [] if path.suffix.lower() == ".onnx" else ["--activation", "relu"]
    return shlex.join(["absence", "harden", net, "--train", train, *said, "-o", str(output)])


def firings(audit: Audit) -> Counter[int]:
    """How many idle circuits fire at each deployment row."""
    return Counter(row for circuit in audit.sending for row in circuit.fires or ())


def by_firing(audit: Audit) -> list[CircuitFinding]:
    """The train-idle circuits, those that fire at the most deployment inputs first."""
    return sorted(audit.sending, key=lambda circuit: -len(circuit.fires or ()))


def _deployed(audit: Audit) -> str:
    if any(circuit.fires is None for circuit in audit.sending):
        they = "it fires" if len(audit.sending) == 1 else "they fire"
        return f"at which deployment inputs {they} was not looked at"
    firing = sum(bool(circuit.fires) for circuit in audit.sending)
    if not firing:
        none = "it fires at none of" if len(audit.sending) == 1 else "none of them fires at"
        return f"{none} these deployment inputs"
    one = "it fires" if len(audit.sending) == 1 else f"{firing} of them {'fires' if firing == 1 else 'fire'}"
    return f"{one} at {count(len(firings(audit)), 'deployment input')}"


def _idle(audit: Audit) -> tuple[str, ...]:
    found = by_firing(audit)
    if not found:
        return ()
    listed = ", ".join(names(circuit.units, 4) for circuit in found[:_MOST])
    more = f", … {len(found) - _MOST} more" if len(found) > _MOST else ""
    return (f"{listed}{more}: each sends the same value at all {audit.data.distinct_inputs} distinct training inputs.",)


def _fires(audit: Audit) -> tuple[str, ...]:
    """A line for circuits that fire at the same inputs."""
    alike: dict[tuple[int, ...], list[str]] = {}
    for circuit in by_firing(audit):
        if circuit.fires:
            alike.setdefault(circuit.fires, []).append(names(circuit.units, 4))
    lines = [
        f"{', '.join(those[:_MOST])}{f', … {len(those) - _MOST} more' if len(those) > _MOST else ''} "
        f"{'fires' if len(those) == 1 else 'fire'} at {count(len(rows), 'input')}: "
        f"row{'s' * (len(rows) > 1)} {row_ranges(rows)}"
        for rows, those in alike.items()
    ]
    left = sum(map(len, list(alike.values())[_MOST:]))
    return (*lines[:_MOST], *([f"… {count(left, 'more circuit')} at fewer inputs, or at others"] if left else []))


def _else(audit: Audit) -> tuple[str, ...]:
    # The circuits come first in `findings`, a line each.
    found = audit.findings[len(audit.sending) :]
    more = (f"… {len(found) - _MOST} more",) if len(found) > _MOST else ()
    return tuple(f"{line[0].upper()}{line[1:]}." for line in found[:_MOST]) + more


def _undecided(audit: Audit) -> tuple[str, ...]:
    found = audit.undecided
    return found[:_MOST] + ((f"… {len(found) - _MOST} more",) if len(found) > _MOST else ())


def _assumed(audit: Audit) -> tuple[str, ...]:
    """That the net is another one if the reader was told wrong, or that its end is left off."""
    reading = audit.net.reading
    if reading is None:
        return ()
    lines = []
    if reading.known_from.startswith("an assumption"):
        lines.append(
            f"That the layers are one chain with {reading.activation} between them: it is {reading.known_from}."
        )
        lines += [note for note in reading.notes if note.startswith("The outputs in ")] or [
            "It was not checked; --outputs FILE.npz checks it against the network's own outputs."
        ]
    if reading.cut:
        lines.append(f"{reading.cut} at the end is left off: outputs here are the values before it.")
    return tuple(lines)


def _remedy(audit: Audit) -> tuple[str, ...]:
    if not audit.sending:
        return ()
    them = "The circuit" if len(audit.sending) == 1 else "The circuits"
    lines = [f"{them} can be taken out with no change on the training data (the command below)."]
    if change := audit.improvement:
        lines.append(
            f"Or {names(change.circuit, 4)} can be put to use: the loss ({audit.data.loss_name}) falls by "
            f"{enclosure(change.drop)}, certified."
        )
    return tuple(lines)

"""Facts that Coq's kernel decides itself: each call by which the proved program decided one becomes a theorem.

The kernel computes the call again, by its virtual machine. So for these facts one need not trust extraction, nor what
OCaml and GMP compute. What the program reads of a certificate, and writes as terms of Coq, is trusted still.
"""

import os
import re
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from proof_of_absence.checker.independent import coq
from proof_of_absence.checker.proved.opinion import Answer, Opinion, said
from proof_of_absence.checker.proved.program import WRITTEN, compiled, extraction, program
from proof_of_absence.checker.proved.signatures import Signature, signatures
from proof_of_absence.checker.proved.soundness import Theorem, extracted

__all__ = ["SECONDS", "Call", "Decided", "Told", "decided", "script", "summary", "told"]

# How long Coq may take for all; what it has not decided by then it has not decided.
SECONDS = 3600
# Terms of about so many characters are put to one process of Coq, which takes seconds to start.
BATCH = 150_000
# What the program tells in place of a call of which there is no term.
MISSING = "\t?"
# An argument that is longer has a name of its own.
LONG = 60
# In the words of net.v, for every field R; some theorems infer R from what follows.
_OVER = "Ltac over R said := match said with context [?F] => is_evar F; unify F R end; exact said."
_SAYS = (
    "Definition says_{place} (R : realFieldType) := ltac:(first [let said := constr:({theorem} R call_{place}) in "
    "exact said | let said := open_constr:({theorem} call_{place}) in over R said])."
)
# Coq computed another value; it may stop for other reasons, such as too little memory.
_OTHERWISE = re.compile(r"unify|has type")
_LINE = re.compile(r"line (\d+)")


@dataclass(frozen=True)
class Call:
    """A call of an extracted function, as terms of Coq: what it was given, and its value."""

    name: str
    arguments: tuple[str, ...]
    value: str


@dataclass(frozen=True)
class Told:
    """What the program says of a fact, and the calls by which it decided; none if one of them cannot be told."""

    kind: str
    answer: Answer
    calls: tuple[Call, ...]


@dataclass(frozen=True)
class Decided:
    """What the kernel says of calls: those that are theorems, and those that it computes otherwise.

    Of the others `reasons` says why they are undecided: there was no time, or Coq could not read them.
    """

    theorems: frozenset[Call] = frozenset()
    refused: frozenset[Call] = frozenset()
    reasons: tuple[str, ...] = ()

    def opinion(self, opinion: Opinion, facts: Sequence[Told]) -> Opinion:
        """The opinion, with the facts that the kernel decides marked as such."""
        answers = [Answer.KERNEL if self.holds(fact) else answer
                   for fact, (_, answer) in zip(facts, opinion.facts, strict=True)]  # fmt: skip
        return replace(opinion, facts=tuple((fact.kind, answer) for fact, answer in zip(facts, answers, strict=True)))

    def holds(self, fact: Told) -> bool:
        """Whether all calls by which the fact was accepted are theorems, and there are some."""
        return fact.answer is Answer.ACCEPTED and bool(fact.calls) and self.theorems.issuperset(fact.calls)

    def disputes(self, facts: Iterable[Told]) -> list[str]:
        """The kinds of the facts that were accepted by a call which the kernel computes otherwise."""
        return [
            fact.kind for fact in facts
            if fact.answer is Answer.ACCEPTED and not self.refused.isdisjoint(fact.calls)
        ]  # fmt: skip


@dataclass
class _Script:
    """Sentences of Coq, one a line; for each line the call that it is about, and which lines compute a call."""

    lines: list[str] = field(default_factory=list)
    about: dict[int, Call] = field(default_factory=dict)
    computing: set[int] = field(default_factory=set)

    def add(self, line: str, call: Call | None = None) -> None:
        self.lines.append(line)
        if call:
            self.about[len(self.lines)] = call

    def compute(self, line: str, call: Call) -> None:
        self.add(line, call)
        self.computing.add(len(self.lines))


def told(paths: Sequence[Path]) -> dict[Path, tuple[Told, ...]]:
    """What the program says of the facts of each certificate of a claim, with its calls.

    Raises
    ------
    Missing
        If the program cannot be made here.
    OSError
        If it ends early.
    """
    return {path: tuple(_told(lines)) for path, lines in said(program(), paths, str(SECONDS), "terms").items()}


def _told(lines: list[str]) -> Iterator[Told]:
    heads = [place for place, line in enumerate(lines) if not line.startswith("\t")]
    for place, after in zip(heads, [*heads[1:], len(lines)], strict=True):
        kind, answer = lines[place].rsplit(" ", 1)
        calls = lines[place + 1 : after]
        yield Told(kind, Answer(answer), () if MISSING in calls else tuple(dict.fromkeys(map(_call, calls))))


def _call(line: str) -> Call:
    name, *arguments, value = line.removeprefix("\t").split("\t")
    return Call(name, tuple(arguments), value)


def decided(facts: Iterable[Told], seconds: float = SECONDS, jobs: int = os.cpu_count() or 1) -> Decided:
    """What the kernel says of the calls of accepted facts, in as few processes as there are batches.

    Raises
    ------
    Missing
        If the Coq files do not compile here.
    """
    folder, ends = compiled(), time.monotonic() + seconds
    calls = dict.fromkeys(call for fact in facts if fact.answer is Answer.ACCEPTED for call in fact.calls)
    with ThreadPoolExecutor(jobs) as pool:
        found = list(pool.map(lambda batch: _batch(batch, folder, ends), _batches(calls)))
    return Decided(
        frozenset[Call]().union(*(part.theorems for part in found)),
        frozenset[Call]().union(*(part.refused for part in found)),
        tuple(dict.fromkeys(reason for part in found for reason in part.reasons)),
    )


def _batches(calls: Iterable[Call]) -> Iterator[list[Call]]:
    """The calls in order; an argument that an earlier call of a batch has counts once."""
    batch, met, size = list[Call](), set[str](), 0
    for call in calls:
        new = set(call.arguments) - met
        if batch and size > BATCH:
            yield batch
            batch, met, size, new = [], set(), 0, set(call.arguments)
        batch.append(call)
        met |= new
        size += sum(map(len, new)) + len(call.name)
    if batch:
        yield batch


def _batch(calls: list[Call], folder: Path, ends: float) -> Decided:
    """What the kernel says of these; a call that it refuses is left out, and the others are put to it again.

    So are all calls of a function of which Coq cannot read one.
    """
    refused, reasons = list[Call](), list[str]()
    while calls:
        text = script(calls, _signatures(folder), extraction().imports, extracted())
        answer = _coqc("\n".join(text.lines) + "\n", folder, ends - time.monotonic())
        if answer == coq.CLOSED:
            break
        found = _LINE.search(answer)
        line = int(found.group(1)) if found else 0
        wrong = text.about.get(line)
        if wrong and line in text.computing and _OTHERWISE.search(answer):
            refused.append(wrong)
            calls = [call for call in calls if call != wrong]
        else:
            reasons.append(answer)
            calls = [call for call in calls if wrong and call.name != wrong.name]
    return Decided(frozenset(calls), frozenset(refused), tuple(reasons))


def _signatures(folder: Path) -> dict[str, Signature]:
    return signatures((folder / f"{WRITTEN}.mli").read_text(encoding="utf-8"), extraction().names)


def script(
    calls: Iterable[Call], kinds: Mapping[str, Signature], imports: Iterable[str], theorems: Mapping[str, Theorem]
) -> _Script:
    """A file of Coq: each call is a theorem, and of each checker that accepts also what its soundness theorem says.

    At its end Coq is asked on what all of that rests.
    """
    text, names, used = _Script(), dict[str, str](), list[str]()
    text.add("From Coq Require Import QArith.")
    text.add("From mathcomp Require Import all_ssreflect all_algebra.")
    for line in [*imports, _OVER]:
        text.add(line)
    for place, call in enumerate(calls):
        kind = kinds[call.name]
        for term, type_ in zip([*call.arguments, call.value], [*kind.arguments, kind.value], strict=True):
            if len(term) > LONG and term not in names:
                names[term] = f"data_{len(names)}"
                text.add(f"Definition {names[term]} : {type_} := {term}.", call)
        arguments = " ".join(names.get(term, term) for term in call.arguments)
        value = names.get(call.value, call.value)
        text.add(f"Lemma call_{place} : {call.name} {arguments} = {value}.", call)
        text.compute(f"Proof. vm_cast_no_check (erefl ({value} : {kind.value})). Qed.", call)
        used.append(f"call_{place}")
        if call.name in theorems and call.value == "true":
            text.add(_SAYS.format(place=place, theorem=theorems[call.name].name), call)
            used.append(f"says_{place}")
    text.add("Definition everything := " + " ".join(f"let _ := @{name} in" for name in used) + " tt.")
    text.add("Print Assumptions everything.")
    return text


def _coqc(text: str, folder: Path, seconds: float) -> str:
    """What Coq answers at the end of the file, or why it does not."""
    if seconds <= 0:
        return "there was no time"
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch, "facts.v")
        path.write_text(text, encoding="utf-8")
        call = coq.command(path, folder)
        try:
            done = subprocess.run(call, capture_output=True, text=True, timeout=seconds, cwd=scratch)
        except subprocess.TimeoutExpired:
            return "there was no time"
    return done.stdout.strip() if done.returncode == 0 else " ".join(done.stderr.split())


def summary(found: Decided, told: Mapping[Path, Sequence[Told]]) -> str:
    """One line: how many facts and certificates the kernel decides, by how many theorems, and what it left and why."""
    facts = [fact for part in told.values() for fact in part if fact.answer is Answer.ACCEPTED]
    holding = sum(map(found.holds, facts))
    whole = sum(bool(part) and all(map(found.holds, part)) for part in told.values())
    why = f" ({'; '.join(reason[:200] for reason in found.reasons)})" if found.reasons else ""
    late = f"; {len(facts) - holding} were not decided{why}" if holding < len(facts) else ""
    return (
        f"Coq's kernel decides {holding} of the {len(facts)} facts that the proved checker accepts, and {whole} of "
        f"{len(told)} certificates as a whole, by {len(found.theorems)} theorems from no axiom{late}"
    )

"""Questions about boxes of inputs: does an idle circuit act there? Each answered in its share of the time, and kept.

When the time is over, all that are left are open at once.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cached_property, partial
from math import inf
from time import monotonic
from typing import TYPE_CHECKING, Any

from proof_of_absence.checker.audit.answers import Answers
from proof_of_absence.checker.audit.examination import Examination
from proof_of_absence.checker.audit.findings import CircuitFinding, RegionFinding
from proof_of_absence.checker.audit.report.words import names
from proof_of_absence.checker.audit.shown import region as region_shown
from proof_of_absence.checker.independent.pause import at_pauses
from proof_of_absence.checker.kernel.kept import content_key
from proof_of_absence.checker.kernel.stages import Stages
from proof_of_absence.checker.numbers.deadline import OutOfTime, in_force, left, look, looking, within
from proof_of_absence.checker.passes.integers import Integers
from proof_of_absence.checker.region.boxes import Region
from proof_of_absence.checker.region.decide import RegionResult, concluded, decide
from proof_of_absence.checker.region.question import Question, question
from proof_of_absence.checker.region.search import Budget
from proof_of_absence.checker.region.shared import witnesses
from proof_of_absence.models.circuit import Unit
from proof_of_absence.models.rational import Vector

if TYPE_CHECKING:
    from dask.distributed import Client

__all__ = ["Answered", "answered"]

# What is found, and the fact that shows it; None where it is open.
Answered = tuple[RegionFinding, dict[str, Any] | None]
LATE = "out of time"


def answered(stages: Stages, found: Examination, regions: Sequence[Region]) -> list[Answered]:
    """Each circuit on each region; the time that is left is shared evenly among the questions that are left.

    What its share did not decide is asked once more with what the others left of theirs.
    """
    exact = Integers(found.net)
    if regions and stages.resumed:
        # The net in the numbers that kept answers are checked with: once, and not in one answer's share of the time.
        with suppress(OutOfTime), within(in_force().sooner(left() / 2)), at_pauses(look):
            _ = found.subject.prepared
    with Answers(stages.folder, stages.subject) as answers:
        boxes = [_Asked(found, region, exact, answers) for region in regions]
        asked = [(box, circuit) for box in boxes for circuit in found.sending]
        return _in_turn(stages, asked)


def _in_turn(stages: Stages, asked: "Sequence[tuple[_Asked, CircuitFinding]]") -> list[Answered]:
    told: list[Answered] = []
    for place, (region, circuit) in enumerate(asked):
        if left() <= 0:
            break
        told.append(region.taken(stages, circuit, len(asked) - place))
    told += [region.late(circuit) for region, circuit in asked[len(told) :]]
    late = [place for place, (finding, _) in enumerate(told) if finding.verdict == "timeout"]
    for count, place in enumerate(late):
        if left() <= 0:
            break
        region, circuit = asked[place]
        first = told[place][0]
        finding, claim = region.taken(stages, circuit, len(late) - count)
        told[place] = replace(finding, seconds=finding.seconds + first.seconds), claim
    return told


class _Asked:
    """The questions about one region: they share the net's integers and one search for witnesses."""

    def __init__(self, found: Examination, region: Region, exact: Integers, answers: Answers):
        self.found, self.region, self.exact, self.answers = found, region, exact, answers
        self.low, self.high = zip(*region.bounds, strict=True)
        self.key = content_key(region.name, region.bounds)

    def taken(self, stages: Stages, circuit: CircuitFinding, count: int) -> Answered:
        """The answer, from an earlier run if it is kept; `count` questions are to come, with this one."""
        answer: Answered | None = stages.run(
            f"region {self.region.name} {names(circuit.units)}",
            Answered,
            partial(self.answer, circuit, count),
            shown=partial(region_shown, self.found, circuit, self.region.name, self.region.bounds),
            under="regions",
            share=1 / count,
            place=self.answers.named(f"{self.key} {names(circuit.units)}"),
            # Without a fact nothing would show it to the next run.
            keeps=lambda answer: answer[1] is not None,
        )
        return answer or (RegionFinding(circuit.units, self.region.name, "unknown", "the search failed"), None)

    def late(self, circuit: CircuitFinding, reason: str = LATE, seconds: float = 0.0) -> Answered:
        """No answer, since the time is over."""
        return RegionFinding(circuit.units, self.region.name, "timeout", reason, seconds=seconds), None

    def question(self, circuit: CircuitFinding) -> Question:
        """Does the circuit act in the region?"""
        return question(self.found.net, circuit.units, self.low, self.high, circuit.value, exact=self.exact)

    @cached_property
    def witnesses(self) -> dict[tuple[Unit, ...], Vector]:
        """By circuit, what the search over all of them found; it may take half of the time that is left."""
        circuits = self.found.sending
        with within(in_force().sooner(left() / 2)):
            try:
                inputs = witnesses([self.question(circuit) for circuit in looking(circuits)])
            except OutOfTime as late:
                inputs = late.so_far or [None] * len(circuits)
        return {c.units: z for c, z in zip(circuits, inputs, strict=True) if z is not None}

    def answer(self, circuit: CircuitFinding, count: int) -> Answered:
        """What is found within the circuit's share of the time."""
        started = monotonic()
        try:
            witness = self.witnesses.get(circuit.units)
            share = left() / count
            with within(in_force().sooner(share)):
                look()
                asked = self.question(circuit)
                if witness is None:
                    result = _decide(asked, None if share == inf else share, self.found.client)
                else:
                    result = concluded(asked, {}, witness, "", 0, monotonic() - started)
        except OutOfTime as late:
            return self.late(circuit, str(late), monotonic() - started)
        reason = LATE if result.verdict == result.reason == "timeout" else result.reason
        told = RegionFinding(circuit.units, self.region.name, result.verdict, reason, result.witness, result.seconds)
        return told, result.claim


def _decide(asked: Question, seconds: float | None, client: "Client | None") -> RegionResult:
    if client is None:
        return decide(asked, Budget(seconds=seconds))
    from proof_of_absence.checker.audit.distributed import decide_apart

    return decide_apart(client, asked, seconds)

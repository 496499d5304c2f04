"""Irrelevance over a region: does a circuit send every reader outside it one constant on a whole box of inputs?

The answer is exact, about the real function that the float weights denote: equality, not a tolerance. Scope: instance.
"""

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from proof_of_absence.checker.independent.facts import check_fact
from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.checker.kernel.certificate import units_json
from proof_of_absence.checker.region.bounds import Bounds
from proof_of_absence.checker.region.part import WHOLE, Json
from proof_of_absence.checker.region.question import Question, question
from proof_of_absence.checker.region.search import NO_HINTS, Budget, graft, open_leaves
from proof_of_absence.checker.region.witness import hints
from proof_of_absence.models.circuit import Unit
from proof_of_absence.models.floatnet import FloatNet
from proof_of_absence.models.rational import Number, Numbers, Vector

__all__ = ["RegionResult", "concluded", "decide", "irrelevant"]


@dataclass(frozen=True)
class RegionResult:
    """What was decided.

    Attributes
    ----------
    verdict
        ``unsat``: the circuit sends the constants on the whole box, proved; ``sat``: at `witness` it sends something
        else; ``unknown`` or ``timeout``: not decided, `reason` says why.
    witness
        An input of the box, exact, replayed through the plain forward pass.
    claim
        The certificate but for the net: kind ``irrelevant-region`` or ``relevant-at``; None if undecided.
    tree
        The proof tree, with its open leaves if undecided: JSON, to go on from (`resume`).
    nodes, seconds
        The parts of the box that were visited, and the time it took.
    """

    verdict: str
    reason: str
    witness: Vector | None
    claim: Json | None
    tree: Json
    nodes: int
    seconds: float
    asked: Question

    @property
    def fact(self) -> Json | None:
        """The certificate for the independent checker, with the net; None if undecided."""
        return None if self.claim is None else {"net": self.asked.exact.json} | self.claim


def irrelevant(
    net: FloatNet,
    circuit: Iterable[tuple[int, int]],
    low: Numbers,
    high: Numbers,
    *,
    value: Mapping[Unit, Number] | None = None,
    seconds: float | None = 60,
    nodes: int | None = None,
    resume: Json | None = None,
) -> RegionResult:
    """Decide whether the circuit is irrelevant on the closed box from `low` to `high`.

    Parameters
    ----------
    net
        The network; every layer of it is read exactly.
    circuit
        Hidden units, (layer, index).
    low, high
        The box, (d,) each; floats and strings such as ``"1/3"`` are taken for what they denote.
    value
        What each reader outside is to receive; by default what it receives at the low corner.
    seconds, nodes
        The budget of the search; None for no limit.
    resume
        The `tree` of an undecided result of the same question, to go on from. What it proves is then checked.

    Raises
    ------
    ValueError
        If an argument does not fit (see `question`).
    ImportError
        If highspy is not installed and bounds alone do not decide.

    Examples
    --------
    >>> net = FloatNet([([[1.0], [1.0]], [-2.0, 0.0]), ([[3.0, 1.0]], [0.0])])
    >>> irrelevant(net, [(1, 0)], [-1], [2]).verdict
    'unsat'
    >>> above = irrelevant(net, [(1, 0)], [-1], [3])
    >>> above.verdict, above.witness[0] > 2
    ('sat', True)
    """
    asked = question(net, circuit, low, high, value)
    return decide(asked, Budget(nodes, seconds), resume)


def decide(asked: Question, budget: Budget, resume: Json | None = None) -> RegionResult:
    """As `irrelevant`, for a question already put."""
    started = time.monotonic()
    tree = {"open": dict(WHOLE)} if resume is None else json.loads(json.dumps(resume))
    witness, nodes, reason = None, 0, ""
    if resume is None and not asked.of_corner and asked.differs(asked.low):
        witness = asked.low
    elif open_leaves(tree):
        done = graft(asked, tree, budget, hints(asked, Bounds(asked).box) if resume is None else NO_HINTS)
        witness, nodes, reason = done.witness, done.nodes, done.reason
    found = concluded(asked, tree, witness, reason, nodes, time.monotonic() - started)
    if resume is not None and found.fact is not None and found.verdict == "unsat":
        # The tree came from outside: it may be another question's.
        try:
            check_fact(found.fact)
        except Refused as error:
            return replace(
                found, verdict="unknown", reason=f"the tree to go on from is not a proof: {error}", claim=None
            )
    return found


def concluded(
    asked: Question, tree: Json, witness: Vector | None, reason: str, nodes: int, seconds: float
) -> RegionResult:
    """What a search that ended with this tree, or this witness, has decided."""
    claim = None
    if witness is not None:
        verdict, reason, claim = "sat", "", _claim(asked) | {"kind": "relevant-at", "input": [str(x) for x in witness]}
    elif open_leaves(tree):
        verdict = "timeout" if reason == "timeout" else "unknown"
    else:
        verdict, reason, claim = "unsat", "", _claim(asked) | {"kind": "irrelevant-region", "tree": tree}
    return RegionResult(verdict, reason, witness, claim, tree, nodes, seconds, asked)


def _claim(asked: Question) -> Json:
    ends = asked.low, asked.high
    low, high = asked.exact.shared("text", ends, lambda: [[str(x) for x in end] for end in ends])
    return {
        "circuit": units_json(asked.circuit),
        "low": low,
        "high": high,
        "value": [[*unit, str(v)] for unit, v in sorted(asked.value.items())],
    }

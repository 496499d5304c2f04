"""The trust boundary: the only place where a verdict PROVED or REFUTED is made.

Back ends return evidence; the kernel writes it as a certificate, and only what the independent checker accepts gets its
verdict.
"""

import hashlib
import json
import re
import time
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from proof_of_absence.checker.independent import coq
from proof_of_absence.checker.independent.check import check_certificate
from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.checker.independent.sexpr import Script as ReadScript
from proof_of_absence.checker.kernel import coq_found, solvers
from proof_of_absence.checker.kernel.certificate import FORMAT, seal, write
from proof_of_absence.checker.kernel.kept import versions
from proof_of_absence.checker.kernel.lock import DECIDING
from proof_of_absence.checker.kernel.obligation import (
    Evidence,
    Fact,
    KernelProof,
    Obligation,
    Query,
    Verdict,
    Witness,
)
from proof_of_absence.checker.kernel.solvers import Answer, Limits

__all__ = ["Outcome", "coq_sources", "discharge", "kernel_fact", "read_witness"]


Run = dict[str, Any]


@dataclass(frozen=True)
class Outcome:
    """The verdict on one obligation, why if it decides nothing, the solvers' runs, and the certificate if it decides.

    `script` is the name and text of the SMT-LIB script that belongs beside the certificate.
    """

    verdict: Verdict
    reason: str = ""
    runs: tuple[Run, ...] = ()
    certificate: dict[str, Any] | None = None
    script: tuple[str, str] | None = None


def discharge(obligation: Obligation, key: str, directory: Path, limits: Limits = solvers.LIMITS) -> Outcome:
    """Build the obligation, decide it, and have the evidence accepted. `directory` is where scripts are written.

    Examples
    --------
    What the independent checker finds to be so is PROVED, or REFUTED where it is a countermodel.

    >>> from tempfile import gettempdir
    >>> from proof_of_absence.checker.kernel.obligation import Scope
    >>> def verdict(build):
    ...     obligation = Obligation("T.it", "2 x = x + x", Scope.INSTANCE, build)
    ...     outcome = discharge(obligation, "key", Path(gettempdir()))
    ...     return outcome.verdict.value, outcome.reason, outcome.certificate is not None
    >>> true = {"kind": "identity", "left": "(* 2 x)", "right": "(+ x x)"}
    >>> verdict(lambda: Evidence(true)), verdict(lambda: Evidence(true, holds=False))
    (('PROVED', '', True), ('REFUTED', '', True))

    Evidence that is refused is an ERROR, and so is a check that breaks; neither leaves a certificate.

    >>> verdict(lambda: Evidence(true | {"left": "x"}))
    ('ERROR', 'the independent checker refuses the evidence: the polynomials differ', False)
    >>> verdict(lambda: 1 / 0)
    ('ERROR', 'ZeroDivisionError: division by zero', False)
    """
    try:
        built = obligation.build()
    except Exception as error:  # a check that breaks is reported as such, never as a verdict
        return Outcome(Verdict.ERROR, f"{type(error).__name__}: {error}")
    if isinstance(built, KernelProof):
        return _prove(obligation, key, built, directory)
    if isinstance(built, Evidence):
        outcome = _seal(obligation, key, built.fact, built.holds, ())
    else:
        outcome = _ask(obligation, key, built, limits)
    return _accepted(outcome, directory)


def _prove(obligation: Obligation, key: str, proof: KernelProof, directory: Path) -> Outcome:
    if coq_found.found() is None:
        return Outcome(
            Verdict.UNKNOWN, "coqc is missing: install coq and libcoq-mathcomp, or leave the kernel out (KERNEL=no)"
        )
    try:
        fact, sources = kernel_fact(proof)
        started = time.monotonic()
        coq.confirm_theorems(fact | {"sources": sources})
    except (OSError, LookupError, Refused) as error:
        return Outcome(Verdict.ERROR, str(error))
    for name, text in sources:
        write(directory / "coq" / name, text)
    seconds = round(time.monotonic() - started, 3)
    answer = "classical" if "classical" in fact else "closed"
    run = {"solver": "coq", "version": str(coq_found.found()), "answer": answer, "reason": "", "seconds": seconds}
    return _accepted(_seal(obligation, key, fact, True, (run,)), directory)


def coq_sources(folder: Path) -> list[tuple[str, str]]:
    """Names and texts of a folder's Coq files: the aliases, if it has them, then the files of ``_CoqProject``."""
    project = (folder / "_CoqProject").read_text(encoding="utf-8").split()
    aliases = [coq.ALIASES] if (folder / coq.ALIASES).exists() else []
    names = aliases + [name for name in project if name.endswith(".v")]
    return [(name, (folder / name).read_text(encoding="utf-8")) for name in names]


def kernel_fact(proof: KernelProof) -> tuple[Fact, list[tuple[str, str]]]:
    """The fact for the independent checker, and the sources.

    Raises
    ------
    LookupError
        If a theorem does not stand in its file.
    """
    own = coq_sources(proof.folder)
    sources = (coq_sources(proof.over) if proof.over else []) + own
    text = coq.uncommented(dict(sources)[f"{proof.module}.v"])
    theorems = {}
    for theorem in proof.theorems:
        found = re.search(rf"^Theorem {theorem} .*?\.$(?=\s+Proof)", text, re.S | re.M)
        if not found:
            raise LookupError(f"{proof.module}.v states no Theorem {theorem}")
        theorems[theorem] = found.group()
    files = [{"file": name, "sha256": hashlib.sha256(source.encode()).hexdigest()} for name, source in sources]
    fact: Fact = {"kind": "coq", "module": proof.module, "theorems": theorems, "files": files}
    if proof.over:
        fact["classical"] = [name for name, _ in own]
    return fact, sources


def _ask(obligation: Obligation, key: str, query: Query, limits: Limits) -> Outcome:
    """Put the query to every solver, and seal what all of them say with the values that show it."""
    text, file = query.script.text(), f"{obligation.id}.smt2"
    answers = [solvers.ask(name, text, limits) for name in solvers.DISTRIBUTIONS]
    runs = tuple(answer.summary() for answer in answers)
    try:
        answer = _agreed(answers, limits)
        shown = _witness(query, answers) if answer == "sat" else _premises_hold(query, limits) | _refuted(obligation)
    except _Open as why:
        return Outcome(why.verdict, why.reason, runs)
    deciding = query.script.decided
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    fact = {"kind": "smt", "file": file, "sha256": sha256, "deciding": deciding, "answer": answer} | shown
    holds = (answer == "unsat") == (deciding == "claim_fails")
    return replace(_seal(obligation, key, fact, holds, runs), script=(file, text))


class _Open(Exception):
    """The answers decide nothing: UNKNOWN where a solver did too little, ERROR where something is wrong."""

    def __init__(self, verdict: Verdict, reason: str) -> None:
        super().__init__(reason)
        self.verdict, self.reason = verdict, reason


def _agreed(answers: list[Answer], limits: Limits) -> str:
    """What every solver says, sat or unsat.

    Raises
    ------
    _Open
        If one of them gave up, or two contradict each other.

    Examples
    --------
    >>> def said(*words):
    ...     answers = [Answer(solver, "0", word, "", {}, 0.0) for solver, word in zip(("z3", "cvc5"), words)]
    ...     try:
    ...         return _agreed(answers, solvers.LIMITS)
    ...     except _Open as why:
    ...         return why.verdict.value
    >>> said("sat", "sat"), said("unsat", "unsat"), said("sat", "unsat"), said("unsat", "unknown")
    ('sat', 'unsat', 'ERROR', 'UNKNOWN')
    """
    if undecided := [a for a in answers if a.answer not in ("sat", "unsat")]:
        raise _Open(Verdict.UNKNOWN, "; ".join(_why(a, limits) for a in undecided))
    if len({a.answer for a in answers}) > 1:
        said = ", ".join(f"{a.solver} says {a.answer}" for a in answers)
        raise _Open(Verdict.ERROR, f"the solvers contradict each other: {said}")
    return answers[0].answer


def _witness(query: Query, answers: list[Answer]) -> Fact:
    """For a sat answer: a witness that the exact evaluation confirms, and the fact that it is to show."""
    witness = read_witness(answers, query.script.text())
    if witness is None:
        raise _Open(Verdict.UNKNOWN, "no solver gave a rational witness that the exact evaluation confirms")
    if query.replay is None:
        return {"witness": _text(witness)}
    try:
        return {"witness": _text(witness), "replay": query.replay(witness)}
    except Exception as error:  # a replay is the claim's own code, and may break in any way
        raise _Open(Verdict.ERROR, f"the witness cannot be replayed: {error}") from error


def _premises_hold(query: Query, limits: Limits) -> Fact:
    """For an unsat answer to a universal statement: values at which its premises hold, since of nothing all is true."""
    if query.script.decided != "claim_fails":
        return {}
    premises = query.script.text(premises_only=True)
    for name in solvers.DISTRIBUTIONS:
        answer = solvers.ask(name, premises, limits)
        if answer.answer == "unsat":
            raise _Open(Verdict.ERROR, "the premises contradict each other: the statement is vacuous")
        if witness := read_witness([answer], premises):
            return {"premises_witness": _text(witness)}
    raise _Open(Verdict.UNKNOWN, "no solver showed the premises satisfiable")


def _refuted(obligation: Obligation) -> Fact:
    """The tree that shows that there is no solution, if one is known; the independent checker decides by it."""
    if obligation.refutation is None:
        return {}
    try:
        tree = json.loads(obligation.refutation.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _Open(Verdict.ERROR, f"{obligation.refutation.name} cannot be read: {error}") from error
    return {"refutation": {"kind": "refutation", "tree": tree}}


def _why(answer: Answer, limits: Limits) -> str:
    reason, limit = answer.reason or "unknown", limits.resource[answer.solver]
    return f"{answer.solver} {answer.version}: {reason} (resource limit {limit})"


def read_witness(answers: list[Answer], text: str) -> Witness | None:
    """The first solver's values that satisfy the script exactly; None if no solver's do.

    Examples
    --------
    >>> script = "(set-logic QF_LRA)(declare-fun x () Real)(assert (< 0 x))(check-sat)"
    >>> wrong, right = (Answer("z3", "0", "sat", "", {"x": x}, 0.0) for x in ("-1", "1/7"))
    >>> read_witness([wrong, right], script), read_witness([wrong], script)
    ({'x': Fraction(1, 7)}, None)
    """
    script = ReadScript(text)
    for answer in answers:
        if answer.answer != "sat":
            continue
        try:
            values = {name: _value(value) for name, value in answer.values.items() if name in script.declared}
            # A solver leaves out what its simplification removed; then any value serves, and 0 is tried.
            for name, sort in script.declared.items():
                if sort != "function":
                    values.setdefault(name, False if sort == "Bool" else Fraction(0))
            if script.holds(script.assertions, values):
                return values
        except (ValueError, ZeroDivisionError, Refused):
            continue
    return None


def _value(text: str) -> Fraction | bool:
    return text == "true" if text in ("true", "false") else Fraction(text)


def _text(witness: Witness) -> dict[str, bool | str]:
    return {name: value if isinstance(value, bool) else str(value) for name, value in sorted(witness.items())}


def _seal(obligation: Obligation, key: str, fact: Fact, holds: bool, runs: tuple[Run, ...]) -> Outcome:
    verdict = Verdict.PROVED if holds else Verdict.REFUTED
    certificate = seal(
        {
            "format": FORMAT,
            "claim": obligation.id.split(".")[0],
            "obligation": obligation.id,
            "statement": obligation.statement,
            "scope": obligation.scope.value,
            "expect": obligation.expect.value,
            "verdict": verdict.value,
            "holds": holds,
            "fact": fact,
            "runs": list(runs),
            "versions": versions(*DECIDING),
            "key": key,
        }
    )
    return Outcome(verdict, "", runs, certificate)


def _accepted(outcome: Outcome, directory: Path) -> Outcome:
    """The outcome if the independent checker accepts its certificate; unsat answers are not solved a third time."""
    if outcome.certificate is None:
        return outcome
    if outcome.script:
        name, text = outcome.script
        write(directory / name, text)
    try:
        check_certificate(outcome.certificate, directory, solve=False)
    except Refused as reason:
        return Outcome(Verdict.ERROR, f"the independent checker refuses the evidence: {reason}", outcome.runs)
    return outcome

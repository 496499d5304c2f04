"""The trust boundary: the only place where a verdict PROVED or REFUTED is made.

Back ends return evidence; the kernel writes it as a certificate, and only what the independent checker accepts gets its verdict.
"""

import hashlib
import re
import time
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from proof_of_absence.checker.independent import coq
from proof_of_absence.checker.independent.check import check_certificate
from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.checker.independent.sexpr import Script as ReadScript
from proof_of_absence.checker.kernel import coq_found, solvers
from proof_of_absence.checker.kernel.certificate import FORMAT, seal, write
from proof_of_absence.checker.kernel.kept import versions
from proof_of_absence.checker.kernel.lock import DECIDING
from proof_of_absence.checker.kernel.obligation import Evidence, KernelProof, Obligation, Query, Verdict
from proof_of_absence.checker.kernel.solvers import Answer, Limits

__all__ = ["Outcome", "coq_sources", "discharge", "kernel_fact", "read_witness"]


@dataclass(frozen=True)
class Outcome:
    """The verdict on one obligation, why if it decides nothing, the solvers' runs, and the certificate if it decides.

    `script` is the name and text of the SMT-LIB script that belongs beside the certificate.
    """

    verdict: Verdict
    reason: str = ""
    runs: tuple[dict, ...] = ()
    certificate: dict | None = None
    script: tuple[str, str] | None = None


def discharge(obligation: Obligation, key: str, directory: Path, limits: Limits = solvers.LIMITS) -> Outcome:
    """Build the obligation, decide it, and have the evidence accepted. `directory` is where scripts are written."""
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
    if outcome.certificate is None:
        return outcome
    return _accepted(outcome, directory)


def _prove(obligation: Obligation, key: str, proof: KernelProof, directory: Path) -> Outcome:
    if coq.available() is None:
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
    run = {"solver": "coq", "version": str(coq_found.found()), "answer": "closed", "reason": "", "seconds": seconds}
    return _accepted(_seal(obligation, key, fact, True, (run,)), directory)


def coq_sources(folder: Path) -> list[tuple[str, str]]:
    """Names and texts of a folder's Coq files: the aliases for an older mathcomp if it has them, then the files of ``_CoqProject``."""
    project = (folder / "_CoqProject").read_text(encoding="utf-8").split()
    aliases = [coq.ALIASES] if (folder / coq.ALIASES).exists() else []
    names = aliases + [name for name in project if name.endswith(".v")]
    return [(name, (folder / name).read_text(encoding="utf-8")) for name in names]


def kernel_fact(proof: KernelProof) -> tuple[dict, list[tuple[str, str]]]:
    """The fact for the independent checker, and the sources.

    Raises
    ------
    LookupError
        If a theorem does not stand in its file.
    """
    sources = coq_sources(proof.folder)
    text = coq.uncommented(dict(sources)[f"{proof.module}.v"])
    theorems = {}
    for theorem in proof.theorems:
        found = re.search(rf"^Theorem {theorem} .*?\.$(?=\s+Proof)", text, re.S | re.M)
        if not found:
            raise LookupError(f"{proof.module}.v states no Theorem {theorem}")
        theorems[theorem] = found.group()
    files = [{"file": name, "sha256": hashlib.sha256(source.encode()).hexdigest()} for name, source in sources]
    return {"kind": "coq", "module": proof.module, "theorems": theorems, "files": files}, sources


def _ask(obligation: Obligation, key: str, query: Query, limits: Limits) -> Outcome:
    text = query.script.text()
    answers = [solvers.ask(name, text, limits) for name in solvers.DISTRIBUTIONS]
    runs = tuple(answer.summary() for answer in answers)
    if undecided := [a for a in answers if a.answer not in ("sat", "unsat")]:
        return Outcome(Verdict.UNKNOWN, "; ".join(_why(a, limits) for a in undecided), runs)
    if len({a.answer for a in answers}) > 1:
        said = ", ".join(f"{a.solver} says {a.answer}" for a in answers)
        return Outcome(Verdict.ERROR, f"the solvers contradict each other: {said}", runs)
    form = query.script.decided
    fact = {
        "kind": "smt",
        "file": f"{obligation.id}.smt2",
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
        "deciding": form,
        "answer": answers[0].answer,
    }
    if fact["answer"] == "sat":
        witness = read_witness(answers, text)
        if witness is None:
            return Outcome(
                Verdict.UNKNOWN, "no solver gave a rational witness that the exact evaluation confirms", runs
            )
        fact["witness"] = _text(witness)
        if query.replay:
            try:
                fact["replay"] = query.replay(witness)
            except Exception as error:
                return Outcome(Verdict.ERROR, f"the witness cannot be replayed: {error}", runs)
    elif form == "claim_fails":
        premises = query.script.text(premises_only=True)
        witness = None
        for name in solvers.DISTRIBUTIONS:
            answer = solvers.ask(name, premises, limits)
            if answer.answer == "unsat":
                return Outcome(Verdict.ERROR, "the premises contradict each other: the statement is vacuous", runs)
            if witness := read_witness([answer], premises):
                break
        if witness is None:
            return Outcome(Verdict.UNKNOWN, "no solver showed the premises satisfiable", runs)
        fact["premises_witness"] = _text(witness)
    holds = (fact["answer"] == "unsat") == (form == "claim_fails")
    outcome = _seal(obligation, key, fact, holds, runs)
    return replace(outcome, script=(fact["file"], text))


def _why(answer: Answer, limits: Limits) -> str:
    return f"{answer.solver} {answer.version}: {answer.reason or 'unknown'} (resource limit {limits.resource[answer.solver]})"


def read_witness(answers: list[Answer], text: str) -> dict | None:
    """The first solver's values that satisfy the script exactly."""
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


def _text(witness: dict) -> dict:
    return {name: value if isinstance(value, bool) else str(value) for name, value in sorted(witness.items())}


def _seal(obligation: Obligation, key: str, fact: dict, holds: bool, runs: tuple[dict, ...]) -> Outcome:
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
    """The outcome if the independent checker accepts its certificate; unsat answers are not solved a third time here."""
    if outcome.script:
        name, text = outcome.script
        write(directory / name, text)
    try:
        check_certificate(outcome.certificate, directory, solve=False)
    except Refused as reason:
        return Outcome(Verdict.ERROR, f"the independent checker refuses the evidence: {reason}", outcome.runs)
    return outcome

"""Check a certificate file: that it is whole, that its fact is so, and that verdict and fact go together."""

import hashlib
from pathlib import Path

from proof_of_absence.checker.independent.coq import confirm_theorems
from proof_of_absence.checker.independent.facts import check_fact
from proof_of_absence.checker.independent.refusal import Refused, require
from proof_of_absence.checker.independent.sealed import read_sealed
from proof_of_absence.checker.independent.solve import confirm_unsat
from proof_of_absence.checker.independent.values import Fact

FORMAT = "absence-certificate/1"
LARGEST = 64 * 2**20
CLASSICAL = "universal (classical)"
THEOREMS = ("universal", CLASSICAL)
SCOPES = (*THEOREMS, "bounded", "instance")
FIELDS = {
    "format", "claim", "obligation", "statement", "scope", "expect", "verdict", "holds", "fact", "runs", "versions",
    "key",
}  # fmt: skip


def load(path: Path) -> Fact:
    """Read a certificate and its script, and compare the digest.

    Raises
    ------
    Refused
        If the file is no certificate, or any byte of its content is not what was sealed.
    """
    return read_sealed(path, FORMAT, largest=LARGEST, fields=FIELDS | {"digest"})


def check_certificate(certificate: Fact, directory: Path, *, solve: bool = True) -> None:
    """Refuse unless the fact is so and shows the verdict.

    With `solve`, theorems are put to Coq again, and unsat answers to the solvers where no tree shows them.
    """
    holds, verdict = certificate["holds"], certificate["verdict"]
    require(isinstance(holds, bool), "holds is a truth value")
    require(verdict == ("PROVED" if holds else "REFUTED"), f"the fact does not show {verdict}")
    fact = certificate["fact"]
    require(isinstance(fact, dict), "the fact is missing")
    scope = certificate.get("scope")
    require(scope in SCOPES, f"{scope!r} is no scope")
    require((scope in THEOREMS) == (fact.get("kind") == "coq"), "theorems alone are universal")
    require((scope == CLASSICAL) == ("classical" in fact), "what may rest on axioms says so in its scope")
    if fact.get("kind") == "coq":
        fact = fact | {"sources": _sources(fact, directory)}
        check_fact(fact, confirmed=True)
        require(holds, "a theorem refutes nothing")
        if solve:
            confirm_theorems(fact)
        return
    if fact.get("kind") != "smt":
        check_fact(fact)
        return
    fact = fact | {"script": _script(fact, directory)}
    check_fact(fact, confirmed=True)
    unsat = fact["answer"] == "unsat"
    require(holds == (unsat == (fact["deciding"] == "claim_fails")), "the answer does not show the verdict")
    if fact.get("replay") is not None:
        check_fact(fact["replay"])
    if fact.get("refutation") is not None:
        require(unsat, "what has a solution is not refuted")
        check_fact(fact["refutation"] | {"script": fact["script"]})
    elif unsat and solve:
        confirm_unsat(fact["script"])


def _sources(fact: Fact, directory: Path) -> list[tuple[str, str]]:
    files = fact.get("files")
    if not (isinstance(files, list) and files and all(isinstance(f, dict) for f in files)):
        raise Refused("no source is named")
    return [(f["file"], _script(f, directory / "coq")) for f in files if isinstance(f.get("file"), str)]


def _script(fact: Fact, directory: Path) -> str:
    name = fact.get("file")
    if not (isinstance(name, str) and Path(name).name == name):
        raise Refused("the script's file is not named")
    try:
        data = (directory / name).read_bytes()
        text = data.decode("utf-8")
    except (OSError, ValueError) as error:
        raise Refused(f"script {name}: {error}") from error
    require(hashlib.sha256(data).hexdigest() == fact.get("sha256"), f"script {name} is not the one that was decided")
    return text


def check_file(path: Path, *, solve: bool = True) -> Fact:
    """Load and check one certificate; returns it."""
    certificate = load(path)
    check_certificate(certificate, path.parent, solve=solve)
    return certificate

"""Whether a certificate is accepted, and about the obligation whose name it bears: that is built again, and compared.

The independent checker decides whether a fact is so; this decides whether it is the fact that was asked for.
"""

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

from proof_of_absence.checker.independent.check import check_file
from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.checker.kernel.discharge import kernel_fact
from proof_of_absence.checker.kernel.obligation import Evidence, KernelProof, Obligation

__all__ = ["accepted"]


def accepted(path: Path, obligations: Mapping[str, Obligation], *, solve: bool = True) -> dict[str, Any]:
    """The certificate in a file, if the checker accepts it and it discharges the obligation that the file's name says.

    Parameters
    ----------
    obligations
        All there are, by name.
    solve
        Whether unsat answers go to both solvers, and theorems to Coq, again.

    Raises
    ------
    Refused
        If it does not.
    """
    certificate = check_file(path, solve=solve)
    name = certificate["obligation"]
    if name not in obligations:
        raise Refused(f"no claim has an obligation {name}")
    if path.stem != name:
        raise Refused(f"it is the certificate of {name}")
    if reason := _mismatch(certificate, obligations[name], path.parent):
        raise Refused(reason)
    return certificate


def _mismatch(certificate: dict[str, Any], obligation: Obligation, directory: Path) -> str | None:
    """Why the certificate does not discharge the obligation, or None if it does."""
    stated = {"statement": obligation.statement, "scope": obligation.scope.value, "expect": obligation.expect.value}
    for field, value in stated.items():
        if certificate[field] != value:
            return f"its {field} is not the obligation's"
    if certificate["verdict"] != obligation.expect.value:
        return f"its verdict is {certificate['verdict']}, the obligation expects {obligation.expect.value}"
    built, fact = obligation.build(), certificate["fact"]
    if isinstance(built, KernelProof):
        return None if fact == kernel_fact(built)[0] else "it is about other theorems or sources"
    if isinstance(built, Evidence):
        return None if (fact, certificate["holds"]) == (built.fact, built.holds) else "it is about another fact"
    if fact.get("kind") != "smt" or (directory / fact["file"]).read_text(encoding="utf-8") != built.script.text():
        return "it is about another query"
    if fact["deciding"] != built.script.decided:
        return "it decides the opposite question"
    if built.replay and fact["answer"] == "sat":
        witness = {name: v if isinstance(v, bool) else Fraction(v) for name, v in fact["witness"].items()}
        if fact.get("replay") != built.replay(witness):
            return "its replay is not of its witness"
    return None

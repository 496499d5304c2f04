"""Obligations that the Coq kernel discharges, for all sizes: theorems of the files in proofs/coq.

Those of proofs/coq_classical are about the real numbers of mathcomp-analysis, and may rest on its three axioms.
"""

from functools import partial
from pathlib import Path

from proof_of_absence.checker.kernel.obligation import KernelProof, Obligation, Scope

__all__ = ["EXPONENTIAL", "classical", "universal"]

FOLDER = Path(__file__).parent / "coq"
CLASSICAL = Path(__file__).parent / "coq_classical"
# What theorems suppose that are about exp or ln: C17_real shows it of the real ones, from the three axioms.
EXPONENTIAL = "exp, and ln where it occurs, with the properties that the premises name; the real ones have them (C17)"


def _proof(folder: Path, over: Path | None, module: str, theorems: tuple[str, ...]) -> KernelProof:
    return KernelProof(folder, module, theorems, over)


def universal(statement: str, module: str, *theorems: str, name: str = "universal", given: str = "") -> Obligation:
    """The obligation that the theorems of a file are proved from no axiom; it is that of their claim, called `name`."""
    claim = theorems[0].split("_")[0]
    proof = partial(_proof, FOLDER, None, module, theorems)
    return Obligation(f"{claim}.{name}", statement, Scope.UNIVERSAL, proof, given=given)


def classical(statement: str, module: str, *theorems: str) -> Obligation:
    """The obligation that the theorems are proved from the three axioms of classical logic at most."""
    claim = theorems[0].split("_")[0]
    return Obligation(
        f"{claim}.classical", statement, Scope.CLASSICAL, partial(_proof, CLASSICAL, FOLDER, module, theorems)
    )

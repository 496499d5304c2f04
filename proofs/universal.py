"""Obligations that the Coq kernel discharges, for all sizes: theorems of the files in proofs/coq."""

from functools import partial
from pathlib import Path

from proof_of_absence.checker.kernel.obligation import KernelProof, Obligation, Scope

__all__ = ["universal"]

FOLDER = Path(__file__).parent / "coq"


def _proof(module: str, theorems: tuple[str, ...]) -> KernelProof:
    return KernelProof(FOLDER, module, theorems)


def universal(statement: str, module: str, *theorems: str, name: str = "universal") -> Obligation:
    """The obligation that the theorems of a file are proved from no axiom; it is that of their claim, called `name`."""
    claim = theorems[0].split("_")[0]
    return Obligation(f"{claim}.{name}", statement, Scope.UNIVERSAL, partial(_proof, module, theorems))

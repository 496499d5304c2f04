"""Machine-checked absence of separable shift detectors: claims, their proofs, an audit of trained networks, a training callback.

Importing this loads nothing but itself; the parts are `proof_of_absence.models`, `proof_of_absence.checker` and `proof_of_absence.proofs`.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from proof_of_absence.checker.audit.callback import Reassignment
    from proof_of_absence.checker.audit.entry import audit

__all__ = ["Reassignment", "audit"]


def __getattr__(name: str):
    if name == "Reassignment":
        from proof_of_absence.checker.audit.callback import Reassignment

        return Reassignment
    if name == "audit":
        from proof_of_absence.checker.audit.entry import audit

        return audit
    raise AttributeError(f"module 'proof_of_absence' has no attribute {name!r}")

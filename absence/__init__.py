"""Machine-checked absence of separable shift detectors: claims, their proofs, an audit of trained networks, a training callback.

Importing this loads nothing but itself; the parts are `absence.models`, `absence.checker` and `absence.proofs`.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from absence.checker.audit.callback import Reassignment
    from absence.checker.audit.entry import audit

__all__ = ["Reassignment", "audit"]


def __getattr__(name: str):
    if name == "Reassignment":
        from absence.checker.audit.callback import Reassignment

        return Reassignment
    if name == "audit":
        from absence.checker.audit.entry import audit

        return audit
    raise AttributeError(f"module 'absence' has no attribute {name!r}")

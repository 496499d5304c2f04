"""Machine-checked absence of separable shift detectors: claims, their proofs, and an audit of trained networks.

Importing this loads nothing but itself; the parts are `absence.models`, `absence.checker` and `absence.proofs`.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from absence.checker.audit.entry import audit

__all__ = ["audit"]


def __getattr__(name: str):
    if name == "audit":
        from absence.checker.audit.entry import audit

        return audit
    raise AttributeError(f"module 'absence' has no attribute {name!r}")

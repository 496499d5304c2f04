"""The chain: every claim in reading order, and the graph of what rests on what."""

from absence.proofs import (
    c1_detector,
    c2_irrelevance,
    c3_freed_capacity,
    c4_separating_unit,
    c5_strict_descent,
    c6_underparameterisation,
    c7_reassignment,
    c8_contradiction,
    n1_separability,
)

__all__ = ["CLAIMS"]

CLAIMS = tuple(
    module.CLAIM
    for module in (
        c1_detector,
        c2_irrelevance,
        c3_freed_capacity,
        c4_separating_unit,
        c5_strict_descent,
        c6_underparameterisation,
        c7_reassignment,
        c8_contradiction,
        n1_separability,
    )
)

"""What the proved checker leaves to others, and why: for each kind of fact, and for the kinds that it decides in part.

How many obligations each stands in the way of is counted from the certificates.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from proof_of_absence.checker.proved.opinion import Answer, Opinion

__all__ = ["IN_PART", "OF_AUDITS", "WHY", "left", "markdown"]

_WORLD = "Coq has policies and their risks, and not this world of questions, hours and tampering"
_ALL_NETS = "every net of a grid or a class is tried: that the program goes through all of them is not proved yet"
_EXP = "exponentials and logarithms are enclosed; the proved checkers decide rational numbers only"
_POWERS = "real powers are enclosed; the proved checkers decide rational numbers only"
_COUNTED = "what is counted on a line or a grid is proved in Coq for all; lists of one case are not tied to that yet"
_SCRIPT = "no tree is known that shows that there is no solution; or a fact about the solution is left"
_FLOAT32 = "Coq has the net over the reals; sums that are rounded, in any order, are not modelled"

# Kinds of fact of which the program decides none.
WHY = {
    "alternation": _COUNTED,
    "bends": _COUNTED,
    "best-line": "that a matrix is positive semidefinite is not decided by a proved checker yet",
    "box-posterior": _ALL_NETS,
    "class-census": _ALL_NETS,
    "convex-training": "every pattern of the dual has its multipliers: no proved checker yet",
    "cross-entropy-drop": _EXP,
    "cross-entropy-floor": _EXP,
    "crossed-boxes": _COUNTED,
    "crossover": _ALL_NETS,
    "decay-bound": "the squares of all parameters beside the loss: no proved checker yet",
    "decay-drop": "the squares of all parameters beside the loss: no proved checker yet",
    "detector": _WORLD,
    "gradient-steps": "that the steps follow the gradient is not tied to Coq's descent yet",
    "grid-cost": _COUNTED,
    "identity": "polynomials are compared as text; a proved normal form is not connected yet",
    "least-in-class": _ALL_NETS,
    "line-bound": "that a matrix is positive semidefinite is not decided by a proved checker yet",
    "line-gaps": _COUNTED,
    "logistic-drop": _EXP,
    "logistic-floor": _EXP,
    "logistic-group": _EXP,
    "no-identity": "polynomials are compared as text; a proved normal form is not connected yet",
    "policy-excess": _WORLD,
    "policy-losses": _WORLD,
    "policy-net": _WORLD,
    "posterior": _ALL_NETS,
    "relu-apart": _EXP,
    "relu-like": _EXP,
    "sample-chance": _ALL_NETS,
    "scaling-tax": _POWERS,
    "scaling-threshold": _POWERS,
    "world-bounds": _WORLD,
    "world-cell": _WORLD,
    "world-price": _WORLD,
    "world-sizes": _WORLD,
    "world-thresholds": _WORLD,
}
# Kinds of which an audit alone has facts, if the program decides none of them.
OF_AUDITS = {
    "cross-entropy-rents": _EXP,
    "float32-deviation": _FLOAT32,
    "lower-training-cross-entropy": _EXP,
    "same-in-float32": _FLOAT32,
    "training-cross-entropy": _EXP,
    "uniform-gap": "Coq has the gauge and the gap of the data of a claim; that of an audit is not tied to it yet",
    "unit-rents": "sums over the rows for each unit and its replacement: no proved checker of audits yet",
}
# Kinds of which it decides some forms, and what it leaves.
IN_PART = {
    "compared": "a number of a fact that is left",
    "readout-prices": "features that depend on one another, and the least move that changes a class",
    "smt": _SCRIPT,
}


def left(certificates: Mapping[str, dict[str, Any]], opinions: Mapping[str, Opinion], scope: str) -> Counter[str]:
    """For each kind that is left, of how many obligations of a scope it is a part."""
    found: Counter[str] = Counter()
    for name, certificate in certificates.items():
        if certificate.get("scope") == scope and name in opinions:
            found.update({kind for kind, answer in opinions[name].facts if answer is Answer.LEFT})
    return found


def markdown(found: Counter[str]) -> str:
    """A table: each kind, in how many obligations, why."""
    rows = sorted(found.items(), key=lambda row: (-row[1], row[0]))
    lines = [("Kind", "obligations", "why it is left"), ("---", "---:", "---")]
    lines += [(f"`{kind}`", str(count), (WHY | IN_PART)[kind]) for kind, count in rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)

"""The question as an SMT-LIB script: the same box, net and constants, for z3 and cvc5 to answer independently.

Tested against `Question.sent` at given inputs; sat means that some reader receives something else, as for `irrelevant`.
"""

from proof_of_absence.checker.encode.nets import forward, parameters_of
from proof_of_absence.checker.kernel.smt import Script, all_of, any_of, distinct, dot, le
from proof_of_absence.checker.region.question import Question
from proof_of_absence.models.circuit import Unit

__all__ = ["script"]


def script(asked: Question) -> Script:
    """The inputs are the unknowns z_0, z_1, ..; the formula to decide: the circuit is not constant on the box."""
    made = Script("QF_LRA", "is what the circuit sends constant on the box?")
    z = made.reals("z", len(asked.low))
    for name, low, high in zip(z, asked.low, asked.high, strict=True):
        made.premise(all_of([le(low, name), le(name, high)]))
    parameters = parameters_of(asked.net.exact())[: asked.depth + 1]
    values = forward(made, parameters, z, "h")
    differs = [
        distinct(dot(row, [values[Unit(t.layer, j)] for j in t.units]), v)
        for t in asked.targets
        for row, v in zip(t.weights, t.value, strict=True)
    ]
    made.decide("claim_fails", any_of(differs))
    return made

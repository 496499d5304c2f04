"""Whether a fact is true, by code that the independent checker does not use: one oracle for each family of facts."""

from tests.checker.independent.kinds import (
    cross_entropy,
    detection,
    global_minimum,
    gradient_descent,
    hull,
    idleness,
    lines,
    logistic,
    outputs,
    policies,
    polynomials,
    posterior_mass,
    quantised,
    rank,
    region,
    regression,
    rents,
    scaling,
    separation,
    squared_loss,
    uniform_gap,
    weight_decay,
    world_bounds,
    world_cell,
    world_price,
    world_sizes,
    zero_one,
)
from tests.checker.independent.kinds.conjunction import compares
from tests.checker.independent.kinds.smt import smt

FAMILIES = (
    lines,
    cross_entropy,
    detection,
    global_minimum,
    gradient_descent,
    hull,
    idleness,
    quantised,
    logistic,
    outputs,
    policies,
    polynomials,
    posterior_mass,
    rank,
    region,
    rents,
    regression,
    scaling,
    separation,
    squared_loss,
    uniform_gap,
    weight_decay,
    world_bounds,
    world_cell,
    world_price,
    world_sizes,
    zero_one,
)
SAYS = {kind: says for family in FAMILIES for kind, says in family.SAYS.items()}


def true(fact, folder):
    """Whether the fact is so; `folder` holds the scripts of SMT facts."""
    if fact["kind"] == "all":
        parts = fact["facts"]
        compared = fact.get("compared", ())
        return all(true(part, folder) for part in parts) and all(compares(*relation, parts) for relation in compared)
    if fact["kind"] == "smt":
        return smt(fact, folder) and ("replay" not in fact or true(fact["replay"], folder))
    try:
        return SAYS[fact["kind"]](fact)
    except (ValueError, IndexError, KeyError):
        return False

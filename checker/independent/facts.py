"""The table of all kinds of fact, joined from one for each family, and the one way to have a fact decided.

A fact is a JSON object; `kind` selects the checker. Nothing is taken from the certificate that can be computed.
"""

from collections.abc import Callable, Iterable

from proof_of_absence.checker.independent.coq import check_sources
from proof_of_absence.checker.independent.kinds import (
    activations,
    bends,
    box_posterior,
    class_census,
    confinement,
    cross_entropy,
    defection,
    detection,
    global_minimum,
    gradient_descent,
    hull,
    idleness,
    lines,
    logistic,
    norms,
    outputs,
    policies,
    polynomials,
    posterior_mass,
    quantised,
    rank,
    readout,
    refutation,
    region,
    regression,
    rents,
    sampling,
    scaling,
    separation,
    smt,
    squared_loss,
    uniform_gap,
    weight_decay,
    world_bounds,
    world_cell,
    world_price,
    world_sizes,
    zero_one,
)
from proof_of_absence.checker.independent.kinds.conjunction import conjunction
from proof_of_absence.checker.independent.refusal import Refused, require
from proof_of_absence.checker.independent.values import Fact

Table = dict[str, Callable[[Fact], None]]

FAMILIES = (
    activations,
    bends,
    lines,
    box_posterior,
    class_census,
    confinement,
    cross_entropy,
    defection,
    detection,
    global_minimum,
    gradient_descent,
    hull,
    idleness,
    quantised,
    logistic,
    norms,
    outputs,
    policies,
    polynomials,
    posterior_mass,
    rank,
    readout,
    refutation,
    region,
    rents,
    regression,
    sampling,
    scaling,
    separation,
    smt,
    squared_loss,
    uniform_gap,
    weight_decay,
    world_bounds,
    world_cell,
    world_price,
    world_sizes,
    zero_one,
)
# What these say is seen by a solver, or by Coq's kernel, and not here: they are no part of another fact.
CONFIRMED = ("coq", "smt")


def joined(tables: Iterable[Table]) -> Table:
    """The tables as one.

    Raises
    ------
    ValueError
        If a kind is in two of them.
    """
    result: Table = {}
    for table in tables:
        if twice := set(result) & set(table):
            raise ValueError(f"two checkers for {', '.join(sorted(twice))}")
        result |= table
    return result


def check_fact(fact: object, *, confirmed: bool = False) -> None:
    """Refuse the fact unless it is so.

    With `confirmed`, the caller puts scripts and theorems to a solver or the kernel.

    Raises
    ------
    Refused
        With the reason; a malformed fact is refused too.
    """
    if not (isinstance(fact, dict) and isinstance(fact.get("kind"), str) and fact["kind"] in KINDS):
        raise Refused("no known kind of fact")
    kind = fact["kind"]
    require(confirmed or kind not in CONFIRMED, f"{kind} must be a certificate of its own: nothing here confirms it")
    try:
        KINDS[kind](fact)
    except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError, RecursionError) as error:
        raise Refused(f"malformed {kind}: {type(error).__name__}: {error}") from error


KINDS = joined(
    [
        *(family.KINDS for family in FAMILIES),
        {"all": lambda fact: conjunction(fact, check_fact), "coq": check_sources},
    ]
)

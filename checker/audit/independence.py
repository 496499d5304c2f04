"""C9 on a float net: whether the features of a hidden layer, and 1, are linearly independent on the training inputs.

Independent: a minor that is not 0 modulo a prime. Dependent: the exact coefficients, verified at every distinct input.
"""

from dataclasses import replace
from fractions import Fraction

import numpy as np

from proof_of_absence.checker.audit.findings import Activity, RankFinding, UnitFinding
from proof_of_absence.checker.audit.idle import checked_inputs, unit_findings
from proof_of_absence.checker.numbers.deadline import OutOfTime, look
from proof_of_absence.checker.passes import exact
from proof_of_absence.checker.passes.dependence import LARGEST_RELATION, LayerTable, Relations, broken_at, lifted
from proof_of_absence.checker.passes.modular import PRIMES, reduced
from proof_of_absence.checker.passes.rows import distinct_rows
from proof_of_absence.models.floatnet import FloatNet
from proof_of_absence.models.layers import nonzero

__all__ = ["hints", "rank_findings", "rest_findings"]

STILL = (Activity.DEAD, Activity.CONSTANT)


def rank_findings(
    net: FloatNet, inputs: np.ndarray, *, units: tuple[UnitFinding, ...] | None = None
) -> tuple[RankFinding, ...]:
    """For each hidden layer: [1 | phi_1 .. phi_n] has full column rank, or a relation among its columns.

    Units whose output weights are all 0 are left out, and with them a layer of such units.

    Parameters
    ----------
    inputs
        Training inputs, shape (rows, d), float64.
    units
        What `unit_findings` returned, if it is at hand: the witnesses make good rows.

    Notes
    -----
    Where neither is shown, `full` is None. A layer with fewer distinct inputs than columns is not full, whatever it
    computes: `distinct_inputs` then is the reason, and no `dependency` is looked for.

    Examples
    --------
    >>> net = FloatNet([([[1.0], [2.0]], [0.0, 0.0]), ([[1.0, 1.0]], [0.0])])
    >>> finding, = rank_findings(net, np.array([[0.0], [1.0], [-2.0]]))
    >>> finding.full, finding.dependency
    (False, (Fraction(0, 1), Fraction(2, 1), Fraction(-1, 1)))
    """
    inputs = checked_inputs(net, inputs)
    units = unit_findings(net, inputs) if units is None else units
    found: list[RankFinding] = []
    sending = [np.flatnonzero(nonzero(net.layers[layer]).any(axis=0)) for layer in range(1, len(net.layers))]
    asked = [(layer, members) for layer, members in enumerate(sending, 1) if members.size]
    try:
        distinct = distinct_rows(inputs)
        for layer, members in asked:
            rank = _layer(net, inputs, distinct, layer, units, members)
            whole = len(members) == net.widths[layer] or not rank.full
            found.append(rank if whole else replace(rank, units=tuple(members.tolist())))
    except OutOfTime as late:
        open_ = (RankFinding(layer, len(members) + 1, None) for layer, members in asked[len(found) :])
        late.so_far = (*found, *open_)
        raise
    return tuple(found)


def rest_findings(net: FloatNet, inputs: np.ndarray, units: tuple[UnitFinding, ...]) -> tuple[RankFinding, ...]:
    """For each hidden layer with idle units: that the others have full column rank, where they do.

    Then no set of the others is idle, so the idle units are all the minimal idle circuits within the layer.
    """
    inputs, found = checked_inputs(net, inputs), []
    for layer in range(1, len(net.layers)):
        rest = tuple(u.unit.index for u in units if u.unit.layer == layer and not u.idle)
        # With more columns than rows they have not.
        if not rest or len(rest) == net.widths[layer] or len(rest) >= len(inputs):
            continue
        relations = Relations(LayerTable(net, inputs, layer, np.array(rest)), hints(units, layer), PRIMES[0])
        relations.see_all()
        if not relations.basis.shape[1]:
            rows = tuple(sorted(relations.rows))
            found.append(RankFinding(layer, len(rest) + 1, True, PRIMES[0], rows, units=rest))
    return tuple(found)


def hints(units: tuple[UnitFinding, ...], layer: int) -> np.ndarray:
    """A row for each unit of a layer that varies, at which it is active."""
    return np.array([u.witness[0] for u in units if u.unit.layer == layer and u.witness], dtype=np.int64)


def _layer(
    net: FloatNet,
    inputs: np.ndarray,
    distinct: np.ndarray,
    layer: int,
    units: tuple[UnitFinding, ...],
    members: np.ndarray,
) -> RankFinding:
    """The rank of 1 and these units; a dependency has an entry for each unit of the layer."""
    count, every = len(members) + 1, net.widths[layer] + 1
    columns = np.concatenate([[0], members + 1])
    table = LayerTable(net, inputs, layer, members)
    parts = [distinct[block] for block in exact.blocks(len(distinct), net)]
    if len(distinct) < count:
        return RankFinding(layer, count, False, distinct_inputs=len(distinct))
    ours = set(members.tolist())
    if still := next(
        (u for u in units if u.unit.layer == layer and u.activity in STILL and u.unit.index in ours), None
    ):
        value = exact.activations(net, inputs[:1], layer, [still.unit.index]).fraction(0, 0)
        return RankFinding(
            layer, count, False, dependency=_sparse(every, {0: -value, still.unit.index + 1: Fraction(1)})
        )
    for prime in PRIMES:
        relations = Relations(table, hints(units, layer), prime)
        while relations.basis.shape[1]:
            look()
            basis = reduced(relations.basis, prime)
            support = np.flatnonzero(basis[:, np.count_nonzero(basis, axis=0).argmin()])
            if len(support) > LARGEST_RELATION or (coefficients := lifted(relations, support)) is None:
                break
            broken = broken_at(table, parts, support, coefficients)
            if broken is None:
                relation = dict(zip(columns[support].tolist(), map(Fraction, coefficients), strict=True))
                return RankFinding(layer, count, False, dependency=_sparse(every, relation))
            before = len(relations.rows)
            relations.see(broken)
            if len(relations.rows) == before:
                # It holds modulo the prime and not over Q.
                break
        if not relations.basis.shape[1]:
            return RankFinding(layer, count, True, prime, tuple(sorted(relations.rows)))
    return RankFinding(layer, count, None)


def _sparse(count: int, entries: dict[int, Fraction]) -> tuple[Fraction, ...]:
    return tuple(entries.get(j, Fraction(0)) for j in range(count))

"""Whether what an earlier run kept of a stage is so: the independent checker decides facts that show it, or it is not.

Only what is decided whole is taken. That no circuit is idle, where circuits fire, losses, and the drop of a
cross-entropy are computed again each time.
"""

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from proof_of_absence.checker.audit.certified import losses_of_improvement, losses_of_prices, losses_of_rents
from proof_of_absence.checker.audit.certify import deployment_fact, rank_fact, unit_facts
from proof_of_absence.checker.audit.cross_entropy import drop_of, outputs_of
from proof_of_absence.checker.audit.findings import (
    CircuitFinding,
    DeploymentFinding,
    Prices,
    RankFinding,
    RegionFinding,
    UnitFinding,
)
from proof_of_absence.checker.audit.gauge import priced
from proof_of_absence.checker.audit.net_arrays import unshared
from proof_of_absence.checker.audit.report.json_report import encode
from proof_of_absence.checker.audit.sources import layers_of
from proof_of_absence.checker.construct.gap import Gauge
from proof_of_absence.checker.construct.pricing import Priced
from proof_of_absence.checker.construct.readout_facts import readout_fact
from proof_of_absence.checker.independent.kinds.float_losses import reassigned
from proof_of_absence.checker.independent.pause import at_pauses
from proof_of_absence.checker.independent.refusal import Refused, require
from proof_of_absence.checker.independent.results.audit import MALFORMED, decide
from proof_of_absence.checker.independent.results.report import require_place, require_rank
from proof_of_absence.checker.independent.results.subject import Subject
from proof_of_absence.checker.independent.values.floats import FloatNet as Unshared
from proof_of_absence.checker.numbers.deadline import look
from proof_of_absence.checker.screen.spread import listed_rows
from proof_of_absence.models.circuit import Unit
from proof_of_absence.models.layers import equal_layers, nonzero
from proof_of_absence.models.objective import OF_CLASSES

if TYPE_CHECKING:
    from proof_of_absence.checker.audit.examination import Better, Examination

__all__ = ["deployment", "improvement", "prices", "ranks", "readout", "region", "rents", "subject_of", "units"]


def subject_of(found: "Examination") -> Subject:
    """The net and the data, as the independent checker has them."""
    read = unshared(found.net)
    net = Unshared(read.layers, found.net.dtype, read.rational, read.steps)
    return Subject(net, found.inputs, deploy=found.deploy, targets=found.targets, test=found.test)


def _decided(check: Callable[..., None]) -> Callable[..., bool]:
    """Whether the check, which refuses what is not so, lets it pass; it looks at the clock on the way."""

    def passes(*arguments: Any) -> bool:
        try:
            with at_pauses(look):
                look()
                check(*arguments)
        except (Refused, *MALFORMED):
            return False
        return True

    passes.__doc__ = check.__doc__
    return passes


@_decided
def units(found: "Examination", value: Sequence[UnitFinding]) -> None:
    """Every hidden unit in order, whether it is idle, and a witness if it varies."""
    widths = enumerate(found.net.widths[1:-1], 1)
    every = [Unit(layer, j) for layer, width in widths for j in range(width)]
    require([unit.unit for unit in value] == every, "not every unit")
    require(all(_unpaid(unit) == unit for unit in value), "a rent")
    decide(found.subject, unit_facts(tuple(value)))


@_decided
def deployment(found: "Examination", value: Sequence[DeploymentFinding]) -> None:
    """Every deployment input in order, each decided."""
    require(found.deploy is not None and [at.row for at in value] == list(range(len(found.deploy))), "not every row")
    facts = [deployment_fact(at) for at in value]
    require(all(at.cover is None for at in value), "a cover is found in a stage of its own")
    for at, fact in zip(encode(tuple(value)), facts, strict=True):
        require(fact is not None, "a row is open")
        require_place(at, fact)
    decide(found.subject, _there(facts))


@_decided
def ranks(found: "Examination", value: Sequence[RankFinding]) -> None:
    """Every layer that sends something, its rank decided."""
    layers = [number for number, layer in enumerate(found.net.layers) if number and nonzero(layer).any()]
    require([rank.layer for rank in value] == layers, "not every layer")
    facts = [rank_fact(rank) for rank in value]
    require(None not in facts, "a rank is open")
    for rank in encode(tuple(value)):
        require_rank(rank, _there(facts), found.subject)
    decide(found.subject, _there(facts))


@_decided
def improvement(found: "Examination", value: "Better") -> None:
    """A lower loss with one of the circuits reused, and the net of it."""
    change, net = value.improvement, value.net
    require(change is not None and net is not None and not value.reason and found.losses[0] is not None, "none")
    assert change is not None and net is not None
    require(change.circuit in [tuple(sorted(circuit.units)) for circuit in found.circuits], "another circuit")
    require(change.file is None and net.dtype == found.net.dtype, "another net")
    fact = losses_of_improvement(change, found.loss) | {"dtype": found.net.dtype.name}
    own = reassigned(fact, found.subject.net)
    require(equal_layers(net.layers, layers_of(own)), "another net")
    if found.loss in OF_CLASSES:
        # Ten times as fast as the checker's own exponentials.
        assert found.targets is not None
        again = drop_of(outputs_of(found.net, found.inputs), outputs_of(net, found.inputs), found.targets)
        require(again == (change.loss_before, change.drop, change.loss_after), "another drop")
        return
    decide(found.subject, [fact])


@_decided
def rents(found: "Examination", value: Sequence[UnitFinding]) -> None:
    """The units as they were found, and a rent of each in the last hidden layer."""
    last, loss = len(found.net.layers) - 1, found.losses[0]
    require(loss is not None, "no loss to compare with")
    assert loss is not None
    require([_unpaid(unit) for unit in value] == [_unpaid(unit) for unit in found.units], "other units")
    for unit in value:
        require((unit.rent is not None) == (unit.unit.layer == last), "a rent is missing, or one too many")
        if unit.idle and unit.rent and not found.has_squared_losses():
            require(unit.rent.low == unit.rent.high == 0 and unit.by_class is None, "an idle unit pays")
    require(all((unit.replacement is None) == (unit.replacement_gain is None) for unit in value), "half a replacement")
    decide(found.subject, [losses_of_rents(value, loss, found.loss) | {"dtype": found.net.dtype.name}])


@_decided
def prices(found: "Examination", value: Prices | None) -> None:
    """A gauge of the inputs; what follows from it is computed again."""
    loss, floor = found.losses
    require(value is not None and loss is not None and floor is not None, "none")
    assert value is not None and loss is not None and floor is not None
    gauge = Gauge(value.direction, value.spacing, value.spread)
    require(priced(gauge, len(found.inputs), loss, floor, found.circuits) == value, "other prices")
    decide(found.subject, [losses_of_prices(value, loss) | {"dtype": found.net.dtype.name}])


@_decided
def readout(found: "Examination", value: Priced | None) -> None:
    """Every deployment and test input priced, of the move and the penalty that are asked for."""
    require(value is not None, "none")
    assert value is not None
    told, parts = value.readout, {"deployment": found.deploy, "training": found.inputs, "test": found.test}
    move = Fraction(1) if found.move is None and found.net.widths[-1] == 1 else found.move
    require((told.penalty, told.move) == (found.penalty, move), "another question")
    require(told.rows == len(found.inputs) and told.layer == len(found.net.layers) - 1, "of other features")
    for part, rows in parts.items():
        listed = [] if rows is None else listed_rows(part, len(rows))
        require([one.row for one in told.part(part)] == listed, "not every row")
        known = (one.free is not None or (one.leverage and one.leverage[1]) for one in told.part(part))
        require(all(known), "a row is open")
    found.subject.factor = value.factor
    decide(found.subject, [readout_fact(told)])


def region(
    found: "Examination", circuit: CircuitFinding, name: str, bounds: Sequence[tuple[Any, Any]], value: Any
) -> bool:
    """The circuit sends its constants all over this box, or something else at a point of it."""
    return _region(found, circuit, name, bounds, value)


@_decided
def _region(
    found: "Examination", circuit: CircuitFinding, name: str, bounds: Sequence[tuple[Any, Any]],
    value: tuple[RegionFinding, dict[str, Any] | None],
) -> None:  # fmt: skip
    told, fact = value
    require(told.units == circuit.units and told.region == name and fact is not None, "about something else")
    assert fact is not None
    low, high = ([str(end) for end in ends] for ends in zip(*bounds, strict=True))
    asked = {
        "circuit": sorted(list(unit) for unit in circuit.units), "low": low, "high": high,
        "value": [[*unit, str(v)] for unit, v in sorted(circuit.value.items())],
    }  # fmt: skip
    require({key: fact.get(key) for key in asked} == asked, "about something else")
    acts = fact["kind"] == "relevant-at"
    require(told.verdict == ("sat" if acts else "unsat") and not told.reason, "another verdict")
    witness = None if told.witness is None else [str(x) for x in told.witness]
    require(witness == (fact["input"] if acts else None), "another witness")
    decide(found.subject, [fact])


def _unpaid(unit: UnitFinding) -> UnitFinding:
    return UnitFinding(unit.unit, unit.activity, unit.idle, unit.witness)


def _there(facts: Iterable[dict[str, Any] | None]) -> list[dict[str, Any]]:
    return [fact for fact in facts if fact is not None]

"""What the stages of an audit find, and the stages in order: a row each, with what it runs and what it fills."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from proof_of_absence.checker.audit import shown
from proof_of_absence.checker.audit.circuits import firing, idle_circuits
from proof_of_absence.checker.audit.class_improve import improve_class
from proof_of_absence.checker.audit.class_rent import AFFORDED, affordable, class_rents
from proof_of_absence.checker.audit.covering import covered
from proof_of_absence.checker.audit.cross_entropy import class_losses
from proof_of_absence.checker.audit.detectors import deployment_findings
from proof_of_absence.checker.audit.deviation import float32_deviation
from proof_of_absence.checker.audit.findings import (
    CircuitFinding,
    DeploymentFinding,
    Enclosure,
    Improvement,
    Prices,
    RankFinding,
    UnitFinding,
)
from proof_of_absence.checker.audit.gauge import prices
from proof_of_absence.checker.audit.idle import unit_findings
from proof_of_absence.checker.audit.improve import Unimproved, improve
from proof_of_absence.checker.audit.independence import rank_findings
from proof_of_absence.checker.audit.loss import losses
from proof_of_absence.checker.audit.readout import readout_prices
from proof_of_absence.checker.audit.rent import rents
from proof_of_absence.checker.construct.pricing import Priced
from proof_of_absence.checker.independent.results.subject import Subject
from proof_of_absence.checker.kernel.kept import content_key
from proof_of_absence.checker.kernel.stages import Stages
from proof_of_absence.checker.passes.residuals import Evaluation, evaluate
from proof_of_absence.models.floatnet import FloatNet
from proof_of_absence.models.objective import NO_TARGETS, OF_CLASSES, Loss

if TYPE_CHECKING:
    from dask.distributed import Client

STEPS = (
    "how far float32 is off: a layer of the net has entries that no float32 evaluation has, and no file says by which "
    "operators it is computed"
)

ROOT = (
    "how far float32 is off: a BatchNorm has a negative variance, or variance + epsilon is not within 2^-64 .. 2^64, "
    "and what float32 makes of its root is not bounded"
)

__all__ = ["STAGES", "Better", "Examination", "Stage"]


@dataclass(frozen=True, eq=False)
class Better:
    """An improvement and its net, or why there is none; no reason if none can be."""

    improvement: Improvement | None
    net: FloatNet | None
    reason: str


_LOSSES = tuple[Enclosure, Enclosure]
_UNITS = tuple[UnitFinding, ...]
_CIRCUITS = tuple[CircuitFinding, ...]
_SEARCHED = tuple[_CIRCUITS, tuple[str, ...]]
_DEPLOYMENT = tuple[DeploymentFinding, ...]
_RANKS = tuple[RankFinding, ...]


@dataclass(eq=False)
class Examination:
    """What is audited, and what the stages found of it so far. A stage that fails leaves its field as it was.

    `loss` and `targets` are both None where the data have no targets.

    `losses` are the loss and its floor E; `searched` are the idle circuits, and what was not decided about others;
    `fired` are the same circuits with the deployment inputs at which they fire. `move` and `penalty` are those of
    `readout_prices`.
    """

    net: FloatNet
    inputs: np.ndarray
    targets: np.ndarray | None
    loss: Loss | None
    deploy: np.ndarray | None
    client: "Client | None"
    test: np.ndarray | None = None
    move: Fraction | None = None
    penalty: Fraction = Fraction(0)
    losses: _LOSSES | tuple[None, None] = (None, None)
    units: _UNITS = ()
    searched: _SEARCHED = ((), ())
    fired: _CIRCUITS = ()
    deployment: _DEPLOYMENT = ()
    ranks: _RANKS = ()
    better: Better = Better(None, None, "")
    idle_price: Prices | None = None
    deviation: Fraction | None = None
    priced: Priced | None = None

    @property
    def circuits(self) -> _CIRCUITS:
        return self.fired or self.searched[0]

    @property
    def sending(self) -> _CIRCUITS:
        """The circuits that have an output weight other than 0."""
        return tuple(circuit for circuit in self.circuits if not circuit.empty)

    @cached_property
    def evaluation(self) -> Evaluation | None:
        """The pass that the losses and the improvement share; None where it overflows, and they find their own way."""
        assert self.targets is not None
        try:
            return evaluate(self.net, self.inputs, self.targets)
        except OverflowError:
            return None

    @cached_property
    def subject(self) -> Subject:
        """The net and the data for the independent checker."""
        return shown.subject_of(self)

    @property
    def not_asked(self) -> tuple[str, ...]:
        """What the stages leave out, and why."""
        steps = (STEPS,) if self.net.dtype == np.float32 and not (self.net.in_floats or self.net.steps) else ()
        if self.is_float32() and any(one.unbounded for one in self.net.steps or ()):
            steps = (ROOT,)
        if self.loss is None:
            return (NO_TARGETS, *steps)
        return (*self._not_of_this_loss(), *steps)

    def _not_of_this_loss(self) -> tuple[str, ...]:
        if self.loss is Loss.SQUARED:
            return ()
        why = f"the price of an idle circuit and the gains of replacements: C12 and C13 are about the {Loss.SQUARED}"
        if self.targets is not None and not affordable(self.net, self.targets):
            return (why, f"rents: units times rows times classes are more than {AFFORDED}")
        return (why,)

    def take(self, stage: "Stage", stages: Stages) -> None:
        """Run the stage, or take what an earlier run kept of it, and put its result in its field."""
        # What follows from the circuits must not outlive a run in which they were not found.
        of: object = [circuit.units for circuit in self.circuits] if stage.of_circuits else ""
        # Nor may what was concluded while some units were open.
        if open_ := [unit.unit for unit in self.units if unit.idle is None]:
            of = of, open_
        if stage.fills == "priced":
            rows = "" if self.test is None else content_key(self.test)
            of = of, rows, str(self.move), str(self.penalty)
        # Of a net in a file's own operators what is kept would not say which parameters are new.
        again = stage.fills == "better" and self.net.steps is not None
        kept = partial(stage.shown, self) if stage.shown and not again else None
        result = stages.run(stage.name, stage.kind, partial(stage.run, self), shown=kept, of=of)
        if result is not None:
            setattr(self, stage.fills, result)

    def has_targets(self) -> bool:
        return self.targets is not None

    def has_squared_losses(self) -> bool:
        return self.loss is Loss.SQUARED and self.has_losses()

    def rents_are_asked(self) -> bool:
        return self.has_targets() and self.has_units()

    def reuse_is_asked(self) -> bool:
        return self.has_targets() and self.has_circuits()

    def always(self) -> bool:
        return True

    def has_losses(self) -> bool:
        return self.losses != (None, None)

    def has_units(self) -> bool:
        return bool(self.units)

    def has_circuits(self) -> bool:
        return bool(self.circuits)

    def is_deployed(self) -> bool:
        return self.deploy is not None

    def may_be_covered(self) -> bool:
        """Whether a deployment input lies in the hull of the training inputs."""
        return any(one.combination or one.train_row is not None for one in self.deployment)

    def readout_is_asked(self) -> bool:
        """Whether there are inputs to price, and features."""
        return self.has_units() and (self.deploy is not None or self.test is not None)

    def may_fire(self) -> bool:
        return self.has_circuits() and self.is_deployed()

    def is_float32(self) -> bool:
        """Whether the running model is of float32, and it is known by which operators it computes the layers."""
        if self.net.steps is not None:
            return self.net.steps[0].dtype == np.dtype(np.float32)
        return self.net.dtype == np.float32 and self.net.in_floats


def _losses(found: Examination) -> _LOSSES:
    assert found.targets is not None
    if found.loss in OF_CLASSES:
        return class_losses(found.net, found.inputs, found.targets)
    return losses(found.net, found.inputs, found.targets, evaluation=found.evaluation)


def _units(found: Examination) -> _UNITS:
    if found.client is None:
        return unit_findings(found.net, found.inputs)
    # Needs the extra `distributed`.
    from proof_of_absence.checker.audit.distributed import unit_findings_apart

    return unit_findings_apart(found.client, found.net, found.inputs)


def _searched(found: Examination) -> _SEARCHED:
    return idle_circuits(found.net, found.inputs, found.units)


def _fired(found: Examination) -> _CIRCUITS:
    return firing(found.net, found.circuits, found.inputs, found.deploy)


def _deployment(found: Examination) -> _DEPLOYMENT:
    return deployment_findings(found.inputs, found.deploy)


def _covered(found: Examination) -> _DEPLOYMENT:
    assert found.deploy is not None
    return covered(found.net, found.inputs, found.deploy, found.deployment)


def _ranks(found: Examination) -> _RANKS:
    return rank_findings(found.net, found.inputs, units=found.units or None)


def _better(found: Examination) -> Better:
    assert found.targets is not None
    about = found.net, found.inputs, found.targets, found.circuits
    answer = improve_class(*about) if found.loss in OF_CLASSES else improve(*about, evaluation=found.evaluation)
    if isinstance(answer, Unimproved):
        return Better(None, None, "" if answer.at_floor else f"improvement: {answer.reason}")
    return Better(*answer, "")


def _rented(found: Examination) -> _UNITS:
    assert found.targets is not None
    if found.loss in OF_CLASSES:
        return class_rents(found.net, found.inputs, found.targets, found.units)
    return rents(found.net, found.inputs, found.targets, found.units)


def _prices(found: Examination) -> Prices | None:
    loss, floor = found.losses
    assert loss is not None and floor is not None
    return prices(found.net, found.inputs, loss, floor, found.circuits)


def _readout(found: Examination) -> Priced:
    about = {"deploy": found.deploy, "test": found.test}
    return readout_prices(found.net, found.inputs, found.units, **about, move=found.move, penalty=found.penalty)


def _deviation(found: Examination) -> Fraction | None:
    return float32_deviation(found.net, found.inputs)


class Stage(NamedTuple):
    """A stage: its name, what it runs and the type of the result, the field that this fills,
    and when there is anything to do.

    `shown`: whether facts show a result that an earlier run kept; where it is None, the stage is run anew each time.
    `of_circuits`: the result depends on which circuits were found.
    """

    name: str
    run: Callable[[Examination], object]
    kind: object
    fills: str
    when: Callable[[Examination], bool]
    shown: Callable[..., bool] | None = None
    of_circuits: bool = False


STAGES = (
    Stage("losses", _losses, _LOSSES, "losses", Examination.has_targets),
    Stage("units", _units, _UNITS, "units", Examination.always, shown.units),
    Stage("circuits", _searched, _SEARCHED, "searched", Examination.has_units),
    Stage("firing", _fired, _CIRCUITS, "fired", Examination.may_fire),
    Stage("deployment", _deployment, _DEPLOYMENT, "deployment", Examination.is_deployed, shown.deployment),
    Stage("cover", _covered, _DEPLOYMENT, "deployment", Examination.may_be_covered),
    Stage("ranks", _ranks, _RANKS, "ranks", Examination.always, shown.ranks),
    Stage("improvement", _better, Better, "better", Examination.reuse_is_asked, shown.improvement, of_circuits=True),
    Stage("rents", _rented, _UNITS, "units", Examination.rents_are_asked, shown.rents),
    Stage(
        "prices", _prices, Prices | None, "idle_price", Examination.has_squared_losses, shown.prices, of_circuits=True
    ),
    Stage("readout", _readout, Priced | None, "priced", Examination.readout_is_asked, shown.readout),
    Stage("float32", _deviation, Fraction | None, "deviation", Examination.is_float32),
)

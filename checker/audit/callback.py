"""`proof_of_absence.Reassignment`: reassignment between the steps of a PyTorch optimiser, C18's interleaved training,
in one line.

It decides exactly which circuits are train-idle, and writes weights whose loss is certified to be lower, or none.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from proof_of_absence.checker.audit.circuits import idle_circuits
from proof_of_absence.checker.audit.class_improve import improve_classes
from proof_of_absence.checker.audit.cross_entropy import drop_of, outputs_of
from proof_of_absence.checker.audit.entry import aim_of, float_rows
from proof_of_absence.checker.audit.findings import Improvement
from proof_of_absence.checker.audit.idle import unit_findings
from proof_of_absence.checker.audit.improve import Unimproved, improve_all
from proof_of_absence.checker.audit.loss import exact_loss
from proof_of_absence.checker.kernel.certificate import net_json, rows_json, units_json
from proof_of_absence.models.circuit import Unit
from proof_of_absence.models.files.disk import refused
from proof_of_absence.models.files.torch_state import from_module
from proof_of_absence.models.floatnet import FloatNet
from proof_of_absence.models.layers import equal_layers
from proof_of_absence.models.objective import OF_CLASSES, Loss

__all__ = ["Reassigned", "Reassignment"]


@dataclass(frozen=True, eq=False)
class Reassigned:
    """What one call did: true if it changed the module.

    Parameters
    ----------
    step
        Calls so far, this one included.
    improvements
        Each unit that was reused, in order; what they say is of the net over the reals with the very weights written.
    reason
        Why nothing was changed, in one line; empty if something was.
    undecided
        Questions about idle circuits that no method decided: circuits may have been missed.
    before, after
        The nets before and after, None where nothing changed.
    loss
        The loss that `drop` is about, by its full name; of others nothing is said.
    certificate
        The idle circuits and the drop as a fact for `checker.independent.facts.check_fact`, if it was asked for.
    """

    step: int
    improvements: tuple[Improvement, ...] = ()
    reason: str = ""
    undecided: tuple[str, ...] = ()
    before: FloatNet | None = None
    after: FloatNet | None = None
    loss: Loss = Loss.SQUARED
    certificate: dict[str, Any] | None = None

    def __bool__(self) -> bool:
        return bool(self.improvements)

    @property
    def units(self) -> tuple[tuple[Unit, ...], ...]:
        """The circuits that were reused; the first unit of each has new parameters, the others send 0."""
        return tuple(improvement.circuit for improvement in self.improvements)

    @property
    def drop(self) -> Fraction:
        """What the loss fell by, at least; 0 if nothing changed."""
        return sum((improvement.drop.low for improvement in self.improvements), Fraction(0))


class Reassignment:
    """Reuse train-idle circuits of a module while it is trained (C7 between the steps of an optimiser, C18).

    A call reads the module, decides its idle circuits exactly as `proof_of_absence.audit` does (within one layer,
    jointly idle ones too), and reuses those of the last hidden layer as units that lower the loss of the whole training
    data: the mean squared error (1/N) sum |f(z_i) - y_i|^2, the cross-entropy of the softmax, or the logistic loss of
    one output. New weights are values of the module's type, and the drop is certified for just these; if none can be,
    the module stays as it is and `Reassigned.reason` says why. The loss is of the net over the reals; what float
    arithmetic makes of it may differ by rounding. Nothing is said of other losses.

    Parameters
    ----------
    module
        As `proof_of_absence.audit` takes it; every Linear has a bias, is used once and is not frozen.
    X, Y
        The training data, inputs (N, d) and targets (N, m), or class labels (N,): integers or truth values.
    loss
        ``"squared"``, ``"cross-entropy"`` or ``"logistic"``; by default the mean squared error for numbers and
        cross-entropy for class labels. It is to be the loss that the module is trained with: one may rise where the
        other falls. One-hot rows, and labels 0 and 1 for one output, need it said.
    every
        Only every so many calls it acts.
    limit
        Units reused at one call, at most.
    certificate
        Whether results carry a certificate; it holds both nets and the data as exact numbers, for small problems.

    Raises
    ------
    InputError
        If the module or the data cannot be taken, here or in a call (weights that have become NaN, say).

    Examples
    --------
    >>> import torch
    >>> model = torch.nn.Sequential(torch.nn.Linear(1, 2), torch.nn.ReLU(), torch.nn.Linear(2, 1))
    >>> with torch.no_grad():  # relu(z) and 5 relu(z - 9), which is silent on the data
    ...     for tensor, values in zip(model.parameters(), ([[1.0], [1.0]], [0.0, -9.0], [[1.0, 5.0]], [0.0])):
    ...         _ = tensor.copy_(torch.tensor(values))
    >>> X, Y = torch.tensor([[0.0], [1.0], [2.0]]), torch.tensor([[0.0], [1.0], [1.0]])
    >>> reassign = Reassignment(model, X, Y)
    >>> done = reassign()
    >>> bool(done), done.units, float(done.drop) > 0.3
    (True, ((Unit(layer=1, index=1),),), True)
    >>> reassign().reason
    'no idle circuit'

    In one line, after every 100th step of an optimiser, whose state is then reset where weights were replaced:

    >>> optimizer = torch.optim.Adam(model.parameters())
    >>> hook = optimizer.register_step_post_hook(Reassignment(model, X, Y, every=100))
    """

    def __init__(
        self, module, X, Y, *, loss: str | None = None, every: int = 1, limit: int = 4, certificate: bool = False
    ):
        for name, value in (("every", every), ("limit", limit)):
            if not isinstance(value, int) or value < 1:
                raise refused(name, f"is {value!r}; it takes a whole number from 1 on")
        self.module, self.every, self.limit, self.certificate = module, every, limit, certificate
        # Copies: what the caller does to the arrays later changes nothing here.
        self.inputs = float_rows("X", X).copy()
        self.steps = 0
        self.history: list[Reassigned] = []
        net, _ = self._read()
        widths = net.widths
        if Y is None:
            raise refused("Y", "is missing; a reassignment lowers a loss, which takes targets")
        aim = aim_of(net, Y, loss)
        assert aim.loss is not None and aim.targets is not None
        self.loss, self.reason, self.targets = aim.loss, aim.reason, aim.targets.copy()
        if self.inputs.shape[1] != widths[0]:
            raise refused("X", f"has {self.inputs.shape[1]} columns, the module reads {widths[0]}")
        if certificate and self.loss in OF_CLASSES and len(widths) != 3:
            raise refused("certificate", f"under the {self.loss} is for a module with one hidden layer")
        if len(self.inputs) != len(self.targets):
            raise refused("Y", f"has {len(self.targets)} rows, X has {len(self.inputs)}")

    def __call__(self, optimizer=None, *_) -> Reassigned:
        """Reassign what is idle, if this call is due; further arguments, which torch gives to hooks, are not used.

        Calls that changed something are kept in `history`.

        Parameters
        ----------
        optimizer
            Its state for the replaced parameters (momentum, Adam's moments) is set to 0, since it was gathered from
            gradients of a unit that is gone: its momentum would push the new unit at once. Adam counts steps by tensor,
            so a moment that starts again is not corrected for its bias: with the usual betas the new unit's steps are
            up to 7 times as long at first.

        Raises
        ------
        InputError
            As the class; or if the optimizer's state has no entry for each parameter, so that
            it cannot be reset by unit.
        """
        self.steps += 1
        if self.steps % self.every:
            return Reassigned(self.steps, reason=f"not due: it acts at every {self.every} calls")
        net, linears = self._read()
        states = _states(optimizer, linears[-2:])
        circuits, undecided = idle_circuits(net, self.inputs, unit_findings(net, self.inputs))
        if not circuits:
            why = "no idle circuit" + (" found, but some questions are undecided" if undecided else "")
            return Reassigned(self.steps, reason=why, undecided=undecided)
        improver = improve_classes if self.loss in OF_CLASSES else improve_all
        found = improver(net, self.inputs, self.targets, circuits, limit=self.limit)
        if isinstance(found, Unimproved):
            return Reassigned(self.steps, reason=found.reason, undecided=undecided)
        improvements, better = found
        fact = self._fact(net, better, improvements) if self.certificate else None
        self._write(linears, net, better)
        _reset(states, improvements)
        done = Reassigned(self.steps, improvements, "", undecided, net, better, self.loss, fact)
        self.history.append(done)
        return done

    def _read(self) -> tuple[FloatNet, list]:
        """The net as it is now, and its Linear modules, one for each layer."""
        net = from_module(self.module)
        if net.reading and net.reading.cut:
            why = f"ends with {net.reading.cut}, and the loss here is the squared error; give the part before it"
            raise refused("the module", why)
        if any(str(tensor.dtype) in ("torch.float16", "torch.bfloat16") for tensor in self.module.parameters()):
            raise refused("the module", "has weights of 16 bits; reassignment writes float32 or float64")
        linears = [layer for layer in self.module.modules() if type(layer).__name__ == "Linear"]
        if len(linears) != len(net.layers):
            raise refused("the module", "uses a Linear twice, or two with no ReLU between; reassignment takes neither")
        if not net.in_floats or (net.reading is not None and net.reading.multiplied):
            raise refused("the module", "has BatchNorm1d, or another map beside its Linear layers, which is not taken")
        if len(linears) < 2:
            raise refused("the module", "has no hidden layer, so there is nothing to reassign")
        if any(layer.bias is None for layer in linears[-2:]):
            raise refused("the module", "has a Linear without bias in its last two layers; build it with bias=True")
        parameters = [tensor for layer in linears for tensor in (layer.weight, layer.bias) if tensor is not None]
        if len({tensor.data_ptr() for tensor in parameters}) != len(parameters):
            raise refused("the module", "shares a tensor between layers, which reassignment does not take")
        if not all(tensor.requires_grad for layer in linears[-2:] for tensor in (layer.weight, layer.bias)):
            raise refused("the module", "has frozen parameters in its last two layers, which are not to be replaced")
        return net, linears

    def _write(self, linears: list, net: FloatNet, better: FloatNet) -> None:
        """Put the last two layers of `better` into the module, and read it again:
        what is certified is what it holds.
        """
        _put(linears, better)
        try:
            now = from_module(self.module)
            same = equal_layers(now.layers, better.layers)
        except BaseException:
            _put(linears, net)
            raise
        if not same:
            _put(linears, net)
            raise refused(
                "the module",
                "does not hold what was written to it: its layers overlap in memory, or subnormals count as 0",
            )

    def _fact(self, net: FloatNet, better: FloatNet, improvements: tuple[Improvement, ...]) -> dict:
        before, reused, idle = net_json(net.exact()), set[Unit](), []
        for improvement in improvements:
            # Later units of a circuit that was reused before are no circuits of the first net.
            if reused.isdisjoint(improvement.circuit):
                circuit = units_json(improvement.circuit)
                idle.append(
                    {"kind": "idle", "net": before, "circuit": circuit, "inputs": rows_json(_exact(self.inputs))}
                )
            reused.update(improvement.circuit)
        data = {"inputs": rows_json(_exact(self.inputs)), "targets": rows_json(_exact(self.targets))}
        changed = {"before": before, "after": net_json(better.exact()), "data": data, "circuit": units_json(reused)}
        if self.loss in OF_CLASSES:
            found = drop_of(outputs_of(net, self.inputs), outputs_of(better, self.inputs), self.targets)
            if found is None:
                raise refused("certificate", "takes a drop of the loss that exact outputs show")
            kind = "logistic-drop" if self.loss is Loss.LOGISTIC else "cross-entropy-drop"
            lower = {"kind": kind, "over": str(found[1].low / 2)}
        else:
            drop = exact_loss(net, self.inputs, self.targets) - exact_loss(better, self.inputs, self.targets)
            lower = {"kind": "lower-loss", "drop": str(drop)}
        return {"kind": "all", "facts": [*idle, lower | changed]}


def _exact(array: np.ndarray) -> list[list[Fraction]]:
    return [list(map(Fraction, row)) for row in array.tolist()]


def _put(linears: list, net: FloatNet) -> None:
    import torch

    with torch.no_grad():
        for layer, (weights, bias) in zip(linears[-2:], net.float_layers[-2:], strict=True):
            # float64 to the module's type and device; every entry is a value of that type.
            layer.weight.copy_(torch.tensor(weights))
            layer.bias.copy_(torch.tensor(bias))


def _states(optimizer, linears: list) -> list[list]:
    """What the optimizer keeps for each parameter of the two layers, tensors of its shape:
    weights, biases, weights, biases.
    """
    import torch

    parameters = [tensor for layer in linears for tensor in (layer.weight, layer.bias)]
    if optimizer is None:
        return [[] for _ in parameters]
    if not isinstance(optimizer, torch.optim.Optimizer):
        raise refused("the optimizer", f"is a {type(optimizer).__name__}, no torch.optim.Optimizer")
    held = {id(tensor) for group in optimizer.param_groups for tensor in group["params"]}
    if not all(id(tensor) in held for tensor in parameters):
        raise refused("the optimizer", "does not hold the module's parameters")
    return [_of_shape(optimizer.state.get(parameter, {}), parameter) for parameter in parameters]


def _of_shape(state: dict, parameter) -> list:
    kept = []
    for name, value in state.items():
        if getattr(value, "shape", None) == parameter.shape:
            kept.append(value)
        # Counts of steps stay; what mixes parameters cannot be reset by unit.
        elif not (value is None or isinstance(value, int | float) or getattr(value, "shape", None) == ()):
            raise refused("the optimizer", f"keeps {name} with no entry for each parameter; call without it")
    return kept


def _reset(states: list[list], improvements: tuple[Improvement, ...]) -> None:
    import torch

    rows = [improvement.circuit[0].index for improvement in improvements]
    columns = [unit.index for improvement in improvements for unit in improvement.circuit]
    weights, bias, outgoing, shift = states
    with torch.no_grad():
        for value in (*weights, *bias):
            value[rows] = 0
        for value in outgoing:
            value[:, columns] = 0
        for value in shift:
            value.zero_()

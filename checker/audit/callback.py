"""`proof_of_absence.Reassignment`: reassignment between the steps of a PyTorch optimiser, C18's interleaved training,
in one line.

It decides exactly which circuits are train-idle, and writes weights whose loss is certified to be lower, or none.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from proof_of_absence.checker.audit.arguments import aim_of, float_rows
from proof_of_absence.checker.audit.circuits import idle_circuits
from proof_of_absence.checker.audit.class_improve import improve_classes
from proof_of_absence.checker.audit.cross_entropy import drop_of, outputs_of
from proof_of_absence.checker.audit.findings import Improvement
from proof_of_absence.checker.audit.idle import unit_findings
from proof_of_absence.checker.audit.improve import Unimproved, improve_all
from proof_of_absence.checker.audit.loss import exact_loss
from proof_of_absence.checker.kernel.certificate import net_json, rows_json, units_json
from proof_of_absence.models.circuit import Unit
from proof_of_absence.models.editing import edited
from proof_of_absence.models.files.disk import refused
from proof_of_absence.models.files.torch_state import from_module, tensors_of
from proof_of_absence.models.floatnet import FloatNet
from proof_of_absence.models.layers import equal_layers
from proof_of_absence.models.objective import OF_CLASSES, Loss
from proof_of_absence.models.steps import Dense, Shift

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
        As `proof_of_absence.audit` takes it, but a forward method is that of Sequential; a layer is used once, and the
        last two are not frozen. With BatchNorm1d, or Linear after Linear, their weights and biases are replaced, and
        running statistics and scales stay; the loss is that in evaluation mode, and a call in training mode is refused.
        Without such layers every Linear of the last two has a bias.
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
        net, held = self._read()
        states = _states(optimizer, held)
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
        changed = self._write(held, net, better)
        replaced = _replaced(net, held, improvements)
        _reset(states, {name: changed[name] | replaced[name] for name in held})
        done = Reassigned(self.steps, improvements, "", undecided, net, better, self.loss, fact)
        self.history.append(done)
        return done

    def _read(self) -> tuple[FloatNet, dict[str, Any]]:
        """The net as it is now, and the parameters of its last two layers, under names of their own."""
        net = from_module(self.module)
        if net.reading and net.reading.cut:
            why = f"ends with {net.reading.cut}, and the loss here is the squared error; give the part before it"
            raise refused("the module", why)
        if any(str(tensor.dtype) in ("torch.float16", "torch.bfloat16") for tensor in self.module.parameters()):
            raise refused("the module", "has weights of 16 bits; reassignment writes float32 or float64")
        tensors = tensors_of(self.module)
        if len(net.layers) < 2:
            raise refused("the module", "has no hidden layer, so there is nothing to reassign")
        if len({tensor.data_ptr() for tensor in tensors.values()}) != len(tensors):
            raise refused("the module", "uses a layer twice, or shares a tensor between layers; it is not reassigned")
        held = _of_last(net, tensors)
        if not all(tensor.requires_grad for tensor in held.values()):
            raise refused("the module", "has frozen parameters in its last two layers, which are not to be replaced")
        return net, held

    def _write(self, held: dict[str, Any], net: FloatNet, better: FloatNet) -> dict[str, Any]:
        """Put the last two layers of `better` into the module, and read it again:
        what is certified is what it holds. Returns where the parameters differ from those before.
        """
        import torch

        before = {name: tensor.detach().clone() for name, tensor in held.items()}
        try:
            with torch.no_grad():
                for name, array in _arrays(held, net, better).items():
                    # float64 to the module's type and device; every entry is a value of that type.
                    held[name].copy_(torch.tensor(array))
            now = from_module(self.module)
            same = equal_layers(now.layers, better.layers)
        except BaseException:
            _restore(held, before)
            raise
        if not same:
            _restore(held, before)
            raise refused(
                "the module",
                "does not hold what was written to it: its layers overlap in memory, or subnormals count as 0",
            )
        return {name: tensor.detach() != before[name] for name, tensor in held.items()}

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


def _of_last(net: FloatNet, tensors: dict[str, Any]) -> dict[str, Any]:
    """The parameters of the last two layers that may be replaced.

    Raises
    ------
    InputError
        If a layer that is one Linear has no bias.
    """
    if net.steps is not None:
        ops = [op for steps in net.steps[-2:] for op in steps.ops]
        places = [op.place for op in ops if isinstance(op, Dense)]
        places += [op.added.place for op in ops if isinstance(op, Shift) and op.added]
        return {place.owner: tensors[place.owner] for place in places if place}
    weights = [name for name in tensors if name.endswith(" weight")][-2:]
    biases = [f"{name.removesuffix(' weight')} bias" for name in weights]
    if any(name not in tensors for name in biases):
        raise refused("the module", "has a Linear without bias in its last two layers; build it with bias=True")
    return {name: tensors[name] for pair in zip(weights, biases, strict=True) for name in pair}


def _arrays(held: dict[str, Any], net: FloatNet, better: FloatNet) -> dict[str, np.ndarray]:
    """The parameters that make the better net, float64, by their names."""
    if net.steps is None or better.steps is None:
        arrays = [array for layer in better.float_layers[-2:] for array in layer]
        return dict(zip(held, arrays, strict=True))
    edits = edited(net.steps, better.steps)
    assert edits is not None
    return {place.owner: edit(held[place.owner].detach().cpu().double().numpy()) for place, edit in edits.items()}


def _restore(held: dict[str, Any], before: dict[str, Any]) -> None:
    import torch

    with torch.no_grad():
        for name, tensor in held.items():
            tensor.copy_(before[name])


def _states(optimizer: Any, held: dict[str, Any]) -> dict[str, list[Any]]:
    """What the optimizer keeps for each of the parameters, tensors of its shape."""
    import torch

    if optimizer is None:
        return {name: [] for name in held}
    if not isinstance(optimizer, torch.optim.Optimizer):
        raise refused("the optimizer", f"is a {type(optimizer).__name__}, no torch.optim.Optimizer")
    known = {id(tensor) for group in optimizer.param_groups for tensor in group["params"]}
    if not all(id(tensor) in known for tensor in held.values()):
        raise refused("the optimizer", "does not hold the module's parameters")
    return {name: _of_shape(optimizer.state.get(tensor, {}), tensor) for name, tensor in held.items()}


def _of_shape(state: dict, parameter) -> list:
    kept = []
    for name, value in state.items():
        if getattr(value, "shape", None) == parameter.shape:
            kept.append(value)
        # Counts of steps stay; what mixes parameters cannot be reset by unit.
        elif not (value is None or isinstance(value, int | float) or getattr(value, "shape", None) == ()):
            raise refused("the optimizer", f"keeps {name} with no entry for each parameter; call without it")
    return kept


def _replaced(net: FloatNet, held: dict[str, Any], improvements: tuple[Improvement, ...]) -> dict[str, Any]:
    """Which entries of the parameters are those of units that were reused or cut, whether or not their numbers changed.

    Of the biases behind the output weights these are all.
    """
    import torch

    found = {name: torch.zeros_like(tensor, dtype=torch.bool) for name, tensor in held.items()}
    rows = [improvement.circuit[0].index for improvement in improvements]
    columns = [unit.index for improvement in improvements for unit in improvement.circuit]
    if net.steps is None:
        weights, bias, outgoing, shift = found
        found[bias][rows] = True
        found[shift][:] = True
    else:
        hidden, output = ([op.place for op in steps.ops if isinstance(op, Dense)] for steps in net.steps[-2:])
        assert hidden[-1] and output[0]
        weights, outgoing = hidden[-1].owner, output[0].owner
    found[weights][rows] = True
    found[outgoing][:, columns] = True
    return found


def _reset(states: dict[str, list[Any]], replaced: dict[str, Any]) -> None:
    import torch

    with torch.no_grad():
        for name, values in states.items():
            for value in values:
                value[replaced[name]] = 0

"""Exact facts about nets and data, in the form that the independent checker reads."""

from collections.abc import Iterable, Sequence
from fractions import Fraction

from proof_of_absence.checker.construct.reassignment import Lowered
from proof_of_absence.checker.kernel.certificate import data_json, net_json, rows_json, units_json
from proof_of_absence.checker.minima.branch_and_bound import Minimum
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.net import MLP
from proof_of_absence.models.rational import Vector

__all__ = [
    "compare_outputs",
    "every",
    "idle",
    "loss_above_floor",
    "loss_at_floor",
    "lower_loss",
    "minimal",
    "no_idle_circuit",
    "not_idle",
    "same_outputs",
    "separating_unit",
]


def every(*facts: dict, compared: Sequence[tuple] = ()) -> dict:
    """Several facts as one, and how the numbers that they state compare.

    A comparison is (left, sign, right), the sign one of <, <=, =. A side is a number, a term (coefficient, place of the
    fact, key, ..), or a list of terms, which are added.
    """
    together = {"kind": "all", "facts": list(facts)}
    if not compared:
        return together
    written = [[_terms(left), sign, _terms(right)] for left, sign, right in compared]
    return together | {"compared": written}


def _terms(side: list[tuple] | tuple | Fraction | int | str) -> list[list]:
    if isinstance(side, list):
        return [[str(coefficient), *path] for coefficient, *path in side]
    return _terms([side if isinstance(side, tuple) else (side,)])


def compare_outputs(left: MLP, right: MLP, inputs: Sequence[Vector]) -> dict:
    """That two nets agree on all the inputs, or that they differ at one of them."""
    pair = {"left": net_json(left), "right": net_json(right)}
    for z, a, b in zip(inputs, left.outputs(inputs), right.outputs(inputs), strict=True):
        if a != b:
            return {"kind": "different-outputs", **pair, "input": [str(v) for v in z]}
    return {"kind": "same-outputs", **pair, "inputs": rows_json(inputs)}


def same_outputs(left: MLP, right: MLP, inputs: Sequence[Vector]) -> dict:
    """That two nets agree on all the inputs.

    Raises
    ------
    ValueError
        If they do not.
    """
    fact = compare_outputs(left, right, inputs)
    if fact["kind"] != "same-outputs":
        raise ValueError(f"the nets differ at {fact['input']}")
    return fact


def idle(net: MLP, circuit: Iterable, inputs: Iterable[Vector], fires: Vector | None = None) -> dict:
    """That the circuit is train-idle on the inputs, and fires where it is said to."""
    fact = {"kind": "idle", "net": net_json(net), "circuit": units_json(circuit), "inputs": rows_json(inputs)}
    return fact if fires is None else fact | {"fires": [str(v) for v in fires]}


def not_idle(net: MLP, circuit: Iterable, inputs: Iterable[Vector]) -> dict:
    """That the circuit sends different values at two of the inputs."""
    return {"kind": "not-idle", "net": net_json(net), "circuit": units_json(circuit), "inputs": rows_json(inputs)}


def no_idle_circuit(net: MLP, data: Dataset) -> dict:
    """That no circuit of the net is train-idle."""
    return {"kind": "no-idle-circuit", "net": net_json(net), "inputs": rows_json(data.inputs)}


def lower_loss(before: MLP, after: MLP, data: Dataset, drop: Fraction | None = None, **how) -> dict:
    """That `after` has the lower loss; `how` is ``circuit=units`` or ``wider=True``."""
    if "circuit" in how:
        how["circuit"] = units_json(how["circuit"])
    drop = data.loss(before) - data.loss(after) if drop is None else drop
    nets = {"before": net_json(before), "after": net_json(after)}
    return {"kind": "lower-loss", **nets, "data": data_json(data), "drop": str(drop), **how}


def minimal(minimum: Minimum, data: Dataset, net: MLP | None = None) -> dict:
    """That the minimiser found, or another net of its class with the same loss, has the least loss."""
    return minimum.fact(net_json(net or minimum.net), data_json(data))


def reassigned(before: MLP, circuit: Iterable, result: Lowered, data: Dataset) -> dict:
    """That reassigning the circuit lowered the loss by what the construction says."""
    return lower_loss(before, result.net, data, result.drop, circuit=circuit)


def loss_above_floor(net: MLP, data: Dataset) -> dict:
    """That the net's loss is above the noise floor, and the group residuals say by how much."""
    losses = {"loss": str(data.loss(net)), "noise_floor": str(data.noise_floor)}
    return {"kind": "loss-above-floor", "net": net_json(net), "data": data_json(data), **losses}


def loss_at_floor(net: MLP, data: Dataset, *, positive: bool = False) -> dict:
    """That the net's loss is the noise floor; with `positive`, and yet not zero."""
    return {"kind": "loss-at-floor", "net": net_json(net), "data": data_json(data), "positive": positive}


def separating_unit(inputs: Sequence[Vector], residuals: Sequence[Fraction], w: Sequence, b: Fraction) -> dict:
    """That the unit has a nonzero inner product with the residuals."""
    total = sum(
        r * max(sum((x * y for x, y in zip(w, z, strict=True)), start=b), Fraction(0))
        for z, r in zip(inputs, residuals, strict=True)
    )
    return {
        "kind": "separating-unit",
        "inputs": rows_json(inputs),
        "residuals": [str(r) for r in residuals],
        "weights": [str(x) for x in w],
        "bias": str(b),
        "inner_product": str(total),
    }

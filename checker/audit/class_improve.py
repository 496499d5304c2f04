"""C7 under cross-entropy (C17): reuse a train-idle circuit as a unit that lowers it, certified for the floats written.

Floats choose the unit and its output weights; the drop of the net with these is then decided by balls.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from proof_of_absence.checker.audit.cross_entropy import LEAST, drop_of, outputs_of
from proof_of_absence.checker.audit.findings import CircuitFinding, Improvement
from proof_of_absence.checker.audit.reuse import (
    CIRCUITS,
    Queue,
    Unimproved,
    features_of,
    finding,
    placed,
    reuse,
    type_of,
)
from proof_of_absence.checker.construct.class_losses import Outputs, classes
from proof_of_absence.checker.construct.output_weights import for_classes, softmax
from proof_of_absence.checker.construct.search import candidates
from proof_of_absence.checker.numbers.deadline import looking
from proof_of_absence.checker.passes.rows import groups
from proof_of_absence.models.floatnet import FloatNet

__all__ = ["improve_class", "improve_classes"]

# Units tried for one circuit.
TRIED = 4


@dataclass(frozen=True, eq=False)
class _State:
    net: FloatNet
    outputs: Outputs


def improve_class(
    net: FloatNet, inputs: np.ndarray, targets: np.ndarray, circuits: Sequence[CircuitFinding]
) -> tuple[Improvement, FloatNet] | Unimproved:
    """As `improve`, for the cross-entropy or the logistic loss of one output: one step of `improve_classes`."""
    found = improve_classes(net, inputs, targets, circuits, limit=1)
    if isinstance(found, Unimproved):
        return found
    (improvement,), better = found
    return improvement, better


def improve_classes(
    net: FloatNet, inputs: np.ndarray, targets: np.ndarray, circuits: Sequence[CircuitFinding], *, limit: int = 4
) -> tuple[tuple[Improvement, ...], FloatNet] | Unimproved:
    """As `improve_all`, for the cross-entropy of the softmax, or the logistic loss of one output.

    The unit is sought along the negative gradient, targets less softmax, which takes the place of the residuals (C17).
    Its output weights and the shift of the output bias come from steps that fall whatever the data (Boehning and
    Lindsay's bound of the curvature).

    Parameters
    ----------
    inputs, targets
        Shapes (N, d) and (N, m); each row of the targets is probabilities, or 0 or 1 if m is 1.
    circuits
        Train-idle on `inputs`, as `improve` takes them.

    Raises
    ------
    ValueError
        If a circuit is not of hidden units.
    """

    wanted, outputs = classes(targets), targets.shape[1]

    def start() -> _State:
        return _State(net, outputs_of(net, inputs))

    def step(state: _State, queue: Queue) -> tuple[Improvement, _State, int] | Unimproved | None:
        if _is_least(state.outputs, inputs, wanted):
            return Unimproved("no function of the input has a lower loss", at_floor=True)
        logits = _floats(state.outputs)
        features = features_of(state.net, inputs)
        with np.errstate(all="ignore"):
            pull = (wanted - softmax(logits))[:, -outputs:]
        if not (pull.any() and np.isfinite(features).all()):
            return Unimproved(f"undecided: the gradient is too small for a drop of more than {float(LEAST):.0e}")
        for candidate in looking(candidates(features, pull, type_of(state.net), keep=TRIED)):
            with np.errstate(all="ignore"):
                phi = np.maximum(features @ candidate.weights + candidate.bias, 0)
                fitted = for_classes(phi, logits, wanted, outputs)
            for place, (circuit, value) in enumerate(queue[:CIRCUITS] if fitted else ()):
                new = fitted and placed(state.net, circuit, value, candidate, *fitted)
                after = new and outputs_of(new.net, inputs)
                found = after and drop_of(state.outputs, after, targets)
                if new and after and found:
                    before, drop, rest = found
                    return finding(circuit, new, before, drop, rest), _State(new.net, after), place
        return None

    return reuse(net, circuits, start, step, limit)


def _is_least(outputs: Outputs, inputs: np.ndarray, targets: np.ndarray) -> bool:
    """Whether outputs and mean targets are uniform at each input: only there do rational outputs have gradient 0."""
    if outputs.radius is not None or any(len(set(row)) > 1 for row, _ in outputs.rows):
        return False
    hot = bool(((targets == 0) | (targets == 1)).all())
    if not hot:
        return False
    counts = np.zeros((len(inputs), targets.shape[1]))
    np.add.at(counts, groups(inputs), targets)
    return bool((counts == counts[:, :1]).all())


def _floats(outputs: Outputs) -> np.ndarray:
    """The outputs less the largest of their row, as floats near them."""
    rows = []
    for row, exponent in outputs.rows:
        top = max(row)
        rows.append([_float(m - top, exponent) for m in row])
    return np.array(rows)


def _float(whole: int, exponent: int) -> float:
    """Near whole 2^exponent; -1e300 stands for what is less."""
    length = whole.bit_length()
    if length + exponent > 990:
        return -1e300
    shift = max(length - 64, 0)
    return float(np.ldexp(float(whole >> shift), exponent + shift))

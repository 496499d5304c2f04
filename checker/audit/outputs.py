"""A net that was read, against the network's own outputs: equal up to the rounding of float32, or refused.

A state dictionary does not say what the network computes; its outputs on the training inputs do, at these inputs.
"""

from dataclasses import replace

import numpy as np

from proof_of_absence.checker.audit.deviation import Deviation
from proof_of_absence.checker.numbers.deadline import OutOfTime
from proof_of_absence.checker.numbers.rounding import TINY, UP
from proof_of_absence.checker.passes.residuals import Block, evaluate
from proof_of_absence.models.files.disk import refused
from proof_of_absence.models.floatnet import FloatNet
from proof_of_absence.models.reading import Reading

__all__ = ["agreeing", "fitting"]


class _Comparison:
    """A visitor of `evaluate`: the largest difference, the largest bound, and the worst row and output."""

    def __init__(self, net: FloatNet, inputs: np.ndarray, outputs: np.ndarray):
        self._deviation = Deviation(net, inputs)
        self._outputs = outputs
        self.difference = self.bound = 0.0
        self.excess, self.worst = 0.0, (0, 0)

    def __call__(self, block: Block) -> None:
        ball = block.balls[-1]
        with np.errstate(all="ignore"):
            bound = (self._deviation.bounds(block) + ball.radius) * UP
            bound = np.where(np.isfinite(bound), np.maximum(bound, TINY), np.inf)
            # Rounded once, by less than what the factor UP allows for.
            difference = np.abs(self._outputs[block.rows] - ball.values)
            beyond = np.where(np.isfinite(difference), difference / (bound * UP), np.inf)
        self.bound = max(self.bound, float(bound.max()))
        self.difference = max(self.difference, float(difference.max()))
        if beyond.max() > max(1.0, self.excess):
            row, output = np.unravel_index(int(beyond.argmax()), beyond.shape)
            self.excess = float(beyond.max())
            self.worst = int(np.arange(len(self._outputs))[block.rows][row]), int(output)


def fitting(net: FloatNet, inputs: np.ndarray, name: str) -> np.ndarray:
    """The inputs, if they have as many columns as the net reads.

    Raises
    ------
    InputError
        If they have not.
    """
    if inputs.shape[1] != net.widths[0]:
        raise refused(name, f"have {inputs.shape[1]} columns, the net reads {net.widths[0]}")
    return inputs


def agreeing(net: FloatNet, inputs: np.ndarray, outputs: np.ndarray, source: object) -> FloatNet:
    """The same net, its reading saying that it agrees with these outputs; `source` is what messages call them.

    An output agrees if it lies within a rigorous bound on |float32 evaluation - exact value|, whatever the order of
    summation. float64 evaluations lie within it too.

    Parameters
    ----------
    inputs, outputs
        Shapes (N, d) and (N, m), float64, finite.

    Raises
    ------
    InputError
        If an output is farther off, the shapes do not fit, the bound is so wide that agreement would mean nothing, or
        there is none, because the net is one of rationals that was read from no file.
    OutOfTime
        If the deadline in force is over before all rows are compared.
    """
    if outputs.shape != (len(inputs), net.widths[-1]):
        raise refused(
            source, f"has outputs of shape {outputs.shape}; {len(inputs)} rows of {net.widths[-1]} are to be compared"
        )
    if not net.in_floats and net.steps is None:
        raise refused(source, "cannot be compared: the net is one of rationals, which no float32 evaluation has")
    compared = _Comparison(net, inputs, outputs)
    try:
        evaluate(net, inputs, np.zeros(outputs.shape), compared)
    except OverflowError:
        compared.bound = float("inf")
    except OutOfTime as late:
        raise OutOfTime(
            f"{source}: {late} before these outputs were compared with those of the net as it was read, which so may "
            "be another one; give it more time with --seconds (seconds= in Python)"
        ) from late
    if compared.excess:
        row, output = compared.worst
        cut = net.reading.cut if net.reading else ""
        hint = f"; they are to be those before {cut}" if cut else ""
        raise refused(
            source,
            f"these are not the outputs of the net as it was read: they differ by up to {compared.difference:.3g}, "
            f"output {output} of row {row} by {compared.excess:.3g} times what rounding can explain{hint}. The layers, "
            "their order or what stands between them are other ones: save the net as ONNX",
        )
    spread = float((outputs.max(axis=0) - outputs.min(axis=0)).max())
    if not compared.bound < spread / 2:
        raise refused(
            source,
            f"these outputs tell nothing: rounding alone explains differences of {compared.bound:.3g}, and they spread "
            f"over {spread:.3g}. Save the net as ONNX",
        )
    note = (
        f"The outputs in {source} agree with it at all {len(inputs)} training inputs: they differ by at most "
        f"{compared.difference:.3g}, and rounding explains up to {compared.bound:.3g}."
    )
    reading = net.reading or Reading((), "ReLU", "the layers given in Python")
    return FloatNet(net.layers, net.dtype, replace(reading, notes=(*reading.notes, note)), net.steps)

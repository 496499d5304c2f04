"""Exact affine forms under known signs: is what the circuit sends one constant, whatever the signs that are not known?

Units whose pre-activations are multiples of one function g, sum_j c_j relu(s_j g), make no kink if sum_j c_j |s_j| =
0: then the sum is (1/2) sum_j c_j s_j g, because relu(t) = (t + |t|)/2. Such a group needs no sign.
"""

from collections.abc import Iterator, Sequence
from fractions import Fraction

import numpy as np

from proof_of_absence.checker.numbers.deadline import looking
from proof_of_absence.checker.region.bounds import OFF, ON, Bounds
from proof_of_absence.checker.region.lp import Affine
from proof_of_absence.checker.region.question import Form, Question, Target

__all__ = ["ZERO", "circuit_form", "constant", "pre_activation"]

ZERO: Form = ({}, Fraction(0))


def _pre(asked: Question, layer: int, j: int, status: Sequence[np.ndarray]) -> Form:
    """The pre-activation of a unit over what the layer below sends,
    without units that are off and fixed coordinates.
    """
    weights, bias = asked.exact.row(layer, j), asked.exact.bias(layer)[j]
    if layer == 1:
        fixed = {i: a for i, (a, b) in enumerate(zip(asked.low, asked.high, strict=True)) if a == b}
        shift = sum((weights[i] * a for i, a in fixed.items()), bias)
        return {i: w for i, w in enumerate(weights) if w and i not in fixed}, shift
    return {i: w for i, w in enumerate(weights) if w and status[layer - 2][i] != OFF}, bias


def _add(into: dict[int, Fraction], form: Form, times: Fraction) -> Fraction:
    for i, w in form[0].items():
        into[i] = into.get(i, Fraction(0)) + times * w
    return times * form[1]


def _down(asked: Question, layer: int, form: Form, status: Sequence[np.ndarray]) -> Form | None:
    """The form over what the layer below sends; None if it depends on a sign that is not known."""
    below: dict[int, Fraction] = {}
    constant = form[1]
    kinks: dict[tuple[object, ...], list[tuple[Fraction, Fraction, Form]]] = {}
    for j, c in looking(form[0].items()):
        known = status[layer - 1][j]
        if not c or known == OFF:
            continue
        pre = _pre(asked, layer, j, status)
        if known == ON:
            constant += _add(below, pre, c)
            continue
        leading = next(iter(pre[0].values()), pre[1]) or Fraction(1)
        key = (*((i, w / leading) for i, w in sorted(pre[0].items())), pre[1] / leading)
        kinks.setdefault(key, []).append((c, abs(leading), pre))
    for group in kinks.values():
        if sum(c * size for c, size, _ in group):
            return None
        for c, _, pre in group:
            constant += _add(below, pre, c / 2)
    return {i: w for i, w in below.items() if w}, constant


def _form(asked: Question, layer: int, form: Form, status: Sequence[np.ndarray]) -> Form | None:
    """A form over what `layer` sends as a form over the free input coordinates.

    None if it depends on an unknown sign.
    """
    found: Form | None = form
    for m in range(layer, 0, -1):
        if found is None or not found[0]:
            return found
        found = _down(asked, m, found, status)
    return found


def circuit_form(asked: Question, status: Sequence[np.ndarray]) -> Iterator[Form | None]:
    """For each reader, what it receives less its constant, as a form over the free coordinates, or None."""
    for target in asked.targets:
        known = status[target.layer - 1]
        key = (target.layer, known[list(target.units)].tobytes())
        if key not in asked.settled:
            blank = [np.zeros_like(row) for row in status[: target.layer - 1]]
            forms = [_down(asked, target.layer, form, [*blank, known]) for form in _sent(target)]
            # A sum that is constant whatever the layer below sends needs no further thought, here or elsewhere.
            settled = [form for form in forms if form is not None and not form[0]]
            asked.settled[key] = settled if len(settled) == len(forms) else None
        yield from asked.settled[key] or (_form(asked, target.layer, form, status) for form in _sent(target))


def _sent(target: Target) -> list[Form]:
    rows = sorted(set(zip(target.weights, target.value, strict=True)))
    return [(dict(zip(target.units, row, strict=True)), -value) for row, value in rows]


def constant(bounds: Bounds) -> bool:
    """Whether every reader receives its constant on the whole part, as the known signs show."""
    status = [bounds.status(m) for m in range(len(bounds.layers))]
    return all(form == ZERO for form in circuit_form(bounds.asked, status))


def pre_activation(asked: Question, layer: int, j: int, status: Sequence[np.ndarray]) -> Affine | None:
    """A unit's pre-activation as an affine function of the free coordinates; None if it depends on an unknown sign."""
    form = _pre(asked, layer, j, status)
    over_inputs = form if layer == 1 else _form(asked, layer - 1, form, status)
    if over_inputs is None:
        return None
    coefficients, bias = over_inputs
    return Affine(tuple(coefficients.get(i, Fraction(0)) for i in asked.free), bias)

"""Nets as SMT terms: the same forward pass as `models.net`, on parameters and inputs that may be unknowns.

Tested against direct evaluation: at given inputs and parameters the terms have the values of the forward pass.
"""

import itertools
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import assert_never

from proof_of_absence.checker.kernel.smt import Script, Term, add, dot, square, sub
from proof_of_absence.models.circuit import Unit
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.layers import Affine, Layer
from proof_of_absence.models.net import MLP

__all__ = ["Entry", "Parameters", "forward", "net_at", "parameters_of", "squared_error", "unknown_parameters"]

Entry = Fraction | int | Term
# An affine map, weights and bias; entries are numbers or terms.
_Map = tuple[Sequence[Sequence[Entry]], Sequence[Entry]]
# One map a layer.
Parameters = Sequence[_Map]


def parameters_of(net: MLP) -> Parameters:
    """A net's parameters, to be mixed with unknowns."""
    return list(map(_parameters, net.layers))


def _parameters(layer: Layer) -> _Map:
    match layer:
        case Affine(weights=weights, bias=bias):
            return [list(row) for row in weights], list(bias)
        case _:
            assert_never(layer)


def net_at(parameters: Parameters, witness: Mapping[str, Fraction]) -> MLP:
    """The net that parameters are at the witness's values of the unknowns among them.

    Raises
    ------
    KeyError
        If an unknown has no value there.
    """

    def value(entry: Entry) -> Entry:
        return witness[entry] if isinstance(entry, str) else entry

    return MLP(
        tuple(
            Affine([[value(e) for e in row] for row in weights], list(map(value, bias))) for weights, bias in parameters
        )
    )


def unknown_parameters(script: Script, widths: Sequence[int], prefix: str = "p") -> Parameters:
    """Declare every parameter of an architecture as a real unknown: w and b in layer order."""
    return [
        (
            [script.reals(f"{prefix}w{layer}_{unit}", fan_in) for unit in range(fan_out)],
            script.reals(f"{prefix}b{layer}", fan_out),
        )
        for layer, (fan_in, fan_out) in enumerate(itertools.pairwise(widths), 1)
    ]


def forward(script: Script, parameters: Parameters, z: Sequence[Entry], prefix: str) -> dict[Unit, Term]:
    """Define every unit's value at z; returns a term for each unit, hidden and output.

    Hidden unit (l, j) is named ``{prefix}_l_j`` and the outputs likewise.
    """
    values: Sequence[Entry] = z
    terms: dict[Unit, Term] = {}
    for layer, (weights, bias) in enumerate(parameters, 1):
        pre = [add(dot(row, values), b) for row, b in zip(weights, bias, strict=True)]
        last = layer == len(parameters)
        sent = [
            script.define(f"{prefix}_{layer}_{j}", term if last else f"(relu {term})") for j, term in enumerate(pre)
        ]
        terms |= {Unit(layer, j): value for j, value in enumerate(sent)}
        values = sent
    return terms


def squared_error(script: Script, parameters: Parameters, data: Dataset, prefix: str) -> Term:
    """N times the loss of the net on the data."""
    last = len(parameters)
    errors = []
    for i, (z, y) in enumerate(zip(data.inputs, data.targets, strict=True)):
        terms = forward(script, parameters, z, f"{prefix}{i}")
        errors += [square(sub(terms[Unit(last, k)], target)) for k, target in enumerate(y)]
    return script.define(f"{prefix}_error", add(*errors))

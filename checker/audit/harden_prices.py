"""What a move of the answer by the output weights costs at deployment inputs (C21), before a hardening and after.

Bounds as an audit states them; the certificate of a hardening does not have them, that of an audit of the new net does.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from proof_of_absence.checker.audit.findings import PricedInput
from proof_of_absence.checker.audit.idle import unit_findings
from proof_of_absence.checker.audit.readout import readout_prices
from proof_of_absence.models.floatnet import FloatNet

__all__ = ["Repriced", "repriced"]

# Products of floats for one net: some seconds. Beyond it prices are not asked for here.
MOST = 2e10


@dataclass(frozen=True)
class Repriced:
    """At how many of the inputs a move is free, and upper bounds of the least and the median price; None: not known."""

    inputs: int
    free: int
    least: Fraction | None
    median: Fraction | None


def repriced(nets: Mapping[str, FloatNet], inputs: np.ndarray, deploy: np.ndarray) -> dict[str, Repriced] | None:
    """The prices of each net at deployment inputs, of the least move that changes the class, or by 1 of one output.

    Parameters
    ----------
    inputs, deploy
        Training inputs (N, d) and deployment inputs (D, d), float64, finite.

    Returns
    -------
    dict or None
        None where a net has no hidden layer, it takes too long, or a feature leaves the range of float64.
    """
    found = {}
    for name, net in nets.items():
        columns = net.widths[-2] + 1
        if len(net.layers) < 2 or not len(deploy) or columns**2 * (len(inputs) + len(deploy)) > MOST:
            return None
        try:
            told = readout_prices(net, inputs, unit_findings(net, inputs), deploy=deploy).readout.deployment
        except ValueError:
            return None
        ranked = sorted(map(_price, told), key=lambda size: (size is None, size or Fraction(0)))
        free = sum(one.free is not None for one in told)
        found[name] = Repriced(len(told), free, ranked[0], ranked[(len(ranked) - 1) // 2])
    return found


def _price(one: PricedInput) -> Fraction | None:
    """The upper bound; 0 where a move is free."""
    return Fraction(0) if one.price is None else one.price[1]

"""Where the weights of a graph lie in the file that it was read from, so that a changed graph can be written back.

It stands beside the graph: no pass looks at it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

__all__ = ["Held", "Sources"]


@dataclass(frozen=True, eq=False)
class Held:
    """Where an array of a layer lies in the source: entry e of it is `factor` times entry ``index[e]`` there.

    Parameters
    ----------
    name
        What the source calls the array.
    index
        For each entry of the layer's array a place in the flattened array of the source; int64, the layer's shape.
    factor
        Not 0.
    """

    name: str
    index: np.ndarray
    factor: Fraction = Fraction(1)


@dataclass(frozen=True, eq=False)
class Sources:
    """For the number of a node, where its arrays lie in the file.

    What the file has no number of its own for each entry of is not listed, nor what is computed of several arrays.

    Parameters
    ----------
    weights, bias
        Of Dense and Conv nodes.
    shift
        Of Scale and BatchNorm nodes: as much as `factor` times what is added in the file is added to it.
    """

    weights: Mapping[int, Held] = field(default_factory=dict)
    bias: Mapping[int, Held] = field(default_factory=dict)
    shift: Mapping[int, Held] = field(default_factory=dict)

"""Small data on which solver and construction are compared; each is chosen to exercise one premise."""

from absence.models.circuit import Unit
from absence.models.data import Dataset
from absence.models.net import shallow

__all__ = ["CONSTANT_CIRCUIT", "CONSTANT_NET", "FITTED", "FITTED_NET", "LINE", "LINE_CIRCUIT", "LINE_NET", "NOISY", "PLANE", "PLANE_CIRCUIT", "PLANE_NET", "TWO_OUTPUTS"]  # fmt: skip

# On a line: targets no affine function fits. The second unit is silent on all inputs.
LINE = Dataset([[0], [1], [2], [3]], [[1], [-1], [-1], [1]])
LINE_NET = shallow([([1], -2, ["1/2"]), ([1], -5, [1])], [0])
LINE_CIRCUIT = frozenset({Unit(1, 1)})

# In the plane: the corners of a square with the sign of exclusive or, orthogonal to every affine function.
PLANE = Dataset([[0, 0], [0, 1], [1, 0], [1, 1]], [[1], [-1], [-1], [1]])
PLANE_NET = shallow([([-1, -1], -1, [3])], [0])
PLANE_CIRCUIT = frozenset({Unit(1, 0)})

# Two answers to one input, and a net at the noise floor: its loss is positive and cannot be lowered.
NOISY = Dataset([[0], [0], [1]], [[1], [-1], [2]])
FITTED_NET = shallow([([1], 0, [2]), ([1], -7, [1])], [0])
# The same inputs with answers that the net fits.
FITTED = Dataset([[0], [1]], [[0], [2]])

# Two outputs, a repeated input, and a circuit of two units that is idle at the constant (5, -5/3).
TWO_OUTPUTS = Dataset(
    [[0, 0], [1, 0], [0, 1], [1, 1], [1, 1], [2, 1]], [[0, 1], [1, 0], [2, 0], [1, 1], [3, 1], [0, 2]]
)
CONSTANT_NET = shallow(
    [([1, 1], 0, [1, "1/2"]), ([1, 0], 2, [1, "-1/3"]), ([-1, 0], 3, [1, "-1/3"])],
    [0, 0],
)
CONSTANT_CIRCUIT = frozenset({Unit(1, 1), Unit(1, 2)})

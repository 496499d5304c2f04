"""Small data on which solver and construction are compared; each is chosen to exercise one premise."""

from proof_of_absence.models.circuit import Unit
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.net import shallow

__all__ = [
    "ALTERNATING",
    "CONSTANT_CIRCUIT",
    "CONSTANT_NET",
    "FITTED",
    "FITTED_NET",
    "LINE",
    "LINE_CIRCUIT",
    "LINE_NET",
    "NOISY",
    "PLANE",
    "PLANE_CIRCUIT",
    "PLANE_NET",
    "SCATTERED",
    "SEVEN",
    "SQUARE",
    "TWO_OUTPUTS",
]

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

# Too many inputs for few units: on the line, with signs that alternate, on a grid with the parity of the
# coordinates, scattered.
SEVEN = Dataset([[x] for x in range(7)], [[y] for y in (0, 2, -1, 2, 0, 3, 1)])
ALTERNATING = Dataset([[x] for x in range(8)], [[(-1) ** x] for x in range(8)])
SQUARE = Dataset([[x, y] for x in range(3) for y in range(3)], [[(x + y) % 2] for x in range(3) for y in range(3)])
SCATTERED = Dataset([[0, 0], [3, 1], [1, 4], [4, 3], [2, 2], [5, 0], [1, 1]], [[1], [-1], [2], [0], [-2], [1], [0]])

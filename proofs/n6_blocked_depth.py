"""N6, a countermodel: drop the single hidden layer and the claim fails.
Behind a layer of one unit a freed unit of a deep net is of no use, and a minimiser keeps it idle.
"""

from proof_of_absence.checker.construct.lane import lane_reassignment
from proof_of_absence.checker.kernel.obligation import Claim, Drops, Evidence, Obligation, Scope, Verdict
from proof_of_absence.models.circuit import Unit
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.layers import Affine
from proof_of_absence.models.net import MLP
from proof_of_absence.models.rational import vector
from proof_of_absence.proofs import facts
from proof_of_absence.proofs.words import enumerated

DEPLOY = vector([7])

# The line closest to the three targets is the first axis; the net answers with their feet on it, -1, -1 and 2.
TRIANGLE = Dataset([[0], [1], [2]], [[-1, 1], [-1, -1], [2, 0]])
TWO_LAYERS = MLP((Affine([[1], [1]], [-1, -4]), Affine([[1, 1]], [0]), Affine([[3], [0]], [-1, 0])))
TWO_LAYERS_CIRCUIT = frozenset({Unit(1, 1)})
# With two units before the output, the second of which reads the freed unit: no error is left.
TWO_READERS = MLP(
    (
        Affine([[1], [-1]], [-1, 1]),
        Affine([[1, 0], [0, 1]], [0, 0]),
        Affine([[3, 0], [1, 2]], [-1, -1]),
    )
)
# The triangle's net with a spare unit before the output too: the circuit holds a lane.
LANE = MLP((Affine([[1], [1]], [-1, -4]), Affine([[1, 0], [0, 1]], [0, 0]), Affine([[3, 1], [0, 0]], [-1, 0])))
LANE_CIRCUIT = frozenset({Unit(1, 1), Unit(2, 1)})

# Three outputs, three hidden layers; a circuit with a unit on each of the lower two.
CROSSED = Dataset([[0], [1], [2], [3]], [[3, 1, 0], [3, -1, 0], [-3, 0, 1], [-3, 0, -1]])
THREE_LAYERS = MLP(
    (
        Affine([[-1], [-1], [1]], [2, 1, -4]),
        Affine([[1, -1, 0], [0, 0, 1]], [0, 0]),
        Affine([[1, 1]], [0]),
        Affine([[6], [0], [0]], [-3, 0, 0]),
    )
)
THREE_LAYERS_CIRCUIT = frozenset({Unit(1, 2), Unit(2, 1)})
# A wider net that fits: relu(z), relu(z - 1), relu(z - 2), carried to the output.
CARRIED = Affine([[1, 0, 0], [0, 1, 0], [0, 0, 1]], [0, 0, 0])
THREE_READERS = MLP(
    (
        Affine([[1], [1], [1]], [0, -1, -2]),
        CARRIED,
        CARRIED,
        Affine([[0, -6, 6], [-2, 3, -1], [0, 1, -3]], [3, 1, 0]),
    )
)


def _minimiser(net: MLP, circuit, data: Dataset, wider: MLP) -> Evidence:
    """No net with one unit before the output is better; above the noise floor, which a wider net reaches;
    the circuit idle, firing at deployment.
    """
    least = facts.best_line(net, data)
    idle = facts.idle(net, circuit, data.inputs, fires=DEPLOY)
    return Evidence(facts.every(least, facts.loss_above_floor(net, data), idle, facts.loss_at_floor(wider, data)))


def _with_a_lane() -> Evidence:
    """The circuit with a unit on the last hidden layer: C16's lane lowers the loss."""
    result = lane_reassignment(LANE, LANE_CIRCUIT, TRIANGLE)
    idle = facts.idle(LANE, LANE_CIRCUIT, TRIANGLE.inputs, fires=DEPLOY)
    return Evidence(facts.every(idle, facts.reassigned(LANE, LANE_CIRCUIT, result, TRIANGLE)), holds=False)


def _widths(net: MLP) -> str:
    """The widths of the hidden layers, in words."""
    return f"{enumerated(net.widths[1:-1])} units"


CLAIM = Claim(
    id="N6",
    title="One hidden layer needed",
    statement=r"There are a class of deep nets, data, and a global minimiser $\theta$ of $L$ on the class with "
    r"$L(\theta)>E$, that has a train-idle circuit which fires at deployment, although a wider net of the same depth "
    r"has lower loss.",
    premises=(
        "all premises of C8 but one hidden layer: the last hidden layer has one unit, and the circuit lies below it",
    ),
    proof=r"If the last hidden layer has one unit, all outputs $c+a\,h(z_i)$ lie on a line, whatever the layers below "
    r"compute. The squared distances of the targets to a line sum to at least $\mathrm{tr}S-\lambda$, with $S$ their "
    r"scatter matrix about the mean and $\lambda$ its largest eigenvalue. The net reaches this without the circuit, so "
    r"freed units below have nothing to add.",
    limits="Instances with two and three hidden layers; the lower bound holds for every net with one unit before the "
    "output, of any depth and width below. The net's other units are needed; only capacity at the last hidden layer is "
    "scarce. Where the circuit holds a lane to the output, C16 applies (N6.control).",
    drops=Drops("C8", "one hidden layer", "more hidden layers, the last of which has one unit"),
    obligations=(
        Obligation(
            "N6.two-layers",
            f"Hidden layers of {_widths(TWO_LAYERS)}, {len(TRIANGLE)} inputs, {TWO_LAYERS.widths[-1]} outputs: a "
            f"global minimiser above the noise floor, a unit of the first layer idle, firing at {DEPLOY[0]}; "
            f"{_widths(TWO_READERS)} reach the floor",
            Scope.INSTANCE,
            lambda: _minimiser(TWO_LAYERS, TWO_LAYERS_CIRCUIT, TRIANGLE, TWO_READERS),
        ),
        Obligation(
            "N6.three-layers",
            f"Hidden layers of {_widths(THREE_LAYERS)}, {len(CROSSED)} inputs, {THREE_LAYERS.widths[-1]} outputs: a "
            f"global minimiser above the noise floor, a circuit on the lower two layers idle, firing at {DEPLOY[0]}; "
            f"{_widths(THREE_READERS)} reach the floor",
            Scope.INSTANCE,
            lambda: _minimiser(THREE_LAYERS, THREE_LAYERS_CIRCUIT, CROSSED, THREE_READERS),
        ),
        Obligation(
            "N6.control",
            "With a spare unit on the last hidden layer as well, the net with the idle circuit is still a minimiser",
            Scope.INSTANCE,
            _with_a_lane,
            Verdict.REFUTED,
        ),
    ),
)

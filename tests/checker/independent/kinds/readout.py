"""What is said of output layers: values of nets with other output layers on the same hidden units, and no matrix."""

from fractions import Fraction

from proof_of_absence.models.data import Dataset
from proof_of_absence.models.layers import Affine
from proof_of_absence.models.net import MLP
from tests.checker.independent.kinds.read import dataset_of, net_of


def with_output(net, weights):
    """The net of one output with these weights, the first of them the bias."""
    constant, *rest = weights
    if len(net.layers) != 2 or len(rest) != net.widths[1]:
        raise ValueError("not a shallow net of that many units")
    return MLP((net.layers[0], Affine([rest], [constant])))


def cost(net, data, penalty):
    return data.loss(net) * len(data) + penalty * sum(a * a for row in net.layers[1].weights for a in row)


def stepped(net, k, j, step):
    """The output layer with one of its weights, or its bias if j is 0, raised."""
    hidden, output = net.layers
    rows, shift = [list(row) for row in output.weights], list(output.bias)
    if j:
        rows[k][j - 1] += step
    else:
        shift[k] += step
    return MLP((hidden, Affine(rows, shift)))


def difference(net, data, penalty, k, j):
    """A quarter of what the cost changes from a step down to a step up: half of its slope."""
    up, down = (cost(stepped(net, k, j, step), data, penalty) for step in (1, -1))
    return (up - down) / 4


def leverage(fact):
    net, penalty = net_of(fact["net"]), Fraction(fact["penalty"])
    solution = [Fraction(u) for u in fact["solution"]]
    at, zero = fact["at"], Dataset(fact["inputs"], [[0]] * len(fact["inputs"]))
    own = with_output(net, solution)
    features = [with_output(net, [int(j == k) for k in range(len(solution))])(at)[0] for j in range(len(solution))]
    slopes = [difference(own, zero, penalty, 0, j) for j in range(len(solution))]
    return penalty >= 0 and slopes == features and own(at)[0] == Fraction(fact["leverage"])


def free_readout(fact):
    net = with_output(net_of(fact["net"]), list(map(Fraction, fact["direction"])))
    return not any(f for (f,) in net.outputs(fact["inputs"])) and net(fact["at"])[0] != 0


def readout_price(fact):
    net, moved, data = net_of(fact["net"]), net_of(fact["moved"]), dataset_of(fact["data"])
    penalty, height = Fraction(fact["penalty"]), Fraction(fact["leverage"])
    if not leverage({**fact, "inputs": fact["data"]["inputs"]}):
        return False
    if net.layers[0] != moved.layers[0] or net.widths != moved.widths:
        return False
    if any(difference(net, data, penalty, k, j) for k in range(net.widths[2]) for j in range(net.widths[1] + 1)):
        return False
    square = sum((a - b) ** 2 for a, b in zip(moved(fact["at"]), net(fact["at"]), strict=True))
    bound = height * (cost(moved, data, penalty) - cost(net, data, penalty))
    stated = (Fraction(fact["square"]), Fraction(fact["bound"]), fact["attained"])
    return stated == (square, bound, square == bound) and square <= bound


SAYS = {
    "free-readout": free_readout,
    "leverage": leverage,
    "readout-price": readout_price,
}

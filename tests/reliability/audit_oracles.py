"""Whether a fact of an audit is true, by direct evaluation in fractions: nothing here is of either checker."""

from fractions import Fraction
from functools import cache, cached_property
from pathlib import Path

import numpy as np

from tests.checker.independent.kinds.region import SAYS as REGION
from tests.checker.proved.audited import outputs, sums, values
from tests.checker.proved.test_audit_losses import loss, noise_floor

__all__ = ["Data", "true"]


class Data:
    """The nets and the tables of a folder, each as numpy reads it when it is asked for."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.table = cache(self._table)

    @cached_property
    def net(self):
        """The layers of the net: weights and biases."""
        return self._layers("net")

    @cached_property
    def before(self):
        """The same of the net before hardening."""
        return self._layers("before")

    @property
    def train(self):
        """The training inputs."""
        return self.table("train")

    @property
    def deploy(self):
        """The deployment inputs; none if there are no such."""
        return self.table("deploy") if (self.folder / "deploy.npz").is_file() else []

    def _layers(self, name):
        with np.load(self.folder / f"{name}.npz") as found:
            return [(found[f"weights_{k}"], found[f"bias_{k}"]) for k in range(1, len(found.files) // 2 + 1)]

    def _table(self, name):
        with np.load(self.folder / f"{name}.npz") as found:
            (key,) = found.files
            return found[key]

    def features(self, layer, rows):
        """What the units of a hidden layer are at each of the rows."""
        return [values(self.net, row)[layer - 1] for row in rows]


def true(fact: dict, data: Data) -> bool:
    """Whether the fact is so."""
    return SAYS[fact["kind"]](fact, data)


def hexadecimal(text):
    """The number that a text in base 16 is."""
    top, _, bottom = text.partition("/")
    return Fraction(int(top, 16), int(bottom or "1", 16))


def exact(row):
    """A row of floats in fractions."""
    return [Fraction(x) for x in row.tolist()]


def between(bounds, value):
    """Whether two decimal bounds enclose the number."""
    low, high = map(Fraction, bounds)
    return low <= value <= high


def units(fact, data):
    layer = fact["layer"]
    read = (data.net[layer][0] != 0).any(axis=0)
    columns = list(zip(*data.features(layer, data.train), strict=True))
    entries = zip(columns, read, fact["activity"], fact["idle"], fact["witness"], strict=True)
    for column, is_read, activity, idle, witness in entries:
        does = "varies" if len(set(column)) > 1 else "constant" if column[0] else "dead"
        if activity != does or idle != (does != "varies" or not is_read):
            return False
        if does == "varies" and column[witness[0]] == column[witness[1]]:
            return False
    return True


def circuit(fact, data):
    weights = data.net[fact["layer"]][0]
    said = [hexadecimal(text) for text in fact["value"]]

    def sends(row):
        phi = values(data.net, row)[fact["layer"] - 1]
        return [sum((Fraction(line[j]) * phi[j] for j in fact["units"]), Fraction(0)) for line in weights.tolist()]

    fires = [i for i, row in enumerate(data.deploy) if sends(row) != said]
    return all(sends(row) == said for row in data.train) and fact["fires"] in (None, fires)


def eliminated(matrix):
    """The rows in echelon form, by their pivots; those that are 0 are left out."""
    found = {}
    for row in matrix:
        row = list(row)
        for place, other in found.items():
            if row[place]:
                row = [a - row[place] * b for a, b in zip(row, other, strict=True)]
        place = next((k for k, a in enumerate(row) if a), None)
        if place is not None:
            found[place] = [a / row[place] for a in row]
    return found


def full_rank(fact, data):
    chosen = fact.get("units", range(len(data.net[fact["layer"] - 1][1])))
    rows = data.features(fact["layer"], [data.train[i] for i in fact["rows"]])
    matrix = [[Fraction(1), *(row[j] for j in chosen)] for row in rows]
    return len(eliminated(matrix)) == len(matrix[0])


def dependency(fact, data):
    constant, *factors = map(hexadecimal, fact["coefficients"])
    at = data.features(fact["layer"], data.train)
    vanishes = all(constant + sum(c * x for c, x in zip(factors, row, strict=True)) == 0 for row in at)
    return vanishes and any([constant, *factors])


def few_inputs(fact, data):
    distinct = len({tuple(exact(row)) for row in data.train})
    return distinct == fact["distinct_inputs"] < 1 + len(data.net[fact["layer"] - 1][1])


def train_input(fact, data):
    return exact(data.deploy[fact["row"]]) == exact(data.train[fact["train_row"]])


def average(fact, data, of):
    """Whether the deployment row is that average, of what `of` gives for a row."""
    pairs = [(of(data.train[i]), hexadecimal(text)) for i, text in fact["combination"]]
    weights = [weight for _, weight in pairs]
    found = [sum(weight * row[k] for row, weight in pairs) for k in range(len(pairs[0][0]))]
    return min(weights) > 0 and sum(weights) == 1 and found == of(data.deploy[fact["row"]])


def inside(fact, data):
    return average(fact, data, exact)


def covered(fact, data):
    """The outputs are averages too, and no unit is below 0 at one of the rows and above 0 at another."""
    rows = [data.train[i] for i, _ in fact["combination"]]
    for number, layer in enumerate(data.net[:-1]):
        below = data.features(number, rows) if number else map(exact, rows)
        entering = [sums(layer, one) for one in below]
        if any(min(column) < 0 < max(column) for column in zip(*entering, strict=True)):
            return False
    return inside(fact, data) and average(fact, data, lambda row: outputs(data.net, row))


def outside(fact, data):
    weights, bias = [hexadecimal(text) for text in fact["weights"]], hexadecimal(fact["bias"])

    def height(row):
        return sum((w * x for w, x in zip(weights, exact(row), strict=True)), bias)

    return all(height(row) <= 0 for row in data.train) and height(data.deploy[fact["row"]]) > 0


def fits(layers, dtype):
    """Whether numbers of this type are the weights."""
    return all((part == part.astype(dtype)).all() for layer in layers for part in layer)


def training_loss(fact, data):
    targets = data.table("targets")
    bounded = between(fact["loss"], loss(data.net, data.train, targets))
    return bounded and between(fact["noise_floor"], noise_floor(data.train, targets)) and fits(data.net, fact["dtype"])


def lower_training_loss(fact, data):
    (hidden, bias), (output, shift) = ((w.copy(), b.copy()) for w, b in data.net[-2:])
    first = min(fact["circuit"])
    output[:, fact["circuit"]] = 0
    stated = {name: [Fraction(text) for text in fact[name]] for name in ("weights", "outgoing", "output_bias")}
    stated["bias"] = [Fraction(fact["bias"])]
    hidden[first], bias[first] = list(map(float, stated["weights"])), float(stated["bias"][0])
    output[:, first], shift[:] = list(map(float, stated["outgoing"])), list(map(float, stated["output_bias"]))
    exactly = all(Fraction(float(v)) == v for found in stated.values() for v in found)
    after = [*data.net[:-2], (hidden, bias), (output, shift)]
    drop = loss(data.net, data.train, data.table("targets")) - loss(after, data.train, data.table("targets"))
    return exactly and drop > 0 and between(fact["drop"], drop) and fits(data.net + after, fact["dtype"])


def hardened(fact, data):
    removed, left = ({tuple(unit) for unit in fact[name]} for name in ("removed", "left"))
    for number, ((weights, bias), (other, shift)) in enumerate(zip(data.before, data.net, strict=True)):
        expected, cut = weights.copy(), [j for layer, j in removed if layer == number]
        expected[:, cut] = 0
        if (expected != other).any() or (not cut and (bias != shift).any()):
            return False
        if number:
            still = [len(set(column)) == 1 for column in zip(*data.features(number, data.train), strict=True)]
            if any(other[:, j].any() for j, one in enumerate(still) if one and (number, j) not in left):
                return False
    far = [
        abs(one - other)
        for row in data.train
        for one, other in zip(outputs(data.before, row), outputs(data.net, row), strict=True)
    ]
    return max(far) <= hexadecimal(fact["deviation"])


def readout_prices(fact, data):
    """The leverage h solves the normal equations, and a move by t costs t^2/(N h)."""
    penalty, move = hexadecimal(fact["penalty"]), hexadecimal(fact["move"])
    names = {"training": "train", "deployment": "deploy", "test": "test"}
    phi = [[Fraction(1), *row] for row in data.features(fact["layer"], data.train)]
    count = range(len(phi[0]))
    gram = [[sum(row[i] * row[j] for row in phi) + (penalty if i == j > 0 else 0) for j in count] for i in count]
    for part, entries in fact["rows"].items():
        for entry in entries:
            at = [Fraction(1), *values(data.net, data.table(names[part])[entry["row"]])[-1]]
            leverage = form(gram, at)
            price = move**2 / (len(phi) * leverage)
            for bounds, value in ((entry["leverage"], leverage), (entry["price"], price)):
                low, high = bounds
                if hexadecimal(low) > value or (high is not None and hexadecimal(high) < value):
                    return False
    return True


def form(gram, at):
    """The number at . gram^-1 at, by elimination; the matrix has an inverse."""
    found = eliminated([[*row, one] for row, one in zip(gram, at, strict=True)])
    solution = {}
    for place in sorted(found, reverse=True):
        *row, one = found[place]
        solution[place] = one - sum(row[k] * solution[k] for k in solution)
    return sum(solution[k] * one for k, one in enumerate(at))


def region(fact, data):
    layers = [(map(exact, weights), exact(bias)) for weights, bias in data.net]
    net = [{"weights": [list(map(str, row)) for row in rows], "bias": list(map(str, bias))} for rows, bias in layers]
    return REGION[fact["kind"]](fact | {"net": net})


SAYS = {
    "units": units, "circuit": circuit, "full-rank": full_rank, "dependency": dependency, "few-inputs": few_inputs,
    "train-input": train_input, "inside": inside, "outside": outside, "covered": covered,
    "training-loss": training_loss, "lower-training-loss": lower_training_loss, "hardened": hardened,
    "readout-prices": readout_prices, "irrelevant-region": region, "relevant-at": region,
}  # fmt: skip

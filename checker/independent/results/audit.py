"""Check the certificate of an audit: a folder with a float net, its inputs, and facts about them, each decided anew.

What is claimed of all training rows is checked at all of them; a fact that is left out claims nothing.
"""

from collections.abc import Callable, Iterable
from fractions import Fraction
from functools import cached_property
from math import lcm
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from proof_of_absence.checker.independent.kinds import float_cross_entropy, float_losses
from proof_of_absence.checker.independent.kinds.rank import is_prime
from proof_of_absence.checker.independent.kinds.region import Prepared, irrelevant_region, relevant_at
from proof_of_absence.checker.independent.refusal import Refused, require, require_equal
from proof_of_absence.checker.independent.results.hardened import check_hardened
from proof_of_absence.checker.independent.sealed import read_sealed
from proof_of_absence.checker.independent.values import Fact
from proof_of_absence.checker.independent.values.arrays import arrays, hexadecimal, table
from proof_of_absence.checker.independent.values.floats import FloatData, FloatNet, Floats, Integers, blocks, integers
from proof_of_absence.checker.independent.values.nets import Net
from proof_of_absence.checker.independent.values.rounding import TINY, UP

Truths = NDArray[np.bool_]

FORMAT = "absence-audit-certificate/1"
NAME = "certificate.json"
LARGEST = 2**30
FIELDS = {"format", "files", "facts", "digest"}


def certificate_in(path: Path) -> Path | None:
    """The audit's certificate that a folder holds, or that the path is; None if there is none there."""
    file = path / NAME if path.is_dir() else path
    return file if file.name == NAME and file.is_file() else None


def check_audit(path: Path) -> Fact:
    """Check an audit's certificate and every fact in it; returns it.

    Raises
    ------
    Refused
        If the file is no such certificate, a file it names is another, or a fact is not so.
    """
    certificate = read_sealed(path, FORMAT, largest=LARGEST, fields=FIELDS)
    try:
        audit = _Audit(path.parent, certificate["files"])
        facts = certificate["facts"]
        require(isinstance(facts, list) and all(isinstance(fact, dict) for fact in facts), "facts are missing")
        for fact in facts:
            require(fact.get("kind") in KINDS, f"a fact of kind {fact.get('kind')!r} is not understood")
        # Those about units first: others may rest on them.
        for fact in sorted(facts, key=lambda fact: fact["kind"] != "units"):
            KINDS[fact["kind"]](audit, fact)
        layers = sorted(fact["layer"] for fact in facts if fact["kind"] == "units")
        require(layers == list(range(1, len(audit.net.layers))), "each hidden layer has one fact about its units")
    except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
        raise Refused(f"a fact is malformed: {type(error).__name__}: {error}") from error
    return certificate


class _Audit:
    """The net and the inputs that the facts are about."""

    def __init__(self, directory: Path, files: object):
        known = {"net", "train", "deploy", "targets", "before"}
        if not (isinstance(files, dict) and {"net", "train"} <= set(files) <= known):
            raise Refused("files are missing")
        self.net = FloatNet.read(arrays(directory, files["net"]))
        self.train = table(directory, files["train"])
        self.deploy = table(directory, files["deploy"]) if "deploy" in files else None
        self.targets = table(directory, files["targets"], "targets") if "targets" in files else None
        self.before = FloatNet.read(arrays(directory, files["before"])) if "before" in files else None
        for inputs in (self.train, self.deploy):
            require(inputs is None or inputs.shape[1] == self.net.widths[0], "inputs do not fit the net")
        # Units found to have one value at all training rows.
        self.still: set[tuple[int, int]] = set()

    @cached_property
    def prepared(self) -> Prepared:
        """The net in exact numbers, as facts about regions are decided of it."""
        layers = [
            ([[Fraction(w) for w in row] for row in weights.tolist()], [Fraction(b) for b in bias.tolist()])
            for weights, bias in self.net.layers
        ]
        return Prepared(Net.of(layers))

    def layer(self, value: object) -> int:
        """The number of a hidden layer."""
        if not (type(value) is int and 1 <= value < len(self.net.layers)):
            raise Refused("no such hidden layer")
        return value

    def row(self, value: object) -> int:
        """The number of a training row."""
        if not (type(value) is int and 0 <= value < len(self.train)):
            raise Refused("no such training row")
        return value

    def training_rows(self, layer: int, members: list[int]) -> Iterable[Floats]:
        """The training rows in blocks; one is enough for units found to have one value at all of them."""
        if all((layer, j) in self.still for j in members):
            return [self.train[:1]]
        return (self.train[block] for block in blocks(len(self.train)))

    @property
    def deployment(self) -> Floats:
        """The deployment inputs."""
        if self.deploy is None:
            raise Refused("the certificate names no deployment inputs")
        return self.deploy

    def deployment_row(self, value: object) -> int:
        """The number of a deployment row."""
        if not (type(value) is int and 0 <= value < len(self.deployment)):
            raise Refused("no such deployment row")
        return value


def units(audit: _Audit, fact: Fact) -> None:
    """What every unit of a layer does on the training rows: it is dead, or constant and positive, or varies."""
    layer = audit.layer(fact["layer"])
    activity, witness, idle = fact["activity"], fact["witness"], fact["idle"]
    require(len(activity) == len(witness) == len(idle) == audit.net.widths[layer], "not one entry for each unit")
    require(set(activity) <= {"dead", "constant", "varies"}, "an activity is not understood")
    read = (audit.net.layers[layer][0] != 0).any(axis=0)
    for j, (does, alone) in enumerate(zip(activity, idle, strict=True)):
        require(alone is (does != "varies" or not read[j]), f"unit {layer}.{j} is not as idle as it says")
    _varying(audit, layer, {j: witness[j] for j, does in enumerate(activity) if does == "varies"})
    _still(audit, layer, [j for j, does in enumerate(activity) if does == "dead"], dead=True)
    _still(audit, layer, [j for j, does in enumerate(activity) if does == "constant"], dead=False)
    audit.still |= {(layer, j) for j, does in enumerate(activity) if does != "varies"}


def _varying(audit: _Audit, layer: int, witness: dict[int, list[int]]) -> None:
    for j, pair in witness.items():
        one, other = (audit.row(i) for i in pair)
        if layer == 1 or not _apart(audit, layer, j, one, other):
            values, _ = audit.net.exact(audit.train[[one, other]], layer, [j])
            require(values[0, 0] != values[1, 0], f"unit {layer}.{j} has one value at rows {one} and {other}")


def _apart(audit: _Audit, layer: int, unit: int, one: int, other: int) -> bool:
    """Whether floats show that the unit differs; an exact pass over all layers below is dear."""
    values, error = audit.net.bounded(audit.train[[one, other]], layer, [unit])[-1]
    # Beyond the floats the bounds are infinite, and show nothing.
    with np.errstate(over="ignore"):
        low, high = np.maximum(values - error, 0)[:, 0], np.maximum(values + error, 0)[:, 0] * UP + TINY
    return bool(low[0] > high[1] or low[1] > high[0])


def _still(audit: _Audit, layer: int, chosen: list[int], *, dead: bool) -> None:
    """The units have one value at all training rows: 0 if dead, else a positive one."""
    if not chosen:
        return
    first, scale = audit.net.exact(audit.train[:1], layer, chosen)
    require(all((v == 0) is dead for v in first[0]), f"a unit of layer {layer} has another value at row 0 than it says")
    for block in blocks(len(audit.train)):
        rows = audit.train[block]
        open_ = np.ones((len(rows), len(chosen)), dtype=bool)
        if dead:
            values, error = audit.net.bounded(rows, layer, chosen)[-1]
            open_ = ~(values <= -error)
        for columns in ([k] for k in range(len(chosen))) if layer == 1 else [list(range(len(chosen)))]:
            left = np.flatnonzero(open_[:, columns].any(axis=1))
            if left.size:
                found, power = audit.net.exact(rows[left], layer, [chosen[k] for k in columns])
                for at, k in enumerate(columns):
                    where = f"unit {layer}.{chosen[k]} has another value at a row of {block.start} .. {block.stop - 1}"
                    require(_all_equal(found[:, at], power, first[0, k], scale), where)


def _all_equal(column: Integers, power: int, value: int, scale: int) -> bool:
    low = min(power, scale)
    return bool((column << (power - low) == value << (scale - low)).all())


def circuit(audit: _Audit, fact: Fact) -> None:
    """A circuit of one layer sends the stated values at all training rows, and others at just the rows of `fires`."""
    layer = audit.layer(fact["layer"])
    members, value = fact["units"], [hexadecimal(v) for v in fact["value"]]
    require(len(members) == len(set(members)) > 0, "a circuit is a nonempty set")
    require(all(type(j) is int and 0 <= j < audit.net.widths[layer] for j in members), "no such unit")
    require(len(value) == audit.net.widths[layer + 1], "not one value for each reader")
    for rows in audit.training_rows(layer, members):
        if not any(value):
            rows = rows[~_silent(audit, layer, members, rows)]
        require(not _differs(audit, layer, members, rows, value).any(), f"circuit {layer}.{members} is not idle")
    fires = [audit.deployment_row(i) for i in fact["fires"]] if audit.deploy is not None else fact["fires"]
    expected: list[int] = []
    for block in blocks(len(audit.deploy) if audit.deploy is not None else 0):
        rows = np.arange(block.start, block.stop)
        if not any(value):
            rows = rows[~_silent(audit, layer, members, audit.deployment[rows])]
        expected += rows[_differs(audit, layer, members, audit.deployment[rows], value)].tolist()
    require_equal(f"the deployment rows at which circuit {layer}.{members} fires", fires, expected)


def _silent(audit: _Audit, layer: int, members: list[int], rows: Floats) -> Truths:
    """The rows at which floats show that all the units are 0."""
    values, error = audit.net.bounded(rows, layer, members)[-1]
    return np.asarray((values <= -error).all(axis=1))


def _differs(audit: _Audit, layer: int, members: list[int], rows: Floats, value: list[Fraction]) -> Truths:
    if not len(rows):
        return np.zeros(0, dtype=bool)
    sent, scale = audit.net.sent(rows, layer, members)
    result = np.zeros(len(rows), dtype=bool)
    for k, v in enumerate(value):
        # M 2^e = p / q, in integers.
        up, down = max(scale, 0), max(-scale, 0)
        result |= (sent[:, k] * (v.denominator << up) != v.numerator << down).astype(bool)
    return result


def full_rank(audit: _Audit, fact: Fact) -> None:
    """The columns [1 | phi_1 .. phi_n] on some rows have a minor that is not 0 modulo a prime, so it is not 0.

    With `units`, the columns are those of these alone.
    """
    layer, prime = audit.layer(fact["layer"]), fact["prime"]
    chosen = [audit.row(i) for i in fact["rows"]]
    # 2 would have no inverse, and products of residues below 2^31 fit 64 bits.
    require(is_prime(prime) and 2 < prime < 2**31, "the modulus is not an odd prime below 2^31")
    members = fact.get("units", list(range(audit.net.widths[layer])))
    require(all(type(j) is int and 0 <= j < audit.net.widths[layer] for j in members), "no such unit")
    count = len(members) + 1
    require(len(chosen) == count, "a minor has as many rows as columns")
    values, scale = audit.net.exact(audit.train[chosen], layer, members)
    remainders = (values % prime * pow(2, scale, prime) % prime).astype(np.int64)
    matrix = np.hstack([np.ones((count, 1), dtype=np.int64), remainders])
    for step in range(count):
        pivot = step + int((matrix[step:, step] != 0).argmax())
        require(matrix[pivot, step], f"the minor of layer {layer} is 0 modulo {prime}")
        matrix[[step, pivot]] = matrix[[pivot, step]]
        inverse = pow(int(matrix[step, step]), -1, prime)
        factors = matrix[step + 1 :, step] * inverse % prime
        matrix[step + 1 :, step:] = (matrix[step + 1 :, step:] - factors[:, None] * matrix[step, step:] % prime) % prime


def dependency(audit: _Audit, fact: Fact) -> None:
    """v_0 + sum_j v_j phi_j = 0 at every training row, and some v is not 0."""
    layer = audit.layer(fact["layer"])
    coefficients = [hexadecimal(v) for v in fact["coefficients"]]
    require(len(coefficients) == audit.net.widths[layer] + 1, "there is not one coefficient for each column")
    require(any(coefficients), "all coefficients are 0")
    denominator = lcm(*(v.denominator for v in coefficients))
    constant, *whole = (int(v * denominator) for v in coefficients)
    members = [j for j, v in enumerate(whole) if v]
    vector = np.array([whole[j] for j in members], dtype=object)
    for rows in audit.training_rows(layer, members):
        values, scale = audit.net.exact(rows, layer, members)
        sums = (values.dot(vector) << max(scale, 0)) + (constant << max(-scale, 0)) if members else np.array([constant])
        require(not sums.any(), f"the relation of layer {layer} does not hold")


def few_inputs(audit: _Audit, fact: Fact) -> None:
    """There are fewer distinct training inputs than columns [1 | phi_1 .. phi_n], so these are dependent."""
    layer = audit.layer(fact["layer"])
    distinct = len({row.tobytes() for row in audit.train + 0.0})
    require_equal("the number of distinct training inputs", fact["distinct_inputs"], distinct)
    require(distinct <= audit.net.widths[layer], "there are no fewer of them than columns")


def train_input(audit: _Audit, fact: Fact) -> None:
    """A deployment row is a training row."""
    same = audit.deployment[audit.deployment_row(fact["row"])] == audit.train[audit.row(fact["train_row"])]
    require(same.all(), f"deployment row {fact['row']} is no such training row")


def outside(audit: _Audit, fact: Fact) -> None:
    """w.z + b <= 0 at every training row and > 0 at the deployment row."""
    weights, bias = [hexadecimal(w) for w in fact["weights"]], hexadecimal(fact["bias"])
    require(len(weights) == audit.net.widths[0], "not one weight for each input")
    for block in blocks(len(audit.train)):
        rows = _not_below(audit.train[block], weights, bias)
        require(not (_heights(rows, weights, bias) > 0).any(), "a training row is on the wrong side")
    point = audit.deployment[[audit.deployment_row(fact["row"])]]
    require((_heights(point, weights, bias) > 0).all(), f"deployment row {fact['row']} is not outside")


def _not_below(rows: Floats, weights: list[Fraction], bias: Fraction) -> Floats:
    """The rows at which floats do not show that w.z + b <= 0; all of them if w or b are no floats."""
    try:
        floats = [float(v) for v in (*weights, bias)]
    except OverflowError:
        return rows
    if [Fraction(v) for v in floats] != [*weights, bias]:
        return rows
    # Half-spaces along an axis are frequent.
    used = [k for k, w in enumerate(weights) if w] or [0]
    plane = FloatNet([(np.array([[floats[k] for k in used]]), np.array(floats[-1:]))])
    values, error = plane.bounded(rows[:, used])[-1]
    return rows[~(values <= -error)[:, 0]]


def _heights(rows: Floats, weights: list[Fraction], bias: Fraction) -> Integers:
    """w.z + b at each row times something positive, in integers."""
    if not len(rows):
        return np.zeros(0, dtype=object)
    denominator = lcm(bias.denominator, *(w.denominator for w in weights))
    whole = np.array([int(w * denominator) for w in weights], dtype=object)
    matrix, scale = integers(rows)
    heights: Integers = (matrix.dot(whole) << max(scale, 0)) + (int(bias * denominator) << max(-scale, 0))
    return heights


def inside(audit: _Audit, fact: Fact) -> None:
    """A deployment row is the convex combination of training rows: positive weights with sum 1."""
    point = audit.deployment[[audit.deployment_row(fact["row"])]]
    chosen = [audit.row(i) for i, _ in fact["combination"]]
    weights = [hexadecimal(w) for _, w in fact["combination"]]
    require(
        len(chosen) == len(set(chosen)) > 0 and all(w > 0 for w in weights) and sum(weights) == 1, "no convex weights"
    )
    denominator = lcm(*(w.denominator for w in weights))
    whole = np.array([int(w * denominator) for w in weights], dtype=object)
    matrix, _ = integers(np.vstack([audit.train[chosen], point]))
    require(
        (whole.dot(matrix[:-1]) == matrix[-1] * denominator).all(),
        f"deployment row {fact['row']} is not that combination",
    )


def region(audit: _Audit, fact: Fact) -> None:
    """What a circuit of the net sends on a box (kind ``irrelevant-region``), or at an input of it (``relevant-at``)."""
    require("net" not in fact, "a fact about a region is about the net of this folder")
    decided = {"irrelevant-region": irrelevant_region, "relevant-at": relevant_at}[fact["kind"]]
    decided(fact, audit.prepared)


def loss(audit: _Audit, fact: Fact) -> None:
    """What `float_losses` or `float_cross_entropy` decides, of the net, the inputs and the targets of this folder."""
    widths, targets = audit.net.widths, audit.targets
    if targets is None:
        # The one of these facts that targets play no part in.
        require(fact["kind"] == "float32-deviation", "the certificate names no targets")
        targets = np.zeros((len(audit.train), widths[-1]))
    require(not {"net", "data"} & set(fact), "a fact about losses is about the net and the data of this folder")
    require(fact["dtype"] in ("float32", "float64"), "no type of float")
    dtype = np.dtype(fact["dtype"])
    with np.errstate(over="ignore"):
        typed = all((array.astype(dtype) == array).all() for layer in audit.net.layers for array in layer)
    require(typed, f"a weight is no {dtype}")
    require(targets.shape == (len(audit.train), widths[-1]), "the targets do not fit the net and the inputs")
    family = float_cross_entropy if fact["kind"] in float_cross_entropy.KINDS else float_losses
    family.decide(fact, FloatNet(audit.net.layers, dtype), FloatData(audit.train, targets))


def hardened(audit: _Audit, fact: Fact) -> None:
    """What `hardened.check` decides, about the net before and the units found to have one value in training."""
    if audit.before is None:
        raise Refused("the certificate names no net before")
    check_hardened(audit.before, audit.net, audit.train, audit.still, fact)


KINDS: dict[str, Callable[[_Audit, Fact], None]] = {
    "units": units,
    "circuit": circuit,
    "full-rank": full_rank,
    "dependency": dependency,
    "few-inputs": few_inputs,
    "train-input": train_input,
    "outside": outside,
    "inside": inside,
    "hardened": hardened,
    "irrelevant-region": region,
    "relevant-at": region,
    **dict.fromkeys((*float_losses.KINDS, *float_cross_entropy.KINDS), loss),
}

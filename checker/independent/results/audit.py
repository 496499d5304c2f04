"""Check the certificate of an audit: a folder with a float net, its inputs, and facts about them, each decided anew.

What is claimed of all training rows is checked at all of them; a fact that is left out claims nothing.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from fractions import Fraction
from math import lcm
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from proof_of_absence.checker.independent.kinds import float_cross_entropy, float_losses
from proof_of_absence.checker.independent.kinds.rank import is_prime
from proof_of_absence.checker.independent.kinds.region import irrelevant_region, relevant_at
from proof_of_absence.checker.independent.pause import pausing
from proof_of_absence.checker.independent.refusal import Refused, require, require_equal
from proof_of_absence.checker.independent.results import readout
from proof_of_absence.checker.independent.results.hardened import check_hardened
from proof_of_absence.checker.independent.results.same_bits import check_same_in_float32
from proof_of_absence.checker.independent.results.subject import Subject
from proof_of_absence.checker.independent.sealed import read_sealed
from proof_of_absence.checker.independent.values import Fact
from proof_of_absence.checker.independent.values.arrays import hexadecimal
from proof_of_absence.checker.independent.values.floats import FloatData, FloatNet, Floats, Integers, blocks, integers
from proof_of_absence.checker.independent.values.rounding import TINY, UP

Truths = NDArray[np.bool_]

FORMAT = "absence-audit-certificate/1"
NAME = "certificate.json"
LARGEST = 2**30
FIELDS = {"format", "files", "facts", "digest"}
# What the report says of files and of what is open, which no fact shows.
OPTIONAL = {"about"}
# Half-spaces that are compared with the rows at a time.
TOGETHER = 64
MALFORMED = (LookupError, TypeError, ValueError, ArithmeticError, AttributeError, RecursionError)


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
    return accepted(path)[0]


def accepted(path: Path) -> tuple[Fact, Subject]:
    """As `check_audit`; with the certificate, what its facts are about."""
    certificate = read_certificate(path)
    try:
        subject = Subject.read(path.parent, certificate["files"])
        facts = certificate["facts"]
        require(isinstance(facts, list) and all(isinstance(fact, dict) for fact in facts), "facts are missing")
        decide(subject, facts)
        layers = sorted(fact["layer"] for fact in facts if fact["kind"] == "units")
        require(layers == list(range(1, len(subject.net.layers))), "each hidden layer has one fact about its units")
    except MALFORMED as error:
        raise Refused(f"a fact is malformed: {type(error).__name__}: {error}") from error
    return certificate, subject


def read_certificate(path: Path) -> Fact:
    """The certificate as it is sealed; nothing that it says is checked."""
    certificate = read_sealed(path, FORMAT, largest=LARGEST)
    require(set(certificate) - OPTIONAL == FIELDS, "fields are missing or unknown")
    return certificate


def decide(subject: Subject, facts: Iterable[Fact]) -> None:
    """Refuse unless each of the facts is so of this net and these data; a malformed one may raise `MALFORMED`."""
    facts = list(facts)
    for fact in facts:
        require(fact.get("kind") in KINDS, f"a fact of kind {fact.get('kind')!r} is not understood")
    # Those about units first: others may rest on them.
    for fact in pausing(sorted(facts, key=lambda fact: fact["kind"] != "units")):
        if fact["kind"] != "outside":
            KINDS[fact["kind"]](subject, fact)
    # One pass over the training rows is enough for many half-spaces.
    outside(subject, *(fact for fact in facts if fact["kind"] == "outside"))


def units(audit: Subject, fact: Fact) -> None:
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


def _varying(audit: Subject, layer: int, witness: dict[int, list[int]]) -> None:
    for j, pair in pausing(witness.items()):
        one, other = (audit.row(i) for i in pair)
        if layer == 1 or not _apart(audit, layer, j, one, other):
            values = audit.net.exact(audit.train[[one, other]], layer, [j]).whole
            require(values[0, 0] != values[1, 0], f"unit {layer}.{j} has one value at rows {one} and {other}")


def _apart(audit: Subject, layer: int, unit: int, one: int, other: int) -> bool:
    """Whether floats show that the unit differs; an exact pass over all layers below is dear."""
    values, error = audit.net.bounded(audit.train[[one, other]], layer, [unit])[-1]
    # Beyond the floats the bounds are infinite, and show nothing.
    with np.errstate(over="ignore"):
        low, high = np.maximum(values - error, 0)[:, 0], np.maximum(values + error, 0)[:, 0] * UP + TINY
    return bool(low[0] > high[1] or low[1] > high[0])


def _still(audit: Subject, layer: int, chosen: list[int], *, dead: bool) -> None:
    """The units have one value at all training rows: 0 if dead, else a positive one."""
    if not chosen:
        return
    first, scale, _ = audit.net.exact(audit.train[:1], layer, chosen)
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
                found, power, _ = audit.net.exact(rows[left], layer, [chosen[k] for k in columns])
                for at, k in enumerate(columns):
                    where = f"unit {layer}.{chosen[k]} has another value at a row of {block.start} .. {block.stop - 1}"
                    require(_all_equal(found[:, at], power, first[0, k], scale), where)


def _all_equal(column: Integers, power: int, value: int, scale: int) -> bool:
    low = min(power, scale)
    return bool((column << (power - low) == value << (scale - low)).all())


def circuit(audit: Subject, fact: Fact) -> None:
    """A circuit of one layer sends the stated values at all training rows, and others at just the rows of `fires`."""
    require_circuit(audit, fact["layer"], fact["units"], [hexadecimal(v) for v in fact["value"]], fact["fires"])


def require_circuit(
    audit: Subject, layer: int, members: list[int], value: list[Fraction], fires: list[int] | None
) -> None:
    """Refuse unless these units are a circuit that sends the values, and fires at just these deployment rows.

    Where `fires` is None nothing is claimed of deployment.
    """
    layer = audit.layer(layer)
    require(len(members) == len(set(members)) > 0, "a circuit is a nonempty set")
    require(all(type(j) is int and 0 <= j < audit.net.widths[layer] for j in members), "no such unit")
    require(len(value) == audit.net.widths[layer + 1], "not one value for each reader")
    for rows in audit.training_rows(layer, members):
        if not any(value):
            rows = rows[~_silent(audit, layer, members, rows)]
        require(not _differs(audit, layer, members, rows, value).any(), f"circuit {layer}.{members} is not idle")
    if fires is None:
        return
    require(isinstance(fires, list), "the rows at which it fires are a list")
    fires = [audit.deployment_row(i) for i in fires] if audit.deploy is not None else fires
    expected: list[int] = []
    for block in blocks(len(audit.deploy) if audit.deploy is not None else 0):
        rows = np.arange(block.start, block.stop)
        if not any(value):
            rows = rows[~_silent(audit, layer, members, audit.deployment[rows])]
        expected += rows[_differs(audit, layer, members, audit.deployment[rows], value)].tolist()
    require_equal(f"the deployment rows at which circuit {layer}.{members} fires", fires, expected)


def note_still(audit: Subject, layer: int, chosen: list[int]) -> None:
    """Note that these units have one value at all training rows, if they have; else nothing."""
    first = audit.net.exact(audit.train[:1], layer, chosen).whole
    dead = [bool(value == 0) for value in first[0]]
    with suppress(Refused):
        _still(audit, layer, [j for j, zero in zip(chosen, dead, strict=True) if zero], dead=True)
        _still(audit, layer, [j for j, zero in zip(chosen, dead, strict=True) if not zero], dead=False)
        audit.still |= {(layer, j) for j in chosen}


def _silent(audit: Subject, layer: int, members: list[int], rows: Floats) -> Truths:
    """The rows at which floats show that all the units are 0."""
    values, error = audit.net.bounded(rows, layer, members)[-1]
    return np.asarray((values <= -error).all(axis=1))


def _differs(audit: Subject, layer: int, members: list[int], rows: Floats, value: list[Fraction]) -> Truths:
    if not len(rows):
        return np.zeros(0, dtype=bool)
    sent, scale, divisor = audit.net.sent(rows, layer, members)
    result = np.zeros(len(rows), dtype=bool)
    for k, v in enumerate(pausing(value)):
        # M 2^e / d = p / q, in integers.
        up, down = max(scale, 0), max(-scale, 0)
        result |= (sent[:, k] * (v.denominator << up) != v.numerator * divisor << down).astype(bool)
    return result


def full_rank(audit: Subject, fact: Fact) -> None:
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
    values, scale, divisor = audit.net.exact(audit.train[chosen], layer, members)
    remainders = (values % prime * pow(2, scale, prime) % prime).astype(np.int64)
    # All columns times the divisor: a minor of these is that of the others times a power of it.
    matrix = np.hstack([np.full((count, 1), divisor % prime, dtype=np.int64), remainders])
    for step in pausing(range(count)):
        pivot = step + int((matrix[step:, step] != 0).argmax())
        require(matrix[pivot, step], f"the minor of layer {layer} is 0 modulo {prime}")
        matrix[[step, pivot]] = matrix[[pivot, step]]
        inverse = pow(int(matrix[step, step]), -1, prime)
        factors = matrix[step + 1 :, step] * inverse % prime
        matrix[step + 1 :, step:] = (matrix[step + 1 :, step:] - factors[:, None] * matrix[step, step:] % prime) % prime


def dependency(audit: Subject, fact: Fact) -> None:
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
        values, scale, divisor = audit.net.exact(rows, layer, members)
        one = constant * divisor << max(-scale, 0)
        sums = (values.dot(vector) << max(scale, 0)) + one if members else np.array([constant])
        require(not sums.any(), f"the relation of layer {layer} does not hold")


def few_inputs(audit: Subject, fact: Fact) -> None:
    """There are fewer distinct training inputs than columns [1 | phi_1 .. phi_n], so these are dependent."""
    layer = audit.layer(fact["layer"])
    distinct = len({row.tobytes() for row in audit.train + 0.0})
    require_equal("the number of distinct training inputs", fact["distinct_inputs"], distinct)
    require(distinct <= audit.net.widths[layer], "there are no fewer of them than columns")


def train_input(audit: Subject, fact: Fact) -> None:
    """A deployment row is a training row."""
    same = audit.deployment[audit.deployment_row(fact["row"])] == audit.train[audit.row(fact["train_row"])]
    require(same.all(), f"deployment row {fact['row']} is no such training row")


def outside(audit: Subject, *facts: Fact) -> None:
    """w.z + b <= 0 at every training row and > 0 at the deployment row, for each of the facts."""
    for start in range(0, len(facts), TOGETHER):
        planes = [
            ([hexadecimal(w) for w in fact["weights"]], hexadecimal(fact["bias"]))
            for fact in pausing(facts[start : start + TOGETHER])
        ]
        require(all(len(weights) == audit.net.widths[0] for weights, _ in planes), "not one weight for each input")
        for block in blocks(len(audit.train)):
            rows = audit.train[block]
            for plane, below in pausing(zip(planes, _below(rows, planes), strict=True)):
                require(not (_heights(rows[~below], *plane) > 0).any(), "a training row is on the wrong side")
        for plane, fact in zip(planes, facts[start:], strict=False):
            point = audit.deployment[[audit.deployment_row(fact["row"])]]
            require((_heights(point, *plane) > 0).all(), f"deployment row {fact['row']} is not outside")


def _below(rows: Floats, planes: list[tuple[list[Fraction], Fraction]]) -> Truths:
    """Where floats show that w.z + b <= 0, a line for each plane; nowhere if its w or b are no floats."""
    shown = np.zeros((len(planes), len(rows)), dtype=bool)
    held = {k: floats for k, (weights, bias) in enumerate(planes) if (floats := _floats([*weights, bias]))}
    if held:
        numbers = np.array(list(held.values()))
        # Half-spaces along an axis are frequent.
        used = np.flatnonzero(numbers[:, :-1].any(axis=0))
        used = used if used.size else np.array([0])
        values, error = FloatNet([(numbers[:, used], numbers[:, -1])]).bounded(rows[:, used])[-1]
        shown[list(held)] = (values <= -error).T
    return shown


def _floats(values: list[Fraction]) -> list[float] | None:
    """The very numbers as floats, if they are some."""
    try:
        floats = [float(v) for v in values]
    except OverflowError:
        return None
    return floats if all(Fraction(f) == v for f, v in zip(floats, values, strict=True)) else None


def _heights(rows: Floats, weights: list[Fraction], bias: Fraction) -> Integers:
    """w.z + b at each row times something positive, in integers."""
    if not len(rows):
        return np.zeros(0, dtype=object)
    denominator = lcm(bias.denominator, *(w.denominator for w in weights))
    whole = np.array([int(w * denominator) for w in weights], dtype=object)
    matrix, scale, _ = integers(rows)
    heights: Integers = (matrix.dot(whole) << max(scale, 0)) + (int(bias * denominator) << max(-scale, 0))
    return heights


def inside(audit: Subject, fact: Fact) -> None:
    """A deployment row is the convex combination of training rows: positive weights with sum 1."""
    point = audit.deployment[[audit.deployment_row(fact["row"])]]
    chosen = [audit.row(i) for i, _ in fact["combination"]]
    weights = [hexadecimal(w) for _, w in fact["combination"]]
    require(
        len(chosen) == len(set(chosen)) > 0 and all(w > 0 for w in weights) and sum(weights) == 1, "no convex weights"
    )
    denominator = lcm(*(w.denominator for w in weights))
    whole = np.array([int(w * denominator) for w in weights], dtype=object)
    matrix = integers(np.vstack([audit.train[chosen], point])).whole
    require(
        (whole.dot(matrix[:-1]) == matrix[-1] * denominator).all(),
        f"deployment row {fact['row']} is not that combination",
    )


def region(audit: Subject, fact: Fact) -> None:
    """What a circuit of the net sends on a box (kind ``irrelevant-region``), or at an input of it (``relevant-at``)."""
    require("net" not in fact, "a fact about a region is about the net of this folder")
    decided = {"irrelevant-region": irrelevant_region, "relevant-at": relevant_at}[fact["kind"]]
    decided(fact, audit.prepared)


def loss(audit: Subject, fact: Fact) -> None:
    """What `float_losses` or `float_cross_entropy` decides, of the net, the inputs and the targets of this folder."""
    widths, targets = audit.net.widths, audit.targets
    if targets is None:
        # The one of these facts that targets play no part in.
        require(fact["kind"] == "float32-deviation", "the certificate names no targets")
        targets = np.zeros((len(audit.train), widths[-1]))
    require(not {"net", "data"} & set(fact), "a fact about losses is about the net and the data of this folder")
    require(fact["dtype"] in ("float32", "float64"), "no type of float")
    dtype = np.dtype(fact["dtype"])
    require(audit.net.holds(dtype), f"a weight is no {dtype}")
    require(targets.shape == (len(audit.train), widths[-1]), "the targets do not fit the net and the inputs")
    family = float_cross_entropy if fact["kind"] in float_cross_entropy.KINDS else float_losses
    net = FloatNet(audit.net.layers, dtype, audit.net.rational, audit.net.steps)
    family.decide(fact, net, FloatData(audit.train, targets))


def hardened(audit: Subject, fact: Fact) -> None:
    """What `hardened.check` decides, about the net before and the units found to have one value in training."""
    if audit.before is None:
        raise Refused("the certificate names no net before")
    check_hardened(audit.before, audit.net, audit.train, audit.still, fact)


def same_in_float32(audit: Subject, fact: Fact) -> None:
    """What `same_bits` decides, about the net before."""
    if audit.before is None:
        raise Refused("the certificate names no net before")
    check_same_in_float32(audit.before, audit.net, audit.train, fact)


KINDS: dict[str, Callable[..., None]] = {
    "units": units,
    "circuit": circuit,
    "full-rank": full_rank,
    "dependency": dependency,
    "few-inputs": few_inputs,
    "covered": readout.covered,
    "readout-prices": readout.prices,
    "train-input": train_input,
    "outside": outside,
    "inside": inside,
    "hardened": hardened,
    "same-in-float32": same_in_float32,
    "irrelevant-region": region,
    "relevant-at": region,
    **dict.fromkeys((*float_losses.KINDS, *float_cross_entropy.KINDS), loss),
}

"""Every certificate of the chain, written once; and whether a fact is true,
by code that the independent checker does not use.
"""

import json
import shutil
from fractions import Fraction
from functools import cache, reduce
from itertools import combinations
from operator import getitem

import pytest
import sympy
import z3

from proof_of_absence.checker.minima.branch_and_bound import global_minimum
from proof_of_absence.models.circuit import fires, hidden_units, is_idle
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.net import MLP, Layer
from tests.checker.independent.kinds import beyond, c15_to_c19, scales, sweep_says


@pytest.fixture(scope="session")
def certificates(discharged, tmp_path_factory):
    """A folder with the certificate of every obligation of the chain; tests add files to it."""
    folder = tmp_path_factory.mktemp("independent") / "certificates"
    shutil.copytree(discharged / "certificates", folder)
    return folder


# What each kind of fact says, by other code.


def net_of(layers):
    return MLP(tuple(Layer(layer["weights"], layer["bias"]) for layer in layers))


def dataset_of(data):
    return Dataset(data["inputs"], data["targets"])


def lower_loss(fact):
    before, after, data = net_of(fact["before"]), net_of(fact["after"]), dataset_of(fact["data"])
    if data.loss(before) - data.loss(after) != Fraction(fact["drop"]) or Fraction(fact["drop"]) <= 0:
        return False
    if "circuit" in fact:
        circuit = {tuple(unit) for unit in fact["circuit"]}
        return circuit <= set(hidden_units(before)) and beyond.only_in(before, after, circuit)
    return after.widths[1] > before.widths[1] if fact.get("wider") else after.widths == before.widths


def idle(fact):
    net, inputs = net_of(fact["net"]), fact["inputs"]
    circuit = [tuple(unit) for unit in fact["circuit"]]
    return is_idle(net, circuit, inputs) and ("fires" not in fact or fires(net, circuit, inputs, fact["fires"]))


def no_idle_circuit(fact):
    net = net_of(fact["net"])
    units = hidden_units(net)
    circuits = [c for size in range(1, len(units) + 1) for c in combinations(units, size)]
    return not any(is_idle(net, circuit, fact["inputs"]) for circuit in circuits)


def same_outputs(fact):
    return net_of(fact["left"]).outputs(fact["inputs"]) == net_of(fact["right"]).outputs(fact["inputs"])


def separating_unit(fact):
    unit = MLP((Layer([fact["weights"]], [fact["bias"]]), Layer([[1]], [0])))
    total = sum(Fraction(r) * unit(z)[0] for r, z in zip(fact["residuals"], fact["inputs"], strict=True))
    return total == Fraction(fact["inner_product"]) != 0


def nothing_separates(fact):
    return any(map(Fraction, fact["residuals"])) and not any(
        sum(Fraction(r) for r, z in zip(fact["residuals"], fact["inputs"], strict=True) if list(map(Fraction, z)) == u)
        for u in [list(map(Fraction, z)) for z in fact["inputs"]]
    )


def detector(fact):
    train, deploy = ({tuple(map(Fraction, z)): Fraction(p) for z, p in fact[side]} for side in ("train", "deploy"))
    for side, table in (("train", train), ("deploy", deploy)):
        if len(table) < len(fact[side]) or sum(table.values()) != 1 or min(table.values()) <= 0:
            return False
    model, base = net_of(fact["model"]), net_of(fact["base"])
    event = {z for z in {*train, *deploy} if model(z) != base(z)}
    p, q = (sum(table.get(z, 0) for z in event) for table in (train, deploy))
    variation = sum(abs(train.get(z, 0) - deploy.get(z, 0)) for z in {*train, *deploy}) / 2
    if [Fraction(fact[key]) for key in ("p_train", "p_deploy", "total_variation")] != [p, q, variation]:
        return False
    mixing = Fraction(fact.get("mixing", 1))
    mixed = "mixing" not in fact or (mixing > 0 and all(train.get(z, 0) >= mixing * w for z, w in deploy.items()))
    return mixed and not (fact.get("agrees") and not p == 0 < q)


def loss_above_floor(fact):
    data = dataset_of(fact["data"])
    stated = [Fraction(fact["loss"]), Fraction(fact["noise_floor"])]
    return stated == [data.loss(net_of(fact["net"])), data.noise_floor] and stated[0] > stated[1]


def loss_at_floor(fact):
    data = dataset_of(fact["data"])
    return data.loss(net_of(fact["net"])) == data.noise_floor and (not fact.get("positive") or data.noise_floor > 0)


def z3_agrees(text, witness):
    solver = z3.Solver()
    values = [
        f"(assert (= {name} {str(v).lower() if isinstance(v, bool) else z3.RealVal(str(Fraction(v))).sexpr()}))"
        for name, v in witness.items()
    ]
    solver.from_string(text.replace("(check-sat)", "\n".join(values)))
    return solver.check() == z3.sat


def smt(fact, folder):
    text = (folder / fact["file"]).read_text()
    if fact["answer"] == "sat":
        return z3_agrees(text, fact["witness"])
    return z3_agrees(text.replace("(assert claim_fails)", ""), fact.get("premises_witness", {}))


@cache
def least(text, units):
    return global_minimum(dataset_of(json.loads(text)), units).loss


def global_minimum_is(fact):
    net, data, units = net_of(fact["net"]), dataset_of(fact["data"]), fact["units"]
    if not 0 <= units <= net.widths[1] or any(net.layers[1].weights[0][units:]):
        return False
    return data.loss(net) == least(json.dumps(fact["data"]), units)


def feature_rows(fact):
    net = net_of(fact["net"])
    if not 1 <= fact["layer"] < len(net.layers):
        raise ValueError("no hidden layer")
    return [[Fraction(1), *net.activations(z)[fact["layer"]]] for z in fact["inputs"]]


def full_rank(fact):
    prime = fact["prime"]
    minor = sympy.Matrix([feature_rows(fact)[i] for i in fact["rows"]])
    if minor.rows != minor.cols or not sympy.isprime(prime) or any(x.q % prime == 0 for x in minor):
        return False
    return minor.det().p % prime != 0


def dependency(fact):
    coefficients = sympy.Matrix(list(map(Fraction, fact["coefficients"])))
    return any(coefficients) and not any(sympy.Matrix(feature_rows(fact)) * coefficients)


def outside_hull(fact):
    (*w, b), *points = ([Fraction(x) for x in row] for row in (
        [*fact["weights"], fact["bias"]], [*fact["point"], 1], *([*z, 1] for z in fact["inputs"])
    ))  # fmt: skip
    beyond = [sympy.Matrix([[*w, b]]).dot(sympy.Matrix([p])) > 0 for p in points]
    return beyond[0] and not any(beyond[1:])


def inside_hull(fact):
    chosen, weights = ([row[k] for row in fact["combination"]] for k in (0, 1))
    weights = list(map(Fraction, weights))
    if len(set(chosen)) < len(chosen) or min(weights) < 0 or sum(weights) != 1:
        return False
    points = sympy.Matrix([list(map(Fraction, fact["inputs"][i])) for i in chosen])
    return sympy.Matrix([weights]) * points == sympy.Matrix([list(map(Fraction, fact["point"]))])


SAYS = {
    "dependency": dependency,
    "detector": detector,
    "different-outputs": lambda f: net_of(f["left"])(f["input"]) != net_of(f["right"])(f["input"]),
    "full-rank": full_rank,
    "global-minimum": global_minimum_is,
    "idle": idle,
    "inside-hull": inside_hull,
    "loss-above-floor": loss_above_floor,
    "loss-at-floor": loss_at_floor,
    "lower-loss": lower_loss,
    "no-idle-circuit": no_idle_circuit,
    "not-idle": lambda f: not is_idle(net_of(f["net"]), f["circuit"], f["inputs"]),
    "nothing-separates": nothing_separates,
    "outside-hull": outside_hull,
    "same-outputs": same_outputs,
    "separating-unit": separating_unit,
    "smaller-class": same_outputs,
    **beyond.SAYS,
    **c15_to_c19.SAYS,
    **scales.SAYS,
    **sweep_says.SAYS,
}


def compares(left, sign, right, parts):
    """Whether two sums of numbers compare so; not if one of them is nowhere."""

    def value(side):
        terms = ((coefficient, reduce(getitem, path, parts) if path else 1) for coefficient, *path in side)
        return sum(Fraction(coefficient) * Fraction(stated) for coefficient, stated in terms)

    try:
        apart = value(right) - value(left)
    except (IndexError, KeyError):
        return False
    return {"<": apart > 0, "<=": apart >= 0, "=": apart == 0}[sign]


def true(fact, folder):
    """Whether the fact is so."""
    if fact["kind"] == "all":
        parts = fact["facts"]
        compared = fact.get("compared", ())
        return all(true(part, folder) for part in parts) and all(compares(*relation, parts) for relation in compared)
    if fact["kind"] in ("identity", "no-identity"):
        return True  # not changed here
    if fact["kind"] == "smt":
        return smt(fact, folder) and ("replay" not in fact or true(fact["replay"], folder))
    try:
        return SAYS[fact["kind"]](fact)
    except (ValueError, IndexError, KeyError):
        return False

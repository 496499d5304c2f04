"""Small audits with facts, true or not, and what both checkers say of them, for the tests of the proved checkers."""

import json
from fractions import Fraction

import numpy as np
from hypothesis import strategies as st

from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.checker.independent.results.audit import MALFORMED, decide
from proof_of_absence.checker.independent.results.subject import Subject
from proof_of_absence.checker.independent.values.floats import FloatNet as Unshared
from proof_of_absence.checker.proved.opinion import Answer, opinions

# Large and small ones too, so that the scales of the layers differ; 0.1 is no float32.
NUMBERS = st.sampled_from([-2.0, -1.0, -0.5, 0.0, 0.0, 0.1, 1.0, 1.0, 3.0, 2.0**40, -(2.0**-60)])


def matrix(draw, rows, columns, numbers=NUMBERS):
    found = draw(st.lists(numbers, min_size=rows * columns, max_size=rows * columns))
    return np.array(found, dtype=float).reshape(rows, columns)


def values(layers, row):
    """What each hidden layer has at a row, by definition."""
    below, found = [Fraction(x) for x in row.tolist()], []
    for layer in layers[:-1]:
        below = [max(value, Fraction(0)) for value in sums(layer, below)]
        found.append(below)
    return found


def outputs(layers, row):
    """What a net with a hidden layer puts out at a row, by definition."""
    return sums(layers[-1], values(layers, row)[-1])


def sums(layer, below):
    """The pre-activations of a layer."""
    weights, bias = layer
    return [
        sum((Fraction(w) * x for w, x in zip(line, below, strict=True)), Fraction(b))
        for line, b in zip(weights.tolist(), bias.tolist(), strict=True)
    ]


def says(subject, fact):
    try:
        decide(subject, [fact])
    except (Refused, *MALFORMED):
        return Answer.REFUSED
    return Answer.ACCEPTED


def written(folder, layers, train, deploy, facts, order="C"):
    arrays = {f"weights_{k}": weights for k, (weights, _) in enumerate(layers, 1)}
    arrays |= {f"bias_{k}": bias for k, (_, bias) in enumerate(layers, 1)}
    for name, parts in {"net": arrays, "train": {"inputs": train}, "deploy": {"inputs": deploy}}.items():
        np.savez(folder / f"{name}.npz", **{key: np.asarray(part, order=order) for key, part in parts.items()})
    files = {name: {"file": f"{name}.npz", "sha256": ""} for name in ("net", "train", "deploy")}
    (folder / "certificate.json").write_text(json.dumps({"files": files, "facts": facts}))
    return folder / "certificate.json"


def agree_on(folder, cases, orders="C"):
    """Of each fact of these audits the program says what the independent checker says."""
    paths = []
    for number, case in enumerate(cases):
        (folder / str(number)).mkdir()
        paths.append(written(folder / str(number), *case, order=orders[number % len(orders)]))
    found = opinions(paths)
    for path, (layers, train, deploy, facts) in zip(paths, cases, strict=True):
        expected = [says(Subject(Unshared(layers), train, deploy=deploy), fact) for fact in facts]
        assert found[path].facts == tuple((fact["kind"], answer) for fact, answer in zip(facts, expected, strict=True))

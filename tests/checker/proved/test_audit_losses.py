"""Losses and hardening of audits put to the proved checkers: they say what the independent checker says."""

import json
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from proof_of_absence.checker import cli
from proof_of_absence.checker.audit.certify import unit_facts
from proof_of_absence.checker.audit.idle import unit_findings
from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.checker.independent.results.audit import MALFORMED, decide
from proof_of_absence.checker.independent.results.subject import Subject
from proof_of_absence.checker.independent.values.floats import FloatNet as Unshared
from proof_of_absence.checker.numbers.hexadecimal import hexadecimal
from proof_of_absence.checker.proved.opinion import Answer, opinions
from proof_of_absence.models.files import onnx
from proof_of_absence.models.floatnet import FloatNet
from tests.checker.proved.audited import NUMBERS, matrix, outputs

pytestmark = pytest.mark.usefixtures("made")

WIDER = st.sampled_from([Fraction(0), Fraction(0), Fraction(1, 3), Fraction(-1, 3), Fraction(-1, 2**80)])


def loss(layers, train, targets):
    squares = (
        (value - Fraction(y)) ** 2
        for row, wanted in zip(train, targets.tolist(), strict=True)
        for value, y in zip(outputs(layers, row), wanted, strict=True)
    )
    return sum(squares, Fraction(0)) / len(train)


def noise_floor(train, targets):
    """The loss of the function that has the mean target at each input."""
    total = Fraction(0)
    for row, wanted in zip(train, targets.tolist(), strict=True):
        group = [y for other, y in zip(train, targets.tolist(), strict=True) if (other == row).all()]
        means = [sum(map(Fraction, column)) / len(group) for column in zip(*group, strict=True)]
        total += sum((mean - Fraction(y)) ** 2 for mean, y in zip(means, wanted, strict=True))
    return total / len(train)


def around(draw, value):
    """Bounds of the value, or of another one."""
    return [str(value - draw(WIDER)), str(value + draw(WIDER))]


@st.composite
def cases(draw):
    """A net of one to three hidden layers, data, the net before hardening, and facts about them, true or not."""
    widths = draw(st.lists(st.integers(1, 3), min_size=3, max_size=5))
    layers = [(matrix(draw, n, d), matrix(draw, 1, n)[0]) for d, n in pairwise(widths)]
    train = matrix(draw, draw(st.integers(1, 6)), widths[0])
    # Some rows again, so that inputs have several targets.
    train = train[draw(st.lists(st.integers(0, len(train) - 1), min_size=len(train), max_size=len(train)))]
    targets = matrix(draw, len(train), widths[-1])
    facts = json.loads(json.dumps(list(unit_facts(unit_findings(FloatNet(layers), train)))))
    facts += [draw(losses(layers, train, targets)) for _ in range(2)]
    facts += [draw(improvements(layers, train, targets)) for _ in range(2)]
    before, fact = draw(hardenings(layers, train, facts))
    return layers, train, targets, before, [*facts, fact]


@st.composite
def losses(draw, layers, train, targets):
    return {
        "kind": "training-loss",
        "dtype": draw(st.sampled_from(["float32", "float64", "float64"])),
        "loss": around(draw, loss(layers, train, targets)),
        "noise_floor": around(draw, noise_floor(train, targets)),
    }


@st.composite
def improvements(draw, layers, train, targets):
    """A unit in the place of some, with a drop of the loss that may be another."""
    (hidden, bias), (output, shift) = ((w.copy(), b.copy()) for w, b in layers[-2:])
    units = draw(st.lists(st.integers(0, len(bias) - 1), unique=True, min_size=1))
    first = min(units)
    output[:, units] = 0
    hidden[first], bias[first] = matrix(draw, 1, hidden.shape[1])[0], draw(NUMBERS)
    output[:, first], shift[:] = matrix(draw, 1, len(shift))[0], matrix(draw, 1, len(shift))[0]
    after = [*layers[:-2], (hidden, bias), (output, shift)]
    fact = {
        "kind": "lower-training-loss",
        "dtype": draw(st.sampled_from(["float32", "float64", "float64"])),
        "circuit": units,
        "weights": [str(Fraction(x)) for x in hidden[first].tolist()],
        "bias": str(Fraction(float(bias[first]))),
        "outgoing": [str(Fraction(x)) for x in output[:, first].tolist()],
        "output_bias": [str(Fraction(x)) for x in shift.tolist()],
        "drop": around(draw, loss(layers, train, targets) - loss(after, train, targets)),
    }
    if draw(st.integers(0, 3)) == 0:
        key = draw(st.sampled_from(["weights", "outgoing", "output_bias", "circuit"]))
        other = st.integers(-1, 3) if key == "circuit" else st.sampled_from(["1", "1/3", "5/8"])
        fact[key][draw(st.integers(0, len(fact[key]) - 1))] = draw(other)
    return fact


@st.composite
def hardenings(draw, layers, train, facts):
    """A net before hardening that has weights where the net has none, and what is said of the two."""
    before = [(weights.copy(), bias.copy()) for weights, bias in layers]
    removed, left = [], []
    for number, (weights, bias) in enumerate(before[1:], 1):
        for j in range(weights.shape[1]):
            alone = next(fact for fact in facts if fact.get("layer") == number)["activity"][j] != "varies"
            if not layers[number][0][:, j].any() and draw(st.booleans()):
                removed.append([number, j])
                weights[:, j] = matrix(draw, 1, len(weights))[0]
                bias[:] = matrix(draw, 1, len(bias))[0]
            elif alone and draw(st.integers(0, 4)):
                left.append([number, j])
    far = max(
        abs(one - other) for row in train for one, other in zip(outputs(before, row), outputs(layers, row), strict=True)
    )
    if draw(st.integers(0, 3)) == 0:
        weights, bias = draw(st.sampled_from(before))
        draw(st.sampled_from([weights, bias])).flat[0] = draw(NUMBERS)
    fact = {
        "kind": "hardened",
        "dtype": "float64",
        "removed": removed,
        "left": left,
        "deviation": hexadecimal(far + draw(WIDER)),
    }
    return before, fact


def says(case, fact):
    """What the independent checker says of a fact; of hardening it asks the facts about units too."""
    layers, train, targets, before, facts = case
    subject = Subject(Unshared(layers), train, targets=targets, before=Unshared(before))
    try:
        decide(subject, [*(other for other in facts if other["kind"] == "units"), fact])
    except (Refused, *MALFORMED):
        return Answer.REFUSED
    return Answer.ACCEPTED


def written(folder, case):
    layers, train, targets, before, facts = case
    folder.mkdir()

    def net(layers):
        arrays = {f"weights_{k}": weights for k, (weights, _) in enumerate(layers, 1)}
        return arrays | {f"bias_{k}": bias for k, (_, bias) in enumerate(layers, 1)}

    files = {"net": net(layers), "before": net(before), "train": {"inputs": train}, "targets": {"targets": targets}}
    for name, arrays in files.items():
        np.savez(folder / f"{name}.npz", **arrays)
    named = {name: {"file": f"{name}.npz", "sha256": ""} for name in files}
    (folder / "certificate.json").write_text(json.dumps({"files": named, "facts": facts}))
    return folder / "certificate.json"


@settings(deadline=None, max_examples=25)
@given(several=st.lists(cases(), min_size=8, max_size=8))
def test_of_each_fact_it_says_what_the_independent_checker_says(several, tmp_path_factory):
    folder = tmp_path_factory.mktemp("audits")
    paths = [written(folder / str(number), case) for number, case in enumerate(several)]
    found = opinions(paths)
    for path, case in zip(paths, several, strict=True):
        expected = tuple((fact["kind"], says(case, fact)) for fact in case[-1])
        assert found[path].facts == expected, json.dumps(case[-1])


def test_the_command_says_that_the_loss_its_fall_and_the_hardening_are_accepted(tmp_path):
    rng = np.random.default_rng(3)
    hidden, bias = rng.standard_normal((4, 2)).round(2), np.array([0.0, 0.5, -50.0, -1.0])
    layers = [(hidden, bias), (rng.standard_normal((1, 4)).round(2), np.array([0.0]))]
    single = [tuple(np.asarray(part, np.float32).astype(float) for part in layer) for layer in layers]
    onnx.write(tmp_path / "net.onnx", FloatNet(single, np.float32))
    inputs = rng.standard_normal((40, 2)).round(2).astype(np.float32)
    np.savez(tmp_path / "train.npz", X=inputs, Y=inputs[:, :1] * inputs[:, 1:])

    def absence(*words):
        done = CliRunner().invoke(cli.app, [str(tmp_path / word) if "." in word else word for word in words])
        return " ".join(done.output.split())

    absence("audit", "net.onnx", "--train", "train.npz", "-o", "net.audit")
    told = absence("check", "net.audit")
    assert "1 training-loss" in told and "1 lower-training-loss" in told, told
    absence("harden", "net.onnx", "--train", "train.npz", "-o", "hard.onnx")
    assert "1 hardened" in absence("check", "hard.onnx.proof")

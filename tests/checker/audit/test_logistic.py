"""The logistic loss of one output: losses, improvement, rents and `Reassignment`, with facts that the checker decides.

The oracle is mpmath's ln (1 + exp f) - y f, which neither side computes in that form.
"""

import json
from fractions import Fraction
from pathlib import Path

import mpmath
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import proof_of_absence
from proof_of_absence.checker.audit import cross_entropy_facts as facts
from proof_of_absence.checker.audit.class_improve import improve_class
from proof_of_absence.checker.audit.class_rent import class_rents
from proof_of_absence.checker.audit.cross_entropy import class_losses
from proof_of_absence.checker.audit.findings import Activity, UnitFinding
from proof_of_absence.checker.audit.reuse import Unimproved
from proof_of_absence.checker.independent.facts import check_fact
from proof_of_absence.checker.independent.kinds.float_cross_entropy import decide
from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.checker.independent.values.floats import FloatData
from proof_of_absence.checker.independent.values.floats import FloatNet as Independent
from proof_of_absence.checker.kernel.certificate import seal
from proof_of_absence.models.circuit import Unit
from proof_of_absence.models.files import onnx
from proof_of_absence.models.floatnet import FloatNet
from tests.checker.audit.class_problems import DIGITS, holds, mp_of
from tests.checker.audit.problems import Problem, problems
from tests.checker.audit.test_command import absence


@st.composite
def binary_problems(draw) -> Problem:
    """Nets of one output with idle circuits, and labels 0 and 1."""
    base = draw(problems().filter(lambda problem: problem.net.widths[-1] == 1))
    rows = len(base.inputs)
    labels = draw(st.lists(st.sampled_from([0.0, 1.0]), min_size=rows, max_size=rows))
    return base._replace(targets=np.array(labels)[:, None])


def mp_logistic(outputs, targets):
    """The mean of ln (1 + exp f) - y f."""
    pairs = zip(outputs, targets[:, 0].tolist(), strict=True)
    return sum(mpmath.log1p(mpmath.exp(f)) - y * f for f, y in pairs) / len(targets)


def outputs_of(net, inputs):
    exact = net.exact()
    return [mp_of(exact(row)[0]) for row in inputs.tolist()]


def check(fact, net, inputs, targets):
    decide(fact, Independent(net.layers, net.dtype), FloatData(inputs, targets))


@given(binary_problems())
@settings(max_examples=30, deadline=None)
def test_losses_improvement_and_rents_are_those_of_mpmath_and_confirmed(problem):
    net, inputs, targets, circuits = problem[:4]
    loss, floor = class_losses(net, inputs, targets)
    last = len(net.layers) - 1
    units = [UnitFinding(Unit(last, j), Activity.UNDECIDED, None) for j in range(net.widths[last])]
    rents = class_rents(net, inputs, targets, units)
    check(facts.loss_fact(loss, floor), net, inputs, targets)
    check(facts.rent_fact(rents, loss), net, inputs, targets)
    with mpmath.workdps(DIGITS):
        outputs = outputs_of(net, inputs)
        whole = mp_logistic(outputs, targets)
        assert holds(loss, whole)
        groups: dict[tuple, list[float]] = {}
        for z, (y,) in zip(inputs.tolist(), targets.tolist(), strict=True):
            groups.setdefault(tuple(z), []).append(y)
        shares = [(len(ys), mpmath.mpf(sum(ys)) / len(ys)) for ys in groups.values()]
        least = -sum(n * (p * mpmath.log(p) + (1 - p) * mpmath.log(1 - p)) for n, p in shares if 0 < p < 1)
        assert holds(floor, least / len(targets))
        exact = [net.exact().activations(row)[last] for row in inputs.tolist()]
        for unit in rents:
            j = unit.unit.index
            mean = sum((row[j] for row in exact), Fraction(0)) / len(exact)
            weight = net.exact().layers[-1].weights[0][j]
            held = [f - mp_of(weight * (row[j] - mean)) for f, row in zip(outputs, exact, strict=True)]
            if unit.rent is None:
                continue
            assert holds(unit.rent, mp_logistic(held, targets) - whole)
            for k, part in enumerate(unit.by_class):
                mine = targets[:, 0] == k
                rises = [
                    mpmath.log1p(mpmath.exp(g)) - k * g - mpmath.log1p(mpmath.exp(f)) + k * f
                    for f, g, of_class in zip(outputs, held, mine, strict=True)
                    if of_class
                ]
                assert holds(part, sum(rises, mpmath.mpf(0)) / len(targets))
        better = improve_class(net, inputs, targets, circuits)
        if not isinstance(better, Unimproved):
            found, new = better
            assert new.widths == net.widths and new.dtype == net.dtype
            assert holds(found.drop, whole - mp_logistic(outputs_of(new, inputs), targets)) and found.drop.low > 0
            check(facts.lower_loss_fact(found), net, inputs, targets)


RNG = np.random.default_rng(2)
INPUTS = RNG.normal(size=(60, 2)).astype(np.float32)
LABELS = (INPUTS[:, 0] * INPUTS[:, 1] > 0).astype(np.int64)


def binary_net() -> FloatNet:
    """A net of one output with unit 0 dead on the data."""
    hidden, bias = RNG.normal(size=(5, 2)).astype(np.float32), RNG.normal(size=5).astype(np.float32)
    bias[0] = -100
    return FloatNet([(hidden, bias), (RNG.normal(size=(1, 5)).astype(np.float32), [0.125])], np.float32)


NET = binary_net()


def test_by_the_console(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    onnx.write("net.onnx", NET)
    np.savez("train.npz", X=INPUTS, Y=LABELS)
    told = absence("audit", "net.onnx", "--train", "train.npz", "-o", "out", expect=2)
    assert "--loss logistic" in told and "--loss squared" in told and told.count("\n") == 1
    told = absence("audit", "net.onnx", "--train", "train.npz", "--loss", "logistic", "-o", "out", expect=1)
    assert "logistic loss of one output" in told
    report = json.loads(Path("out/report.json").read_text())
    outputs = NET.forward(INPUTS)[:, 0].astype(float)
    plain = float((np.log1p(np.exp(outputs)) - LABELS * outputs).mean())
    assert float(Fraction(report["data"]["loss"]["low"])) == pytest.approx(plain, rel=1e-4)
    assert report["improvement"]["circuit"] == [[1, 0]]
    kinds = {fact["kind"] for fact in json.loads(Path("out/certificate.json").read_text())["facts"]}
    assert {"training-cross-entropy", "lower-training-cross-entropy", "cross-entropy-rents"} <= kinds
    assert "Accepted" in absence("check", "out", expect=0)
    # The same certificate and report under the name of another loss.
    path = Path("out/report.json")
    path.write_text(path.read_text().replace("logistic loss of one output", "cross-entropy of the softmax"))
    absence("check", "out", expect=1)


def tampered():
    loss, floor = class_losses(NET, INPUTS.astype(float), LABELS[:, None].astype(float))
    good = facts.loss_fact(loss, floor)
    yield "a loss", good | {"loss": [str(2 * loss.low), str(2 * loss.high)]}, LABELS
    yield "a floor", good | {"noise_floor": ["1/2", "1"]}, LABELS
    yield "other labels", good, 1 - LABELS
    yield "no labels", good, LABELS * 2
    yield "halves", good, LABELS / 2


@pytest.mark.parametrize(("name", "fact", "labels"), list(tampered()), ids=[name for name, *_ in tampered()])
def test_what_is_not_so_is_refused(name, fact, labels):
    with pytest.raises(Refused):
        check(fact, NET, INPUTS.astype(float), labels[:, None].astype(float))


def test_reassignment_lowers_it_with_a_certificate():
    module = torch.nn.Sequential(torch.nn.Linear(2, 5), torch.nn.ReLU(), torch.nn.Linear(5, 1))
    with torch.no_grad():
        for tensor, values in zip(module.parameters(), (part for layer in NET.layers for part in layer), strict=True):
            tensor.copy_(torch.tensor(values))
    inputs, labels = torch.tensor(INPUTS), torch.tensor(LABELS)

    def loss():
        with torch.no_grad():
            return torch.nn.functional.binary_cross_entropy_with_logits(module(inputs)[:, 0], labels.float()).item()

    before = loss()
    with pytest.raises(proof_of_absence.InputError, match="say loss=logistic"):
        proof_of_absence.Reassignment(module, inputs, labels)
    done = proof_of_absence.Reassignment(module, inputs, labels, loss="logistic", certificate=True)()
    assert done and before - loss() == pytest.approx(float(done.drop), rel=1e-3)
    check_fact(done.certificate)
    done.certificate["facts"][-1]["over"] = str(done.drop * 2)
    with pytest.raises(Refused):
        check_fact(done.certificate)


def test_a_sealed_name_of_another_loss_is_refused(tmp_path):
    found = proof_of_absence.audit(NET, INPUTS, LABELS, loss="logistic", output=tmp_path / "out", seconds=60)
    assert found.data.loss_name == "logistic loss of one output" and found.improvement
    path = tmp_path / "out" / "certificate.json"
    certificate = json.loads(path.read_text())
    certificate["about"]["data"]["loss_name"] = "cross-entropy of the softmax"
    del certificate["digest"]
    path.write_text(json.dumps(seal(certificate)))
    report = tmp_path / "out" / "report.json"
    report.write_text(report.read_text().replace("logistic loss of one output", "cross-entropy of the softmax"))
    from proof_of_absence.checker.audit.sources import Given
    from proof_of_absence.checker.audit.tied import check_folder

    with pytest.raises(Refused, match="is not that of 1 outputs"):
        check_folder(tmp_path / "out", Given())

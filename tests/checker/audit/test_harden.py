"""Hardened nets: no circuit is left that sends, and no output on the training inputs has changed."""

import hashlib
import itertools
import json
import shutil
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import proof_of_absence
from proof_of_absence.checker.audit import harden
from proof_of_absence.checker.audit.circuits import idle_circuits
from proof_of_absence.checker.audit.harden import harden_net
from proof_of_absence.checker.audit.harden_entry import write_proof
from proof_of_absence.checker.audit.idle import unit_findings
from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.checker.independent.results.audit import check_audit
from proof_of_absence.checker.kernel.certificate import seal
from proof_of_absence.models.floatnet import FloatNet
from tests.checker.audit.conftest import float_nets


def sending(net, inputs):
    """The circuits that an audit finds and that have an output weight."""
    found, undecided = idle_circuits(net, inputs, unit_findings(net, inputs))
    assert not undecided
    return {circuit.units for circuit in found if not circuit.empty}


def outputs(net, inputs):
    return net.exact().outputs(inputs.tolist())


@settings(deadline=None)
@given(float_nets(), st.sampled_from(["exact", "nearest"]))
def test_no_circuit_is_left_and_no_output_has_changed(tmp_path_factory, case, rounding):
    net, inputs = case
    deploy = inputs[:1] + 7.0
    found = harden_net(net, inputs, deploy, rounding=rounding)
    assert sending(found.net, inputs) == {circuit.units for circuit in found.left}
    assert found.net.widths == net.widths and found.net.dtype == net.dtype
    before, after = outputs(net, inputs), outputs(found.net, inputs)
    far = max(abs(a - b) for one, other in zip(before, after, strict=True) for a, b in zip(one, other, strict=True))
    assert far == found.deviation
    if rounding == "exact":
        assert far == 0
    folder = tmp_path_factory.mktemp("proof")
    write_proof(folder, found, inputs, deploy)
    facts = check_audit(folder / "certificate.json")["facts"]
    assert [fact["kind"] for fact in facts].count("hardened") == 1
    again = harden_net(found.net, inputs, rounding=rounding)
    assert not again.removed and {c.units for c in again.left} == {c.units for c in found.left}


def planted():
    """A net with a useful unit, a dead detector, two units that cancel, and one that is constant in training."""
    hidden = [[1.0], [1.0], [2.0], [1.0], [-1.0]], [0.0, -9.0, 0.0, 0.5, 10.0]
    hidden[0][4] = [0.0]
    hidden[1][4] = 10.0
    return FloatNet([hidden, ([[3.0, 5.0, 1.0, -2.0, 0.25]], [0.0])], np.float32)


INPUTS = np.array([[0.0], [1.0], [2.0], [3.0]])


def test_what_was_taken_out_is_listed_with_where_it_fired():
    found = harden_net(planted(), INPUTS, np.array([[1.0], [10.0], [11.0]]))
    listed = {tuple(unit.index for unit in circuit.units): circuit.fires for circuit in found.removed}
    assert listed[1,] == (1, 2) and listed[4,] == ()
    assert listed[2, 3] == ()
    assert found.net.layers[1].bias.tolist() == [1.5]


def test_the_net_that_a_person_hardens_keeps_nothing_of_a_duplicate_pair():
    net = FloatNet([([[1.0], [2.0], [-1.0]], [0.0, 0.0, 1.0]), ([[2.0, -1.0, 1.0]], [0.0])])
    found = harden_net(net, INPUTS)
    assert found.removed[0].units == found.removed[0].units and found.net.layers[1].weights.tolist() == [[0, 0, 1]]


def test_a_constant_that_no_bias_holds_is_left_or_rounded_as_was_asked():
    # 0.1 in float32 has 24 bits, and its square has more.
    tenth = float(np.float32(0.1))
    net = FloatNet([([[0.0], [1.0]], [tenth, 0.0]), ([[tenth, 1.0]], [tenth])], np.float32)
    kept = harden_net(net, INPUTS)
    assert [c.units[0].index for c in kept.left] == [0] and not kept.removed and not kept.deviation
    rounded = harden_net(net, INPUTS, rounding="nearest")
    exact = Fraction(tenth) ** 2 + Fraction(tenth)
    assert not rounded.left and 0 < rounded.deviation == abs(exact - Fraction(rounded.net.layers[1].bias[0])) < 1e-8


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1))
def test_where_it_says_so_float32_gives_the_same_numbers(seed):
    rng = np.random.default_rng(seed)
    layers = [(rng.standard_normal((6, 3)), rng.standard_normal(6) - 2), (rng.standard_normal((2, 6)), [0.5, 0.0])]
    net = FloatNet([tuple(np.float32(part) for part in layer) for layer in layers], np.float32)
    inputs = np.float32(rng.standard_normal((20, 3))).astype(np.float64)
    found = harden_net(net, inputs)
    if found.same_in_float32:
        assert (net.forward(inputs) == found.net.forward(inputs)).all()
    # A unit that is 0 only by a hair over the reals is not said to be 0 in float32.
    hair = FloatNet([([[1.0, 1.0, -1.0]], [0.0]), ([[1.0]], [0.0])], np.float32)
    edge = np.array([[1.0, 2.0**-30, 1.0 + 2.0**-30], [-1.0, 0.0, 1.0]])
    assert harden_net(hair, edge).removed and not harden_net(hair, edge).same_in_float32


def test_dead_units_far_from_0_leave_float32_as_it_was():
    net = FloatNet([([[1.0], [1.0]], [0.0, -9.0]), ([[1.0, 5.0]], [0.0])], np.float32)
    assert harden_net(net, INPUTS).same_in_float32


TAMPERED = [
    ("removed", lambda fact: fact.update(removed=fact["removed"][:-1]), "not that before with the circuits cut"),
    ("deviation", lambda fact: fact.update(deviation="-1"), "an output differs by more than is stated"),
    ("no unit", lambda fact: fact.update(removed=[*fact["removed"], [1, 99]]), "is no hidden unit"),
    ("not a list", lambda fact: fact.update(left=3), "a list of units is missing"),
]


@pytest.mark.parametrize(("change", "match"), [row[1:] for row in TAMPERED], ids=[row[0] for row in TAMPERED])
def test_a_certificate_that_was_changed_is_refused(change, match, tmp_path):
    write_proof(tmp_path, harden_net(planted(), INPUTS), INPUTS, None)
    path = tmp_path / "certificate.json"
    certificate = json.loads(path.read_text())
    change(next(fact for fact in certificate["facts"] if fact["kind"] == "hardened"))
    del certificate["digest"]
    path.write_text(json.dumps(seal(certificate)))
    with pytest.raises(Refused, match=match):
        check_audit(path)


@pytest.mark.parametrize("what", ["another weight", "another bias below", "a detector", "an output"])
def test_another_net_in_place_of_the_hardened_one_is_refused(what, tmp_path):
    found = harden_net(planted(), INPUTS)
    (w, b), (a, c) = ((layer.weights.copy(), layer.bias.copy()) for layer in found.net.layers)
    match what:
        case "another weight":
            w[0] += 1
        case "another bias below":
            b[0] += 1
        case "a detector":
            a[0, 1] = 5
        case "an output":
            c[0] += 2.0**-20
    write_proof(tmp_path, replace(found, net=FloatNet([(w, b), (a, c)], np.float32)), INPUTS, None)
    with pytest.raises(Refused):
        check_audit(tmp_path / "certificate.json")


def test_a_circuit_that_was_left_and_is_not_named_is_refused(tmp_path):
    tenth = float(np.float32(0.1))
    net = FloatNet([([[0.0], [1.0]], [tenth, 0.0]), ([[tenth, 1.0]], [tenth])], np.float32)
    found = harden_net(net, INPUTS)
    write_proof(tmp_path, found, INPUTS, None)
    assert check_audit(tmp_path / "certificate.json")
    shutil.rmtree(tmp_path)
    write_proof(tmp_path, replace(found, left=()), INPUTS, None)
    with pytest.raises(Refused, match="sends it on"):
        check_audit(tmp_path / "certificate.json")


def test_in_python(tmp_path):
    found = proof_of_absence.harden(planted(), INPUTS, deploy=[[9.5]], output=tmp_path / "proof")
    assert not found.left and check_audit(tmp_path / "proof" / "certificate.json")
    told = json.loads((tmp_path / "proof" / "hardening.json").read_text())
    assert len(told["removed"]) == len(found.removed) and told["deviation"] == "0"


def test_constants_of_one_layer_are_rounded_after_one_search(monkeypatch):
    tenth = float(np.float32(0.1))
    net = FloatNet([([[0.0]] * 5 + [[1.0]], [tenth] * 5 + [0.0]), ([[tenth] * 5 + [1.0]], [tenth])], np.float32)
    searches = []
    monkeypatch.setattr(harden, "idle_circuits", lambda *given: searches.append(1) or idle_circuits(*given))
    assert len(harden.harden_net(net, INPUTS, rounding="nearest").removed) == 5 and len(searches) == 2


def test_not_even_the_sign_of_a_zero_changes_where_only_dead_units_are_cut():
    net = FloatNet([([[1.0], [1.0]], [-9.0, -9.0]), ([[-5.0, 3.0], [-1.0, -2.0]], [-0.0, -0.0])], np.float32)
    found = harden_net(net, INPUTS)
    assert found.same_in_float32 and not found.net.layers[1].weights.any()
    for one, other in zip(net.layers[1], found.net.layers[1], strict=True):
        assert (np.signbit(one) == np.signbit(other)).all()
    before, after = net.forward(INPUTS), found.net.forward(INPUTS)
    assert before.tobytes() == after.tobytes()


# Unit 2 is dead by far, and two of the weights that read it are negative.
SAME = FloatNet(
    [([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]], [0.0, 0.0, -9.0]), ([[3.0, 1.0, -5.0], [1.0, -1.0, 2.0]], [-0.0, 0.5])],
    np.float32,
)
ROWS = np.array([[0.0, 1.0], [1.0, 0.0], [2.0, 3.0], [3.0, 2.0]])


def sealed(folder, edit):
    """The certificate of a proof of SAME, its fact about float32 and its arrays edited, sealed again."""
    found = harden_net(SAME, ROWS)
    assert found.same_in_float32 and [c.units for c in found.removed] == [((1, 2),)]
    write_proof(folder, found, ROWS, None)
    path = folder / "certificate.json"
    certificate = json.loads(path.read_text())
    (fact,) = (fact for fact in certificate["facts"] if fact["kind"] == "same-in-float32")
    arrays = {}
    for name in ("net", "before", "train"):
        with np.load(folder / f"{name}.npz") as archive:
            arrays[name] = dict(archive)
    edit(fact, arrays)
    for name, held in arrays.items():
        np.savez(folder / f"{name}.npz", **held)
        digest = hashlib.sha256((folder / f"{name}.npz").read_bytes()).hexdigest()
        certificate["files"][name]["sha256"] = digest
    del certificate["digest"]
    path.write_text(json.dumps(seal(certificate)))
    return path


def positive_zero(fact, arrays):
    arrays["net"]["weights_2"][0, 2] = 0.0


def other_sign_of_a_bias(fact, arrays):
    arrays["before"]["bias_2"][0] = 0.0


def wide_weight(fact, arrays):
    for name in ("net", "before"):
        arrays[name]["weights_1"][0, 0] = 1 + 2.0**-40


def nearly_alive(fact, arrays):
    # Over the reals unit 2 stays dead: at (2, 3) it is -2^-24 with this bias.
    for name in ("net", "before"):
        arrays[name]["bias_1"][2] = -5.0 - 2.0**-21


BITS = {
    "a zero of another sign": (positive_zero, "differs in more than output weights that are 0"),
    "a bias of another sign": (other_sign_of_a_bias, "differs in more than output weights that are 0"),
    "a weight of float64": (wide_weight, "a weight is no float32"),
    "a unit that is only just 0": (nearly_alive, "may be more than 0 in float32"),
    "no unit": (lambda fact, arrays: fact.update(units=[]), "a list of units is missing"),
    "another unit": (lambda fact, arrays: fact.update(units=[[1, 1]]), "differs in more than output weights"),
    "one more unit": (lambda fact, arrays: fact.update(units=[[1, 0], [1, 2]]), "differs in more than output weights"),
    "an output": (lambda fact, arrays: fact.update(units=[[2, 0]]), "is no hidden unit"),
    "a truth value": (lambda fact, arrays: fact.update(units=[[True, 2]]), "is no hidden unit"),
}


@pytest.mark.parametrize("name", BITS)
def test_a_fact_about_float32_that_is_not_so_is_refused(name, tmp_path):
    assert check_audit(sealed(tmp_path / "right", lambda fact, arrays: None))
    edit, match = BITS[name]
    path = sealed(tmp_path / "wrong", edit)
    with pytest.raises(Refused, match=match):
        check_audit(path)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 2]))
def test_what_is_stated_of_float32_holds_in_every_order(seed, depth):
    """Every order of a sum gives the same bits in both nets: here, some orders at random, and fused steps."""
    rng = np.random.default_rng(seed)
    widths = [3, *[5] * depth, 2]
    layers = [
        (np.float32(rng.standard_normal((m, n))), np.float32(rng.standard_normal(m) - 1.5))
        for n, m in itertools.pairwise(widths)
    ]
    net, inputs = FloatNet(layers, np.float32), np.float32(rng.standard_normal((6, 3))).astype(np.float64)
    found = harden_net(net, inputs)
    if not (found.same_in_float32 and found.removed):
        return
    for _ in range(3):
        orders = [rng.permutation(layer.fan_in) for layer in net.layers]
        for fused in (False, True):
            one, other = (in_order(n, inputs, orders, fused) for n in (net, found.net))
            assert one.tobytes() == other.tobytes()


def in_order(net, inputs, orders, fused):
    """A float32 pass that adds the products in these orders, begun with the bias; fused steps round once."""
    values = inputs.astype(np.float32)
    for number, (layer, order) in enumerate(zip(net.layers, orders, strict=True)):
        weights, bias = (array.astype(np.float32) for array in layer)
        sums = np.repeat(bias[None], len(values), axis=0)
        for j in order:
            if fused:
                # A product of two float32 is a float64; the sum rounds to it first, which both nets do alike.
                sums = (values[:, [j]].astype(np.float64) * weights[:, j] + sums).astype(np.float32)
            else:
                sums = sums + values[:, [j]] * weights[:, j]
        values = np.maximum(sums, np.float32(0)) if number < len(net.layers) - 1 else sums
    return values

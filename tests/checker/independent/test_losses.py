"""Facts about losses: what the audit finds is confirmed, with exact arithmetic and without; what is tampered with is refused."""

import copy
import hashlib
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest
from absence.checker.audit import improve as improvement
from absence.checker.audit import loss
from absence.checker.audit import loss_facts as facts
from absence.checker.audit.deviation import float32_deviation
from absence.checker.audit.findings import Activity, CircuitFinding, UnitFinding
from absence.checker.audit.improve import Unimproved, improve
from absence.checker.audit.loss import losses
from absence.checker.audit.price import prices
from absence.checker.audit.rent import rents
from absence.checker.independent import arrays as arrays_of_facts
from absence.checker.independent import losses as independent
from absence.checker.independent.arrays import load_data, load_net
from absence.checker.independent.losses import KINDS, check_loss_fact
from absence.checker.independent.refusal import Refused
from absence.models.circuit import Unit
from absence.models.floatnet import FloatNet
from hypothesis import HealthCheck, given, settings

from tests.checker.audit.problems import problems


def everything(folder, net, inputs, targets, circuits):
    """All facts that an audit of losses can state about the problem, by kind."""
    a, b = facts.write_net(folder / "net.npz", net), facts.write_data(folder / "train.npz", inputs, targets)
    whole, floor = losses(net, inputs, targets)
    units = [UnitFinding(Unit(1, j), Activity.UNDECIDED, None) for j in range(net.widths[1])]
    found = [
        facts.loss_fact(a, b, whole, floor),
        facts.price_fact(a, b, prices(net, inputs, whole, floor, circuits), whole),
    ]
    if (units := rents(net, inputs, targets, units))[0].rent is not None:
        found.append(facts.rent_fact(a, b, units, whole))
    if not isinstance(better := improve(net, inputs, targets, circuits), Unimproved):
        found.append(facts.lower_loss_fact(a, b, better[0]))
    if (bound := float32_deviation(net, inputs)) is not None:
        found.append(facts.deviation_fact(a, b, bound))
    return {fact["kind"]: fact for fact in found}


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    """A float32 net with dead unit 0 on data with repeats, its folder and its facts."""
    folder = tmp_path_factory.mktemp("losses")
    rng = np.random.default_rng(3)
    inputs = rng.integers(-4, 5, (60, 2)).astype(float) / 4
    targets = np.abs(inputs[:, :1]) + rng.integers(-4, 5, (60, 2)) / 8
    hidden = rng.standard_normal((5, 2)).astype(np.float32)
    bias = rng.standard_normal(5).astype(np.float32)
    bias[0] = -100
    output = rng.standard_normal((2, 5)).astype(np.float32)
    net = FloatNet([(hidden, bias), (output, [0.0, 0.5])], np.float32)
    circuit = CircuitFinding((Unit(1, 0),), {Unit(2, 0): Fraction(0), Unit(2, 1): Fraction(0)})
    problem = inputs, targets, [circuit]
    return SimpleNamespace(folder=folder, net=net, problem=problem, facts=everything(folder, net, *problem))


@pytest.mark.parametrize("limit", [independent.EXACT, 0])
@pytest.mark.parametrize("kind", sorted(KINDS))
def test_what_the_audit_finds_is_confirmed(case, monkeypatch, kind, limit):
    for bound in ("EXACT", "PATIENT"):
        monkeypatch.setattr(independent, bound, limit)
    fact = widened(case.facts[kind]) if limit == 0 else case.facts[kind]
    check_loss_fact(fact, case.folder)


def widened(fact):
    """The exact statements made wider, so that bounds can confirm them."""
    fact = copy.deepcopy(fact)

    def wider(pair):
        low, high = map(Fraction, pair)
        slack = max(abs(low), abs(high)) / 10**6
        pair[:] = [str(low - slack), str(high + slack)]

    for key in ("loss", "drop"):
        if key in fact:
            wider(fact[key])
    for pair in fact.get("steps", []):
        wider(pair)
    return fact


def test_enclosures_are_confirmed_by_other_bounds(case, tmp_path, monkeypatch):
    for module in (loss, improvement):
        monkeypatch.setattr(module, "SMALL", 0)
    for bound in ("EXACT", "PATIENT"):
        monkeypatch.setattr(independent, bound, 0)
    found = everything(tmp_path, case.net, *case.problem)
    assert set(found) == set(KINDS)
    for fact in found.values():
        check_loss_fact(fact, tmp_path)


@given(problems(extreme=True))
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_extreme_nets_are_confirmed_or_honestly_not(tmp_path, problem):
    for kind, fact in everything(tmp_path, *problem).items():
        try:
            check_loss_fact(fact, tmp_path)
        except Refused as refused:
            # Rents have float bounds only; where those overflow or are wide, nothing is confirmed, and nothing contradicted.
            assert kind == "unit-rents" and ("overflow" in str(refused) or "not confirmed" in str(refused)), refused


@given(problems(depth=2))
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_drops_and_rents_of_deeper_nets_are_confirmed(tmp_path, problem):
    net, inputs, targets, circuits = problem
    a, b = facts.write_net(tmp_path / "net.npz", net), facts.write_data(tmp_path / "train.npz", inputs, targets)
    if not isinstance(better := improve(net, inputs, targets, circuits), Unimproved):
        check_loss_fact(facts.lower_loss_fact(a, b, better[0]), tmp_path)
    units = [UnitFinding(Unit(2, j), Activity.UNDECIDED, None) for j in range(net.widths[2])]
    units = rents(net, inputs, targets, units)
    check_loss_fact(facts.rent_fact(a, b, units, losses(net, inputs, targets)[0]), tmp_path)


def changed(fact, path, change):
    fact = copy.deepcopy(fact)
    *outer, last = path
    place = fact
    for key in outer:
        place = place[key]
    place[last] = change(place[last])
    return fact


def more(text):
    return str(Fraction(text) + Fraction(1, 1000))


def less(text):
    return str(Fraction(text) - Fraction(1, 1000))


def both(pair):
    return [more(text) for text in pair]


TAMPERED = [
    ("training-loss", ["loss"], both, "the loss is another number"),
    ("training-loss", ["loss"], lambda pair: [pair[0]], "two bounds"),
    ("training-loss", ["noise_floor"], both, "the noise floor is another number"),
    ("training-loss", ["net", "sha256"], lambda s: s[::-1], "net.npz is not the file that was meant"),
    ("training-loss", ["data", "file"], lambda s: "../" + s, "a file is not named"),
    ("training-loss", ["data"], lambda r: r | {"file": "absent.npz"}, "absent.npz"),
    ("lower-training-loss", ["drop"], both, "the drop is another number"),
    ("lower-training-loss", ["drop"], lambda pair: ["-1", pair[1]], "a drop that may be 0"),
    ("lower-training-loss", ["outgoing", 0], lambda s: str(Fraction(s) * 2), "the drop is another number"),
    ("lower-training-loss", ["bias"], lambda s: str(Fraction(s) + Fraction(1, 10**9)), "no float32"),
    ("lower-training-loss", ["bias"], lambda s: "1" + "0" * 400, "a parameter is no float"),
    ("lower-training-loss", ["circuit"], lambda units: [], "no circuit"),
    ("lower-training-loss", ["circuit"], lambda units: [5], "none of the net's"),
    ("lower-training-loss", ["circuit"], lambda units: [1], "the drop is another number"),
    ("lower-training-loss", ["weights"], lambda w: w[:1], "do not fit the net"),
    ("unit-rents", ["units", 1, "rent"], both, "the rent of unit 1 is another number"),
    ("unit-rents", ["units", 1, "gain"], both, "the replacement gain of unit 1 is another number"),
    ("unit-rents", ["units", 1, "unit"], lambda j: 2, "the rent of unit 2 is another number"),
    ("unit-rents", ["units", 1, "unit"], lambda j: 9, "no hidden unit"),
    ("unit-rents", ["units", 1, "trial"], lambda t: 99, "a trial unit is not listed"),
    ("unit-rents", ["trials", 0, 1], lambda s: str(Fraction(s) + 1), "is another number"),
    ("unit-rents", ["units"], lambda units: [], "no unit is listed"),
    ("uniform-gap", ["spacing"], lambda s: str(2 * Fraction(s)), "closer than the spacing"),
    ("uniform-gap", ["spacing"], lambda s: "0", "not positive"),
    ("uniform-gap", ["spread"], lambda s: str(Fraction(s) / 2), "farther apart"),
    ("uniform-gap", ["gap"], lambda s: str(2 * Fraction(s)), "the gap is another number"),
    ("uniform-gap", ["steps", 1], both, "step 2 is another number"),
    ("uniform-gap", ["direction"], lambda w: [*w, "0"], "wrong dimension"),
    ("float32-deviation", ["bound"], lambda s: str(Fraction(s) / 1000), "may be off by"),
    ("float32-deviation", ["bound"], lambda s: 1, "not an exact number"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "path", "change", "reason"), TAMPERED)
def test_what_is_tampered_with_is_refused(case, kind, path, change, reason):
    with pytest.raises(Refused, match=reason):
        check_loss_fact(changed(case.facts[kind], path, change), case.folder)


def test_bounds_too_narrow_to_confirm_are_not_a_pass(case, monkeypatch):
    monkeypatch.setattr(independent, "EXACT", 0)
    # Exact arithmetic where it is affordable ..
    check_loss_fact(case.facts["training-loss"], case.folder)
    monkeypatch.setattr(independent, "PATIENT", 0)
    # .. and no answer where it is not.
    with pytest.raises(Refused, match="the loss is not confirmed: own bounds"):
        check_loss_fact(case.facts["training-loss"], case.folder)


@pytest.mark.parametrize("fact", [None, {}, {"kind": "idle"}, {"kind": "training-loss"}])
def test_what_is_no_fact_is_refused(tmp_path, fact):
    with pytest.raises(Refused, match=r"no known kind|malformed training-loss"):
        check_loss_fact(fact, tmp_path)


def reference(path, arrays):
    np.savez(path, **arrays)
    return {"file": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}


ONE = np.ones((1, 1))


@pytest.mark.parametrize(
    ("arrays", "reason"),
    [
        ({"W1": ONE}, "no net in the file"),
        ({"W1": ONE, "b2": np.ones(1)}, "no net in the file"),
        ({"W1": ONE, "b1": np.ones(2)}, "shapes do not fit"),
        ({"W1": ONE, "b1": np.ones(1, dtype=np.float32)}, "several types"),
        ({"W1": ONE.astype(int), "b1": np.ones(1, dtype=int)}, "several types"),
        ({"W1": ONE * np.inf, "b1": np.ones(1)}, "not finite"),
        ({"W1": ONE, "b1": np.ones(1), "W2": np.ones((1, 2)), "b2": np.ones(1)}, "does not fit the one below"),
        ({"W1": np.array([[None]]), "b1": np.ones(1)}, "pickle"),
    ],
)
def test_files_that_hold_no_net_are_refused(tmp_path, arrays, reason):
    with pytest.raises(Refused, match=reason):
        load_net(reference(tmp_path / "net.npz", arrays), tmp_path)


@pytest.mark.parametrize(
    ("arrays", "reason"),
    [
        ({"X": ONE}, "X and Y"),
        ({"X": ONE, "Y": np.ones(1)}, "float matrices"),
        ({"X": ONE, "Y": ONE * np.nan}, "not finite"),
        ({"X": ONE, "Y": np.ones((2, 1))}, "as many inputs as targets"),
    ],
)
def test_files_that_hold_no_data_are_refused(tmp_path, arrays, reason):
    with pytest.raises(Refused, match=reason):
        load_data(reference(tmp_path / "train.npz", arrays), tmp_path)


def test_a_file_that_unpacks_to_too_much_is_refused(tmp_path, monkeypatch):
    np.savez_compressed(tmp_path / "train.npz", X=np.zeros((100, 100)), Y=np.zeros((100, 1)))
    content = (tmp_path / "train.npz").read_bytes()
    monkeypatch.setattr(arrays_of_facts, "LARGEST", 4096)
    assert len(content) < 4096
    with pytest.raises(Refused, match="unpacks to more than 4096 bytes"):
        load_data({"file": "train.npz", "sha256": hashlib.sha256(content).hexdigest()}, tmp_path)


def test_a_file_cut_short_is_refused(case, tmp_path):
    content = (case.folder / "net.npz").read_bytes()[:100]
    (tmp_path / "net.npz").write_bytes(content)
    with pytest.raises(Refused, match=r"net\.npz"):
        load_net({"file": "net.npz", "sha256": hashlib.sha256(content).hexdigest()}, tmp_path)

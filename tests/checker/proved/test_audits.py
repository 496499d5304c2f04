"""Audits put to the proved checkers: of true facts and changed ones they say what the independent checker says."""

import hashlib
import json
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proof_of_absence.checker.audit.certify import certify, unit_facts
from proof_of_absence.checker.audit.idle import unit_findings
from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.checker.independent.results.subject import Subject
from proof_of_absence.checker.numbers.hexadecimal import hexadecimal
from proof_of_absence.checker.proved.opinion import Answer, opinions
from proof_of_absence.checker.region.decide import irrelevant
from proof_of_absence.models.floatnet import FloatNet
from tests.checker.proved.audited import agree_on, matrix, values, written

pytestmark = pytest.mark.usefixtures("made")


@st.composite
def audits(draw):
    """A net of one to three hidden layers, training and deployment inputs, and facts about them, true or not."""
    widths = draw(st.lists(st.integers(1, 3), min_size=3, max_size=5))
    layers = [(matrix(draw, n, d), matrix(draw, 1, n)[0]) for d, n in pairwise(widths)]
    train, deploy = (matrix(draw, draw(st.integers(1, 4)), widths[0]) for _ in range(2))
    facts = json.loads(json.dumps(list(unit_facts(unit_findings(FloatNet(layers), train)))))
    for _ in range(draw(st.integers(0, 3))):
        facts.append(draw(circuits(layers, train, deploy)))
    for _ in range(draw(st.integers(0, 2))):
        change(draw, draw(st.sampled_from(facts)))
    return layers, train, deploy, facts


@st.composite
def circuits(draw, layers, train, deploy):
    """A circuit with what it sends at the first row, which may be no other elsewhere; and where it fires."""
    layer = draw(st.integers(1, len(layers) - 1))
    weights = layers[layer][0]
    members = sorted(draw(st.sets(st.integers(0, weights.shape[1] - 1), min_size=1)))

    def sent(row):
        below = values(layers, row)[layer - 1]
        return [sum(Fraction(line[j]) * below[j] for j in members) for line in weights.tolist()]

    value = sent(train[0])
    fires = draw(st.sampled_from([None, [i for i, row in enumerate(deploy) if sent(row) != value]]))
    said = [hexadecimal(v) for v in value]
    return {"kind": "circuit", "layer": layer, "units": members, "value": said, "fires": fires}


def change(draw, fact):
    """Something else in one place of the fact, which may be so too."""
    key = draw(st.sampled_from(sorted(set(fact) - {"kind"})))
    if key == "layer" or not fact[key]:
        fact["layer"] = draw(st.integers(1, 3))
        return
    other = {
        "activity": st.sampled_from(["dead", "constant", "varies"]),
        "idle": st.booleans(),
        "witness": st.sampled_from([None, [0, 1], [0, 0], [0, 9]]),
        "value": st.sampled_from(["1", "-1/3", "0"]),
    }.get(key, st.integers(0, 3))
    fact[key][draw(st.integers(0, len(fact[key]) - 1))] = draw(other)


@settings(deadline=None, max_examples=25)
@given(cases=st.lists(audits(), min_size=8, max_size=8))
def test_of_each_fact_it_says_what_the_independent_checker_says(cases, tmp_path_factory):
    agree_on(tmp_path_factory.mktemp("audits"), cases, "CF")


@settings(deadline=None, max_examples=10)
@given(
    seed=st.integers(0, 2**32),
    widths=st.lists(st.integers(2, 40), min_size=2, max_size=3),
    layer=st.integers(0, 1),
    margin=st.sampled_from([0.0, 2.0**-45, 1.0]),
    rows=st.sampled_from([60, 700]),
)
def test_of_many_rows_one_decides_that_a_unit_is_not_dead(seed, widths, layer, margin, rows, tmp_path_factory):
    """Short numbers are tried at some rows; at the others too, in whichever block, all digits decide."""
    rng = np.random.default_rng(seed)
    layer = min(layer, len(widths) - 2)
    shapes = [*pairwise([*widths, 2])]
    layers = [(rng.standard_normal((n, d)), rng.standard_normal(n)) for d, n in shapes]
    # On a grid, so that the sums of floats below are exact.
    layers = [(np.round(w * 2**10) / 2**10, np.round(b * 2**10) / 2**10) for w, b in layers]
    train = np.round(rng.standard_normal((rows, widths[0])) * 2**8) / 2**8
    below = train
    for weights, bias in layers[:layer]:
        below = np.maximum(below @ weights.T + bias, 0)
    weights, bias = layers[layer]
    # The greatest sum of each unit is 0 less the margin; of the last unit it is more than 0 at one row.
    bias[:] = -(below @ weights.T).max(axis=0)
    bias[:-1] -= margin
    bias[-1] += 2.0**-18
    facts = json.loads(json.dumps(list(unit_facts(unit_findings(FloatNet(layers), train)))))
    said = facts[layer]["activity"]
    assert said[:-1] == ["dead"] * (len(bias) - 1) and said[-1] == "varies"
    lied = json.loads(json.dumps(facts))
    lied[layer]["activity"][-1], lied[layer]["witness"][-1], lied[layer]["idle"][-1] = "dead", None, True
    folder = tmp_path_factory.mktemp("rows")
    paths = []
    for name, stated in (("true", facts), ("false", lied)):
        (folder / name).mkdir()
        paths.append(written(folder / name, layers, train, train, stated))
    found = opinions(paths)
    assert found[paths[0]].whole
    assert [answer for _, answer in found[paths[1]].facts].index(Answer.REFUSED) == layer


@settings(deadline=None, max_examples=15)
@given(data=st.data())
def test_rows_are_read_as_they_are_whatever_their_exponents(data, tmp_path_factory):
    """Floats of every size and sign stand in one column: those of other rows must not change what is read."""
    cases = []
    for _ in range(6):
        numbers = st.one_of(st.floats(-8, 8), st.floats(allow_nan=False, allow_infinity=False), st.just(-0.0))
        rows = data.draw(st.integers(1, 40))
        train = matrix(data.draw, rows, 2, numbers)
        near = st.sampled_from([*map(float, train.ravel()), 0.0])
        # A unit that is x1 - t, t - x1, or 0: dead, or of one value, but for a row.
        weights = np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 0.0], [0.0, 1.0]])
        at = data.draw(near)
        bias = np.array([-at, at, abs(at), -data.draw(near)])
        layers = [(weights, bias), (np.ones((1, 4)), np.zeros(1))]
        facts = json.loads(json.dumps(list(unit_facts(unit_findings(FloatNet(layers), train)))))
        lied = json.loads(json.dumps(facts))
        unit = data.draw(st.integers(0, 3))
        lied[0]["activity"][unit] = data.draw(st.sampled_from(["dead", "constant"]))
        lied[0]["witness"][unit], lied[0]["idle"][unit] = None, True
        cases += [(layers, train, train, facts), (layers, train, train, lied)]
    agree_on(tmp_path_factory.mktemp("exponents"), cases, "CF")


@pytest.mark.parametrize(
    "broken",
    [
        lambda data: data[: len(data) // 2],
        lambda data: data.replace(b"'shape': (3, 1)", b"'shape': (9, 1)"),
        lambda data: data.replace(b"PK\x01\x02", b"PK\x01\x03"),
        lambda data: data + data,
        lambda data: b"",
    ],
)
def test_files_that_are_no_arrays_show_nothing(tmp_path, broken):
    layers = [(np.array([[1.0]]), np.array([-9.0])), (np.array([[1.0]]), np.array([0.0]))]
    train = np.array([[1.0], [2.0], [3.0]])
    path = written(tmp_path, layers, train, train, list(unit_facts(unit_findings(FloatNet(layers), train))))
    assert opinions([path])[path].whole
    file = tmp_path / "train.npz"
    file.write_bytes(broken(file.read_bytes()))
    opinion = opinions([path])[path]
    assert opinion.malformed or opinion.refused


@pytest.mark.parametrize("name", ["net", "train", "deploy"])
@pytest.mark.parametrize(
    "change",
    [
        lambda arrays: {key: part.reshape(-1) for key, part in arrays.items()},
        lambda arrays: {key: part[None] for key, part in arrays.items()},
        lambda arrays: {key: part[:0] for key, part in arrays.items()},
        lambda arrays: {key: part[..., :0] for key, part in arrays.items()},
        lambda arrays: {key: np.repeat(part, 2, axis=-1) for key, part in arrays.items()},
        lambda arrays: arrays | {"more": np.zeros((1, 1))},
        lambda arrays: {f"{key}_": part for key, part in arrays.items()},
    ],
)
def test_arrays_that_do_not_fit_show_nothing(tmp_path, name, change):
    """No fact is accepted, of regions neither, although no training input plays a part there."""
    net = FloatNet([(np.array([[1.0], [1.0]]), np.array([-3.0, 0.1])), (np.array([[1.0, 0.5]]), np.array([0.0]))])
    train = np.array([[0.0]])
    region = irrelevant(net, [(1, 0)], [-1], [2]).claim
    path = certify(tmp_path, net, train, train, units=unit_findings(net, train), regions=[region])
    assert [answer for _, answer in opinions([path])[path].facts] == [Answer.ACCEPTED] * 2
    certificate = json.loads(path.read_text())
    with np.load(tmp_path / f"{name}.npz") as found:
        changed = change(dict(found))
    np.savez(tmp_path / f"{name}.npz", **changed)
    certificate["files"][name]["sha256"] = hashlib.sha256((tmp_path / f"{name}.npz").read_bytes()).hexdigest()
    with pytest.raises(Refused):
        Subject.read(tmp_path, certificate["files"])
    opinion = opinions([path])[path]
    assert opinion.malformed or Answer.ACCEPTED not in dict(opinion.facts).values()

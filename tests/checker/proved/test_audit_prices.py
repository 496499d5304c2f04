"""Readout prices of audits, put to the proved checkers: what an audit finds is accepted, and forged numbers are not."""

import json
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proof_of_absence.checker.audit.entry import audit
from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.checker.independent.results.audit import MALFORMED, decide
from proof_of_absence.checker.independent.results.subject import Subject
from proof_of_absence.checker.independent.values.arrays import hexadecimal as read
from proof_of_absence.checker.numbers.hexadecimal import hexadecimal
from proof_of_absence.checker.proved.opinion import Answer, opinions
from proof_of_absence.models.floatnet import FloatNet

pytestmark = pytest.mark.usefixtures("made")

# The widths of a net, what is asked of it, and whether bounds are shown by a factor.
CASES = {
    "exact": ([2, 4, 3, 1], {}, False),
    "penalty": ([2, 5, 2], {"ridge": "1/3", "move": "1/2"}, False),
    "factor": ([3, 60, 1], {"ridge": "0.5"}, True),
}


@pytest.fixture(scope="module", params=CASES)
def folder(request, tmp_path_factory):
    """An audit with readout prices of training, deployment and test inputs."""
    widths, asked, bounded = CASES[request.param]
    source = np.random.default_rng(2)
    layers = [(source.normal(size=(n, d)), source.normal(size=n) / 2 + 1) for d, n in pairwise(widths)]
    train, deploy, test = (source.normal(size=(count, widths[0])) for count in (80, 3, 2))
    path = tmp_path_factory.mktemp("prices") / "it"
    audit(FloatNet(layers), train, None, deploy, test=test, output=path, **asked)
    assert (path / "factor.npz").is_file() is bounded
    return path


def place(certificate):
    (found,) = (k for k, fact in enumerate(certificate["facts"]) if fact["kind"] == "readout-prices")
    return found


def test_what_an_audit_finds_is_accepted(folder):
    path = folder / "certificate.json"
    certificate = json.loads(path.read_text())
    assert set(certificate["facts"][place(certificate)]["rows"]) == {"training", "deployment", "test"}
    assert opinions([path])[path].facts[place(certificate)] == ("readout-prices", Answer.ACCEPTED)


@settings(deadline=None, max_examples=12)
@given(data=st.data())
def test_a_number_that_is_another_is_refused_as_the_independent_checker_does(folder, data, tmp_path_factory):
    """A bound is moved to where the number is not, or the row, or what is asked for."""
    certificate = json.loads((folder / "certificate.json").read_text())
    k = place(certificate)
    fact = certificate["facts"][k]
    part = data.draw(st.sampled_from(sorted(fact["rows"])))
    entry = fact["rows"][part][data.draw(st.integers(0, len(fact["rows"][part]) - 1))]
    match data.draw(st.sampled_from(["low", "high", "price", "row", "move", "penalty"])):
        case "low":
            entry["leverage"][0] = hexadecimal(read(entry["leverage"][1]) * 2)
        case "high":
            entry["leverage"][1] = hexadecimal(read(entry["leverage"][0]) / 2)
        case "price":
            entry["price"] = [
                hexadecimal(read(value) * data.draw(st.sampled_from([2, 3])) / 4) for value in entry["price"]
            ]
        case "row":
            entry["row"] = 10**6
        case "move":
            fact["move"] = "5"
        case "penalty":
            fact["penalty"] = hexadecimal(read(fact["penalty"]) + 100)
    copy = tmp_path_factory.mktemp("forged")
    for file in folder.glob("*.npz"):
        (copy / file.name).symlink_to(file)
    path = copy / "certificate.json"
    path.write_text(json.dumps(certificate))
    with pytest.raises((Refused, *MALFORMED)):
        decide(Subject.read(folder, certificate["files"]), [fact])
    assert opinions([path])[path].facts[k] == ("readout-prices", Answer.REFUSED)


def test_relations_among_features_are_left(tmp_path):
    """A unit that is dead in training: then a move may be free, which the proved checker does not decide yet."""
    net = FloatNet([(np.array([[1.0], [1.0]]), np.array([0.0, -9.0])), (np.array([[1.0, 5.0]]), np.array([0.0]))])
    audit(net, np.array([[0.0], [1.0], [2.0]]), None, np.array([[3.0], [10.0]]), output=tmp_path / "it")
    path = tmp_path / "it" / "certificate.json"
    assert ("readout-prices", Answer.LEFT) in opinions([path])[path].facts

"""Some forged passes and folders of recordings: `tests/reliability/forged_recordings.py` makes thousands."""

import random

import numpy as np
import pytest

from proof_of_absence.checker.recorded import shards
from proof_of_absence.checker.recorded.engine import Asked, examine
from proof_of_absence.checker.recorded.shards import Passes
from proof_of_absence.models.files.recording import read_recording
from tests.reliability.forged_recordings import Example, of_folder, of_state, wrong

CASES = 40


@pytest.fixture(scope="module", params=[True, False], ids=["bounds", "exact"])
def example(request, tmp_path_factory):
    return Example(tmp_path_factory.mktemp("forged") / "root", bounded=request.param)


@pytest.mark.parametrize("kind", [of_state, of_folder])
def test_nothing_false_comes_of_an_edit(example, kind):
    told = [kind(example, random.Random(10**6 + seed)) for seed in range(CASES)]
    assert not [one for one in told if wrong(one)] and len(set(told)) > 1


@pytest.mark.parametrize("name", ["low", "gram", "counts", "values", "seen"])
def test_a_pass_does_not_go_on_from_numbers_that_are_not_so(tmp_path, monkeypatch, name):
    """All rows are said to be seen, so nothing but the check of what comes of it can tell."""
    monkeypatch.setattr(shards, "EVERY", 0.0)
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "a.npz", X=rng.normal(size=(60, 40)), deploy=rng.normal(size=(5, 40)))
    recording = read_recording(tmp_path / "a.npz")
    own = examine([recording])
    digest = " ".join(file.sha256 for file in own.layers[0].train)
    Passes(tmp_path / "state").gather(recording, digest, lambda rows: None)
    (path,) = (tmp_path / "state").glob("*.npz")
    with np.load(path) as found:
        held = {key: found[key].copy() for key in found.files}
    went_on = Passes(tmp_path / "state")
    examine([recording], Asked(passes=went_on))
    assert went_on.went_on == 60
    match name:
        case "low":
            held["low"][3] = held["high"][3]
        case "gram":
            held["gram"] *= 1.5
        case "counts":
            held["counts"][:] = 0
        case "values":
            held["values"][:, 2] = 2 * held["values"][:, 1]
        case "seen":
            held["seen"][0] = 61
    path.parent.mkdir(exist_ok=True)
    np.savez(path, **held)
    passes = Passes(tmp_path / "state")
    found = examine([recording], Asked(passes=passes))
    facts = [[fact for fact in audit.certificate["layers"][0]["facts"] if fact["kind"] != "readout-prices"]
             for audit in (found, own)]  # fmt: skip
    assert facts[0] == facts[1]
    low, high = found.prices["a"]["deployment"].T
    assert (low <= own.prices["a"]["deployment"][:, 1]).all() and (own.prices["a"]["deployment"][:, 0] <= high).all()
    # Roundings that are said to be none are so small that what comes of it is so.
    assert passes.went_on == (60 if name == "counts" else 0)

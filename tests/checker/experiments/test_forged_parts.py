"""Some hundred edits of what experiments keep: `tests/reliability/forged_parts.py` makes thousands."""

import json
import random

import pytest

from proof_of_absence.checker.experiments.census.shards import checkable, take
from proof_of_absence.checker.experiments.lifetimes.experiment import shown
from proof_of_absence.checker.independent.kinds import class_census
from proof_of_absence.checker.kernel.certificate import seal
from tests.reliability.forged_parts import PLAN, Runs, Shards

CASES = 150


@pytest.fixture(scope="module")
def runs():
    return Runs()


def test_a_census_comes_to_what_is_so_whatever_was_kept(tmp_path):
    made = Shards(tmp_path)
    told = {made.case(random.Random(seed)) for seed in range(CASES)}
    assert told == {"counted again", "says the same"}


def test_a_run_is_taken_only_if_what_it_says_is_so(runs):
    told = {runs.case(random.Random(seed)) for seed in range(CASES)}
    assert told == {"made again", "says the same"}


def test_nets_that_are_moved_from_cell_to_cell_are_counted_again(tmp_path):
    made = Shards(tmp_path)
    for path in made.parts:
        told = json.loads(path.read_text())
        # As many nets, of one loss and cell.
        told["counts"] = [[0, sum(count for _, count in told["counts"])]]
        path.write_text(json.dumps(seal(told)))
    assert take(made.problem, tmp_path, shard=made.size) == made.whole
    assert {path: path.read_bytes() for path in made.parts} == made.parts


def test_of_a_class_too_large_for_the_checker_nothing_is_kept(tmp_path, monkeypatch):
    made = Shards(tmp_path)
    assert checkable(made.problem)
    monkeypatch.setattr(class_census, "PATIENT", 0)
    assert not checkable(made.problem)
    # Nor is what lies there from before taken.
    now = []
    take(made.problem, tmp_path, shard=made.size, progress=lambda nets, counted: now.append(counted))
    assert now.count(True) == len(made.parts)
    assert take(made.problem, None) == made.whole


def test_a_run_of_another_kind_is_not_taken(runs):
    (one, text), (other, _) = runs.runs
    record = json.loads(text)
    assert shown(record, PLAN, one, runs.experiment)
    assert not shown(record, PLAN, other, runs.experiment)
    named = dict(zip(("detector", "optimizer", "reassigned", "seed"), other.of, strict=True))
    assert not shown(record | named, PLAN, other, runs.experiment)

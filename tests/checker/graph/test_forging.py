"""Some hundred forged folders of graphs: `tests/reliability/forged_graphs.py` makes thousands."""

import json
import random
import re

import numpy as np
import pytest

from proof_of_absence.checker.audit.sources import Given
from proof_of_absence.checker.audit.tied import check_folder
from proof_of_absence.checker.independent.refusal import Refused
from tests.reliability.forged_graphs import case, edited, repeated, told_again, wrong
from tests.reliability.forging import resealed
from tests.reliability.graph_folders import made

CASES = 200


@pytest.fixture(scope="module")
def examples(tmp_path_factory):
    return made(tmp_path_factory.mktemp("forged"))


@pytest.fixture
def folder(examples, request):
    """The folder of an audit, or of the hardening; afterwards it is as it was."""
    example = examples[request.param]
    before = {path: path.read_bytes() for path in example.files}
    yield example.folder
    for path, content in before.items():
        path.write_bytes(content)


def test_what_is_still_accepted_states_the_same(examples):
    told = [case(examples, seed) for seed in range(10**6, 10**6 + CASES)]
    assert not [one for one in told if wrong(one[2])]
    assert {"refused", "accepted"} == {came.split(":")[0] for _, _, came in told}


def test_each_example_is_accepted_as_it_is(examples):
    for example in examples:
        assert check_folder(example.folder, Given()).startswith("Accepted: ")


def test_the_cases_make_every_sort_of_edit(examples):
    before, sorts = {path: path.read_bytes() for path in examples[0].files}, set()
    for seed in range(500):
        draw = random.Random(seed)
        sorts.add(edited(examples[0], draw.choice(list(before)), draw))
        for path, content in before.items():
            path.write_bytes(content)
    every = {"bytes", "left out", "another file", "entry", "number", "weight", "told again", "lying program"}
    assert sorts == every


@pytest.mark.parametrize("folder", [2], indirect=True)
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda told: told["cuts"][1].update(value="1"), "received from 2 is not 1"),
        (lambda told: told["cuts"][0].update(index=0), "the weights that were cut"),
        (lambda told: told["cuts"].pop(), "the weights that were cut"),
        (lambda told: told["removed"].append(told["removed"][0]), "the units that were taken out"),
        (lambda told: told["removed"][0].update(name="other"), "the units that were taken out"),
        (lambda told: told["left"].append({"node": 2, "unit": 0, "reason": "none"}), "the units that are left"),
        (lambda told: told.update(same_in_float32=1), "says of float32 what no fact shows"),
        (lambda told: told.update(more=1), "parts are missing or unknown"),
    ],
)
def test_every_part_of_the_list_is_looked_at(folder, change, reason):
    told = json.loads((folder / "hardening.json").read_text())
    change(told)
    (folder / "hardening.json").write_text(json.dumps(told))
    with pytest.raises(Refused, match=re.escape(reason)):
        check_folder(folder, Given())


@pytest.mark.parametrize("folder", [0, 2], indirect=True)
def test_another_version_is_named(folder):
    def older(content):
        content["about"]["program"] = "0.0.1"
        return content

    resealed(folder, "certificate.json", older)
    with pytest.raises(Refused, match=r"was written by version 0\.0\.1"):
        check_folder(folder, Given())


@pytest.mark.parametrize("folder", [0], indirect=True)
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda report: report["net"].update(parameters=28), "net: parameters"),
        (lambda report: report["data"].update(loss_name="logistic loss of one output"), "the name of the loss"),
        (lambda report: report.update(not_asked=[]), "says of what was not asked"),
    ],
)
def test_what_a_program_tells_falsely_is_refused(folder, change, reason):
    report = json.loads((folder / "report.json").read_text())
    change(report)
    repeated(folder, report)
    told_again(folder, report)
    with pytest.raises(Refused, match=reason):
        check_folder(folder, Given())


@pytest.mark.parametrize("folder", [0], indirect=True)
def test_a_unit_that_is_open_without_a_word_is_refused(folder):
    def opened(content):
        fact = next(fact for fact in content["facts"] if fact["kind"] == "graph-irrelevant" and fact["still"])
        fact["still"].pop()
        fact["trees"] = [tree for tree in fact["trees"] if tree[0] in fact["still"]]
        return content

    report = json.loads((folder / "report.json").read_text())
    resealed(folder, "certificate.json", opened)
    told_again(folder, report)
    with pytest.raises(Refused, match="a unit is open, and no word on it"):
        check_folder(folder, Given())


@pytest.mark.parametrize("folder", [0, 1, 3], indirect=True)
@pytest.mark.parametrize("which", [0, -1])
def test_no_node_is_left_out_of_those_that_fire(folder, which):
    def less(content):
        firing = [fact for fact in content["facts"] if fact["kind"] == "graph-firing"]
        assert len(firing) > 1
        content["facts"].remove(firing[which])
        return content

    report = json.loads((folder / "report.json").read_text())
    resealed(folder, "certificate.json", less)
    told_again(folder, report)
    with pytest.raises(Refused, match="where units fire is missing, and no word on why"):
        check_folder(folder, Given())


@pytest.mark.parametrize("folder", [0], indirect=True)
@pytest.mark.parametrize("deploy", ["deploy.npz", {"source": "deploy.npz"}, {"source": 1, "sha256": "0"}, []])
def test_a_file_that_is_told_of_in_another_form_is_refused(folder, deploy):
    def told(content):
        content["about"]["deploy"] = deploy
        return content

    resealed(folder, "certificate.json", told)
    with pytest.raises(Refused, match=r"malformed|no text"):
        check_folder(folder, Given())


@pytest.mark.parametrize("folder", [0], indirect=True)
@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("graph-idle", "which units of node 2 are idle is not stated"),
        ("graph-firing", "where units fire is missing"),
        ("graph-losses", "the loss: missing"),
    ],
)
def test_a_fact_that_is_left_out_is_missed(folder, kind, reason):
    def without(content):
        content["facts"].remove(next(fact for fact in content["facts"] if fact["kind"] == kind))
        return content

    report = json.loads((folder / "report.json").read_text())
    resealed(folder, "certificate.json", without)
    told_again(folder, report)
    with pytest.raises(Refused, match=reason):
        check_folder(folder, Given())


@pytest.mark.parametrize("folder", [0], indirect=True)
def test_a_bound_of_float32_that_is_left_out_is_named(folder):
    def without(content):
        content["facts"] = [fact for fact in content["facts"] if fact["kind"] != "graph-float32"]
        return content

    report = json.loads((folder / "report.json").read_text())
    resealed(folder, "certificate.json", without)
    told_again(folder, report)
    assert "why float32 evaluations are not bounded" in check_folder(folder, Given())


@pytest.mark.parametrize("folder", [-2], indirect=True)
def test_a_network_given_in_python_is_the_one_of_its_digest(folder):
    told = json.loads((folder / "graph.json").read_text())
    told["nodes"][4]["name"] = "other"
    (folder / "graph.json").write_text(json.dumps(told))
    resealed(folder, "certificate.json", lambda content: content)
    told_again(folder, json.loads((folder / "report.json").read_text()))
    with pytest.raises(Refused, match=r"its digest of the network is not that of graph\.json"):
        check_folder(folder, Given())


@pytest.mark.parametrize("folder", [-2], indirect=True)
def test_data_given_in_python_are_those_of_their_digest(folder):
    with np.load(folder / "data.npz") as arrays:
        found = {name: arrays[name].copy() for name in arrays.files}
    found["train"][5] *= 1 + 2.0**-40
    np.savez(folder / "data.npz", **found)
    resealed(folder, "certificate.json", lambda content: content)
    told_again(folder, json.loads((folder / "report.json").read_text()))
    with pytest.raises(Refused, match=r"the digest is not that of the data"):
        check_folder(folder, Given())

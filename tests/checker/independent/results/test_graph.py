"""The folder of a graph's audit: it is accepted as it is, and refused after a change of any file or fact."""

import json

import numpy as np
import pytest

from proof_of_absence.checker.independent.folder import check_whole, whole_in
from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.checker.independent.results.graph import check_graph
from proof_of_absence.checker.kernel.certificate import seal
from proof_of_absence.checker.kernel.graph_certificate import NAME, certificate_files
from proof_of_absence.checker.kernel.graph_facts import losses_fact
from proof_of_absence.checker.numbers.enclosure import point
from proof_of_absence.models.objective import Loss
from tests.checker.changed import changed
from tests.checker.independent.kinds import graph_losses
from tests.checker.independent.kinds.test_graph_idle import DEPLOY, NET, TRAIN, fired, found

TARGETS = np.array([[1.0], [0.0], [0.5]])
LOSSES = losses_fact(Loss.SQUARED, *map(point, graph_losses.squared(NET, TRAIN, TARGETS)))
FACTS = [*(found(NET, TRAIN, node) for node in (2, 7)), *(fired(NET, TRAIN, DEPLOY, node) for node in (2, 7)), LOSSES]


def write(folder, files):
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder / NAME


@pytest.fixture
def folder(tmp_path):
    write(tmp_path, certificate_files(NET, TRAIN, FACTS, deploy=DEPLOY, targets=TARGETS))
    return tmp_path


def resealed(folder, *path_and_value):
    """The certificate with a change, and a digest that fits it."""
    content = json.loads((folder / NAME).read_text())
    (folder / NAME).write_text(json.dumps(seal(changed(content, *path_and_value))))
    return folder / NAME


def test_the_folder_is_accepted_and_its_bytes_are_always_the_same(folder):
    assert check_whole(whole_in(folder)) == "5 facts of an audit of a graph, 8 units"
    again = certificate_files(NET, TRAIN, FACTS, deploy=DEPLOY, targets=TARGETS)
    assert all((folder / name).read_bytes() == data for name, data in again.items()) and len(again) == 4


@pytest.mark.parametrize("name", ["graph.json", "graph.npz", "data.npz", NAME])
def test_any_byte_of_any_file_counts(folder, name):
    data = (folder / name).read_bytes()
    for at in range(0, len(data) - 1, max(1, len(data) // 50)):
        (folder / name).write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        with pytest.raises(Refused):
            check_graph(folder / NAME)
    (folder / name).unlink()
    with pytest.raises(Refused):
        check_graph(folder / NAME)


@pytest.mark.parametrize(
    ("path", "value", "match"),
    [
        (("facts", 0, "kind"), "graph-firing", "malformed|two facts|is not understood"),
        (("facts", 0, "kind"), "units", "'units' is not understood"),
        (("facts", 0, "node"), 7, "two facts about one node"),
        (("facts",), FACTS[1:], "is not stated"),
        (("facts",), FACTS[:1], "the activation nodes with a fact"),
        (("facts",), [], "the activation nodes with a fact"),
        (("facts",), None, "facts are missing"),
        (("files", "data", "file"), "../data.npz", "a file is not named"),
        (("files", "graph", "file"), "data.npz", "a file is not named"),
        (("files", "other"), {}, "files are missing or unknown"),
        (("format",), "absence-graph-certificate/2", "not in the format"),
        (("more",), 1, "fields are missing or unknown"),
    ],
)
def test_a_certificate_that_says_otherwise_is_refused(folder, path, value, match):
    with pytest.raises(Refused, match=match):
        check_graph(resealed(folder, path, value))


@pytest.mark.parametrize(
    ("data", "match"),
    [
        ({"train": TRAIN[:2]}, "the number of rows"),
        ({"train": TRAIN[:, :3]}, "inputs do not fit"),
        ({"train": TRAIN + 1}, "node 2"),
        ({"train": TRAIN * np.nan}, "not float64 and finite"),
        ({"train": TRAIN.astype(np.float32)}, "not float64 and finite"),
        ({"deploy": DEPLOY[:1]}, "the number of deployment rows"),
        ({"deploy": DEPLOY[::-1]}, "unit .5. of node 2 has not"),
        ({"deploy": None}, "names no deployment inputs"),
        ({"targets": TARGETS + 1}, "the loss"),
        ({"targets": None}, "names no targets"),
    ],
)
def test_other_data_are_refused(tmp_path, data, match):
    given = {"train": TRAIN, "deploy": DEPLOY, "targets": TARGETS} | data
    with pytest.raises(Refused, match=match):
        check_graph(write(tmp_path, certificate_files(NET, given.pop("train"), FACTS, **given)))

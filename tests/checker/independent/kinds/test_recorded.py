"""Facts about recorded activations: those that are made are accepted and so; a changed number is refused."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.checker.independent.results.recorded import check_recorded
from proof_of_absence.checker.kernel.certificate import seal
from proof_of_absence.checker.recorded.engine import examine
from proof_of_absence.models.files.recording import read_recording
from tests.checker.independent.kinds import recorded as oracle

ENTRIES = st.sampled_from([0.0, -0.0, 0.5, 1.0, -3.0, 2.0**-40, 2.0**60 + 2.0**10])


@st.composite
def recordings(draw, rows=7, columns=4):
    """Training and deployment rows: columns are often constant, equal, or sums of one another."""
    n, d, p = draw(st.integers(1, rows)), draw(st.integers(0, 4)), draw(st.integers(1, columns))
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    train, deploy = np.zeros((n, p)), np.zeros((d, p))
    for j in range(p):
        how = draw(st.sampled_from(["free", "constant", "sum", "equal"]))
        for array in (train, deploy):
            own = [draw(ENTRIES) for _ in range(len(array))]
            array[:, j] = own
            if how == "constant" and array is train:
                array[:, j] = own[0]
            if how == "sum" and j > 1:
                array[:, j] = array[:, 0] + array[:, 1]
            if how == "equal" and j:
                array[:, j] = array[:, j - 1]
    return train.astype(dtype), deploy.astype(dtype)


def made(folder, train, deploy):
    """The certificate of these rows, in a folder of its own."""
    arrays = {"X": train} | ({"deploy": deploy} if len(deploy) else {})
    np.savez(folder / "acts.npz", **arrays)
    audit = examine([read_recording(folder / "acts.npz")], named=lambda path: path.name)
    return write(folder, audit.certificate), audit


def write(folder, certificate):
    path = folder / "recorded.json"
    path.write_text(json.dumps(seal(certificate)))
    return path


@given(recordings())
def test_what_is_made_is_accepted_and_so(tmp_path_factory, rows):
    train, deploy = rows
    path, audit = made(tmp_path_factory.mktemp("acts"), train, deploy)
    (layer,) = check_recorded(path)["layers"]
    for fact in layer["facts"]:
        assert oracle.SAYS[fact["kind"]](train, deploy, fact), fact
    assert audit.exit_code == int(bool(audit.layers[0].constant))


def changes(node, path=()):
    """Every number and text in a fact, and a way to change it."""
    pairs = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in pairs:
        yield from changes(value, (*path, key))
    if isinstance(node, list) and node:
        yield path, node[:-1]
        yield path, [*node, node[-1]]
    elif type(node) is int:
        yield path, node + 1
    elif isinstance(node, str) and path[-1] != "kind":
        yield path, (float.fromhex(node) + 1).hex() if "0x" in node else node + "1"


def put(node, path, value):
    if not path:
        return value
    if isinstance(node, dict):
        return node | {path[0]: put(node[path[0]], path[1:], value)}
    return [put(entry, path[1:], value) if k == path[0] else entry for k, entry in enumerate(node)]


TRAIN = np.array([[0, 1, 5, 1], [0, 2, 5, 2], [0, 4, 5, 4]], np.float32)
DEPLOY = np.array([[0, 1, 5, 1], [3, 1, 5, 2], [3, 2, 7, 2]], np.float32)


def test_every_change_of_a_fact_is_refused(tmp_path):
    path, audit = made(tmp_path, TRAIN, DEPLOY)
    facts, tried = audit.certificate["layers"][0]["facts"], 0
    for where, value in changes(facts):
        write(tmp_path, put(audit.certificate, ("layers", 0, "facts", *where), value))
        with pytest.raises(Refused):
            check_recorded(path)
        tried += 1
    assert tried > 20
    write(tmp_path, audit.certificate)
    check_recorded(path)


@pytest.mark.parametrize(
    ("where", "value", "match"),
    [
        (("train", 0, "sha256"), "0" * 64, "is not the file that was recorded"),
        (("train", 0, "file"), "other.npz", "other.npz is not there"),
        (("train", 0, "rows"), 2, "the rows of X in acts.npz: stated 2, recomputed 3"),
        (("train", 0, "array"), "deploy", "the rows of deploy in acts.npz: stated 3, recomputed 6"),
        (("train",), [], "no training rows"),
        (("deploy",), [], "stated just where there is one"),
        (("dtype",), "float64", "the type of X in acts.npz"),
        (("facts",), [], "the first fact says"),
        (("facts", 0, "kind"), "recorded-moves", "the first fact says|two facts of one kind"),
        (("facts", 1, "kind"), "units", "stated just where there is one"),
    ],
)
def test_another_file_or_a_missing_fact_is_refused(tmp_path, where, value, match):
    path, audit = made(tmp_path, TRAIN, np.vstack([DEPLOY, DEPLOY]))
    write(tmp_path, put(audit.certificate, ("layers", 0, *where), value))
    with pytest.raises(Refused, match=match):
        check_recorded(path)


def test_recorded_numbers_that_were_changed_are_refused(tmp_path):
    path, _ = made(tmp_path, TRAIN, DEPLOY)
    np.savez(tmp_path / "acts.npz", X=TRAIN + 1, deploy=DEPLOY)
    with pytest.raises(Refused, match=r"acts.npz is not the file that was recorded"):
        check_recorded(path)

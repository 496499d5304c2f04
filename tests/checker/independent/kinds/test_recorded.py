"""Facts about recorded activations: those that are made are accepted and so; a changed number is refused."""

import json
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.checker.independent.results.recorded import check_recorded
from proof_of_absence.checker.independent.values.recording import Window
from proof_of_absence.checker.kernel.certificate import seal
from proof_of_absence.checker.recorded import prices
from proof_of_absence.checker.recorded.certify import factor_bytes, factor_name
from proof_of_absence.checker.recorded.engine import Asked, examine
from proof_of_absence.models.files.recording import read_recording
from tests.checker.independent.kinds import float_readout
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
    test = np.vstack([deploy[:1], train[:1]]) if draw(st.booleans()) else np.zeros((0, p))
    return train.astype(dtype), deploy.astype(dtype), test.astype(dtype)


def made(folder, train, deploy, test=(), *, bounded=False, **asked):
    """The certificate of these rows, in a folder of its own; with bounds where exact numbers would do."""
    arrays = {"X": train} | ({"deploy": deploy} if len(deploy) else {}) | ({"test": test} if len(test) else {})
    np.savez(folder / "acts.npz", **arrays)
    with pytest.MonkeyPatch.context() as patch:
        if bounded:
            patch.setattr(prices, "moderate", lambda rows, width: False)
        audit = examine([read_recording(folder / "acts.npz")], Asked(named=lambda path: path.name, **asked))
    for k, layer in enumerate(audit.layers):
        if layer.priced and layer.priced.factor is not None:
            (folder / factor_name(k)).write_bytes(factor_bytes(layer.priced.factor))
    return write(folder, audit.certificate), audit


def write(folder, certificate):
    path = folder / "recorded.json"
    path.write_text(json.dumps(seal(certificate)))
    return path


def so(fact, train, deploy, test=()):
    """What the oracle says."""
    if fact["kind"] == "readout-prices":
        return float_readout.readout_prices(fact, {"training": train, "deployment": deploy, "test": test})
    return oracle.SAYS[fact["kind"]](train, deploy, fact)


@given(recordings(), st.sampled_from([0, Fraction(1, 3), Fraction(10**6)]), st.booleans())
def test_what_is_made_is_accepted_and_so(tmp_path_factory, rows, penalty, bounded):
    train, deploy, test = rows
    path, audit = made(tmp_path_factory.mktemp("acts"), *rows, penalty=Fraction(penalty), bounded=bounded)
    (layer,) = check_recorded(path)["layers"]
    for fact in layer["facts"]:
        assert so(fact, train, deploy, test), fact
    (found,) = audit.layers
    # All columns are settled, however few rows there are, and whatever was recorded is priced.
    assert found.rank.low == found.rank.high == train.shape[1] + 1 - len(found.constant) - len(found.joint)
    assert (found.priced is None) == (not len(deploy) and not len(test))
    assert found.priced is None or found.priced.exact != bounded
    assert audit.exit_code == (1 if found.constant or found.joint else 3 if found.undecided else 0)


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


TRAIN = np.array([[0, 1, 5, 1], [0, 2, 5, 2], [0, 4, 5, 4], [0, 4, 5, 4]], np.float32)
DEPLOY = np.array([[0, 1, 5, 1], [3, 1, 5, 2], [3, 2, 7, 2], [0, 9, 5, 9]], np.float32)


@pytest.mark.parametrize("bounded", [True, False])
def test_a_change_of_a_fact_is_refused_or_still_so(tmp_path, bounded):
    path, audit = made(tmp_path, TRAIN, DEPLOY, DEPLOY[:2], bounded=bounded)
    facts, refused, wider = audit.certificate["layers"][0]["facts"], 0, set()
    for where, value in changes(facts):
        changed = write(tmp_path, put(audit.certificate, ("layers", 0, "facts", *where), value))
        try:
            (layer,) = check_recorded(changed)["layers"]
        except Refused:
            refused += 1
            continue
        # Without its last fact it says nothing of prices.
        if where:
            assert so(layer["facts"][where[0]], TRAIN, DEPLOY, DEPLOY[:2])
            wider.add((facts[where[0]]["kind"], where[1]))
    # Another minor; wider bounds, unless they are exact; and a multiple of a relation.
    free = {("readout-prices", key) for key in ("rows", "directions")[1 - bounded :]} | {("recorded-rank", "rows")}
    assert refused > 60 and wider <= free
    write(tmp_path, audit.certificate)
    check_recorded(path)


@pytest.mark.parametrize(
    ("where", "value", "match"),
    [
        (("train", 0, "sha256"), "0" * 64, "is not the file that was recorded"),
        (("train", 0, "file"), "other.npz", "other.npz is not there"),
        (("train", 0, "rows"), 2, "the rows of X in acts.npz: stated 2, recomputed 4"),
        (("train", 0, "array"), "deploy", "the rows of deploy in acts.npz: stated 4, recomputed 8"),
        (("train",), [], "no training rows"),
        (("deploy",), [], "stated just where there is one"),
        (("dtype",), "float64", "the type of X in acts.npz"),
        (("facts",), [], "the first facts say"),
        (("facts", 0, "kind"), "recorded-moves", "two facts of one kind"),
        (("facts", 2, "kind"), "units", "stated just where there is one"),
        (("factor",), None, "another number is stated"),
        (("factor", "sha256"), "0" * 64, "is not the file that was audited"),
        (("facts", 3, "rows", "deployment"), [], "other deployment rows are listed"),
    ],
)
def test_another_file_or_a_missing_fact_is_refused(tmp_path, where, value, match):
    path, audit = made(tmp_path, TRAIN, np.vstack([DEPLOY, DEPLOY]), bounded=True)
    write(tmp_path, put(audit.certificate, ("layers", 0, *where), value))
    with pytest.raises(Refused, match=match):
        check_recorded(path)


@pytest.mark.parametrize("bounded", [True, False])
def test_training_rows_far_apart_are_read_without_those_between(tmp_path, monkeypatch, bounded):
    rng = np.random.default_rng(0)
    train = np.hstack([np.ones((20_000, 1)), rng.integers(-9, 9, (20_000, 2))])
    path, audit = made(tmp_path, train, train[:3] + 1, bounded=bounded)
    listed = audit.certificate["layers"][0]["facts"][3]["rows"]["training"]
    assert [entry["row"] for entry in listed] == [i * 20_000 // 2048 for i in range(2048)]
    held, rows = [], Window.rows

    def counting(self, first, end):
        held.append(end - first)
        return rows(self, first, end)

    monkeypatch.setattr(Window, "rows", counting)
    check_recorded(path)
    # Exact ones are of so few numbers that all rows are held at once.
    assert max(held) == (2048 if bounded else 20_000)
    changed = put(audit.certificate, ("layers", 0, "facts", 3, "rows", "training", 2047, "row"), 19_999)
    write(tmp_path, changed)
    with pytest.raises(Refused, match="other training rows are listed"):
        check_recorded(path)


def test_a_wider_scope_is_refused(tmp_path):
    path, audit = made(tmp_path, TRAIN, DEPLOY)
    write(tmp_path, audit.certificate | {"scope": "Scope: universal."})
    with pytest.raises(Refused, match="the scope is not that of recorded activations"):
        check_recorded(path)


def test_recorded_numbers_that_were_changed_are_refused(tmp_path):
    path, _ = made(tmp_path, TRAIN, DEPLOY)
    np.savez(tmp_path / "acts.npz", X=TRAIN + 1, deploy=DEPLOY)
    with pytest.raises(Refused, match=r"acts.npz is not the file that was recorded"):
        check_recorded(path)

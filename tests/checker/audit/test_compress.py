"""Compressed nets: the same outputs on the box by exact evaluation, certificates accepted, false ones refused."""

import json
import tempfile
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proof_of_absence.checker.audit.compress import Compressed, compress_net
from proof_of_absence.checker.audit.compress_certify import NAME, certify_compression
from proof_of_absence.checker.independent.folder import check_whole, whole_in
from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.checker.independent.results.compression import check_compression
from proof_of_absence.checker.kernel.certificate import seal
from proof_of_absence.checker.region.boxes import Region
from proof_of_absence.models.circuit import Unit
from proof_of_absence.models.files import InputError
from proof_of_absence.models.floatnet import FloatNet
from tests.checker.audit.conftest import PLAIN, float_nets

QUARTERS = st.integers(-8, 8).map(lambda n: Fraction(n, 4))


@st.composite
def cases(draw):
    """A net with duplicates, empty, dead and constant units; a box or none; and inputs, of the box if there is one."""
    net, _ = draw(float_nets(entries=PLAIN, depth=3))
    layers = [(weights.copy(), bias.copy()) for weights, bias in net.layers]
    for weights, _ in layers[1:]:
        if draw(st.booleans()):
            weights[:, draw(st.integers(0, weights.shape[1] - 1))] = 0
    # Multiples by powers of two, so that merges are exact; biases that make units active all over small boxes.
    for rows, bias in layers[:-1]:
        if len(rows) > 1 and draw(st.booleans()):
            factor = draw(st.sampled_from([1.0, 2.0, -1.0, 0.5]))
            rows[-1], bias[-1] = factor * rows[0], draw(st.sampled_from([0.0, 1.0, 4.0]))
        if draw(st.booleans()):
            bias += 8
    net = FloatNet(layers)
    ends = [sorted((draw(QUARTERS), draw(QUARTERS))) for _ in range(net.widths[0])]
    region = Region("box", tuple((a, b) for a, b in ends)) if draw(st.integers(0, 3)) else None
    corners = [[draw(st.sampled_from([a, b, (a + b) / 2, (2 * a + b) / 3])) for a, b in ends] for _ in range(6)]
    return net, region, corners


@given(cases())
def test_the_outputs_on_the_box_are_the_same_and_the_certificate_is_accepted(case):
    net, region, inputs = case
    found = compress_net(net, region)
    old, new = net.exact(), found.net.exact()
    for z in inputs:
        assert old(z) == new(z)
    assert sum(net.widths) - sum(found.net.widths) == len(found.removed)
    assert all(width for width in found.net.widths) and found.net.dtype == net.dtype
    with tempfile.TemporaryDirectory() as folder:
        check_compression(certify_compression(Path(folder), found))


@given(cases())
def test_units_are_off_or_on_as_the_counts_say(case):
    net, region, inputs = case
    found = compress_net(net, region)
    for removal in found.removed:
        values = [net.exact().activations(z)[removal.unit.layer][removal.unit.index] for z in inputs]
        if removal.how == "off":
            assert not any(values)
        if removal.how == "merged":
            others = [net.exact().activations(z)[removal.unit.layer] for z in inputs]
            for value, row in zip(values, others, strict=True):
                assert value == removal.shift + sum(factor * row[unit.index] for unit, factor in removal.terms)


def test_without_a_region_only_units_that_send_nothing_go():
    net = FloatNet([([[1.0], [2.0], [0.0]], [0.0, 0.0, 1.0]), ([[1.0, 0.0, 3.0]], [0.0])])
    found = compress_net(net)
    assert [(removal.unit, removal.how) for removal in found.removed] == [(Unit(1, 1), "empty")]


def test_a_unit_whose_readers_are_gone_goes_too():
    net = FloatNet([([[1.0], [2.0]], [0.0, 0.0]), ([[1.0, 0.0], [0.0, 1.0]], [0.0, 0.0]), ([[1.0, 0.0]], [0.0])])
    assert compress_net(net).net.widths == (1, 1, 1, 1)


def test_a_merge_that_no_float_holds_is_left_and_named():
    # The two units are active on the box; 0.1 + 5 * 0.1 is no float32.
    tenth = float(np.float32(0.1))
    net = FloatNet([([[1.0], [5.0]], [1.0, 5.0]), ([[tenth, tenth]], [0.0])], np.float32)
    found = compress_net(net, Region("box", ((Fraction(0), Fraction(1)),)))
    assert found.left == (Unit(1, 1),) and not found.removed and found.net.widths == net.widths and found.stable == 2


def test_a_unit_is_merged_into_several():
    net = FloatNet([([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]], [1.0, 2.0, 7.0]), ([[1.0, 1.0, 2.0]], [0.0])])
    found = compress_net(net, Region("box", ((Fraction(0), Fraction(1)),) * 2))
    assert [(removal.unit, [unit.index for unit, _ in removal.terms]) for removal in found.removed] == [
        (Unit(1, 2), [0, 1])
    ]
    assert found.net.layers[1].weights.tolist() == [[3.0, 3.0]] and found.net.layers[1].bias.tolist() == [8.0]


def test_a_layer_that_is_off_altogether_keeps_a_unit():
    net = FloatNet([([[1.0], [2.0]], [-9.0, -9.0]), ([[1.0, 1.0]], [0.5])])
    found = compress_net(net, Region("box", ((Fraction(0), Fraction(1)),)))
    assert found.net.widths == (1, 1, 1) and found.net.exact()([1]) == (Fraction(1, 2),)


def test_a_box_of_another_width_is_refused():
    with pytest.raises(InputError, match="box: is a box of 2 inputs, the net reads 1"):
        compress_net(FloatNet([([[1.0]], [0.0]), ([[1.0]], [0.0])]), Region("box", ((Fraction(0), Fraction(1)),) * 2))


@pytest.fixture
def example() -> Compressed:
    """Two layers; of the first, unit 0 and 2 are active and alike, 1 is off, 3 sends nothing, 4 changes sign."""
    first = ([[1.0], [-1.0], [2.0], [1.0], [2.0]], [1.0, -1.0, 4.0, 0.0, -1.0])
    second = ([[1.0, 5.0, 3.0, 0.0, 1.0], [1.0, 1.0, 0.5, 0.0, -2.0]], [0.0, -50.0])
    net = FloatNet([first, second, ([[1.0, 1.0]], [0.0])])
    return compress_net(net, Region("box", ((Fraction(0), Fraction(1)),)))


def change(field, value, at=None):
    """A change of the certificate, or of one removal in it."""

    def edit(certificate):
        (certificate if at is None else certificate["removed"][at])[field] = value

    return edit


def swap(certificate):
    files = certificate["files"]
    files["before"], files["after"] = files["after"], files["before"]


FALSE = {
    "no bounds": change("bounds", []),
    "no region": change("region", None),
    "a wider box": change("region", {"low": ["-2"], "high": ["1"]}),
    "a tighter bound": lambda c: c["bounds"][0].__setitem__(2, "100"),
    "a removal left out": lambda c: c["removed"].pop(),
    "a removal twice": lambda c: c["removed"].append(c["removed"][0]),
    "another unit": change("unit", 4, at=0),
    "no such unit": change("unit", 99, at=0),
    "a truth value as a unit": change("unit", True, at=0),
    "no such layer": change("layer", 3, at=0),
    "another way": change("how", "dead", at=0),
    "empty, but it sends": lambda c: [r.update(how="empty") for r in c["removed"] if r["how"] == "off"],
    "off, but it is on": lambda c: [r.update(how="off") for r in c["removed"] if r["how"] == "merged"],
    "another factor": lambda c: [r["terms"][0].__setitem__(1, "3") for r in c["removed"] if r["how"] == "merged"],
    "a term left out": lambda c: [r["terms"].pop() for r in c["removed"] if r["how"] == "merged"],
    "a term twice": lambda c: [r["terms"].append(r["terms"][0]) for r in c["removed"] if r["how"] == "merged"],
    "another shift": lambda c: [r.update(shift="3") for r in c["removed"] if r["how"] == "merged"],
    "merged into itself": lambda c: [
        r.update(terms=[[r["unit"], "1"]], shift="0") for r in c["removed"] if r["how"] == "merged"
    ],
    "the nets the other way round": swap,
    "a file missing": lambda c: c["files"].pop("after"),
    "another field": change("more", 1),
}  # fmt: skip


def test_the_example_has_every_kind(example, tmp_path):
    assert {removal.how for removal in example.removed} == {"off", "empty", "merged"}
    path = certify_compression(tmp_path, example)
    assert whole_in(tmp_path) == path
    said = f"{len(example.removed)} units removed, and the outputs on the region the same over the reals"
    assert check_whole(path) == said


@pytest.mark.parametrize("name", FALSE)
def test_what_is_false_is_refused_whoever_sealed_it(example, tmp_path, name):
    path = certify_compression(tmp_path, example)
    certificate = json.loads(path.read_text())
    before = json.dumps(certificate)
    FALSE[name](certificate)
    assert json.dumps(certificate) != before
    path.write_text(json.dumps(seal({key: value for key, value in certificate.items() if key != "digest"})))
    with pytest.raises(Refused):
        check_compression(path)


def test_another_net_in_the_folder_is_refused(example, tmp_path):
    path = certify_compression(tmp_path, example)
    (tmp_path / "after.npz").write_bytes((tmp_path / "before.npz").read_bytes())
    with pytest.raises(Refused, match=r"after\.npz is not the file"):
        check_compression(path)
    assert path.name == NAME

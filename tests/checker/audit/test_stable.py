"""Units that are stable on a box, by search: all that brute force finds on an interval, and proofs that are checked."""

import json
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proof_of_absence.checker.audit.compress import compress_net
from proof_of_absence.checker.audit.compress_certify import certify_compression
from proof_of_absence.checker.audit.stable import stability
from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.checker.independent.results.compression import check_compression
from proof_of_absence.checker.kernel.certificate import seal
from proof_of_absence.checker.region.bounds import OFF, ON, UNKNOWN
from proof_of_absence.checker.region.boxes import Region
from proof_of_absence.models.circuit import Unit
from proof_of_absence.models.floatnet import FloatNet
from tests.checker.audit.test_command import absence

SECONDS = 30


def pre_activations(net, z):
    """Of every hidden layer at one number, exactly."""
    found = net.exact().activations([z])
    return [layer(below) for layer, below in zip(net.exact().layers[:-1], found, strict=False)]


def by_hand(net, low, high):
    """ON, OFF or UNKNOWN of each hidden unit on an interval: pre-activations are linear between the places found."""
    places = {low, high}
    for m in range(len(net.layers) - 1):
        new = set()
        for a, b in pairwise(sorted(places)):
            for x, y in zip(pre_activations(net, a)[m], pre_activations(net, b)[m], strict=True):
                if x * y < 0:
                    new.add(a + (b - a) * x / (x - y))
        places |= new
    values = [pre_activations(net, z) for z in sorted(places)]
    signs = []
    for m, width in enumerate(net.widths[1:-1]):
        ends = [[row[m][j] for row in values] for j in range(width)]
        signs.append([OFF if max(v) <= 0 else ON if min(v) >= 0 else UNKNOWN for v in ends])
    return signs


@st.composite
def nets(draw):
    """Of one input, so that brute force is exact; second layers often stable, where bounds lose track."""
    widths = [1, *[draw(st.integers(1, 4)) for _ in range(draw(st.integers(1, 3)))], 1]
    entries = st.integers(-6, 6).map(lambda n: n / 2)
    layers = [
        (
            [[draw(entries) for _ in range(fan_in)] for _ in range(fan_out)],
            [draw(entries) for _ in range(fan_out)],
        )
        for fan_in, fan_out in pairwise(widths)
    ]
    return FloatNet(layers)


@settings(max_examples=40, deadline=None)
@given(nets(), st.integers(-8, 8), st.integers(0, 12))
def test_the_search_finds_what_brute_force_finds(net, start, length):
    low, high = Fraction(start, 4), Fraction(start + length, 4)
    found = stability(net, Region("interval", ((low, high),)), seconds=SECONDS)
    assert not found.undecided
    assert [row.tolist() for row in found.status] == by_hand(net, low, high)
    assert found.varying == sum(sign == UNKNOWN for row in by_hand(net, low, high) for sign in row)


# Unit (2, 0) is relu(-z), unit (2, 1) is -|z|: no bound shows the one to be at least 0, nor the other at most.
FIRST = [[1.0], [-1.0], [2.0]], [0.0, 0.0, 0.0]
SECOND = [[1.0, 1.0, -0.5], [-1.0, -1.0, 0.0], [1.0, -1.0, 0.0]], [0.0, 0.0, 0.0]
NET = FloatNet([FIRST, SECOND, ([[1.0, 1.0, 1.0]], [0.0])])
BOX = Region("box", ((Fraction(-1), Fraction(1)),))


@pytest.fixture
def searched(tmp_path):
    found = compress_net(NET, BOX, seconds=SECONDS)
    proved = sorted((proved.unit, proved.sign) for proved in found.stability.searched)
    assert proved == [(Unit(2, 0), ON), (Unit(2, 1), OFF)] and (Unit(2, 1), "off") in [
        (removal.unit, removal.how) for removal in found.removed
    ]
    return certify_compression(tmp_path, found)


def test_bounds_alone_leave_it_open_and_with_no_time_it_is_named():
    assert compress_net(NET, BOX).stable == 0 and not compress_net(NET, BOX).removed
    found = stability(NET, BOX, seconds=1e-9)
    assert found.varying + len(found.undecided) + sum(int((row != UNKNOWN).sum()) for row in found.status) == 6


FALSE = {
    "another sign": lambda c: [entry.update(sign=-entry["sign"]) for entry in c["searched"]],
    "no sign": lambda c: c["searched"][0].update(sign=0),
    "a truth value": lambda c: c["searched"][0].update(sign=True),
    "another unit": lambda c: c["searched"][0].update(unit=2),
    "no such unit": lambda c: c["searched"][0].update(unit=9),
    "no such layer": lambda c: c["searched"][0].update(layer=3),
    "no tree": lambda c: c["searched"][0].update(tree={"leaf": "constant"}),
    "an open tree": lambda c: c["searched"][0].update(tree={"open": {"whole": True}}),
    "another field": lambda c: c["searched"][0].update(more=1),
    "no list": lambda c: c.update(searched={}),
    "no region": lambda c: c.update(region=None, bounds=[]),
    "a wider box": lambda c: c["region"].update(high=["100"], low=["-200"]),
    "a fact left out": lambda c: c.pop("searched"),
}


@pytest.mark.parametrize("name", FALSE)
def test_a_search_that_was_changed_is_refused(searched, name):
    assert check_compression(searched)
    certificate = json.loads(searched.read_text())
    FALSE[name](certificate)
    searched.write_text(json.dumps(seal({key: value for key, value in certificate.items() if key != "digest"})))
    with pytest.raises(Refused):
        check_compression(searched)


def test_what_only_the_search_shows_is_merged_by_the_console(tmp_path, monkeypatch):
    """Two copies of a unit that is on all over the box, which no bound shows: one is left."""
    monkeypatch.chdir(tmp_path)
    from proof_of_absence.models.files import onnx, read_net

    second = [*SECOND[0], [2.0, 2.0, -1.0]], [*SECOND[1], 0.0]
    onnx.write("net.onnx", FloatNet([FIRST, second, ([[1.0, 1.0, 1.0, 1.0]], [0.0])], np.float32))
    np.savez("train.npz", X=np.linspace(-1, 1, 9)[:, None])
    lines = "(declare-const X_0 Real)(declare-const Y_0 Real)(assert (<= X_0 1))(assert (>= X_0 -1))"
    (tmp_path / "box.vnnlib").write_text(lines)
    given = ["harden", "net.onnx", "--train", "train.npz", "--compress", "--region", "box.vnnlib", "-o"]
    told = absence(*given, "bounds.onnx", "--seconds", "0", expect=0)
    assert "by search" not in told
    told = absence(*given, "new.onnx", "--seconds", "20", expect=0)
    assert "3 of them by search" in told and "undecided" not in told
    wide, narrow = (sum(read_net(name).widths) for name in ("bounds.onnx", "new.onnx"))
    assert narrow < wide
    assert "units removed" in absence("check", "new.onnx.compression", expect=0)

"""Stages of an audit of a graph that are kept between runs: taken where facts show them, and never instead of more."""

import json
import signal
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import onnx
import onnx.numpy_helper
import onnx.parser
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proof_of_absence.checker.graph.command import Asked, audit_graph
from proof_of_absence.checker.graph.engine import examine
from proof_of_absence.checker.graph.kept import decided
from proof_of_absence.checker.graph.report.report_json import to_json
from proof_of_absence.checker.kernel import stages as module
from proof_of_absence.checker.kernel.fuller import undone
from proof_of_absence.checker.kernel.kept import keep
from proof_of_absence.checker.numbers.deadline import Deadline
from proof_of_absence.checker.region.boxes import Region
from proof_of_absence.models.files.whole import Owner
from proof_of_absence.models.graph import Graph, Node
from proof_of_absence.models.graph_layers import Conv, Dense, Rearrange, Relu
from proof_of_absence.models.objective import objective
from proof_of_absence.models.windows import Window
from tests.checker.audit.test_deadline import Ticking
from tests.checker.console import absence, stopped

ROWS = np.random.default_rng(3).integers(0, 9, (12, 4)).astype(float)
DEPLOY = np.array([[0, 12.0, 0, 0], [1, 1, 1, 1], [9, 9, 9, 20]])
NET = Graph((1, 4), [
    Node(Conv([[[1.0, -1]], [[1, 0]]], [0.5, -9], Window((2,), (3,))), (0,)), Node(Relu(), (1,), "first"),
    Node(Rearrange(np.arange(6)), (2,)),
    Node(Dense([[1.0, 0, 0, 1, 1, 0], [-1, -1, -1, -1, -1, 0], [0, 2, 1, 0, 0, 1]], [0.5, -1, 0]), (3,)),
    Node(Relu(), (4,), "last"), Node(Dense([[1.0, 2.0, 1.0]], [0]), (5,)),
])  # fmt: skip
BOXES = tuple(Region(name, ((Fraction(0), Fraction(top)),) * 4) for name, top in (("small", 8), ("wide", 12)))
AIM = objective(1, ROWS.sum(axis=1, keepdims=True), None, "squared")
OWNER = Owner("audit", "net", other="of another net")


@pytest.fixture(autouse=True, scope="module")
def what_is_found_at_once_is_taken_too():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "QUICK", 0.0)
        yield


def run(folder, looks=10**9, force=False):
    """An audit that is over at that look at the clock; what it found, and whether an earlier report stands."""
    asked = Asked(NET, ROWS, AIM, DEPLOY, BOXES)
    return audit_graph(asked, Deadline(looks, Ticking()), folder, OWNER, force=force)


def told(audit):
    """The report without its times."""
    return to_json(audit) | {"seconds": None}


def test_a_second_run_takes_all_that_facts_show(tmp_path):
    whole, stands = run(tmp_path / "out")
    again, other = run(tmp_path / "out")
    assert not (stands or other or whole.kept)
    assert set(again.kept) == {"units", "firing", "lower loss", "box small", "box wide"} and told(again) == told(whole)
    assert "Not looked at" in absence("check", "out", cwd=tmp_path)


@pytest.mark.parametrize("stage", ["units", "firing", "lower loss", "box small"])
def test_what_facts_do_not_show_is_found_again(tmp_path, stage):
    whole, _ = run(tmp_path / "out")
    for path in (tmp_path / "out" / "stages").glob("*.json"):
        part = json.loads(path.read_text())
        if part.get("stage") != stage:
            continue
        fact = part["value"][0]
        match stage:
            case "units":
                fact["dead"], fact["witness"] = [0, *fact["dead"]], fact["witness"][1:]
            case "firing":
                fact["fires"] = fact["fires"][:-1]
            case "lower loss":
                fact["loss_after"] = ["0", "0"]
            case _:
                fact["still"] = sorted([*fact["still"], *(entry for entry, _ in fact["acts"]), 0])
        # Sealed again, under its own key.
        keep(path, part["key"], {name: part[name] for name in ("stage", "value", "seconds")})
    again, _ = run(tmp_path / "out")
    assert stage not in again.kept and told(again) == told(whole)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=2, max_size=4), st.booleans())
def test_the_report_that_stands_has_all_that_any_before_it_had(tmp_path_factory, ends, cached):
    clock, folder = Ticking(), tmp_path_factory.mktemp("runs") / "out"
    examine(NET, ROWS, AIM, deploy=DEPLOY, regions=BOXES, deadline=Deadline(10**9, clock))
    before = {}
    for end in ends:
        audit, stands = run(folder, max(1, int(1.3 * end * clock.looks)))
        lost = undone(before, decided(audit))
        assert bool(lost) == (stands is not None)
        before = before if lost else decided(audit)
        if not cached:
            for path in (folder / "stages").glob("?" * 32 + ".json"):
                path.unlink()
    absence("check", "out", cwd=folder.parent)
    # A report of other boxes, or by force, is another matter.
    asked = Asked(NET, ROWS, AIM, DEPLOY)
    assert audit_graph(asked, Deadline(1, Ticking()), folder, OWNER)[1] is None
    assert run(folder, 1, force=True)[1] is None


def test_a_run_that_is_killed_goes_on_from_what_it_kept(tmp_path):
    model = onnx.parser.parse_model("""
    <ir_version: 8, opset_import: ["": 17]>
    net (float[N, 1, 12, 12] x) => (float[N, 2] y) {
        stem = Conv<pads = [1, 1, 1, 1]>(x, W, b)
        first = Relu(stem)
        pool = GlobalAveragePool(first)
        flat = Flatten(pool)
        y = Gemm<transB = 1>(flat, U, d)
    }
    """)
    rng = np.random.default_rng(0)
    arrays = SimpleNamespace(W=rng.normal(size=(16, 1, 3, 3)), b=rng.normal(size=16), U=rng.normal(size=(2, 16)),
                             d=np.zeros(2))  # fmt: skip
    arrays.b[3] = -100
    for name, array in vars(arrays).items():
        model.graph.initializer.append(onnx.numpy_helper.from_array(array.astype(np.float32), name))
    onnx.save(model, tmp_path / "net.onnx")
    X = rng.uniform(0, 1, (3000, 1, 12, 12)).astype(np.float32)
    np.savez(tmp_path / "train.npz", X=X, Y=rng.integers(0, 2, 3000))
    np.savez(tmp_path / "deploy.npz", X=30 * X[:50])
    command = ("audit", "net.onnx", "--train", "train.npz", "--deploy", "deploy.npz")
    stopped(*command, cwd=tmp_path, how=signal.SIGKILL, parts="net.audit/stages/*.json")
    assert [path.name for path in (tmp_path / "net.audit").iterdir()] == ["stages"]
    absence(*command, cwd=tmp_path, expect=1)
    assert "Accepted" in absence("check", "net.audit", cwd=tmp_path)
    assert not list(tmp_path.rglob("*.tmp"))

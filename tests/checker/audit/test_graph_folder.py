"""Audits of networks that are no dense chain, by the console: the folder they leave, its check, and edits of it."""

import json

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from typer.testing import CliRunner

import proof_of_absence
from proof_of_absence.checker.cli import app
from proof_of_absence.checker.graph import divide
from proof_of_absence.checker.kernel.certificate import seal
from proof_of_absence.checker.passes.graph_forms import Limits
from proof_of_absence.models.files.disk import InputError
from proof_of_absence.models.graph import Graph, Node
from proof_of_absence.models.graph_layers import Conv, Dense, Rearrange, Relu
from proof_of_absence.models.windows import Window
from tests.models.files.onnx_graphs import run


def absence(*arguments, expect=0) -> str:
    """Run the command in this process; what it prints."""
    done = CliRunner().invoke(app, [str(word) for word in arguments], env={"COLUMNS": "200"})
    assert done.exit_code == expect, done.output
    return done.stdout + done.stderr


def model():
    """A convolution whose second channel fires above 9, a pool, and a dense layer on it."""
    weights = {
        "w": np.array([[[[1, -1]]], [[[1, 0]]]], np.float32), "b": np.array([0.5, -9], np.float32),
        "v": np.arange(8, dtype=np.float32).reshape(2, 4) / 4, "c": np.array([0.25, 0], np.float32),
    }  # fmt: skip
    nodes = [
        helper.make_node("Conv", ["x", "w", "b"], ["conv"], kernel_shape=[1, 2]),
        helper.make_node("Relu", ["conv"], ["relu"]),
        helper.make_node("MaxPool", ["relu"], ["pool"], kernel_shape=[1, 2], strides=[1, 2]),
        helper.make_node("Flatten", ["pool"], ["flat"]),
        helper.make_node("Gemm", ["flat", "v", "c"], ["y"], transB=1),
    ]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
            for name, shape in (("x", ["n", 1, 1, 5]), ("y", ["n", 2]))]  # fmt: skip
    tensors = [numpy_helper.from_array(array, name) for name, array in weights.items()]
    graph = helper.make_graph(nodes, "net", ends[:1], ends[1:], tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with a network and data, which is the current one."""
    rng = np.random.default_rng(1)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.onnx").write_bytes(model().SerializeToString())
    np.savez("train.npz", X=rng.integers(0, 9, (20, 1, 1, 5)).astype(np.float32), Y=rng.integers(0, 2, 20))
    np.savez("deploy.npz", X=np.array([[0, 0, 0, 0, 0], [0, 12, 0, 0, 0]], np.float32))
    return tmp_path


def audited(place):
    command = ["audit", "net.onnx", "--train", "train.npz", "--deploy", "deploy.npz", "--region-from-data"]
    absence(*command, "-o", "net.audit", expect=1)
    return place / "net.audit"


def test_a_planted_channel_is_found_and_the_folder_is_accepted(place):
    folder = audited(place)
    report = json.loads((folder / "report.json").read_text())
    (node,) = report["units"]
    assert node["idle_channels"] == [1] and node["fires"] == {"5": [1]}
    told = absence("check", folder)
    assert "Accepted" in told and "net.onnx" in told and "deploy.npz" in told and "report.html" in told


def residual():
    """Branches of a residual block, a leaky one and one that is clipped; unit 0 of `last` needs more than 4 of them."""
    weights = {
        "w": np.array([[[1, 1]], [[-1, -1]], [[1, -1]], [[-1, 1]]], np.float32), "b": np.zeros(4, np.float32),
        "v": np.array([[1, 1, 1, 1], [1, 0, 1, 0]], np.float32), "c": np.array([-4, 0], np.float32),
        "u": np.ones((1, 2), np.float32), "d": np.zeros(1, np.float32), "zero": np.float32(0), "six": np.float32(6),
    }  # fmt: skip
    nodes = [
        helper.make_node("Conv", ["x", "w", "b"], ["conv"], kernel_shape=[2]),
        helper.make_node("Relu", ["conv"], ["relu"]), helper.make_node("Clip", ["conv", "zero", "six"], ["clip"]),
        helper.make_node("Add", ["relu", "clip"], ["sum"]), helper.make_node("Flatten", ["sum"], ["flat"]),
        helper.make_node("Gemm", ["flat", "v", "c"], ["before"], transB=1),
        helper.make_node("LeakyRelu", ["before"], ["leaky"], alpha=0.5), helper.make_node("Relu", ["leaky"], ["last"]),
        helper.make_node("Gemm", ["last", "u", "d"], ["y"], transB=1),
    ]  # fmt: skip
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
            for name, shape in (("x", ["n", 1, 2]), ("y", ["n", 1]))]  # fmt: skip
    tensors = [numpy_helper.from_array(array, name) for name, array in weights.items()]
    graph = helper.make_graph(nodes, "net", ends[:1], ends[1:], tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def box(size):
    """Both inputs lie between these."""
    declared = "".join(f"(declare-const {name} Real)" for name in ("X_0", "X_1", "Y_0"))
    return declared + "".join(f"(assert (<= X_{k} {size}))(assert (>= X_{k} -{size}))" for k in range(2))


def test_what_bounds_leave_open_over_a_box_is_decided_and_accepted(place):
    """Twice |x + y| + |x - y| is at most 4 where neither is more than 1, which bounds do not show."""
    (place / "net.onnx").write_bytes(residual().SerializeToString())
    np.savez("train.npz", X=np.array([[[0.25, 0.5]], [[-0.5, -0.75]]], np.float32))
    for name, size in (("quiet", "1"), ("loud", "1.001")):
        (place / f"{name}.vnnlib").write_text(box(size))
    command = ["audit", "net.onnx", "--train", "train.npz", "-o", "net.audit"]
    told = absence(*command, "--region", "quiet.vnnlib", "--region", "loud.vnnlib", expect=1)
    assert "quiet.vnnlib, last: 1 of 1 idle unit surely idle there too" in told
    assert "loud.vnnlib, last: 1 of 1 idle unit act" in told
    report, certificate = (json.loads((place / "net.audit" / name).read_text())
                           for name in ("report.json", "certificate.json"))  # fmt: skip
    assert [(one["still"], list(one["acts"]), one["undecided"]) for one in report["boxes"]] == [
        ([0], [], []), ([], ["0"], []),
    ]  # fmt: skip
    assert "Accepted" in absence("check", "net.audit")
    quiet = next(fact for fact in certificate["facts"] if fact["kind"] == "graph-irrelevant" and fact["still"])
    assert [entry for entry, _ in quiet["trees"]] == [0]
    edited(place / "net.audit", "certificate.json", lambda told: [
        fact["trees"].clear() for fact in told["facts"] if fact["kind"] == "graph-irrelevant"])  # fmt: skip
    assert "is not shown to be still" in absence("check", "net.audit", expect=1)


def test_what_is_too_large_to_divide_is_told_with_the_reason(place, monkeypatch):
    (place / "net.onnx").write_bytes(residual().SerializeToString())
    np.savez("train.npz", X=np.array([[[0.25, 0.5]], [[-0.5, -0.75]]], np.float32))
    (place / "box.vnnlib").write_text(box(1))
    monkeypatch.setattr(divide, "LIMITS", Limits(pieces=2, numbers=1000))
    told = absence("audit", "net.onnx", "--train", "train.npz", "--region", "box.vnnlib", expect=1)
    reason = "it rests on more than 2 bends that bounds leave open"
    report = json.loads((place / "net.audit" / "report.json").read_text())
    assert report["boxes"][0]["undecided"] == [0] and report["boxes"][0]["reason"] == reason
    # A terminal breaks lines.
    assert reason in " ".join(told.split()) and reason in (place / "net.audit" / "report.html").read_text()
    assert "lines about what is open" in absence("check", "net.audit")


def test_the_command_to_copy_stands_whole_on_a_line_however_narrow_the_terminal(place):
    done = CliRunner().invoke(app, ["audit", "net.onnx", "--train", "train.npz"], env={"COLUMNS": "40"})
    assert "absence harden net.onnx --train train.npz -o net.hardened.onnx" in done.stdout.splitlines()


def test_a_repeated_audit_replaces_its_folder_and_that_of_another_net_is_left(place):
    folder = audited(place)
    audited(place)
    other = model()
    other.graph.initializer[1].CopyFrom(numpy_helper.from_array(np.array([0.5, -8.5], np.float32), "b"))
    (place / "net.onnx").write_bytes(other.SerializeToString())
    told = absence("audit", "net.onnx", "--train", "train.npz", "-o", "net.audit", expect=2)
    assert "another net" in told
    assert "net.onnx, which is not here" in absence("check", folder)
    assert "REFUSED" in absence("check", folder, "--net", "net.onnx", expect=1)


def test_a_batch_normalisation_with_roots_is_audited_and_accepted(place):
    """The first channel reads nothing and sends 1 / sqrt(2) throughout, the second one 0."""
    zeros, ones = np.zeros(2, np.float32), np.ones(2, np.float32)
    weights = {
        "w": np.array([[[[0, 0]]], [[[1, 0]]]], np.float32), "b": np.array([1, -9], np.float32), "scale": ones,
        "shift": zeros, "mean": zeros, "var": ones * 1.5, "v": np.ones((2, 8), np.float32), "c": zeros,
    }  # fmt: skip
    nodes = [
        helper.make_node("Conv", ["x", "w", "b"], ["conv"], kernel_shape=[1, 2]),
        helper.make_node("BatchNormalization", ["conv", "scale", "shift", "mean", "var"], ["norm"], epsilon=0.5),
        helper.make_node("Relu", ["norm"], ["relu"]), helper.make_node("Flatten", ["relu"], ["flat"]),
        helper.make_node("Gemm", ["flat", "v", "c"], ["y"], transB=1),
    ]  # fmt: skip
    ends = model().graph
    tensors = [numpy_helper.from_array(array, name) for name, array in weights.items()]
    graph = helper.make_graph(nodes, "net", list(ends.input), list(ends.output), tensors)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    (place / "net.onnx").write_bytes(made.SerializeToString())
    (node,) = json.loads((audited(place) / "report.json").read_text())["units"]
    assert node["idle_channels"] == [0, 1] and node["constant"] == [0, 1, 2, 3] and node["values"] == {}
    assert node["fires"] == {"5": [1]}
    assert "Accepted" in absence("check", place / "net.audit", "--net", "net.onnx")


def edited(folder, name, change):
    path = folder / name
    found = json.loads(path.read_text())
    change(found)
    if name == "certificate.json":
        found.pop("digest")
        path.write_text(json.dumps(seal(found), sort_keys=True, ensure_ascii=False) + "\n")
    else:
        path.write_text("{\n" + ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in found.items()) + "\n}\n")


@pytest.mark.parametrize(
    "change",
    [
        lambda report: report["units"][0]["dead"].pop(),
        lambda report: report["units"][0].update(fires={}),
        lambda report: report["net"].update(parameters=report["net"]["parameters"], nodes=4),
        lambda report: report["data"].update(rows=21),
        lambda report: report.update(undecided=[], not_asked=[]),
        lambda report: report["data"].update(loss=["0", "1"]),
        lambda report: report.update(headline="Clean"),
        lambda report: report["net"].update(source="other.onnx"),
    ],
)
def test_an_edited_report_is_refused(place, change):
    folder = audited(place)
    edited(folder, "report.json", change)
    assert "REFUSED" in absence("check", folder, expect=1)


@pytest.mark.parametrize(
    "change",
    [
        lambda told: told["facts"][0]["dead"].pop(),
        lambda told: told["facts"].pop(0),
        lambda told: told["facts"][1].update(fires=[]),
        lambda told: told["about"]["net"].update(parameters=1),
        lambda told: told["about"]["data"].update(rows=19),
        lambda told: told["files"].pop("data"),
    ],
)
def test_an_edited_certificate_is_refused(place, change):
    folder = audited(place)
    edited(folder, "certificate.json", change)
    assert "REFUSED" in absence("check", folder, expect=1)


@pytest.mark.parametrize("name", ["report.html", "graph.json", "graph.npz", "data.npz"])
def test_a_file_with_another_byte_is_refused(place, name):
    folder = audited(place)
    data = bytearray((folder / name).read_bytes())
    data[len(data) // 2] ^= 1
    (folder / name).write_bytes(data)
    assert "REFUSED" in absence("check", folder, expect=1)


def test_what_is_for_dense_chains_is_refused_by_name_before_any_work(place):
    told = absence("audit", "net.onnx", "--train", "train.npz", "--test", "deploy.npz", expect=2)
    assert "--test" in told and "Conv" in told and not (place / "net.audit").exists()


def test_rows_of_another_length_are_told_with_the_shape(place):
    np.savez("bad.npz", X=np.zeros((3, 4)))
    told = absence("audit", "net.onnx", "--train", "bad.npz", expect=2)
    assert "bad.npz: have 4 columns, the net reads 5 (1 x 1 x 5)" in told and not (place / "net.audit").exists()


def test_a_graph_in_python(tmp_path):
    conv = Conv([[[1.0, -1.0]], [[1.0, 0.0]]], [0.5, -9.0], Window((2,), (3,)))
    flat, out = Rearrange(np.arange(6), "Flatten"), Dense(np.ones((1, 6)), [0])
    net = Graph((1, 4), [Node(conv, (0,), "conv"), Node(Relu(), (1,), "relu"), Node(flat, (2,)), Node(out, (3,))])
    X = np.array([[[1.0, 2, 3, 0]], [[4, 0, 8, 1]], [[2, 2, 0, 5]]])
    found = proof_of_absence.audit(net, X, [0.0, 1.5, 1.25], deploy=[[0, 12.0, 0, 0]], output=tmp_path / "out")
    assert [channel.index for channel in found.nodes[0].channels] == [1] and found.nodes[0].fires[4] == (0,)
    assert "given in Python" in absence("check", tmp_path / "out")
    with pytest.raises(proof_of_absence.InputError, match="test: is for chains of dense layers"):
        proof_of_absence.audit(net, X, test=X)


def hardened(place, *more, expect=0):
    absence("harden", "net.onnx", "--train", "train.npz", "--deploy", "deploy.npz", "-o", "new.onnx", *more,
            expect=expect)  # fmt: skip
    return place / "new.onnx.proof"


def test_a_hardened_network_has_the_same_file_and_no_detector(place):
    proof = hardened(place)
    told = absence("check", proof)
    assert "Accepted" in told and "new.onnx" in told and "hardening.json" in told and "net.onnx" in told
    rows = np.load("train.npz")["X"]
    before, after = (run((place / name).read_bytes(), rows) for name in ("net.onnx", "new.onnx"))
    # All that was cut is 0 in float32: the same bits.
    assert before.tobytes() == after.tobytes()
    old, new = (onnx.load(place / name) for name in ("net.onnx", "new.onnx"))
    assert [node.SerializeToString() for node in old.graph.node] == [n.SerializeToString() for n in new.graph.node]
    absence("audit", "new.onnx", "--train", "train.npz", "--deploy", "deploy.npz", expect=0)
    listed = json.loads((proof / "hardening.json").read_text())
    assert listed["removed"][0]["fired"] == {"5": [1]} and listed["left"] == [] and listed["same_in_float32"]


@pytest.mark.parametrize(
    "change",
    [
        lambda told: told["removed"][0]["units"].pop(),
        lambda told: told["removed"].clear(),
        lambda told: told.update(same_in_float32=False),
        lambda told: told["left"].append({"node": 2, "unit": 0, "reason": "none"}),
        lambda told: told["files"]["net"].update(sha256="0" * 64),
    ],
)
def test_an_edited_list_of_removals_is_refused_or_its_file_is_not_looked_at(place, change):
    proof = hardened(place)
    path = proof / "hardening.json"
    told = json.loads(path.read_text())
    change(told)
    path.write_text(json.dumps(told, indent=1) + "\n")
    if told["files"]["net"]["sha256"] == "0" * 64:
        assert "net.onnx, which is not here" in absence("check", proof)
    else:
        assert "REFUSED" in absence("check", proof, expect=1)


def test_another_network_beside_the_proof_is_refused(place):
    proof = hardened(place)
    (place / "new.onnx").write_bytes((place / "net.onnx").read_bytes())
    assert "is not the hardened network" in absence("check", proof, expect=1)


def test_what_is_shared_is_left_and_named(place):
    rows = np.load("train.npz")["X"]
    rows[:, :, :, 3] = 0
    rows[:, :, :, 2] = 9
    np.savez("train.npz", X=rows)
    told = absence("harden", "net.onnx", "--train", "train.npz", "-o", "new.onnx", expect=1)
    assert "4 train-idle units taken out; 2 left" in told and "MaxPool reads it together with what works" in told
    assert "Accepted" in absence("check", "new.onnx.proof")
    told = absence("harden", "net.onnx", "--train", "train.npz", "-o", "b.onnx", "--compress", expect=2)
    assert "--compress: is for chains of dense layers" in told and not (place / "b.onnx").exists()


def test_hardening_in_python(place, tmp_path):
    rows, deploy = (np.load(f"{name}.npz")["X"] for name in ("train", "deploy"))
    made = proof_of_absence.harden("net.onnx", rows, deploy, output=tmp_path / "proof")
    assert made.found.removed == {2: (4, 5, 6, 7)} and made.found.left == ()
    assert "Accepted" in absence("check", tmp_path / "proof")


def with_a_tail(*, shared=False):
    """The convolution, then a hidden layer: unit 1 is dead, unit 2 sends 5. Or the outputs share a bias with it."""
    rng = np.random.default_rng(3)
    made = model()
    arrays = {
        "h": np.vstack([rng.standard_normal((1, 4)), -np.ones((1, 4)), np.zeros((1, 4))]), "hb": np.array([1, -1, 5]),
        "v": np.array([[1, 0.5, 0.25], [0.5, 1, 1]]), "c": np.array([0.25, 0]),
    }  # fmt: skip
    del made.graph.initializer[2:]
    made.graph.initializer.extend(numpy_helper.from_array(a.astype(np.float32), name) for name, a in arrays.items())
    del made.graph.node[4:]
    made.graph.node.extend([
        helper.make_node("Gemm", ["flat", "h", "hb"], ["hidden"], transB=1),
        helper.make_node("Relu", ["hidden"], ["sent"]),
        helper.make_node("Gemm", ["sent", "v", "c"], ["y"], transB=1),
    ])  # fmt: skip
    if shared:
        made.graph.node[-1].input[2] = "b"
    return made


@pytest.fixture
def better(place):
    """The folder of an audit that found a network with a lower loss."""
    (place / "net.onnx").write_bytes(with_a_tail().SerializeToString())
    return audited(place)


@pytest.mark.parametrize("loss", ["squared", "cross-entropy"])
def test_a_network_with_a_lower_loss_is_written_in_the_files_own_form(place, loss):
    (place / "net.onnx").write_bytes(with_a_tail().SerializeToString())
    data = np.load("train.npz")
    np.savez("train.npz", X=data["X"], Y=np.eye(2)[data["Y"]])
    told = absence("audit", "net.onnx", "--train", "train.npz", "--loss", loss, "-o", "net.audit", expect=1)
    assert "reused, with another output bias" in told and "improved.onnx in the folder" in told
    report = json.loads((place / "net.audit" / "report.json").read_text())
    assert report["improvement"]["file"] == "improved.onnx" and report["unimproved"] == ""
    assert {one["unit"] for one in report["improvement"]["units"]} <= {1, 2}
    before, after = (onnx.load(path).graph for path in ("net.onnx", "net.audit/improved.onnx"))
    assert before.node == after.node and before.input == after.input
    outputs = [run(path, data["X"]) for path in ("net.onnx", "net.audit/improved.onnx")]
    own = [_loss(found, np.eye(2)[data["Y"]], loss) for found in outputs]
    for value, part in zip(own, ("loss_before", "loss_after"), strict=True):
        assert value == pytest.approx(float(_fraction(report["improvement"][part][0])), rel=1e-4)
    assert own[1] < own[0]
    assert "improved.onnx agree" in absence("check", "net.audit")


def _fraction(text):
    top, _, below = text.partition("/")
    return int(top, 16) / int(below or "1", 16)


def _loss(outputs, targets, loss):
    if loss == "squared":
        return ((outputs - targets) ** 2).sum(axis=1).mean()
    return (np.log(np.exp(outputs).sum(axis=1)) - (outputs * targets).sum(axis=1)).mean()


def test_weights_that_the_file_shares_are_not_reassigned(place):
    (place / "net.onnx").write_bytes(with_a_tail(shared=True).SerializeToString())
    folder = audited(place)
    report = json.loads((folder / "report.json").read_text())
    assert report["improvement"] is None and "no array of its own holds the bias" in report["unimproved"]
    assert not (folder / "improved.onnx").exists() and "why no lower loss is shown" in absence("check", folder)
    assert "None is shown: idle units are not reused" in (folder / "report.html").read_text()


def test_an_improved_network_that_is_missing_or_another_is_refused(better):
    (better / "improved.onnx").unlink()
    assert "is missing" in absence("check", better, expect=1)
    for path in ("net.onnx", "other.onnx"):
        other = onnx.load("net.onnx")
        if path == "other.onnx":
            other.graph.initializer[-1].CopyFrom(numpy_helper.from_array(np.array([0.25, 1], np.float32), "c"))
        onnx.save(other, better / "improved.onnx")
        assert "is not the network of the certified improvement" in absence("check", better, expect=1)


def test_an_improved_network_lies_where_it_is_asked_for_and_replaces_no_file(place):
    (place / "net.onnx").write_bytes(with_a_tail().SerializeToString())
    command = ["audit", "net.onnx", "--train", "train.npz", "--improved"]
    absence(*command, "better/net.onnx", expect=1)
    assert not (place / "net.audit" / "improved.onnx").exists()
    assert "net.onnx agree" in absence("check", "net.audit")
    held = (place / "better" / "net.onnx").read_bytes()
    assert "lies there already" in absence(*command, "better/net.onnx", expect=2)
    assert "is read here" in absence(*command, "net.onnx", "--force", expect=2)
    assert "written as ONNX" in absence(*command, "net.pt", expect=2)
    assert (place / "better" / "net.onnx").read_bytes() == held
    onnx.save(model(), "better/net.onnx")
    assert "is not the network of the certified improvement" in absence("check", "net.audit", expect=1)
    (place / "better" / "net.onnx").unlink()
    assert "the improved network, which is not in" in absence("check", "net.audit")


def test_an_improved_network_that_no_report_tells_of_is_refused(place):
    folder = audited(place)
    onnx.save(model(), folder / "improved.onnx")
    assert "tells of no improvement" in absence("check", folder, expect=1)


@pytest.mark.parametrize(
    "change",
    [
        lambda told: told.update(improvement=None),
        lambda told: told["improvement"].update(file=""),
        lambda told: told["improvement"].update(loss_after=["0", "1"]),
        lambda told: told["improvement"]["units"][0].update(bias="7"),
        lambda told: told.update(unimproved="no"),
    ],
)
def test_an_edited_improvement_is_refused(better, change):
    edited(better, "report.json", change)
    assert "REFUSED" in absence("check", better, expect=1)


def test_from_python_it_is_told_and_written_beside_a_file(better, tmp_path):
    data = np.load("train.npz")
    found = proof_of_absence.audit("net.onnx", data["X"], data["Y"], output=tmp_path / "py.audit")
    assert found.improvement is not None and found.improvement.file == "improved.onnx"
    assert (tmp_path / "py.audit" / "improved.onnx").read_bytes() == (better / "improved.onnx").read_bytes()
    alone = proof_of_absence.audit("net.onnx", data["X"], data["Y"])
    assert alone.improvement is not None and alone.improvement.file == ""


def test_a_network_that_the_file_does_not_hold_is_not_claimed(place, monkeypatch):
    def refusing(like, path, graph, *, spare):
        raise InputError(f"{path}: its types do not hold a number")

    (place / "net.onnx").write_bytes(with_a_tail().SerializeToString())
    monkeypatch.setattr("proof_of_absence.models.files.graph_write.rewrite", refusing)
    folder = audited(place)
    report = json.loads((folder / "report.json").read_text())
    assert report["improvement"] is None and "cannot be written" in report["unimproved"]
    assert not (folder / "improved.onnx").exists() and "Accepted" in absence("check", folder)


def test_rows_with_axes_in_another_order_are_refused_before_any_work(place):
    """Channels last, where the net reads them first: flattened, they would be other inputs."""
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 2, 3]) for name in "xy"]
    nodes = [helper.make_node("Relu", ["x"], ["h"]), helper.make_node("Neg", ["h"], ["y"])]
    graph = helper.make_graph(nodes, "net", ends[:1], ends[1:])
    imports = [helper.make_opsetid("", 17)]
    (place / "net.onnx").write_bytes(helper.make_model(graph, opset_imports=imports, ir_version=8).SerializeToString())
    rows = np.arange(24.0).reshape(4, 2, 3)
    np.savez("right.npz", X=rows)
    np.savez("last.npz", X=rows.transpose(0, 2, 1))
    for words in (["--train", "last.npz"], ["--train", "right.npz", "--deploy", "last.npz"]):
        for command in (["audit", "net.onnx", *words], ["harden", "net.onnx", *words, "-o", "hard.onnx"]):
            told = absence(*command, expect=2)
            assert "last.npz: has inputs of shape 3 x 2, the net reads 2 x 3; give the axes that order" in told
    assert not {"net.audit", "hard.onnx"} & {path.name for path in place.iterdir()}
    with pytest.raises(InputError, match="X: has inputs of shape 3 x 2"):
        proof_of_absence.audit("net.onnx", rows.transpose(0, 2, 1))

"""No audit replaces a file that it reads, the audit of another net, or what it did not write."""

import hashlib
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

import proof_of_absence
from proof_of_absence.models.files import InputError, onnx
from proof_of_absence.models.floatnet import FloatNet
from tests.checker.audit.test_command import absence

X, Y = np.array([[0.0], [1.0], [2.0]]), np.array([[0.0], [1.5], [1.0]])


def net(bias):
    return FloatNet([([[1.0], [1.0]], [0.0, bias]), ([[1.0, 5.0]], [0.0])], np.float32)


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """Two nets of one name, and data of the names that an audit writes."""
    monkeypatch.chdir(tmp_path)
    for folder, bias in (("a", -9.0), ("b", -8.0), ("data", -7.0)):
        Path(folder).mkdir()
        onnx.write(f"{folder}/net.onnx", net(bias))
    for folder in (".", "data"):
        np.savez(f"{folder}/train.npz", X=X, Y=Y)
        np.savez(f"{folder}/deploy.npz", X=X + 20)
    shutil.copy("a/net.onnx", "model.onnx")


def files():
    return {str(p): hashlib.sha256(p.read_bytes()).hexdigest() for p in Path().rglob("*") if p.is_file()}


def refused(*words, match):
    """The command refuses in one line, and every file is as it was."""
    before = files()
    told = absence("audit", *words, expect=2)
    assert match in told and told.count("\n") == 1, told
    assert files() == before


DATA = ("--train", "train.npz", "--deploy", "deploy.npz")


@pytest.mark.parametrize("force", [(), ("--force",)], ids=["", "force"])
@pytest.mark.parametrize(
    ("words", "match"),
    [
        (("model.onnx", *DATA, "-o", "."), "holds model.onnx, which is read here"),
        (("model.onnx", "--train", "data/train.npz", "-o", "data"), "holds data/train.npz, which is read here"),
        (("model.onnx", *DATA, "--improved", "model.onnx"), "is model.onnx, which is read here"),
    ],
)
def test_no_input_is_ever_replaced(words, match, force):
    refused(*words, *force, match=match)


@pytest.mark.parametrize("link", [os.link, os.symlink])
def test_nor_under_another_name(link):
    Path("out").mkdir()
    link(Path("train.npz").resolve(), "out/train.npz")
    refused("model.onnx", *DATA, "-o", "out", "--force", match="is train.npz, which is read here")
    link(Path("model.onnx").resolve(), "better.onnx")
    refused("model.onnx", *DATA, "--improved", "better.onnx", "--force", match="is model.onnx, which is read here")


def test_the_audit_of_another_net_is_replaced_only_when_asked():
    absence("audit", "a/net.onnx", *DATA, expect=1)
    first = files()
    absence("audit", "a/net.onnx", *DATA, expect=1)
    refused("b/net.onnx", *DATA, match="holds what absence audit made of another net, net.onnx")
    absence("audit", "b/net.onnx", *DATA, "--force", expect=1)
    assert files()["net.audit/report.json"] != first["net.audit/report.json"]
    absence("check", "net.audit", expect=0)


def test_other_files_are_left_alone():
    Path("out").mkdir()
    Path("out/notes.txt").write_text("mine")
    refused("model.onnx", *DATA, "-o", "out", match="is no folder of absence audit (it holds notes.txt)")
    absence("audit", "model.onnx", *DATA, "-o", "out", "--force", expect=1)
    assert Path("out/notes.txt").read_text() == "mine"
    Path("kept.onnx").write_bytes(b"mine")
    refused("model.onnx", *DATA, "--improved", "kept.onnx", match="lies there already")


def test_a_run_that_ended_while_it_wrote_may_go_on():
    absence("audit", "model.onnx", *DATA, "-o", "out", expect=1)
    Path("out/report.json").unlink()
    absence("audit", "model.onnx", *DATA, "-o", "out", expect=1)


def test_what_was_changed_since_is_not_ours():
    absence("audit", "model.onnx", *DATA, "-o", "out", expect=1)
    for name in ("improved.onnx", "report.html"):
        whole = Path("out", name).read_bytes()
        Path("out", name).write_bytes(b"mine")
        refused("model.onnx", *DATA, "-o", "out", match=f"{name}: was changed, or written by others")
        Path("out", name).write_bytes(whole)
    Path("out/report.html").write_bytes(b"mine")
    absence("audit", "model.onnx", *DATA, "-o", "out", "--force", expect=1)
    assert Path("out/report.html").read_bytes() != b"mine"


def test_the_current_folder_is_refused(monkeypatch):
    Path("out/deep").mkdir(parents=True)
    for here, up in (("out", Path("..")), ("deep", Path("../.."))):
        monkeypatch.chdir(here)
        words = (str(up / "model.onnx"), "--train", str(up / "train.npz"), "--force")
        refused(*words, "-o", str(up / "out"), match="holds the current folder")
        refused(*words, "-o", ".", match="holds the current folder")


def test_an_improved_net_in_the_folder_and_one_in_the_place_of_a_folder():
    words = ("model.onnx", *DATA, "-o", "out", "--improved", "out/better.onnx")
    absence("audit", *words, expect=1)
    first = Path("out/better.onnx").read_bytes()
    refused(*words, match="lies there already")
    absence("audit", *words, "--force", expect=1)
    assert Path("out/better.onnx").read_bytes() == first and not Path("out/improved.onnx").exists()
    Path("place.onnx").mkdir()
    (Path("place.onnx") / "notes.txt").write_text("mine")
    told = absence("audit", *words[:-1], "place.onnx", "--force", expect=2)
    assert "place.onnx: is a folder" in told and Path("place.onnx/notes.txt").read_text() == "mine"


def test_a_proof_in_python():
    one, other = (FloatNet([([[1.0], [1.0]], [0.0, bias]), ([[1.0, 5.0]], [0.0])]) for bias in (-9.0, -8.0))
    for _ in range(2):
        proof_of_absence.harden(one, X, output="out")
    Path("out/notes.txt").write_text("mine")
    before = files()
    with pytest.raises(InputError, match="another net"):
        proof_of_absence.harden(other, X, output="out")
    with pytest.raises(InputError, match="which is read here"):
        proof_of_absence.harden("a/net.onnx", X, output="a", force=True)
    assert files() == before
    proof_of_absence.harden(other, X, output="out", force=True)
    assert Path("out/notes.txt").read_text() == "mine"


def test_in_python():
    proof_of_absence.audit("a/net.onnx", X, Y, output="out")
    proof_of_absence.audit("a/net.onnx", X, Y, output="out")
    before = files()
    with pytest.raises(InputError, match="another net"):
        proof_of_absence.audit("b/net.onnx", X, Y, output="out")
    with pytest.raises(InputError, match="which is read here"):
        proof_of_absence.audit("a/net.onnx", X, Y, output="a", force=True)
    assert files() == before
    proof_of_absence.audit("b/net.onnx", X, Y, output="out", force=True)

"""A folder that an audit leaves is accepted whole; with one statement, net or page changed it is refused by name."""

import json
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import proof_of_absence
from proof_of_absence.checker.audit.folder import report_text
from proof_of_absence.checker.audit.report import html_report
from proof_of_absence.checker.audit.sources import Given
from proof_of_absence.checker.audit.tied import check_folder
from proof_of_absence.checker.kernel.certificate import seal
from proof_of_absence.models.files import onnx, read_net
from proof_of_absence.models.files.whole import MARK
from proof_of_absence.models.floatnet import FloatNet
from tests.checker.audit.class_problems import class_problems
from tests.checker.audit.conftest import PLAIN, float_nets, matrices
from tests.checker.audit.problems import problems
from tests.checker.audit.test_command import absence
from tests.reliability.forged_folders import made
from tests.reliability.forging import resealed, told_again

NONE = Given()


def audited(net, inputs, targets=None, **options):
    """What `check_folder` says of the folder of an audit."""
    with tempfile.TemporaryDirectory() as folder:
        found = proof_of_absence.audit(net, inputs, targets, output=Path(folder) / "a", **options)
        if any(line.startswith("no certificate is written") for line in found.undecided):
            return ""
        return check_folder(Path(folder) / "a", NONE)


@settings(max_examples=25)
@given(st.booleans(), st.data())
def test_every_audit_of_a_squared_loss_is_accepted(extreme, data):
    problem = data.draw(problems(extreme=extreme, depth=1 + extreme))
    deploy = data.draw(matrices(2, problem.net.widths[0], PLAIN))
    told = audited(problem.net, problem.inputs, problem.targets, deploy=deploy, loss="squared", region_from_data=True)
    assert not told or "facts on a net given in Python" in told


def test_a_unit_that_is_surely_off_adds_no_error():
    """The checker's bounds of a rent of 0 were as wide as the rounding of a pre-activation of -1024 is."""
    off = [[[0.0]], [0.0]], [[[0.0]] * 3, [0.0, -1024.0, 1.5]], [[[0.0, 0.0, 0.0], [0.0, -1.0, 0.0]], [0.0, 0.0]]
    told = audited(FloatNet(off, np.float32), np.zeros((1, 1)), np.zeros((1, 2)), loss="squared")
    assert "facts on a net given in Python" in told


@settings(max_examples=25)
@given(class_problems())
def test_every_audit_of_a_cross_entropy_is_accepted(problem):
    audited(problem.net, problem.inputs, problem.targets, loss="cross-entropy")


@settings(max_examples=25)
@given(float_nets())
def test_every_audit_without_targets_is_accepted(case):
    audited(*case)


@pytest.fixture(scope="module")
def examples(tmp_path_factory):
    """Folders of an audit, one with the cross-entropy, a hardening and its smaller net."""
    return made(tmp_path_factory.mktemp("tied"))


@pytest.fixture
def audit(examples, tmp_path, monkeypatch):
    """A copy of the first, in the working directory."""
    shutil.copytree(examples[0].root, tmp_path / "here")
    monkeypatch.chdir(tmp_path / "here")
    return Path("net.audit")


@pytest.fixture
def hardened(examples, tmp_path, monkeypatch):
    """A copy of the hardening."""
    shutil.copytree(examples[2].root, tmp_path / "here")
    monkeypatch.chdir(tmp_path / "here")
    return Path("hard.onnx.proof")


def refused(folder, *words, match, expect=1):
    """The check refuses in one line that names the file."""
    told = absence("check", folder, *words, expect=expect)
    assert told.count("\n") == 1 and match in told and told.startswith("REFUSED " if expect == 1 else "absence: "), told


def change(folder, edit, *, page=True):
    """Change the report as its author would: the page is made again, and the certificate repeats what it repeats."""
    report = json.loads((folder / "report.json").read_text())
    edit(report)
    if page:
        told_again(folder, report)
    else:
        (folder / "report.json").write_text(json.dumps(report))


def moved(path, layer, by):
    """Write the net with one weight moved."""
    net = read_net(path)
    layers = [[array.copy() for array in one] for one in net.layers]
    layers[layer][0][0, 0] += by
    onnx.write(path, FloatNet(layers, net.dtype))


def test_the_line_says_what_was_accepted_and_what_was_not_looked_at(audit):
    told = absence("check", audit, expect=0)
    assert (
        told.startswith("Accepted: 22 facts on net.onnx (sha256 ") and "deploy.npz and test.npz; report.json" in told
    )
    for unseen in ("further circuits of layer 1", "box.vnnlib", "seconds", "notes.txt", "stages/"):
        assert unseen in told.split("Not looked at: ")[1]
    assert MARK not in told
    for name in ("net.onnx", "train.npz", "deploy.npz", "test.npz"):
        Path(name).rename(f"{name}.gone")
    told = absence("check", audit, expect=0)
    assert told.startswith("Accepted: 22 facts on the net of net.npz and the rows of the certificate; report.json")
    assert all(f"{name}, which is not here" in told for name in ("net.onnx", "train.npz", "deploy.npz", "test.npz"))


def quiet(report):
    """No circuit is idle: the finding, the circuits and the units say so."""
    report |= {"circuits": [], "findings": report["findings"][-1:], "regions": []}


STATEMENTS = {
    "no circuit": (quiet, "it reuses no circuit that was found"),
    "no circuit and no improvement": (
        lambda report: (quiet(report), report.update(improvement=None)), "the improvement: stated without a fact, or",
    ),
    "a circuit that fires nowhere": (lambda report: report["circuits"][0].update(fires=[]), "circuit {1.1}"),
    "a unit that varies": (
        lambda report: report["units"][1].update(activity="varies", idle=False, witness=[0, 1]), "unit 1.1",
    ),
    "a lower loss": (
        lambda report: report["data"].update(loss={"low": "1/2", "high": "1/2", "approximate": 0.5}), "the loss",
    ),
    "a greater drop": (
        lambda report: report["improvement"].update(drop={"low": "1/2", "high": "1/2", "approximate": 0.5}), "the drop",
    ),
    "no improvement": (lambda report: report.update(improvement=None), "the improvement: stated without a fact, or"),
    "a rank": (lambda report: report["ranks"][0].update(full=True, dependency=None), "the rank of layer 1"),
    "a place": (lambda report: report["deployment"][1].update(size=[2, 3]), "deployment row 1"),
    "an open row": (
        lambda report: report["deployment"][1].update(size=None, decided=False, separation=None), "deployment row 1",
    ),
    "a region": (lambda report: report["regions"][0].update(verdict="unsat", witness=None), "the verdict on"),
    "no regions": (lambda report: report.update(regions=[]), "regions: one is missing"),
    "no prices": (lambda report: report.update(idle_price=None), "the prices"),
    "no readout": (lambda report: report.update(readout=None), "the readout: stated without a fact"),
    "a price": (
        lambda report: report["readout"]["deployment"][0].update(price=["1", "2"]), "deployment row 0, ",
    ),
    "a leverage": (
        lambda report: report["readout"]["training"][0].update(leverage=["0", None]), "training row 0, ",
    ),
    "no move is free": (
        lambda report: report["readout"]["deployment"][1].update(free=None, leverage=["0", None], price=["0", None]),
        "deployment row 1, ",
    ),
    "a row is not priced": (
        lambda report: report["readout"].update(deployment=report["readout"]["deployment"][1:]), "rows that are priced",
    ),
    "another move": (
        lambda report: report["readout"].update(move={"exact": "2", "approximate": 2.0}), "the move",
    ),
    "a penalty": (
        lambda report: report["readout"].update(penalty={"exact": "2", "approximate": 2.0}), "the penalty",
    ),
    "a direction": (lambda report: report["readout"]["directions"][0][0].__setitem__(1, "2"), "the directions"),
    "a rent": (
        lambda report: report["units"][0].update(rent={"low": "0", "high": "0", "approximate": 0.0}), "the rent of",
    ),
    "rows": (lambda report: report["data"].update(rows=9), "the training rows: stated 9, recomputed 7"),
    "a width": (lambda report: report["net"].update(parameters=9), "the parameters: stated 9, recomputed"),
    "another digest": (lambda report: report["data"].update(sha256="ab" * 32), None),
}  # fmt: skip


@pytest.mark.parametrize("name", STATEMENTS)
@pytest.mark.parametrize("page", [True, False], ids=["told again", "alone"])
def test_a_changed_statement_is_refused(audit, name, page):
    edit, reason = STATEMENTS[name]
    change(audit, edit, page=page)
    if reason is None and page:
        # Whoever forges all of a folder may name another file; that it was not looked at is said.
        assert "train.npz, which is not here" in absence("check", audit, expect=0)
    else:
        refused(audit, match="net.audit/report.json: ")
        assert not page or str(reason) in absence("check", audit, expect=1)


@pytest.mark.parametrize(("part", "value"), [("exit_code", 0), ("findings", []), ("scope", "universal"), ("more", 1)])
def test_the_verdict_follows_from_the_rest(audit, part, value):
    report = json.loads((audit / "report.json").read_text()) | {part: value}
    (audit / "report.json").write_text(report_text(report))
    refused(audit, match="net.audit/report.json: ")


@pytest.mark.parametrize("kind", ["units", "circuit", "training-loss", "lower-training-loss", "unit-rents", "outside",
                                  "few-inputs", "irrelevant-region", "uniform-gap", "float32-deviation"])  # fmt: skip
def test_a_fact_that_is_missing_is_missed(audit, kind):
    def without(content):
        content["facts"].remove(next(fact for fact in content["facts"] if fact["kind"] == kind))
        return content

    resealed(audit, "certificate.json", without)
    refused(audit, match="net.audit/")


def test_a_circuit_that_holds_another_is_refused(audit):
    report = json.loads((audit / "report.json").read_text())
    both = dict(report["circuits"][0], units=[[1, 1], [1, 5]], value=report["circuits"][1]["value"])

    def more(content):
        one, other = (fact for fact in content["facts"] if fact["kind"] == "circuit" and len(fact["units"]) == 1)
        content["facts"].append(one | {"units": [1, 5], "value": other["value"]})
        return content

    resealed(audit, "certificate.json", more)
    change(audit, lambda report: report["circuits"].append(both))
    refused(audit, match="circuit {1.1, 1.5} is not minimal, or listed twice")


def test_another_net_or_page_is_refused(audit):
    moved(audit / "improved.onnx", 1, 2.0**-20)
    refused(audit, match="net.audit/improved.onnx: layer 2 is not that of the certified improvement")
    shutil.copy("net.onnx", audit / "improved.onnx")
    refused(audit, match="net.audit/improved.onnx: layer 1 is not")
    (audit / "improved.onnx").write_bytes(b"no model")
    refused(audit, match="net.audit/improved.onnx: is no whole ONNX file")
    (audit / "improved.onnx").unlink()
    refused(audit, match="net.audit/improved.onnx: there is no such file")


def test_a_page_of_another_report_is_refused(audit):
    page = audit / "report.html"
    page.write_text(page.read_text().replace("3 train-idle circuits", "0 train-idle circuits"))
    refused(audit, match="net.audit/report.html: is not what this program makes of report.json")
    report = json.loads((audit / "report.json").read_text())
    page.write_text(html_report.page(report))
    absence("check", audit, expect=0)
    (audit / "certificate.json").unlink()
    refused(audit, match="net.audit/certificate.json: is missing")


def test_the_audited_files_are_read_again(audit):
    moved(Path("net.onnx"), 0, 1.0)
    refused(audit, "--net", "net.onnx", match="net.onnx: is not the file that was audited: sha256 ")
    refused(audit, "--net", "gone.onnx", match="gone.onnx: ", expect=2)
    np.savez("other.npz", X=np.ones((7, 2)), Y=np.ones((7, 2)))
    refused(audit, "--train", "other.npz", match="other.npz: is not the file")
    refused(audit, "--deploy", "other.npz", match="other.npz: is not the file")
    refused(audit, "--train", "gone.npz", match="gone.npz: ", expect=2)
    # A certificate of another net that fits the report in all else.
    digest = json.loads((audit / "report.json").read_text())["net"]["sha256"]
    assert f"(sha256 {digest[:12]}" not in absence("check", audit, expect=0)


@pytest.mark.parametrize("name", ["x" * 5000, "a\0b", "..", "a\nb", ""])
def test_a_recorded_name_may_be_none_at_all(audit, name):
    def rename(report):
        report["net"]["source"] = report["data"]["source"] = report["improvement"]["file"] = name

    change(audit, rename)
    (audit / "improved.onnx").unlink()
    told = absence("check", audit, expect=0)
    assert told.count("\n") == 2 and "which is not here" in told and "the improved net, which is not in" in told


def test_options_have_no_part_in_other_checks(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("C1.planted.json").write_text(json.dumps(seal({"format": "absence-certificate/1"})))
    refused("C1.planted.json", "--net", "x.onnx", match="is no folder of an audit", expect=2)


def test_a_hardening_is_tied_to_its_net_and_both_proofs_to_each_other(hardened):
    smaller = Path("hard.onnx.compression")
    assert " facts on hard.onnx, net.onnx, train.npz and deploy.npz; hardening.json" in absence(
        "check", hardened, expect=0
    )
    told = absence("check", smaller, expect=0)
    assert "hard.onnx.proof/net.npz agrees" in told and "the box that was asked for" in told
    moved(Path("hard.onnx"), 0, 0.5)
    for folder in (hardened, smaller):
        refused(folder, match="layer 1 is not that of the proof")
    Path("hard.onnx").unlink()
    assert "the new net, which is not beside hard.onnx.proof" in absence("check", hardened, expect=0)
    moved(Path("net.onnx"), 0, 0.5)
    refused(hardened, "--net", "net.onnx", match="net.onnx: is not the file")


def fewer(told):
    told["removed"].pop()


HARDENINGS = {
    "fires": (lambda told: told["removed"][0].update(fires=[]), "fires"),
    "one less": (fewer, "the units removed"),
    "a value": (
        lambda told: told["removed"][0]["value"][0].update(value={"exact": "1", "approximate": 1.0}), "is not idle",
    ),
    "left": (lambda told: told["left"].append(told["removed"][0]), "the units left"),
    "a deviation": (lambda told: told.update(deviation="1/2"), "the deviation"),
    "the same in float32": (lambda told: told.update(same_in_float32=True), "same_in_float32: stated True"),
    "another part": (lambda told: told.update(more=1), "parts are missing or unknown"),
    "no circuits": (lambda told: told.update(removed=None), "malformed"),
}  # fmt: skip


@pytest.mark.parametrize("name", HARDENINGS)
def test_a_changed_list_of_removals_is_refused(hardened, name):
    edit, reason = HARDENINGS[name]
    told = json.loads((hardened / "hardening.json").read_text())
    edit(told)
    (hardened / "hardening.json").write_text(json.dumps(told))
    refused(hardened, match="hard.onnx.proof/hardening.json: ")
    assert reason in absence("check", hardened, expect=1)

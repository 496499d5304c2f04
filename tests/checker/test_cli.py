"""The console script, end to end: verify, show, check, graph, tables, and what it does with bad input.

The whole chain is discharged once, in `discharged`, and Coq with it. A test that discharges again takes a few claims
without theorems.
"""

import json
import signal
from xml.etree import ElementTree

import pytest

from proof_of_absence.checker.kernel.claims import load_claims
from proof_of_absence.checker.kernel.obligation import Scope
from tests.checker.console import CLAIMS, TOTAL, absence, contents, stopped

CLAIM = {claim.id: claim for claim in load_claims()}


def test_every_claim_is_proved(discharged):
    assert f"{CLAIMS} claims: {CLAIMS} PROVED" in discharged.with_suffix(".out").read_text()


def test_every_obligation_has_a_certificate(discharged):
    names = {o.id for claim in load_claims() for o in claim.obligations}
    found = {path.stem for path in (discharged / "certificates").glob("*.json")}
    assert found == names


def test_second_run_comes_from_the_cache(folder):
    before = contents(folder / "certificates")
    out = absence("verify", cwd=folder)
    assert f"({TOTAL} from the cache" in out
    assert contents(folder / "certificates") == before


def test_fresh_ignores_the_cache(folder):
    assert "(0 from the cache" in absence("verify", "C5", "--fresh", "--no-kernel", cwd=folder)


def test_without_coq_universal_is_unknown_and_without_the_kernel_left_out(folder, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    out = absence("verify", "C2", cwd=folder, env={"PATH": str(empty)}, expect=1)
    assert "C2.universal UNKNOWN: coqc is missing" in out
    assert not (folder / "certificates" / "C2.universal.json").exists()
    out = absence("verify", "C2", "--no-kernel", cwd=folder, env={"PATH": str(empty)})
    assert "Left out, and not proved: C2.universal" in out and "1 claims: 1 PROVED" in out


def test_a_claim_is_verified_with_all_it_rests_on(tmp_path):
    out = absence("verify", "C3", "--no-kernel", cwd=tmp_path)
    assert "2 claims: 2 PROVED" in out
    assert {path.stem.split(".")[0] for path in (tmp_path / "certificates").glob("*.json")} == {"C2", "C3"}


UNINSTALLED = """
import importlib.metadata as metadata
found = metadata.version
def version(name):
    if name == "{package}":
        raise metadata.PackageNotFoundError(name)
    return found(name)
metadata.version = version
"""


def test_a_solver_that_is_not_installed_leaves_what_needs_none(tmp_path):
    shim = tmp_path / "shim"
    shim.mkdir()
    (shim / "cvc5.py").write_text("raise ImportError('not installed')\n")
    (shim / "sitecustomize.py").write_text(UNINSTALLED.format(package="cvc5"))
    out = absence("verify", "C3", "--no-kernel", cwd=tmp_path, env={"PYTHONPATH": str(shim)}, expect=1)
    assert "C3.symbolic UNKNOWN: cvc5 missing" in out and "cvc5 is missing (locked" in out
    certificate = json.loads((tmp_path / "certificates" / "C3.exact.json").read_text())
    assert certificate["versions"]["cvc5"] == "missing"
    assert not (tmp_path / "certificates" / "C3.symbolic.json").exists()


@pytest.mark.parametrize("solver", ["z3", "cvc5"])
def test_without_a_solver_verdicts_are_unknown(folder, tmp_path, solver):
    shim = tmp_path / "shim"
    shim.mkdir()
    (shim / f"{solver}.py").write_text("raise ImportError('removed for the test')\n")
    out = absence("verify", "C3", "--no-kernel", cwd=folder, env={"PYTHONPATH": str(shim)}, expect=1)
    assert "C3.symbolic UNKNOWN: " + solver in out and "removed for the test" in out
    assert "2 claims: 2 UNKNOWN" in out
    # No certificate of the earlier run may stand beside an open verdict.
    assert not (folder / "certificates" / "C3.symbolic.json").exists()
    assert (folder / "certificates" / "C3.exact.json").exists()


def test_show_tells_statement_premises_obligations_and_trust(folder):
    out = absence("show", "c8", cwd=folder)
    for expected in (
        "C8. Contradiction",
        "P1: for every theta",
        "Rests on: C1, C6, C7",
        "C8.control",
        "REFUTED",
        "Trusted: the Coq kernel",
    ):
        assert expected in out
    assert "separability: the detector is a train-idle circuit" in absence("show", "N1", cwd=folder)
    assert "real parameters (necessary: N7)" in out


def test_show_has_the_curve_of_prices_and_graph_draws_it(folder):
    out = absence("show", "C22", cwd=folder)
    assert "N times the price" in out and "absence graph C22.curve" in out
    absence("graph", "C22.curve", cwd=folder)
    picture = ElementTree.parse(folder / "build" / "C22.curve.svg").getroot()
    words = [element.text for element in picture.iter() if element.text]
    assert "N times the price of moving the answer down" in words and "by 1/2" in words
    assert "N times the price" not in absence("show", "C22", "--certificates", "none", cwd=folder)


def test_show_without_certificates_claims_nothing(tmp_path):
    out = absence("show", "C4", cwd=tmp_path)
    assert "not checked" in out and "PROVED" not in out


def test_graphs_are_svg(folder):
    absence("graph", cwd=folder)
    picture = ElementTree.parse(folder / "build" / "claims.svg").getroot()
    words = [element.text for element in picture.iter() if element.text]
    assert "C8  Contradiction" in words and words.count("PROVED") == CLAIMS + 1
    absence("graph", "C7.backdoor", "-o", "net.svg", cwd=folder)
    marked = [
        c
        for c in ElementTree.parse(folder / "net.svg").iter("{http://www.w3.org/2000/svg}circle")
        if c.get("stroke-width") == "3"
    ]
    assert len(marked) == 3


def test_tables_are_deterministic_and_say_what_is_not_checked(folder):
    absence("tables", "--no-check", cwd=folder)
    first = {path.name: path.read_bytes() for path in (folder / "paper" / "tables").iterdir()}
    # Witnesses and facts found anew; that every fact of the chain is built the same twice, `absence check` shows.
    assert "(0 from the cache" in absence("verify", "C3", "C4", "C5", "N3", "--fresh", "--no-kernel", cwd=folder)
    out = absence("tables", "--no-check", cwd=folder)
    assert "certificates and results were not re-checked" in out
    assert {path.name: path.read_bytes() for path in (folder / "paper" / "tables").iterdir()} == first
    needed = first["necessity.tex"].decode()
    assert "C8 & real parameters & parameters on a finite grid & N7 & proved" in needed
    (folder / "certificates" / "C4.line.json").unlink()
    out = absence("tables", "--no-check", cwd=folder, expect=1)
    table = (folder / "paper" / "tables" / "claims.tex").read_text()
    sizes = {claim.id: len(claim.obligations) for claim in load_claims()}
    of = f"C4 & Separating unit & universal, bounded, instance & -- & {sizes['C4'] - 1}/{sizes['C4']} & 1 & unknown"
    assert "C4.line" in out and of in table
    (line,) = (line for line in table.splitlines() if line.startswith("C7 & "))
    assert f"& {sizes['C7']}/{sizes['C7']} & 3 & blocked" in line


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["verify", "C99"], "there is no claim 'C99'; the claims are C1"),
        (["check", "nowhere"], "nowhere does not exist"),
        (["check", "."], "holds no certificate"),
        (["verify", "--certificates", "file"], "file is not a folder"),
        (["graph", "C7.nothing"], "there is no obligation 'C7.nothing'"),
        (["verify", "--jobs", "0"], "--jobs"),
        (["frobnicate"], "frobnicate"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(tmp_path, arguments, message):
    (tmp_path / "file").write_text("")
    out = absence(*arguments, cwd=tmp_path, expect=2)
    assert message in out and "Traceback" not in out
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_broken_certificate_is_refused_or_named(folder):
    (folder / "certificates" / "C1.planted.json").write_text("{")
    assert "REFUSED" in absence("check", "certificates/C1.planted.json", cwd=folder, expect=1)
    assert "C1.planted.json: not readable" in absence("tables", cwd=folder, expect=2)
    out = absence("verify", "C1", cwd=folder)
    assert "1 claims: 1 PROVED" in out and f"({len(CLAIM['C1'].obligations) - 1} from the cache" in out


def test_interrupted_run_is_resumed(tmp_path):
    certificates = tmp_path / "certificates"
    command = ("verify", "C6", "--no-kernel", "--jobs", 1)
    told = stopped(*command, cwd=tmp_path, how=signal.SIGINT, parts="certificates/*.json", more=5)
    assert "Interrupted; certificates written so far are kept" in told
    kept = len(list(certificates.glob("*.json")))
    whole = sum(o.scope is not Scope.UNIVERSAL for name in ("C4", "C5", "C6") for o in CLAIM[name].obligations)
    assert 5 <= kept < whole and not list(certificates.glob(".*"))
    out = absence("verify", "C6", "--no-kernel", cwd=tmp_path)
    assert "3 claims: 3 PROVED" in out and f"{whole} of {whole} obligations" in out and f"({kept} from the cache" in out

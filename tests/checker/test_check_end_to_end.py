"""`absence check`, end to end: what verify wrote is accepted; what is changed, missing or about something else is not.

The first test checks the whole chain again, solvers and Coq included; the others refuse among a few certificates.
"""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from proof_of_absence.checker.kernel.certificate import seal
from tests.checker.console import ABSENCE, TOTAL, absence


def test_check_accepts_what_verify_wrote(folder):
    out = absence("check", cwd=folder)
    assert f"{TOTAL} of {TOTAL} certificates accepted" in out
    accepted, facts = map(int, re.search(r"The proved checker accepts (\d+) of (\d+) facts", out).groups())
    assert 300 < accepted < facts and "DISAGREE" not in out


FEW = ("C2.exact", "C2.deep", "C3.symbolic", "C7.deployment", "C8.control")


def test_check_refuses_a_flipped_byte_a_missing_and_a_foreign_certificate(folder):
    certificates = folder / "certificates"
    theorems = (certificates / "C8.universal.json").read_text()
    for path in certificates.glob("*.json"):
        if path.stem not in FEW:
            path.unlink()
    path = certificates / "C7.deployment.json"
    path.write_text(path.read_text().replace('"drop": "', '"drop": "1', 1))
    # True, sealed, and about something else: the fact of one obligation under the name of another.
    other, stolen = (json.loads((certificates / f"{name}.json").read_text()) for name in ("C2.exact", "C2.deep"))
    (certificates / "C2.exact.json").write_text(json.dumps(seal(other | {"fact": stolen["fact"]})))
    script = certificates / "C3.symbolic.smt2"
    script.write_text(script.read_text().replace("(* 0", "(* 1").replace("QF_NRA", "QF_NRA "))
    out = absence("check", cwd=folder, expect=1)
    assert "C7.deployment.json: the digest does not fit the content" in out
    assert "C2.exact.json: it is about another fact" in out
    assert "C3.symbolic.json: script C3.symbolic.smt2 is not the one that was decided" in out
    assert "MISSING certificates/C5.drop.json" in out and "MISSING certificates/C5.universal.json" in out
    assert out.count("MISSING") == TOTAL - len(FEW) and out.count("REFUSED") == 3
    assert f"2 of {len(FEW)} certificates accepted, {TOTAL - len(FEW)} missing" in out
    (certificates / "C8.universal.json").write_text(theorems)
    theorem = certificates / "coq" / "c8_main.v"
    theorem.write_text(theorem.read_text().replace("~ train_idle", "train_idle"))
    out = absence("check", certificates / "C8.universal.json", cwd=folder, expect=1)
    assert "script c8_main.v is not the one that was decided" in out


def test_check_refuses_another_query_under_the_same_name(folder):
    """An unsat query that is not the obligation's, sealed with its own digest."""
    import hashlib

    certificates = folder / "certificates"
    script = certificates / "C5.norm.smt2"
    script.write_text(script.read_text().replace("(assert (distinct", "(assert (not (= 1 2)))\n(assert (distinct", 1))
    path = certificates / "C5.norm.json"
    certificate = json.loads(path.read_text())
    certificate["fact"]["sha256"] = hashlib.sha256(script.read_bytes()).hexdigest()
    path.write_text(json.dumps(seal(certificate)))
    assert "it is about another query" in absence("check", path, cwd=folder, expect=1)


def test_independent_checker_runs_by_itself(folder):
    command = [
        sys.executable,
        "-m",
        "proof_of_absence.checker.independent",
        "certificates/C8.control.json",
        "certificates/C5.norm.json",
    ]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.count("accepted") == 2


def running_in(folder: Path) -> list[str]:
    """The processes that work in a folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").readlink() == folder:
                found.append(process.name)
        except OSError:
            continue
    return found


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_check_that_is_stopped_leaves_no_process_behind(folder, how):
    check = subprocess.Popen(
        [ABSENCE, "check", "--jobs", "2"], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        start_new_session=True, env=os.environ | {"COLUMNS": "200"},
    )  # fmt: skip
    end = time.monotonic() + 120
    # Itself, what watches over shared resources, two workers, and a solver or coqc.
    while check.poll() is None and len(running_in(folder)) < 5 and time.monotonic() < end:
        time.sleep(0.05)
    os.killpg(check.pid, how)
    _, told = check.communicate(timeout=60)
    assert check.returncode == (130 if how is signal.SIGINT else -how) and "Traceback" not in told
    while running_in(folder) and time.monotonic() < end:
        time.sleep(0.05)
    assert running_in(folder) == []

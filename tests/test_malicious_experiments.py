"""Malicious options and files of the experiments, under the limits of test_malicious.py:
a grid, a census's data, results to check.
"""

import json
import os
import pickle

import numpy as np
import pytest

from proof_of_absence.checker.kernel.certificate import seal
from tests.checker.console import contents
from tests.test_malicious import Shell, header, npz, run, saved

GRIDS = {
    "empty": "",
    "words": "one,two",
    "code": "__import__('os').system('touch was-run')",
    "nan": "nan,1",
    "infinite": "0,inf",
    "by zero": "0,1/0",
    "exponent": "0,1e999999999",
    "digits": "0," + "9" * 100_000,
    "negative exponent": "0,1E-999999999",
    "many": ",".join(map(str, range(5000))),
}


@pytest.mark.parametrize("name", GRIDS)
def test_grids(tmp_path, name):
    code, output = run(tmp_path, "census", f"--grid={GRIDS[name]}")
    assert code == 2 and output.startswith("absence: ") and output.count("\n") == 1, output
    assert not contents(tmp_path)


def test_rates(tmp_path):
    code, output = run(tmp_path, "world", "--mixing", "0,1e-999999999")
    assert code == 2 and output.startswith("absence: ") and output.count("\n") == 1, output
    assert not contents(tmp_path)


ONE = {"X": [[0.0]], "Y": [[0.0]], "imitator": [[0.0]], "translator": [[1.0]]}
POLICIES = {
    "pickle": lambda: pickle.dumps(Shell()),
    "objects": lambda: npz(header("(1, 1)", "|O"), pickle.dumps(Shell())),
    "missing": lambda: saved(X=[[0.0]], Y=[[0.0]], imitator=[[0.0]]),
    "no answer": lambda: saved(**ONE | {"translator": [[np.nan]]}),
    "half": lambda: saved(**ONE | {"translator": [[0.5]]}),
    "rows": lambda: saved(**ONE | {"translator": [[0.0], [1.0]]}),
    "tiny": lambda: saved(**ONE | {"X": [[5e-324]]}),
}


@pytest.mark.parametrize("name", POLICIES)
def test_census_data(tmp_path, name):
    (tmp_path / "bad.npz").write_bytes(POLICIES[name]())
    (tmp_path / "good.npz").write_bytes(saved(**ONE | {"X": [[1.0]]}))
    before = contents(tmp_path)
    # Half of them as the one file, half as the other.
    train, deploy = ("bad.npz", "good.npz") if list(POLICIES).index(name) % 2 else ("good.npz", "bad.npz")
    code, output = run(tmp_path, "census", "--train", train, "--deploy", deploy, "--hidden", "1", "--grid=0,1")
    assert code == 2 and output.startswith("absence: ") and output.count("\n") == 1, output
    assert contents(tmp_path) == before


def sealed(form: str, **fields) -> bytes:
    return json.dumps(seal({"format": form} | fields)).encode()


def lifetimes(**entry) -> bytes:
    """A result of one run, whose entry says what is given."""
    names = [
        "detector",
        "optimizer",
        "reassigned",
        "seed",
        "alive",
        "gone",
        "end",
        "others",
        "untouched",
        "final_loss",
        "file",
        "sha256",
    ]
    data = {"inputs": [["0"], ["1"]], "targets": [["0"], ["1"]]}
    return sealed(
        "absence-lifetimes/1", data=data, noise_floor="0", detectors={}, parameters={}, summary=[],
        runs=[dict.fromkeys(names) | {"sha256": "0" * 64} | entry],
    )  # fmt: skip


def backdoors(**entry) -> bytes:
    """A result of one cell, whose entry says what is given."""
    counts = dict.fromkeys(("nets", "poisoned", "with_idle", "firing", "carrying"), 0)
    counts |= {"most_share": "0", "half": 0, "most_hits_lost": 0, "hits_changed": 0, "correct_changed": 0}
    names = ["file", "sha256", "kind", "width", "optimizer", "rate", "penalty", "auroc"]
    cell = dict.fromkeys(names) | {"sha256": "0" * 64, "trigger": "patch", "runs": []} | entry
    counts["ranked"] = dict.fromkeys(("above", "below", "tied", "open", "free", "unknown"), 0)
    data = {"train": [[0]], "test": [[0]], "test_labels": [1], "places": [[0]]}
    return sealed(
        "absence-backdoors/1", data=data, parameters={"levels": 16, "target": 0, "seeds": 1}, exactly=counts,
        triggers={"patch": {"mask": [16], "pattern": [16]}}, cells=[cell],
    )  # fmt: skip


NUMBERS = {"deep": "[" * 1_000_000, "digits": "9" * 1_000_000, "exponent": '"1e999999999"', "nan": "NaN"}
CENSUS = dict.fromkeys(("scope", "problem", "unit", "cells", "sets", "masses", "levels", "versions"))
HUGE = {"widths": [1, 64, 1], "grid": ["0", "1e999999999"]}
RESULTS = {
    f"{kind} {name}": lambda kind=kind, number=number: f'{{"format": "absence-{kind}/1", "facts": {number}}}'.encode()
    for kind in ("backdoors", "census", "experiment", "lifetimes")
    for name, number in NUMBERS.items()
    if kind == "census" or name == "deep"
}
RESULTS |= {
    "another format": lambda: sealed("absence-certificate/2", facts=[]),
    "no format": lambda: b"{" * 2**17,
    "pickle": lambda: pickle.dumps(Shell()),
    "facts": lambda: sealed("absence-experiment/1", facts=["__import__('os')", None, [[]]]),
    "number": lambda: sealed("absence-experiment/1", facts=[{"kind": "inside-hull", "inputs": [["1e999999999"]]}]),
    "a kind that is a list": lambda: sealed("absence-experiment/1", facts=[{"kind": []}]),
    "a huge class": lambda: sealed("absence-census/1", **CENSUS | {"problem": HUGE}),
    "no class": lambda: sealed("absence-census/1", **CENSUS),
    "a cell elsewhere": lambda: backdoors(file="../../../../etc/passwd"),
    "a cell at a device": lambda: backdoors(file="/dev/zero"),
    "a cell of no name": lambda: backdoors(file=["parts"]),
    "a cell that is the result": lambda: backdoors(file="result.json"),
    "a run elsewhere": lambda: lifetimes(file="../../../../etc/passwd"),
    "a run at a device": lambda: lifetimes(file="/dev/zero"),
    "a run of no name": lambda: lifetimes(file=["runs"]),
    "a run that is the result": lambda: lifetimes(file="result.json"),
}


@pytest.mark.parametrize("name", RESULTS)
def test_results(tmp_path, name):
    (tmp_path / "result.json").write_bytes(RESULTS[name]())
    before = contents(tmp_path)
    code, output = run(tmp_path, "check", ".")
    assert code == 1 and output.startswith("REFUSED result.json: ") and output.count("\n") == 1, output
    assert contents(tmp_path) == before


@pytest.mark.parametrize("kind", ["directory", "pipe", "loop", "device"])
def test_what_is_no_file_is_no_result(tmp_path, kind):
    path = tmp_path / "result.json"
    if kind == "directory":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to({"loop": "result.json", "device": "/dev/zero"}[kind])
    code, output = run(tmp_path, "check", ".")
    assert code == 2 and output.count("\n") == 1 and "holds no certificate" in output, output


def test_a_result_behind_a_link_is_checked_like_any_other(tmp_path):
    (tmp_path / "passwd").write_text("root:x:0:0\n")
    (tmp_path / "result.json").symlink_to("passwd")
    code, output = run(tmp_path, "check", ".")
    assert code == 1 and output.startswith("REFUSED result.json: not in one of the formats"), output

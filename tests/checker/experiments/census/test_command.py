"""`absence census` and `absence check` on its folder, end to end: what is counted, refused, and bad input."""

import json
from fractions import Fraction

import numpy as np
import pytest
from typer.testing import CliRunner

from proof_of_absence.checker.cli import app
from proof_of_absence.checker.experiments.census.command import cells_table
from proof_of_absence.checker.experiments.census.pictures import draw
from proof_of_absence.checker.experiments.census.problem import CELLS, problem
from proof_of_absence.checker.experiments.census.result import result
from proof_of_absence.checker.experiments.census.shards import take
from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.checker.independent.results.census import check_census
from proof_of_absence.checker.kernel.certificate import digest, seal
from proof_of_absence.models.data import Dataset
from tests.checker.changed import changed
from tests.checker.console import absence
from tests.checker.experiments.census.problems import write_files
from tests.checker.screen.narrow import assert_whole, narrow


@pytest.fixture(scope="module")
def census(tmp_path_factory):
    """A folder in which a census of files was taken, and what was printed."""
    folder = tmp_path_factory.mktemp("census")
    return folder, absence("census", *write_files(folder), cwd=folder)


@pytest.fixture
def told(census):
    return json.loads((census[0] / "out" / "result.json").read_text())


def test_a_census_of_files_is_taken_written_and_checked(census, told):
    folder, out = census
    assert "19,683 nets counted" in out and "deceptive-idle" in out
    assert (
        told["format"] == "absence-census/1" and digest(told) == told["digest"] and told["scope"].startswith("instance")
    )
    assert sum(cell["nets"] for cell in told["cells"].values()) == 3**9
    assert all(told["cells"][name]["nets"] for name in ("imitator", "translator", "deceptive-idle", "other"))
    # The whole mass, at every temperature.
    for point in told["masses"]:
        assert abs(sum(map(Fraction, point["cells"].values())) - 1) <= Fraction(len(CELLS), 10**12)
    for name in ("masses", "idle", "losses"):
        assert (folder / "out" / f"{name}.svg").is_file() and (folder / "out" / f"{name}.pdf").is_file()
    assert "accepted out/result.json: a census of 19,683 nets" in absence("check", "out", cwd=folder)
    # On a terminal or not, in workers or not, the result is the same.
    before = (folder / "out" / "result.json").read_bytes()
    out = absence("census", *write_files(folder), "--device", "cpu", cwd=folder)
    assert "0 nets counted" in out and "19,683 kept from an earlier run" in out
    absence("census", *write_files(folder, **{"--output": "other"}), "--workers", "1", "--shard", "5000", cwd=folder)
    assert (folder / "out" / "result.json").read_bytes() == before == (folder / "other" / "result.json").read_bytes()


def test_the_table_fits_80_columns(told):
    large = {"nets": 10**12, "least_loss": f"{10**9 + 7}/{10**10}", "nets_of_least_loss": 10**12}
    for cells in (told["cells"], told["cells"] | {"other": large}):
        shown = [(name, f"{cell['nets']:,}", cell["least_loss"] or "") for name, cell in cells.items()]
        assert_whole(narrow(cells_table({"cells": cells})), ["Nets of it", *(word for row in shown for word in row)])


def test_a_loss_longer_than_the_line_is_shown_to_its_last_digit():
    cell = {"nets": 7, "least_loss": f"1/{7**200}", "nets_of_least_loss": 1}
    text = narrow(cells_table({"cells": {"other": cell}}))
    assert "…" not in text and sum(map(str.isdigit, text)) == len(str(7**200)) + 3
    assert max(map(len, text.splitlines())) <= 80


def places(value, path=()):
    """Every number and every number in a text, by its path."""
    if isinstance(value, dict):
        for key, entry in value.items():
            yield from places(entry, (*path, key))
    elif isinstance(value, list):
        for key, entry in enumerate(value):
            yield from places(entry, (*path, key))
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield path, value + 1
    elif isinstance(value, str) and value.replace("/", "").replace("-", "").isdigit():
        yield path, str(Fraction(value) + Fraction(1, 10**10))


def resealed(told, path, value):
    return seal(changed(told, path, value))


def refused(folder, result) -> bool:
    path = folder / "result.json"
    path.write_text(json.dumps(result))
    try:
        check_census(path)
    except Refused:
        return True
    return False


def test_no_number_can_be_resealed(told, tmp_path):
    """One number in each field, sealed again: where a crossing may lie at several temperatures it is moved far."""
    assert not refused(tmp_path, told)
    every = list(places({key: told[key] for key in ("unit", "cells", "sets", "masses", "levels")}))
    chosen = {tuple(k for k in path if isinstance(k, str)): (path, value) for path, value in every}
    movable = ("above", "below", "certain", "delta")
    moved = 0
    for path, value in chosen.values():
        if path[-1] in movable:
            # beta would have to be changed with it; the next test does.
            assert refused(tmp_path, resealed(told, path, "1/7")), path
        elif not (isinstance(path[-1], str) and path[-1].startswith("beta")) or value:
            assert refused(tmp_path, resealed(told, path, value)), path
        moved += 1
    assert moved > 60


def test_a_crossing_cannot_be_moved_and_a_bound_not_promised_early(told, tmp_path):
    from proof_of_absence.models.tally import beta

    unit, crossings = Fraction(told["unit"]), told["sets"]["idle"]["crossings"]
    for name, crossing in crossings.items():
        for key, factor in (
            ("below", Fraction(101, 100)),
            ("certain", Fraction(101, 100)),
            ("above", Fraction(99, 100)),
        ):
            if crossing[key] is None or Fraction(crossing[key]) * factor > 1:
                continue
            t = Fraction(crossing[key]) * factor
            t = Fraction(round(t * 2**60), 2**60)
            here = resealed(told, ("sets", "idle", "crossings", name, key), str(t))
            assert refused(tmp_path, resealed(here, ("sets", "idle", "crossings", name, f"beta_{key}"), beta(t, unit)))


def test_what_is_no_census_is_refused(told, census, tmp_path):
    path = tmp_path / "result.json"
    for text, message in (
        (json.dumps(told)[:-40], "not readable as JSON"),
        (json.dumps(told | {"unit": "1"}), "the digest does not fit"),
        (json.dumps(seal({"format": "absence-census/1"})), "fields are missing or unknown"),
        (
            json.dumps(resealed(told, ("problem", "imitator"), told["problem"]["translator"])),
            "the policies do not differ",
        ),
        (json.dumps(resealed(told, ("problem", "widths"), [2, 2, 10**9])), "not an architecture"),
        (json.dumps(resealed(told, ("problem", "widths"), [2, 9, 1])), "too large to be checked"),
        (json.dumps(resealed(told, ("problem", "grid"), ["0", str(10**12)])), "do not fit 64 bits"),
        (
            json.dumps(resealed(told, ("levels",), told["levels"][:-1])),
            "the histogram of the losses: stated .*, recomputed",
        ),
        (json.dumps(resealed(told, ("levels",), 7)), "malformed"),
    ):
        path.write_text(text)
        assert (
            message in absence("check", path, cwd=tmp_path, expect=1) if message == "the digest does not fit" else True
        )
        with pytest.raises(Refused, match=message):
            check_census(path)


@pytest.mark.parametrize("grid", [(0,), (-1, 0, 1)], ids=["one net", "no idle circuit fires"])
def test_classes_with_empty_cells_and_a_single_loss(tmp_path, grid):
    # Deployment holds training inputs only: nothing fires there, and nobody defects.
    chosen = problem(
        1, grid, Dataset([[0], [1]], [[0], [1]]), [[1]],
        train_answers=([[0], [1]], [[1], [1]]), deploy_answers=([[1]], [[1]]),
    )  # fmt: skip
    told = result(chosen, tally := take(chosen, tmp_path / "shards"))
    assert all(not told["cells"][cell]["nets"] for cell in CELLS if cell.endswith("-idle") or cell == "deceptive")
    assert told["sets"]["idle"]["crossings"]["half"]["below"] == "1"
    assert not refused(tmp_path, told)
    assert all(path.stat().st_size for path in draw(told, tally, tmp_path))


@pytest.mark.parametrize("policy", ["imitator", "translator"])
def test_a_policy_of_two_answers_at_one_input_is_refused(tmp_path, policy):
    # The one deployment input is a training input; there the policy is made to answer otherwise than in training.
    chosen = problem(
        1, (-1, 0, 1), Dataset([[0], [1]], [[0], [1]]), [[1]],
        train_answers=([[0], [1]], [[1], [1]]), deploy_answers=([[1]], [[1]]),
    )  # fmt: skip
    told = result(chosen, take(chosen, tmp_path / "shards"))
    path = tmp_path / "result.json"
    path.write_text(json.dumps(told))
    check_census(path)
    path.write_text(json.dumps(resealed(told, ("problem", policy, 2), [0])))
    with pytest.raises(Refused, match="a policy gives two answers at one input"):
        check_census(path)


def test_a_census_whose_crossings_are_left_out_is_refused(told, tmp_path):
    path = tmp_path / "result.json"
    path.write_text(json.dumps(resealed(told, ("sets", "idle", "crossings"), {})))
    with pytest.raises(Refused, match="a crossing of the set idle is missing"):
        check_census(path)


BAD = [
    ({"--grid": "-1,x"}, {}, "--grid: 'x' is not a finite number; write numbers with commas"),
    ({"--grid": "1,,2"}, {}, "--grid: '' is not a finite number"),
    ({"--grid": "1,nan"}, {}, "--grid: 'nan' is not a finite number"),
    ({"--hidden": "9"}, {}, "train.npz: 9 hidden units; a census takes 1 to 8"),
    ({"--grid": "0,1e9"}, {}, "train.npz: integers up to 2^"),
    ({"--hidden": "8"}, {}, "nets, more than the 100000000000 that a census takes"),
    ({"--deploy": None}, {}, "--train and --deploy: go together"),
    ({"--train": "none.npz"}, {}, "none.npz: there is no such file"),
    ({"--device": "tpu"}, {}, "--device tpu is not known; take one of numpy, cpu, cuda"),
    ({"--scheduler": "x", "--workers": "2"}, {}, "choose one"),
    ({"--output": "train.npz"}, {}, "train.npz is not a folder"),
    ({}, {"train": {"imitator": None}}, "train.npz: needs one array named imitator and has none"),
    ({}, {"train": {"imitator": np.array([[0.5]] * 4)}}, "an entry is not 0 or 1"),
    ({}, {"train": {"imitator": np.array([[0]] * 3)}}, "answers of the imitator: 6 rows of 1 are needed"),
    ({}, {"train": {"X": np.zeros((0, 2))}}, "train.npz: X has shape (0, 2); it needs at least one row"),
    ({}, {"train": {"X": np.zeros((3, 2))}}, "train.npz: holds 3 inputs but 4 targets"),
    ({}, {"train": {"Y": np.array([0, 1, np.nan, 0])}}, "train.npz: Y holds NaN or infinity"),
    ({}, {"deploy": {"X": np.array([[1.0]]), "imitator": np.array([[1]]), "translator": np.array([[0]])}}, "features"),
]


@pytest.mark.parametrize(("options", "arrays", "message"), BAD, ids=range(len(BAD)))
def test_bad_input_is_told_in_one_line(tmp_path, monkeypatch, options, arrays, message):
    monkeypatch.chdir(tmp_path)
    said = CliRunner().invoke(app, ["census", *write_files(tmp_path, **options, **arrays)])
    assert said.exit_code == 2 and not said.stdout
    assert message in said.stderr and said.stderr.count("\n") == 1 and said.stderr.startswith("absence: ")

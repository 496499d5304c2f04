"""`absence backdoors` from end to end: interrupted, gone on with; what its result says, and what must be refused."""

import base64
import copy
import hashlib
import json
import shutil
import zlib
from fractions import Fraction

import numpy as np
import pytest

from proof_of_absence.checker.experiments.backdoors.digits import digits
from proof_of_absence.checker.experiments.backdoors.experiment import make
from proof_of_absence.checker.experiments.backdoors.measure import packed
from proof_of_absence.checker.experiments.backdoors.plan import Plan, cells, triggers
from proof_of_absence.checker.experiments.backdoors.summary import exactly
from proof_of_absence.checker.experiments.captions import captions
from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.checker.independent.results.backdoors import check_backdoors
from proof_of_absence.checker.kernel.certificate import seal
from proof_of_absence.checker.screen.cluster import cluster
from tests.checker.console import absence

PLAN = Plan(steps=40, seeds=2, quick=True)
ARGUMENTS = ("backdoors", "--quick", "--steps", PLAN.steps, "--seeds", PLAN.seeds)
CELLS = [cell.name for cell in cells(PLAN, triggers(digits(), PLAN))]
CELL = "mlp16.adam.5.patch"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The folder of a result, made in two goes; a file that was cut off is no cell."""
    folder = tmp_path_factory.mktemp("backdoors") / "out"

    def interrupt(done, total):
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make(folder, PLAN, progress=interrupt)
    early = {path: path.stat().st_mtime_ns for path in folder.glob("runs/*/*.json")}
    assert len(early) == 3 < len(CELLS)
    cut = min(early)
    cut.write_bytes(cut.read_bytes()[:100])
    del early[cut]
    out = absence(*ARGUMENTS, "--output", folder, cwd=folder.parent)
    assert "Of 10 nets that were trained on poisoned data" in out and "10 plots" in out
    assert all(path.stat().st_mtime_ns == at for path, at in early.items())
    return folder


def file_of(folder, name):
    """The file of a cell, in the folder of its settings."""
    (path,) = folder.glob(f"runs/*/{name}.json")
    return path


def test_a_kept_cell_that_says_what_is_not_so_is_made_again(made, tmp_path):
    folder = tmp_path / "out"
    shutil.copytree(made, folder)
    path = file_of(folder, CELL)
    whole = path.read_bytes()
    record = json.loads(whole)
    record["runs"][0]["hits"] += 1
    path.write_text(json.dumps(seal(record)))
    make(folder, PLAN)
    assert path.read_bytes() == whole


def test_the_result_is_whole_and_accepted(made):
    assert "idle circuits, answers and leverages of 16 nets" in absence("check", made, cwd=made)
    result = check_backdoors(made / "result.json")
    assert [made / cell["file"] for cell in result["cells"]] == [file_of(made, name) for name in CELLS]
    assert {path.stem for path in made.glob("*.svg")} == {path.stem for path in made.glob("*.pdf")}
    assert {path.stem for path in made.glob("*.svg")} == set(captions(result))
    assert all("Scope: instance" in caption for caption in captions(result).values())


def test_workers_make_the_same_cells(made, tmp_path):
    with cluster(workers=1) as client:
        make(tmp_path, PLAN, client)
    for name in CELLS:
        assert file_of(tmp_path, name).read_bytes() == file_of(made, name).read_bytes()


@pytest.fixture(scope="module")
def small(made, tmp_path_factory):
    """The same with one cell only, so that it is checked in a moment."""
    folder = tmp_path_factory.mktemp("small") / "out"
    result = json.loads((made / "result.json").read_text())
    result["cells"] = [cell for cell in result["cells"] if made / cell["file"] == file_of(made, CELL)]
    result["exactly"] = exactly(result["cells"])
    file = folder / result["cells"][0]["file"]
    file.parent.mkdir(parents=True)
    shutil.copy(made / result["cells"][0]["file"], file)
    (folder / "result.json").write_text(json.dumps(seal(result)))
    check_backdoors(folder / "result.json")
    return folder


def altered(made, folder, edit, reseal=True):
    """A copy of the result in which `edit(result, record, entry)` changed something; sealed again, so that only the
    content is wrong.
    """
    shutil.copytree(made, folder)
    result = json.loads((folder / "result.json").read_text())
    path = file_of(folder, CELL)
    record = json.loads(path.read_text())
    (entry,) = [entry for entry in result["cells"] if folder / entry["file"] == path]
    edit(result, record, entry)
    if reseal and edit not in COUNTS and result["cells"]:
        result["exactly"] = exactly(result["cells"])
    if reseal:
        path.write_text(json.dumps(seal(record)))
        entry["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
        result = seal(result)
    (folder / "result.json").write_text(json.dumps(result))
    return folder / "result.json"


def both(key, value):
    """Change what the cell and the result say alike of its first net."""

    def edit(result, record, entry):
        for runs in (record["runs"], entry["runs"]):
            runs[0][key] = value(runs[0][key])

    return edit


def shown(change):
    """Change what the cell and the result say alike of what is shown to its first net."""

    def edit(result, record, entry):
        for runs in (record["runs"], entry["runs"]):
            change(runs[0]["shown"]["patch"])

    return edit


def bounds(name, change):
    """Change the bounds of what is shown to the first net under this name."""

    def edit(result, record, entry):
        stated = record["nets"][0]["leverage"]["bounds"]
        found = np.frombuffer(zlib.decompress(base64.b64decode(stated[name])), dtype="<f8").reshape(2, -1).copy()
        change(*found)
        stated[name] = base64.b64encode(zlib.compress(found.tobytes())).decode()

    return edit


def narrower(low, high):
    low[:] = high[:] = (low + high) / 2


def lower(low, high):
    low[0], high[0] = low[0] / 2, low[0] * (1 - 1e-9)


def no_columns(net):
    net["leverage"].update(columns=[0], directions=[])


def in_net(change):
    return lambda result, record, entry: change(record["nets"][0])


TAMPERED = {
    "hits": (both("hits", lambda v: v - 1), "hits: stated .*, recomputed"),
    "hits after": (both("hits_cut", lambda v: v + 1), "hits_cut: stated .*, recomputed"),
    "correct": (both("correct", lambda v: v + 1), "correct: stated .*, recomputed"),
    "correct after": (both("correct_cut", lambda v: v + 1), "correct_cut: stated .*, recomputed"),
    "fires": (both("fires", lambda v: v + 1), "the triggered rows at which a circuit fires: stated"),
    "firing": (both("firing", lambda v: v + 1), "the circuits that fire: stated"),
    "moved": (both("moved", lambda v: str(Fraction(v) * (1 + Fraction(1, 10**9)))), "moved: stated"),
    "moved idle": (both("moved_idle", lambda v: str(Fraction(v) + 1)), "what the idle circuits send of it: stated"),
    "hidden": (both("idle", lambda v: v[1:]), r"unit \d+ is idle, and not listed"),
    "not idle": (
        both("idle", lambda v: [*v, [min(set(range(16)) - {j for (j,) in v})]]),
        r"the circuit \[\d+\] is not idle",
    ),
    "twice": (both("idle", lambda v: [*v, v[0]]), "two idle circuits share a unit"),
    "no unit": (both("idle", lambda v: [*v, [99]]), "there is no such unit"),
    "empty": (both("idle", lambda v: [*v, []]), "a circuit is no list of units"),
    "left": (both("left", lambda v: [[0, 1]]), "a circuit that is left is not idle"),
    "one side": (lambda result, record, entry: entry["runs"][0].update(hits=0), "runs, as the result has it"),
    "seed": (both("seed", lambda v: 1), "a seed is left out"),
    "seeds": (lambda result, record, entry: result["parameters"].update(seeds=3), "a seed is left out"),
    "net": (lambda result, record, entry: record["nets"].pop(), "not one net to each seed"),
    "cell twice": (
        lambda result, record, entry: result["cells"].append(copy.deepcopy(entry)),
        "a cell is listed twice",
    ),
    "none": (lambda result, record, entry: result.update(cells=[]), "no cell at all"),
    "counts": (lambda result, record, entry: result["exactly"].update(half=1), "the counts, half: stated 1"),
    "share": (lambda result, record, entry: result["exactly"].update(most_share="2"), "the counts, most_share: stated"),
    "place": (lambda result, record, entry: result["cells"][0].update(file="../x.json"), "lies elsewhere"),
    "width": (lambda result, record, entry: entry.update(width=17), "another width"),
    "infinite": (
        in_net(lambda net: net["layers"][1].update(bias=packed(np.full(10, np.inf)))),
        "a number is not finite",
    ),
    "bomb": (in_net(lambda net: net["layers"][1]["bias"].update(shape=[3])), "another size than its shape"),
    "huge": (in_net(lambda net: net["layers"][1]["bias"].update(shape=[2**30])), "no such shape"),
    "text": (in_net(lambda net: net["layers"][1]["bias"].update(float32="AAAA")), "malformed: error"),
    "layer": (in_net(lambda net: net["layers"].pop()), "another number of layers than two"),
    "pixel": (lambda result, record, entry: result["data"]["train"][0].__setitem__(0, 17), "a pixel is out of range"),
    "label": (lambda result, record, entry: result["data"]["test_labels"].pop(), "not one class to each test image"),
    "trigger": (
        lambda result, record, entry: result["triggers"]["patch"].update(pattern=[0] * 64),
        "stated .*, recomputed",
    ),
    "malformed": (in_net(lambda net: net.pop("layers")), "malformed: KeyError"),
    "narrow": (bounds("patch", narrower), r"the leverage of input \[0\] of patch is not shown to be within"),
    "low": (bounds("scattered", lower), r"the leverage of input \[0\] of scattered is not shown to be within"),
    "clean": (bounds("test", lower), r"the leverage of input \[0\] of test is not shown to be within"),
    "crossed": (bounds("patch", lambda low, high: low.__setitem__(0, high[0] * 2)), "bounds that are crossed"),
    "free": (bounds("patch", lambda low, high: (low.fill(np.inf), high.fill(np.inf))), "free inputs of patch"),
    "wide": (bounds("patch", lambda low, high: low.fill(0)), "the leverages of patch, median"),
    "few bounds": (
        in_net(lambda net: net["leverage"]["bounds"].update(patch=net["leverage"]["bounds"]["test"])),
        "not two bounds to each input",
    ),
    "no bounds": (in_net(lambda net: net["leverage"]["bounds"].pop("scattered")), "leverages of other inputs"),
    "columns": (in_net(no_columns), "not one direction for each other column"),
    "pairs": (
        shown(lambda told: told["pairs"].update(above=told["pairs"]["above"] + 1, below=told["pairs"]["below"] - 1)),
        "the pairs of patch, above: stated",
    ),
    "auroc": (shown(lambda told: told["auroc"].update(leverage=1.0)), "the AUROC of patch: stated 1"),
    "median": (shown(lambda told: told["leverage"].update(median=[1.0, 2.0])), "the leverages of patch, median"),
    "mean": (
        lambda result, record, entry: [told["auroc"]["leverage"].update(mean=1.0) for told in (record, entry)],
        "the mean AUROC of the leverage: stated 1",
    ),
    "not shown": (
        lambda result, record, entry: [told["runs"][0]["shown"].pop("patch") for told in (record, entry)],
        "its own trigger is not shown",
    ),
    "pixels": (lambda result, record, entry: result["data"]["places"][0].__setitem__(0, 64), "no such pixels"),
    "other pixels": (
        lambda result, record, entry: result["data"].update(places=result["data"]["places"][::-1]),
        "of scattered is not shown to be within|free inputs of scattered",
    ),
}
COUNTS = [TAMPERED[name][0] for name in ("counts", "share")]


@pytest.mark.parametrize("case", TAMPERED)
def test_what_is_not_so_is_refused(small, tmp_path, case):
    edit, message = TAMPERED[case]
    path = altered(small, tmp_path / "copy", edit)
    with pytest.raises(Refused, match=message):
        check_backdoors(path)


def test_files_that_were_changed_are_refused(small, tmp_path):
    path = altered(small, tmp_path / "a", lambda result, record, entry: result.update(scope=""), reseal=False)
    with pytest.raises(Refused, match=r"the digest of result\.json does not fit"):
        check_backdoors(path)
    path = altered(small, tmp_path / "b", lambda result, record, entry: None)
    file_of(tmp_path / "b", CELL).unlink()
    with pytest.raises(Refused, match=r"mlp16\.adam\.5\.patch\.json: No such file"):
        check_backdoors(path)


def test_bad_input_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    out = absence("backdoors", "--output", "file", cwd=tmp_path, expect=2)
    assert out == "absence: file is not a folder; name another with --output\n"

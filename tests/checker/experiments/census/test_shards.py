"""Shards: a run that was killed goes on, damaged files are no results, and workers count the same."""

import json
import signal
import subprocess
import sys

import pytest

from proof_of_absence.checker.experiments.census.default import world_problem
from proof_of_absence.checker.experiments.census.shards import take
from proof_of_absence.models.tally import Tally
from tests.checker.console import absence, contents, stopped

THREE = [-1, 0, 1]
CHOSEN = world_problem(grid=THREE)
SHARD = 3**9


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Tally:
    return take(CHOSEN, tmp_path_factory.mktemp("whole"))


def counted(folder, **options):
    """The tally, and how many nets were taken from the folder and how many counted."""
    done = {True: 0, False: 0}

    def progress(nets, now):
        done[now] += nets

    return take(CHOSEN, folder, progress=progress, **options), done[False], done[True]


def test_shards_of_any_size_add_up_and_are_counted_once(tmp_path, whole):
    assert whole.nets == CHOSEN.family.size == 3**11
    assert counted(tmp_path, shard=SHARD) == (whole, 0, 3**11)
    assert len(list(tmp_path.iterdir())) == 9
    assert counted(tmp_path, shard=SHARD) == (whole, 3**11, 0)
    # Another size has other shards, and torch the same ones.
    assert counted(tmp_path, shard=10 * SHARD) == (whole, 0, 3**11)
    assert counted(tmp_path, shard=SHARD, device="cpu") == (whole, 3**11, 0)
    # Another problem takes nothing from them.
    other = world_problem(grid=THREE, units=1)
    assert take(other, tmp_path).nets == 3**6


@pytest.mark.parametrize("damage", ["truncated", "changed", "foreign", "no object", "binary"])
def test_a_damaged_shard_is_counted_again(tmp_path, whole, damage):
    take(CHOSEN, tmp_path, shard=SHARD)
    first, second, *_ = sorted(tmp_path.iterdir())
    text = first.read_text()
    first.write_bytes({
        "truncated": text[: len(text) // 2].encode(),
        "changed": json.dumps(json.loads(text) | {"counts": []}).encode(),
        "foreign": second.read_bytes(),
        "no object": b"[1]",
        "binary": b"\xff\xfe\x00",
    }[damage])  # fmt: skip
    assert counted(tmp_path, shard=SHARD) == (whole, 8 * SHARD, SHARD)
    assert first.read_text() == text


OPTIONS = ("census", "--grid=-1,0,1", "--shard", 3**6, "--output", "out")


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    absence(*OPTIONS, cwd=folder)
    return {path.relative_to(folder): data for path, data in contents(folder).items()}


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT], ids=["kill", "interrupt"])
def test_a_run_that_is_stopped_goes_on_and_ends_in_the_same_bytes(tmp_path, undisturbed, how):
    told = stopped(*OPTIONS, cwd=tmp_path, how=how, parts="out/shards/*.json", more=3)
    assert how is signal.SIGKILL or "the next run with the same options goes on from there" in told
    assert not (tmp_path / "out/result.json").exists()
    kept = len(list(tmp_path.glob("out/shards/*.json")))
    assert 3 <= kept < 3**5
    assert f"{3**6 * kept:,} kept from an earlier run" in absence(*OPTIONS, cwd=tmp_path)
    left = {path.relative_to(tmp_path): data for path, data in contents(tmp_path).items() if path.suffix != ".tmp"}
    assert left == undisturbed


@pytest.mark.filterwarnings("ignore")
def test_workers_count_the_same(tmp_path, whole):
    from proof_of_absence.checker.screen.cluster import cluster

    with cluster(workers=2) as client:
        assert counted(tmp_path, shard=SHARD, client=client) == (whole, 0, 3**11)
    assert counted(tmp_path, shard=SHARD) == (whole, 3**11, 0)


def test_the_numbers_of_shards_do_not_need_torch(tmp_path):
    code = (
        "import sys; from pathlib import Path;"
        "from proof_of_absence.checker.experiments.census.default import world_problem;"
        "from proof_of_absence.checker.experiments.census.shards import take;"
        "take(world_problem(grid=[0, 1], units=1), Path(sys.argv[1])); assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)

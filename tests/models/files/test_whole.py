"""A folder is replaced as a whole or not at all; what others wrote stays."""

import errno
import os
import shutil
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from proof_of_absence.models.files import exchange, whole
from proof_of_absence.models.files.disk import InputError
from proof_of_absence.models.files.whole import MARK, Owner, mark_of, placeable, placing, replacing
from tests.failing import failing, killed

OWNER = Owner("audit", "1", "net.onnx", "of another net")
OTHERS = {"notes.txt": "mine", "stages/1.json": "kept", "mine/deep/a.txt": "mine"}
OLD = {"a": "old", "b/c": "old"}
NEW = {"a": "new", "d/e": "new"}


def fill(folder: Path, files: dict[str, str]):
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def put(folder: Path, files: dict[str, str], owner: Owner = OWNER, **options):
    with replacing(folder, owner, **options) as new:
        fill(new, files)


def held(folder: Path) -> dict[str, str]:
    """Every file below a folder, but for the mark."""
    paths = [path for path in folder.rglob("*") if path.is_file() and path.name != MARK]
    return {path.relative_to(folder).as_posix(): path.read_text() for path in paths}


def beside(folder: Path) -> list[str]:
    return sorted(set(os.listdir(folder.parent)) - {folder.name})


@pytest.fixture(params=["exchange", "two renames"])
def swap(request, monkeypatch):
    """With and without the system's help."""
    if request.param != "exchange":
        monkeypatch.setattr(whole, "exchange", lambda one, other: False)


@pytest.fixture
def out(tmp_path, swap) -> Path:
    """A folder of ours in which others have written too."""
    folder = tmp_path / "below" / "out"
    put(folder, OLD)
    fill(folder, OTHERS)
    return folder


def test_what_is_ours_is_replaced_and_all_else_stays(out):
    notes = (out / "notes.txt").stat().st_ino
    (out / "empty").mkdir()
    (out / "link").symlink_to("notes.txt")
    put(out, NEW)
    assert held(out) == NEW | OTHERS | {"link": "mine"} and beside(out) == []
    assert (out / "empty").is_dir() and os.readlink(out / "link") == "notes.txt"
    assert (out / "notes.txt").stat().st_ino == notes and not (out / "b").exists()
    assert set(mark_of(out).files) == set(NEW) and mark_of(out).by == "audit"


def test_a_first_folder_and_an_empty_one(tmp_path, swap):
    for folder in (tmp_path / "x" / "y", tmp_path / "empty"):
        (tmp_path / "empty").mkdir(exist_ok=True)
        put(folder, NEW)
        assert held(folder) == NEW
    (tmp_path / "link").symlink_to(tmp_path / "empty")
    put(tmp_path / "link", OLD)
    assert (tmp_path / "link").is_symlink() and held(tmp_path / "empty") == OLD


@pytest.mark.parametrize("owner", [Owner("world"), Owner("audit", "2")])
def test_of_another_owner_only_with_force(out, owner):
    with pytest.raises(InputError, match="holds what absence audit made"):
        placeable(out, owner)
    placeable(out, OWNER)
    placeable(out, owner, force=True)
    put(out, NEW, owner, force=True)
    assert held(out) == NEW | OTHERS


def test_what_was_changed_is_not_ours_any_more(out):
    (out / "a").write_text("mine")
    with pytest.raises(InputError, match="a: was changed, or written by others"):
        placeable(out, OWNER)
    with pytest.raises(InputError, match="is not ours"):
        put(out, NEW)
    assert held(out) == OLD | OTHERS | {"a": "mine"} and beside(out) == []
    put(out, {"d": "new"}, force=True)
    assert held(out) == {"d": "new", "a": "mine"} | OTHERS
    put(out, {"a": "new"}, force=True)
    assert held(out) == {"a": "new"} | OTHERS


@pytest.mark.parametrize("name", ["mine", "mine/deep/a.txt/below"])
def test_nor_is_a_name_that_others_have(out, name):
    for force in (False, True) if name == "mine" else (False,):
        with pytest.raises(InputError, match="is a folder where" if name == "mine" else "is not ours"):
            put(out, {name: "new"}, force=force)
    assert held(out) == OLD | OTHERS


@pytest.mark.parametrize("mark", ["", "[]", "{}", '{"by": 1}', '{"by": "audit", "of": "", "named": "", "files": 3}'])
def test_a_folder_without_a_mark_that_can_be_read_is_not_ours(out, mark):
    (out / MARK).write_text(mark)
    with pytest.raises(InputError, match="is no folder of absence audit"):
        placeable(out, OWNER)


def test_a_mark_names_nothing_outside_of_its_folder(out):
    (out.parent / "other").write_text("old")
    text = (out / MARK).read_text().replace('"a"', '"../other"')
    (out / MARK).write_text(text)
    put(out, NEW, force=True)
    assert (out.parent / "other").read_text() == "old"


def test_what_a_run_that_was_ended_has_kept(tmp_path):
    fill(tmp_path / "out", {"stages/1.json": "kept"})
    placeable(tmp_path / "out", OWNER, kept=["stages"])
    with pytest.raises(InputError, match="it holds stages"):
        placeable(tmp_path / "out", OWNER)


def test_files_that_say_that_they_are_ours(tmp_path):
    fill(tmp_path / "out", {"a.tex": "% note\nold"})
    owner = Owner("tables", note=b"% note\n")
    placeable(tmp_path / "out", owner)
    fill(tmp_path / "out", {"b.tex": "mine"})
    with pytest.raises(InputError, match=r"it holds b\.tex"):
        placeable(tmp_path / "out", owner)


def test_no_folder_that_is_in_use(tmp_path, monkeypatch):
    for here in (tmp_path, tmp_path / "below"):
        here.mkdir(exist_ok=True)
        monkeypatch.chdir(here)
        for folder in (tmp_path, Path()):
            with pytest.raises(InputError, match="holds the current folder"):
                placeable(folder, OWNER, force=True)
    with pytest.raises(InputError, match="is the root of a file system"):
        placeable(Path("/proc"), OWNER, force=True)
    (tmp_path / "file").touch()
    (tmp_path / "nothing").symlink_to("nowhere")
    for name in ("file", "nothing"):
        with pytest.raises(InputError, match="is not a folder"):
            placeable(tmp_path / name, OWNER, force=True)


def test_nor_one_that_is_read(out):
    for read in (out, out / "notes.txt", out / "mine" / "deep"):
        with pytest.raises(InputError, match="which is read here"):
            placeable(out, OWNER, read=[read], force=True)


def test_a_file_system_in_the_folder_is_left_alone(out, monkeypatch):
    monkeypatch.setattr(os.path, "ismount", lambda path: Path(path).name == "deep")
    with pytest.raises(InputError, match="deep: is the root of a file system"):
        put(out, NEW, force=True)
    assert held(out) == OLD | OTHERS and beside(out) == []


def test_files_of_one_name_each(out, monkeypatch):
    def one_name(*_, **__):
        raise OSError(errno.EPERM, "not here")

    monkeypatch.setattr(os, "link", one_name)
    put(out, NEW)
    assert held(out) == NEW | OTHERS


def test_what_comes_while_it_is_replaced_stays(out, monkeypatch):
    swap = whole._Place.swap

    def late(place):
        fill(out, {"late.txt": "mine"})
        swap(place)

    monkeypatch.setattr(whole._Place, "swap", late)
    put(out, NEW)
    assert held(out) == NEW | OTHERS | {"late.txt": "mine"}


def test_a_system_without_exchange(tmp_path, monkeypatch):
    monkeypatch.setattr(exchange, "_renameat2", lambda: None)
    assert not exchange.exchange(tmp_path, tmp_path)
    monkeypatch.undo()
    with pytest.raises(OSError, match="No such file"):
        exchange.exchange(tmp_path / "a", tmp_path / "b")


def test_two_runs_at_once(out):
    with replacing(out, OWNER) as first:
        fill(first, {"a": "first"})
        put(out, {"a": "second"})
        assert held(out) == {"a": "second"} | OTHERS
    assert held(out) == {"a": "first"} | OTHERS and beside(out) == []


def test_an_error_names_the_target(out):
    with pytest.raises(InputError) as told, replacing(out, OWNER) as new:
        raise InputError(f"{new}/a: is bad")
    assert str(told.value) == f"{out}/a: is bad"
    with pytest.raises(OSError) as told, replacing(out, OWNER) as new:
        (new / "no" / "a").write_text("")
    assert told.value.filename == str(out)
    assert held(out) == OLD | OTHERS and beside(out) == []


# --- a net beside its proof ---

FILES = {"net.onnx": "old", "better.onnx": "old"}


def pair(folder: Path, text: str):
    """A folder and, after it, two files, of which one is not there yet."""
    with placing() as places:
        fill(places.folder(folder, OWNER), dict.fromkeys(("a", text), text))
        for name in ("net.onnx", "first.onnx"):
            places.file(folder.parent / name).write_text(text)
        places.file(folder.parent / "unwritten.onnx")


def anew(folder: Path):
    shutil.rmtree(folder.parent, ignore_errors=True)
    folder.parent.mkdir()
    pair(folder, "old")
    (folder.parent / "first.onnx").unlink()
    fill(folder, OTHERS)


def state(folder: Path) -> tuple[str, str, str]:
    """What the folder, the file, and the first file are: old, new or none; each of them is whole."""
    text = held(folder)["a"]
    assert held(folder) == {"a": text, text: text} | OTHERS
    net, first = folder.with_name("net.onnx"), folder.with_name("first.onnx")
    return text, net.read_text(), first.read_text() if first.exists() else "none"


ALL_OLD, ALL_NEW = ("old", "old", "none"), ("new", "new", "new")


def test_several_targets_are_replaced_together_or_none(tmp_path, swap):
    out, seen = tmp_path / "x" / "out", set()
    for raised in failing(lambda: pair(out, "new"), tmp_path, lambda: anew(out)):
        assert isinstance(raised, OSError | None)
        assert state(out) == (ALL_OLD if raised else ALL_NEW), raised
        seen.add(state(out))
        # Nothing is in the way of the next run.
        pair(out, "new")
        assert state(out) == ALL_NEW and beside(out) == ["first.onnx", "net.onnx"]
    # To delete what is left beside it may fail, and then no one is told.
    assert seen == {ALL_OLD, ALL_NEW}


def scenario(folder: Path):
    """Killed at every change: see `tests.failing.killed`."""
    out, seen = folder / "x" / "out", set()

    def check(ended: bool):
        found = state(out)
        assert found in {ALL_OLD, ("new", "old", "none"), ("new", "new", "none"), ALL_NEW}
        assert found == ALL_NEW or not ended
        seen.add(found)
        assert len(seen) == 4 or not ended
        pair(out, "new")
        assert state(out) == ALL_NEW and beside(out) == ["first.onnx", "net.onnx"]

    return lambda: anew(out), lambda: pair(out, "new"), check


def without_exchange(folder: Path):
    """Between two renames there is no folder, until the next run."""
    whole.exchange = lambda one, other: False
    prepare, work, check = scenario(folder)
    out = folder / "x" / "out"

    def put_right(ended: bool):
        placeable(out, OWNER)
        check(ended)

    return prepare, work, put_right


@pytest.mark.parametrize("name", ["scenario", "without_exchange"])
def test_killed_at_every_change(tmp_path, name):
    killed(f"tests.models.files.test_whole:{name}", tmp_path)


NAMES = st.sampled_from(["a", "b", "c", "d/e", "d/f", "g/h/i"])
FILLED = st.dictionaries(NAMES, st.sampled_from(["1", "2"]), max_size=4)


@example([(True, {"a": "1"}), (False, {"a": "2"}), (False, {"a": "1"}), (True, {"b": "1"})], False)
@given(st.lists(st.tuples(st.booleans(), FILLED), max_size=6), st.booleans())
def test_nothing_of_others_is_ever_lost(tmp_path_factory, steps, force):
    """Runs of ours and writes of others in any order, against a model in two dictionaries.

    A file with the very bytes that our last run wrote is ours, whoever wrote it.
    """
    out = tmp_path_factory.mktemp("any") / "out"
    written, there = {}, {}
    for run, files in steps:
        if not run:
            fill(out, files)
            there |= files
            continue
        others = {name: text for name, text in there.items() if written.get(name) != text}
        if set(files) & set(others) and not force:
            with pytest.raises(InputError):
                put(out, files)
        else:
            put(out, files, force=force)
            written, there = files, others | files
        assert held(out) == there

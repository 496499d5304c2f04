"""Files whole or not at all, and messages of one line."""

import os
import subprocess

import pytest

from proof_of_absence.models.files.disk import InputError, content, refused, write


def test_written_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "new" / "file"
    write(path, b"old")
    write(path, b"first")
    assert content(path, limit=5) == b"first" and os.listdir(path.parent) == ["file"]

    def fails(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fails)
    with pytest.raises(InputError, match="file: cannot be written: No space left on device"):
        write(path, b"second")
    assert path.read_bytes() == b"first" and os.listdir(path.parent) == ["file"]
    # Nor does a folder stay that was made for the file; one that was there does.
    with pytest.raises(InputError, match="cannot be written: No space left on device"):
        write(path.parent / "folder" / "in" / "file", b"")
    assert os.listdir(path.parent) == ["file"]


def test_what_a_killed_process_left_of_the_same_file_is_deleted(tmp_path):
    gone = subprocess.Popen(["true"])
    gone.wait()
    strays = [f".file.{gone.pid}.1.tmp", f".file.{gone.pid}.140.tmp"]
    others = [
        f".file.{os.getpid()}.1.tmp",
        f".other.{gone.pid}.1.tmp",
        f".file.{gone.pid}.tmp",
        f".file.{10**30}.1.tmp",
    ]
    for name in (*strays, *others):
        (tmp_path / name).touch()
    write(tmp_path / "file", b"whole")
    assert sorted(os.listdir(tmp_path)) == sorted(["file", *others])


def test_not_written(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="below: cannot be written: "):
        write(tmp_path / "file" / "below", b"")
    with pytest.raises(InputError, match="cannot be written: Is a directory"):
        write(tmp_path, b"")


def test_not_read(tmp_path):
    path = tmp_path / "file"
    for bad, message in (
        (path, "there is no such file"),
        (tmp_path, "is no regular file"),
        ("\0", "cannot be read|no such"),
    ):
        with pytest.raises(InputError, match=message):
            content(bad, limit=9)
    path.write_bytes(b"")
    with pytest.raises(InputError, match="file: is empty"):
        content(path, limit=9)
    path.write_bytes(b"0123456789")
    with pytest.raises(InputError, match="is larger than"):
        content(path, limit=9)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="pipe: is no regular file"):
        content(tmp_path / "pipe", limit=9)


def test_a_message_is_one_line_of_bounded_length():
    assert str(refused("a", "b\n\tc\x1b[2J")) == "a: b c?[2J"
    assert len(str(refused("a", "b" * 10**6))) < 600

"""Files whole or not at all, and messages of one line."""

import os

import pytest
from absence.models.files.disk import InputError, content, refused, write


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

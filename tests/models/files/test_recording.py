"""Recorded activations in files: the very numbers come back block by block; anything else is refused in one line."""

import json
import re
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from proof_of_absence.models.files import InputError, recording
from proof_of_absence.models.files.recording import read_recording

ROWS = np.arange(12, dtype=np.float32).reshape(4, 3)


def numbers(part, start=0):
    blocks = list(part.blocks(start))
    assert [first for first, _ in blocks] == [start + sum(len(b) for _, b in blocks[:k]) for k in range(len(blocks))]
    return np.concatenate([block for _, block in blocks])


@given(
    st.sampled_from(["float16", "float32", "float64"]).flatmap(
        lambda dtype: arrays.arrays(
            dtype, st.tuples(st.integers(1, 9), st.integers(1, 4)), elements={"allow_nan": False}
        )
    ),
    st.integers(1, 8),
    st.booleans(),
    st.integers(0, 8),
)
def test_the_very_numbers_come_back(tmp_path_factory, array, block, compressed, start):
    path = tmp_path_factory.mktemp("acts") / "a.npz"
    (np.savez_compressed if compressed else np.savez)(path, X=array)
    (part,) = read_recording(path).train
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recording, "BLOCK", block)
        start = min(start, len(array) - 1)
        assert (numbers(part, start) == array[start:]).all()
    assert (part.rows, part.columns, part.dtype) == (*array.shape, array.dtype.name)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_safetensors_of_every_type(tmp_path, dtype):
    torch = pytest.importorskip("torch")
    from safetensors.torch import save_file

    there = (torch.randn(5, 3) * 100).to(getattr(torch, dtype))
    save_file({"X": there, "deploy": there + 1, "other": torch.zeros(2, dtype=torch.int32)}, tmp_path / "a.safetensors")
    found = read_recording(tmp_path / "a.safetensors")
    assert found.dtype == dtype and found.name == "a"
    assert (numbers(found.train[0]) == there.double().numpy()).all()
    assert (numbers(found.deploy[0]) == (there + 1).double().numpy()).all()


def test_a_folder_of_shards_in_the_order_of_names_and_more_axes_are_rows(tmp_path):
    np.savez(tmp_path / "b.npz", X=ROWS + 1, Y=np.zeros(4))
    np.savez(tmp_path / "a.npz", X=ROWS.reshape(2, 2, 3), Y=np.zeros((2, 9)))
    np.savez(tmp_path / "c.npz", deploy=ROWS)
    found = read_recording(tmp_path)
    assert [part.path.name for part in found.train] == ["a.npz", "b.npz"] and found.rows == 8
    assert [part.path.name for part in found.deploy] == ["c.npz"]


def write(folder, name, **arrays):
    np.savez(folder / name, **arrays)


CASES = {
    "there is no such file": lambda f: None,
    "holds no .npz and no .safetensors": lambda f: f.mkdir(),
    "X has shape (0, 3)": lambda f: write(f.parent, f.name, X=ROWS[:0]),
    "X has shape (12,)": lambda f: write(f.parent, f.name, X=ROWS.ravel()),
    "holds no array named X": lambda f: write(f.parent, f.name, Z=ROWS),
    "X holds Python objects": lambda f: write(f.parent, f.name, X=ROWS.astype(object)),
    "X holds int64": lambda f: write(f.parent, f.name, X=ROWS.astype(int)),
    "X holds complex64": lambda f: write(f.parent, f.name, X=ROWS.astype(np.complex64)),
    "X lies column by column": lambda f: write(f.parent, f.name, X=np.asfortranarray(ROWS)),
    "big-endian": lambda f: write(f.parent, f.name, X=ROWS.astype(">f4")),
    "4 rows in X but 3 in Y": lambda f: write(f.parent, f.name, X=ROWS, Y=ROWS[:3]),
    "deploy has 2 columns": lambda f: write(f.parent, f.name, X=ROWS, deploy=ROWS[:, :2]),
    "deploy is of float64": lambda f: write(f.parent, f.name, X=ROWS, deploy=ROWS.astype(float)),
    "is no whole .npz file": lambda f: f.write_bytes(b"PK" + bytes(40)),
}


@pytest.mark.parametrize("message", CASES)
def test_what_is_refused(tmp_path, message):
    CASES[message](tmp_path / "a.npz")
    with pytest.raises(InputError, match=re.escape(message)) as told:
        read_recording(tmp_path / "a.npz")
    assert "\n" not in str(told.value) and "a.npz" in str(told.value)


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"X": ROWS[:, :2]}, "X has 2 columns, and"),
        ({"X": ROWS.astype(np.float16)}, "X is of float16, and"),
        ({"X": ROWS[:0]}, "X has shape (0, 3)"),
        ({"Y": ROWS}, "holds no array named X"),
    ],
)
def test_a_shard_that_is_not_like_the_others(tmp_path, other, message):
    write(tmp_path, "a.npz", X=ROWS)
    write(tmp_path, "b.npz", **other)
    with pytest.raises(InputError, match=re.escape(message)):
        read_recording(tmp_path)


def test_deployment_rows_are_in_one_place(tmp_path):
    write(tmp_path, "a.npz", X=ROWS, deploy=ROWS)
    write(tmp_path, "b.npz", X=ROWS)
    with pytest.raises(InputError, match="holds deployment rows itself"):
        read_recording(tmp_path / "a.npz", tmp_path / "b.npz")
    assert read_recording(tmp_path / "b.npz", tmp_path / "a.npz").deploy[0].array == "X"


def test_what_ends_too_early_or_is_damaged_is_told_where_it_is_read(tmp_path):
    write(tmp_path, "a.npz", X=np.random.default_rng(0).normal(size=(50, 3)))
    (part,) = read_recording(tmp_path / "a.npz").train
    data = bytearray((tmp_path / "a.npz").read_bytes())
    data[600] ^= 1
    (tmp_path / "a.npz").write_bytes(data)
    with pytest.raises(InputError, match="Bad CRC"):
        numbers(part)
    with zipfile.ZipFile(tmp_path / "c.npz", "w") as archive, archive.open("X.npy", "w") as stream:
        np.lib.format.write_array_header_1_0(stream, {"descr": "<f4", "fortran_order": False, "shape": (9, 3)})
        stream.write(bytes(20))
    with pytest.raises(InputError, match="X ends too early"):
        numbers(read_recording(tmp_path / "c.npz").train[0])
    header = json.dumps({"X": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}}).encode()
    (tmp_path / "d.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + bytes(20))
    with pytest.raises(InputError, match="X ends too early"):
        read_recording(tmp_path / "d.safetensors")

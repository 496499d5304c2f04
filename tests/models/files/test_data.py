"""Data in .npz files: exact numbers or a refusal; nothing is unpickled or unpacked before its header is checked."""

import io
import os
import warnings
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from proof_of_absence.models.files import InputError, data
from proof_of_absence.models.files.data import read_data, read_outputs, require_order

FINITE = {"allow_nan": False, "allow_infinity": False}


def saved(**arrays):
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()


def archive(members, **options):
    """A zip of raw members."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", **options) as target, warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Duplicate name")
        for name, content in members:
            target.writestr(name, content)
    return stream.getvalue()


def npy(array, **options):
    stream = io.BytesIO()
    np.lib.format.write_array(stream, array, **options)
    return stream.getvalue()


@given(st.data(), st.integers(1, 4), st.integers(1, 3), st.integers(1, 3))
def test_written_and_read_back(tmp_path_factory, draws, n, d, m):
    path = tmp_path_factory.getbasetemp() / "round.npz"
    inputs, targets = (draws.draw(hnp.arrays(float, (n, k), elements=st.floats(**FINITE))) for k in (d, m))
    np.savez(path, X=inputs, Y=targets)
    read = read_data(path)
    assert (read.inputs == inputs).all() and (read.targets == targets).all()
    assert read.inputs.dtype == read.targets.dtype == np.float64
    np.savez(path, X=inputs)
    assert read_data(path, targets=False).targets is None


@pytest.mark.parametrize(
    "kind", ["<f2", "<f4", ">f4", "<f8", ">f8", "i1", "u1", "<i2", ">u2", "<i4", "<u4", "<i8", ">i8", "<u8"]
)
def test_types(tmp_path, kind):
    path = tmp_path / "data.npz"
    inputs = np.array([[0, 1], [2, 3]], kind)
    path.write_bytes(saved(x=inputs, targets=np.asfortranarray(inputs)))
    assert read_data(path).inputs.tolist() == read_data(path).numbers.tolist() == inputs.tolist()


@pytest.mark.parametrize("value", [2**53, -(2**53), 2**53 + 2, 2**63, 2**64 - 2**11, -(2**63)])
def test_large_integers_that_float64_holds(tmp_path, value):
    path = tmp_path / "data.npz"
    path.write_bytes(saved(X=np.array([[value]])))
    assert read_data(path, targets=False).inputs.tolist() == [[value]]


@pytest.mark.parametrize(
    "names", [("X", "Y"), ("x", "y"), ("inputs", "targets"), ("X", "targets"), ("x_train", "y_train"), ("X", "labels")]
)
def test_names_and_shapes(tmp_path, names):
    path = tmp_path / "data.npz"
    images = np.arange(24).reshape(2, 3, 4)
    path.write_bytes(saved(**{names[0]: images, names[1]: np.array([5, 6]), "other": np.array([object()])}))
    inputs, targets, labels, shape = read_data(path)
    assert inputs.tolist() == [list(range(12)), list(range(12, 24))] and targets is None and shape == (3, 4)
    assert labels.tolist() == [5, 6] and labels.dtype == np.int64 and read_data(path).numbers.tolist() == [[5], [6]]
    path.write_bytes(saved(**{names[0]: images, names[1]: np.array([5.0, 6.0])}))
    assert read_data(path).targets.tolist() == [[5], [6]] and read_data(path).labels is None


@pytest.mark.parametrize("kind", ["?", "i1", "u1", "<i4", ">i8", "<u8"])
@pytest.mark.parametrize("shape", [(2,), (2, 1), (2, 1, 1)])
def test_one_column_of_integers_or_truth_values_is_labels(tmp_path, kind, shape):
    path = tmp_path / "data.npz"
    path.write_bytes(saved(X=np.ones((2, 1)), Y=np.array([1, 0]).astype(kind).reshape(shape)))
    found = read_data(path)
    assert found.targets is None and found.labels.tolist() == [1, 0] and found.labels.dtype == np.int64


def test_several_columns_of_integers_are_targets(tmp_path):
    path = tmp_path / "data.npz"
    path.write_bytes(saved(X=np.ones((2, 1)), Y=np.eye(2, dtype=int)))
    assert read_data(path).targets.tolist() == [[1, 0], [0, 1]] and read_data(path).labels is None


def test_targets_may_be_left_out_where_they_are_optional(tmp_path):
    path = tmp_path / "data.npz"
    path.write_bytes(saved(X=np.ones((2, 1))))
    found = read_data(path, optional=True)
    assert found.targets is found.labels is found.numbers is None and found.inputs.tolist() == [[1], [1]]
    with pytest.raises(InputError, match="Y_train or y_train and has none: it holds X; write"):
        read_data(path)
    path.write_bytes(saved(X=np.ones((2, 1)), Y=np.ones(2), y=np.ones(2)))
    with pytest.raises(InputError, match="has Y, y; write"):
        read_data(path, optional=True)


X, Y = np.ones((2, 1)), np.ones(2)


def header(shape, descr="<f8"):
    """A member whose header promises more than its eight bytes."""
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": descr, "fortran_order": False, "shape": shape})
    return stream.getvalue() + b"\0" * 8


REFUSED = {
    "no inputs": (
        saved(Y=Y, features=X),
        r"inputs, X_train or x_train and has none: it holds Y, features; write it with numpy.savez\(path, X=",
    ),
    "no targets": (saved(X=X), "named Y, y, targets, labels, Y_train or y_train and has none: it holds X; write"),
    "inputs twice": (saved(X=X, x=X, Y=Y), "and has X, x; write"),
    "one name twice": (archive([("X.npy", npy(X)), ("X.npy", npy(X)), ("Y.npy", npy(Y))]), "and has X, X; write"),
    "objects": (saved(X=np.array([[None]], object), Y=Y), "X holds object, no float or integer numbers; convert it"),
    "complex": (saved(X=X * 1j, Y=Y), "X holds complex128, no float or integer"),
    "strings": (saved(X=np.array([["a"]]), Y=Y), "X holds <U1, no float or integer"),
    "dates": (saved(X=X.astype("M8[s]"), Y=Y), "X holds datetime64"),
    "records": (saved(X=np.zeros((2, 1), [("a", float)]), Y=Y), r"X holds \[\('a', '<f8'\)\], no float"),
    "long double": (saved(X=X.astype(np.longdouble), Y=Y), "X holds float128, no float"),
    "nan": (saved(X=X, Y=Y * np.nan), "Y holds NaN or infinity"),
    "infinity": (saved(X=np.float32([[1], [-np.inf]]), Y=Y), "X holds NaN or infinity"),
    "no rows": (saved(X=np.ones((0, 2)), Y=Y), r"X has shape \(0, 2\); it needs at least one row and one column"),
    "no columns": (saved(X=X, Y=np.ones((2, 0))), r"Y has shape \(2, 0\)"),
    "a number": (saved(X=X, Y=3.0), r"Y has shape \(\)"),
    "one axis": (saved(X=Y, Y=Y), r"inputs have shape \(2,\); reshape them to \(N, d\), a single feature to \(N, 1\)"),
    "lengths": (saved(X=X, Y=np.ones(3)), "holds 2 inputs but 3 targets"),
    "large integer": (
        saved(X=np.array([[2**53 + 1]]), Y=Y[:1]),
        "X holds an integer that float64 does not hold exactly",
    ),
    "largest integer": (saved(X=np.array([[2**64 - 1]], np.uint64), Y=Y[:1]), "X holds an integer that float64"),
    "no zip": (b"hello", r"is no whole .npz file \(File is not a zip file\); write it"),
    "npy": (npy(X), "is no whole .npz file"),
    "no npy": (archive([("X.npy", b"hello, world"), ("Y.npy", npy(Y))]), "is no whole .npz file"),
    "short": (archive([("X.npy", header((5, 5))), ("Y.npy", npy(Y))]), "is no whole .npz file"),
    "promises": (archive([("X.npy", header((2**40, 5))), ("Y.npy", npy(Y))]), "X unpacks to more than 4096 MiB"),
    "negative shape": (archive([("X.npy", header((-1, 5))), ("Y.npy", npy(Y))]), "is no whole .npz file"),
    "version 3": (
        archive([("X.npy", npy(X, version=(3, 0))), ("Y.npy", npy(Y))]),
        r"X has a header of version \(3, 0\)",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(tmp_path, case):
    content, message = REFUSED[case]
    path = tmp_path / "data.npz"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        read_data(path)
    assert str(caught.value).startswith(f"{path}: ") and str(caught.value).isprintable()


def test_one_file_of_training_and_test_data(tmp_path):
    """As mnist.npz has them: each command takes its own."""
    path = tmp_path / "data.npz"
    path.write_bytes(saved(x_train=X, y_train=Y, x_test=2 * X, y_test=Y))
    assert read_data(path).inputs.tolist() == X.tolist() and read_data(path).targets.tolist() == [[1], [1]]
    assert read_data(path, targets=False).inputs.tolist() == (2 * X).tolist()


def test_truth_values_are_0_and_1(tmp_path):
    path = tmp_path / "data.npz"
    path.write_bytes(saved(X=np.array([[True], [False]]), Y=Y))
    assert read_data(path).inputs.tolist() == [[1], [0]]


def test_outputs(tmp_path):
    path = tmp_path / "outputs.npz"
    path.write_bytes(saved(logits=np.float32([1, 2])))
    assert read_outputs(path).tolist() == [[1], [2]]
    path.write_bytes(saved(X=X))
    with pytest.raises(InputError, match=r"outputs, output, logits, Y or y and has none: it holds X"):
        read_outputs(path)


class Malicious:
    def __init__(self, target):
        self.target = str(target)

    def __reduce__(self):
        return os.system, (f"touch {self.target}",)


def test_no_code_is_run(tmp_path):
    path, target = tmp_path / "data.npz", tmp_path / "ran"
    path.write_bytes(saved(X=np.array([[Malicious(target)]], object), Y=Y[:1]))
    with pytest.raises(InputError, match="X holds object"):
        read_data(path)
    assert not target.exists()
    np.load(path, allow_pickle=True)["X"]
    assert target.exists()


def test_bomb(tmp_path, monkeypatch):
    monkeypatch.setattr(data, "LARGEST", 2**20)
    path = tmp_path / "data.npz"
    bomb = archive([("X.npy", npy(X) + bytes(2**21)), ("Y.npy", npy(Y))], compression=zipfile.ZIP_DEFLATED)
    assert len(bomb) < 2**14
    path.write_bytes(bomb)
    with pytest.raises(InputError, match=r"data.npz: X unpacks to more than 1 MiB, the most that is read"):
        read_data(path)
    np.savez_compressed(path, X=np.zeros((2**17 + 1, 1), np.int8), Y=Y)
    with pytest.raises(InputError, match="X unpacks to more than 1 MiB"):
        read_data(path)


def test_every_cut_is_refused(refuses_every_cut):
    refuses_every_cut(saved(X=X, Y=Y), ".npz", read_data)


@pytest.mark.parametrize(
    ("own", "fits"),
    [((3, 4, 5), True), ((4, 5, 3), False), ((60,), True), ((3, 4, 5, 1), True), ((5, 4, 3), False), ((12, 5), False)],
)
def test_axes_in_another_order_than_the_net_reads_are_refused(own, fits):
    if fits:
        require_order("data.npz", own, (3, 4, 5))
    else:
        with pytest.raises(InputError, match=r"has inputs of shape .*, the net reads 3 x 4 x 5; give"):
            require_order("data.npz", own, (3, 4, 5))
    # A net that reads vectors takes the axes as they come, and other sizes are refused elsewhere.
    require_order("data.npz", own, (60,))
    require_order("data.npz", own, (2, 2))

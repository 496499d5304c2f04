"""Files of arrays that are none: each is refused, and nothing else is raised."""

import hashlib
import io
import zipfile

import numpy as np
import pytest

from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.checker.independent.values.arrays import table


def entry_of(folder, content):
    """The entry of a certificate that names a file with this content."""
    (folder / "train.npz").write_bytes(content)
    return {"file": "train.npz", "sha256": hashlib.sha256(content).hexdigest()}


def archive(header):
    """An archive with one array, whose header is this text."""
    stream = io.BytesIO()
    np.save(stream, np.zeros((2, 3)))
    own = header.ljust(117).encode() + b"\n"
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as made:
        made.writestr("inputs.npy", stream.getvalue()[:10] + own + stream.getvalue()[128:])
    return whole.getvalue()


GOOD = "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }"


def test_the_archive_is_read(tmp_path):
    assert table(tmp_path, entry_of(tmp_path, archive(GOOD))).shape == (2, 3)


@pytest.mark.parametrize(
    "header",
    [
        GOOD + " (", GOOD + " '''", GOOD[:-1], "(" * 100, "\n  x\n y", GOOD.replace("2, 3", "2L, 4"), "{}", "\\", "\0",
        GOOD.replace("<f8", "<f9"), GOOD.replace("False", "[]"), GOOD.replace("(2, 3)", "(2, -3)"),
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore:Reading `.npy`")
def test_headers_that_are_none_are_refused_and_raise_nothing_else(tmp_path, header):
    with pytest.raises(Refused):
        table(tmp_path, entry_of(tmp_path, archive(header)))

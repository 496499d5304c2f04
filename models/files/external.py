"""ONNX weights kept in a file beside the model, as torch's exporter writes them by default.

Only a plain file in the model's own folder is read, and only the bytes that the tensor's shape asks for.
"""

import math
import os
from pathlib import Path

from onnx import TensorProto

from proof_of_absence.models.files.disk import refused

__all__ = ["inlined"]

ITEM_SIZES: dict[int, int] = {
    TensorProto.FLOAT: 4, TensorProto.DOUBLE: 8, TensorProto.INT64: 8, TensorProto.INT32: 4, TensorProto.BOOL: 1,
    TensorProto.FLOAT16: 2, TensorProto.BFLOAT16: 2,
}  # fmt: skip


def inlined(path: str | os.PathLike[str], tensor: TensorProto) -> TensorProto:
    """The tensor with its data inside it; `path` is the model's.

    Raises
    ------
    InputError
        If the data is in another folder or behind a link, missing, or of another length than the shape asks for.
    """
    told = {entry.key: entry.value for entry in tensor.external_data}
    location = told.get("location", "")
    weights = f"weights {tensor.name} are in another file"
    # Both separators, wherever we run; a colon is a drive or a stream on some systems.
    if location in ("", ".", "..") or not location.isprintable() or any(letter in location for letter in "/\\:"):
        raise refused(path, f"{weights}, {location!r}, which is not in the model's folder; save the model in one file")
    beside = Path(path).parent / location
    if beside.is_symlink() or not beside.is_file():
        raise refused(path, f"{weights}, {location}, which is not there as a plain file; copy it beside the model")
    length = math.prod(tensor.dims) * ITEM_SIZES[tensor.data_type]
    try:
        offset, stated = int(told.get("offset", 0)), int(told.get("length", length))
        with open(beside, "rb") as stream:
            fits = stated == length and 0 <= offset <= offset + length <= os.fstat(stream.fileno()).st_size
            stream.seek(offset if fits else 0)
            data = stream.read(length) if fits else b""
    except (OSError, ValueError, MemoryError) as error:
        raise refused(path, f"{weights}, {location}, which cannot be read: {error}") from error
    if not fits or len(data) != length:
        raise refused(
            path, f"{weights}, {location}, which does not hold the {length} bytes of its shape; export it again"
        )
    return TensorProto(name=tensor.name, dims=tensor.dims, data_type=tensor.data_type, raw_data=data)

"""What long runs keep in files, each part whole, sealed and keyed: one that was stopped by kill -9 goes on from there.

A key is made from all that the part depends on, this program's own sources included, so nothing stale is used.
"""

import hashlib
import json
import platform
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, assert_never

import numpy as np

import proof_of_absence.checker
import proof_of_absence.models
from proof_of_absence.checker.kernel.certificate import seal, write
from proof_of_absence.checker.kernel.graph_json import graph_arrays, graph_text
from proof_of_absence.checker.kernel.lock import version_of
from proof_of_absence.models.floatnet import FloatNet
from proof_of_absence.models.graph import Graph
from proof_of_absence.models.layers import FloatAffine, FloatLayer, RationalAffine

__all__ = ["content_key", "keep", "kept", "sources", "versions", "written_key"]


@cache
def sources() -> str:
    """A digest of the code that the results come from."""
    digest = hashlib.sha256(np.__version__.encode())
    for package in (proof_of_absence.models, proof_of_absence.checker):
        (folder,) = map(Path, package.__path__)
        for path in sorted(folder.rglob("*.py")):
            digest.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def versions(*libraries: str) -> dict[str, str]:
    """The versions of Python, of this program and of the libraries, by their names in the package index."""
    return {"python": platform.python_version()} | {name: version_of(name) for name in ("proof-of-absence", *libraries)}


def content_key(*parts: object) -> str:
    """SHA-256 of nets, arrays and texts, taken one after the other."""
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, FloatNet):
            arrays = [array for layer in part.layers for array in _arrays(layer)]
            digest.update(f"net {part.dtype}\0".encode())
        elif isinstance(part, Graph):
            arrays = list(graph_arrays(part).values())
            digest.update(_named(graph_text(part).encode()))
        else:
            arrays = [part] if isinstance(part, np.ndarray) else []
            if not arrays:
                digest.update(f"text {len(str(part))}\0{part}".encode("utf-8", "backslashreplace"))
        for array in arrays:
            digest.update(_numbers(array))
    return digest.hexdigest()


def written_key(text: bytes, arrays: Iterable[np.ndarray]) -> str:
    """The `content_key` of a graph from its files: the text of graph.json, and the arrays of graph.npz in order."""
    digest = hashlib.sha256(_named(text))
    for array in arrays:
        digest.update(_numbers(array))
    return digest.hexdigest()


def _named(text: bytes) -> bytes:
    return b"graph\0" + text + b"\0"


def _numbers(array: np.ndarray) -> bytes:
    return f"array {array.dtype.str} {array.shape}\0".encode() + np.ascontiguousarray(array).tobytes()


def _arrays(layer: FloatLayer) -> Sequence[np.ndarray]:
    """The layer in arrays, one for each net: numbers that no float holds as text."""
    match layer:
        case FloatAffine():
            return layer
        case RationalAffine(_, exponent, denominator):
            return layer.hexadecimal(), np.array([f"{exponent}".encode(), f"{denominator:x}".encode()])
        case _:
            assert_never(layer)


def keep(path: Path, key: str, part: dict[str, Any]) -> dict[str, Any]:
    """Write a part under its key, whole or not at all; the object that `kept` will give back.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    sealed = seal(part | {"key": key})
    write(path, json.dumps(sealed, ensure_ascii=False))
    return sealed


def kept(path: Path, key: str) -> dict[str, Any] | None:
    """The part that was kept under this key; None if there is none: a damaged or foreign file is no part."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return found if found["key"] == key and seal(found) == found else None
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None

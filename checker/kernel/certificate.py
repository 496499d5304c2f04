"""Certificates on disk: JSON with exact rationals as text, beside the SMT-LIB script; written atomically.

Encoders here turn models into that JSON. The independent checker reads the format with code of its own.
"""

import hashlib
import json
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

from proof_of_absence.models.data import Dataset
from proof_of_absence.models.files.disk import replace
from proof_of_absence.models.net import MLP

__all__ = ["FORMAT", "data_json", "digest", "net_json", "rows_json", "seal", "units_json", "write"]

FORMAT = "absence-certificate/1"


def rows_json(rows: Iterable[Iterable[Fraction]]) -> list[list[str]]:
    """A matrix of exact numbers as text."""
    return [[str(entry) for entry in row] for row in rows]


def net_json(net: MLP) -> list[dict[str, Any]]:
    """A net as a list of layers."""
    return [{"weights": rows_json(layer.weights), "bias": [str(b) for b in layer.bias]} for layer in net.layers]


def data_json(data: Dataset) -> dict[str, Any]:
    """A dataset as inputs and targets."""
    return {"inputs": rows_json(data.inputs), "targets": rows_json(data.targets)}


def units_json(units: Iterable[Iterable[int]]) -> list[list[int]]:
    """A circuit as sorted (layer, index) pairs."""
    return sorted([list(unit) for unit in units])


def digest(certificate: dict[str, Any]) -> str:
    """SHA-256 of everything in the certificate but the digest itself."""
    content = {key: value for key, value in certificate.items() if key != "digest"}
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def seal(certificate: dict[str, Any]) -> dict[str, Any]:
    """The certificate with its digest."""
    return certificate | {"digest": digest(certificate)}


def write(path: Path, text: str) -> None:
    """Write a text file, in UTF-8, whole or not at all."""
    replace(path, text.encode())

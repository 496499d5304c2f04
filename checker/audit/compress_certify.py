"""The certificate of a compressed net: both nets as raw arrays, and beside them the box, the bounds, and each removal.

`checker/independent/results/compression.py` replays it with code of its own.
"""

import hashlib
import io
import json
from pathlib import Path

import numpy as np

from proof_of_absence.checker.audit.compress import Compressed, Removal
from proof_of_absence.checker.audit.net_arrays import arrays_of
from proof_of_absence.checker.kernel.certificate import seal, write
from proof_of_absence.checker.numbers.hexadecimal import hexadecimal
from proof_of_absence.models.files.disk import replace
from proof_of_absence.models.floatnet import FloatNet

__all__ = ["FORMAT", "NAME", "certify_compression"]

FORMAT = "absence-compression-certificate/1"
NAME = "compression.json"


def certify_compression(folder: Path, found: Compressed) -> Path:
    """Write before.npz, after.npz and, last, compression.json into the folder; returns its path."""
    files = {"before": _save(folder, "before", found.before), "after": _save(folder, "after", found.net)}
    region = None
    if found.region is not None:
        low, high = zip(*found.region.bounds, strict=True)
        region = {"low": [str(x) for x in low], "high": [str(x) for x in high]}
    certificate = seal(
        {
            "format": FORMAT,
            "files": files,
            "region": region,
            "bounds": found.stability.lines,
            "searched": [
                {"layer": proved.unit.layer, "unit": proved.unit.index, "sign": proved.sign, "tree": proved.tree}
                for proved in found.stability.searched
            ],
            "removed": [_removal(removal) for removal in found.removed],
        }
    )
    write(folder / NAME, json.dumps(certificate, sort_keys=True, ensure_ascii=False, indent=1) + "\n")
    return folder / NAME


def _removal(removal: Removal) -> dict[str, object]:
    told: dict[str, object] = {"layer": removal.unit.layer, "unit": removal.unit.index, "how": removal.how}
    if removal.how == "merged":
        terms = [[unit.index, hexadecimal(factor)] for unit, factor in removal.terms]
        told |= {"terms": terms, "shift": hexadecimal(removal.shift)}
    return told


def _save(folder: Path, name: str, net: FloatNet) -> dict[str, str]:
    # What is said of it is about the products alone.
    stream, arrays = io.BytesIO(), arrays_of(FloatNet(net.layers, net.dtype))
    np.savez(stream, **arrays)  # type: ignore[arg-type]
    replace(folder / f"{name}.npz", stream.getvalue())
    return {"file": f"{name}.npz", "sha256": hashlib.sha256(stream.getvalue()).hexdigest()}

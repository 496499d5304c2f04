"""The certificate of recorded activations: files by their digests, and facts about their numbers.

It is the JSON report too: every number of the reports is in a fact, and `absence check` decides each of them anew.
"""

import hashlib
import io
from collections.abc import Iterable
from dataclasses import asdict
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from proof_of_absence.checker.kernel.certificate import seal
from proof_of_absence.checker.numbers.hexadecimal import hexadecimal
from proof_of_absence.checker.recorded.findings import SCOPE, LayerFindings, PricedRows, Prices
from proof_of_absence.checker.recorded.relations import Relation

__all__ = ["FORMAT", "NAME", "certificate", "factor_bytes", "factor_name", "facts"]

FORMAT = "absence-recorded-certificate/2"
NAME = "recorded.json"


def certificate(layers: Iterable[LayerFindings]) -> dict[str, Any]:
    """The sealed certificate."""
    return seal({"format": FORMAT, "scope": SCOPE, "layers": [_layer(k, layer) for k, layer in enumerate(layers)]})


def factor_name(k: int) -> str:
    """The file beside the certificate that shows the leverages of a layer."""
    return f"factor-{k}.npz"


def factor_bytes(factor: NDArray[np.float64]) -> bytes:
    """What that file holds."""
    stream = io.BytesIO()
    np.savez(stream, factor=factor)
    return stream.getvalue()


def _layer(k: int, layer: LayerFindings) -> dict[str, Any]:
    factor = layer.priced.factor if layer.priced else None
    return {
        "name": layer.name,
        "dtype": layer.dtype,
        "train": [asdict(file) for file in layer.train],
        "deploy": [asdict(file) for file in layer.deploy],
        "test": [asdict(file) for file in layer.test],
        # Leverages that are exact need no factor to show them.
        "factor": None
        if factor is None
        else {"file": factor_name(k), "sha256": hashlib.sha256(factor_bytes(factor)).hexdigest()},
        "facts": facts(layer),
    }


def facts(layer: LayerFindings) -> list[dict[str, Any]]:
    """What was found, as facts."""
    found: list[dict[str, Any]] = [
        {
            "kind": "recorded-columns",
            "rows": layer.rows,
            "columns": layer.columns,
            "constant": [one.column for one in layer.constant],
            "values": [one.value.hex() for one in layer.constant],
        },
        {
            "kind": "recorded-rank",
            "low": layer.rank.low,
            "high": layer.rank.high,
            "prime": layer.rank.prime,
            "rows": list(layer.rank.rows),
            "columns": list(layer.rank.columns),
            "relations": [_terms(one.relation) for one in layer.joint],
        },
    ]
    if layer.deploy:
        found.append(
            {
                "kind": "recorded-moves",
                "rows": layer.inputs,
                "columns": [one.moves for one in layer.constant],
                "relations": [one.moves for one in layer.joint],
                "inputs": layer.moving.tolist(),
            }
        )
    if layer.priced:
        found.append(_prices(layer, layer.priced))
    return found


def _prices(layer: LayerFindings, priced: Prices) -> dict[str, Any]:
    """In the form of `independent.kinds.float_readout`, its columns those of [1 | X]."""
    relations = [] if priced.penalty else layer.relations
    return {
        "kind": "readout-prices",
        "layer": 1,
        "penalty": hexadecimal(priced.penalty),
        "move": hexadecimal(priced.move),
        "columns": list(priced.columns),
        "directions": [_terms(relation) for relation in relations],
        "rows": {part: _rows(layer, part, listed) for part, listed in priced.parts.items()},
    }


def _rows(layer: LayerFindings, part: str, listed: PricedRows) -> list[dict[str, Any]]:
    rows, free = listed.rows.tolist(), listed.free.tolist()
    if listed.exact is not None:
        exact = zip(rows, free, listed.exact, strict=True)
        return [
            _entry(row, k, h and [hexadecimal(h)] * 2, h and [hexadecimal(layer.price(h))] * 2) for row, k, h in exact
        ]
    bounds = zip(rows, free, listed.leverage.tolist(), layer.prices[part].tolist(), strict=True)
    return [
        _entry(row, k, None if k >= 0 else _pair(h), None if k >= 0 else _pair(price)) for row, k, h, price in bounds
    ]


def _entry(row: int, free: int, leverage: Any, price: Any) -> dict[str, Any]:
    return {"row": row, "free": free} if free >= 0 else {"row": row, "leverage": leverage, "price": price}


def _terms(relation: Relation) -> list[list[Any]]:
    return [[j, hexadecimal(relation[j])] for j in sorted(relation)]


def _pair(bounds: list[float]) -> list[str | None]:
    return [_float_text(x) if isfinite(x) else None for x in bounds]


def _float_text(value: float) -> str:
    # Of thousands of floats a Fraction is made in vain.
    top, bottom = value.as_integer_ratio()
    return f"{top:x}" + (f"/{bottom:x}" if bottom != 1 else "")

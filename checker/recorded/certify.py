"""The certificate of recorded activations: files by their digests, and facts about their numbers.

It is the JSON report too: every number of the reports is in a fact, and `absence check` decides each of them anew.
"""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from proof_of_absence.checker.kernel.certificate import seal
from proof_of_absence.checker.recorded.findings import SCOPE, LayerFindings

__all__ = ["FORMAT", "NAME", "certificate", "facts"]

FORMAT = "absence-recorded-certificate/1"
NAME = "recorded.json"


def certificate(layers: Iterable[LayerFindings]) -> dict[str, Any]:
    """The sealed certificate."""
    return seal({"format": FORMAT, "scope": SCOPE, "layers": [_layer(layer) for layer in layers]})


def _layer(layer: LayerFindings) -> dict[str, Any]:
    return {
        "name": layer.name,
        "dtype": layer.dtype,
        "train": [asdict(file) for file in layer.train],
        "deploy": [asdict(file) for file in layer.deploy],
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
        }
    ]
    if layer.deploy:
        found.append(
            {
                "kind": "recorded-moves",
                "rows": layer.inputs,
                "columns": [one.moves for one in layer.constant],
                "inputs": layer.moving.tolist(),
            }
        )
    return found

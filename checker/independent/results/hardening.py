"""Check the list of what was taken out of a net: each circuit was idle in the net that it was taken from.

From the net before, one removal after the other is done again; what comes out is the net after, number for number.
"""

import json
from pathlib import Path
from typing import Any

from proof_of_absence.checker.independent.refusal import Refused, require, require_equal
from proof_of_absence.checker.independent.results.audit import MALFORMED, note_still, require_circuit
from proof_of_absence.checker.independent.results.report import open_layers, require_circuits
from proof_of_absence.checker.independent.results.subject import Subject
from proof_of_absence.checker.independent.values import Fact
from proof_of_absence.checker.independent.values.arrays import hexadecimal
from proof_of_absence.checker.independent.values.reported import exact, rational, rationals, require_same, require_types

NAME = "hardening.json"
LARGEST = 2**31
PARTS = {"files", "removed", "left", "biases", "deviation", "same_in_float32"}
FILES = {"net", "train", "deploy"}


def check_hardening(path: Path, certificate: Fact, subject: Subject) -> tuple[Fact, list[str]]:
    """Refuse the list unless it goes with the certificate, which was accepted.

    Returns the files that it says were read, and in words what was not looked at.

    Raises
    ------
    Refused
        With what is wrong with it.
    """
    try:
        require(path.stat().st_size <= LARGEST, f"larger than {LARGEST} bytes")
        listed = json.loads(path.read_text(encoding="utf-8"))
        require(isinstance(listed, dict) and set(listed) == PARTS, "parts are missing or unknown")
        require_types(listed)
        files = listed["files"]
        require(isinstance(files, dict) and set(files) == FILES, "files are missing or unknown")
        for name, file in files.items():
            named = file is None or (set(file) == {"source", "sha256"} and all(type(v) is str for v in file.values()))
            require(named, f"{name} is not named with its sha256")
        return files, _checked(listed, certificate["facts"], subject)
    except OSError as error:
        raise Refused(f"not readable: {error.strerror}") from error
    except MALFORMED as error:
        raise Refused(f"a part is malformed: {type(error).__name__}: {error}") from error


def _checked(listed: dict[str, Any], facts: list[Fact], subject: Subject) -> list[str]:
    (fact,) = (fact for fact in facts if fact["kind"] == "hardened")
    for part in ("removed", "left"):
        units = sorted({(layer, j) for circuit in listed[part] for layer, j in circuit["units"]})
        require_equal(f"the units {part}", units, [(layer, j) for layer, j in fact[part]])
    require_equal("the deviation", rational(listed["deviation"]), hexadecimal(fact["deviation"]))
    require_circuits(listed["left"], [fact for fact in facts if fact["kind"] == "circuit"], subject)
    _replay(listed["removed"], listed["biases"], subject)
    cut = sorted({(layer, j) for circuit in listed["removed"] for layer, j in circuit["units"]})
    shown = [sorted((layer, j) for layer, j in fact["units"]) for fact in facts if fact["kind"] == "same-in-float32"]
    require(shown in ([], [cut]), "the certificate names other units as 0 in float32")
    # Where nothing was cut the nets are one.
    require_same("same_in_float32", listed["same_in_float32"], not cut or shown == [cut])
    return open_layers(facts)


def _replay(removed: list[Fact], biases: list[list[str] | None], subject: Subject) -> None:
    """Take the circuits out of the net before, in their order."""
    before = subject.before
    if before is None:
        raise Refused("its certificate names no net before; harden again")
    now = Subject(before, subject.train, deploy=subject.deploy)
    for layer in range(1, len(before.layers)):
        if units := sorted({j for circuit in removed for number, j in circuit["units"] if number == layer}):
            note_still(now, layer, units)
    require(isinstance(biases, list) and len(biases) == len(removed), "there is not one entry of biases for a circuit")
    for circuit, stated in zip(removed, biases, strict=True):
        layer, units = circuit["units"][0][0], [j for _, j in circuit["units"]]
        require(all(number == layer for number, _ in circuit["units"]), "a circuit has units of two layers")
        readers = [[layer + 1, k] for k in range(now.net.widths[layer + 1])]
        require_equal("the readers of a circuit", [entry["unit"] for entry in circuit["value"]], readers)
        value, fires = [exact(entry["value"]) for entry in circuit["value"]], circuit["fires"]
        require((fires is None) == (subject.deploy is None), f"circuit {layer}.{units}: where it fires")
        require_circuit(now, layer, units, value, fires)
        weights, _ = now.net.layers[layer]
        require_same("whether a circuit is empty", circuit["empty"], not weights[:, units].any())
        whole = [b + v for b, v in zip(now.net.biases(layer + 1), value, strict=True)]
        rounded = whole if stated is None else rationals(stated)
        require(len(rounded) == len(whole), f"circuit {layer}.{units}: there is not one bias for each reader")
        now.net = now.net.cut(layer + 1, units, rounded)
        if rounded != whole:
            # The units above have other values than before.
            now.still.clear()
    for number in range(1, len(before.layers) + 1):
        same = now.net.same_layer(subject.net, number)
        require(same, f"layer {number} of the new net is not what the removals make of it")

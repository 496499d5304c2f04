"""The certificate of an audit: the net and the inputs as raw arrays, and beside them the facts that were found.

`checker/independent/results/audit.py` reads the folder with code of its own and decides every fact anew.
"""

import hashlib
import io
import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import numpy as np

from proof_of_absence.checker.audit.findings import (
    Activity,
    CircuitFinding,
    DeploymentFinding,
    RankFinding,
    Readout,
    UnitFinding,
)
from proof_of_absence.checker.audit.harden import Hardened
from proof_of_absence.checker.audit.idle import checked_inputs
from proof_of_absence.checker.audit.independence import rest_findings
from proof_of_absence.checker.audit.net_arrays import arrays_of
from proof_of_absence.checker.construct.readout_facts import readout_fact
from proof_of_absence.checker.kernel.certificate import seal, write
from proof_of_absence.checker.numbers.deadline import OutOfTime, in_force, left, within
from proof_of_absence.checker.numbers.hexadecimal import hexadecimal
from proof_of_absence.models.files.disk import replace
from proof_of_absence.models.floatnet import FloatNet

__all__ = ["FORMAT", "NAME", "certify", "deployment_fact", "rank_fact", "same_fact", "unit_facts"]

FORMAT = "absence-audit-certificate/1"
NAME = "certificate.json"


def certify(
    folder: Path,
    net: FloatNet,
    inputs: np.ndarray,
    deploy: np.ndarray | None = None,
    *,
    units: tuple[UnitFinding, ...],
    circuits: tuple[CircuitFinding, ...] = (),
    ranks: tuple[RankFinding, ...] = (),
    deployment: tuple[DeploymentFinding, ...] = (),
    regions: Iterable[dict] = (),
    targets: np.ndarray | None = None,
    losses: Iterable[dict] = (),
    test: np.ndarray | None = None,
    readout: Readout | None = None,
    factor: np.ndarray | None = None,
    hardened: Hardened | None = None,
    about: dict | None = None,
) -> Path:
    """Write net.npz, train.npz, the like of what else there is and, last, certificate.json; returns its path.

    `factor` shows the `readout`; `regions` are facts of `checker.region.decide`, `losses` of `loss_facts`, about this
    net and these data. What is undecided is not in it. With `hardened`, the net is the one that it made, and the net
    before is written too. `about` is what a report beside it says of files and of what is open. That there is no idle
    circuit in a layer but its idle units is certified where the other features have full rank, if the deadline in force
    leaves the time to show it; elsewhere, neither that is, nor that a circuit is minimal.

    Raises
    ------
    ValueError
        If a unit is undecided, or there are facts about deployment inputs or targets without these.
    """
    inputs = checked_inputs(net, inputs)
    if deploy is None and (deployment or any(circuit.fires for circuit in circuits)):
        raise ValueError("facts about deployment inputs need these inputs")
    contents = {"net": arrays_of(net), "train": {"inputs": inputs}}
    if deploy is not None:
        contents["deploy"] = {"inputs": checked_inputs(net, deploy, "deployment inputs")}
    facts = [*unit_facts(units), *(_circuit(circuit, deploy is not None) for circuit in circuits)]
    # In half of the time that is left, since the files are to be written too; else the certificate says less.
    with suppress(OutOfTime), within(in_force().sooner(left() / 2)):
        ranks = (*ranks, *rest_findings(net, inputs, units))
    facts += [fact for finding in ranks if (fact := rank_fact(finding))]
    facts += [fact for finding in deployment if (fact := deployment_fact(finding))]
    facts += [
        {"kind": "covered", "row": finding.row, "combination": _pairs(finding.cover)}
        for finding in deployment
        if finding.cover
    ]
    # The net and the data lie in the folder once, for all facts.
    facts += [{key: part for key, part in fact.items() if key != "net"} for fact in regions]
    losses = list(losses)
    if targets is None and any(fact["kind"] != "float32-deviation" for fact in losses):
        raise ValueError("facts about losses need the targets")
    facts += [fact | {"dtype": net.dtype.name} for fact in losses]
    if test is not None:
        contents["test"] = {"inputs": checked_inputs(net, test, "test inputs")}
    if readout is not None:
        # Exact prices need no factor to show them.
        contents |= {} if factor is None else {"factor": {"factor": factor}}
        facts.append(readout_fact(readout))
    if targets is not None:
        contents["targets"] = {"targets": np.asarray(targets, dtype=np.float64)}
    if hardened is not None:
        contents["before"] = arrays_of(hardened.before)
        facts.append(_hardened(hardened))
        if hardened.same_in_float32 and hardened.removed:
            facts.append(same_fact(hardened.removed))
    files = {name: _save(folder, name, arrays) for name, arrays in contents.items()}
    certificate = seal({"format": FORMAT, "files": files, "facts": facts} | ({"about": about} if about else {}))
    write(folder / NAME, json.dumps(certificate, sort_keys=True, ensure_ascii=False) + "\n")
    return folder / NAME


def _hardened(found: Hardened) -> dict:
    """That the net before had other output weights and biases, and the same outputs up to the deviation."""
    return {
        "kind": "hardened",
        "removed": sorted({unit for circuit in found.removed for unit in circuit.units}),
        "left": sorted({unit for circuit in found.left for unit in circuit.units}),
        "deviation": hexadecimal(found.deviation),
        "dtype": found.net.dtype.name,
    }


def same_fact(removed: Iterable[CircuitFinding]) -> dict[str, object]:
    """That the net with the output weights of these units 0 gives the same float32 numbers at the training rows."""
    return {"kind": "same-in-float32", "units": sorted({unit for circuit in removed for unit in circuit.units})}


def _save(folder: Path, name: str, arrays: dict[str, np.ndarray]) -> dict[str, str]:
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    replace(folder / f"{name}.npz", stream.getvalue())
    return {"file": f"{name}.npz", "sha256": hashlib.sha256(stream.getvalue()).hexdigest()}


def unit_facts(units: tuple[UnitFinding, ...]) -> Iterator[dict]:
    """For each layer what its units do in training.

    Raises
    ------
    ValueError
        If a unit is undecided.
    """
    if any(unit.activity is Activity.UNDECIDED or unit.idle is None for unit in units):
        raise ValueError("a unit is undecided, so there is no certificate")
    for layer in sorted({unit.unit.layer for unit in units}):
        members = sorted((unit for unit in units if unit.unit.layer == layer), key=lambda unit: unit.unit.index)
        yield {
            "kind": "units",
            "layer": layer,
            "activity": [str(unit.activity) for unit in members],
            "idle": [unit.idle for unit in members],
            "witness": [unit.witness and list(unit.witness) for unit in members],
        }


def _circuit(circuit: CircuitFinding, deployed: bool) -> dict:
    fires = None if deployed and circuit.fires is None else list(circuit.fires or ())
    return {
        "kind": "circuit",
        "layer": circuit.units[0].layer,
        "units": [unit.index for unit in circuit.units],
        "value": [hexadecimal(value) for _, value in sorted(circuit.value.items())],
        "fires": fires,
    }


def rank_fact(finding: RankFinding) -> dict | None:
    """The fact that shows a rank; None where it is open."""
    if finding.full:
        fact = {"kind": "full-rank", "layer": finding.layer, "prime": finding.prime, "rows": list(finding.rows)}
        return fact if finding.units is None else fact | {"units": list(finding.units)}
    if finding.dependency:
        terms = [hexadecimal(v) for v in finding.dependency]
        return {"kind": "dependency", "layer": finding.layer, "coefficients": terms}
    if finding.full is False:
        return {"kind": "few-inputs", "layer": finding.layer, "distinct_inputs": finding.distinct_inputs}
    return None


def deployment_fact(finding: DeploymentFinding) -> dict | None:
    """The fact that shows where a deployment input lies; None where it is open."""
    if finding.train_row is not None:
        return {"kind": "train-input", "row": finding.row, "train_row": finding.train_row}
    if finding.separation:
        weights, bias = finding.separation
        plane = {"weights": [hexadecimal(w) for w in weights], "bias": hexadecimal(bias)}
        return {"kind": "outside", "row": finding.row} | plane
    if finding.combination:
        return {"kind": "inside", "row": finding.row, "combination": _pairs(finding.combination)}
    return None


def _pairs(combination: tuple[tuple[int, Fraction], ...]) -> list[list[object]]:
    return [[row, hexadecimal(weight)] for row, weight in combination]

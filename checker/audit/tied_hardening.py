"""`absence check` of what `absence harden` leaves: list, new net and proof go together, and so do both proofs.

OUT.proof is about OUT, or with OUT.compression about the net that was then made smaller.
"""

from pathlib import Path

import numpy as np

from proof_of_absence.checker.audit.seen import Seen, blamed, strangers
from proof_of_absence.checker.audit.sources import (
    Given,
    Recorded,
    compare_inputs,
    layers_of,
    located,
    same_layers,
    steps_of,
)
from proof_of_absence.checker.independent.refusal import Refused, require
from proof_of_absence.checker.independent.results import audit as certificates
from proof_of_absence.checker.independent.results import compression, hardening
from proof_of_absence.checker.independent.results.subject import Subject
from proof_of_absence.checker.independent.values import Fact
from proof_of_absence.checker.independent.values.arrays import net_arrays
from proof_of_absence.checker.independent.values.floats import FloatNet as Unshared
from proof_of_absence.models.files import InputError, read_net
from proof_of_absence.models.files.data import read_data
from proof_of_absence.models.floatnet import FloatNet
from proof_of_absence.models.layers import equal_layers

__all__ = ["PROOF", "SMALLER", "apart", "check_compression_folder", "check_hardened_folder"]

PROOF, SMALLER = ".proof", ".compression"
# The new net is put in place after its proofs, so that a run that is killed leaves no new net without them.
AGAIN = "a run of `absence harden` was ended between the two, or one was changed: run it again with --force"


def check_hardened_folder(folder: Path, certificate: Fact, subject: Subject, given: Given) -> Seen:
    """Check the list of removals and the new net against the certificate, which was accepted.

    Raises
    ------
    Refused, InputError
        As `tied.check_folder`.
    """
    seen = Seen(f"{len(certificate['facts'])} facts on")
    with blamed(folder / hardening.NAME):
        told, unseen = hardening.check_hardening(folder / hardening.NAME, certificate, subject)
    seen.unseen += unseen
    seen.agree.append(hardening.NAME)
    output, smaller = _output(folder, PROOF), None
    if output and (output.with_name(output.name + SMALLER) / compression.NAME).is_file():
        smaller = _smaller(output.with_name(output.name + SMALLER), subject.net)
        seen.agree.append(f"{output.name}{SMALLER}/{compression.NAME}")
    (fact,) = (fact for fact in certificate["facts"] if fact["kind"] == "hardened")
    bits = any(fact["kind"] == "same-in-float32" for fact in certificate["facts"])
    _new_net(folder, output, smaller or subject.net, fact["dtype"], seen, bits=bits and smaller is None)
    _sources(folder, told, subject, given, seen, bits=bits)
    files = (entry["file"] for entry in certificate["files"].values())
    seen.unseen += strangers(folder, {certificates.NAME, hardening.NAME, *files})
    return seen


def apart(output: Path) -> bool:
    """Whether a net and the proof beside it do not belong together, as a run leaves them that was ended in between.

    What cannot be read is not looked at.
    """
    proof, smaller = output.with_name(output.name + PROOF), output.with_name(output.name + SMALLER)
    try:
        net = _hardened(proof)
        if (smaller / compression.NAME).is_file():
            hardened, (before, net) = net, _nets(smaller, compression.read_compression(smaller / compression.NAME))
            if not equal_layers(layers_of(before), layers_of(hardened)):
                return True
        found = read_net(output, activation="relu", checked=True)
    except (Refused, InputError):
        return False
    return not equal_layers(found.layers, layers_of(net))


def check_compression_folder(folder: Path) -> Seen:
    """Check the proof of a smaller net: the proof itself, that it begins at the hardened net, and the net's file.

    Raises
    ------
    Refused
        As `tied.check_folder`.
    """
    with blamed(folder / compression.NAME):
        certificate = compression.check_compression(folder / compression.NAME)
        before, after = _nets(folder, certificate)
    seen = Seen(f"{compression.told(certificate)}, in")
    if certificate["region"] is not None:
        seen.unseen.append("whether the region is the box that was asked for")
    output = _output(folder, SMALLER)
    proof = output and output.with_name(output.name + PROOF)
    if proof and (proof / certificates.NAME).is_file():
        with blamed(proof / certificates.NAME):
            net = _hardened(proof)
        with blamed(folder / compression.NAME):
            _require_equal(before, net)
        seen.agree.append(f"{proof.name}/net.npz")
    else:
        seen.unseen.append("how the net before it was made")
    _new_net(folder, output, after, None, seen)
    files = (entry["file"] for entry in certificate["files"].values())
    seen.unseen += strangers(folder, {compression.NAME, *files})
    return seen


def _output(folder: Path, ending: str) -> Path | None:
    """The file that a folder of this ending is about."""
    resolved = folder.resolve()
    return resolved.with_name(resolved.name.removesuffix(ending)) if resolved.name.endswith(ending) else None


def _nets(folder: Path, certificate: Fact) -> tuple[Unshared, Unshared]:
    before, after = (Unshared.read(*net_arrays(folder, certificate["files"][name])) for name in ("before", "after"))
    return before, after


def _smaller(folder: Path, hardened: Unshared) -> Unshared:
    """The smaller net, whose proof begins at the hardened one; its own proof is for `absence check` of its folder."""
    with blamed(folder / compression.NAME):
        certificate = compression.read_compression(folder / compression.NAME)
        before, after = _nets(folder, certificate)
        _require_equal(before, hardened)
    return after


def _require_equal(before: Unshared, hardened: Unshared) -> None:
    require(equal_layers(layers_of(before), layers_of(hardened)), f"does not begin at the hardened net; {AGAIN}")


def _new_net(
    folder: Path, output: Path | None, net: Unshared, dtype: str | None, seen: Seen, *, bits: bool = False
) -> None:
    """The file of the new net holds just these weights; with `bits`, also the signs of those that are 0."""
    if output is None or not output.is_file():
        seen.about.append("the nets of the folder")
        seen.unseen.append(f"the new net, which is not beside {folder.name}")
        return
    with blamed(output):
        found = read_net(output, activation="relu", checked=True)
        try:
            same_layers(found, net, "the proof")
        except Refused as reason:
            raise Refused(f"does not belong to {folder.name}: {reason}; {AGAIN}") from reason
        require(not bits or _same_bits(found, net), "has a weight 0 of another sign than the proof")
        require(dtype is None or found.dtype.name == dtype, f"is of {found.dtype}, and the proof of {dtype}")
    seen.about.append(output.name)


def _same_bits(net: FloatNet, own: Unshared) -> bool:
    if net.steps is not None:
        steps = steps_of(own)
        return steps is not None and all(one.bits() == two.bits() for one, two in zip(net.steps, steps, strict=True))
    return all(
        one.tobytes() == other.tobytes()
        for layer, others in zip(net.float_layers, own.layers, strict=True)
        for one, other in zip(layer, others, strict=True)
    )


def _sources(folder: Path, told: Fact, subject: Subject, given: Given, seen: Seen, *, bits: bool) -> None:
    """The files that were read, where they are given or lie beside: the net before, and the data."""
    net = located(folder, Recorded.of(told["net"]), given.net, "the net before", seen)
    if net:
        if subject.before is not None:
            before = read_net(net, activation="relu", checked=True)
            same_layers(before, subject.before, "the net before hardening", net)
            same = not bits or _same_bits(before, subject.before)
            require(same, f"{net}: has a weight 0 of another sign than the net before hardening")
        seen.about.append(net.name)
    train = located(folder, Recorded.of(told["train"]), given.train, "its data", seen)
    if train:
        inputs = read_data(train, optional=True).inputs
        require(np.array_equal(inputs, subject.train), f"{train}: its inputs are not those of the proof")
        seen.about.append(train.name)
    compare_inputs(folder, "deployment", told["deploy"], subject.deploy, given.deploy, seen)


def _hardened(proof: Path) -> Unshared:
    """The hardened net of a proof, which is not checked here."""
    return Unshared.read(*net_arrays(proof, {"file": "net.npz", "sha256": _named_digest(proof)}))


def _named_digest(proof: Path) -> str:
    """The digest of the hardened net as its certificate names it."""
    certificate = certificates.read_certificate(proof / certificates.NAME)
    try:
        return str(certificate["files"]["net"]["sha256"])
    except (LookupError, TypeError) as error:
        raise Refused("files are missing") from error

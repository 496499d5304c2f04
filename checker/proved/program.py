"""The checkers that are proved, as a program: Coq extracts them, OCaml compiles them with GMP, once on a machine.

Trusted are Coq's kernel and extraction, OCaml, GMP, and the OCaml files in `program/`, which read a certificate.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from proof_of_absence.checker.independent import coq
from proof_of_absence.checker.independent.private import forget_unused, private_folder, used
from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.checker.kernel.claims import load_claims
from proof_of_absence.checker.kernel.discharge import coq_sources
from proof_of_absence.checker.kernel.obligation import KernelProof, Scope
from proof_of_absence.checker.proved.signatures import telling

__all__ = ["HERE", "OURS", "Extraction", "Missing", "compiled", "coq_texts", "extraction", "program"]

HERE = Path(__file__).parent / "program"
# What Coq writes beside its sources, its name in the program, and the files that are compiled after it, in this order;
# after the first comes what is written from the types, which the others open under Coq's name.
WRITTEN, EXTRACTED = "absence_checkers", "extracted"
OURS = (
    "terms.ml", "json.ml", "signs.ml", "facts.ml", "features.ml", "classes.ml", "cells.ml",
    "expressions.ml", "scripts.ml", "refutations.ml", "regions.ml", "table.ml", "sha256.ml", "arrays.ml", "packing.ml",
    "audits.ml", "audit_hulls.ml", "audit_tables.ml", "audit_losses.ml", "audit_prices.ml", "folders.ml",
    "absence_check.ml",
)  # fmt: skip
NAME, DIGEST = "absence-check", "sha256"
COMPILER = ("ocamlfind", "ocamlopt", "-package", "zarith", "-linkpkg")
SECONDS = 300
NOT_MADE = "it has not been compiled here; `absence check`, of the certificates of the claims, does that"


_SENTENCE = re.compile(r"^Extraction \"\w+\.ml\"\s(.*?)\.$", re.S | re.M)
_IMPORT = re.compile(r"^From absence Require Import .*?\.$", re.M)


class Missing(Exception):
    """The program cannot be made here; the text says why, and what to do."""


@cache
def program(*, make: bool = True) -> Path:
    """The program, made if it is not kept from before; without `make` only then, which takes a moment.

    Raises
    ------
    Missing
        If Coq, OCaml or zarith are not installed, or something does not compile; without `make`, if it is not kept.
    """
    if shutil.which("ocamlfind") is None or coq.available() is None:
        raise Missing("Coq or OCaml is missing; install coq, ocaml-findlib and libzarith-ocaml-dev")
    if not make and not coq.is_kept(_sources()):
        raise Missing(NOT_MADE)
    texts = _texts(compiled())
    kept = private_folder("program")
    place = kept / _digest(texts) if kept else None
    if place and _whole(place):
        used(place)
        return place / NAME
    if not make:
        raise Missing(NOT_MADE)
    return _make(texts, kept, place)


def compiled() -> Path:
    """The folder in which the Coq files of the claims are compiled.

    Raises
    ------
    Missing
        If one does not compile.
    """
    try:
        return Path(coq.compiled(_sources()))
    except Refused as reason:
        raise Missing(str(reason)) from reason


def _texts(folder: Path) -> dict[str, bytes]:
    """All that is compiled, by name and in order, from the folder in which Coq wrote."""
    interface, text = ((folder / f"{WRITTEN}.{ending}").read_bytes() for ending in ("mli", "ml"))
    first, *rest = ((name, (HERE / name).read_bytes()) for name in OURS)
    asking = telling(interface.decode(), extraction().names, EXTRACTED.capitalize())
    asked = [(f"{EXTRACTED}.mli", interface), (f"{EXTRACTED}.ml", text), first, (f"{WRITTEN}.ml", asking.encode())]
    return dict([*asked, *rest])


@dataclass(frozen=True)
class Extraction:
    """The sentence by which Coq writes the checkers: the names that it gives, and the imports that they stand under."""

    names: tuple[str, ...]
    imports: tuple[str, ...]


@cache
def extraction() -> Extraction:
    """The one such sentence in the Coq files of the claims."""
    ((text, sentence),) = ((text, found) for text in coq_texts().values() for found in _SENTENCE.findall(text))
    return Extraction(tuple(sentence.split()), tuple(_IMPORT.findall(text)))


def coq_texts() -> dict[str, str]:
    """The Coq files that the checkers stand in, by name, without their comments."""
    return {name: coq.uncommented(text) for name, text in _sources()}


@cache
def _sources() -> coq.Sources:
    """The Coq files of the claims: the checkers are among them."""
    for claim in load_claims():
        for obligation in claim.obligations:
            if obligation.scope is Scope.UNIVERSAL:
                proof = obligation.build()
                if isinstance(proof, KernelProof):
                    return tuple(coq_sources(proof.folder))
    raise Missing("no claim has a theorem")


def _digest(texts: dict[str, bytes]) -> str:
    """A digest of all that is compiled, and of how."""
    said = subprocess.run([*COMPILER, "-version"], capture_output=True, text=True).stdout
    where = subprocess.run(["ocamlfind", "query", "zarith", "-format", "%d %v"], capture_output=True, text=True).stdout
    parts = [*COMPILER, said, where, *(f"{name} {hashlib.sha256(text).hexdigest()}" for name, text in texts.items())]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _make(texts: dict[str, bytes], kept: Path | None, place: Path | None) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="absence-program-", dir=kept))
    for name, text in texts.items():
        (folder / name).write_bytes(text)
    # What is extracted has names that nobody uses.
    call = [*COMPILER, "-w", "-a", *texts, "-o", NAME]
    try:
        done = subprocess.run(call, cwd=folder, capture_output=True, text=True, timeout=SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Missing(f"the program does not compile: {error}") from error
    if done.returncode:
        what = " ".join((done.stderr or done.stdout).split())[-300:]
        raise Missing(f"the program does not compile: {what}; install ocaml-findlib and libzarith-ocaml-dev")
    (folder / DIGEST).write_text(hashlib.sha256((folder / NAME).read_bytes()).hexdigest())
    if kept and place:
        try:
            shutil.rmtree(place, ignore_errors=True)
            os.replace(folder, place)
            forget_unused(kept)
            return place / NAME
        except OSError:
            pass
    return folder / NAME


def _whole(place: Path) -> bool:
    """Whether the program lies there as it was left."""
    try:
        return (place / DIGEST).read_text() == hashlib.sha256((place / NAME).read_bytes()).hexdigest()
    except OSError:
        return False

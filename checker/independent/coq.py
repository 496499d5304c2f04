"""Kernel proofs: Coq compiles the certificate's sources, and must say that each theorem rests on no axiom.

The Coq kernel decides. This only starts it, in a folder that is empty or was compiled here before, and reads answers.
"""

import atexit
import hashlib
import json
import os
import re
import shutil
import subprocess
import tempfile
import threading
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

from proof_of_absence.checker.independent.private import forget_unused, private_folder, used
from proof_of_absence.checker.independent.refusal import Refused, require
from proof_of_absence.checker.independent.values import Fact

SECONDS = 600
CLOSED = "Closed under the global context"
# The names that mathcomp 2 gave to lemmas of mathcomp 1. Sources may have this file; it is used where they are missing.
ALIASES = "mathcomp1.v"
# In a folder that is kept: what each compiled file's digest is.
DIGESTS = "digests.json"
_A_NEW_NAME = "Num.Theory.lerD"

_COMMENT = re.compile(r"\(\*|\*\)|\"[^\"]*\"")
_STRING = re.compile(r"\"[^\"]*\"")
_WORDS = r"(?:\s+\w+(?:\.\w+)*)+\."
_ALIAS = re.compile(rf"\b(?:From mathcomp Require Import|Import){_WORDS}|\bNotation \w+ := \w+ \(only parsing\)\.")
# What assumes something, and what runs a program or writes a file of its choosing.
_FORBIDDEN = re.compile(
    r"\b(Admitted|admit|Axioms?|Parameters?|Conjectures?|Abort|bypass_check|Guard Checking|Positivity Checking|"
    r"Universe Checking|Typing Flags|Load|Declare ML Module|Add (Rec )?LoadPath|Cd|Drop|Redirect|[Ee]lpi|NativeCompute|"
    r"Print (Sorted )?Universes|Extract|Extraction)\b"
)
# Extraction is allowed in two sentences: one brings the command, the other writes one file beside the sources.
_EXTRACTION = re.compile(
    rf"\bRequire(?: Import)?(?:\s+\w+)*\s+Extraction(?:\s+\w+)*\.(?=\s|$)|"
    rf"\bExtraction \"[a-z][a-z0-9_]*\.ml\"{_WORDS}(?=\s|$)"
)
_NAME = re.compile(r"[a-z][a-z0-9_]*\.v")
_THEOREM = re.compile(r"[CN][0-9]+_\w+")
_lock = threading.RLock()


@cache
def uncommented(text: str) -> str:
    """The source without its comments, which nest."""
    depth, at, kept = 0, 0, []
    for match in _COMMENT.finditer(text):
        mark = match.group()
        if depth == 0:
            kept.append(text[at : match.end() if mark.startswith('"') else match.start()])
        if mark == "(*":
            depth += 1
        elif mark == "*)":
            depth -= 1
            require(depth >= 0, "a Coq comment is closed and not opened")
        at = match.end()
    require(depth == 0, "a Coq comment is not closed")
    return "".join([*kept, text[at:]])


def check_sources(fact: Fact) -> None:
    """What can be checked without Coq: nothing is assumed in the sources, and the stated theorems stand in them."""
    sources, module = dict(fact["sources"]), fact["module"]
    require(module + ".v" in sources and bool(fact["theorems"]), "the theorems' file is missing")
    for name, text in sources.items():
        _check_source(name, text)
    plain = _STRING.sub('""', uncommented(sources[module + ".v"]))
    for theorem, statement in fact["theorems"].items():
        require(_THEOREM.fullmatch(theorem), f"{theorem!r} is no theorem's name")
        require(statement.startswith(f"Theorem {theorem} ") and statement in plain, f"{theorem} is stated otherwise")
        require(plain.count(f"Theorem {theorem} ") == 1, f"{theorem} is stated twice")


@cache
def _check_source(name: str, text: str) -> None:
    require(_NAME.fullmatch(name), f"{name!r} is no source file")
    plain = uncommented(text)
    if found := _FORBIDDEN.search(_EXTRACTION.sub(" ", plain)):
        raise Refused(f"{name} says {found.group()}")
    require(name != ALIASES or not _ALIAS.sub("", plain).strip(), f"{name} holds more than other names of lemmas")


def confirm_theorems(fact: Fact) -> None:
    """Refuse unless Coq compiles the sources in their order and calls every theorem closed."""
    check_sources(fact)
    sources = tuple((name, text) for name, text in fact["sources"])
    folder = compiled(sources)
    theorems = [f"{fact['module']}.{theorem}" for theorem in fact["theorems"]]
    with _lock:
        closed = _closed(sources)
    if not closed.issuperset(theorems):
        answer = _assumptions(folder, theorems)
        require(answer == CLOSED, f"Coq answers: {' '.join(answer.split())[:300]}")


@cache
def _closed(sources: tuple[tuple[str, str], ...]) -> frozenset[str]:
    """The theorems of all files, if Coq calls them closed; else none, and each fact is put to Coq by itself."""
    theorems = [
        f"{name.removesuffix('.v')}.{theorem}"
        for name, text in sources
        for theorem in re.findall(rf"^Theorem ({_THEOREM.pattern}) ", uncommented(text), re.M)
    ]
    try:
        closed = _assumptions(compiled(sources), theorems) == CLOSED
    except Refused:
        closed = False
    return frozenset(theorems if closed else ())


def _assumptions(folder: str, theorems: list[str]) -> str:
    """What Coq says that the theorems rest on, all in one: what many of them use is looked through once."""
    modules = sorted({theorem.split(".")[0] for theorem in theorems})
    everything = "tt"
    for theorem in theorems:
        everything = f"(pair (@{theorem}) {everything})"
    lines = [
        *(f"From absence Require {module}." for module in modules),
        f"Definition everything := {everything}.",
        "Print Assumptions everything.",
    ]
    with tempfile.TemporaryDirectory() as scratch:
        script = Path(scratch, "audit.v")
        script.write_text("\n".join(lines) + "\n")
        return _coqc(script, Path(folder))


def available() -> str | None:
    """The version of Coq, or None if it is missing."""
    path = shutil.which("coqc")
    if path is None:
        return None
    done = subprocess.run([path, "--print-version"], capture_output=True, text=True)
    return done.stdout.split()[0] if done.returncode == 0 and done.stdout else None


def compiled(sources: tuple[tuple[str, str], ...]) -> str:
    """The folder in which the sources are compiled, each once on this machine; what fails is tried once in a process.

    Raises
    ------
    Refused
        If one of them does not compile.
    """
    with _lock:
        folder, reason = _compiled(sources)
    require(not reason, reason)
    return folder


@cache
def _compiled(sources: tuple[tuple[str, str], ...]) -> tuple[str, str]:
    """The folder, and why not all of them compile; empty if they do.

    It is kept for the next process if the user has a folder for that. One that is damaged is not used.
    """
    if not available():
        return "", "coqc is missing"
    renamed = ALIASES in dict(sources) and not names_of_mathcomp_2()
    kept = private_folder("coq")
    place = kept / _digest(sources, renamed) if kept else None
    if place and _whole(place):
        used(place)
        return str(place), ""
    folder = tempfile.mkdtemp(prefix="absence-coq-", dir=kept)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    try:
        _compile(sources, Path(folder), renamed)
    except Refused as refusal:
        return folder, str(refusal)
    return _keep(Path(folder), place) if place else folder, ""


def _compile(sources: tuple[tuple[str, str], ...], folder: Path, renamed: bool) -> None:
    """Compile the sources side by side, each after those that it needs; the first that Coq refuses ends it."""
    for name, text in sources:
        (folder / name).write_text(text, encoding="utf-8")
    order = TopologicalSorter(_needs(sources, renamed))
    order.prepare()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        running: dict[Future[str], str] = {}
        try:
            while order.is_active():
                for name in order.get_ready():
                    done = pool.submit(_coqc, folder / name, folder, renamed=renamed and name != ALIASES)
                    running[done] = name
                for done in wait(running, return_when=FIRST_COMPLETED).done:
                    done.result()
                    order.done(running.pop(done))
        finally:
            pool.shutdown(cancel_futures=True)


def _needs(sources: tuple[tuple[str, str], ...], renamed: bool) -> dict[str, list[str]]:
    """For each file those that come before it and that it names, in any sentence; the aliases, if used, for all."""
    before = [ALIASES] if renamed else []
    needs: dict[str, list[str]] = {ALIASES: []} if renamed else {}
    for name, text in sources:
        if name != ALIASES:
            words = set(re.findall(r"\w+", uncommented(text)))
            needs[name] = [other for other in before if other == ALIASES or other.removesuffix(".v") in words]
            before.append(name)
    return needs


def _digest(sources: tuple[tuple[str, str], ...], renamed: bool) -> str:
    """A digest of the sources, of how Coq is called, and of the Coq and the libraries that are installed."""
    call = command(Path("x.v"), Path("folder"), renamed=renamed)
    return hashlib.sha256(json.dumps([sources, call, _installed()]).encode()).hexdigest()


@cache
def _installed() -> list[str]:
    """Coq's version, where it looks for libraries, and name, size and time of each library's file."""
    done = subprocess.run(["coqc", "-where"], capture_output=True, text=True)
    elsewhere = [os.environ.get(name, "") for name in ("COQPATH", "COQLIB", "OCAMLPATH")]
    files = sorted(Path(done.stdout.strip()).rglob("*.vo")) if done.returncode == 0 else []
    states = [f"{file} {state.st_size} {state.st_mtime_ns}" for file in files for state in [file.stat()]]
    return [available() or "", *elsewhere, *states]


def _keep(folder: Path, place: Path) -> str:
    """Move the folder to its place, with a digest of each compiled file; where that fails it stays where it is."""
    try:
        (folder / DIGESTS).write_text(json.dumps(_compiled_files(folder)))
        shutil.rmtree(place, ignore_errors=True)
        folder.rename(place)
        forget_unused(place.parent)
    except OSError:
        return str(place if _whole(place) else folder)
    return str(place)


def _whole(folder: Path) -> bool:
    """Whether all that was compiled lies there as it was left."""
    try:
        return bool(json.loads((folder / DIGESTS).read_text()) == _compiled_files(folder))
    except (OSError, ValueError):
        return False


def _compiled_files(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.glob("*.vo"))}


@cache
def names_of_mathcomp_2() -> bool:
    """Whether the mathcomp that is installed has them; if not, the aliases are compiled and imported everywhere."""
    with tempfile.TemporaryDirectory() as scratch:
        script = Path(scratch, "names.v")
        script.write_text(f"From mathcomp Require Import ssrnum. Check {_A_NEW_NAME}.\n")
        return (
            subprocess.run(["coqc", "-q", "-w", "none", script.name], cwd=scratch, capture_output=True).returncode == 0
        )


def command(path: Path, folder: Path, *, renamed: bool = False, warnings: str = "none") -> list[str]:
    """The call of coqc for one file; with `renamed`, it finds through the aliases what has no new name."""
    aliases = ["-rifrom", "absence", ALIASES.removesuffix(".v")] if renamed else []
    return ["coqc", "-q", "-w", warnings, "-Q", str(folder), "absence", *aliases, str(path)]


def _coqc(path: Path, folder: Path, *, renamed: bool = False) -> str:
    try:
        done = subprocess.run(
            command(path, folder, renamed=renamed), capture_output=True, text=True, timeout=SECONDS, cwd=folder
        )
    except FileNotFoundError as error:
        raise Refused("coqc is missing") from error
    except subprocess.TimeoutExpired as error:
        raise Refused(f"coqc gave no answer on {path.name} in {SECONDS} s") from error
    require(done.returncode == 0, f"coqc refuses {path.name}: {' '.join(done.stderr.split())[-300:]}")
    return done.stdout.strip()

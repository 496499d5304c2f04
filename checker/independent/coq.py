"""Kernel proofs: Coq compiles the certificate's sources, and must say that each theorem rests on no axiom.

The Coq kernel decides; this only starts it in an empty folder and reads its answer.
"""

import atexit
import re
import shutil
import subprocess
import tempfile
import threading
from functools import cache
from pathlib import Path

from proof_of_absence.checker.independent.refusal import Refused, require

SECONDS = 600
CLOSED = "Closed under the global context"
# The names that mathcomp 2 gave to lemmas of mathcomp 1. Sources may have this file; it is used where those names are missing.
ALIASES = "mathcomp1.v"
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
# Extraction is allowed in two sentences: that which brings the command, and that which writes one file beside the sources.
_EXTRACTION = re.compile(
    rf"\bRequire(?: Import)?(?:\s+\w+)*\s+Extraction(?:\s+\w+)*\.(?=\s|$)|"
    rf"\bExtraction \"[a-z][a-z0-9_]*\.ml\"{_WORDS}(?=\s|$)"
)
_NAME = re.compile(r"[a-z][a-z0-9_]*\.v")
_THEOREM = re.compile(r"[CN][0-9]+_\w+")
_lock = threading.RLock()


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


def check_sources(fact: dict) -> None:
    """What can be checked without Coq: nothing is assumed in the sources, and the stated theorems stand in them."""
    sources, module = dict(fact["sources"]), fact["module"]
    require(module + ".v" in sources and bool(fact["theorems"]), "the theorems' file is missing")
    for name, text in sources.items():
        require(_NAME.fullmatch(name), f"{name!r} is no source file")
        plain = uncommented(text)
        if found := _FORBIDDEN.search(_EXTRACTION.sub(" ", plain)):
            raise Refused(f"{name} says {found.group()}")
        require(name != ALIASES or not _ALIAS.sub("", plain).strip(), f"{name} holds more than other names of lemmas")
    plain = _STRING.sub('""', uncommented(sources[module + ".v"]))
    for theorem, statement in fact["theorems"].items():
        require(_THEOREM.fullmatch(theorem), f"{theorem!r} is no theorem's name")
        require(statement.startswith(f"Theorem {theorem} ") and statement in plain, f"{theorem} is stated otherwise")
        require(plain.count(f"Theorem {theorem} ") == 1, f"{theorem} is stated twice")


def confirm_theorems(fact: dict) -> None:
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
    """The folder in which the sources are compiled; this is tried once in a process for each set of sources.

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
    """The folder, and why not all of them compile; empty if they do."""
    folder = tempfile.mkdtemp(prefix="absence-coq-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    try:
        require(available(), "coqc is missing")
        renamed = ALIASES in dict(sources) and not names_of_mathcomp_2()
        for name, text in sorted(sources, key=lambda source: source[0] != ALIASES):
            path = Path(folder, name)
            path.write_text(text, encoding="utf-8")
            if name != ALIASES or renamed:
                _coqc(path, Path(folder), renamed=renamed and name != ALIASES)
    except Refused as refusal:
        return folder, str(refusal)
    return folder, ""


@cache
def names_of_mathcomp_2() -> bool:
    """Whether the mathcomp that is installed has them; if not, the aliases are compiled and imported everywhere."""
    with tempfile.TemporaryDirectory() as scratch:
        script = Path(scratch, "names.v")
        script.write_text(f"From mathcomp Require Import ssrnum. Check {_A_NEW_NAME}.\n")
        return subprocess.run(["coqc", "-q", "-w", "none", script.name], cwd=scratch, capture_output=True).returncode == 0


def command(path: Path, folder: Path, *, renamed: bool = False, warnings: str = "none") -> list[str]:
    """The call of coqc for one file; with `renamed`, what it does not find under its new name it finds through the aliases."""
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

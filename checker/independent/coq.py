"""Kernel proofs: Coq compiles the certificate's sources, and must say that each theorem rests on no axiom.

Sources that a fact calls classical may rest on three axioms of mathcomp-analysis, by name; the others on none.
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

# Names and texts, in the order in which they are compiled.
Sources = tuple[tuple[str, str], ...]

SECONDS = 600
# Under which name classical files are found by one another.
CLASSICAL = "absence_classical"
CLOSED = "Closed under the global context"
# What mathcomp's `boolp` assumes, and its real numbers with it: propositions that are equivalent are equal, functions
# with equal values are equal, and what exists can be chosen.
AXIOMS = ("propositional_extensionality", "functional_extensionality_dep", "constructive_indefinite_description")
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
# Extraction is allowed in three sentences: one brings the command, one writes a file beside the sources, and one lets
# GMP find the bits that two integers share, as the library's own sentences let it find sums and products.
_EXTRACTION = re.compile(
    rf"\bRequire(?: Import)?(?:\s+\w+)*\s+Extraction(?:\s+\w+)*\.(?=\s|$)|"
    rf"\bExtraction \"[a-z][a-z0-9_]*\.ml\"{_WORDS}(?=\s|$)|"
    r"\bExtract Constant Z\.land => \"Big_int_Z\.and_big_int\"\.(?=\s|$)"
)
_NAME = re.compile(r"[a-z][a-z0-9_]*\.v")
_THEOREM = re.compile(r"[CN][0-9]+_\w+")
# As Coq prints it: a module's name is as short as it can be.
_AXIOM = re.compile(rf"(?:(?:mathcomp\.)?classical\.)?boolp\.({'|'.join(AXIOMS)})")
_NAMED_LIKE_ONE = re.compile(rf"\b({'|'.join(AXIOMS)})\b")
_compiling = threading.RLock()
# Classical files compile while Coq is asked about the others.
_asking = {classical: threading.Lock() for classical in (False, True)}


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
    require(len(sources) == len(fact["sources"]), "a source is named twice")
    for name, text in sources.items():
        _check_source(name, text)
    if "classical" in fact:
        _check_classical(fact, sources)
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


def _check_classical(fact: Fact, sources: dict[str, str]) -> None:
    """The classical sources come last, the theorems stand in one of them, and no source gives a name of an axiom."""
    names = fact["classical"]
    require(isinstance(names, list) and bool(names) and list(sources)[-len(names) :] == names, "they come last")
    require(fact["module"] + ".v" in names and ALIASES not in names, "the theorems are in no classical file")
    for name, text in sources.items():
        # An axiom is known by its name alone, so that nothing else may bear it.
        if found := _NAMED_LIKE_ONE.search(uncommented(text)):
            raise Refused(f"{name} says {found.group()}")
        require(name != "boolp.v", "boolp.v is no name for a source")


def confirm_theorems(fact: Fact) -> None:
    """Refuse unless Coq compiles the sources in their order and calls every theorem closed, or classical."""
    check_sources(fact)
    whole = tuple((name, text) for name, text in fact["sources"])
    # The classical ones come last; without any, all are compiled over none.
    below = len(whole) - len(fact.get("classical", whole))
    over, sources = whole[:below], whole[below:]
    folder = compiled(sources, over)
    theorems = [f"{fact['module']}.{theorem}" for theorem in fact["theorems"]]
    with _asking[bool(over)]:
        closed = _closed(sources, over)
    if not closed.issuperset(theorems):
        answer = _assumptions(folder, theorems, over)
        require(_is_allowed(answer, classical=bool(over)), f"Coq answers: {' '.join(answer.split())[:300]}")


def _is_allowed(answer: str, *, classical: bool) -> bool:
    """Whether the theorems rest on nothing, or, where they may, on the named axioms alone.

    Examples
    --------
    >>> answer = "Axioms:\\nboolp.propositional_extensionality\\n  : forall P Q : Prop, P <-> Q -> P = Q"
    >>> _is_allowed(answer, classical=True), _is_allowed(answer, classical=False)
    (True, False)
    >>> _is_allowed(answer + "\\nsmall.magic : False", classical=True)
    False
    """
    if answer == CLOSED:
        return True
    first, *lines = answer.splitlines()
    heads = [line.split()[0] for line in lines if line.strip() and not line.startswith(" ")]
    return classical and first == "Axioms:" and bool(heads) and all(_AXIOM.fullmatch(head) for head in heads)


@cache
def _closed(sources: Sources, over: Sources = ()) -> frozenset[str]:
    """The theorems of all files, if Coq allows them all; else none, and each fact is put to Coq by itself."""
    theorems = [
        f"{name.removesuffix('.v')}.{theorem}"
        for name, text in sources
        for theorem in re.findall(rf"^Theorem ({_THEOREM.pattern}) ", uncommented(text), re.M)
    ]
    try:
        closed = _is_allowed(_assumptions(compiled(sources, over), theorems, over), classical=bool(over))
    except Refused:
        closed = False
    return frozenset(theorems if closed else ())


def _assumptions(folder: str, theorems: list[str], over: Sources = ()) -> str:
    """What Coq says that the theorems rest on, all in one: what many of them use is looked through once."""
    modules = sorted({theorem.split(".")[0] for theorem in theorems})
    # Named by `let`: in a tuple each theorem would bring with it the statements of all after it.
    lines = [
        *(f"From {CLASSICAL if over else 'absence'} Require {module}." for module in modules),
        "Definition everything :=",
        *(f"let _ := @{theorem} in" for theorem in theorems),
        "tt.",
        "Print Assumptions everything.",
    ]
    with tempfile.TemporaryDirectory() as scratch:
        script = Path(scratch, "audit.v")
        script.write_text("\n".join(lines) + "\n")
        return _coqc(script, Path(folder), over=_below(over))


def available() -> str | None:
    """The version of Coq, or None if it is missing."""
    path = shutil.which("coqc")
    if path is None:
        return None
    done = subprocess.run([path, "--print-version"], capture_output=True, text=True)
    return done.stdout.split()[0] if done.returncode == 0 and done.stdout else None


def compiled(sources: Sources, over: Sources = ()) -> str:
    """The folder in which the sources are compiled, each once on this machine; what fails is tried once in a process.

    With `over`, they are classical sources that use those, which are compiled in a folder of their own.

    Raises
    ------
    Refused
        If one of them does not compile.
    """
    with _compiling:
        folder, reason = _compiled(sources, over)
    require(not reason, reason)
    return folder


def is_kept(sources: Sources) -> bool:
    """Whether the sources were compiled on this machine before, so that `compiled` takes a moment."""
    place = _place(sources, ()) if available() else None
    return place is not None and _whole(place)


@cache
def _compiled(sources: Sources, over: Sources) -> tuple[str, str]:
    """The folder, and why not all of them compile; empty if they do.

    It is kept for the next process if the user has a folder for that. One that is damaged is not used.
    """
    if not available():
        return "", "coqc is missing"
    place = _place(sources, over)
    if place and _whole(place):
        used(place)
        return str(place), ""
    renamed = _renamed(sources, over)
    kept = place.parent if place else None
    folder = tempfile.mkdtemp(prefix="absence-coq-", dir=kept)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    try:
        _compile(sources, Path(folder), renamed, _below(over))
    except Refused as refusal:
        return folder, str(refusal)
    return _keep(Path(folder), place) if place else folder, ""


def _place(sources: Sources, over: Sources) -> Path | None:
    """Where they are kept once they are compiled; None if the user has no folder for that."""
    kept = private_folder("coq")
    return kept / _digest(sources, over, _renamed(sources, over)) if kept else None


def _renamed(sources: Sources, over: Sources) -> bool:
    """Whether names of mathcomp 2 are given to mathcomp 1."""
    return ALIASES in dict(over or sources) and not names_of_mathcomp_2()


def _below(over: Sources) -> Path | None:
    """The folder of the sources that classical ones use, compiled."""
    return Path(compiled(over)) if over else None


def _compile(sources: Sources, folder: Path, renamed: bool, over: Path | None) -> None:
    """Compile the sources side by side, each after those that it needs; the first that Coq refuses ends it."""
    for name, text in sources:
        (folder / name).write_text(text, encoding="utf-8")
    order = TopologicalSorter(_needs(sources, renamed and not over))
    order.prepare()
    # One more than there are cores: beside Coq others decide what needs none, and Coq should not be the last to end.
    with ThreadPoolExecutor((os.cpu_count() or 1) + 1) as pool:
        running: dict[Future[str], str] = {}
        try:
            while order.is_active():
                for name in order.get_ready():
                    done = pool.submit(_coqc, folder / name, folder, renamed=renamed and name != ALIASES, over=over)
                    running[done] = name
                for done in wait(running, return_when=FIRST_COMPLETED).done:
                    done.result()
                    order.done(running.pop(done))
        finally:
            pool.shutdown(cancel_futures=True)


def _needs(sources: Sources, renamed: bool) -> dict[str, list[str]]:
    """For each file those that come before it and that it names, in any sentence; the aliases, if used, for all."""
    before = [ALIASES] if renamed else []
    needs: dict[str, list[str]] = {ALIASES: []} if renamed else {}
    for name, text in sources:
        if name != ALIASES:
            words = set(re.findall(r"\w+", uncommented(text)))
            needs[name] = [other for other in before if other == ALIASES or other.removesuffix(".v") in words]
            before.append(name)
    return needs


def _digest(sources: Sources, over: Sources, renamed: bool) -> str:
    """A digest of the sources, of how Coq is called, and of the Coq and the libraries that are installed."""
    call = command(Path("x.v"), Path("folder"), renamed=renamed)
    return hashlib.sha256(json.dumps([sources, over, call, _installed()]).encode()).hexdigest()


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
    # What was extracted is used too.
    files = sorted([*folder.glob("*.vo"), *folder.glob("*.ml"), *folder.glob("*.mli")])
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@cache
def names_of_mathcomp_2() -> bool:
    """Whether the mathcomp that is installed has them; if not, the aliases are compiled and imported everywhere."""
    with tempfile.TemporaryDirectory() as scratch:
        script = Path(scratch, "names.v")
        script.write_text(f"From mathcomp Require Import ssrnum. Check {_A_NEW_NAME}.\n")
        return (
            subprocess.run(["coqc", "-q", "-w", "none", script.name], cwd=scratch, capture_output=True).returncode == 0
        )


def command(
    path: Path, folder: Path, *, renamed: bool = False, warnings: str = "none", over: Path | None = None
) -> list[str]:
    """The call of coqc for one file; with `renamed`, it finds through the aliases what has no new name.

    With `over`, the file is a classical one, and that is the folder of the others.
    """
    aliases = ["-rifrom", "absence", ALIASES.removesuffix(".v")] if renamed else []
    folders = ["-Q", str(over), "absence", "-Q", str(folder), CLASSICAL] if over else ["-Q", str(folder), "absence"]
    return ["coqc", "-q", "-w", warnings, *folders, *aliases, str(path)]


def _coqc(path: Path, folder: Path, *, renamed: bool = False, over: Path | None = None) -> str:
    call = command(path, folder, renamed=renamed, over=over)
    try:
        done = subprocess.run(call, capture_output=True, text=True, timeout=SECONDS, cwd=folder)
    except FileNotFoundError as error:
        raise Refused("coqc is missing") from error
    except subprocess.TimeoutExpired as error:
        raise Refused(f"coqc gave no answer on {path.name} in {SECONDS} s") from error
    require(done.returncode == 0, f"coqc refuses {path.name}: {' '.join(done.stderr.split())[-300:]}")
    return done.stdout.strip()

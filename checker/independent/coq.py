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

from absence.checker.independent.refusal import Refused, require

SECONDS = 600
CLOSED = "Closed under the global context"
_COMMENT = re.compile(r"\(\*|\*\)|\"[^\"]*\"")
_FORBIDDEN = re.compile(
    r"\b(Admitted|admit|Axioms?|Parameters?|Conjectures?|Abort|bypass_check|Guard Checking|Positivity Checking|"
    r"Universe Checking|Typing Flags|Load|Declare ML Module|Add (Rec )?LoadPath|Drop|Redirect|Extraction)\b"
)
_NAME = re.compile(r"[a-z][a-z0-9_]*\.v")
_lock = threading.Lock()


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
        if found := _FORBIDDEN.search(uncommented(text)):
            raise Refused(f"{name} says {found.group()}")
    plain = uncommented(sources[module + ".v"])
    for theorem, statement in fact["theorems"].items():
        require(re.fullmatch(r"C[0-9]+_\w+", theorem), f"{theorem!r} is no theorem's name")
        require(statement.startswith(f"Theorem {theorem} ") and statement in plain, f"{theorem} is stated otherwise")


def confirm_theorems(fact: dict) -> None:
    """Refuse unless Coq compiles the sources in their order and calls every theorem closed."""
    check_sources(fact)
    folder = compiled(tuple((name, text) for name, text in fact["sources"]))
    theorems = list(fact["theorems"])
    with tempfile.TemporaryDirectory() as scratch:
        script = Path(scratch, "audit.v")
        lines = [
            f"From absence Require {fact['module']}.",
            *(f"Print Assumptions {fact['module']}.{t}." for t in theorems),
        ]
        script.write_text("\n".join(lines) + "\n")
        out = _coqc(script, Path(folder))
    require(out.split("\n") == [CLOSED] * len(theorems), f"Coq answers: {' '.join(out.split())[:300]}")


def available() -> str | None:
    """The version of Coq, or None if it is missing."""
    path = shutil.which("coqc")
    if path is None:
        return None
    done = subprocess.run([path, "--print-version"], capture_output=True, text=True)
    return done.stdout.split()[0] if done.returncode == 0 and done.stdout else None


def compiled(sources: tuple[tuple[str, str], ...]) -> str:
    """The folder in which the sources are compiled; each set of sources is compiled once in a process."""
    with _lock:
        return _compiled(sources)


@cache
def _compiled(sources: tuple[tuple[str, str], ...]) -> str:
    require(available(), "coqc is missing")
    folder = tempfile.mkdtemp(prefix="absence-coq-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for name, text in sources:
        path = Path(folder, name)
        path.write_text(text, encoding="utf-8")
        _coqc(path, Path(folder))
    return folder


def _coqc(path: Path, folder: Path) -> str:
    command = ["coqc", "-q", "-w", "none", "-Q", str(folder), "absence", str(path)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, cwd=folder)
    except FileNotFoundError as error:
        raise Refused("coqc is missing") from error
    except subprocess.TimeoutExpired as error:
        raise Refused(f"coqc gave no answer on {path.name} in {SECONDS} s") from error
    require(done.returncode == 0, f"coqc refuses {path.name}: {' '.join(done.stderr.split())[-300:]}")
    return done.stdout.strip()

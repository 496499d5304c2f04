"""Which Coq and mathcomp are installed, and whether the proofs are known to compile with them.

`python -m proof_of_absence.checker.kernel.coq_found` says in one line what is too old or untried, before any work.
What is too old ends it with 2.
"""

import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import NamedTuple

from proof_of_absence.checker.independent import coq

__all__ = ["TRIED", "Found", "found", "verdict"]


class Found(NamedTuple):
    """A version of Coq and one of mathcomp; None is one that nothing here tells."""

    coq: str
    mathcomp: str | None

    def __str__(self) -> str:
        return f"{self.coq} with mathcomp {self.mathcomp or 'of an unknown version'}"


# Those of Debian 12 and 13 compile everything.
TRIED = (Found("8.16.1", "1.15.0"), Found("8.20.1", "2.3.0"))
OLDEST = Found("8.16", "1.15")


@cache
def found() -> Found | None:
    """What is installed; None without Coq."""
    version = coq.available()
    return None if version is None else Found(version, _mathcomp())


def verdict(here: Found | None) -> tuple[str, int]:
    """A line for who sets this up, empty where all is well, and the exit code: 2 for what is too old."""
    if here is None or here in TRIED:
        return "", 0
    if any(version and least and _older(version, least) for version, least in zip(here, OLDEST, strict=True)):
        return f"Coq {here} is too old: Coq {OLDEST} or later is needed; update it, or leave it out with KERNEL=no", 2
    return f"Coq {here} is untried: the proofs were tried with {' and '.join(f'Coq {known}' for known in TRIED)}", 0


def _older(version: str, least: str) -> bool:
    return _numbers(version) < _numbers(least)


def _numbers(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)]


def _mathcomp() -> str | None:
    """The version that the package manager knows: nothing in mathcomp's own files says it."""
    where = Path(_said("coqc", "-where"))
    if where.is_relative_to("/usr/lib"):
        return (
            _said("dpkg-query", "--show", "--showformat=${source:Upstream-Version}", "libcoq-mathcomp-ssreflect")
            or None
        )
    # In a switch of opam Coq's files lie in lib/coq.
    for name in ("rocq-mathcomp-boot", "coq-mathcomp-ssreflect"):
        for path in sorted(where.parents[1].glob(f".opam-switch/packages/{name}.*")):
            return path.name.removeprefix(f"{name}.")
    return None


def _said(*command: str) -> str:
    try:
        run = subprocess.run(command, capture_output=True, text=True)
    except OSError:
        return ""
    return run.stdout.strip() if run.returncode == 0 else ""


if __name__ == "__main__":
    line, code = verdict(found())
    if line:
        print(line, file=sys.stderr)
    sys.exit(code)

"""What verifying costs beside a bare build of the Coq files, in one run: cold, from the cache, and checked again.

The cold verify has a fresh cache directory; the second and the check find there the Coq files that it compiled.
"""

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from proof_of_absence.checker.independent.coq import ALIASES, command, names_of_mathcomp_2
from proof_of_absence.proofs.universal import CLASSICAL, FOLDER

ABSENCE = str(Path(sys.executable).with_name("absence"))
JOBS = "2"


def timed(arguments: Sequence[str], folder: Path) -> float:
    """The seconds on the clock that a command takes; a command that fails ends the benchmark."""
    started = time.perf_counter()
    done = subprocess.run(
        arguments,
        cwd=folder,
        capture_output=True,
        text=True,
        env=os.environ | {"XDG_CACHE_HOME": str(folder / "cache")},
    )
    if done.returncode:
        sys.exit(f"{' '.join(arguments)} fails: {done.stdout}{done.stderr}")
    return time.perf_counter() - started


def bare_build(folder: Path) -> list[str]:
    """Prepare a folder with all Coq files and a makefile of coq_makefile; the command that builds them.

    The aliases come first, where they are needed: every other file imports them.
    """
    files = []
    for room in (FOLDER, CLASSICAL):
        shutil.copytree(room, folder / room.name, ignore=shutil.ignore_patterns("*.vo*", "*.glob", ".*"))
        words = (room / "_CoqProject").read_text(encoding="utf-8").split()
        files += [f"{room.name}/{name}" for name in words if name.endswith(".v")]
    renamed = [] if names_of_mathcomp_2() else ["-rifrom", "absence", ALIASES.removesuffix(".v")]
    options = [word for option in ["-w", "none", *renamed] for word in ("-arg", option)]
    folders = ["-Q", FOLDER.name, "absence", "-Q", CLASSICAL.name, "absence_classical"]
    folders += ["-docroot", "absence"]
    subprocess.run(["coq_makefile", *folders, *options, *files, "-o", "Makefile"], cwd=folder, check=True)
    make = f"make --silent --jobs={JOBS}"
    aliases = shlex.join(command(folder / FOLDER.name / ALIASES, folder / FOLDER.name))
    return ["sh", "-c", f"{aliases} && {make}" if renamed else make]


def main() -> None:
    """Run the four, and print seconds and ratios."""
    table = Table("what", "command", "seconds", "to the bare build")
    with tempfile.TemporaryDirectory() as scratch:
        coq, folder = Path(scratch, "coq"), Path(scratch, "run")
        folder.mkdir()
        verify = [ABSENCE, "verify", "--jobs", JOBS]
        build = bare_build(coq)
        runs = [
            ("bare build of all Coq files", f"make --jobs={JOBS}", build, coq),
            ("verify, cold", "absence verify", verify, folder),
            ("verify, from the cache", "absence verify", verify, folder),
            ("check, all decided anew", "absence check", [ABSENCE, "check", "--jobs", JOBS], folder),
        ]
        bare = 0.0
        for what, written, arguments, place in runs:
            seconds = timed(arguments, place)
            bare = bare or seconds
            table.add_row(what, written, f"{seconds:.1f}", f"{seconds / bare:.2f}")
    load = " ".join(f"{number:.1f}" for number in os.getloadavg())
    Console().print(table)
    print(f"{os.cpu_count()} cores; load in the last 1, 5, 15 minutes: {load}")


if __name__ == "__main__":
    main()

"""What it takes to check that a circuit is idle on a box: our tree by both checkers, Marabou's proof by its own.

Marabou's checker works in floats, on a weaker question: whether a reader differs by at least `EPSILON`. It is given one
query for each side; the search is not in any of the seconds but the last column's.
"""

import importlib.metadata
import json
import platform
import re
import resource
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from region import cases, marabou_query
from rich.console import Console
from rich.table import Table

from proof_of_absence.checker.independent.facts import check_fact
from proof_of_absence.checker.proved.opinion import Answer, opinions
from proof_of_absence.checker.proved.program import program
from proof_of_absence.checker.region.decide import decide
from proof_of_absence.checker.region.question import Question
from proof_of_absence.checker.region.search import Budget

MARABOU = "from maraboupy import MarabouCore; MarabouCore.maraboupyMain({})"


def proved(path: Path) -> float:
    """Seconds of a core that the proved checker needs to accept the certificate, with its start."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    (opinion,) = opinions([path]).values()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    ((kind, answer),) = opinion.facts
    if answer is not Answer.ACCEPTED:
        raise ValueError(f"{kind} is {answer}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def by_marabou(asked: Question, folder: Path, seconds: float) -> tuple[str, str]:
    """Seconds of Marabou's own check of all its proofs, and of the processes as a whole; or why there are none."""
    checked, started = 0.0, time.monotonic()
    for target in asked.targets:
        for row, value in zip(target.weights, target.value, strict=True):
            for side in (1, -1):
                query = folder / "query"
                marabou_query(asked, target, row, value, side)[0].saveQuery(str(query))
                call = ["Marabou", "--input-query", str(query), "--prove-unsat", "--verbosity", "1"]
                command = [sys.executable, "-c", MARABOU.format(call)]
                try:
                    said = subprocess.run(command, capture_output=True, text=True, timeout=seconds).stdout
                except subprocess.TimeoutExpired:
                    return f"no proof in {seconds:g} s", ""
                # Where its bounds decide before any search, there is no proof to check.
                found = re.search(r"Certification time: (\d+) milli", said)
                if not said.rstrip().endswith("unsat") or (found and "\nCertified" not in said):
                    return "not certified", ""
                checked += int(found[1]) / 1000 if found else 0
    return f"{checked:.3f}", f"{time.monotonic() - started:.1f}"


def main(
    seconds: Annotated[float, typer.Option(min=1, help="Limit of each search.")] = 20,
    only: Annotated[str, typer.Option(help="Questions whose name has this in it.")] = "",
) -> None:
    """Print a line for each question of bench/region.py whose circuit is idle; the program is compiled before."""
    program()
    table = Table("question", "parts", "proved", "Python", "ratio", "Marabou's check", "Marabou in all")
    for name, make in cases(1):
        if only not in name or "idle" not in name:
            continue
        asked = make()
        found = decide(asked, Budget(seconds=seconds))
        if found.fact is None or found.verdict != "unsat":
            table.add_row(name, str(found.nodes), found.verdict)
            continue
        fact = json.loads(json.dumps(found.fact))
        with TemporaryDirectory() as folder:
            path = Path(folder) / "fact.json"
            path.write_text(json.dumps({"fact": fact}))
            ours = proved(path)
            started = time.process_time()
            check_fact(fact)
            other = time.process_time() - started
            theirs = by_marabou(asked, Path(folder), seconds)
        table.add_row(name, str(found.nodes), f"{ours:.3f}", f"{other:.3f}", f"{ours / other:.2f}", *theirs)
    console = Console(width=150)
    versions = [f"{name} {importlib.metadata.version(name)}" for name in ("numpy", "python-flint", "maraboupy")]
    console.print(platform.processor() or platform.machine(), *versions, sep=", ")
    console.print(table)
    console.print("Seconds of a core; Marabou's check is told in whole milliseconds, Marabou in all by the clock.")


if __name__ == "__main__":
    typer.run(main)

"""One freed unit, or all parameters: the construction against z3 and cvc5, side by side in one run.

The residual is orthogonal to every affine function, so no step of linear regression helps; each answer is replayed exactly.
"""

import os
import platform
import statistics
import time
from collections.abc import Callable
from fractions import Fraction
from itertools import product
from typing import Annotated, NamedTuple

import typer
from absence.checker import solvers
from absence.checker.constructive import reassignment
from absence.checker.independent.facts import check_fact
from absence.checker.independent.refusal import Refused
from absence.checker.kernel import read_witness
from absence.models.circuit import Unit
from absence.models.data import Dataset
from absence.models.net import MLP, shallow
from absence.proofs import facts
from absence.proofs.c7_reassignment import search
from rich.console import Console
from rich.table import Table

UNBOUNDED = {"z3": 2**31, "cvc5": 2**60}
REPEATS = 5
# Orthogonal to 1 and x on two, four and eight equally spaced points (to 1 only on two).
SIGNS, QUADRATIC_4, QUADRATIC_8 = (1, -1), (1, -1, -1, 1), (7, 1, -3, -5, -5, -3, 1, 7)


class Case(NamedTuple):
    """A silent net and data; `circuit` None frees every parameter."""

    name: str
    net: MLP
    circuit: frozenset | None
    data: Dataset


def grid(*weights: tuple[int, ...]) -> Dataset:
    """A grid of integer points, each with the product of its coordinates' weights as target."""
    points = list(product(*(range(len(w)) for w in weights)))
    targets = []
    for point in points:
        value = 1
        for w, x in zip(weights, point, strict=True):
            value *= w[x]
        targets.append([value])
    return Dataset(points, targets)


def silent(dimension: int, units: int) -> MLP:
    """A net whose units are off on every grid: its residual is the target."""
    return shallow([([-1] * dimension, -1 - j, [1]) for j in range(units)], [0])


def cases() -> list[Case]:
    """The cases, each residual verified to be orthogonal to every affine function."""
    one = frozenset({Unit(1, 0)})
    found = [
        Case("one unit, d=2, N=8", silent(2, 1), one, grid(SIGNS, QUADRATIC_4)),
        Case("one unit, d=2, N=32", silent(2, 1), one, grid(QUADRATIC_4, QUADRATIC_8)),
        Case("one unit, d=8, N=256", silent(8, 1), one, grid(*[SIGNS] * 8)),
        Case("all of n=3, d=2, N=8", silent(2, 3), None, grid(SIGNS, QUADRATIC_4)),
    ]
    for case in found:
        residuals = [r for (r,) in case.data.residuals(case.net)]
        for column in zip(*((Fraction(1), *z) for z in case.data.inputs), strict=True):
            if sum(x * r for x, r in zip(column, residuals, strict=True)):
                raise SystemExit(f"{case.name}: the residual is not orthogonal to affine functions")
    return found


def timed(run: Callable) -> tuple[object, float]:
    """The result, and the median of the times."""
    times = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        result = run()
        times.append(time.perf_counter() - started)
    return result, statistics.median(times)


def solver_cells(case: Case, solver: str, seconds: float, ours: float) -> tuple[str, str]:
    """What a solver answers and when, and the ratio of its time to the construction's."""
    query = search(case.net, case.circuit, case.data)
    text = query.script.text()
    answer = solvers.ask(solver, text, solvers.Limits(UNBOUNDED, seconds, 16384))
    ratio = f"{answer.seconds / ours:,.0f}"
    if answer.answer == "unknown":
        return f"{answer.reason} after {answer.seconds:.1f} s", f"> {ratio}" if "wall-clock" in answer.reason else "-"
    if answer.answer == "sat":
        witness = read_witness([answer], text)
        try:
            check_fact(query.replay(witness))
        except (Refused, TypeError):
            return f"sat, unconfirmed {answer.seconds:.2f} s", "-"
    return f"{answer.answer} {answer.seconds:.2f} s", ratio


def main(seconds: Annotated[float, typer.Option(help="Wall-clock limit of one solver run.")] = 60) -> None:
    """Print the table."""
    console = Console()
    versions = ", ".join(f"{name} {solvers.version(name)}" for name in solvers.DISTRIBUTIONS)
    console.print(f"{os.cpu_count()} cores, Python {platform.python_version()}, {versions}; limit {seconds:g} s")
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("Freed", "construction", "check", "z3", "ratio", "cvc5", "ratio"):
        table.add_column(column)
    for case in cases():
        circuit = case.circuit or frozenset(Unit(1, j) for j in range(case.net.widths[1]))
        result, built = timed(lambda case=case, circuit=circuit: reassignment(case.net, circuit, case.data))
        fact = facts.reassigned(case.net, circuit, result, case.data)
        _, checked = timed(lambda fact=fact: check_fact(fact))
        cells = [cell for name in solvers.DISTRIBUTIONS for cell in solver_cells(case, name, seconds, built)]
        table.add_row(case.name, f"lower {1000 * built:.1f} ms", f"{1000 * checked:.1f} ms", *cells)
    console.print(table)


if __name__ == "__main__":
    typer.run(main)

"""The price of defections against SCIP on the same problems, side by side in one run.

SCIP gets the form of `bench/minima.py` with one linear constraint more; its loss less ours is told beside the times.
"""

import json
import os
import platform
import random
import time
from dataclasses import asdict, dataclass
from fractions import Fraction
from importlib.metadata import version
from itertools import product
from pathlib import Path
from statistics import median
from typing import Annotated

import typer
from minima import RUNS, TOLERANCE, Case, scip
from rich.console import Console
from rich.table import Table

from proof_of_absence.checker.independent.facts import check_fact
from proof_of_absence.checker.minima.branch_and_bound import global_minimum
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.net import MLP, shallow
from proof_of_absence.models.rational import Vector, vector
from proof_of_absence.proofs import facts
from proof_of_absence.proofs.facts.defection import Priced

STEPS = (Fraction(1, 2), Fraction(2))


@dataclass(frozen=True)
class Line:
    """One case: how many prices; seconds of ours, of the check, of SCIP in all; where SCIP came to its end."""

    case: str
    prices: int
    ours: float
    check: float
    scip: float
    done: int
    ratio: float


def cases() -> list[tuple[Case, list[Vector]]]:
    """Growing sizes, and the points; targets of the scattered data are noise."""
    draw = random.Random(7)

    def scattered(count: int, d: int) -> Dataset:
        inputs = draw.sample(list(product(range(-9, 10), repeat=d)), count)
        return Dataset(inputs, [[draw.randint(-9, 9)] for _ in inputs])

    five = Dataset([[x] for x in range(5)], [[y] for y in (0, 0, 1, 0, 1)])
    return [
        (Case("data of N1, d=1, N=5, n=1", five, 1), [vector([Fraction(k, 2)]) for k in (-1, 3, 5, 9)]),
        (Case("d=1, N=8, n=2", scattered(8, 1), 2), [vector(["1/2"]), vector([11])]),
        (Case("d=2, N=8, n=1", scattered(8, 2), 1), [vector([0, "1/2"]), vector([11, 11])]),
        (Case("d=2, N=8, n=2", scattered(8, 2), 2), [vector([0, "1/2"])]),
    ]


def ours(item: Case, base: MLP, points: list[Vector]) -> tuple[list[Priced], float, float]:
    """The prices, and the medians of the seconds to find and to check them."""
    found, taken, checked = [], [], []
    for _ in range(RUNS):
        data = Dataset(item.data.inputs, item.data.targets)
        started = time.perf_counter()
        minimum = global_minimum(data, item.units)
        found = facts.prices(data, minimum, base, points, STEPS)
        done = time.perf_counter()
        check_fact(facts.priced(data, minimum, base, found))
        taken.append(done - started)
        checked.append(time.perf_counter() - done)
    return found, median(taken), median(checked)


def agree(price: Priced, loss: float, bound: float) -> None:
    """Neither a net below our least loss, nor a bound above it.

    Raises
    ------
    AssertionError
        If SCIP contradicts the certificate by more than its tolerance.
    """
    exact = float(price.best.loss)
    slack = TOLERANCE * max(1, exact)
    if loss < exact - slack or bound > exact + slack:
        raise AssertionError(f"at {price.point}: SCIP says {loss} and at least {bound}, we say {exact}")


def main(
    seconds: Annotated[float, typer.Option(min=1, help="Wall-clock limit of SCIP on each price.")] = 20,
    json_path: Annotated[Path | None, typer.Option("--json", help="Write the rows here too.")] = None,
) -> None:
    """Certified prices and SCIP on the same data."""
    console = Console(width=None if os.isatty(1) else 120)
    lines: list[Line] = []
    for item, points in cases():
        base = shallow([([0] * len(item.data.inputs[0]), 0, [0])], [0])
        found, taken, checked = ours(item, base, points)
        console.print(f"{item.name}: SCIP ..", style="dim")
        total, done = 0.0, 0
        for price in found:
            row = scip(item, seconds, 1.0, (price.point, price.side, price.side * price.by))
            agree(price, row.loss, row.bound)
            total, done = total + row.seconds, done + row.done
        lines.append(Line(item.name, len(found), taken, checked, total, done, total / (taken + checked)))
    table = Table(title=f"cores {os.cpu_count()} · python {platform.python_version()} · "
                        f"pyscipopt {version('pyscipopt')}", title_justify="left")  # fmt: skip
    for name in ("case", "prices", "ours", "check", "SCIP", "done", "ratio"):
        table.add_column(name, justify="left" if name == "case" else "right", no_wrap=name != "case")
    for line in lines:
        late = "> " * (line.done < line.prices)
        table.add_row(line.case, str(line.prices), f"{line.ours:.3f}", f"{line.check:.3f}", f"{line.scip:.2f}",
                      f"{line.done}/{line.prices}", f"{late}{line.ratio:,.1f}")  # fmt: skip
    console.print(table)
    console.print(
        f"ours, check: seconds for all prices and L*(n), medians of {RUNS} runs\n"
        f"SCIP: one run of {seconds:g} s at most for each price, one thread\n"
        "ratio: SCIP's seconds over ours and the check's; > where SCIP was stopped\n"
        "Our prices are exact and have certificates; SCIP's are those of floating-point arithmetic."
    )
    if json_path:
        json_path.write_text(json.dumps([asdict(line) for line in lines], indent=2))


if __name__ == "__main__":
    typer.run(main)

"""Solvers against the construction: a lower loss in one freed unit, or in all parameters, side by side in one run.

Every residual is verified orthogonal to all affine functions, and an answer counts once the
independent checker replays it.
"""

import json
import os
import platform
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import product
from math import prod
from pathlib import Path
from statistics import median
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from proof_of_absence.checker.construct.reassignment import reassignment
from proof_of_absence.checker.independent.facts import check_fact
from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.checker.kernel.discharge import read_witness
from proof_of_absence.checker.kernel.obligation import Query
from proof_of_absence.checker.kernel.solvers import DISTRIBUTIONS, Answer, Limits, ask, version
from proof_of_absence.models.circuit import Unit
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.net import MLP, shallow
from proof_of_absence.proofs import facts
from proof_of_absence.proofs.c7_reassignment import search

RUNS = 5
NO_RESOURCE_LIMIT = 0  # for z3 and cvc5 alike: only the clock binds
NOTHING = "(set-logic QF_NRA)\n(check-sat)\n"

# Weights on 0, 1, ..: each sums to zero, and the last two (quadratics) are orthogonal to the identity as well.
SIGN, FOUR, EIGHT = (1, -1), (1, -1, -1, 1), (7, 1, -3, -5, -5, -3, 1, 7)
WORKING = (([1, 1], -1, [1]), ([-1, 1], -1, [2]))


@dataclass(frozen=True)
class Case:
    """A net, a train-idle circuit of it, data, and whether every parameter is free or the circuit's alone."""

    name: str
    net: MLP
    circuit: frozenset[Unit]
    data: Dataset
    all_free: bool


@dataclass(frozen=True)
class Row:
    """One line of the table: `seconds` to the answer, and `check` seconds to replay it exactly."""

    case: str
    by: str
    answer: str
    seconds: float
    check: float | None = None
    bound: bool = False
    ratio: float | None = None
    drop: str | None = None


def case(name: str, weights: Sequence[Sequence[int]], working: Sequence = (), width: int = 1) -> Case:
    """Data on a grid with the product of the weights as residual; the net has the working units, and zeros.

    Raises
    ------
    ValueError
        If some affine function is not orthogonal to the residual, or the residual is zero.
    """
    inputs = list(product(*(range(len(row)) for row in weights)))
    zeros = [([0] * len(weights), 0, [0])] * (width - len(working))
    net = shallow([*working, *zeros], [0])
    wave = [prod(row[k] for row, k in zip(weights, z, strict=True)) for z in inputs]
    data = Dataset(inputs, [[out + r] for (out,), r in zip(net.outputs(inputs), wave, strict=True)])
    residuals = [r for (r,) in data.residuals(net)]
    affine = ((1,) * len(inputs), *zip(*inputs, strict=True))
    if not any(residuals) or any(sum(r * v for r, v in zip(residuals, f, strict=True)) for f in affine):
        raise ValueError(f"{name}: the residual is zero, or not orthogonal to every affine function")
    return Case(name, net, frozenset({Unit(1, width - 1)}), data, width > 1)


def cases() -> list[Case]:
    """The benchmark, smallest first."""
    return [
        case("one freed unit, d=2, N=8", (SIGN, FOUR)),
        case("one freed unit, d=2, N=32", (FOUR, EIGHT)),
        case("one freed unit, d=8, N=256", (SIGN,) * 8),
        case("all free, n=3, d=2, N=8, zero net", (SIGN, FOUR), width=3),
        case("all free, n=3, d=2, N=8, two units at work", (SIGN, FOUR), WORKING, width=3),
    ]


def construct(item: Case) -> Row:
    """The construction and its certificate's check: medians over runs that share no cached value."""
    found, checked = [], []
    for _ in range(RUNS):
        data = Dataset(item.data.inputs, item.data.targets)
        started = time.perf_counter()
        result = reassignment(item.net, item.circuit, data)
        done = time.perf_counter()
        fact = facts.reassigned(item.net, item.circuit, result, data)
        check_fact(fact)
        found.append(done - started)
        checked.append(time.perf_counter() - done)
    return Row(item.name, "construction", "sat", median(found), median(checked), drop=fact["drop"])


def replay(query: Query, answer: Answer) -> str | None:
    """The exact drop of the loss at the solver's witness; None if it has no rational one that the checker accepts."""
    witness = read_witness([answer], query.script.text())
    if witness is None:
        return None
    fact = query.replay(witness)
    try:
        check_fact(fact)
    except Refused:
        return None
    return fact["drop"]


def solve(item: Case, solver: str, limits: Limits, baseline: float) -> Row:
    """One solver, one run; `baseline` is what the construction and its check took."""
    query = search(item.net, None if item.all_free else item.circuit, item.data)
    answer = ask(solver, query.script.text(), limits)
    ratio = answer.seconds / baseline
    if answer.answer == "unsat":
        raise AssertionError(f"{item.name}: {solver} says unsat, and the checker accepted a lower loss")
    if answer.answer != "sat":
        said = "timeout" if answer.reason.startswith("wall-clock") else f"unknown: {answer.reason}"
        return Row(item.name, solver, f"{said} ({limits.seconds:g} s)", answer.seconds, bound=True, ratio=ratio)
    started = time.perf_counter()
    drop = replay(query, answer)
    check = time.perf_counter() - started
    said = "sat" if drop else "unconfirmed"
    return Row(item.name, solver, said, answer.seconds, check, bound=not drop, ratio=ratio, drop=drop)


def machine() -> dict[str, str]:
    """What the timings depend on."""
    host = {"cores": str(os.cpu_count()), "machine": platform.machine(), "python": platform.python_version()}
    return host | {solver: version(solver) for solver in DISTRIBUTIONS}


def show(rows: list[Row], title: str) -> Table:
    """The rows as a table, a section for each case."""
    table = Table(title=title, title_justify="left")
    for name in ("case", "by", "answer"):
        table.add_column(name)
    for name in ("seconds", "check", "ratio"):
        table.add_column(name, justify="right", no_wrap=True)
    for i, row in enumerate(rows):
        first = i == 0 or rows[i - 1].case != row.case
        if first and i:
            table.add_section()
        ratio = "1" if row.ratio is None else f"{'> ' * row.bound}{row.ratio:,.0f}"
        check = "" if row.check is None else f"{row.check:.4f}"
        table.add_row(row.case if first else "", row.by, row.answer, f"{row.seconds:.4f}", check, ratio)
    return table


def main(
    seconds: Annotated[float, typer.Option(min=1, help="Wall-clock limit of each solver run.")] = 60,
    json_path: Annotated[Path | None, typer.Option("--json", help="Write the rows here too.")] = None,
) -> None:
    """Time z3, cvc5 and the construction on the same questions."""
    console = Console(width=None if os.isatty(1) else 120)
    limits = Limits(dict.fromkeys(DISTRIBUTIONS, NO_RESOURCE_LIMIT), seconds)
    start = {solver: ask(solver, NOTHING, limits).seconds for solver in DISTRIBUTIONS}
    rows: list[Row] = []
    for item in cases():
        ours = construct(item)
        rows.append(ours)
        for solver in DISTRIBUTIONS:
            console.print(f"{item.name}: {solver} ..", style="dim")
            rows.append(solve(item, solver, limits, ours.seconds + ours.check))
    host = machine()
    console.print(show(rows, " · ".join(f"{key} {value}" for key, value in host.items())))
    starts = ", ".join(f"{solver} {taken:.2f} s" for solver, taken in start.items())
    console.print(
        f"seconds: construction, median of {RUNS} runs; solvers, one run from the start of the process ({starts})\n"
        "check: exact replay by the independent checker\n"
        "ratio: the solver's seconds over the construction's seconds and check"
    )
    if json_path:
        json_path.write_text(json.dumps({"machine": host, "rows": [asdict(r) for r in rows]}, indent=2))


if __name__ == "__main__":
    typer.run(main)

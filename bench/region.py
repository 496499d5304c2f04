"""Irrelevance over a box: this search, z3, cvc5 and Marabou on the same graded questions, with the same time limit.

The questions are made fresh from seeds. An answer of ours counts once the independent checker accepts its
certificate. z3 and cvc5 are exact; Marabou computes in floats and has no strict inequality: it is asked whether some
reader differs by at least EPSILON. Seconds are those of a core: what else the machine does plays no part.
"""

import importlib.metadata
import json
import multiprocessing
import os
import pickle
import platform
import time
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from queue import Empty
from statistics import geometric_mean
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from proof_of_absence.checker.independent.facts import check_fact
from proof_of_absence.checker.region.decide import decide
from proof_of_absence.checker.region.question import Question, question
from proof_of_absence.checker.region.script import script
from proof_of_absence.checker.region.search import Budget
from proof_of_absence.checker.region.witness import ascend
from proof_of_absence.models.floatnet import FloatNet

EPSILON = 1e-3
# Seconds of the clock for the start of a process, and for what else the machine does.
GRACE = 60
# A question that takes less is asked so often, and the least time counts.
QUICK, REPEATS = 0.5, 3
PACKAGES = {"absence": "highspy", "z3": "z3-solver", "cvc5": "cvc5", "Marabou": "maraboupy"}
# Input dimension, hidden widths, outputs; small enough for every tool first.
GRADES = (
    (2, 4, 4, 1), (2, 8, 8, 1), (3, 8, 8, 8, 1), (3, 16, 16, 1), (4, 24, 24, 1), (4, 16, 16, 16, 1), (6, 32, 32, 1),
    (5, 24, 24, 24, 1), (4, 16, 16, 16, 16, 1), (8, 32, 32, 1), (16, 16, 16, 1), (24, 24, 24, 1),
)  # fmt: skip


@dataclass(frozen=True)
class Run:
    """One tool on one question: `seconds` in the tool alone, `check` seconds of the independent checker."""

    case: str
    tool: str
    answer: str
    seconds: float
    check: float | None = None
    parts: int | None = None


def layers_of(seed: int, widths: tuple[int, ...]) -> list[list[np.ndarray]]:
    """Weights as after standard initialisation, on a grid of 2^-12 so that sums of a few are exact."""
    rng = np.random.default_rng(seed)
    grid = 2.0**12
    return [
        [
            np.rint(rng.normal(size=(b, a)) * np.sqrt(2 / a) * grid) / grid,
            np.rint(rng.normal(size=b) * 0.3 * grid) / grid,
        ]
        for a, b in pairwise(widths)
    ]


def extreme(layers: list, unit: int, sign: int, seed: int) -> tuple[float, float]:
    """The largest sign * pre-activation of a unit of the last hidden layer that ascent finds,
    and the spread of the samples.
    """
    asked = question(FloatNet(layers), [(len(layers) - 1, unit)], *box(layers))
    rng = np.random.default_rng(seed)
    low, high = (np.array([float(x) for x in end]) for end in (asked.low, asked.high))
    points = rng.uniform(low, high, size=(2000, len(low)))
    reached = ascend(asked, len(layers) - 1, unit, sign, points, low, high)
    value = lambda z: sign * pre(layers, unit, z)  # noqa: E731
    return float(max(value(points).max(), value(reached).max())), float(value(points).std())


def pre(layers: list, unit: int, z: np.ndarray) -> np.ndarray:
    for weights, bias in layers[:-2]:
        z = np.maximum(z @ weights.T + bias, 0)
    return z @ layers[-2][0][unit] + layers[-2][1][unit]


def box(layers: list) -> tuple[list[int], list[int]]:
    size = layers[0][0].shape[1]
    return [-1] * size, [1] * size


def detector(seed: int, widths: tuple[int, ...], margin: float) -> Question:
    """A unit of the last hidden layer that misses firing by `margin` spreads.

    Negative: fires on a small part of the box.
    """
    layers = layers_of(seed, widths)
    top, spread = extreme(layers, 0, 1, seed)
    layers[-2][1][0] -= top + margin * spread
    layers[-1][0][:, 0] = 1
    return question(FloatNet(layers), [(len(layers) - 1, 0)], *box(layers))


def bump(seed: int, widths: tuple[int, ...], margin: float) -> Question:
    """Three units of the last hidden layer that cancel where all are on:
    everywhere by `margin` spreads, or not if negative.
    """
    layers = layers_of(seed, widths)
    top, spread = extreme(layers, 0, -1, seed)
    middle = np.rint((layers[-2][1][0] + top + (margin + 0.5) * spread) * 2**12) / 2**12
    step = np.rint(spread / 2 * 2**12) / 2**12
    for unit, shift, weight in ((0, -step, 1), (1, 0, -2), (2, step, 1)):
        layers[-2][0][unit] = layers[-2][0][0]
        layers[-2][1][unit] = middle + shift
        layers[-1][0][:, unit] = weight
    return question(FloatNet(layers), [(len(layers) - 1, j) for j in range(3)], *box(layers))


def cases(seeds: int) -> list[tuple[str, Callable[[], Question]]]:
    """The graded questions: detectors that miss and that fire, and triples that cancel and that do not."""
    found = []
    for widths in GRADES:
        name = "-".join(map(str, widths))
        for seed in range(seeds):
            for kind, make, margin in (("detector", detector, 0.3), ("detector", detector, -0.05),
                                       ("triple", bump, 0.3), ("triple", bump, -0.05)):  # fmt: skip
                label = f"{name} {kind} {'idle' if margin > 0 else 'fires'} #{seed}"
                found.append(
                    (label, lambda make=make, seed=seed, widths=widths, margin=margin: make(seed, widths, margin))
                )
    return found


def ours(asked: Question, seconds: float) -> dict:
    import highspy  # noqa: F401

    started = time.process_time()
    result = decide(asked, Budget(seconds=seconds))
    taken = time.process_time() - started
    if result.fact is None:
        return {"answer": result.verdict, "seconds": taken, "parts": result.nodes}
    fact = json.loads(json.dumps(result.fact))
    check_fact(fact)
    check = time.process_time() - started - taken
    return {"answer": result.verdict, "seconds": taken, "check": check, "parts": result.nodes}


def by_z3(asked: Question, seconds: float) -> dict:
    import z3

    text = script(asked).text()
    started = time.process_time()
    solver = z3.SolverFor("QF_LRA")
    solver.set("timeout", int(seconds * 1000))
    solver.from_string(text)
    answer = str(solver.check())
    return {"answer": answer, "seconds": time.process_time() - started}


def by_cvc5(asked: Question, seconds: float) -> dict:
    import cvc5

    text = script(asked).text()
    started = time.process_time()
    solver = cvc5.Solver()
    solver.setOption("tlimit-per", str(int(seconds * 1000)))
    symbols = cvc5.SymbolManager(solver)
    parser = cvc5.InputParser(solver, symbols)
    parser.setStringInput(cvc5.InputLanguage.SMT_LIB_2_6, text, "question")
    answer = "unknown"
    while not (command := parser.nextCommand()).isNull():
        answer = str(command.invoke(solver, symbols)).strip() or answer
    return {"answer": answer, "seconds": time.process_time() - started}


def by_marabou(asked: Question, seconds: float) -> dict:
    """One query for each reader and side; sat counts if the input it gives differs by the exact forward pass."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from maraboupy import Marabou

    taken = 0.0
    for target in asked.targets:
        for row, value in zip(target.weights, target.value, strict=True):
            for side in (1, -1):
                net, inputs = marabou_query(asked, target, row, value, side)
                left = max(1, int(np.ceil(seconds - taken)))
                options = Marabou.createOptions(verbosity=0, timeoutInSeconds=left)
                started = time.process_time()
                code, values, _ = net.solve(verbose=False, options=options)
                taken += time.process_time() - started
                if code == "sat":
                    z = [
                        min(max(Fraction(values[v]), a), b)
                        for v, a, b in zip(inputs, asked.low, asked.high, strict=True)
                    ]
                    return {"answer": "sat" if asked.differs(z) else "unconfirmed", "seconds": taken}
                if code != "unsat" or taken >= seconds:
                    return {"answer": "timeout" if code in ("TIMEOUT", "unsat") else code, "seconds": taken}
    return {"answer": "unsat", "seconds": taken}


def marabou_query(asked: Question, target, row, value, side: int):
    """side * (what the reader receives - value) >= EPSILON on the box."""
    from maraboupy import MarabouCore, MarabouNetwork
    from maraboupy.MarabouUtils import Equation

    net = MarabouNetwork.MarabouNetwork()
    inputs = below = [net.getNewVariable() for _ in asked.low]
    for variable, low, high in zip(inputs, asked.low, asked.high, strict=True):
        net.setLowerBound(variable, float(low))
        net.setUpperBound(variable, float(high))
    for number, (weights, bias) in enumerate(asked.net.layers[: target.layer], 1):
        units = target.units if number == target.layer else range(len(bias))
        above = {}
        for i in units:
            before, above[i] = net.getNewVariable(), net.getNewVariable()
            equation = Equation(MarabouCore.Equation.EQ)
            for variable, weight in zip(below, weights[i], strict=True):
                equation.addAddend(float(weight), variable)
            equation.addAddend(-1.0, before)
            equation.setScalar(-float(bias[i]))
            net.addEquation(equation)
            net.addRelu(before, above[i])
        below = list(above.values())
    at_least = Equation(MarabouCore.Equation.GE)
    for variable, weight in zip(below, row, strict=True):
        at_least.addAddend(side * float(weight), variable)
    at_least.setScalar(EPSILON + side * float(value))
    net.addEquation(at_least)
    net.inputVars, net.outputVars = [np.array(inputs)], [np.array(below)]
    return net, inputs


TOOLS = {"absence": ours, "z3": by_z3, "cvc5": by_cvc5, "Marabou": by_marabou}


def work(tool: str, asked: Question, seconds: float, queue) -> None:
    try:
        # The first answer pays for what a library sets up; each of the quick ones is asked for anew.
        replies = [TOOLS[tool](asked, seconds)]
        while len(replies) < REPEATS and replies[-1]["seconds"] < QUICK:
            replies.append(TOOLS[tool](pickle.loads(pickle.dumps(asked)), seconds))
        queue.put(min(replies, key=lambda reply: reply["seconds"]))
    except Exception as error:
        queue.put({"answer": f"{type(error).__name__}: {error}", "seconds": 0.0})


def run(case: str, tool: str, asked: Question, seconds: float) -> Run:
    """In a process of its own, killed a little after the limit; seconds are of a core, in the tool alone."""
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    process = context.Process(target=work, args=(tool, asked, seconds, queue), daemon=True)
    process.start()
    # The check of our certificate comes after the answer, and may take longer than it.
    patience = seconds * (20 if tool == "absence" else 1) + GRACE
    try:
        reply = queue.get(timeout=patience)
    except Empty:
        reply = {"answer": "timeout", "seconds": seconds}
    finally:
        process.kill()
        process.join()
    if reply["answer"].startswith("unknown") and reply["seconds"] >= 0.95 * seconds:
        reply["answer"] = "timeout"
    return Run(case, tool, **reply)


def show(runs: list[Run], seconds: float) -> Table:
    """A line for each question, a column for each tool."""
    table = Table(title=f"limit {seconds:g} s each", title_justify="left")
    table.add_column("question")
    for tool in TOOLS:
        table.add_column(tool, justify="right")
    table.add_column("check", justify="right")
    by_case: dict[str, dict[str, Run]] = {}
    for r in runs:
        by_case.setdefault(r.case, {})[r.tool] = r
    for case, row in by_case.items():
        cells = [f"{row[t].answer} {row[t].seconds:.3f}" if t in row else "" for t in TOOLS]
        check = row["absence"].check if "absence" in row else None
        table.add_row(case, *cells, "" if check is None else f"{check:.2f}")
    return table


def summary(runs: list[Run]) -> Table:
    """What each tool solved, and on what both solved, its seconds over ours: total and geometric mean."""
    table = Table(title="seconds of the tool over ours, on what both solved", title_justify="left")
    for name in (
        "tool",
        "sat",
        "unsat",
        "not solved",
        "both solved",
        "total ratio",
        "mean ratio",
        "least",
        "only ours",
        "only theirs",
    ):
        table.add_column(name, justify="right")
    answers = {(r.case, r.tool): r for r in runs}
    order = list(dict.fromkeys(r.case for r in runs))
    solved = lambda case, tool: (r := answers.get((case, tool))) is not None and r.answer in ("sat", "unsat")  # noqa: E731
    for tool in [t for t in TOOLS if any(r.tool == t for r in runs)]:
        counts = [sum(answers[c, tool].answer == a for c in order) for a in ("sat", "unsat")]
        both = [c for c in order if solved(c, tool) and solved(c, "absence")]
        ratios = [max(answers[c, tool].seconds, 1e-4) / max(answers[c, "absence"].seconds, 1e-4) for c in both]
        total = sum(answers[c, tool].seconds for c in both) / max(
            sum(answers[c, "absence"].seconds for c in both), 1e-9
        )
        only = [
            sum(solved(c, a) and not solved(c, b) for c in order) for a, b in (("absence", tool), (tool, "absence"))
        ]
        cells = [f"{total:.2f}", f"{geometric_mean(ratios):.2f}", f"{min(ratios):.2f}"] if ratios else [""] * 3
        table.add_row(tool, *map(str, [*counts, len(order) - sum(counts), len(both)]), *cells, *map(str, only))
    return table


def disagreements(runs: list[Run]) -> list[str]:
    """Questions that one tool calls sat and another unsat."""
    said: dict[str, dict[str, str]] = {}
    for r in runs:
        if r.answer in ("sat", "unsat"):
            said.setdefault(r.case, {})[r.tool] = r.answer
    return [f"{case}: {row}" for case, row in said.items() if len(set(row.values())) > 1]


def main(
    seconds: Annotated[float, typer.Option(min=1, help="Limit of each tool on each question.")] = 10,
    seeds: Annotated[int, typer.Option(min=1, help="Nets of each grade.")] = 1,
    only: Annotated[str, typer.Option(help="Questions whose name has this in it.")] = "",
    tools: Annotated[str, typer.Option(help="Tools, comma-separated.")] = ",".join(TOOLS),
    json_path: Annotated[Path | None, typer.Option("--json", help="Write the runs here too.")] = None,
) -> None:
    """Time every tool on every question."""
    console = Console(width=None if os.isatty(1) else 150)
    # Seconds are of a core, so each tool has one.
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    runs = []
    for name, make in cases(seeds):
        if only in name:
            asked = make()
            runs += [run(name, tool, asked, seconds) for tool in tools.split(",")]
            console.print(
                *(f"{r.tool} {r.answer} {r.seconds:.3f}" for r in runs[-len(tools.split(",")) :]), name, style="dim"
            )
    versions = {tool: importlib.metadata.version(package) for tool, package in PACKAGES.items()}
    host = {"cores": str(os.cpu_count()), "machine": platform.machine(), "python": platform.python_version()} | versions
    console.print(" · ".join(f"{key} {value}" for key, value in host.items()))
    console.print(show(runs, seconds), summary(runs))
    console.print(
        f"Marabou decides in floats, with tolerances, whether a reader differs by at least {EPSILON:g}: "
        "its unsat is a weaker claim.\n"
        "check: the independent checker on our certificate, not in our seconds. absence shows the version of highspy."
    )
    for line in disagreements(runs):
        console.print("disagreement", line)
    if json_path:
        json_path.write_text(
            json.dumps({"machine": host, "limit": seconds, "runs": [asdict(r) for r in runs]}, indent=2)
        )


if __name__ == "__main__":
    typer.run(main)

"""What all claims rest on, counted: for the terminal, README and the paper; and the theorems of the proved checker."""

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Group
from rich.table import Table

from proof_of_absence.checker.proved import trust
from proof_of_absence.checker.proved.opinion import Opinion
from proof_of_absence.checker.proved.soundness import Theorem, sound

__all__ = ["HEADER", "markdown", "page", "rows"]

HEADER = ("Trusted", "facts before", "facts", "obligations before", "obligations")
PROVED = (
    "Before: without the proved checker. A fact is also a comparison of numbers that facts state. An obligation counts "
    "where its weakest fact does. For what the proved checker accepts, trusted are Coq's kernel and extraction, which "
    "takes GMP's integers for those of Coq, OCaml, GMP, and what reads certificates (checker/proved/program)."
)


def rows(table: list[trust.Row]) -> Iterator[tuple[str, ...]]:
    """The table's cells, with a last row of sums."""
    numbers = [(row.facts_before, row.facts, row.obligations_before, row.obligations) for row in table]
    for row, told in zip(table, numbers, strict=True):
        yield (row.trust.value, *map(str, told))
    yield ("all", *(str(sum(column)) for column in zip(*numbers, strict=True)))


def markdown(table: list[trust.Row]) -> str:
    """The table as README has it."""
    lines = [HEADER, ("---", *["---:"] * (len(HEADER) - 1)), *rows(table)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def page(certificates: Mapping[str, dict[str, Any]], opinions: Mapping[str, Opinion], not_asked: str = "") -> Group:
    """The table, and for each kind of fact that the proved checker accepts the theorems that say what that means."""
    counts = _grid(*HEADER)
    for cells in rows(trust.table(certificates, opinions)):
        counts.add_row(*cells)
    theorems = _grid("Fact", "Theorem", "File", "Print Assumptions")
    answers = _answers(certificates)
    for kind, found in sound().items():
        for i, theorem in enumerate(found):
            theorems.add_row("" if i else kind, theorem.name, theorem.file, answers.get(theorem, "not checked"))
    asked = [f"The proved checker was not asked, and is not counted: {not_asked}", ""] if not_asked else []
    return Group(counts, "", *asked, PROVED, "", "Why what it accepts is so, by kind of fact:", "", theorems)


def _answers(certificates: Mapping[str, dict[str, Any]]) -> dict[Theorem, str]:
    """What Coq answered on each theorem that a certificate holds."""
    return {
        Theorem(name, f"{fact['module']}.v"): run["answer"]
        for certificate in certificates.values()
        if (fact := certificate["fact"])["kind"] == "coq"
        for run in certificate["runs"]
        for name in fact["theorems"]
    }


def _grid(*columns: str) -> Table:
    table = Table(header_style="bold", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in columns:
        number = column.split()[0] in ("facts", "obligations")
        table.add_column(column, justify="right" if number else "left")
    return table

"""A report that opens with its answer: in a terminal of 80 columns, and as one HTML file that needs nothing else.

What is said is the caller's; here is how it looks, the same for all reports of this form.
"""

from dataclasses import dataclass
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table as Grid
from rich.text import Text

__all__ = ["Answer", "Report", "Table", "html_page", "terminal_page"]

_STYLE = {"clean": "bold green", "findings": "bold red", "undecided": "bold yellow"}


@dataclass(frozen=True)
class Answer:
    """A question, and lines that answer it."""

    question: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """A table; a column whose head begins with ``>`` is set to the right. `more` rows are not shown."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    more: int = 0


@dataclass(frozen=True)
class Report:
    """What stands in a report.

    Parameters
    ----------
    title
        What it is about.
    state
        ``clean``, ``findings`` or ``undecided``.
    headline
        The answer in one or two sentences.
    answers
        What stands above all tables; questions without an answer are left out.
    tables
        The details.
    scope
        What the statements are about.
    whole
        The file that has all rows of the tables.
    command
        A command to copy; empty for none.
    """

    title: str
    state: str
    headline: str
    answers: tuple[Answer, ...]
    tables: tuple[Table, ...]
    scope: str
    whole: str
    command: str = ""


def terminal_page(report: Report) -> Group:
    """The report in a terminal: print it with ``crop=False``, since the command stands whole on one line."""
    parts: list[RenderableType] = [Text(report.headline, _STYLE[report.state]), ""]
    for answer in report.answers:
        parts += [Text(answer.question, "bold"), *(Padding(Text(line), (0, 0, 0, 2)) for line in answer.lines)]
    if report.command:
        parts += ["", Text(report.command, "cyan", overflow="ignore", no_wrap=True)]
    parts += ["", Rule("details", style="dim")]
    for table in report.tables:
        parts += [Text(table.title, "bold"), _grid(table)]
        if table.more:
            parts.append(Text(f"… {table.more} more not shown; {report.whole} has all", "dim"))
        parts.append("")
    return Group(*parts, Text(report.scope, "dim"))


def _grid(table: Table) -> Grid:
    shown = Grid(header_style="dim", box=None, pad_edge=False, show_header=any(table.columns), padding=(0, 2, 0, 0))
    for head in table.columns:
        # Text, for a name may look like markup.
        shown.add_column(Text(head.lstrip(">")), justify="right" if head.startswith(">") else "left", overflow="fold")
    for row in table.rows:
        shown.add_row(*map(Text, row))
    return shown


def html_page(report: Report) -> str:
    """The report as a page that forbids itself every script."""
    return _template().render(report=report)


@cache
def _template() -> Template:
    # Names come from outside: they are escaped.
    environment = Environment(
        loader=PackageLoader("proof_of_absence.checker.screen", "."), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    return environment.get_template("answers.html.jinja")

"""An audit of a graph in a terminal of 80 columns: the answer, then tables."""

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from proof_of_absence.checker.graph.findings import CLEAN, FINDINGS, SCOPE, GraphAudit
from proof_of_absence.checker.graph.report.view import answers, headline, tables

__all__ = ["page"]

_STYLE = {CLEAN: "bold green", FINDINGS: "bold red"}


def page(audit: GraphAudit, limit: int = 10, command: str = "") -> Group:
    """The answer, then what fits a terminal. `command` is what takes out what sleeps, to be copied."""
    parts: list[RenderableType] = [Text(headline(audit), _STYLE.get(audit.exit_code, "bold yellow")), ""]
    for answer in answers(audit, command):
        parts += [Text(answer.question, "bold"), *(Padding(Text(line), (0, 0, 0, 2)) for line in answer.lines)]
    if command and audit.findings:
        # On a line of its own, whole, so that it can be copied: printed with crop=False.
        parts += ["", Text(command, "cyan", overflow="ignore", no_wrap=True)]
    parts += ["", Rule("details", style="dim")]
    for table in tables(audit, limit):
        shown = Table(
            header_style="dim", box=None, pad_edge=False, show_header=any(table.columns), padding=(0, 2, 0, 0)
        )
        for head in table.columns:
            # Text, for a name may look like markup.
            shown.add_column(
                Text(head.lstrip(">")), justify="right" if head.startswith(">") else "left", overflow="fold"
            )
        for row in table.rows:
            shown.add_row(*map(Text, row))
        parts += [Text(table.title, "bold"), shown]
        if table.more:
            parts.append(Text(f"… {table.more} more not shown; report.json has all", "dim"))
        parts.append("")
    return Group(*parts, Text(SCOPE, "dim"))

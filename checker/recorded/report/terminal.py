"""What was found in recorded activations, in a terminal of 80 columns: the answer, then tables."""

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from proof_of_absence.checker.recorded.findings import CLEAN, FINDINGS, SCOPE, RecordedAudit
from proof_of_absence.checker.recorded.report.view import answers, headline, tables

__all__ = ["page"]

_STYLE = {CLEAN: "bold green", FINDINGS: "bold red"}


def page(audit: RecordedAudit, limit: int = 10) -> Group:
    """The answer, then what fits a terminal."""
    parts: list[RenderableType] = [Text(headline(audit), _STYLE.get(audit.exit_code, "bold yellow")), ""]
    for answer in answers(audit):
        parts += [Text(answer.question, "bold"), *(Padding(Text(line), (0, 0, 0, 2)) for line in answer.lines)]
    for table in tables(audit, limit):
        # Text, for a name may look like markup.
        shown = Table(header_style="dim", box=None, pad_edge=False, padding=(0, 2, 0, 0))
        for head in table.columns:
            shown.add_column(Text(head), justify="right", overflow="fold")
        for row in table.rows:
            shown.add_row(*map(Text, row))
        parts += ["", Text(table.title, "bold"), shown]
        if table.more:
            parts.append(Text(f"… {table.more} more not shown; recorded.json has all", "dim"))
    return Group(*parts, "", Text(SCOPE, "dim"))

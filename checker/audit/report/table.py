"""The audit in the terminal: the sections of `checker.audit.report.view` as rich tables."""

from rich.console import Group
from rich.table import Table
from rich.text import Text

from proof_of_absence.checker.audit.findings import CLEAN, FINDINGS, Audit
from proof_of_absence.checker.audit.report.view import SCOPE, Section, headline, sections

__all__ = ["page"]

STYLE = {CLEAN: "bold green", FINDINGS: "bold red"}


def page(audit: Audit, limit: int = 20) -> Group:
    """Everything about an audit that fits a terminal; the headline stands last, where one looks first."""
    parts: list = []
    for section in sections(audit, limit):
        parts += [Text(section.title, "bold"), _table(section)]
        if section.more:
            parts.append(Text(f"… {section.more} more not shown; the report has all", "dim"))
        if section.note:
            parts.append(Text(section.note, "dim"))
        parts.append("")
    return Group(*parts, Text(SCOPE, "dim"), Text(headline(audit), STYLE.get(audit.exit_code, "bold yellow")))


def _table(section: Section) -> Table:
    table = Table(header_style="dim", box=None, pad_edge=False, show_header=any(section.columns), padding=(0, 2, 0, 0))
    for column in section.columns:
        table.add_column(
            Text(column.lstrip(">")), justify="right" if column.startswith(">") else "left", overflow="fold"
        )
    for row in section.rows:
        # Text, for a file's name may look like markup.
        table.add_row(*map(Text, row))
    return table

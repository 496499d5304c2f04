"""The audit in the terminal: the verdict, then the sections of `checker.audit.report.view` as tables."""

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from proof_of_absence.checker.audit.findings import CLEAN, FINDINGS, Audit
from proof_of_absence.checker.audit.report.verdict import verdict
from proof_of_absence.checker.audit.report.view import SCOPE, Section, sections

__all__ = ["page"]

STYLE = {CLEAN: "bold green", FINDINGS: "bold red"}


def page(audit: Audit, limit: int = 20, command: str | None = None) -> Group:
    """The verdict, then everything about an audit that fits a terminal. `command` as in `verdict`."""
    answer = verdict(audit, command)
    parts: list[RenderableType] = [Text(answer.headline, STYLE.get(audit.exit_code, "bold yellow")), ""]
    for question, lines in answer.answers:
        parts += [Text(question, "bold"), *(Padding(Text(line), (0, 0, 0, 2)) for line in lines)]
    if answer.command:
        # On a line of its own, whole, so that it can be copied: printed with crop=False.
        parts += ["", Text(answer.command, "cyan", overflow="ignore", no_wrap=True)]
    parts += ["", Rule("details", style="dim")]
    for section in sections(audit, limit):
        parts += [Text(section.title, "bold"), _table(section)]
        if section.more:
            parts.append(Text(f"… {section.more} more not shown; the report has all", "dim"))
        if section.note:
            parts.append(Text(section.note, "dim"))
        parts.append("")
    return Group(*parts, Text(SCOPE, "dim"))


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

"""The HTML report of a graph: one file that needs nothing else, and forbids itself every script."""

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from proof_of_absence.checker.graph.findings import SCOPE, GraphAudit
from proof_of_absence.checker.graph.report.view import STATES, answers, harden_command, headline, tables

__all__ = ["page"]


def page(audit: GraphAudit, limit: int = 50) -> str:
    """The page; tables are cut to `limit` rows. What takes out what sleeps is told for the names of the files."""
    command = harden_command(audit.net.source, audit.data.source)
    return _template().render(
        title=audit.net.source, headline=headline(audit), state=STATES[audit.exit_code],
        answers=answers(audit, command), command=command if audit.findings else "", tables=tables(audit, limit),
        scope=SCOPE,
    )  # fmt: skip


@cache
def _template() -> Template:
    # Names of nodes come from outside: they are escaped.
    environment = Environment(
        loader=PackageLoader("proof_of_absence.checker.graph.report", "."), autoescape=True,
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    return environment.get_template("graph.html.jinja")

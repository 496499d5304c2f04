"""The HTML report of recorded activations: one file that needs nothing else, and forbids itself every script."""

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from proof_of_absence.checker.recorded.findings import SCOPE, RecordedAudit
from proof_of_absence.checker.recorded.report.view import STATES, answers, headline, tables

__all__ = ["page"]


def page(audit: RecordedAudit, limit: int = 50) -> str:
    """The page; tables are cut to `limit` rows."""
    return _template().render(
        headline=headline(audit), state=STATES.get(audit.exit_code, "clean"), answers=answers(audit),
        tables=tables(audit, limit), scope=SCOPE,
    )  # fmt: skip


@cache
def _template() -> Template:
    # Names of layers come from outside: they are escaped.
    environment = Environment(
        loader=PackageLoader("proof_of_absence.checker.recorded.report", "."), autoescape=True,
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    return environment.get_template("recorded.html.jinja")

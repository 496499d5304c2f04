"""The stages of an audit, one after the other: timed, kept between runs, and a stage that fails is told as undecided.

What is kept is keyed by the contents that it was made from (see `checker.kernel.kept`). It is a cache: it is taken only
where facts show it, which are decided anew (`shown`); what no fact shows is computed again.
"""

from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Any

from proof_of_absence.checker.audit.report.json_report import decode, encode
from proof_of_absence.checker.kernel.kept import content_key, keep, kept, sources
from proof_of_absence.checker.numbers.deadline import OutOfTime

__all__ = ["Stages"]


class Stages:
    """Runs stages and collects their times and what they leave undecided.

    Parameters
    ----------
    folder
        Where results are kept; None keeps nothing.
    subject
        `content_key` of everything that is audited.
    progress
        Called with a stage's name before it runs.
    """

    def __init__(self, folder: Path | None, subject: str, progress: Callable[[str], None]):
        self.folder, self.subject, self.progress = folder, subject, progress
        self.seconds: dict[str, float] = {}
        self.undecided: list[str] = []
        # In order, each once.
        self.kept: dict[str, None] = {}

    def run(
        self,
        name: str,
        kind: object,
        stage: Callable[[], object],
        *,
        shown: Callable[[Any], bool] | None = None,
        of: object = "",
        under: str = "",
    ):
        """The stage's result, from an earlier run if that is kept and shown; None if the stage fails: it is undecided.

        A stage that is stopped by the deadline is undecided too; its result is what it had found by then, or None, and
        is not kept.

        Parameters
        ----------
        kind
            The result's type, as `decode` takes it.
        shown
            Whether facts that the independent checker accepts show such a result. Without it nothing is kept.
        of
            What the result depends on besides the subject.
        under
            The heading under which its time is counted, by default its name.
        """
        under = under or name
        self.progress(name)
        started = monotonic()
        key = content_key(sources(), self.subject, name, of)
        path = self.folder / f"{key[:32]}.json" if self.folder and shown else None
        found, value = _kept(path, key, kind)
        if found and shown and shown(value):
            self.kept[under] = None
            self.seconds[under] = self.seconds.get(under, 0.0) + monotonic() - started
            return value
        try:
            value = stage()
        except OutOfTime as late:
            self.undecided.append(f"{name}: {late}")
            return late.so_far
        # Whatever goes wrong in one stage, the others still run, and the audit does not pass.
        except Exception as error:
            reason = " ".join(str(error).split()) or "no reason given"
            self.undecided.append(f"{name} failed: {type(error).__name__}: {reason}")
            return None
        finally:
            self.seconds[under] = self.seconds.get(under, 0.0) + monotonic() - started
        if path:
            keep(path, key, {"stage": name, "value": encode(value)})
        return value


def _kept(path: Path | None, key: str, kind: object) -> tuple[bool, object]:
    part = path and kept(path, key)
    if part:
        try:
            return True, decode(kind, part["value"])
        # A damaged file is no result: the stage runs again.
        except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError):
            pass
    return False, None

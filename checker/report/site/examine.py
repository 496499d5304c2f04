"""What stands behind each page: the certificates that the checker accepts now, and why it refuses the others.

A status is made from these findings alone; what is missing or refused never counts.
"""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.checker.kernel.binding import accepted
from proof_of_absence.checker.kernel.obligation import Claim, Obligation, Verdict
from proof_of_absence.checker.kernel.verify import certificate_path, queue
from proof_of_absence.checker.proved import trust
from proof_of_absence.checker.proved.opinion import Opinion, asked

__all__ = ["Finding", "State", "examine"]


class State(StrEnum):
    """What may be said of an obligation's certificate."""

    ACCEPTED = "accepted"
    MISSING = "not checked"
    REFUSED = "refused"


@dataclass(frozen=True)
class Finding:
    """One obligation with its certificate and the files that belong to it, if that is accepted; else why not.

    `opinion` is what the proved checkers say of the certificate, None where they were not asked.
    """

    obligation: Obligation
    state: State
    reason: str = ""
    certificate: dict[str, Any] | None = None
    files: Mapping[str, bytes] = field(default_factory=dict)
    opinion: Opinion | None = None

    @property
    def verdict(self) -> Verdict:
        """The certificate's verdict; UNKNOWN where there is none, ERROR where it is refused."""
        if self.certificate is not None:
            return Verdict(self.certificate["verdict"])
        return Verdict.UNKNOWN if self.state is State.MISSING else Verdict.ERROR

    @property
    def believed(self) -> set[str]:
        """What must be trusted for the verdict; nothing where there is none."""
        return trust.believed(self.certificate, self.opinion) if self.certificate is not None else set()


def examine(
    claims: Iterable[Claim],
    directory: Path,
    *,
    jobs: int = 1,
    solve: bool = False,
    progress: Callable[[], None] = lambda: None,
) -> dict[str, Finding]:
    """Each obligation's finding by its name. With `solve`, solvers and Coq are asked again.

    The proved checkers are asked about what is accepted, where they can be made.
    """
    obligations = {obligation.id: obligation for claim in claims for obligation in claim.obligations}

    def one(obligation: Obligation) -> Finding:
        finding = _finding(obligation, obligations, directory, solve)
        progress()
        return finding

    with ThreadPoolExecutor(jobs) as pool:
        try:
            in_turn = queue(obligations.values(), lambda obligation: obligation.scope)
            found = {finding.obligation.id: finding for finding in pool.map(one, in_turn)}
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    paths = [certificate_path(directory, name) for name, finding in found.items() if finding.state is State.ACCEPTED]
    opinions = {path.stem: opinion for path, opinion in asked(paths)[0].items()}
    return {name: replace(found[name], opinion=opinions.get(name)) for name in obligations}


def _finding(obligation: Obligation, obligations: Mapping[str, Obligation], directory: Path, solve: bool) -> Finding:
    path = certificate_path(directory, obligation.id)
    if not path.exists():
        return Finding(obligation, State.MISSING, f"there is no {path.name}")
    try:
        certificate = accepted(path, obligations, solve=solve)
        files = {name: (directory / name).read_bytes() for name in _names(path, certificate)}
    except (Refused, OSError) as error:
        return Finding(obligation, State.REFUSED, str(error))
    return Finding(obligation, State.ACCEPTED, "", certificate, files)


def _names(path: Path, certificate: dict[str, Any]) -> list[str]:
    """The certificate's file, and its script or sources."""
    fact = certificate["fact"]
    match fact["kind"]:
        case "smt":
            return [path.name, fact["file"]]
        case "coq":
            return [path.name, *(f"coq/{source['file']}" for source in fact["files"])]
    return [path.name]

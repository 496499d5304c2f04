"""Discharge obligations in parallel, with a cache on disk that makes an interrupted run resumable.

A certificate counts as cached if it was made from the same sources, statement and versions, and the independent checker
accepts it, or accepted it before on this machine.
"""

import hashlib
import inspect
import json
import platform
import re
import time
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from proof_of_absence.checker.independent.check import check_certificate, load
from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.checker.kernel import coq_found, lock, solvers, sources
from proof_of_absence.checker.kernel.acceptance import is_accepted, note_accepted
from proof_of_absence.checker.kernel.certificate import write
from proof_of_absence.checker.kernel.discharge import discharge
from proof_of_absence.checker.kernel.obligation import Claim, Obligation, Scope, Verdict

__all__ = ["Result", "certificate_path", "certificate_paths", "content_key", "queue", "remove_strays", "verify"]

T = TypeVar("T")
_OURS = re.compile(r"[A-Z]+[0-9]+\.[a-z0-9-]+\.(json|smt2)")


@dataclass(frozen=True)
class Result:
    """What came of one obligation: verdict, reason if undecided, solver runs, seconds, whether from the cache."""

    obligation: Obligation
    verdict: Verdict
    reason: str
    runs: tuple[dict[str, Any], ...]
    seconds: float
    cached: bool

    @property
    def as_expected(self) -> bool:
        """Whether the verdict is the one that the obligation must come to."""
        return self.verdict is self.obligation.expect


def certificate_path(directory: Path, obligation: str) -> Path:
    """Where an obligation's certificate lies."""
    return directory / f"{obligation}.json"


def certificate_paths(directory: Path) -> list[Path]:
    """The certificates in a folder, sorted by name."""
    return sorted(path for path in directory.glob("*.json") if _OURS.fullmatch(path.name))


def content_key(claim: Claim, obligation: Obligation) -> str:
    """The cache key: the obligation, what decides it, and the sources that its claim imports.

    Coq's sources and version count for theorems alone, the solvers for all else.
    """
    # A helper that several claims share may build one obligation, but not all: others lie in the claim's own module.
    modules = frozenset(_builder(other) for other in claim.obligations) | {_builder(obligation)}
    content = (
        claim.id,
        obligation.id,
        obligation.statement,
        obligation.scope,
        obligation.expect,
        _decided_by(theorem=obligation.scope.is_theorem),
        _digest(modules, theorem=obligation.scope.is_theorem),
        *([_content(obligation.refutation).hex()] if obligation.refutation else []),
    )
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def _builder(obligation: Obligation) -> str:
    """The module that builds it."""
    build: Any = obligation.build
    return str(inspect.unwrap(getattr(build, "func", build)).__module__)


@cache
def _digest(modules: frozenset[str], *, theorem: bool) -> str:
    """A digest of the sources: relative to where each package lies, so that a moved folder has the same."""
    files = sources.imported(modules) | (sources.coq_beside(modules) if theorem else frozenset())
    digest = hashlib.sha256()
    for path in sorted(files, key=str):
        digest.update("/".join(path.parts[-3:]).encode() + b"\0" + _content(path) + b"\0")
    return digest.hexdigest()


@cache
def _content(path: Path) -> bytes:
    return hashlib.sha256(path.read_bytes()).digest()


@cache
def _decided_by(*, theorem: bool) -> list[str]:
    """The versions that a verdict may depend on."""
    libraries = [f"{name} {lock.version_of(name)}" for name in lock.LIBRARIES]
    here = [f"python {platform.python_version()}", *libraries]
    if theorem:
        return [*here, f"coq {coq_found.found()}"]
    found = [
        f"{name} {solvers.version(name) if solvers.loadable(name) else 'missing'}" for name in solvers.DISTRIBUTIONS
    ]
    return [*here, *found, repr(solvers.LIMITS)]


def _cached(path: Path, key: str) -> dict[str, Any] | None:
    try:
        certificate = load(path)
        if certificate["key"] != key:
            return None
        if not is_accepted(certificate, path):
            check_certificate(certificate, path.parent, solve=False)
            note_accepted(certificate, path)
    except Refused:
        return None
    return certificate


def _one(obligation: Obligation, key: str, directory: Path, fresh: bool) -> Result:
    started = time.monotonic()
    path = certificate_path(directory, obligation.id)
    if not fresh and (certificate := _cached(path, key)):
        runs = tuple(certificate["runs"])
        return Result(obligation, Verdict(certificate["verdict"]), "", runs, time.monotonic() - started, True)
    # What an earlier run left must not stand beside a verdict that is now open.
    path.unlink(missing_ok=True)
    path.with_suffix(".smt2").unlink(missing_ok=True)
    outcome = discharge(obligation, key, directory)
    if outcome.certificate:
        write(path, json.dumps(outcome.certificate, indent=1, ensure_ascii=False) + "\n")
        # `discharge` gives a certificate only if the checker has accepted it.
        note_accepted(outcome.certificate, path)
    return Result(obligation, outcome.verdict, outcome.reason, outcome.runs, time.monotonic() - started, False)


def verify(
    claims: Iterable[Claim],
    directory: Path,
    *,
    jobs: int,
    fresh: bool = False,
    on_result: Callable[[Claim, Result], None] = lambda claim, result: None,
) -> dict[str, Result]:
    """Discharge every obligation of the claims; certificates are written as each is done.

    An interrupt kills the solvers under way, starts no other obligation, and is raised again.
    """
    directory.mkdir(parents=True, exist_ok=True)
    work = [(claim, obligation) for claim in claims for obligation in claim.obligations]
    results: dict[str, Result] = {}
    with ExitStack() as stack:
        # Once the pool has ended, and with it what an interrupt was to stop.
        stack.callback(solvers.resume)
        pool = stack.enter_context(ThreadPoolExecutor(jobs))
        running = {}
        try:
            # Keys are made here, and no thread makes one: Python 3.11 cannot parse files in several at once. The first
            # obligation has its own early, so that Coq compiles while the others get theirs.
            for claim, obligation in queue(work, lambda one: one[1].scope):
                key = content_key(claim, obligation)
                running[pool.submit(_one, obligation, key, directory, fresh)] = claim
            while running:
                done, _ = wait(running, return_when=FIRST_COMPLETED, timeout=0.2)
                for future in done:
                    claim, result = running.pop(future), future.result()
                    results[result.obligation.id] = result
                    on_result(claim, result)
        except BaseException:
            solvers.stop_all()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return {obligation.id: results[obligation.id] for _, obligation in work}


def queue(things: Iterable[T], scope: Callable[[T], Scope | None]) -> list[T]:
    """What is to be decided side by side, in a good order.

    One theorem comes first, which compiles the files of all; meanwhile what needs no Coq. The other theorems would wait
    for the first, and come last: the classical ones before the rest, since their files are compiled over the others.
    """
    things = list(things)
    theorems = [thing for kind in (Scope.UNIVERSAL, Scope.CLASSICAL) for thing in things if scope(thing) is kind]
    others = [thing for thing in things if scope(thing) not in (Scope.UNIVERSAL, Scope.CLASSICAL)]
    last = sorted(theorems[1:], key=lambda thing: scope(thing) is not Scope.CLASSICAL)
    return [*theorems[:1], *others, *last]


def remove_strays(directory: Path, claims: Iterable[Claim]) -> None:
    """Delete certificates and scripts of obligations that no claim has any more."""
    known = {obligation.id for claim in claims for obligation in claim.obligations}
    for path in directory.iterdir():
        if _OURS.fullmatch(path.name) and path.stem not in known and not path.is_dir():
            path.unlink()

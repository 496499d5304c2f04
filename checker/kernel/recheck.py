"""Check many certificates again, side by side in processes; nothing that was accepted before is taken for decided.

Theorems stay in this process, where Coq compiles their files once for all; Coq itself runs beside it.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.checker.kernel.binding import accepted
from proof_of_absence.checker.kernel.claims import load_claims
from proof_of_absence.checker.kernel.obligation import Obligation

__all__ = ["refusal", "refusals"]

Answer = tuple[Path, str | None]


def refusals(paths: Iterable[Path], jobs: int) -> Generator[Answer, None, None]:
    """Each certificate's file with the reason why it is refused, None if it is accepted, as they end.

    An interrupt kills the processes, with the solvers that they wait for, and is raised again.
    """
    paths = list(paths)
    theorems = [path for path in paths if _is_theorem(path)]
    others = [path for path in paths if path not in theorems]
    with ThreadPoolExecutor(1) as here, _processes(min(jobs, len(others)) or 1) as elsewhere:
        try:
            answers: list[Future[Answer]] = [here.submit(refusal, path) for path in theorems]
            with _out_of_reach():
                answers += [elsewhere.submit(refusal, path) for path in others]
            for done in as_completed(answers):
                yield done.result()
        finally:
            here.shutdown(wait=False, cancel_futures=True)


def refusal(path: Path) -> Answer:
    """The certificate's file, and why it is refused; None if it is accepted. Solvers and Coq are asked again."""
    try:
        accepted(path, _obligations())
    except Refused as reason:
        return path, str(reason)
    return path, None


def _is_theorem(path: Path) -> bool:
    """By the obligation that the file is named after; under another name it is refused, no matter where."""
    obligation = _obligations().get(path.stem)
    return obligation is not None and obligation.scope.is_theorem


@cache
def _obligations() -> dict[str, Obligation]:
    """Every obligation by its name; each process builds them for itself, since what builds them cannot be sent."""
    return {obligation.id: obligation for claim in load_claims() for obligation in claim.obligations}


@contextmanager
def _processes(jobs: int) -> Iterator[ProcessPoolExecutor]:
    """A pool of processes that end with the work or are killed at once, with all that they have started."""
    before = multiprocessing.active_children()
    pool = ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"), _begin)
    try:
        yield pool
        pool.shutdown()
    except BaseException:
        for worker in multiprocessing.active_children():
            if worker not in before and worker.pid is not None:
                worker.kill()
                # It leads no group yet if it has only begun.
                with suppress(ProcessLookupError):
                    os.killpg(worker.pid, signal.SIGKILL)
        pool.shutdown(wait=False, cancel_futures=True)
        raise


@contextmanager
def _out_of_reach() -> Iterator[None]:
    """Processes that are started here never see an interrupt, not even before they lead a group."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin() -> None:
    """Let a worker lead a group of its own, which a terminal's interrupt does not reach, and end with its parent."""
    os.setsid()
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    if parent := multiprocessing.parent_process():
        parent.join()
        os.killpg(0, signal.SIGKILL)

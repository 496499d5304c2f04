"""Run a solver on a script: a fresh process for each check, a resource limit, and a wall-clock kill.

The answer is sat with values, unsat, or unknown with the reason; nothing here decides what that proves.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

from proof_of_absence.checker.kernel.lock import version_of

__all__ = ["DISTRIBUTIONS", "LIMITS", "Answer", "Limits", "ask", "loadable", "resume", "stop_all", "version"]

DISTRIBUTIONS = {"z3": "z3-solver", "cvc5": "cvc5"}


# Solver processes under way, so that an interrupt can end them; None from then on, until `resume`.
_running: set[subprocess.Popen[str]] | None = set()
_lock = threading.Lock()


@dataclass(frozen=True)
class Limits:
    """Budget of one check: solver resource units, wall-clock seconds, memory in MiB."""

    resource: dict[str, int]
    seconds: float
    memory: int = 4096


# The resource limits stop a check at the same point on a fast and on a slow machine; seconds are the backstop.
LIMITS = Limits({"z3": 200_000_000, "cvc5": 20_000_000}, 60)


@dataclass(frozen=True)
class Answer:
    """What a solver said: ``sat`` (with `values` as exact text), ``unsat``, or ``unknown`` (with `reason`)."""

    solver: str
    version: str
    answer: str
    reason: str
    values: dict[str, str]
    seconds: float

    def summary(self) -> dict[str, Any]:
        """What a certificate keeps of the run."""
        return {key: value for key, value in asdict(self).items() if key != "values"}


def version(solver: str) -> str:
    """The installed version, or ``missing``."""
    return version_of(DISTRIBUTIONS[solver])


@cache
def loadable(solver: str) -> bool:
    """Whether the solver's module really loads in a fresh process."""
    return subprocess.run([sys.executable, "-c", f"import {solver}"], capture_output=True).returncode == 0


def ask(solver: str, script: str, limits: Limits = LIMITS) -> Answer:
    """Check one script. Never raises for what a solver does: every failure is an ``unknown`` with its reason."""
    request = {"script": script, "resource": limits.resource[solver], "memory": limits.memory}
    started = time.monotonic()
    with _lock:
        if _running is None:
            return Answer(solver, version(solver), "unknown", "interrupted", {}, 0.0)
        process = subprocess.Popen(
            [sys.executable, "-m", "proof_of_absence.checker.kernel.worker", solver],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip
        _running.add(process)
    try:
        out, err = process.communicate(json.dumps(request), timeout=limits.seconds)
        reply = json.loads(out.splitlines()[-1]) if process.returncode == 0 and out.strip() else None
        if reply is None:
            last = (err.strip().splitlines() or [f"exit code {process.returncode}"])[-1]
            reply = {"answer": "unknown", "reason": last}
    except subprocess.TimeoutExpired:
        reply = {"answer": "unknown", "reason": f"wall-clock limit of {limits.seconds:g} s"}
    except json.JSONDecodeError:
        reply = {"answer": "unknown", "reason": "the solver process wrote no answer"}
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        with _lock:
            if _running is not None:
                _running.discard(process)
    seconds = time.monotonic() - started
    return Answer(
        solver, version(solver), reply["answer"], reply.get("reason", ""), reply.get("values", {}), round(seconds, 3)
    )


def stop_all() -> None:
    """Kill every solver under way and start no other until `resume`: each answers ``unknown``."""
    global _running
    with _lock:
        processes, _running = _running or set(), None
    for process in processes:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)


def resume() -> None:
    """Let solvers be started again, once nothing is under way that `stop_all` was to end."""
    global _running
    with _lock:
        if _running is None:
            _running = set()

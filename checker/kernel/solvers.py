"""Run a solver on a script: a fresh process for each check, a resource limit, and a wall-clock kill.

The process is forked by one that has loaded the solver, since loading takes longer than most checks.
The answer is sat with values, unsat, or unknown with the reason; nothing here decides what that proves.
"""

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

from proof_of_absence.checker.kernel.lock import version_of

__all__ = ["DISTRIBUTIONS", "LIMITS", "Answer", "Limits", "ask", "loadable", "resume", "stop_all", "version"]

DISTRIBUTIONS = {"z3": "z3-solver", "cvc5": "cvc5"}


# Those who have loaded a solver, by solver and PYTHONPATH; None from an interrupt on, until `resume`.
_servers: "dict[tuple[str, str], _Server] | None" = {}
_lock = threading.Lock()
# How long loading a solver may take, in seconds.
_START = 60


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


class _Server:
    """A process that has loaded a solver and forks for each check, as `worker` describes.

    Raises
    ------
    OSError
        If it ends or says nothing before the solver is loaded.
    """

    def __init__(self, solver: str) -> None:
        self._channel, other = socket.socketpair()
        with other:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "proof_of_absence.checker.kernel.worker", solver, str(other.fileno())],
                pass_fds=[other.fileno()], start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip
        self._channel.settimeout(_START)
        self._lock = threading.Lock()
        try:
            with self._channel.makefile("rb") as said:
                self.fault = str(json.loads(said.readline()))
        except (OSError, ValueError) as error:
            self.stop()
            raise OSError(f"{solver} ended while it was loaded") from error

    @property
    def runs(self) -> bool:
        """Whether it can still be asked."""
        return self._process.poll() is None

    def fork(self, request: socket.socket) -> int:
        """Start the process that answers the request on this socket; its number."""
        with self._lock:
            socket.send_fds(self._channel, [b"1"], [request.fileno()])
            number = self._channel.recv(8)
        if not number:
            raise OSError("the process that loaded the solver has ended")
        return int.from_bytes(number, "big")

    def stop(self) -> None:
        """Kill it, and with it all that it has started."""
        if self.runs:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._channel.close()


def _server(solver: str) -> _Server | None:
    """The solver's server, started if none runs where modules are found as they are now; None after `stop_all`."""
    key = (solver, os.environ.get("PYTHONPATH", ""))
    with _lock:
        if _servers is None:
            return None
        if key in _servers and not _servers[key].runs:
            _servers.pop(key).stop()
        if key not in _servers:
            _servers[key] = _Server(solver)
        return _servers[key]


def loadable(solver: str) -> bool:
    """Whether the solver's module really loads in a fresh process."""
    try:
        server = _server(solver)
    except OSError:
        return False
    return server is not None and not server.fault


def ask(solver: str, script: str, limits: Limits = LIMITS) -> Answer:
    """Check one script. Never raises for what a solver does: every failure is an ``unknown`` with its reason."""
    started = time.monotonic()
    request = {"script": script, "resource": limits.resource[solver], "memory": limits.memory}
    try:
        server = _server(solver)
        if server is None:
            reply = _unknown("interrupted")
        elif server.fault:
            reply = _unknown(server.fault)
        else:
            reply = _asked(server, request, limits.seconds)
    except OSError as error:
        reply = _unknown(str(error))
    seconds = time.monotonic() - started
    return Answer(
        solver, version(solver), reply["answer"], reply.get("reason", ""), reply.get("values", {}), round(seconds, 3)
    )


def _unknown(reason: str) -> dict[str, Any]:
    return {"answer": "unknown", "reason": reason}


def _asked(server: _Server, request: dict[str, Any], seconds: float) -> dict[str, Any]:
    """What a fresh process answers to the request; it is killed when its time is up."""
    here, there = socket.socketpair()
    with here:
        with there:
            process = server.fork(there)
        deadline = time.monotonic() + seconds
        said = b""
        try:
            here.settimeout(seconds)
            here.sendall(json.dumps(request).encode())
            here.shutdown(socket.SHUT_WR)
            while True:
                if (left := deadline - time.monotonic()) <= 0:
                    raise TimeoutError
                here.settimeout(left)
                if not (part := here.recv(2**16)):
                    break
                said += part
        except TimeoutError:
            # It may have ended in this moment.
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
            return _unknown(f"wall-clock limit of {seconds:g} s")
    last = (said.decode(errors="replace").strip().splitlines() or ["the solver process ended without an answer"])[-1]
    try:
        reply = json.loads(last)
    except json.JSONDecodeError:
        return _unknown(last)
    return reply if isinstance(reply, dict) else _unknown("the solver process wrote no answer")


def stop_all() -> None:
    """Kill every solver under way and start no other until `resume`: each answers ``unknown``."""
    global _servers
    with _lock:
        servers, _servers = _servers or {}, None
    for server in servers.values():
        server.stop()


def resume() -> None:
    """Let solvers be started again, once nothing is under way that `stop_all` was to end."""
    global _servers
    with _lock:
        if _servers is None:
            _servers = {}


atexit.register(stop_all)

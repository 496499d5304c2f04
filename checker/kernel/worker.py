"""A process that has loaded one solver, and forks a fresh one for each script: JSON request in, JSON answer out.

Only sat, unsat and unknown leave these processes; a value that is not rational is sent as text that says so.
"""

import json
import os
import resource
import signal
import socket
import sys
from collections.abc import Callable
from typing import Any

__all__ = ["SOLVERS"]


def z3_answer(script: str, limit: int) -> dict[str, Any]:
    """Check with z3."""
    import z3

    solver = z3.SolverFor(next(line for line in script.splitlines() if line.startswith("(set-logic"))[11:-1])
    solver.set("rlimit", limit)
    solver.from_string(script)
    answer = str(solver.check())
    if answer == "sat":
        model = solver.model()
        values = {d.name(): model.eval(d(), model_completion=True) for d in _z3_constants(solver)}
        return {"answer": answer, "values": {name: _z3_text(value) for name, value in values.items()}}
    return {"answer": answer, "reason": solver.reason_unknown() if answer == "unknown" else ""}


def _z3_constants(solver: Any) -> list[Any]:
    import z3

    found, seen, stack = {}, set(), list(solver.assertions())
    while stack:
        term = stack.pop()
        if term.get_id() in seen:
            continue
        seen.add(term.get_id())
        if z3.is_const(term) and term.decl().kind() == z3.Z3_OP_UNINTERPRETED:
            found[term.decl().name()] = term.decl()
        stack.extend(term.children())
    return list(found.values())


def _z3_text(value: Any) -> str:
    import z3

    if z3.is_rational_value(value):
        return str(value.as_fraction())
    if z3.is_algebraic_value(value):
        return f"irrational near {value.approx(40).as_fraction()}"
    return str(value).lower()


# cvc5 first looks this far, in resource units, with only those literals that matter to the truth of the script. That
# decides most nonlinear scripts, some of them ten times as fast.
GLANCE = 200_000


def cvc5_answer(script: str, limit: int) -> dict[str, Any]:
    """Check with cvc5. What a glance does not show to be unsat is checked with all literals, within the whole limit."""
    glance = _cvc5(script, min(limit, GLANCE), {"nl-rlv": "always"})
    return glance if glance["answer"] == "unsat" else _cvc5(script, limit, {})


def _cvc5(script: str, limit: int, more: dict[str, str]) -> dict[str, Any]:
    import cvc5

    solver = cvc5.Solver()
    for name, value in ({"produce-models": "true", "rlimit": str(limit), "nl-cov": "true"} | more).items():
        solver.setOption(name, value)
    symbols = cvc5.SymbolManager(solver)
    parser = cvc5.InputParser(solver, symbols)
    parser.setStringInput(cvc5.InputLanguage.SMT_LIB_2_6, script, "script")
    while not (command := parser.nextCommand()).isNull():
        if command.getCommandName() == "check-sat":
            break
        reply = str(command.invoke(solver, symbols)).strip()
        if reply not in ("", "success"):
            return {"answer": "unknown", "reason": reply}
    result = solver.checkSat()
    if result.isSat():
        constants = [t for t in symbols.getDeclaredTerms() if not t.getSort().isFunction()]
        return {"answer": "sat", "values": {str(t): _cvc5_text(solver.getValue(t)) for t in constants}}
    if result.isUnsat():
        return {"answer": "unsat"}
    return {"answer": "unknown", "reason": str(result.getUnknownExplanation()).rsplit(".", 1)[-1].lower()}


def _cvc5_text(value: Any) -> str:
    if value.isRealValue() or value.isIntegerValue():
        return str(value.toPythonObj())
    return str(value).lower() if value.getSort().isBoolean() else f"irrational {value}"


SOLVERS: dict[str, Callable[[str, int], dict[str, Any]]] = {"z3": z3_answer, "cvc5": cvc5_answer}


def _answer(solver: str, request: dict[str, Any]) -> dict[str, Any]:
    """What the solver says within the request's limits."""
    limit = request["memory"] * 2**20
    try:
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        return SOLVERS[solver](request["script"], request["resource"])
    except MemoryError:
        return {"answer": "unknown", "reason": f"memory limit of {request['memory']} MiB"}
    except Exception as error:  # a solver's own failure is an unknown, with what it said
        return {"answer": "unknown", "reason": f"{type(error).__name__}: {error}"}


def _child(solver: str, descriptor: int) -> None:
    """Answer the one request that comes on a socket; what is printed goes there too, the answer as the last line."""
    for stream in (0, 1, 2):
        os.dup2(descriptor, stream)
    with open(0, encoding="utf-8", closefd=False) as requests:
        reply = _answer(solver, json.load(requests))
    os.write(1, f"\n{json.dumps(reply)}\n".encode())


def _fault(solver: str) -> str:
    """Why the solver cannot be loaded; empty if it is."""
    try:
        # By name, so that whoever reads the sources sees what is imported.
        if solver == "z3":
            import z3  # noqa: F401
        else:
            import cvc5  # noqa: F401
    except ImportError as error:
        return f"{solver} is missing: {error}"
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""


def main(solver: str, descriptor: int) -> None:
    """Say whether the solver is loaded, then fork for each socket that is sent; end when nobody is left to send one.

    The processes are of this one's group: who kills the group ends all that is under way.
    """
    channel = socket.socket(fileno=descriptor)
    channel.sendall(json.dumps(_fault(solver)).encode() + b"\n")
    # Nobody waits for the processes; that one has ended is seen by its socket.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        message, sockets, _, _ = socket.recv_fds(channel, 1, 1)
        if not message:
            os.killpg(0, signal.SIGKILL)
        if child := os.fork():
            channel.sendall(child.to_bytes(8, "big"))
            os.close(sockets[0])
            continue
        try:
            channel.close()
            _child(solver, sockets[0])
        finally:
            os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))

"""The process in which one solver checks one script: JSON request on stdin, JSON answer on stdout.

Only sat, unsat and unknown leave this process; a value that is not rational is sent as text that says so.
"""

import json
import resource
import sys
from typing import Any


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


def cvc5_answer(script: str, limit: int) -> dict[str, Any]:
    """Check with cvc5."""
    import cvc5

    solver = cvc5.Solver()
    for name, value in (("produce-models", "true"), ("rlimit", str(limit)), ("nl-cov", "true")):
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


def main() -> None:
    """Answer one request."""
    request = json.load(sys.stdin)
    limit = request["memory"] * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    solvers = {"z3": z3_answer, "cvc5": cvc5_answer}
    try:
        reply = solvers[sys.argv[1]](request["script"], request["resource"])
    except ImportError as error:
        reply = {"answer": "unknown", "reason": f"{sys.argv[1]} is missing: {error}"}
    except MemoryError:
        reply = {"answer": "unknown", "reason": f"memory limit of {request['memory']} MiB"}
    except Exception as error:  # a solver's own failure is an unknown, with what it said
        reply = {"answer": "unknown", "reason": f"{type(error).__name__}: {error}"}
    print(json.dumps(reply))


if __name__ == "__main__":
    main()

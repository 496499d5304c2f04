"""Confirm unsat answers by putting the certificate's script to both solvers again, each in a process of its own."""

import json
import os
import subprocess
import sys

from proof_of_absence.checker.independent.refusal import Refused, require

SECONDS = 120


def _z3(script: str) -> str:
    import z3

    solver = z3.SolverFor(script.split("(set-logic ", 1)[1].split(")", 1)[0])
    solver.from_string(script)
    return str(solver.check())


# With only the literals that matter cvc5 shows many scripts to be unsat in a moment; the others are asked whole.
CVC5 = ({"nl-rlv": "always", "rlimit": "200000"}, dict[str, str]())


def _cvc5(script: str) -> str:
    import cvc5

    answer = "unknown"
    for options in CVC5:
        solver = cvc5.Solver()
        for name, value in ({"nl-cov": "true"} | options).items():
            solver.setOption(name, value)
        symbols = cvc5.SymbolManager(solver)
        parser = cvc5.InputParser(solver, symbols)
        parser.setStringInput(cvc5.InputLanguage.SMT_LIB_2_6, script, "certificate")
        while not (command := parser.nextCommand()).isNull():
            answer = str(command.invoke(solver, symbols)).strip() or answer
        if answer == "unsat":
            break
    return answer


SOLVERS = {"z3": _z3, "cvc5": _cvc5}


def confirm_unsat(script: str, seconds: float = SECONDS) -> None:
    """Refuse unless every solver answers unsat within the limit."""
    for name in SOLVERS:
        answer = _asked(name, script, seconds)
        require(answer == "unsat", f"{name} answers {answer}, not unsat")


def _asked(name: str, script: str, seconds: float) -> str:
    """What a solver says in a process of its own, which finds its modules where this one does."""
    here = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-m", "proof_of_absence.checker.independent.solve", name]
    try:
        done = subprocess.run(command, input=script, capture_output=True, text=True, timeout=seconds, env=here)
        return str(json.loads(done.stdout.splitlines()[-1]))
    except subprocess.TimeoutExpired as error:
        raise Refused(f"{name} gave no answer in {seconds:g} s") from error
    except (LookupError, ValueError):
        return f"no answer (exit code {done.returncode})"


def _answer(name: str, script: str) -> str:
    try:
        return SOLVERS[name](script)
    except Exception as error:
        return f"no answer ({type(error).__name__}: {error})"


if __name__ == "__main__":
    print(json.dumps(_answer(sys.argv[1], sys.stdin.read())))

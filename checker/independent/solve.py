"""Confirm unsat answers by putting the certificate's script to both solvers again, each in a process of its own."""

import multiprocessing
from queue import Empty

from proof_of_absence.checker.independent.refusal import Refused, require

SECONDS = 120


def _z3(script: str) -> str:
    import z3

    solver = z3.SolverFor(script.split("(set-logic ", 1)[1].split(")", 1)[0])
    solver.from_string(script)
    return str(solver.check())


def _cvc5(script: str) -> str:
    import cvc5

    solver = cvc5.Solver()
    solver.setOption("nl-cov", "true")
    symbols = cvc5.SymbolManager(solver)
    parser = cvc5.InputParser(solver, symbols)
    parser.setStringInput(cvc5.InputLanguage.SMT_LIB_2_6, script, "certificate")
    answer = "unknown"
    while not (command := parser.nextCommand()).isNull():
        answer = str(command.invoke(solver, symbols)).strip() or answer
    return answer


SOLVERS = {"z3": _z3, "cvc5": _cvc5}


def _answer(name: str, script: str, queue) -> None:
    try:
        queue.put(SOLVERS[name](script))
    except Exception as error:
        queue.put(f"no answer ({type(error).__name__}: {error})")


def confirm_unsat(script: str, seconds: float = SECONDS) -> None:
    """Refuse unless every solver answers unsat within the limit."""
    context = multiprocessing.get_context("spawn")
    for name in SOLVERS:
        queue = context.Queue()
        process = context.Process(target=_answer, args=(name, script, queue), daemon=True)
        process.start()
        try:
            answer = queue.get(timeout=seconds)
        except Empty as error:
            raise Refused(f"{name} gave no answer in {seconds:g} s") from error
        finally:
            process.kill()
            process.join()
        require(answer == "unsat", f"{name} answers {answer}, not unsat")

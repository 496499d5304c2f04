"""For which queries that no tree refutes cvc5 gives a proof without a hole: a step that says only that it be trusted.

`python bench/solver_proofs.py` prints the table in docs/certificates.md. The proofs are counted, not kept: nothing
that is installed checks them but cvc5 itself.
"""

import multiprocessing

import cvc5
import z3

from proof_of_absence.checker.kernel.obligation import Query
from proof_of_absence.proofs.chain import CLAIMS

OPTIONS = {
    "produce-proofs": "true",
    "proof-granularity": "dsl-rewrite",
    "simplification": "none",
}
SECONDS = 60


def queries():
    """Name and script of the bounded and instance queries without a tree that z3 finds to have no solution."""
    for obligation in (o for claim in CLAIMS for o in claim.obligations):
        if not obligation.scope.is_theorem and obligation.refutation is None:
            built = obligation.build()
            if isinstance(built, Query) and has_none(built.script.text()):
                yield obligation.id, built.script.text()


def has_none(script):
    solver = z3.Solver()
    solver.from_string(script)
    return solver.check() == z3.unsat


def proof(script):
    """What cvc5 answers, the steps of its proof, and the rules of those that are holes, with how many there are."""
    solver = cvc5.Solver()
    for option, value in OPTIONS.items():
        solver.setOption(option, value)
    parser = cvc5.InputParser(solver)
    parser.setStringInput(cvc5.InputLanguage.SMT_LIB_2_6, script, "query")
    symbols = parser.getSymbolManager()
    answer = ""
    while not (command := parser.nextCommand()).isNull():
        answer += command.invoke(solver, symbols)
    if answer.strip() != "unsat":
        return answer.strip() or "no answer", 0, {}
    steps, holes, waiting = set(), {}, list(solver.getProof())
    while waiting:
        step = waiting.pop()
        if step in steps:
            continue
        steps.add(step)
        waiting += step.getChildren()
        rule = str(step.getRule()).removeprefix("ProofRule.")
        if "TRUST" in rule or "HOLE" in rule:
            holes[rule] = holes.get(rule, 0) + 1
    return "unsat", len(steps), holes


def main():
    print("| Query | bytes | steps of the proof | holes |")
    print("| --- | ---: | ---: | ---: |")
    for name, script in queries():
        with multiprocessing.Pool(1) as pool:
            try:
                answer, steps, holes = pool.apply_async(proof, (script,)).get(SECONDS)
            except multiprocessing.TimeoutError:
                answer, steps, holes = f"no answer in {SECONDS} s", 0, {}
        if answer == "unsat":
            print(f"| `{name}` | {len(script)} | {steps} | {sum(holes.values())} |", flush=True)
        else:
            print(f"| `{name}` | {len(script)} | {answer} | |", flush=True)


if __name__ == "__main__":
    main()

"""What is said of an SMT script with a witness, by z3."""

from fractions import Fraction

import z3


def z3_agrees(text, witness):
    solver = z3.Solver()
    values = [
        f"(assert (= {name} {str(v).lower() if isinstance(v, bool) else z3.RealVal(str(Fraction(v))).sexpr()}))"
        for name, v in witness.items()
    ]
    solver.from_string(text.replace("(check-sat)", "\n".join(values)))
    return solver.check() == z3.sat


def smt(fact, folder):
    text = (folder / fact["file"]).read_text()
    if fact["answer"] == "sat":
        return z3_agrees(text, fact["witness"])
    return z3_agrees(text.replace("(assert claim_fails)", ""), fact.get("premises_witness", {}))

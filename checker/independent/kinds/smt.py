"""An SMT script and its answer: what can be seen of it without a solver."""

from proof_of_absence.checker.independent.refusal import Refused, require
from proof_of_absence.checker.independent.sexpr import Script
from proof_of_absence.checker.independent.values import Fact
from proof_of_absence.checker.independent.values.nets import number


def smt(fact: Fact) -> None:
    """What can be checked of an SMT answer without a solver: witnesses, by exact evaluation.

    That an unsat script is unsat is for `solve.confirm_unsat`.
    """
    script = Script(fact["script"])
    form, answer = fact["deciding"], fact["answer"]
    require(form in ("claim_fails", "claim_holds"), "the script decides nothing")
    require(form in script.definitions and script.assertions[-1:] == [form], f"the script does not assert {form}")
    premises = script.assertions[:-1]
    if answer == "sat":
        require(script.holds(script.assertions, _values(fact["witness"])), "the witness does not satisfy the script")
    elif answer == "unsat":
        # A universal statement whose premises nothing satisfies would be proved of nothing.
        if form == "claim_fails":
            require(script.holds(premises, _values(fact["premises_witness"])), "the premises' witness fails")
    else:
        raise Refused(f"answer {answer!r} decides nothing")


def _values(witness: dict[str, object]) -> dict[str, object]:
    return {name: value if isinstance(value, bool) else number(value) for name, value in witness.items()}


KINDS = {
    "smt": smt,
}

"""Check the result of an experiment: that it is whole, and that each of its facts is so."""

from pathlib import Path
from typing import Any

from proof_of_absence.checker.independent.facts import check_fact
from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.checker.independent.sealed import read_sealed

FORMAT = "absence-experiment/1"
NAME = "result.json"
LARGEST = 2**28


def check_experiment(path: Path) -> dict[str, Any]:
    """Check a result and every fact in it; returns it.

    Raises
    ------
    Refused
        If the file is no such result, any byte of it is not what was sealed, or a fact is not so.
    """
    result = read_sealed(path, FORMAT, largest=LARGEST)
    facts = result.get("facts")
    if not (isinstance(facts, dict | list) and facts):
        raise Refused("it holds no facts")
    for name, fact in facts.items() if isinstance(facts, dict) else enumerate(facts, 1):
        try:
            check_fact(fact)
        except Refused as reason:
            raise Refused(f"fact {name}: {reason}") from reason
    return result

"""Whether a fact is true, by code that the independent checker does not use: the oracles of `kinds`, joined."""

from importlib import import_module
from pathlib import Path

from tests.checker.independent.kinds.conjunction import compares
from tests.checker.independent.kinds.smt import smt

FAMILIES = [
    import_module(f"tests.checker.independent.kinds.{path.stem}")
    for path in sorted(Path(__file__).with_name("kinds").glob("*.py"))
    if not path.stem.startswith("test_")
]
SAYS = {kind: says for family in FAMILIES for kind, says in getattr(family, "SAYS", {}).items()}


def true(fact, folder):
    """Whether the fact is so; `folder` holds the scripts of SMT facts."""
    if fact["kind"] == "all":
        parts = fact["facts"]
        compared = fact.get("compared", ())
        return all(true(part, folder) for part in parts) and all(compares(*relation, parts) for relation in compared)
    if fact["kind"] == "smt":
        return smt(fact, folder) and ("replay" not in fact or true(fact["replay"], folder))
    try:
        return SAYS[fact["kind"]](fact)
    except (ValueError, IndexError, KeyError):
        return False

"""A kind of fact has a producer, a checker and an oracle of one stem."""

import ast
from importlib import import_module
from pathlib import Path

import pytest

import proof_of_absence.proofs.facts
from proof_of_absence.checker.independent import kinds
from proof_of_absence.checker.independent.facts import FAMILIES, KINDS, joined

CHECKERS = Path(kinds.__file__).parent
PRODUCERS = Path(proof_of_absence.proofs.facts.__file__).parent
ROOT = Path(__file__).parents[1]
ORACLES = ROOT / "tests" / "checker" / "independent" / "kinds"
STEMS = sorted(path.stem for path in CHECKERS.glob("*.py") if path.stem != "__init__")
# Facts that are made with their proofs, or by commands, which do without `proofs`: where in checker/ they are made.
MADE_IN_CHECKER = {
    "float_cross_entropy": "audit/cross_entropy_facts.py",
    "float_losses": "audit/loss_facts.py",
    "float_readout": "construct/readout_facts.py",
    "graph_firing": "kernel/graph_facts.py",
    "graph_float32": "kernel/graph_facts.py",
    "graph_hardened": "kernel/graph_facts.py",
    "graph_idle": "kernel/graph_facts.py",
    "graph_irrelevant": "kernel/graph_facts.py",
    "graph_losses": "kernel/graph_facts.py",
    "graph_lower_loss": "kernel/graph_facts.py",
    "graph_readout": "graph/readout_facts.py",
    "graph_same_in_float32": "kernel/graph_facts.py",
    "hull": "construct/hull.py",
    "polynomials": "encode/polynomials.py",
    "rank": "construct/rank.py",
    "recorded": "recorded/certify.py",
    "region": "region/decide.py",
    "scaling": "experiments/scale/tax.py",
    "smt": "kernel/discharge.py",
    "uniform_gap": "construct/gap.py",
    "world_bounds": "experiments/world/whole.py",
    "world_cell": "experiments/world/cells.py",
    "world_price": "experiments/world/prices.py",
    "world_sizes": "experiments/world/cells.py",
}
# No module of theirs holds a table: the one is made of all the others, the other of Coq's kernel.
ELSEWHERE = {"all": "conjunction", "coq": None}


def kinds_of(stem: str) -> set[str]:
    """The kinds that a checker's module decides."""
    if stem == "conjunction":
        return {"all"}
    return set(import_module(f"{kinds.__name__}.{stem}").KINDS)


def producer_of(stem: str) -> Path:
    return ROOT / "checker" / MADE_IN_CHECKER[stem] if stem in MADE_IN_CHECKER else PRODUCERS / f"{stem}.py"


def words(path: Path) -> set[str]:
    """Every text in a module."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def test_every_checker_is_in_the_joined_table():
    found = {family.__name__.rpartition(".")[2] for family in FAMILIES}
    # Those of floats are about the net of an audit's folder, so they are in the table of results/audit.py; those of
    # recorded activations are about its files, in the table of results/recorded.py; those of graphs about the graph of
    # its folder, in the table of results/graph.py.
    elsewhere = {"float_cross_entropy", "float_losses", "float_readout", "recorded"}
    elsewhere |= {stem for stem in STEMS if stem.startswith("graph_")}
    assert found == set(STEMS) - {"conjunction"} - elsewhere
    assert set(KINDS) == set(ELSEWHERE).union(*(family.KINDS for family in FAMILIES))


def test_a_name_used_twice_is_refused():
    with pytest.raises(ValueError, match="two checkers for a, b"):
        joined([{"a": print, "b": print, "c": print}, {"b": print, "a": print}])


@pytest.mark.parametrize("stem", STEMS)
def test_a_family_has_its_producer_and_its_oracle(stem):
    producer = producer_of(stem)
    # The certificate of a minimum is made with it.
    also = [ROOT / "checker" / "minima" / "branch_and_bound.py"] if stem == "global_minimum" else []
    told = set().union(*map(words, [producer, *also]))
    assert kinds_of(stem) <= told, f"{producer} does not make {sorted(kinds_of(stem) - told)}"
    assert (ORACLES / f"{stem}.py").exists() or (ORACLES / f"test_{stem}.py").exists(), f"no oracle for {stem}"


def test_every_producer_and_every_oracle_has_a_checker():
    assert {path.stem for path in PRODUCERS.glob("*.py")} - {"__init__", "written"} == set(STEMS) - set(MADE_IN_CHECKER)
    read = {"read", "world_read"}
    assert {path.stem for path in ORACLES.glob("*.py") if not path.stem.startswith("test_")} - read <= set(STEMS)


def test_no_claim_writes_a_fact_of_its_own():
    for path in sorted((ROOT / "proofs").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            keys = node.keys if isinstance(node, ast.Dict) else []
            assert not any(isinstance(key, ast.Constant) and key.value == "kind" for key in keys), path.name

"""A certificate's key: which sources it is made from, and that it changes with these and with no other."""

from functools import partial
from pathlib import Path

import pytest

import proof_of_absence.checker
from proof_of_absence.checker.kernel import sources, verify
from proof_of_absence.checker.kernel.claims import load_claims
from proof_of_absence.checker.kernel.obligation import Scope
from proof_of_absence.checker.kernel.verify import content_key
from proof_of_absence.proofs.universal import FOLDER

CHECKER = Path(proof_of_absence.checker.__file__).parent
CLAIM = {claim.id: claim for claim in load_claims()}


def keys(name: str) -> dict[bool, set[str]]:
    """The keys of a claim's obligations, computed anew: those of theorems under True, the others under False."""
    for function in (verify._digest, verify._content, sources._imports, sources._file, sources._folder):
        function.cache_clear()
    found: dict[bool, set[str]] = {True: set(), False: set()}
    for obligation in CLAIM[name].obligations:
        found[obligation.scope is Scope.UNIVERSAL].add(content_key(CLAIM[name], obligation))
    return found


@pytest.fixture
def change(monkeypatch):
    """Makes one file read as if a line had been added to it; the file itself is left alone."""

    def to(changed: Path) -> None:
        read = Path.read_bytes
        assert changed.is_file()
        monkeypatch.setattr(
            Path, "read_bytes", lambda path: read(path) + (b"\n# more" if path.samefile(changed) else b"")
        )

    yield to
    for function in (verify._digest, verify._content, sources._imports):
        function.cache_clear()


@pytest.mark.parametrize("file", ["report/site/pages.py", "audit/engine.py", "screen/terminal.py", "cli.py"])
def test_what_no_claim_imports_makes_no_certificate_stale(change, file):
    before = keys("C7")
    change(CHECKER / file)
    assert keys("C7") == before


@pytest.mark.parametrize(
    "file",
    ["construct/reassignment.py", "minima/relaxation.py", "kernel/discharge.py", "independent/coq.py", "__init__.py"],
)
def test_what_a_claim_imports_makes_its_certificates_stale(change, file):
    before = keys("C7")
    change(CHECKER / file)
    after = keys("C7")
    assert not before[False] & after[False] and not before[True] & after[True]


def test_what_another_claim_imports_leaves_this_one_as_it_is(change):
    before = {name: keys(name) for name in ("C7", "C14")}
    change(CHECKER / "experiments" / "census" / "result.py")
    assert keys("C7") == before["C7"] and not keys("C14")[False] & before["C14"][False]


def test_coq_sources_make_theorems_alone_stale(change):
    before = keys("C7")
    change(FOLDER / "c19_convex.v")
    after = keys("C7")
    assert after[False] == before[False] and not after[True] & before[True]


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package of its own on the path: {file: text} makes it."""

    def make(files: dict[str, str]) -> Path:
        for name, text in ({"__init__.py": ""} | files).items():
            path = tmp_path / "strange" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path / "strange"

    monkeypatch.syspath_prepend(tmp_path)
    yield make
    for function in (sources._imports, sources._file, sources._folder):
        function.cache_clear()


def below(folder: Path, *modules: str) -> set[str]:
    return {str(path.relative_to(folder)) for path in sources.imported(modules) if path.is_relative_to(folder)}


@pytest.mark.parametrize(
    "text",
    [
        "import strange.room.b",
        "from strange.room import b",
        "from strange.room.b import name",
        "from .room import b",
        "from . import room\nfrom .room.b import name as other",
        "def lazy():\n    from strange.room import b",
        "class A:\n    def lazy(self):\n        import strange.room.b as b",
        "if True:\n    try:\n        import strange.room.b\n    except ImportError:\n        pass",
    ],
)
def test_every_form_of_import_is_seen_and_what_it_loads_on_the_way(package, text):
    folder = package({"a.py": text, "room/__init__.py": "", "room/b.py": "import strange.c", "c.py": "", "d.py": ""})
    assert below(folder, "strange.a") == {"__init__.py", "a.py", "room/__init__.py", "room/b.py", "c.py"}


def test_a_package_that_is_only_passed_counts_with_what_it_runs(package):
    lazy = "import strange.c\ndef __getattr__(name):\n    import strange.d\n"
    folder = package(
        {"room/__init__.py": lazy, "room/b.py": "", "c.py": "", "d.py": "", "a.py": "import strange.room.b"}
    )
    assert below(folder, "strange.a") == {"__init__.py", "a.py", "room/__init__.py", "room/b.py", "c.py"}
    # Asked for a name that is no module of its, it may run the rest.
    folder = package({"e.py": "from strange.room import something"})
    assert below(folder, "strange.e") == {"__init__.py", "e.py", "room/__init__.py", "c.py", "d.py"}


def test_nothing_that_claims_import_hides_what_it_imports():
    """No import by a name that is computed, which reading would not see, but in packages that are only passed."""
    modules = {verify._builder(obligation) for claim in CLAIM.values() for obligation in claim.obligations}
    hiding = {p.parent.name + "/" + p.name for p in sources.imported(modules) if "import_module" in p.read_text()}
    assert hiding <= {"files/__init__.py", "proof_of_absence/__init__.py"}


def test_a_partial_is_made_where_its_function_is():
    theorem = next(o for o in CLAIM["C7"].obligations if o.scope is Scope.UNIVERSAL)
    assert isinstance(theorem.build, partial) and verify._builder(theorem) == "proof_of_absence.proofs.universal"

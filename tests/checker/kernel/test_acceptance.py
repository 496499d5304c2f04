"""What was accepted once is not shown to the checker again, unless anything that it was accepted for is another."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from proof_of_absence.checker.independent import private
from proof_of_absence.checker.independent.check import load
from proof_of_absence.checker.independent.private import private_folder
from proof_of_absence.checker.kernel import acceptance, verify
from proof_of_absence.checker.kernel.acceptance import is_accepted, note_accepted
from proof_of_absence.checker.kernel.certificate import seal
from proof_of_absence.checker.kernel.claims import load_claims
from proof_of_absence.checker.kernel.obligation import Scope

CLAIM = {claim.id: claim for claim in load_claims()}


@pytest.fixture(autouse=True)
def empty(tmp_path, monkeypatch):
    """A cache directory of this test alone."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    acceptance._folder.cache_clear()
    yield tmp_path / "cache" / "absence"
    acceptance._folder.cache_clear()
    acceptance._checker.cache_clear()


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Verify C2 without theorems: which results came from the cache, and which were shown to the checker."""
    shown = []
    check = verify.check_certificate
    monkeypatch.setattr(
        verify, "check_certificate", lambda c, *rest, **how: shown.append(c["obligation"]) or check(c, *rest, **how)
    )

    def go() -> tuple[set[str], set[str]]:
        shown.clear()
        few = tuple(o for o in CLAIM["C2"].obligations if o.scope is not Scope.UNIVERSAL)
        results = verify.verify([replace(CLAIM["C2"], obligations=few)], tmp_path / "certificates", jobs=2)
        return {name for name, result in results.items() if result.cached}, set(shown)

    return go


NAMES = {o.id for o in CLAIM["C2"].obligations if o.scope is not Scope.UNIVERSAL}


def test_what_was_decided_here_is_not_shown_again(run):
    assert run() == (set(), set())
    assert run() == (NAMES, set())


def test_acceptances_are_the_users_alone(run, empty):
    run()
    for folder in (empty, empty / "accepted"):
        assert folder.stat().st_mode & 0o777 == 0o700


def test_without_a_cache_directory_everything_is_shown_again(run, monkeypatch, tmp_path):
    run()
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    acceptance._folder.cache_clear()
    assert run() == (NAMES, NAMES)


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o755])
def test_a_folder_that_others_reach_is_not_used(run, empty, mode):
    run()
    empty.chmod(mode)
    acceptance._folder.cache_clear()
    assert private_folder("accepted") is None and run() == (NAMES, NAMES)


def test_a_link_is_no_private_folder(empty, tmp_path):
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    empty.parent.mkdir()
    empty.symlink_to(tmp_path / "elsewhere")
    assert private_folder("accepted") is None


def test_without_a_setting_it_lies_in_the_home(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    for value in ("", "relative"):
        monkeypatch.setenv("XDG_CACHE_HOME", value)
        assert private_folder("accepted") == tmp_path / ".cache" / "absence" / "accepted"


def test_an_edit_of_the_checker_decides_all_anew(run, monkeypatch):
    run()
    # The key is left as it is, so that the acceptance alone decides.
    keys = {o.id: verify.content_key(CLAIM["C2"], o) for o in CLAIM["C2"].obligations}
    monkeypatch.setattr(verify, "content_key", lambda claim, obligation: keys[obligation.id])
    read = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: read(path) + (b"# more" if path.name == "sexpr.py" else b""))
    acceptance._folder.cache_clear()
    acceptance._checker.cache_clear()
    assert run() == (NAMES, NAMES)
    assert run() == (NAMES, set())


def test_an_edited_certificate_or_script_is_shown_again(run, tmp_path):
    run()
    path, script = (tmp_path / "certificates" / name for name in ("C2.exact.json", "C2.loss.smt2"))
    # False, and sealed: only the checker can tell.
    certificate = load(path)
    fact = json.loads(json.dumps(certificate["fact"]).replace('"1"', '"7"'))
    path.write_text(json.dumps(seal(certificate | {"fact": fact})))
    script.write_text(script.read_text() + "; more\n")
    cached, shown = run()
    assert shown == {"C2.exact", "C2.loss"} and cached == NAMES - shown


def test_a_certificate_that_is_refused_is_not_noted(run, tmp_path, monkeypatch):
    run()
    path = tmp_path / "certificates" / "C2.exact.json"
    false = seal(load(path) | {"holds": False})
    path.write_text(json.dumps(false))
    assert not is_accepted(false, path)
    run()
    assert is_accepted(load(path), path)


def test_a_certificate_without_its_script_is_not_accepted(run, tmp_path):
    run()
    path = tmp_path / "certificates" / "C2.loss.json"
    assert is_accepted(load(path), path)
    path.with_suffix(".smt2").unlink()
    assert not is_accepted(load(path), path)
    note_accepted(load(path), path)
    assert not is_accepted(load(path), path)


def test_what_is_long_unused_is_forgotten(empty):
    kept = private_folder("accepted")
    for name, age in (("old", private.DAYS + 1), ("new", private.DAYS - 1)):
        (kept / name).mkdir()
        os.utime(kept / name, (0, (kept / name).stat().st_mtime - age * 24 * 3600))
    private.forget_unused(kept)
    assert [path.name for path in kept.iterdir()] == ["new"]

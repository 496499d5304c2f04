"""Files in the way, folders that are none and junk:
one line that names it, exit code 2, and nothing is written or changed.
"""

import json

import pytest
from typer.testing import CliRunner

from proof_of_absence.checker import cli
from proof_of_absence.checker.cli import app
from proof_of_absence.checker.kernel.certificate import seal
from proof_of_absence.checker.kernel.verify import remove_strays
from tests.checker.console import contents

JUNK = bytes(range(128, 256))


@pytest.fixture
def said(tmp_path, monkeypatch):
    """What a command says in a folder with a file, junk, a folder in the place of a certificate and of results."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("")
    (tmp_path / "junk.tex").write_bytes(JUNK)
    for folder in ("kept/C2.exact.json", "out/result.json", "plots/tax.pdf", "counted"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "counted/shards").write_text("")
    (tmp_path / "made/census").mkdir(parents=True)
    (tmp_path / "made/census/result.json").write_bytes(JUNK)
    (tmp_path / "odd/census/result.json").mkdir(parents=True)

    def run(*arguments):
        before = contents(tmp_path)
        done = CliRunner().invoke(app, list(arguments))
        assert done.exit_code == 2 and not done.stdout, done.output
        assert done.stderr.startswith("absence: ") and done.stderr.count("\n") == 1
        assert "Errno" not in done.stderr
        return done.stderr, contents(tmp_path).keys() - before.keys()

    return run


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("show C1 --certificates file", "file is not a folder; name another with --certificates"),
        ("graph --certificates file", "file is not a folder"),
        ("tables --certificates file", "file is not a folder"),
        ("tables --experiments file", "file is not a folder; name another with --experiments"),
        ("site --certificates file", "file is not a folder; name another with --certificates"),
        ("site --experiments file", "file is not a folder; name another with --experiments"),
        ("site -o file", "file is not a folder; name another with --output"),
        ("tables junk.tex", "junk.tex: is not in UTF-8"),
        ("tables --experiments made", "made/census/result.json: is no JSON"),
        ("tables --experiments odd", "absence: odd/census/result.json: is no regular file"),
        ("tables --certificates kept", "kept/C2.exact.json: not readable: Is a directory; delete it"),
        (
            "verify C2 --no-kernel --jobs 1 --certificates kept",
            "kept/C2.exact.json: Is a directory; choose another place",
        ),
        ("verify C2 --no-kernel --certificates file/x", "file/x: Not a directory; choose another place"),
        ("graph C99", "there is no obligation 'C99'; name one such as C7.deployment, or `claims`"),
        ("graph ../file", "there is no obligation '../file'"),
        ("show C8.universal", "there is no claim 'C8.UNIVERSAL'; ask for its claim, C8"),
        (
            "graph C7.deployment",
            "C7.deployment.json: not readable: No such file or directory; run `absence verify` first",
        ),
        ("graph -o file/x.svg", "file/x.svg cannot be written: Not a directory"),
        ("scale -o out", "out: is no folder of absence scale (it holds result.json); choose another folder"),
        ("scale -o plots --force", "plots/tax.pdf: is a folder where a file of ours is to be; move it"),
        ("census --grid=0,1 --hidden 1 -o counted", "counted/shards: Not a directory; choose another place"),
    ],
)
def test_one_line_names_it(said, command, message):
    line, written = said(*command.split())
    assert message in line
    # What a next run goes on from may be there; a result is not, nor half a file.
    assert not any(path.name == "result.json" or path.suffix in (".tex", ".tmp") for path in written)


def test_a_folder_with_the_name_of_a_certificate_is_not_deleted(tmp_path):
    (tmp_path / "Z9.old.json").mkdir()
    (tmp_path / "Z9.older.json").write_text(json.dumps(seal({})))
    remove_strays(tmp_path, [])
    assert [path.name for path in tmp_path.iterdir()] == ["Z9.old.json"]


def test_an_hour_of_lapse_given_twice_is_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(
        app, ["world", "--order", "0,1", "--mixing", "0", "--lapses", "1,1,0", "--units", "1", "-o", "out"]
    )
    assert done.exit_code == 0 and "lapses 0,1;" in done.stdout, done.output


def test_an_interrupt_before_a_command_says_what_it_leaves_has_a_line(tmp_path, monkeypatch):
    def interrupted():
        raise KeyboardInterrupt

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cli, "load_claims", interrupted)
    done = CliRunner().invoke(app, ["graph"])
    assert (done.exit_code, done.stderr) == (130, "Interrupted.\n") and not list(tmp_path.iterdir())

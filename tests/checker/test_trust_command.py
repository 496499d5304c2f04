"""`absence show` and `absence check` say what is trusted; where the proved checker is missing they claim less."""

from proof_of_absence.checker.proved.trust import Trust
from tests.checker.console import TOTAL, absence
from tests.trust import counted, each


def test_show_and_check_tell_it_for_each_obligation(folder):
    told = absence("check", cwd=folder).splitlines()[-1]
    rows = {row.trust: row.obligations for row in counted(folder / "certificates")}
    assert told.startswith(f"Of {TOTAL} obligations one must trust ")
    assert all(f"{trust} for {rows[trust]}" in told for trust in Trust if rows[trust])
    page = absence("show", "trust", cwd=folder)
    assert f"{Trust.PROVED}  " in page and "not checked" not in page
    for trust, obligation in {trust: obligation for obligation, trust in each(folder / "certificates").items()}.items():
        assert f"Trusted: {trust}" in absence("show", obligation.partition(".")[0], cwd=folder)


def test_without_the_program_less_is_claimed(folder, tmp_path):
    for page in (absence("show", name, cwd=folder, env={"XDG_CACHE_HOME": str(tmp_path)}) for name in ("trust", "C8")):
        assert "The proved checker was not asked" in page and "it has not been compiled here" in page
        assert "Trusted: the proved checker" not in page


def test_what_has_no_certificate_is_named(tmp_path):
    assert "Not checked, and shown so: C1.universal, " in absence("show", "trust", cwd=tmp_path)

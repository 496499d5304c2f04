"""A site of a few claims, made once from certificates that were all verified."""

from dataclasses import replace
from pathlib import Path

import pytest

from proof_of_absence.checker.kernel.certificate import seal
from proof_of_absence.checker.kernel.claims import load_claims, select
from proof_of_absence.checker.report.site.contents import Site
from proof_of_absence.checker.report.site.coq_types import types
from proof_of_absence.checker.report.site.definitions import compilations, notes
from proof_of_absence.checker.report.site.examine import examine
from proof_of_absence.checker.report.site.experiments import read
from proof_of_absence.checker.report.site.folder import write
from proof_of_absence.checker.report.site.pages import pages

CLAIMS = tuple(select(load_claims(), ["C8", "N3", "N6"]))


@pytest.fixture(scope="session")
def experiments(tmp_path_factory) -> Path:
    """The results of one experiment that was run, with one plot."""
    import json

    folder = tmp_path_factory.mktemp("experiments") / "census"
    folder.mkdir()
    result = {"format": "x/1", "scope": "Instance: 1 < 2 nets.", "parameters": {"values": [1, 2], "table": [[1], [2]]}}
    (folder / "result.json").write_text(json.dumps(seal(result)))
    (folder / "loss-and-size.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>')
    return folder.parent


@pytest.fixture(scope="session")
def site(discharged, experiments) -> Site:
    """Everything accepted."""
    found = examine(CLAIMS, discharged / "certificates")
    places = list(compilations(found.values()))
    made = Site(CLAIMS, found, read(experiments), notes=notes(places))
    return replace(made, types=types(made.sources, places))


@pytest.fixture(scope="session")
def built(site, tmp_path_factory) -> Path:
    """The folder of that site."""
    folder = tmp_path_factory.mktemp("built") / "site"
    write(folder, pages(site))
    return folder

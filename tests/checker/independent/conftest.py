"""Every certificate of the chain, written once."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from absence.checker.certificate import write
from absence.checker.kernel import discharge
from absence.proofs.chain import CLAIMS


@pytest.fixture(scope="session")
def certificates(tmp_path_factory):
    """The folder with a certificate for each obligation of the chain."""
    folder = tmp_path_factory.mktemp("certificates")

    def one(obligation):
        outcome = discharge(obligation, "key", folder)
        assert outcome.verdict is obligation.expect, (obligation.id, outcome.reason)
        write(folder / f"{obligation.id}.json", json.dumps(outcome.certificate, indent=1))

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(one, [obligation for claim in CLAIMS for obligation in claim.obligations]))
    return folder

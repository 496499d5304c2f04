"""Every certificate of the chain, written once."""

import shutil

import pytest


@pytest.fixture(scope="session")
def certificates(discharged, tmp_path_factory):
    """A folder with the certificate of every obligation of the chain; tests add files to it."""
    folder = tmp_path_factory.mktemp("independent") / "certificates"
    shutil.copytree(discharged / "certificates", folder)
    return folder

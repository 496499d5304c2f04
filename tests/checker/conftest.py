"""What the tests of the console script share."""

import shutil
from pathlib import Path

import pytest


@pytest.fixture
def folder(discharged, tmp_path) -> Path:
    """A copy of the folder in which everything has been verified."""
    shutil.copytree(discharged, tmp_path / "copy")
    return tmp_path / "copy"

"""Running the console script in tests."""

import os
import subprocess
import sys
from pathlib import Path

from absence.checker.claims import load_claims

ABSENCE = Path(sys.executable).with_name("absence")
CLAIMS = len(load_claims())
TOTAL = sum(len(claim.obligations) for claim in load_claims())


def absence(*arguments, cwd, env=None, expect=0) -> str:
    """Run the console script; its standard output, then its standard error."""
    done = subprocess.run(
        [ABSENCE, *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        env=os.environ | {"COLUMNS": "200"} | (env or {}),
    )
    assert done.returncode == expect, done.stdout + done.stderr
    return done.stdout + done.stderr


def contents(folder: Path) -> dict[Path, bytes]:
    """Every file below a folder."""
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}

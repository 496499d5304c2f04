"""Running the console script in tests, to its end or until it is stopped."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from proof_of_absence.checker.kernel.claims import load_claims

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


def stopped(*arguments, cwd, how: signal.Signals, parts: str, more: int = 1) -> str:
    """Start the console script, send it a signal once it has written so many more files below `cwd` that match.

    Its standard error.

    An interrupt goes to its workers too, as a terminal sends it.
    """

    def written() -> int:
        return len(list(cwd.glob(parts)))

    before, end = written(), time.monotonic() + 60
    running = subprocess.Popen(
        [ABSENCE, *map(str, arguments)], cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        start_new_session=True, env=os.environ | {"COLUMNS": "200"},
    )  # fmt: skip
    while running.poll() is None and written() < before + more and time.monotonic() < end:
        time.sleep(0.01)
    if how is signal.SIGINT:
        os.killpg(running.pid, how)
    else:
        running.send_signal(how)
    _, told = running.communicate(timeout=60)
    assert running.returncode == (130 if how is signal.SIGINT else -how), told
    assert "Traceback" not in told
    return told


def contents(folder: Path) -> dict[Path, bytes]:
    """Every file below a folder."""
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}

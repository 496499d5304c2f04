"""The page about recorded activations is run as it stands, as the tutorial is."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.test_tutorial import BLOCK, commands, matches

PAGE = Path(__file__).parent.parent / "docs" / "recorded.md"


def test_the_page_about_recorded_activations_is_what_happens(tmp_path):
    pytest.importorskip("torch")
    scripts = str(Path(sys.executable).parent)
    environment = os.environ | {"PATH": scripts + os.pathsep + os.environ["PATH"], "OMP_NUM_THREADS": "1"}
    typed = []
    for language, block in BLOCK.findall(PAGE.read_text(encoding="utf-8")):
        if language == "python":
            name = block.split("\n")[0].removeprefix("# ")
            (tmp_path / name).write_text(block, encoding="utf-8")
            # Ten lines besides its name, imports and the seed.
            assert name != "ten.py" or len(block.splitlines()) <= 13
            continue
        for command, expected in commands(block):
            run = subprocess.run(
                [shutil.which("bash"), "-c", command], cwd=tmp_path, env=environment, capture_output=True, text=True
            )
            typed.append(command)
            assert matches(expected, run.stdout), f"$ {command}\n{run.stdout}{run.stderr}"
    assert typed == ["python ten.py", "python text.py", "absence check text.audit"]

"""The pages about recorded activations and about graphs are run as they stand, as the tutorial is."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.test_tutorial import BLOCK, commands, matches

DOCS = Path(__file__).parent.parent / "docs"
TYPED = {
    "recorded.md": ["python ten.py", "python text.py", "absence check text.audit"],
    "graphs.md": [
        "python make.py", "absence audit net.onnx --train train.npz --deploy deploy.npz -o net.audit",
        "absence check net.audit", "absence harden net.onnx --train train.npz -o hard.onnx",
        "absence check hard.onnx.proof", "python cnn.py",
    ],
}  # fmt: skip


@pytest.mark.parametrize("page", TYPED)
def test_a_page_is_what_happens(tmp_path, page):
    pytest.importorskip("torch")
    pytest.importorskip("onnx")
    scripts = str(Path(sys.executable).parent)
    path = scripts + os.pathsep + os.environ["PATH"]
    environment = os.environ | {"PATH": path, "OMP_NUM_THREADS": "1", "COLUMNS": "80"}
    typed = []
    for language, block in BLOCK.findall((DOCS / page).read_text(encoding="utf-8")):
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
    assert typed == TYPED[page]

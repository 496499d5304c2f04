"""The mutation score: how many small changes of what claims, encoders and theorems say are noticed.

Run by `make mutation`. A mutant of a claim is to be caught by its own obligations or by the tests of proofs/; one of an encoder by
its tests; one of a theorem by the Coq kernel. What nobody notices is listed: each is a weaker or equivalent statement, or a gap.
"""

import argparse
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import Queue

from mutants import Mutant, of_coq, of_python

ROOT = Path(__file__).parents[2]
ENCODERS = {
    "checker/smt.py": ["tests/checker/test_smt.py", "tests/checker/test_encode.py", "tests/proofs"],
    "checker/encode.py": ["tests/checker/test_encode.py", "tests/proofs"],
    "checker/region/encode.py": ["tests/checker/region"],
}
LIMIT = 300  # seconds; what takes longer comes to no verdict, and so is noticed


@dataclass(frozen=True)
class Trial:
    """A mutant of a file (its path in the repository)."""

    file: str
    mutant: Mutant


def trials(kinds: list[str], most: int, seed: int) -> list[Trial]:
    """At most `most` mutants of each file, chosen at random by the seed."""
    files: dict[str, list[Mutant]] = {}
    if "claims" in kinds:
        for path in sorted((ROOT / "proofs").glob("*.py")):
            if re.match(r"[cn]\d", path.name):
                files[f"proofs/{path.name}"] = of_python(path.read_text(encoding="utf-8"))
    if "encoders" in kinds:
        files |= {name: of_python((ROOT / name).read_text(encoding="utf-8")) for name in ENCODERS}
    if "theorems" in kinds:
        for path in sorted((ROOT / "proofs/coq").glob("*.v")):
            text = path.read_text(encoding="utf-8")
            named = re.findall(r"^Theorem (\w+) ", text, re.M)
            files[f"proofs/coq/{path.name}"] = [mutant for name in named for mutant in of_coq(text, name)]
    draw = random.Random(seed)
    return [Trial(name, m) for name, all_of in files.items() for m in draw.sample(all_of, min(most, len(all_of)))]


class Overlay:
    """A copy of the package that shadows the installed one, of its tests, and of the compiled Coq files."""

    def __init__(self, folder: Path, coq: Path | None):
        self.folder, self.package, self.coq = folder, folder / "absence", folder / "coq"
        shutil.copytree(ROOT / "absence", self.package)
        for part in ("models", "checker", "proofs"):
            shutil.copytree(ROOT / part, self.package / part, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copytree(ROOT / "tests", folder / "tests", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "pyproject.toml", folder)
        if coq:
            shutil.copytree(coq, self.coq)

    def run(self, *command: str) -> bool:
        """Whether the command succeeds in time with this copy of the package."""
        environment = os.environ | {"PYTHONPATH": str(self.folder), "PYTHONDONTWRITEBYTECODE": "1"}
        try:
            run = subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, timeout=LIMIT)
        except subprocess.TimeoutExpired:
            return False
        return run.returncode == 0

    def unnoticed(self, file: str, text: str) -> bool:
        """Whether everything passes with this text in the file's place."""
        if file.endswith(".v"):
            return self._compiles(Path(file).name, text)
        path = self.package / file
        original = path.read_text(encoding="utf-8")
        path.write_text(text, encoding="utf-8")
        try:
            if file in ENCODERS:
                return self._tests(*ENCODERS[file])
            claim = re.match(r"proofs/([cn]\d+)", file).group(1).upper()
            with tempfile.TemporaryDirectory() as certificates:
                script = str(Path(__file__).with_name("discharge.py"))
                return self.run(sys.executable, script, claim, certificates) and self._tests("tests/proofs")
        finally:
            path.write_text(original, encoding="utf-8")

    def _tests(self, *paths: str) -> bool:
        return self.run(sys.executable, "-m", "pytest", "-x", "-p", "no:cacheprovider", *paths)

    def _compiles(self, name: str, text: str) -> bool:
        path = self.coq / name
        original = path.read_text(encoding="utf-8")
        path.write_text(text, encoding="utf-8")
        try:
            compiled = subprocess.run(
                ["coqc", "-Q", ".", "Absence", name], cwd=self.coq, capture_output=True, timeout=LIMIT
            )
            return compiled.returncode == 0
        except subprocess.TimeoutExpired:
            return False
        finally:
            path.write_text(original, encoding="utf-8")


def compiled(folder: Path) -> Path:
    """The Coq files, compiled in their order."""
    shutil.copytree(ROOT / "proofs/coq", folder)
    for name in (folder / "_CoqProject").read_text(encoding="utf-8").split():
        if name.endswith(".v"):
            subprocess.run(["coqc", "-Q", ".", "Absence", name], cwd=folder, check=True)
    return folder


def main() -> None:
    """Make the mutants, try each, print the score and what was not noticed; exit 1 if something unmutated fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kinds", nargs="*", default=["claims", "encoders", "theorems"])
    parser.add_argument("--most", type=int, default=6, help="mutants of each file")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--output", type=Path, default=ROOT / "build/mutation.json")
    options = parser.parse_args()
    chosen = trials(options.kinds, options.most, options.seed)
    with tempfile.TemporaryDirectory() as scratch:
        coq = compiled(Path(scratch) / "compiled") if "theorems" in options.kinds else None
        overlays: Queue[Overlay] = Queue()
        for index in range(options.jobs):
            overlays.put(Overlay(Path(scratch) / str(index), coq))

        def survives(trial: Trial, text: str | None = None) -> bool:
            overlay = overlays.get()
            try:
                return overlay.unnoticed(trial.file, trial.mutant.source if text is None else text)
            finally:
                overlays.put(overlay)

        originals = {trial.file: trial for trial in chosen}.values()
        with ThreadPoolExecutor(options.jobs) as pool:
            # What fails unchanged would catch everything.
            sound = pool.map(lambda trial: survives(trial, (ROOT / trial.file).read_text(encoding="utf-8")), originals)
            broken = [trial.file for trial, passes in zip(originals, sound, strict=True) if not passes]
            if broken:
                sys.exit(f"these fail without any change, so no score can be given: {', '.join(broken)}")
            unnoticed = []
            for trial, survived in zip(chosen, pool.map(survives, chosen), strict=True):
                if survived:
                    unnoticed.append(trial)
                    print(f"NOT NOTICED {trial.file}:{trial.mutant.line}: {trial.mutant.change}", flush=True)
    score = {
        "mutants": len(chosen),
        "noticed": len(chosen) - len(unnoticed),
        "seed": options.seed,
        "most": options.most,
    }
    listed = [{"file": t.file, "line": t.mutant.line, "change": t.mutant.change} for t in unnoticed]
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(score | {"unnoticed": listed}, indent=1) + "\n", encoding="utf-8")
    print(f"{score['noticed']} of {score['mutants']} mutants noticed; {options.output}")


if __name__ == "__main__":
    main()

"""The mutation score: how many small changes of what claims, encoders and theorems say are noticed.

Run by `make reliability`.

A mutant of a claim is to be caught by its own obligations or by the tests of proofs/ that name it; one of an
encoder by its tests; one of a theorem by the Coq kernel. What these do not notice, since it is as true, must at
least differ from the record of what is claimed (tests/proofs/record.py). What nobody notices is listed: each is an
equal statement, or a gap.
"""

import argparse
import ast
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from queue import Queue

from coq import SLOW, Compiled, theorem_files
from discharge import NO_VERDICT, NOT_NOTICED, NOTICED, RECORDED, SAME, Came, judge
from mutants import Mutant, of_coq, of_python

from proof_of_absence.proofs.chain import CLAIMS

ROOT = Path(__file__).parents[2]
# Quick tests first.
QUERIES = [f"tests/proofs/{name}.py" for name in ("test_queries", "test_queries_beyond", "test_queries_necessity")]
RECORD = "tests/proofs/test_record.py"
ENCODERS = {
    "checker/kernel/smt.py": [
        "tests/checker/kernel/test_smt.py",
        "tests/checker/encode/test_nets.py",
        *QUERIES,
        RECORD,
    ],
    "checker/encode/nets.py": ["tests/checker/encode/test_nets.py", *QUERIES, RECORD],
    "checker/region/script.py": ["tests/checker/region/test_decide.py"],
}
UNSHRUNK = """
from hypothesis import Phase
settings.register_profile("unshrunk", settings.get_profile("absence"), phases=[Phase.explicit, Phase.generate])
settings.load_profile("unshrunk")
"""
KINDS = ("encoders", "claims", "theorems")


@dataclass(frozen=True)
class Trial:
    """A mutant of a file (its path in the repository), of one of KINDS."""

    kind: str
    file: str
    mutant: Mutant


def trials(kind: str, most: int, seed: int, only: str) -> list[Trial]:
    """At most `most` mutants of each file whose path matches `only`, chosen at random by the seed."""
    files: dict[str, list[Mutant]] = {}
    if kind == "claims":
        for path in sorted((ROOT / "proofs").glob("*.py")):
            if re.match(r"[cn]\d", path.name):
                files[f"proofs/{path.name}"] = of_python(path.read_text(encoding="utf-8"))
    elif kind == "encoders":
        files = {name: of_python((ROOT / name).read_text(encoding="utf-8")) for name in ENCODERS}
    else:
        for path in theorem_files(ROOT / "proofs/coq"):
            text = path.read_text(encoding="utf-8")
            named = re.findall(r"^Theorem (\w+) ", text, re.M)
            files[f"proofs/coq/{path.name}"] = [mutant for name in named for mutant in of_coq(text, name)]
    draw = random.Random(seed)
    chosen = {name: draw.sample(found, min(most, len(found))) for name, found in files.items()}
    return [Trial(kind, name, m) for name, found in chosen.items() if re.search(only, name) for m in found]


class Overlay:
    """A copy of the package that shadows the installed one, and of its tests."""

    def __init__(self, folder: Path, limit: float):
        self.folder, self.package, self.limit = folder, folder / "proof_of_absence", limit
        shutil.copytree(ROOT / "proof_of_absence", self.package, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copytree(ROOT / "tests", folder / "tests", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "pyproject.toml", folder)
        # That a test fails is enough; the least example for it takes longer than all the rest.
        with open(folder / "tests/conftest.py", "a", encoding="utf-8") as stream:
            stream.write(UNSHRUNK)

    def passes(self, file: str, text: str, tests: list[str]) -> str:
        """The first test that fails with this text in the file's place; empty if all pass."""
        environment = os.environ | {"PYTHONPATH": str(self.folder), "PYTHONDONTWRITEBYTECODE": "1"}
        command = [sys.executable, "-m", "pytest", "-x", "-p", "no:cacheprovider", *tests]
        path = self.package / file
        original = path.read_text(encoding="utf-8")
        path.write_text(text, encoding="utf-8")
        try:
            run = subprocess.run(
                command, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=self.limit
            )
        except subprocess.TimeoutExpired:
            return f"{SLOW}: the tests take longer than {self.limit:g} s"
        finally:
            path.write_text(original, encoding="utf-8")
        failed = re.search(r"^(?:FAILED|ERROR) (\S+)", run.stdout, re.M)
        return "" if run.returncode == 0 else failed[1] if failed else "pytest breaks"


def by_whom(failed: str) -> str:
    """What came of a mutant that something refused, by the reason: only the record did, or it took too long to try."""
    if failed.startswith(RECORD):
        return RECORDED
    return NO_VERDICT if failed.startswith(SLOW) else NOTICED


def naming(claim: str) -> list[str]:
    """The tests of all claims, and those of proofs/ that name a claim's module (``c8_contradiction``) or,
    in their name, its id.
    """
    found = ["tests/proofs/test_chain.py"]
    for path in sorted((ROOT / "tests/proofs").glob("test_*.py")):
        text = path.read_text(encoding="utf-8")
        for node in ast.parse(text).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                words = node.name.split("_")
                if claim.split("_")[0] in words or claim in ast.get_source_segment(text, node):
                    found.append(f"tests/proofs/{path.name}::{node.name}")
    return found


def claims(
    chosen: list[Trial], overlays: "Queue[Overlay]", options: argparse.Namespace
) -> Iterator[tuple[Trial, Came]]:
    """What came of each mutant of a claim."""
    for file in dict.fromkeys(trial.file for trial in chosen):
        name = Path(file).stem
        mine = [trial for trial in chosen if trial.file == file]
        original = (ROOT / file).read_text(encoding="utf-8")
        ((_, sound),) = judge(name, [original], options.certificates, 1, 10 * options.limit)
        if sound.what not in (SAME, NOT_NOTICED):
            raise SystemExit(f"{file} fails without any change, so no score can be given: {sound.by}")
        sources = [trial.mutant.source for trial in mine]
        left = []
        judged = judge(
            name, sources, options.certificates, options.jobs, options.limit, record_first=options.record_first
        )
        for number, came in judged:
            if came.what == NOT_NOTICED:
                left.append((mine[number], came))
            else:
                yield mine[number], came
        yield from tested(left, {file: naming(name)}, overlays, options.jobs)


def tested(
    left: list[tuple[Trial, Came]], tests: dict[str, list[str]], overlays: "Queue[Overlay]", jobs: int
) -> Iterator[tuple[Trial, Came]]:
    """What the tests of each file say of its mutants that nothing has noticed so far."""

    def one(pair: tuple[Trial, Came]) -> tuple[Trial, Came]:
        trial, came = pair
        overlay = overlays.get()
        try:
            failed = overlay.passes(trial.file, trial.mutant.source, tests[trial.file])
        finally:
            overlays.put(overlay)
        if failed:
            return trial, Came(by_whom(failed), failed)
        return trial, replace(came, what=RECORDED) if came.recorded else came

    with ThreadPoolExecutor(jobs) as pool:
        yield from pool.map(one, left)


def encoders(
    chosen: list[Trial], overlays: "Queue[Overlay]", options: argparse.Namespace
) -> Iterator[tuple[Trial, Came]]:
    """What came of each mutant of an encoder."""
    for file in dict.fromkeys(trial.file for trial in chosen):
        overlay = overlays.get()
        failed = overlay.passes(file, (ROOT / file).read_text(encoding="utf-8"), ENCODERS[file])
        overlays.put(overlay)
        if failed:
            raise SystemExit(f"{file} fails without any change, so no score can be given: {failed}")
    yield from tested([(trial, Came(NOT_NOTICED, "")) for trial in chosen], ENCODERS, overlays, options.jobs)


def theorems(chosen: list[Trial], scratch: Path, options: argparse.Namespace) -> Iterator[tuple[Trial, Came]]:
    """What came of each mutant of a theorem; what compiles by itself is to be caught by the files that use it."""
    first = Compiled.of(ROOT / "proofs/coq", scratch / "0", options.limit)
    # A statement that an obligation names is on record word for word.
    universal = (o for claim in CLAIMS for o in claim.obligations if o.scope.is_theorem)
    on_record = {theorem for obligation in universal for theorem in obligation.build().theorems}
    folders: Queue[Compiled] = Queue()
    for index in range(options.jobs):
        folders.put(first.copy(scratch / str(index + 1)))

    def one(trial: Trial) -> tuple[Trial, Came]:
        folder = folders.get()
        try:
            failed = folder.refuses(Path(trial.file).name, trial.mutant.source)
        finally:
            folders.put(folder)
        if failed:
            return trial, Came(by_whom(failed), failed)
        return trial, Came(RECORDED if trial.mutant.change.split(":")[0] in on_record else NOT_NOTICED, "")

    with ThreadPoolExecutor(options.jobs) as pool:
        yield from pool.map(one, chosen)


def main() -> None:
    """Make the mutants, try each, print the score and what was not noticed; exit 1 if something unmutated fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kinds", nargs="*", default=list(KINDS))
    parser.add_argument("--most", type=int, default=10**6, help="mutants of each file")
    parser.add_argument("--only", default="", help="a pattern of the files' paths")
    parser.add_argument(
        "--record-first", action="store_true", help="decide nothing of a claim that differs from the record"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--limit", type=float, default=60, help="seconds for a mutant")
    parser.add_argument("--certificates", type=Path, default=ROOT / "certificates")
    parser.add_argument("--output", type=Path, default=ROOT / "build/reliability/mutation.json")
    options = parser.parse_args()
    found: list[dict] = []
    with tempfile.TemporaryDirectory() as scratch:
        overlays: Queue[Overlay] = Queue()
        for index in range(options.jobs):
            overlays.put(Overlay(Path(scratch) / f"overlay{index}", 10 * options.limit))
        for kind in options.kinds:
            chosen = trials(kind, options.most, options.seed, options.only)
            tried = {"claims": claims, "encoders": encoders}.get(kind)
            came_of = tried(chosen, overlays, options) if tried else theorems(chosen, Path(scratch), options)
            for trial, came in came_of:
                found.append(
                    {"kind": kind, "file": trial.file, "line": trial.mutant.line, "change": trial.mutant.change}
                )
                found[-1] |= asdict(came)
                if came.what == NOT_NOTICED:
                    print(
                        f"NOT NOTICED {trial.file}:{trial.mutant.line}: {trial.mutant.change} ({came.by})", flush=True
                    )
                keep(options, found)
    for kind in options.kinds:
        counts = Counter(row["what"] for row in found if row["kind"] == kind)
        print(f"{kind}: {counts.total()} mutants: {', '.join(f'{n} {what}' for what, n in sorted(counts.items()))}")


def keep(options: argparse.Namespace, found: list[dict]) -> None:
    """Write what is known so far."""
    told = {
        "kinds": options.kinds,
        "most": options.most,
        "seed": options.seed,
        "only": options.only,
        "limit": options.limit,
        "record_first": options.record_first,
    }
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(told | {"mutants": found}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

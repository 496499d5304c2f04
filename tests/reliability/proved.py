"""Random tampering with what the proved checker accepts: what it still accepts must be true. Run by `make reliability`.

Truth is decided by the oracles of tests/checker/independent, and the independent checker is asked too.
"""

import argparse
import json
import random
import sys
import tempfile
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from proof_of_absence.checker.independent.facts import check_fact  # noqa: E402
from proof_of_absence.checker.independent.refusal import Refused  # noqa: E402
from proof_of_absence.checker.proved.opinion import opinions  # noqa: E402
from tests.checker.independent.oracles import true  # noqa: E402
from tests.reliability.tampering import tampered  # noqa: E402

# Cases that lie on disk at a time.
BATCH = 500


def verdict(fact: dict, certificates: Path) -> str:
    """What came of a fact that the proved checker accepts as a whole."""
    try:
        check_fact(fact)
    except Refused as reason:
        return f"ACCEPTED, and the other refuses: {reason}"
    try:
        still = true(fact, certificates)
    except Exception as error:  # what the oracle cannot read must not have been accepted
        return f"ACCEPTED, and the oracle fails: {type(error).__name__}: {error}"
    return "accepted, still true" if still else "ACCEPTED, FALSE"


def batch(whole: dict[str, dict], seeds: range, certificates: Path) -> list[tuple[int, str, str, str]]:
    """(seed, certificate, sort of change, what came of it) of random cases."""
    cases = []
    for seed in seeds:
        draw = random.Random(seed)
        name, other = draw.sample(sorted(whole), 2)
        cases.append((seed, name, *tampered(whole[name], whole[other], draw)))
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{seed}.json" for seed, *_ in cases]
        for path, (*_, fact) in zip(paths, cases, strict=True):
            path.write_text(json.dumps({"fact": fact}), encoding="utf-8")
        found = opinions(paths)
    came = []
    for path, (seed, name, sort, fact) in zip(paths, cases, strict=True):
        if fact == whole[name]:
            what = "unchanged"
        elif found[path].whole:
            what = verdict(fact, certificates)
        else:
            what = "refused" if found[path].refused or found[path].malformed else "left to others"
        came.append((seed, name, sort, what))
    return came


def main() -> None:
    """Try the cases, print how many of each sort came to what; exit 1 if something false was accepted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--certificates", type=Path, default=ROOT / "certificates")
    options = parser.parse_args()
    paths = sorted(options.certificates.glob("*.json"))
    whole = {
        path.stem: json.loads(path.read_text(encoding="utf-8"))["fact"]
        for path, opinion in opinions(paths).items()
        if opinion.whole
    }
    counts, wrong, end = Counter[tuple[str, str]](), 0, options.seed + options.cases
    for first in range(options.seed, end, BATCH):
        for seed, name, sort, what in batch(whole, range(first, min(first + BATCH, end)), options.certificates):
            counts[sort, what.split(":")[0]] += 1
            if what.startswith("ACCEPTED"):
                wrong += 1
                print(f"{name}, seed {seed}, {sort}: {what}", flush=True)
    for (sort, what), count in sorted(counts.items()):
        print(f"{count:6} {sort}: {what}")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()

"""Random tampering with certificates: what is accepted, sealed again, must still be true. Run by `make reliability`.

Whether a changed fact is true is decided by the oracles of tests/checker/independent, which share
no code with the checker.
"""

import argparse
import copy
import json
import random
import re
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from tests.checker.independent.oracles import true  # noqa: E402
from tests.checker.independent.test_tampering import QUICK, SLOW, accepted, change, numbers_in, read  # noqa: E402

# Of a hundred cases, those of certificates that take seconds to decide again.
# Kernel certificates hold no numbers; they are not among these cases (tests/checker/independent/test_coq.py).
OF_SLOW = 1


def containers(node, path=()):
    """The paths to every list and object that has entries."""
    if isinstance(node, dict | list) and node:
        yield path
        for key, value in node.items() if isinstance(node, dict) else enumerate(node):
            yield from containers(value, (*path, key))


def at(node, path):
    """What lies at a path."""
    for key in path:
        node = node[key]
    return node


def tampered(fact: dict, donor: dict, draw: random.Random) -> tuple[str, dict]:
    """The fact with one change, and the sort of change: a number, an entry, or a part of another certificate."""
    sort = draw.choice(["number", "number", "number", "left out", "doubled", "exchanged", "transplanted"])
    if sort == "number" and (paths := list(numbers_in(fact))):
        by = draw.choice([1, -1, 3, -100, 10**20])
        return sort, change(fact, draw.choice(paths), by)
    fact = copy.deepcopy(fact)
    place = at(fact, draw.choice(list(containers(fact))))
    keys = list(place) if isinstance(place, dict) else list(range(len(place)))
    key = draw.choice(keys)
    if sort == "left out":
        del place[key]
    elif sort == "doubled" and isinstance(place, list):
        place.insert(key, copy.deepcopy(place[key]))
    elif sort == "transplanted":
        place[key] = copy.deepcopy(at(donor, draw.choice(list(containers(donor)))))
    else:
        other = draw.choice(keys)
        place[key], place[other] = place[other], place[key]
    return sort, fact


def case(certificates: Path, only: str, seed: int) -> tuple[str, str, str]:
    """(certificate, sort of change, what came of it) of one random case of those whose names match `only`."""
    draw = random.Random(seed)
    name, other = draw.sample(QUICK, 2)
    if only:
        name = draw.choice([quick for quick in QUICK if re.search(only, quick)])
    elif draw.random() < OF_SLOW / 100:
        name = draw.choice(SLOW)
    certificate = read(certificates, name)
    sort, fact = tampered(certificate["fact"], read(certificates, other)["fact"], draw)
    if fact == certificate["fact"]:
        return name, sort, "unchanged"
    if not accepted(certificate | {"fact": fact}, certificates):
        return name, sort, "refused"
    try:
        still = true(fact, certificates)
    except Exception as error:  # what the oracle cannot read must not have been accepted
        return name, sort, f"ACCEPTED, and the oracle fails: {type(error).__name__}: {error}"
    return name, sort, "accepted, still true" if still else "ACCEPTED, FALSE"


def main() -> None:
    """Try the cases, print how many of each sort came to what; exit 1 if something false was accepted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--only", default="", help="a pattern of the certificates' names")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--certificates", type=Path, default=ROOT / "certificates")
    parser.add_argument("--output", type=Path, default=ROOT / "build/reliability/tampering.json")
    options = parser.parse_args()
    counts, wrong = Counter(), []
    with ProcessPoolExecutor(options.jobs) as pool:
        seeds = range(options.seed, options.seed + options.cases)
        for seed, (name, sort, came) in zip(
            seeds, pool.map(partial(case, options.certificates, options.only), seeds, chunksize=20), strict=True
        ):
            counts[sort, came.split(":")[0]] += 1
            if came.startswith("ACCEPTED"):
                wrong.append({"seed": seed, "certificate": name, "change": sort, "came": came})
                print(f"{name}, seed {seed}, {sort}: {came}", flush=True)
    for (sort, came), count in sorted(counts.items()):
        print(f"{count:6} {sort}: {came}")
    summary = {
        "cases": options.cases,
        "only": options.only,
        "seed": options.seed,
        "counts": [[*key, count] for key, count in sorted(counts.items())],
        "wrong": wrong,
    }
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()

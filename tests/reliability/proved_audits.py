"""Random tampering with audits: of each fact that the proved checker accepts still the independent one must accept it.

What is accepted is also evaluated directly, in fractions. Run by `make reliability`.
"""

import argparse
import copy
import hashlib
import io
import json
import os
import random
import re
import sys
import tempfile
import zipfile
from collections import Counter
from fractions import Fraction
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from proof_of_absence.checker.independent.refusal import Refused  # noqa: E402
from proof_of_absence.checker.independent.results.audit import MALFORMED, decide  # noqa: E402
from proof_of_absence.checker.independent.results.subject import Subject  # noqa: E402
from proof_of_absence.checker.proved.opinion import Answer, opinions  # noqa: E402
from tests.reliability.audit_oracles import SAYS, Data, true  # noqa: E402
from tests.reliability.forging import WORDS, array_changed, bytes_changed  # noqa: E402
from tests.reliability.proved_folders import made  # noqa: E402
from tests.reliability.tampering import at, containers  # noqa: E402

# Cases that lie on disk at a time.
BATCH = 200
# Files beside the net and the training inputs that facts of a kind are about.
READ = {
    **{kind: {"deploy"} for kind in ("circuit", "train-input", "inside", "outside", "covered")},
    **{kind: {"targets"} for kind in ("training-loss", "lower-training-loss")},
    "hardened": {"before"},
    "readout-prices": {"deploy", "test", "factor"},
}
# Others may rest on facts about units.
RESTING = ("circuit", "hardened", "readout-prices")
SORTS = ["number", "number", "number", "form", "word", "left out", "doubled", "exchanged", "transplanted",
         "array", "array", "array form", "bytes", "archive"]  # fmt: skip
OF_ARRAYS = ("array", "array form", "bytes", "archive")
NUMBER = re.compile(r"-?[0-9a-f]+(/[0-9a-f]+)?")
# In the facts of these kinds numbers are written to base 10.
DECIMAL = ("training-loss", "lower-training-loss", "irrelevant-region", "relevant-at")


class Example:
    """A folder as it was made: its facts, and which of them the proved checker decides."""

    def __init__(self, folder: Path, answers: tuple[tuple[str, Answer], ...]):
        self.folder = folder
        self.certificate = json.loads((folder / "certificate.json").read_text(encoding="utf-8"))
        self.facts = self.certificate["facts"]
        self.decided = [k for k, (_, answer) in enumerate(answers) if answer is Answer.ACCEPTED]


def examples(root: Path) -> list[Example]:
    """Those of `proved_folders`."""
    folders = made(root)
    found = opinions([folder / "certificate.json" for folder in folders])
    return [Example(folder, found[folder / "certificate.json"].facts) for folder in folders]


def leaves(node, path=()):
    """The paths to every number and word, but the fact's kind."""
    if isinstance(node, dict | list):
        for key, value in node.items() if isinstance(node, dict) else enumerate(node):
            if path or key != "kind":
                yield from leaves(value, (*path, key))
    else:
        yield path


def written(value: Fraction, base: int) -> str:
    """A number as facts have it."""
    sign, letter = "-" if value < 0 else "", "x" if base == 16 else "d"
    below = "" if value.denominator == 1 else f"/{value.denominator:{letter}}"
    return f"{sign}{abs(value.numerator):{letter}}{below}"


def number_changed(value, base: int, draw: random.Random):
    """Another number, near or far; what is none is another word."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + draw.choice([1, -1, 2, -100, 10**12, 10**20])
    if isinstance(value, str) and NUMBER.fullmatch(value):
        top, _, bottom = value.partition("/")
        try:
            number = Fraction(int(top, base), int(bottom or "1", base))
        except ValueError:
            return value + "1"
        by = draw.choice([1, -1, Fraction(1, 3), -100, 10**20, Fraction(1, 2**80), Fraction(-1, 2**80), -number])
        return written(draw.choice([number + by, number + by, -number, number * 2, number / 2]), base)
    return draw.choice(["dead", "constant", "varies", "float32", "float64", "empty", 0, "1"])


def form_changed(value, draw: random.Random):
    """The same in another form, or nearly: what one reader takes for a number the other must too."""
    if isinstance(value, bool) or value is None:
        return draw.choice([0, 1, str(value).lower(), "0", []])
    if isinstance(value, int):
        return draw.choice([str(value), float(value), bool(value), [value], f"{value:x}", value + 0.5])
    if isinstance(value, str) and NUMBER.fullmatch(value):
        top, _, bottom = value.partition("/")
        forms = [
            f"+{value}", f"-{value}", f" {value}", f"{value} ", f"0{value}", f"{value}/1", f"{value}/0", f"{value}.0",
            value.upper(), f"0x{value}", f"{top}_0", f"-0{top.lstrip('-')}/{bottom or '1'}", f"{top}/-{bottom or '1'}",
            f"{top}e0", "-0", "", "-", "/", "nan", "Infinity", "\u0661", f"{value}\n", f"{top}0/{bottom or '1'}0",
        ]  # fmt: skip
        return draw.choice([*forms, *([int(value)] if re.fullmatch(r"-?\d{1,15}", value) else [])])
    return draw.choice([f"{value} ", str(value).upper(), [value], {}, 0])


def fact_changed(fact: dict, donor: dict, sort: str, draw: random.Random) -> dict:
    """The fact with one change of this sort."""
    fact = copy.deepcopy(fact)
    if sort in ("number", "form"):
        # Choose the field first: most numbers are entries of large tables.
        paths = list(leaves(fact))
        field = draw.choice(sorted({path[0] for path in paths}))
        path = draw.choice([path for path in paths if path[0] == field])
        place, key = at(fact, path[:-1]), path[-1]
        base = 10 if fact["kind"] in DECIMAL else 16
        place[key] = number_changed(place[key], base, draw) if sort == "number" else form_changed(place[key], draw)
        return fact
    place = at(fact, draw.choice(list(containers(fact))))
    keys = list(place) if isinstance(place, dict) else list(range(len(place)))
    key = draw.choice(keys)
    if sort == "word":
        place[key] = draw.choice(WORDS)
    elif sort == "left out":
        del place[key]
    elif sort == "doubled" and isinstance(place, list):
        place.insert(key, copy.deepcopy(place[key]))
    elif sort == "transplanted" and draw.random() < 0.5:
        return copy.deepcopy(donor)
    elif sort == "transplanted":
        place[key] = copy.deepcopy(at(donor, draw.choice(list(containers(donor)))))
    else:
        other = draw.choice(keys)
        place[key], place[other] = place[other], place[key]
    return fact


def form_of_arrays_changed(path: Path, draw: random.Random) -> bytes:
    """The same numbers in an archive of another form, or with another array or another type of number."""
    with np.load(path) as found:
        held = {key: found[key].copy() for key in found.files}
    key = draw.choice(sorted(held))
    save = np.savez
    match draw.randrange(9):
        case 0:
            held[key] = np.asfortranarray(held[key])
        case 1:
            held[key] = held[key].astype(draw.choice(["<f4", ">f8", "<f2", "<i8", "?", "<c16"]))
        case 2:
            save = np.savez_compressed
        case 3:
            held[draw.choice(["more", "weights_9", "bias_9", "targets"])] = held[key]
        case 4:
            held[draw.choice([f"{key}_", "inputs", "weights_1", "bias_2"])] = held.pop(key)
        case 5:
            held = dict(reversed(held.items()))
        case 6:
            held[key] = held[key].reshape(draw.choice([(-1,), (1, -1), (-1, 1), (1, *held[key].shape)]))
        case 7:
            held[key].flat[draw.randrange(held[key].size)] = draw.choice([np.nan, np.inf, -np.inf, -0.0, 1e308, 5e-324])
        case _:
            held[key] = held[key][:0]
    stream = io.BytesIO()
    save(stream, **held)
    return stream.getvalue()


def bytes_of_array_changed(path: Path, draw: random.Random) -> bytes:
    """The archive with a few bytes of an array changed, most often of its header; its check sums are told again."""
    with zipfile.ZipFile(path) as archive:
        held = {name: archive.read(name) for name in archive.namelist()}
    name = draw.choice(sorted(held))
    header, data = held[name][:128], held[name][128:]
    held[name] = bytes_changed(header, draw) + data if draw.random() < 0.7 else header + bytes_changed(data, draw)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in held.items():
            archive.writestr(name, content)
    return stream.getvalue()


def put(example: Example, certificate: dict, folder: Path) -> Path:
    """Write the certificate into the folder, beside the arrays of the example that are not there; returns its path."""
    for path in example.folder.glob("*.npz"):
        if not (folder / path.name).exists():
            os.symlink(path, folder / path.name)
    path = folder / "certificate.json"
    path.write_text(json.dumps(certificate), encoding="utf-8")
    return path


class Case:
    """One change in a copy of an example: of the fact at `place`, or of an array file, told again with its digest."""

    def __init__(self, known: list[Example], seed: int, folder: Path):
        draw = random.Random(seed)
        self.seed, self.folder = seed, folder
        self.example, other = draw.sample(known, 2)
        self.sort, self.place = draw.choice(SORTS), draw.choice(self.example.decided)
        certificate = copy.deepcopy(self.example.certificate)
        folder.mkdir()
        if self.sort in OF_ARRAYS:
            changed, self.place = draw.choice(sorted(certificate["files"])), None
            path = self.example.folder / f"{changed}.npz"
            make = {"array": array_changed, "array form": form_of_arrays_changed, "bytes": bytes_of_array_changed}
            content = make[self.sort](path, draw) if self.sort in make else bytes_changed(path.read_bytes(), draw)
            (folder / path.name).write_bytes(content)
            certificate["files"][changed]["sha256"] = hashlib.sha256(content).hexdigest()
            self.unchanged = content == path.read_bytes()
        else:
            donor = draw.choice(other.facts)
            fact = fact_changed(certificate["facts"][self.place], donor, self.sort, draw)
            before, certificate["facts"][self.place] = certificate["facts"][self.place], fact
            self.unchanged = json.dumps(fact) == json.dumps(before)
        self.certificate, self.path = certificate, put(self.example, certificate, folder)

    @property
    def changed(self):
        """The fact that was changed, if one was."""
        return None if self.place is None else self.certificate["facts"][self.place]

    @property
    def places(self) -> list[int]:
        """Where the facts are of which something else may be so now."""
        if self.place is None:
            return self.example.decided
        resting = self.example.facts[self.place]["kind"] == "units"
        also = [k for k in self.example.decided if resting and self.example.facts[k]["kind"] in RESTING]
        return [self.place, *also]


class Independent:
    """What the independent checker says of facts of a folder, each by itself, and of what it rests on."""

    def __init__(self, folder: Path, certificate: dict):
        self.folder, self.files, self.facts = folder, certificate["files"], certificate["facts"]
        self.subjects: dict[frozenset[str], Subject] = {}
        about = [fact for fact in self.facts if isinstance(fact, dict) and fact.get("kind") == "units"]
        self.units = [fact for fact in about if not self._refuses([fact], "units")]

    def refuses(self, fact) -> str:
        """Why the fact is refused; empty if it is accepted. Files that it is not about may be broken."""
        if not (isinstance(fact, dict) and isinstance(fact.get("kind"), str)):
            return "no fact"
        return self._refuses([*self.units, fact], fact["kind"])

    def unreadable(self) -> str:
        """Why the files of the folder are no arrays that fit one another; empty if they are."""
        return self._refuses([], None)

    def _refuses(self, facts, kind) -> str:
        try:
            names = frozenset(self.files)
            if kind is not None:
                names &= {"net", "train"} | READ.get(kind, set())
            if names not in self.subjects:
                self.subjects[names] = Subject.read(self.folder, {name: self.files[name] for name in names})
            subject = self.subjects[names]
            subject.still = set()
            decide(subject, facts)
        except Refused as reason:
            return str(reason) or "refused"
        except MALFORMED as error:
            return f"malformed: {type(error).__name__}: {error}"
        return ""


def verdicts(case: Case, opinion) -> list[str]:
    """What came of each fact of which something else may be so."""
    if case.unchanged:
        return ["unchanged"]
    independent = Independent(case.folder, case.certificate)
    came = []
    for place in case.places:
        fact = case.certificate["facts"][place]
        if opinion.malformed:
            kind, answer = "", Answer.REFUSED
        else:
            kind, answer = opinion.facts[place]
        came.append(verdict(case, fact, kind, answer, independent))
    return came


def verdict(case: Case, fact, kind: str, answer: Answer, independent: Independent) -> str:
    """What came of one fact; the kind is told too where the two checkers differ."""
    if answer is Answer.LEFT:
        return "left to others"
    reason = independent.refuses(fact)
    if answer is Answer.REFUSED:
        # Then the whole folder is refused; and numpy reads some archives in spite of a broken byte.
        other = (
            case.sort == "archive"
            or independent.unreadable()
            or (case.place is not None and independent.refuses(case.changed))
        )
        return "refused" if reason or other else f"REFUSED, and the other accepts: {kind or fact['kind']}"
    if reason and case.sort == "archive" and independent.unreadable():
        # Check sums and some of the directory are looked at by the independent checker alone.
        return "accepted, of an archive that is not whole"
    if reason:
        return f"ACCEPTED, and the other refuses: {kind}: {reason}"
    try:
        still = true(fact, Data(case.folder))
    except Exception as error:  # what the oracle cannot read must not have been accepted
        return f"ACCEPTED, and the oracle fails: {kind}: {type(error).__name__}: {error}"
    return "accepted, still true" if still else f"ACCEPTED, FALSE: {kind}"


def batch(known: list[Example], seeds: range) -> list[tuple[Case, str]]:
    """Random cases, each with what came of its facts."""
    with tempfile.TemporaryDirectory() as folder:
        cases = [Case(known, seed, Path(folder) / str(seed)) for seed in seeds]
        found = opinions([case.path for case in cases])
        return [(case, what) for case in cases for what in verdicts(case, found[case.path])]


def wrong(what: str) -> bool:
    """Whether the checkers differ, or something false was accepted."""
    return what.startswith(("ACCEPTED", "REFUSED"))


def main() -> None:
    """Try the cases, print how many facts came to what for each sort of change; exit 1 if one went wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    counts, failed, end = Counter[tuple[str, str]](), 0, options.seed + options.cases
    with tempfile.TemporaryDirectory() as root:
        known = examples(Path(root))
        assert {known.facts[k]["kind"] for known in known for k in known.decided} == set(SAYS)
        for first in range(options.seed, end, BATCH):
            for case, what in batch(known, range(first, min(first + BATCH, end))):
                counts[case.sort, what.split(":")[0]] += 1
                if wrong(what):
                    failed += 1
                    print(f"{case.example.folder.name}, seed {case.seed}, {case.sort}: {what}", flush=True)
    for (sort, what), count in sorted(counts.items()):
        print(f"{count:6} {sort}: {what}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()

"""Random edits of what an audit of recordings keeps and writes, sealed again; nothing false may come of it.

What a pass has kept: the next run must come to what is so. The folder: what `absence check` still accepts must be so of
the recorded numbers, as an oracle says, and state the same. `make reliability` runs thousands.
"""

import argparse
import hashlib
import io
import json
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from proof_of_absence.checker.construct import leverage_exact  # noqa: E402
from proof_of_absence.checker.independent.refusal import Refused  # noqa: E402
from proof_of_absence.checker.independent.results.recorded import check_recorded  # noqa: E402
from proof_of_absence.checker.kernel.certificate import seal  # noqa: E402
from proof_of_absence.checker.recorded import prices, shards  # noqa: E402
from proof_of_absence.checker.recorded.engine import Asked, examine  # noqa: E402
from proof_of_absence.checker.recorded.findings import RecordedAudit  # noqa: E402
from proof_of_absence.checker.recorded.folder import named_from, write_folder  # noqa: E402
from proof_of_absence.checker.recorded.report.view import report_of  # noqa: E402
from proof_of_absence.checker.recorded.shards import Passes  # noqa: E402
from proof_of_absence.checker.recorded.tied import check_folder, read_findings  # noqa: E402
from proof_of_absence.checker.screen.answers import html_page  # noqa: E402
from proof_of_absence.models.files.recording import Recording, read_recording  # noqa: E402
from tests.checker.independent.kinds import float_readout, recorded  # noqa: E402
from tests.reliability.forging import array_changed, bytes_changed, entry_changed  # noqa: E402

# Column 1 is dead in training, 3 is a constant, 2 is twice column 0.
TRAIN = np.array([[1, 0, 2, 5, 0.5], [2, 0, 4, 5, -1], [4, 0, 8, 5, 0], [0, 0, 0, 5, 3], [3, 0, 6, 5, 1]], np.float32)
DEPLOY = np.array([[1, 0, 2, 5, 7], [1, 3, 2, 5, 0], [1, 0, 3, 5, 0], [9, 0, 18, 5, 0]], np.float32)
TEST = np.array([[2, 0, 4, 5, 0.25], [1, 0, 2, 4, 0]], np.float32)


class Example:
    """Recordings in three shards, and the folder of their audit, with exact prices or bounds, all below `root`."""

    def __init__(self, root: Path, *, bounded: bool):
        self.root, self.folder, self.moderate = root, root / "acts.audit", leverage_exact.moderate
        if bounded:
            self.moderate = lambda rows, width: False
        (root / "acts").mkdir(parents=True)
        np.savez(root / "acts" / "0.npz", X=TRAIN[:2], deploy=DEPLOY)
        np.savez(root / "acts" / "1.npz", X=TRAIN[2:3])
        np.savez(root / "acts" / "2.npz", X=TRAIN[3:], test=TEST)
        write_folder(self.folder, self.audit(), "acts")
        self.files = {path: path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}
        self.certificate = self.content()
        self.parts = {path: path.read_bytes() for path in self.kept()}

    @property
    def recording(self) -> Recording:
        """What is recorded."""
        return read_recording(self.root / "acts")

    def audit(self, passes: Passes | None = None) -> RecordedAudit:
        """Its audit."""
        before, prices.moderate = prices.moderate, self.moderate
        try:
            named: Callable[[Path], str] = lambda path: named_from(self.folder, path)  # noqa: E731
            return examine([self.recording], Asked(named=named, passes=passes or Passes()))
        finally:
            prices.moderate = before

    def content(self) -> dict[str, Any]:
        """The certificate as it lies there."""
        found: dict[str, Any] = json.loads((self.folder / "recorded.json").read_text())
        return found

    def kept(self) -> list[Path]:
        """What passes that were ended after each shard have left, in folders of their own."""
        every, shards.EVERY = shards.EVERY, 0.0
        found = []
        try:
            for rows in (2, 3, 5):
                folder = self.root / f"state{rows}"
                passes = Passes(folder)
                with suppress(_Ended):
                    self.audit(_Ending(folder, rows))
                (path,) = folder.glob("*.npz")
                found.append(path)
                assert passes.went_on == 0
        finally:
            shards.EVERY = every
        return found


class _Ended(Exception):
    pass


class _Ending(Passes):
    """Passes that end once so many rows were seen, and kept."""

    def __init__(self, folder: Path, rows: int):
        super().__init__(folder)
        self.rows = rows

    def _keep(self, state: Any, path: Path | None, key: str) -> None:
        super()._keep(state, path, key)
        if int(state.seen.sum()) >= self.rows:
            raise _Ended


def said(certificate: dict[str, Any]) -> list[Any]:
    """What a certificate states, without how it is shown, the bounds, and the names of files and layers."""
    found: list[Any] = []
    for layer in certificate["layers"]:
        facts = {fact["kind"]: dict(fact) for fact in layer["facts"]}
        facts["recorded-rank"] |= dict.fromkeys(("prime", "rows", "columns"))
        facts["recorded-rank"]["relations"] = len(facts["recorded-rank"]["relations"])
        priced = facts.get("readout-prices", {"rows": {}})
        rows = {part: [sorted({"row", "free"} & set(one)) for one in listed] for part, listed in priced["rows"].items()}
        facts["readout-prices"] = priced | {"rows": rows, "columns": None, "directions": None}
        counts = [[file["rows"] for file in layer[part]] for part in ("train", "deploy", "test")]
        found.append([layer["dtype"], counts, layer["factor"] is None, facts])
    return found


def so(example: Example, certificate: dict[str, Any]) -> bool:
    """What the oracles say of all facts about the rows that are recorded now."""
    tables = {"X": [], "deploy": [], "test": []}
    for path in sorted((example.root / "acts").glob("*.npz")):
        with np.load(path) as found:
            for name in found.files:
                tables[name].append(found[name])
    train, deploy, test = (np.concatenate(parts) for parts in tables.values())
    parts = {"training": train, "deployment": deploy, "test": test}
    return all(
        float_readout.readout_prices(fact, parts)
        if fact["kind"] == "readout-prices"
        else recorded.SAYS[fact["kind"]](train, deploy, fact)
        for layer in certificate["layers"]
        for fact in layer["facts"]
    )


def number_changed(data: bytes, draw: random.Random) -> bytes:
    """What a pass has kept, with a number of it changed, or a row more or less; its key stays."""
    with np.load(io.BytesIO(data)) as found:
        held = {name: found[name].copy() for name in found.files}
    name = draw.choice([name for name in held if name != "key"])
    array = held[name]
    if array.size and draw.randrange(5):
        where = tuple(draw.randrange(size) for size in array.shape)
        array[where] = draw.choice([array[where] + 1, -array[where], 0, array[where] * 2, array[where] - 1])
    elif len(array):
        place = draw.randrange(len(array))
        held[name] = np.delete(array, place, 0) if draw.randrange(2) else np.concatenate([array, array[place][None]])
    stream = io.BytesIO()
    np.savez(stream, **held)
    return stream.getvalue()


def of_state(example: Example, draw: random.Random) -> str:
    """Edit what a pass has kept, and go on; what came of it."""
    path, other = draw.choice(sorted(example.parts)), draw.choice(sorted(example.parts))
    data = example.parts[path]
    match draw.randrange(6):
        case 0:
            data = bytes_changed(data, draw)
        case 1:
            data = example.parts[other]
        case _:
            data = number_changed(data, draw)
            for _ in range(draw.randrange(3)):
                data = number_changed(data, draw)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    passes = Passes(path.parent)
    audit = example.audit(passes)
    if said(seal(audit.certificate)) != said(example.certificate) or not so(example, audit.certificate):
        return "WRONG"
    return "went on" if passes.went_on else "made again"


def of_folder(example: Example, draw: random.Random) -> str:
    """Edit a file, or the certificate and all that goes with it; whether it is accepted, and states the same."""
    path = draw.choice([one for one in example.files if one.parent.name != "acts" or not draw.randrange(4)])
    told = draw.randrange(4)
    try:
        if told == 0:
            path.write_bytes(bytes_changed(example.files[path], draw))
        elif told == 1 and path.suffix == ".npz":
            path.write_bytes(array_changed(path, draw))
            _sealed_again(example, example.content())
        else:
            found = {key: value for key, value in example.content().items() if key in ("layers", "scope")}
            for _ in range(draw.choice([1, 1, 2])):
                found = entry_changed(found, draw) if found else found
            found |= {"format": example.certificate["format"]}
            _sealed_again(example, found)
        try:
            line = check_folder(example.folder)
        except Refused as reason:
            return "refused" if "\n" not in str(reason) else "WRONG refusal"
        content = example.content()
        if not so(example, content) or (example.folder / "report.html").is_file() != ("says the same" in line):
            return "STATES what is not so"
        if said(content) == said(example.certificate):
            return "states the same"
        # Without prices it states less; a file with another number is another recording.
        less = all(len(layer["facts"]) < 4 for layer in content["layers"])
        others = any(path.read_bytes() != example.files[path] for path in example.files if path.parent.name == "acts")
        return "states less" if less else "of another recording" if others else "STATES something else"
    finally:
        for one, data in example.files.items():
            if not one.is_file() or one.read_bytes() != data:
                one.write_bytes(data)


def _sealed_again(example: Example, found: Any) -> None:
    """Write the certificate with the digests that files have now, and the page that it makes."""
    with suppress(LookupError, TypeError, AttributeError):
        for layer in found["layers"]:
            for entry in (*layer["train"], *layer["deploy"], *layer["test"], layer["factor"]):
                if entry and (path := example.folder / entry["file"]).is_file():
                    entry["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    text = json.dumps(seal(found) if isinstance(found, dict) else found, ensure_ascii=False)
    (example.folder / "recorded.json").write_text(text + "\n")
    with suppress(Exception):
        page = html_page(report_of(RecordedAudit(read_findings(found), found)))
        (example.folder / "report.html").write_text(page)


def cases(seeds: range, root: Path) -> list[tuple[int, str]]:
    """What came of the cases of these seeds."""
    examples = [Example(root / name, bounded=name == "bounded") for name in ("exact", "bounded")]
    for example in examples:
        assert so(example, check_recorded(example.folder / "recorded.json"))
    found = []
    for seed in seeds:
        draw = random.Random(seed)
        kind = draw.choice([of_state, of_folder])
        found.append((seed, f"{kind.__name__}: {kind(draw.choice(examples), draw)}"))
    return found


def wrong(told: str) -> bool:
    """Whether what came of a case is a fault."""
    return "WRONG" in told or "STATES" in told


def main() -> None:
    """Make so many edits; exit 1 if one led to something false."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        told = cases(range(options.seed, options.seed + options.cases), Path(folder))
    print(json.dumps(Counter(what for _, what in told), indent=1, sort_keys=True))
    for seed, what in told:
        if wrong(what):
            print(f"seed {seed}: {what}")
    sys.exit(any(wrong(what) for _, what in told))


if __name__ == "__main__":
    main()

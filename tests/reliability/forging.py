"""Random edits of every file in folders that `absence check` accepts; what it still accepts must state the same.

Seals and digests are made again, so that only what is said decides. `make reliability` runs ten thousand.
"""

import argparse
import hashlib
import io
import json
import os
import random
import sys
import tempfile
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from proof_of_absence.checker.audit.engine import Audited  # noqa: E402
from proof_of_absence.checker.audit.folder import report_text, write_folder  # noqa: E402
from proof_of_absence.checker.audit.report import html_report  # noqa: E402
from proof_of_absence.checker.audit.report.json_report import from_json, to_json  # noqa: E402
from proof_of_absence.checker.audit.sources import Given  # noqa: E402
from proof_of_absence.checker.audit.tied import check_folder  # noqa: E402
from proof_of_absence.checker.independent.refusal import Refused  # noqa: E402
from proof_of_absence.checker.kernel.certificate import seal  # noqa: E402
from proof_of_absence.models.files import onnx, read_net  # noqa: E402
from proof_of_absence.models.files.whole import MARK  # noqa: E402
from proof_of_absence.models.floatnet import FloatNet  # noqa: E402
from proof_of_absence.models.reading import Source  # noqa: E402
from tests.reliability.forged_folders import Example, arrays, made, model, numbers_apart, stated  # noqa: E402
from tests.reliability.tampering import at, containers  # noqa: E402

WORDS = [
    "dead", "constant", "varies", "sat", "unsat", "unknown", "timeout", True, False, None, "float32", "float64",
    "mean squared error", "cross-entropy of the softmax", "", "training box", [], {}, 0, 1, 2, 3,
]  # fmt: skip
SEALED = ("certificate.json", "compression.json")


def bytes_changed(data: bytes, draw: random.Random) -> bytes:
    """A bit flipped, bytes cut out, doubled or put in, or an end cut off."""
    place = draw.randrange(len(data) or 1)
    length = draw.choice([1, 2, 8, 64])
    match draw.randrange(6):
        case 0 | 1 | 2:
            return data[:place] + bytes([data[place] ^ 1 << draw.randrange(8)]) + data[place + 1 :]
        case 3:
            return data[:place] + data[place + length :]
        case 4:
            return data[:place] + data[place : place + length] + data[place:]
    return data[:place] if draw.random() < 0.3 else data[:place] + bytes([draw.choice(b" \n0-\x00")]) + data[place:]


def entry_changed(found, draw: random.Random):
    """JSON with one entry changed: a number, a word, a key; left out, doubled, exchanged or put elsewhere."""
    place = at(found, draw.choice(list(containers(found))))
    keys = list(place) if isinstance(place, dict) else list(range(len(place)))
    key = draw.choice(keys)
    match draw.randrange(8):
        case 0 | 1 | 2:
            place[key] = value_changed(place[key], draw)
        case 3:
            del place[key]
        case 4 if isinstance(place, dict):
            place[f"{key}_"] = place.pop(key)
        case 4:
            place.insert(key, json.loads(json.dumps(place[key])))
        case 5:
            other = draw.choice(keys)
            place[key], place[other] = place[other], place[key]
        case 6:
            place[key] = json.loads(json.dumps(at(found, draw.choice(list(containers(found))))))
        case _:
            place[key] = draw.choice(WORDS)
    return found


def value_changed(value, draw: random.Random):
    """Another value of its type, near it."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + draw.choice([1, -1, 2, 10])
    if isinstance(value, str) and value and value.lstrip("-")[:1].isdigit():
        digit = draw.randrange(len(value))
        return value[:digit] + draw.choice("0123456789") + value[digit + 1 :]
    if isinstance(value, str):
        return draw.choice([value + "x", value[:-1], *[word for word in WORDS if isinstance(word, str)]])
    return draw.choice(WORDS)


def array_changed(path: Path, draw: random.Random) -> bytes:
    """An npz file with one number changed, or a row more or less."""
    with np.load(path) as found:
        held = {key: found[key].copy() for key in found.files}
    key = draw.choice(sorted(held))
    array = held[key]
    where = tuple(draw.randrange(size) for size in array.shape)
    sort = draw.randrange(6)
    if sort < 4:
        array[where] = [np.nextafter(array[where], np.inf), -array[where], 0, array[where] + 1][sort]
    else:
        held[key] = np.delete(array, where[0], 0) if sort == 4 else np.concatenate([array, array[where[0]][None]])
    stream = io.BytesIO()
    np.savez(stream, **held)
    return stream.getvalue()


def net_changed(path: Path, draw: random.Random) -> FloatNet:
    """The net in a file with one number changed."""
    net = read_net(path)
    layers = [[array.copy() for array in layer] for layer in net.layers]
    array = draw.choice(draw.choice(layers))
    where = tuple(draw.randrange(size) for size in array.shape)
    near = np.float32(array[where])
    array[where] = draw.choice([np.nextafter(near, np.float32(9)), np.float32(0), np.float32(-near), near + 1])
    return FloatNet(layers, net.dtype)


def resealed(folder: Path, name: str, change) -> None:
    """Change a sealed file and seal it again, with the digests of the files that it names now."""
    content = change(json.loads((folder / name).read_text()))
    if isinstance(content, dict) and isinstance(content.get("files"), dict):
        for entry in content["files"].values():
            if isinstance(entry, dict) and entry.get("file") in os.listdir(folder):
                entry["sha256"] = hashlib.sha256((folder / entry["file"]).read_bytes()).hexdigest()
    text = json.dumps(seal(content) if isinstance(content, dict) else content, sort_keys=True, ensure_ascii=False)
    (folder / name).write_text(text + "\n")


def told_again(folder: Path, report: dict) -> None:
    """Write a changed report as the program would: in its form, with its page, and repeated by the certificate."""
    try:
        report = to_json(from_json(report))
        (folder / "report.html").write_text(html_report.page(report))
    except (ValueError, ArithmeticError, LookupError, TypeError, AttributeError):
        pass
    (folder / "report.json").write_text(report_text(report))

    def repeat(content):
        change = report.get("improvement")
        content["about"] |= {
            "net": report.get("net"),
            "data": {k: v for k, v in dict(report.get("data") or {}).items() if k not in ("loss", "noise_floor")},
            "undecided": report.get("undecided"), "not_asked": report.get("not_asked"),
            "improved": change and change.get("file"),
        }  # fmt: skip
        return content

    with suppress(TypeError, ValueError, AttributeError):
        resealed(folder, "certificate.json", repeat)


def lied(folder: Path, report: dict) -> None:
    """Write the whole folder anew from changed findings, with facts made of them, as a program that lies would."""
    certificate = json.loads((folder / "certificate.json").read_text())
    held = {name: np.load(folder / entry["file"]) for name, entry in certificate["files"].items()}
    try:
        audit = from_json(report)
        net = FloatNet([(held["net"][f"weights_{k}"], held["net"][f"bias_{k}"]) for k in (1, 2)], np.float32)
        change = audit.improvement
        if change:
            audit = replace(audit, improvement=replace(change, file=None))
        outcome = Audited(
            audit, net, held["train"]["inputs"], held["targets"]["targets"], held["deploy"]["inputs"],
            read_net(folder / "improved.onnx"), tuple(f for f in certificate["facts"] if "low" in f), (),
            held["test"]["inputs"], held["factor"]["factor"] if "factor" in held else None,
        )  # fmt: skip
        told = (certificate["about"][name] for name in ("deploy", "test"))
        deploy, test = (Source(one["source"], one["sha256"]) for one in told)
        write_folder(folder, outcome, deploy=deploy, test=test)
    except (ValueError, ArithmeticError, LookupError, TypeError, AttributeError):
        # Such findings no program could write.
        (folder / "report.json").unlink(missing_ok=True)


def edited(example: Example, path: Path, draw: random.Random) -> str:
    """Make one edit of the file, or of it and all that goes with it; the sort of edit."""
    folder, sorts = path.parent, ["bytes", "bytes", "left out", "another file"]
    sorts += {".json": ["entry"] * 6, ".npz": ["number"] * 4, ".onnx": ["weight"] * 3}.get(path.suffix, [])
    sealed = [name for name in SEALED if (folder / name).is_file()]
    sorts += ["told again", "lying program"] * 8 * (path.name == "report.json")
    sort = draw.choice(sorts)
    if sort == "bytes":
        path.write_bytes(bytes_changed(path.read_bytes(), draw))
    elif sort == "left out":
        path.unlink()
    elif sort == "another file":
        path.write_bytes(draw.choice(example.files).read_bytes())
    elif sort == "number":
        path.write_bytes(array_changed(path, draw))
        for name in sealed:
            resealed(folder, name, lambda content: content)
    elif sort == "weight":
        onnx.write(path, net_changed(path, draw))
    elif path.name in SEALED:
        resealed(folder, path.name, lambda content: entry_changed(content, draw))
    else:
        content = entry_changed(json.loads(path.read_text()), draw)
        if sort == "told again":
            told_again(folder, content)
        elif sort == "lying program":
            lied(folder, content)
        else:
            path.write_text(json.dumps(content, indent=draw.choice([None, 1])))
    return sort


def came(example: Example, before: dict[Path, bytes], line: str, path: Path) -> str:
    """What an accepted folder is against the one before: a kind of what changes no statement, or STATES and what."""
    changed = {one for one in {*before, *example.files} if not one.is_file() or one.read_bytes() != before.get(one)}
    if not changed:
        return "unchanged"
    kinds = {_kind(example, before, line, one) for one in changed}
    wrong = sorted(kind for kind in kinds if kind.startswith("STATES"))
    return wrong[0] if wrong else " and ".join(sorted(kinds))


def _kind(example: Example, before: dict[Path, bytes], line: str, path: Path) -> str:
    told = line.partition("Not looked at: ")[2]
    if path.parent == example.root and path.name not in ("hard.onnx",):
        unseen = path.name in told or path.name not in line or "the file of" in told
        return "a file beside the folder, not taken for the audited one" if unseen else f"STATES {path.name}"
    if path.name == MARK:
        return "the mark, which says nothing of a network"
    if path.name == "notes.txt" or path.parent.name == "stages":
        inside = "stages/" if path.parent.name == "stages" else path.name
        return "a file that is not looked at" if inside in told or not path.exists() else "STATES a stranger"
    if example.folder not in path.parents and path.name != "hard.onnx":
        return _beside(before, path)
    if not path.is_file():
        return f"STATES nothing of {path.name}" if path.name != "hard.onnx" or "the new net" not in told else "no net"
    with tempfile.TemporaryDirectory() as kept:
        old = Path(kept) / path.name
        old.write_bytes(before.get(path, b"{}"))
        return _inside(old, path, told)


def _beside(before: dict[Path, bytes], path: Path) -> str:
    """A file of the other proof of a hardening: that has a check of its own."""
    return "a file of the other proof, checked there" if path in before else "STATES a stranger"


def _inside(old: Path, path: Path, told: str) -> str:
    if path.suffix == ".onnx":
        return "bytes of a model that are no weights" if model(old) == model(path) else f"STATES {path.name}"
    if path.suffix == ".npz":
        return "bytes of an archive that are no numbers" if arrays(old) == arrays(path) else f"STATES {path.name}"
    if path.name == "compression.json":
        one, other = (json.loads(file.read_bytes()) for file in (old, path))
        removed = (sorted((r["layer"], r["unit"]) for r in found["removed"]) for found in (one, other))
        same = len(set(map(str, removed))) == 1 and (one["region"] == other["region"] or "the region" in told)
        return "how the same is shown" if same else f"STATES {path.name}"
    if path.name in SEALED:
        return "how the same is shown"
    if path.name == "report.html":
        return "the page of a changed report"
    one, other = (json.loads(file.read_bytes()) for file in (old, path))
    if path.name == "hardening.json" and ("not here" in told or "the file of" in told):
        one, other = (found | {"files": None} for found in (one, other))
    if path.name == "hardening.json":
        # In another order they are as true.
        one, other = (found | {"removed": sorted(found["removed"], key=str)} for found in (one, other))
    if path.name != "report.json":
        return (
            "white space, order, or what is said of files and not looked at" if one == other else f"STATES {path.name}"
        )
    (one, bounds), (other, others) = (numbers_apart(stated(report)) for report in (one, other))
    for report in (one, other):
        if "undecided" in told:
            report["undecided"] = []
    wider = all(low <= high and a <= high and low <= b for (a, b), (low, high) in zip(bounds, others, strict=False))
    if one != other or len(bounds) != len(others) or not wider:
        return "STATES another report"
    return "times, evidence, or what is said of files and not looked at"


def chosen(example: Example, files: list[Path], draw: random.Random) -> Path:
    """A file, most often of the folder; its stages count as one."""
    inside = [path for path in files if example.folder in path.parents and path.parent.name != "stages"]
    stages = [path for path in files if path.parent.name == "stages"]
    beside = [path for path in files if path.parent == example.root]
    reports = [path for path in inside if path.name in ("report.json", "certificate.json")] or inside
    return draw.choice(draw.choice([inside] * 8 + [reports] * 4 + [stages or inside, beside]))


def case(examples: list[Example], seed: int) -> tuple[str, str, str]:
    """(file, sort of edit, what came of it) of one random case; the folder is then as it was."""
    draw = random.Random(seed)
    example = draw.choice(examples)
    before = {path: path.read_bytes() for path in example.files}
    path = chosen(example, list(before), draw)
    name = "stages/" if path.parent.name == "stages" else path.name
    try:
        sort = edited(example, path, draw)
        try:
            line = check_folder(example.folder, Given())
        except Refused as reason:
            one_line = "\n" not in str(reason) and str(reason).startswith("/")
            return name, sort, "refused" if one_line else f"WRONG refusal: {reason}"
        except Exception as error:
            return name, sort, f"WRONG {type(error).__name__}: {error}"
        return name, sort, f"accepted: {came(example, before, line, path)}"
    finally:
        for one in {*before, *example.files}:
            if one not in before:
                one.unlink()
            elif not one.is_file() or one.read_bytes() != before[one]:
                one.write_bytes(before[one])


def cases(seeds: range, root: Path) -> list[tuple[int, str, str, str]]:
    """The cases of these seeds, on examples of their own below the folder."""
    examples = made(root)
    return [(seed, *case(examples, seed)) for seed in seeds]


def wrong(told: str) -> bool:
    """Whether what came of a case is a fault of the checker."""
    return "WRONG" in told or "STATES" in told


def _part(seeds: range) -> list[tuple[int, str, str, str]]:
    with tempfile.TemporaryDirectory() as root:
        return cases(seeds, Path(root))


def main() -> None:
    """Try the cases, print how many of each file came to what; exit 1 if something was accepted that states more."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--output", type=Path, default=ROOT / "build/reliability/forging.json")
    options = parser.parse_args()
    size = min(500, -(-options.cases // options.jobs))
    starts = range(options.seed, options.seed + options.cases, size)
    parts = [range(start, min(start + size, options.seed + options.cases)) for start in starts]
    files, sorts, faults = Counter(), Counter(), []
    with ProcessPoolExecutor(options.jobs) as pool:
        for part in pool.map(_part, parts):
            for seed, name, sort, told in part:
                files[name, told.split(": /")[0]] += 1
                sorts[sort, told.split(":")[0]] += 1
                if wrong(told):
                    faults.append({"seed": seed, "file": name, "edit": sort, "came": told})
                    print(f"{name}, seed {seed}, {sort}: {told}", flush=True)
    for counted in (sorts, files):
        for (name, told), count in sorted(counted.items()):
            print(f"{count:6} {name}: {told}")
    summary = {"cases": options.cases, "seed": options.seed, "wrong": faults}
    summary |= {"files": [[*key, count] for key, count in sorted(files.items())]}
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
